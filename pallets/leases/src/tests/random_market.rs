//! Random sequences of everything that happens on the market; every invariant after each step.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use millrace_primitives::{
	AskId, AskTerms, Asset, Constraints, FirstJob, LeaseId, Matching, NodeIndex, OrderId, OrderTerms,
};
use proptest::prelude::*;
use sp_runtime::DispatchError;

#[derive(Clone, Debug)]
enum Step {
	Post { provider: u64, gpus: u32, price: u128, token: bool, lifetime: u64 },
	Withdraw { provider: u64, ask: u64 },
	Place { renter: u64, terms: Box<OrderTerms> },
	Cancel { renter: u64, order: u64 },
	Bid { provider: u64, order: u64, price: u128 },
	WithdrawBid { provider: u64, order: u64 },
	Close { renter: u64, lease: u64 },
	Live { provider: u64, live: bool },
	Health { provider: u64, gpu: u16, healthy: bool },
	Move { provider: u64, group: u64, country: [u8; 2] },
	Break { order: u64, broken: bool },
	Stop { stopped: bool },
	Blocks { count: u64, ms: u64 },
}

fn order_terms() -> impl Strategy<Value = OrderTerms> {
	let shape = (0..4u32, 0..5u32, 0..120u128, prop::bool::weighted(0.2));
	let time = (1..60u64, prop::bool::weighted(0.3), 0..30u64, prop::option::weighted(0.2, 1..20u64));
	let rest = (0..8u32, prop::option::weighted(0.3, 1..3u32), prop::option::weighted(0.3, 0..20u32));
	(shape, time, rest).prop_map(|((nodes, gpus, max_price, token), time, (blocks, limit, premium))| {
		let (minutes, open, rests, start) = time;
		let terms = OrderTerms { max_price, ..gang(nodes, gpus) };
		let terms = if open { open_ended(terms, minutes * MINUTE) } else { terms };
		let terms = premium.map_or(terms.clone(), |premium| with_failover(terms, premium));
		let job = FirstJob { node: NodeIndex(0), plan: Default::default() };
		OrderTerms {
			asset: if token { TOKEN } else { Asset::Native },
			constraints: Constraints {
				max_nodes_per_owner: limit,
				max_nodes_per_country: limit.map(|limit| limit + 1),
				..Default::default()
			},
			matching: if blocks > 5 { Matching::Auction { blocks } } else { Matching::Instant },
			starts_at: start.map(|minutes| START + minutes * MINUTE),
			rests_ms: rests.saturating_sub(10) * MINUTE,
			jobs: vec![job].try_into().unwrap(),
			..terms
		}
	})
}

fn step() -> impl Strategy<Value = Step> {
	let provider = 1..4u64;
	let renter = prop_oneof![Just(RENTER), Just(OTHER_RENTER), Just(POOR), Just(PROVIDER)];
	let order = 0..16u64;
	prop_oneof![
		3 => (provider.clone(), 0..10u32, 0..100u128, prop::bool::weighted(0.2), 0..110u64).prop_map(
			|(provider, gpus, price, token, lifetime)| Step::Post { provider, gpus, price, token, lifetime }
		),
		1 => (provider.clone(), 0..10u64).prop_map(|(provider, ask)| Step::Withdraw { provider, ask }),
		5 => (renter.clone(), order_terms().prop_map(Box::new))
			.prop_map(|(renter, terms)| Step::Place { renter, terms }),
		1 => (renter.clone(), order.clone()).prop_map(|(renter, order)| Step::Cancel { renter, order }),
		4 => (provider.clone(), order.clone(), 0..120u128)
			.prop_map(|(provider, order, price)| Step::Bid { provider, order, price }),
		1 => (provider.clone(), order.clone())
			.prop_map(|(provider, order)| Step::WithdrawBid { provider, order }),
		2 => (renter, order.clone()).prop_map(|(renter, lease)| Step::Close { renter, lease }),
		1 => (provider.clone(), any::<bool>()).prop_map(|(provider, live)| Step::Live { provider, live }),
		1 => (provider.clone(), 0..8u16, any::<bool>())
			.prop_map(|(provider, gpu, healthy)| Step::Health { provider, gpu, healthy }),
		1 => (provider, 0..2u64, prop_oneof![Just(*b"DE"), Just(*b"FR")])
			.prop_map(|(provider, group, country)| Step::Move { provider, group, country }),
		1 => (order, any::<bool>()).prop_map(|(order, broken)| Step::Break { order, broken }),
		1 => any::<bool>().prop_map(|stopped| Step::Stop { stopped }),
		4 => (0..10u64, prop_oneof![Just(SLOT), Just(3 * SLOT), Just(MINUTE)])
			.prop_map(|(count, ms)| Step::Blocks { count, ms }),
	]
}

/// A call as a block would apply it: all or nothing.
fn apply<E>(call: impl FnOnce() -> Result<(), E>) {
	let _ = frame_support::storage::with_storage_layer(|| call().map_err(|_| DispatchError::Other("")));
}

fn run(step: Step) {
	let signed = RuntimeOrigin::signed;
	match step {
		Step::Post { provider, gpus, price, token, lifetime } => apply(|| {
			let asset = if token { TOKEN } else { Asset::Native };
			let terms = AskTerms { asset, ..ask_terms(gpus, price) };
			Leases::post_ask(signed(provider), terms, lifetime * MINUTE)
				.map(drop)
				.map_err(|error| error.error)
		}),
		Step::Withdraw { provider, ask } => apply(|| Leases::withdraw_ask(signed(provider), AskId(ask))),
		Step::Place { renter, terms } => apply(|| attempt(renter, *terms).map(|_| ())),
		Step::Cancel { renter, order } => apply(|| {
			Leases::cancel_order(signed(renter), OrderId(order)).map(drop).map_err(|error| error.error)
		}),
		Step::Bid { provider, order, price } => apply(|| try_bid(provider, OrderId(order), price)),
		Step::WithdrawBid { provider, order } => {
			apply(|| Leases::withdraw_bid(signed(provider), OrderId(order)))
		}
		Step::Close { renter, lease } => {
			apply(|| Leases::close(signed(renter), LeaseId(lease)).map(drop).map_err(|error| error.error))
		}
		Step::Live { provider, live } => set_live(provider, live),
		Step::Health { provider, gpu, healthy } => set_health(provider, gpu, healthy),
		Step::Move { provider, group, country } => declare(provider, |declared| {
			declared.country = country;
			declared.owner = if group == 0 { provider } else { group };
		}),
		Step::Break { order, broken } => {
			BrokenEscrows::set(if broken { vec![OrderId(order).into()] } else { vec![] });
		}
		Step::Stop { stopped } => stop_agenda(stopped),
		Step::Blocks { count, ms } => (0..count).for_each(|_| next_block_after(ms)),
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..80)) {
		ExtBuilder.build_and_execute(|| {
			for renter in [RENTER, OTHER_RENTER] {
				tokens_to(renter, 7, RICH);
			}
			post(PROVIDER, 8, 50);
			for step in steps {
				run(step.clone());
				if let Err(error) = Leases::do_try_state() {
					panic!("{error:?} after {step:?}");
				}
			}
			// Whatever happened, time ends everything: nothing is stuck, and every deposit is back.
			stop_agenda(false);
			BrokenEscrows::set(vec![]);
			for _ in 0..3_100 {
				next_block_after(MINUTE);
			}
			assert_eq!(crate::Leases::<Test>::iter_keys().count(), 0);
			assert_eq!(Orders::<Test>::iter_keys().count() + Asks::<Test>::iter_keys().count(), 0);
			assert_eq!(Bids::<Test>::iter_keys().count() + Rounds::<Test>::iter_keys().count(), 0);
			assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
			// Nobody attested anything, so that nobody paid anything.
			for who in [PROVIDER, OTHER_PROVIDER, THIRD_PROVIDER, RENTER, OTHER_RENTER] {
				assert_eq!(Balances::free_balance(who), RICH);
			}
			let unexpected = events().into_iter().any(|event| matches!(
				event,
				Event::Unexpected { kind } if !matches!(kind, UnexpectedKind::AgendaItemFailed(..))
			));
			assert!(!unexpected);
		});
	}
}
