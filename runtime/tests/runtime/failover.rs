//! Providers fail, and leases go on with others.

use crate::{
	chain::{events, on_development_chain, worker_view, Chain, Signer},
	ledger::Ledger,
	market::{ask, block_with, place, plan, terms, Provider, CHARLIE, DAVE, FERDIE, PRICE, RENTER},
};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{
	AskTerms, Checkpoint, Constraints, Failover, FaultCause, FirstJob, Hash, JobId, LeaseId, LeaseStatus,
	NodeIndex, NodeStatus, OrderTerms,
};
use millrace_runtime::{Balance, Balances, Runtime, RuntimeEvent};
use pallet_leases::{Event as LeaseEvent, LeaseOf};
use sp_runtime::Permill;

const LEASE: LeaseId = LeaseId(0);

fn lease() -> LeaseOf<Runtime> {
	pallet_leases::Leases::<Runtime>::get(LEASE).unwrap()
}

fn lease_events() -> impl Iterator<Item = LeaseEvent<Runtime>> {
	events().into_iter().filter_map(|event| match event {
		RuntimeEvent::Leases(event) => Some(event),
		_ => None,
	})
}

fn close_and_read(chain: &mut Chain, ledger: &mut Ledger) {
	chain.close_block();
	ledger.read(events());
	ledger.check();
}

/// Blocks with these workers until something is so.
#[track_caller]
fn work_until(
	chain: &mut Chain,
	ledger: &mut Ledger,
	providers: &[Provider],
	most_blocks: u32,
	mut is_so: impl FnMut() -> bool,
) {
	for _ in 0..most_blocks {
		block_with(chain, providers);
		close_and_read(chain, ledger);
		if is_so() {
			return;
		}
	}
	panic!("it is not so after {most_blocks} blocks");
}

/// Providers with a GPU each in the book, the first the cheapest.
fn offered(chain: &mut Chain, ledger: &mut Ledger, providers: &[Provider]) {
	chain.open_block();
	for provider in providers {
		provider.join(chain, 1);
	}
	close_and_read(chain, ledger);
	let is_live = |provider: &Provider| provider.is_live();
	work_until(chain, ledger, providers, 30, || providers.iter().all(is_live));
	chain.open_block();
	for (provider, dearer) in providers.iter().zip(0..) {
		provider.offer(chain, AskTerms { price: PRICE + dearer, ..ask(1) });
	}
	close_and_read(chain, ledger);
}

fn replaceable(nodes: u32, term_ms: u64) -> OrderTerms {
	OrderTerms {
		nodes,
		max_price: PRICE + 2,
		failover: Failover::Replace { premium: Permill::from_percent(25) },
		jobs: vec![FirstJob { node: NodeIndex(0), plan: plan() }].try_into().unwrap(),
		..terms(1, term_ms)
	}
}

fn ledger() -> Ledger {
	let providers = [DAVE, FERDIE, CHARLIE].map(|provider| provider.account());
	Ledger::of(providers.into_iter().chain([RENTER.account()]))
}

#[test]
fn a_lease_whose_provider_goes_dark_goes_on_elsewhere_from_its_checkpoint() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		offered(chain, ledger, &[DAVE, FERDIE]);
		chain.open_block();
		place(chain, replaceable(1, 600_000));
		close_and_read(chain, ledger);
		assert_eq!(lease().nodes[0].provider, DAVE.account());
		work_until(chain, ledger, &[DAVE, FERDIE], 30, || lease().status == LeaseStatus::Active);

		// GIVEN a job with a checkpoint
		let checkpoint =
			Checkpoint { job: JobId(0), blob: Hash::repeat_byte(3), bytes: 4_096, launches_done: 5 };
		let is_due = || worker_view(&DAVE.worker().account()).unwrap().report_due;
		work_until(chain, ledger, &[FERDIE], 10, is_due);
		chain.open_block();
		let mut report = DAVE.honest_report(chain);
		report.leases[0].checkpoint = Some(checkpoint);
		chain.submit_ok(&DAVE.worker(), pallet_attestation::Call::report { report });
		close_and_read(chain, ledger);

		// WHEN the provider is gone
		work_until(chain, ledger, &[FERDIE], 20, || {
			matches!(lease().nodes[0].status, NodeStatus::Suspended { .. })
		});
		work_until(chain, ledger, &[FERDIE], 70, || lease().nodes[0].generation == 1);
		assert!(lease_events()
			.any(|event| matches!(event, LeaseEvent::NodeFaulted { cause: FaultCause::Dark, .. })));

		// THEN another one serves the lease, from the checkpoint
		assert_eq!(lease().nodes[0].provider, FERDIE.account());
		let view = worker_view(&FERDIE.worker().account()).unwrap();
		assert_eq!(view.leases[0].jobs[0].checkpoint, Some(checkpoint));
		assert!(worker_view(&DAVE.worker().account()).unwrap().leases.is_empty());
		work_until(chain, ledger, &[FERDIE], 20, || lease().nodes[0].status == NodeStatus::Active);

		// and each is paid for what it attested.
		work_until(chain, ledger, &[FERDIE], 60, || chain_has_earned(&FERDIE) > PRICE);
		chain.open_block_with_room();
		chain.submit_ok(&RENTER, pallet_leases::Call::close { lease: LEASE });
		chain.submit_ok(&RENTER, pallet_settlement::Call::accept { escrow: LEASE.into() });
		close_and_read(chain, ledger);
		assert!(!pallet_settlement::Escrows::<Runtime>::contains_key(millrace_primitives::EscrowId::from(
			LEASE
		)));
	});
}

/// What a provider has earned of the lease.
fn chain_has_earned(provider: &Provider) -> Balance {
	let escrow =
		pallet_settlement::Escrows::<Runtime>::get(millrace_primitives::EscrowId::from(LEASE)).unwrap();
	escrow
		.streams
		.iter()
		.filter(|stream| stream.payee == provider.account())
		.map(|stream| stream.earned)
		.sum()
}

#[test]
fn a_provider_that_leaves_a_gang_pays_the_renter_and_is_replaced_at_once() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		let everybody = [DAVE, FERDIE, CHARLIE];
		offered(chain, ledger, &everybody);
		chain.open_block();
		let constraints = Constraints {
			max_nodes_per_owner: Some(1),
			max_nodes_per_country: Some(1),
			max_nodes_per_network: Some(1),
			..Default::default()
		};
		place(chain, OrderTerms { constraints, ..replaceable(2, 600_000) });
		close_and_read(chain, ledger);
		let providers: Vec<_> = lease().nodes.into_iter().map(|node| node.provider).collect();
		assert_eq!(providers, [DAVE.account(), FERDIE.account()]);
		work_until(chain, ledger, &everybody, 30, || lease().status == LeaseStatus::Active);

		chain.open_block_with_room();
		let renter = Balances::total_balance(&RENTER.account());
		chain.submit_ok(&FERDIE.owner, pallet_leases::Call::leave { lease: LEASE });
		// Ten seconds of notice at its price, as it gave none.
		let penalty = (PRICE + 1) * 10;
		assert!(lease_events().any(|event| matches!(
			event,
			LeaseEvent::ProviderLeft { node: NodeIndex(1), penalty: paid, .. } if paid == penalty
		)));
		assert_eq!(Balances::total_balance(&RENTER.account()), renter + penalty);
		assert_eq!((lease().nodes[1].provider.clone(), lease().nodes[1].generation), (CHARLIE.account(), 1));
		assert_eq!(lease().status, LeaseStatus::Active);
		close_and_read(chain, ledger);
		work_until(chain, ledger, &everybody, 20, || lease().nodes[1].status == NodeStatus::Active);
	});
}

#[test]
fn a_lease_without_another_provider_closes_when_the_search_is_over() {
	on_development_chain(|chain| {
		let ledger = &mut ledger();
		offered(chain, ledger, &[DAVE]);
		chain.open_block();
		place(chain, replaceable(1, 3_600_000));
		close_and_read(chain, ledger);
		work_until(chain, ledger, &[DAVE], 30, || lease().status == LeaseStatus::Active);
		chain.open_block_with_room();
		chain.submit_ok(&DAVE.owner, pallet_leases::Call::leave { lease: LEASE });
		let left_at = chain.now();
		close_and_read(chain, ledger);
		work_until(chain, ledger, &[DAVE], 140, || {
			lease_events().any(|event| matches!(event, LeaseEvent::LeaseClosed { .. }))
		});
		assert!((left_at + 120_000..left_at + 130_000).contains(&chain.now()));
		// Everything that was earned is older than the contest window.
		assert_eq!(
			Balances::reducible_balance(
				&RENTER.account(),
				frame_support::traits::tokens::Preservation::Expendable,
				frame_support::traits::tokens::Fortitude::Polite,
			),
			Balances::total_balance(&RENTER.account())
		);
	});
}
