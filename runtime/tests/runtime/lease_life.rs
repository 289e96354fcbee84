//! A lease from registration to receipt, and what absence does to it.

use crate::{
	chain::{events, on_development_chain, worker_view, Chain, Signer},
	ledger::Ledger,
	market::{
		block_with_worker, join, offer, order, plan, worker, worker_account, PRICE, PROVIDER, REFERENCE,
		RENTER,
	},
};
use frame_support::traits::fungible::{Inspect, InspectHold};
use millrace_primitives::{
	CloseReason, GpuIndex, GpuState, JobId, JobOutcome, LeaseId, LeaseStatus, Moment, ProviderInspect,
};
use millrace_runtime::{
	constants::MILL, Balance, Balances, Providers, Runtime, RuntimeEvent, RuntimeHoldReason,
};
use pallet_leases::Event as LeaseEvent;

const LEASE: LeaseId = LeaseId(0);
const ESCROW: RuntimeHoldReason = RuntimeHoldReason::Settlement(pallet_settlement::HoldReason::Escrow);

fn lease_events() -> impl Iterator<Item = LeaseEvent<Runtime>> {
	events().into_iter().filter_map(|event| match event {
		RuntimeEvent::Leases(event) => Some(event),
		_ => None,
	})
}

fn status() -> Option<LeaseStatus> {
	pallet_leases::Leases::<Runtime>::get(LEASE).map(|lease| lease.status)
}

fn gpu_state() -> GpuState {
	Providers::gpu(&PROVIDER.account(), GpuIndex(0)).unwrap().2
}

/// Joins, reports, offers and orders, one step per block; the ledger reads along.
fn open_lease(chain: &mut Chain, ledger: &mut Ledger, term_ms: u64) {
	chain.open_block();
	join(chain, 1);
	close_and_read(chain, ledger);
	while !block_with_worker(chain) {
		close_and_read(chain, ledger);
	}
	close_and_read(chain, ledger);
	chain.open_block();
	offer(chain, 1);
	order(chain, 1, term_ms);
	close_and_read(chain, ledger);
}

fn close_and_read(chain: &mut Chain, ledger: &mut Ledger) {
	chain.close_block();
	ledger.read(events());
	ledger.check();
}

/// Lets the worker do its duty until the lease has been attested for the first time.
fn get_ready(chain: &mut Chain, ledger: &mut Ledger) -> Moment {
	loop {
		block_with_worker(chain);
		close_and_read(chain, ledger);
		if status() == Some(LeaseStatus::Active) {
			return chain.now();
		}
		assert!(chain.number() < 30, "the lease did not become active within its first epochs");
	}
}

/// Blocks with a dutiful worker until the lease is gone; returns why, attested time, and flows.
fn until_closed(chain: &mut Chain, ledger: &mut Ledger, most_blocks: u32) -> Closed {
	for _ in 0..most_blocks {
		block_with_worker(chain);
		close_and_read(chain, ledger);
		if let Some(closed) = closed() {
			return closed;
		}
	}
	panic!("the lease is still open after {most_blocks} blocks: {:?}", status());
}

#[derive(Debug, PartialEq)]
struct Closed {
	reason: CloseReason,
	attested_ms: u64,
	deposited: Balance,
	paid: Balance,
	fee: Balance,
	refunded: Balance,
}

fn closed() -> Option<Closed> {
	lease_events().find_map(|event| match event {
		LeaseEvent::LeaseClosed {
			lease: LEASE, reason, attested_ms, deposited, paid, fee, refunded, ..
		} => Some(Closed { reason, attested_ms, deposited, paid, fee, refunded }),
		_ => None,
	})
}

fn ledger() -> Ledger {
	Ledger::of([PROVIDER.account(), RENTER.account(), worker_account()])
}

#[test]
fn a_lease_is_served_from_order_to_receipt() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		let paid_before = Balances::total_balance(&PROVIDER.account());

		// GIVEN a live provider and a lease of a minute
		open_lease(chain, ledger, 60_000);
		assert_eq!(status(), Some(LeaseStatus::Pending));
		assert_eq!(gpu_state(), GpuState::Leased(LEASE));
		assert_eq!(Balances::balance_on_hold(&ESCROW, &RENTER.account()), PRICE * 60);

		// WHEN the worker attests it and delivers the job
		let ready_at = get_ready(chain, ledger);
		let view = worker_view(&worker_account()).unwrap();
		assert_eq!((view.provider, view.leases.len(), view.leases[0].jobs.len()), (PROVIDER.account(), 1, 1));
		assert_eq!(view.leases[0].jobs[0].plan, plan());
		chain.open_block();
		let outcome = JobOutcome::Succeeded { output: plan(), bytes: 4 };
		let call = pallet_attestation::Call::report_job { lease: LEASE, job: JobId(0), outcome };
		chain.submit_ok(&worker(), call);
		close_and_read(chain, ledger);
		assert!(lease_events()
			.any(|event| event == LeaseEvent::JobFinished { lease: LEASE, job: JobId(0), outcome }));
		assert!(worker_view(&worker_account()).unwrap().leases[0].jobs.is_empty());

		// THEN the renter can close it, and pays what was attested and not a second more
		for _ in 0..12 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
		}
		let attested_at = pallet_leases::Leases::<Runtime>::get(LEASE).unwrap().attested_at;
		chain.open_block();
		chain.submit_ok(&RENTER, pallet_leases::Call::close { lease: LEASE });
		close_and_read(chain, ledger);

		let closed = closed().unwrap();
		let earned = PRICE * Balance::from(attested_at - ready_at) / 1_000;
		assert!(earned > 0);
		assert_eq!(closed.reason, CloseReason::RenterClosed);
		assert_eq!(closed.attested_ms, attested_at - ready_at);
		assert_eq!(closed.paid + closed.fee, earned);
		assert_eq!(closed.fee, earned / 50);
		assert_eq!(closed.deposited, PRICE * 60);
		assert_eq!(closed.refunded, closed.deposited - earned);
		assert_eq!(Balances::balance_on_hold(&ESCROW, &RENTER.account()), 0);
		assert_eq!(gpu_state(), GpuState::Healthy);
		assert_eq!(Balances::total_balance(&worker_account()), 0);
		// The provider's own transactions cost it less than the lease brought.
		assert!(Balances::total_balance(&PROVIDER.account()) > paid_before);
	});
}

#[test]
fn a_lease_that_runs_its_term_is_paid_in_full_and_closes_by_itself() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 20_000);
		get_ready(chain, ledger);
		let closed = until_closed(chain, ledger, 40);
		assert_eq!(
			closed,
			Closed {
				reason: CloseReason::Completed,
				attested_ms: 20_000,
				deposited: PRICE * 20,
				paid: PRICE * 20 - PRICE * 20 / 50,
				fee: PRICE * 20 / 50,
				refunded: 0,
			}
		);
	});
}

#[test]
fn anybody_can_settle_a_running_lease() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 60_000);
		get_ready(chain, ledger);
		for _ in 0..8 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
		}
		let before = Balances::total_balance(&PROVIDER.account());
		chain.open_block();
		let settle = pallet_settlement::Call::settle { escrow: LEASE.into() };
		chain.submit_ok(&sp_keyring::Sr25519Keyring::Ferdie, settle);
		close_and_read(chain, ledger);
		assert!(Balances::total_balance(&PROVIDER.account()) > before);
		assert_eq!(status(), Some(LeaseStatus::Active));
	});
}

#[test]
fn absence_suspends_stops_the_bill_and_closes_in_the_end() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 3_600_000);
		let ready_at = get_ready(chain, ledger);
		for _ in 0..11 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
		}
		let attested_at = pallet_leases::Leases::<Runtime>::get(LEASE).unwrap().attested_at;
		assert!(attested_at > ready_at);

		// WHEN the worker is gone: suspended within the rest of its epoch, one more, and one of grace.
		let dark_since = chain.number();
		while status() == Some(LeaseStatus::Active) {
			chain.open_block();
			close_and_read(chain, ledger);
			assert!(chain.number() <= dark_since + 16, "nobody noticed that the provider is dark");
		}
		assert!(lease_events().any(|event| event == LeaseEvent::LeaseSuspended { lease: LEASE, attested_at }));

		// THEN nothing more is billed, and after a minute the lease is closed.
		let suspended_at = chain.now();
		let closed = loop {
			chain.open_block();
			close_and_read(chain, ledger);
			if let Some(closed) = closed() {
				break closed;
			}
			assert!(chain.now() <= suspended_at + 65_000, "the lease was not closed");
		};
		assert!(chain.now() >= suspended_at + 60_000);
		assert_eq!(closed.reason, CloseReason::ProviderDark);
		assert_eq!(closed.attested_ms, attested_at - ready_at);
		assert_eq!(closed.paid + closed.fee, PRICE * Balance::from(attested_at - ready_at) / 1_000);
		// With its last lease gone, a provider that stays dark is not offered any more.
		for _ in 0..45 {
			chain.open_block();
			close_and_read(chain, ledger);
		}
		assert!(!Providers::is_live(&PROVIDER.account()));
	});
}

#[test]
fn a_provider_that_comes_back_resumes_and_the_gap_is_free() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 3_600_000);
		get_ready(chain, ledger);
		while status() == Some(LeaseStatus::Active) {
			chain.open_block();
			close_and_read(chain, ledger);
			assert!(chain.number() < 60);
		}
		let billed =
			pallet_settlement::Escrows::<Runtime>::get(millrace_primitives::EscrowId::from(LEASE)).unwrap();
		for _ in 0..10 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
			if status() == Some(LeaseStatus::Active) {
				break;
			}
		}
		assert_eq!(status(), Some(LeaseStatus::Active));
		let after =
			pallet_settlement::Escrows::<Runtime>::get(millrace_primitives::EscrowId::from(LEASE)).unwrap();
		assert_eq!(after.attested_ms, billed.attested_ms, "dark time was billed");
	});
}

#[test]
fn a_provider_that_never_gets_ready_is_paid_nothing() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 60_000);
		let opened_at = chain.now();
		let closed = loop {
			chain.open_block();
			close_and_read(chain, ledger);
			if let Some(closed) = closed() {
				break closed;
			}
			assert!(chain.now() <= opened_at + 65_000);
		};
		assert_eq!(closed.reason, CloseReason::ProviderNotReady);
		assert_eq!((closed.paid, closed.fee, closed.refunded), (0, 0, closed.deposited));
		assert_eq!(gpu_state(), GpuState::Healthy);
	});
}

#[test]
fn a_provider_can_leave_with_everything_it_brought() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		let chunk = 100 * MILL;
		chain.submit_ok(&PROVIDER, pallet_providers::Call::remove_gpu { gpu: GpuIndex(0) });
		chain.submit_ok(&PROVIDER, pallet_providers::Call::unbond { amount: chunk });
		// Two minutes of unbonding.
		for _ in 0..119 {
			chain.open_block();
		}
		let early = chain.submit(&PROVIDER, pallet_providers::Call::withdraw {});
		assert!(matches!(early, Ok(Err(_))), "{early:?}");
		chain.open_block();
		// That block begins a session, which leaves no room for transactions.
		chain.open_block();
		chain.submit_ok(&PROVIDER, pallet_providers::Call::withdraw {});
		chain.submit_ok(&PROVIDER, pallet_providers::Call::deregister {});
		assert_eq!(Balances::total_balance_on_hold(&PROVIDER.account()), 0);
		assert!(worker_view(&worker_account()).is_none());
		assert_eq!(frame_system::Account::<Runtime>::get(worker_account()).sufficients, 0);
		assert_eq!(Providers::registered_gpus(&PROVIDER.account(), REFERENCE), 0);
	});
}
