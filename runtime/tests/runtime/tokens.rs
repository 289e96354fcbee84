//! Leases that are paid in an asset of `pallet-assets`.

use crate::{
	chain::{events, on_development_chain, Chain, Signer},
	market::{ask, block_with_worker, join, place, terms, DAVE, PROVIDER, RENTER},
};
use frame_support::{
	assert_ok,
	traits::fungibles::{Inspect as _, InspectHold as _},
};
use millrace_primitives::{Asset, LeaseId, OrderTerms};
use millrace_runtime::{
	configs::money::{PublicGoodsAccount, TreasuryAccount},
	AccountId, Assets, AssetsHolder, Balance, Runtime, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin,
	Settlement,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{DispatchError, MultiAddress};

const DOLLAR: u32 = 7;
/// Units per GPU and second.
const PRICE: Balance = 1_003;
const ESCROW: RuntimeHoldReason = RuntimeHoldReason::Settlement(pallet_settlement::HoldReason::Escrow);
const LEASE: LeaseId = LeaseId(0);

fn council() -> RuntimeOrigin {
	pallet_collective::RawOrigin::Members(2, 3).into()
}

/// Issues the asset to the renter, and lets leases be paid in it.
fn introduce(is_sufficient: bool, least: Balance) {
	let issuer = Sr25519Keyring::Alice.to_account_id();
	let (id, owner) = (DOLLAR.into(), MultiAddress::Id(issuer.clone()));
	assert_ok!(Assets::force_create(RuntimeOrigin::root(), id, owner, is_sufficient, least));
	let renter = MultiAddress::Id(RENTER.account());
	assert_ok!(Assets::mint(RuntimeOrigin::signed(issuer), id, renter, 1_000_000));
	assert_ok!(Settlement::allow_asset(council(), DOLLAR));
}

fn order(term_ms: u64) -> OrderTerms {
	OrderTerms { asset: Asset::Token(DOLLAR), max_price: PRICE, ..terms(1, term_ms) }
}

fn dollars(who: &AccountId) -> Balance {
	Assets::balance(DOLLAR, who)
}

/// A provider whose GPU costs dollars, live and in the book.
fn offer_for_dollars(chain: &mut Chain) {
	join(chain, 1);
	while !block_with_worker(chain) {}
	chain.open_block();
	let terms = millrace_primitives::AskTerms { asset: Asset::Token(DOLLAR), price: PRICE, ..ask(1) };
	DAVE.offer(chain, terms);
}

/// Runs a lease of twenty seconds to its end and its receipt; returns what was paid and the fee.
fn run_lease(chain: &mut Chain) -> (Balance, Balance) {
	place(chain, order(20_000));
	assert_eq!(AssetsHolder::balance_on_hold(DOLLAR, &ESCROW, &RENTER.account()), PRICE * 20);
	for _ in 0..80 {
		block_with_worker(chain);
		let receipt = events().into_iter().find_map(|event| match event {
			RuntimeEvent::Settlement(pallet_settlement::Event::EscrowClosed {
				asset,
				deposited,
				paid,
				fee,
				refunded,
				..
			}) => Some((asset, deposited, paid, fee, refunded)),
			_ => None,
		});
		if let Some((asset, deposited, paid, fee, refunded)) = receipt {
			assert_eq!((asset, deposited, refunded), (Asset::Token(DOLLAR), PRICE * 20, 0));
			assert_eq!((paid + fee, fee), (deposited, deposited / 50));
			return (paid, fee);
		}
	}
	panic!("there is no receipt");
}

#[test]
fn a_lease_paid_in_a_token_moves_that_token_and_splits_its_fee() {
	on_development_chain(|chain| {
		chain.open_block();
		introduce(true, 1);
		offer_for_dollars(chain);
		let issued = Assets::total_issuance(DOLLAR);
		let (paid, fee) = run_lease(chain);
		assert_eq!(dollars(&PROVIDER.account()), paid);
		assert_eq!(dollars(&TreasuryAccount::get()), fee * 80 / 100);
		assert_eq!(dollars(&PublicGoodsAccount::get()), fee - fee * 80 / 100);
		assert_eq!(dollars(&RENTER.account()), 1_000_000 - paid - fee);
		assert_eq!(Assets::total_issuance(DOLLAR), issued);
	});
}

#[test]
fn a_token_that_is_not_sufficient_works_the_same() {
	on_development_chain(|chain| {
		chain.open_block();
		introduce(false, 1);
		offer_for_dollars(chain);
		let (paid, fee) = run_lease(chain);
		assert_eq!(dollars(&PROVIDER.account()), paid);
		assert_eq!(dollars(&TreasuryAccount::get()) + dollars(&PublicGoodsAccount::get()), fee);
	});
}

#[test]
fn a_part_of_the_fee_below_the_tokens_minimum_is_burnt() {
	on_development_chain(|chain| {
		chain.open_block();
		// The fee is 401 units: 320 for the treasury, 81 for public goods.
		introduce(true, 100);
		offer_for_dollars(chain);
		let issued = Assets::total_issuance(DOLLAR);
		let (_, fee) = run_lease(chain);
		assert_eq!(fee, 401);
		assert_eq!(dollars(&TreasuryAccount::get()), 320);
		assert_eq!(dollars(&PublicGoodsAccount::get()), 0);
		assert_eq!(Assets::total_issuance(DOLLAR), issued - 81);
	});
}

#[test]
fn an_allowance_in_a_token_covers_that_token_alone() {
	on_development_chain(|chain| {
		chain.open_block();
		introduce(true, 1);
		offer_for_dollars(chain);
		let agent = Sr25519Keyring::Bob;
		let grant = pallet_allowances::Call::grant {
			delegate: agent.account(),
			asset: Asset::Token(DOLLAR),
			amount: PRICE * 10,
			max_rate: PRICE,
			lifetime_ms: 3_600_000,
		};
		chain.submit_ok(&RENTER, grant);
		let mut spend = |terms| {
			let call = Box::new(pallet_leases::Call::place_order { terms }.into());
			let spend = pallet_allowances::Call::spend { owner: RENTER.account(), call };
			chain.submit(&agent, spend).unwrap().map(drop)
		};
		let other = DispatchError::from(pallet_allowances::Error::<Runtime>::OtherAsset);
		assert_eq!(spend(OrderTerms { asset: Asset::Native, ..order(5_000) }), Err(other));
		// The deposit of a waiting order is in the native token.
		let resting = OrderTerms { max_price: PRICE - 1, rests_ms: 1_000, ..order(5_000) };
		assert_eq!(spend(resting), Err(other));
		let exceeded = DispatchError::from(pallet_allowances::Error::<Runtime>::AllowanceExceeded);
		assert_eq!(spend(order(11_000)), Err(exceeded));
		assert_eq!(spend(order(10_000)), Ok(()));
		let extend = pallet_leases::Call::extend { lease: LEASE, extra_ms: 1_000 };
		let call = pallet_allowances::Call::spend { owner: RENTER.account(), call: Box::new(extend.into()) };
		assert_eq!(chain.submit(&agent, call).unwrap().map(drop), Err(exceeded));
	});
}

#[test]
fn a_token_that_the_council_has_not_allowed_buys_nothing() {
	on_development_chain(|chain| {
		chain.open_block();
		introduce(true, 1);
		assert_ok!(Settlement::disallow_asset(council(), DOLLAR));
		let refused = chain.submit(&RENTER, pallet_leases::Call::place_order { terms: order(5_000) });
		let error = pallet_leases::Error::<Runtime>::AssetNotAllowed;
		assert_eq!(refused.unwrap().map(drop), Err(error.into()));
	});
}
