//! A renter contests what was earned; the council decides, or does not.

use crate::{
	chain::{can_be_contested, events, on_development_chain, Chain, Signer},
	ledger::Ledger,
	market::{block_with_worker, join, offer, place, plan, terms, worker_account, PRICE, PROVIDER, RENTER},
};
use frame_support::traits::{
	fungible::{Inspect, InspectHold},
	Get,
};
use millrace_primitives::{EscrowId, LeaseId, StreamId};
use millrace_runtime::{
	configs::bounds::ContestBond, Balance, Balances, Runtime, RuntimeEvent, RuntimeHoldReason,
};
use pallet_settlement::Event;
use sp_runtime::Permill;

const LEASE: LeaseId = LeaseId(0);
const ESCROW: EscrowId = EscrowId(0);
const STREAM: StreamId = StreamId(0);
const BOND: RuntimeHoldReason = RuntimeHoldReason::Settlement(pallet_settlement::HoldReason::ContestBond);

/// Runs a lease for a while and contests what it has earned. Returns how much that is.
fn contest(chain: &mut Chain, ledger: &mut Ledger) -> Balance {
	chain.open_block();
	join(chain, 1);
	close_and_read(chain, ledger);
	while !block_with_worker(chain) {
		close_and_read(chain, ledger);
	}
	offer(chain, 1);
	place(chain, terms(1, 3_600_000));
	for _ in 0..16 {
		close_and_read(chain, ledger);
		block_with_worker(chain);
	}
	chain.submit_ok(
		&RENTER,
		pallet_settlement::Call::contest { escrow: ESCROW, stream: STREAM, evidence: plan() },
	);
	let amount = settlement_events()
		.find_map(|event| match event {
			Event::Contested { amount, bond, .. } => {
				assert_eq!(bond, ContestBond::get());
				Some(amount)
			}
			_ => None,
		})
		.unwrap();
	assert!(amount >= PRICE * 5);
	assert_eq!(Balances::balance_on_hold(&BOND, &RENTER.account()), ContestBond::get());
	close_and_read(chain, ledger);
	amount
}

fn settlement_events() -> impl Iterator<Item = Event<Runtime>> {
	events().into_iter().filter_map(|event| match event {
		RuntimeEvent::Settlement(event) => Some(event),
		_ => None,
	})
}

fn close_and_read(chain: &mut Chain, ledger: &mut Ledger) {
	chain.close_block();
	ledger.read(events());
	ledger.check();
}

/// Two of the council's three members vote for this share in one block.
fn verdict(chain: &mut Chain, payee_share: Permill) {
	let call = pallet_settlement::Call::resolve_contest { escrow: ESCROW, stream: STREAM, payee_share };
	chain.council_decides(call);
}

fn ledger() -> Ledger {
	Ledger::of([PROVIDER.account(), RENTER.account(), worker_account()])
}

/// What the verdict did: to the payee, to the payer, and whether the bond was lost.
fn resolved() -> Option<(Balance, Balance, bool)> {
	settlement_events().find_map(|event| match event {
		Event::ContestResolved { to_payee, to_payer, bond_lost, .. } => Some((to_payee, to_payer, bond_lost)),
		_ => None,
	})
}

#[test]
fn a_verdict_for_the_renter_gives_the_money_and_the_bond_back_at_once() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		let amount = contest(chain, ledger);
		let free = Balances::balance(&RENTER.account());
		// While a contest waits, whatever was done is in dispute.
		assert!(can_be_contested(LEASE, 0));
		verdict(chain, Permill::from_percent(25));
		// The window of what was done long ago is over, that of what is done now is not.
		assert!(!can_be_contested(LEASE, 0) && can_be_contested(LEASE, chain.now()));
		let to_payee = Permill::from_percent(25).mul_floor(amount);
		assert_eq!(resolved(), Some((to_payee, amount - to_payee, false)));
		assert_eq!(Balances::balance(&RENTER.account()), free + amount - to_payee + ContestBond::get());
		assert!(settlement_events().any(|event| matches!(
			event,
			Event::Settled { stream: STREAM, paid, fee, .. } if paid + fee >= to_payee
		)));
		close_and_read(chain, ledger);
		// Nothing was attested since, so that nothing is left to wait for.
		chain.open_block_with_room();
		chain.submit_ok(&RENTER, pallet_leases::Call::close { lease: LEASE });
		close_and_read(chain, ledger);
		assert!(!pallet_settlement::Escrows::<Runtime>::contains_key(ESCROW));
		assert!(!can_be_contested(LEASE, chain.now()));
	});
}

#[test]
fn a_verdict_for_the_provider_costs_the_renter_its_bond() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		let amount = contest(chain, ledger);
		let total = Balances::total_balance(&PROVIDER.account());
		verdict(chain, Permill::one());
		assert_eq!(resolved(), Some((amount, 0, true)));
		// The bond, and at least what was contested less the fee.
		let least = ContestBond::get() + amount - amount / 50 - 1;
		assert!(Balances::total_balance(&PROVIDER.account()) >= total + least);
		assert_eq!(Balances::balance_on_hold(&BOND, &RENTER.account()), 0);
		close_and_read(chain, ledger);
	});
}

#[test]
fn without_a_verdict_in_time_the_provider_is_paid_and_the_bond_comes_back() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		let amount = contest(chain, ledger);
		let contested_at = chain.now();
		chain.open_block_with_room();
		chain.submit_ok(&RENTER, pallet_leases::Call::close { lease: LEASE });
		close_and_read(chain, ledger);
		let lapses_at = contested_at + <Runtime as pallet_settlement::Config>::VerdictWithin::get();
		let paid = loop {
			chain.open_block();
			close_and_read(chain, ledger);
			let paid = settlement_events().find_map(|event| match event {
				Event::EscrowClosed { paid, fee, .. } => Some(paid + fee),
				_ => None,
			});
			if let Some(paid) = paid {
				break paid;
			}
			assert!(chain.now() < lapses_at + 60_000, "the contest does not lapse");
		};
		assert!(chain.now() >= lapses_at && paid >= amount);
		assert_eq!(Balances::total_balance_on_hold(&RENTER.account()), 0);
	});
}
