//! A lease from registration to receipt, and what absence does to it.

use crate::{
	chain::{events, on_development_chain, worker_view, Chain, Signer},
	ledger::Ledger,
	market::{
		block_with_worker, contest_window, join, offer, order, place, plan, terms, worker, worker_account,
		DAVE, PRICE, PROVIDER, REFERENCE, RENTER,
	},
};
use frame_support::traits::{
	fungible::{Inspect, InspectHold},
	Get,
};
use millrace_primitives::{
	CloseReason, EscrowId, GpuIndex, GpuState, JobId, JobOutcome, LeaseId, LeaseStatus, Moment, NodeIndex,
	NodeStatus, OrderTerms, ProviderInspect, Term,
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

fn node_status() -> Option<NodeStatus> {
	pallet_leases::Leases::<Runtime>::get(LEASE).map(|lease| lease.nodes[0].status)
}

fn attested_at() -> Moment {
	pallet_leases::Leases::<Runtime>::get(LEASE).unwrap().nodes[0].attested_at
}

fn attested_ms() -> u64 {
	pallet_settlement::Escrows::<Runtime>::get(EscrowId::from(LEASE)).unwrap().attested_ms
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

/// Blocks with a dutiful worker until the receipt is there; returns it, and why the lease was closed if it was in these blocks.
fn until_paid(chain: &mut Chain, ledger: &mut Ledger, most_blocks: u32) -> (Option<CloseReason>, Receipt) {
	let mut reason = None;
	for _ in 0..most_blocks {
		block_with_worker(chain);
		close_and_read(chain, ledger);
		reason = reason.or_else(closed);
		if let Some(receipt) = receipt() {
			return (reason, receipt);
		}
	}
	panic!("there is no receipt after {most_blocks} blocks: {:?}", status());
}

/// The last words on a lease.
#[derive(Debug, PartialEq)]
struct Receipt {
	attested_ms: u64,
	deposited: Balance,
	paid: Balance,
	fee: Balance,
	refunded: Balance,
}

/// Why the lease was closed in this block.
fn closed() -> Option<CloseReason> {
	lease_events().find_map(|event| match event {
		LeaseEvent::LeaseClosed { lease: LEASE, reason, .. } => Some(reason),
		_ => None,
	})
}

/// The receipt, if it was written in this block.
fn receipt() -> Option<Receipt> {
	events().into_iter().find_map(|event| match event {
		RuntimeEvent::Settlement(pallet_settlement::Event::EscrowClosed {
			escrow: EscrowId(0),
			attested_ms,
			deposited,
			paid,
			fee,
			refunded,
			..
		}) => Some(Receipt { attested_ms, deposited, paid, fee, refunded }),
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
		let attested_at = attested_at();
		chain.open_block();
		chain.submit_ok(&RENTER, pallet_leases::Call::close { lease: LEASE });
		close_and_read(chain, ledger);
		let closed_at = chain.now();
		assert_eq!((closed(), gpu_state()), (Some(CloseReason::RenterClosed), GpuState::Healthy));
		let earned = PRICE * Balance::from(attested_at - ready_at) / 1_000;
		assert!(earned > 0);
		// Nothing but what was earned stays held, until the contest window is over.
		assert_eq!(Balances::balance_on_hold(&ESCROW, &RENTER.account()), earned);

		let (_, closed) = until_paid(chain, ledger, 40);
		assert!(chain.now() > closed_at && chain.now() < closed_at + 2 * contest_window());
		assert_eq!(closed.attested_ms, attested_at - ready_at);
		assert_eq!(closed.paid + closed.fee, earned);
		assert_eq!(closed.fee, earned / 50);
		assert_eq!(closed.deposited, PRICE * 60);
		assert_eq!(closed.refunded, closed.deposited - earned);
		assert_eq!(Balances::balance_on_hold(&ESCROW, &RENTER.account()), 0);
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
		let (reason, receipt) = until_paid(chain, ledger, 80);
		assert_eq!(reason, Some(CloseReason::Completed));
		assert_eq!(
			receipt,
			Receipt {
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
		open_lease(chain, ledger, 600_000);
		get_ready(chain, ledger);
		let until = chain.now() + 2 * contest_window();
		while chain.now() < until {
			block_with_worker(chain);
			close_and_read(chain, ledger);
		}
		let before = Balances::total_balance(&PROVIDER.account());
		chain.open_block_with_room();
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
		let attested_at = attested_at();
		assert!(attested_at > ready_at);

		// WHEN the worker is gone: suspended within the rest of its epoch, one more, and one of grace.
		let dark_since = chain.number();
		while node_status() == Some(NodeStatus::Active) {
			chain.open_block();
			close_and_read(chain, ledger);
			assert!(chain.number() <= dark_since + 16, "nobody noticed that the provider is dark");
		}
		let suspended = LeaseEvent::NodeSuspended { lease: LEASE, node: NodeIndex(0), attested_at };
		assert!(lease_events().any(|event| event == suspended));

		// THEN nothing more is billed, and after a minute the lease is closed.
		let suspended_at = chain.now();
		let reason = loop {
			chain.open_block();
			close_and_read(chain, ledger);
			if let Some(reason) = closed() {
				break reason;
			}
			assert!(chain.now() <= suspended_at + 65_000, "the lease was not closed");
		};
		assert!(chain.now() >= suspended_at + 60_000);
		assert_eq!(reason, CloseReason::ProviderDark);
		// All of it is older than the contest window by then, so that the receipt comes at once.
		let receipt = receipt().unwrap();
		assert_eq!(receipt.attested_ms, attested_at - ready_at);
		assert_eq!(receipt.paid + receipt.fee, PRICE * Balance::from(attested_at - ready_at) / 1_000);
		// With its last lease gone, a provider that stays dark is not offered any more.
		for _ in 0..45 {
			chain.open_block();
			close_and_read(chain, ledger);
		}
		assert!(!DAVE.is_live());
	});
}

#[test]
fn a_provider_that_comes_back_resumes_and_the_gap_is_free() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 3_600_000);
		get_ready(chain, ledger);
		while node_status() == Some(NodeStatus::Active) {
			chain.open_block();
			close_and_read(chain, ledger);
			assert!(chain.number() < 60);
		}
		let billed = attested_ms();
		for _ in 0..10 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
			if node_status() == Some(NodeStatus::Active) {
				break;
			}
		}
		assert_eq!(node_status(), Some(NodeStatus::Active));
		assert_eq!(attested_ms(), billed, "dark time was billed");
	});
}

#[test]
fn a_provider_that_never_gets_ready_is_paid_nothing() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 60_000);
		let opened_at = chain.now();
		let reason = loop {
			chain.open_block();
			close_and_read(chain, ledger);
			if let Some(reason) = closed() {
				break reason;
			}
			assert!(chain.now() <= opened_at + 65_000);
		};
		assert_eq!(reason, CloseReason::ProviderNotReady);
		let receipt = receipt().unwrap();
		assert_eq!((receipt.paid, receipt.fee, receipt.refunded), (0, 0, receipt.deposited));
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
		let until = chain.now() + <Runtime as pallet_providers::Config>::UnbondingPeriod::get();
		while chain.now() < until - 1_000 {
			chain.open_block();
		}
		let early = chain.submit(&PROVIDER, pallet_providers::Call::withdraw {});
		assert!(matches!(early, Ok(Err(_))), "{early:?}");
		chain.open_block_with_room();
		chain.submit_ok(&PROVIDER, pallet_providers::Call::withdraw {});
		chain.submit_ok(&PROVIDER, pallet_providers::Call::deregister {});
		assert_eq!(Balances::total_balance_on_hold(&PROVIDER.account()), 0);
		assert!(worker_view(&worker_account()).is_none());
		assert_eq!(frame_system::Account::<Runtime>::get(worker_account()).sufficients, 0);
		assert_eq!(Providers::registered_gpus(&PROVIDER.account(), REFERENCE), 0);
	});
}

#[test]
fn a_renter_who_accepts_has_the_receipt_at_once() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 60_000);
		get_ready(chain, ledger);
		for _ in 0..12 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
		}
		chain.open_block();
		chain.submit_ok(&RENTER, pallet_leases::Call::close { lease: LEASE });
		assert!(receipt().is_none());
		chain.submit_ok(&RENTER, pallet_settlement::Call::accept { escrow: LEASE.into() });
		let receipt = receipt().unwrap();
		assert!(receipt.paid > 0);
		assert_eq!(receipt.paid + receipt.fee + receipt.refunded, receipt.deposited);
		close_and_read(chain, ledger);
		assert_eq!(Balances::balance_on_hold(&ESCROW, &RENTER.account()), 0);
	});
}

#[test]
fn what_is_rejected_in_time_costs_nothing() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		open_lease(chain, ledger, 60_000);
		get_ready(chain, ledger);
		for _ in 0..8 {
			block_with_worker(chain);
			close_and_read(chain, ledger);
		}
		chain.open_block();
		chain.submit_ok(&RENTER, pallet_leases::Call::reject { lease: LEASE });
		let receipt = receipt().unwrap();
		assert!(receipt.attested_ms > 0);
		assert_eq!((closed(), receipt.paid, receipt.refunded), (Some(CloseReason::Rejected), 0, PRICE * 60));
		close_and_read(chain, ledger);
	});
}

#[test]
fn an_open_ended_lease_is_warned_frozen_saved_by_a_top_up_and_ends_with_its_funds() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		chain.open_block();
		join(chain, 1);
		close_and_read(chain, ledger);
		while !block_with_worker(chain) {
			close_and_read(chain, ledger);
		}
		offer(chain, 1);
		place(chain, OrderTerms { term: Term::OpenEnded { funded_ms: 60_000 }, ..terms(1, 0) });
		close_and_read(chain, ledger);
		let ready_at = get_ready(chain, ledger);

		let warned_at = until(chain, ledger, |event| matches!(event, LeaseEvent::LowBalance { .. }));
		let frozen_at = until(chain, ledger, |event| matches!(event, LeaseEvent::LeaseFrozen { .. }));
		// Frozen fifteen seconds before the end of the funds, warned twenty seconds before that.
		assert!((ready_at + 25_000..=ready_at + 30_000).contains(&warned_at), "{warned_at}");
		assert!((ready_at + 45_000..=ready_at + 50_000).contains(&frozen_at), "{frozen_at}");
		assert!(matches!(status(), Some(LeaseStatus::Frozen { .. })));

		chain.open_block_with_room();
		chain.submit_ok(&RENTER, pallet_leases::Call::top_up { lease: LEASE, amount: PRICE * 60 });
		assert_eq!(status(), Some(LeaseStatus::Active));
		close_and_read(chain, ledger);
		let ended_at = until(chain, ledger, |event| matches!(event, LeaseEvent::LeaseClosed { .. }));
		assert!((ready_at + 115_000..=ready_at + 135_000).contains(&ended_at), "{}", ended_at - ready_at);
		let (_, receipt) = until_paid(chain, ledger, 60);
		assert_eq!((receipt.deposited, receipt.refunded, receipt.attested_ms), (PRICE * 120, 0, 120_000));
	});
}

/// Blocks with a dutiful worker until this happens to the lease; returns when.
fn until(chain: &mut Chain, ledger: &mut Ledger, happens: impl Fn(&LeaseEvent<Runtime>) -> bool) -> Moment {
	for _ in 0..200 {
		block_with_worker(chain);
		close_and_read(chain, ledger);
		if lease_events().any(|event| happens(&event)) {
			return chain.now();
		}
	}
	panic!("it does not happen: {:?}", status());
}
