//! What the chain's state says of an account that is to bid for a provider.

use codec::{Decode, DecodeAll};
use millrace_offchain_worker::{BidderStanding, SignError};
use millrace_primitives::{AccountId, Balance, BlockNumber, Nonce};
use millrace_runtime::{configs::operations::ProxyType, Runtime};
use pallet_proxy::ProxyDefinition;

/// An account, as the chain stores it.
type Account = frame_system::AccountInfo<Nonce, <Runtime as frame_system::Config>::AccountData>;
/// The proxies of an account and the deposit for them, as the chain stores them.
type Proxies = (Vec<ProxyDefinition<AccountId, ProxyType, BlockNumber>>, Balance);

/// Reads the bidder's balance and the provider's proxies. `get` reads the raw value of a key.
pub(super) fn standing(
	provider: &AccountId,
	bidder: &AccountId,
	get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, SignError>,
) -> Result<BidderStanding, SignError> {
	let account: Option<Account> = decode(get(&frame_system::Account::<Runtime>::hashed_key_for(bidder))?)?;
	let proxies: Option<Proxies> = decode(get(&pallet_proxy::Proxies::<Runtime>::hashed_key_for(provider))?)?;
	// A proxy with a delay would have to announce its bids, and they would come too late.
	let may_bid = |proxy: &ProxyDefinition<AccountId, ProxyType, BlockNumber>| {
		proxy.delegate == *bidder && proxy.proxy_type == ProxyType::Bidding && proxy.delay == 0
	};
	Ok(BidderStanding {
		is_proxy: proxies.is_some_and(|(proxies, _)| proxies.iter().any(may_bid)),
		free: account.map_or(0, |account| account.data.free),
	})
}

fn decode<T: Decode>(value: Option<Vec<u8>>) -> Result<Option<T>, SignError> {
	let decoded = value.map(|bytes| T::decode_all(&mut &bytes[..])).transpose();
	decoded.map_err(|error| SignError::Chain(format!("it is not of this node's runtime: {error}")))
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_runtime::BoundedVec;

	fn account(seed: u8) -> AccountId {
		AccountId::new([seed; 32])
	}

	const PROVIDER: u8 = 1;
	const BIDDER: u8 = 2;

	/// The standing of the bidder when the provider has that proxy, and the bidder so much.
	fn with(delegate: u8, proxy_type: ProxyType, delay: BlockNumber, free: Balance) -> BidderStanding {
		sp_io::TestExternalities::default().execute_with(|| {
			let other = ProxyDefinition { delegate: account(7), proxy_type: ProxyType::Bidding, delay: 0 };
			let proxy = ProxyDefinition { delegate: account(delegate), proxy_type, delay };
			let proxies: BoundedVec<_, <Runtime as pallet_proxy::Config>::MaxProxies> =
				vec![other, proxy].try_into().expect("two are allowed");
			pallet_proxy::Proxies::<Runtime>::insert(account(PROVIDER), (proxies, 0));
			frame_system::Account::<Runtime>::mutate(account(BIDDER), |account| account.data.free = free);
			read()
		})
	}

	fn read() -> BidderStanding {
		let get = |key: &[u8]| Ok(sp_io::storage::get(key).map(|bytes| bytes.to_vec()));
		standing(&account(PROVIDER), &account(BIDDER), get).expect("the state is this runtime's")
	}

	#[test]
	fn an_account_that_the_chain_does_not_know_can_do_nothing() {
		let nothing = sp_io::TestExternalities::default().execute_with(read);
		assert_eq!(nothing, BidderStanding { is_proxy: false, free: 0 });
	}

	#[test]
	fn a_proxy_for_bidding_without_delay_can_bid() {
		assert_eq!(with(BIDDER, ProxyType::Bidding, 0, 5), BidderStanding { is_proxy: true, free: 5 });
		// The transaction names the type, so that no other one will do.
		for other in [with(BIDDER, ProxyType::Any, 0, 5), with(BIDDER, ProxyType::Providing, 0, 5)] {
			assert!(!other.is_proxy);
		}
		assert!(!with(BIDDER, ProxyType::Bidding, 1, 5).is_proxy);
		assert!(!with(3, ProxyType::Bidding, 0, 5).is_proxy);
	}

	#[test]
	fn state_of_another_form_is_an_error() {
		let get = |_: &[u8]| Ok(Some(vec![1, 2, 3]));
		let error = standing(&account(PROVIDER), &account(BIDDER), get).expect_err("this is no account");
		assert!(error.to_string().contains("not of this node's runtime"), "{error}");
	}
}
