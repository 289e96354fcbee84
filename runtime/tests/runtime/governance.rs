//! Who may change what: parameters within their bounds, pauses, sudo.

use crate::{
	chain::{on_development_chain, preset_state},
	market::{ask, block_with_worker, honest_report, join, offer, order, worker, PROVIDER},
};
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::Inspect, fungibles::Balanced, Get, OnUnbalanced},
};
use millrace_primitives::Asset;
use millrace_runtime::{
	configs::{
		bounds::FeeRate,
		market::FeeToTreasuryAndPublicGoods,
		money::{AllCredits, PublicGoodsAccount, TreasuryAccount},
	},
	dynamic_params::fees,
	Balance, Balances, Parameters, Runtime, RuntimeCall, RuntimeOrigin, RuntimeParameters, TxPause,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{DispatchError, Permill};

fn set_fee_rate(rate: Permill) -> RuntimeParameters {
	RuntimeParameters::Fees(fees::Parameters::FeeRate(fees::FeeRate, Some(rate)))
}

fn set_treasury_share(share: Permill) -> RuntimeParameters {
	RuntimeParameters::Fees(fees::Parameters::TreasuryShare(fees::TreasuryShare, Some(share)))
}

fn council(ayes: u32) -> RuntimeOrigin {
	pallet_collective::RawOrigin::Members(ayes, 3).into()
}

#[test]
fn the_fee_is_bounded_whatever_governance_sets() {
	preset_state("development").execute_with(|| {
		assert_ok!(Parameters::set_parameter(council(2), set_fee_rate(Permill::from_percent(5))));
		assert_eq!(FeeRate::get(), Permill::from_percent(5));
		assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), set_fee_rate(Permill::from_percent(90))));
		assert_eq!(FeeRate::get(), FeeRate::MOST);
	});
}

#[test]
fn half_a_council_or_an_account_cannot_set_it() {
	preset_state("development").execute_with(|| {
		let origins =
			[council(1), RuntimeOrigin::signed(Sr25519Keyring::Alice.to_account_id()), RuntimeOrigin::none()];
		for origin in origins {
			assert_noop!(
				Parameters::set_parameter(origin, set_fee_rate(Permill::zero())),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn the_fee_is_split_by_the_parameter_and_nothing_is_lost() {
	preset_state("development").execute_with(|| {
		for (share, amount) in [(80, 1_001), (0, 77), (100, 77), (33, 1)] {
			let share = Permill::from_percent(share);
			assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), set_treasury_share(share)));
			let accounts = [TreasuryAccount::get(), PublicGoodsAccount::get()];
			let before = accounts.clone().map(|who| Balances::balance(&who));
			let issued = Balances::total_issuance();
			FeeToTreasuryAndPublicGoods::on_unbalanced(AllCredits::issue(Asset::Native, amount));
			let after = accounts.map(|who| Balances::balance(&who));
			let to_treasury: Balance = share.mul_floor(amount);
			assert_eq!([after[0] - before[0], after[1] - before[1]], [to_treasury, amount - to_treasury]);
			assert_eq!(Balances::total_issuance(), issued + amount);
		}
	});
}

fn pause(pallet: &str, call: &str) -> Result<(), DispatchError> {
	let name = (pallet.as_bytes().to_vec().try_into().unwrap(), call.as_bytes().to_vec().try_into().unwrap());
	TxPause::pause(council(2), name).map(drop)
}

#[test]
fn the_market_can_be_paused_without_stopping_reports() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		while !block_with_worker(chain) {}
		chain.open_block();
		offer(chain, 1);
		order(chain, 1, 60_000);
		assert_ok!(pause("Leases", "post_ask"));
		let ask = pallet_leases::Call::post_ask { terms: ask(1), lifetime_ms: 60_000 };
		let refused = chain.submit(&PROVIDER, ask);
		assert_eq!(refused.unwrap().unwrap_err(), frame_system::Error::<Runtime>::CallFiltered.into());
		while !crate::chain::worker_view(&crate::market::worker_account()).unwrap().report_due {
			chain.open_block();
		}
		let report = honest_report(chain);
		chain.submit_ok(&worker(), pallet_attestation::Call::report { report });
	});
}

#[test]
fn inherents_reports_the_way_back_and_the_ways_out_cannot_be_paused() {
	preset_state("development").execute_with(|| {
		for (pallet, call) in [
			("Timestamp", "set"),
			("TxPause", "unpause"),
			("Council", "propose"),
			("Sudo", "sudo"),
			("Attestation", "report"),
			("Attestation", "report_job"),
			("Settlement", "settle"),
			("Settlement", "accept"),
			("Settlement", "contest"),
			("Leases", "close"),
			("Leases", "reject"),
			("Leases", "cancel_order"),
			("Leases", "poke"),
		] {
			assert_eq!(
				pause(pallet, call),
				Err(pallet_tx_pause::Error::<Runtime>::Unpausable.into()),
				"{pallet}"
			);
		}
		assert_ok!(pause("Leases", "place_order"));
		assert_ok!(pause("Allowances", "spend"));
	});
}

#[test]
fn sudo_is_nobody_without_a_key() {
	preset_state("testnet").execute_with(|| {
		let remark = || Box::new(RuntimeCall::System(frame_system::Call::remark { remark: vec![] }));
		for who in Sr25519Keyring::well_known() {
			let origin = RuntimeOrigin::signed(who.to_account_id());
			assert!(millrace_runtime::Sudo::sudo(origin, remark()).is_err());
		}
	});
}
