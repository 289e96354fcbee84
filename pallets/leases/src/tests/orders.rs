//! Matching orders and opening leases.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
	weights::WeightInfo,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskId, Balance, ClassId, EscrowId, GpuIndex, GpuState, JobId, LeaseId, LeaseStatus, OrderId,
	ProviderInspect,
};
use sp_core::H256;
use sp_runtime::DispatchError;

type E = Error<Test>;

fn place(terms: OrderTerms) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Leases::place_order(RuntimeOrigin::signed(RENTER), terms, None)
}

fn post_with_terms(min: u64, max: u64) {
	let origin = RuntimeOrigin::signed(PROVIDER);
	assert_ok!(Leases::post_ask(origin, CLASS, 8, PRICE, min, max, MINUTE));
}

#[test]
fn an_order_opens_a_lease_with_its_money_and_its_first_job() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN
		post(PROVIDER, 8, PRICE);
		events();
		let plan = H256::repeat_byte(3);
		// WHEN
		assert_ok!(Leases::place_order(RuntimeOrigin::signed(RENTER), terms(2), Some(plan)));
		// THEN: price x GPUs x seconds
		let deposit = PRICE * 2 * 600;
		let (order, lease) = (OrderId(0), LeaseId(0));
		assert_eq!(
			events(),
			vec![
				Event::OrderPlaced { order, renter: RENTER, terms: terms(2) },
				Event::LeaseOpened {
					lease,
					order,
					renter: RENTER,
					provider: PROVIDER,
					ask: AskId(0),
					class: CLASS,
					gpus: vec![GpuIndex(0), GpuIndex(1)],
					price: PRICE,
					rate: 2 * PRICE,
					deposit,
					funded_ms: 10 * MINUTE,
				},
				Event::JobSubmitted { lease, job: JobId(0), plan },
			]
		);
		assert_eq!(TillEscrows::get(EscrowId(0)), Some((RENTER, PROVIDER, 2 * PRICE, deposit, 0, 0)));
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
		assert_eq!(Asks::<Test>::get(AskId(0)).unwrap().left, 6);
		assert_eq!(RegistryGpus::get(PROVIDER, GpuIndex(1)), Some((CLASS, GpuState::Leased(lease))));
		assert_eq!(Leases::lease_view(lease).unwrap().1, 10 * MINUTE);
		assert_eq!(Leases::jobs(lease).len(), 1);
	});
}

#[test]
fn the_cheapest_fitting_ask_is_taken_and_the_older_at_the_same_price() {
	ExtBuilder.build_and_execute(|| {
		post(OTHER_PROVIDER, 8, PRICE);
		let cheap = post(PROVIDER, 2, PRICE - 1);
		post(PROVIDER, 8, PRICE);
		// The cheapest, though it is younger.
		assert_eq!(record(order(RENTER, terms(2))).ask, cheap);
		// It is sold out; of the two left, the older.
		assert_eq!(record(order(RENTER, terms(2))).ask, AskId(0));
		// The price is the ask's, never the order's limit.
		assert_eq!(record(order(RENTER, OrderTerms { max_price: 5_000, ..terms(2) })).price, PRICE);
	});
}

#[test]
fn every_wrong_order_is_refused_with_its_reason() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(Leases::place_order(RuntimeOrigin::none(), terms(1), None), DispatchError::BadOrigin);
		assert_noop!(place(terms(0)), E::ZeroGpus);
		assert_noop!(place(OrderTerms { term_ms: 10 * SLOT - 1, ..terms(1) }), E::TermOutOfBounds);
		assert_noop!(place(OrderTerms { term_ms: 60 * MINUTE + 1, ..terms(1) }), E::TermOutOfBounds);
		assert_noop!(place(OrderTerms { class: ClassId(9), ..terms(1) }), E::UnknownClass);
		assert_noop!(place(terms(1)), E::NoAsks);
		post_with_terms(MINUTE, 2 * MINUTE);
		assert_noop!(place(OrderTerms { max_price: PRICE - 1, ..terms(1) }), E::PriceTooLow);
		assert_noop!(place(OrderTerms { term_ms: MINUTE - 1, ..terms(1) }), E::TermNotOffered);
		assert_noop!(place(OrderTerms { term_ms: 2 * MINUTE + 1, ..terms(1) }), E::TermNotOffered);
		let fitting = OrderTerms { term_ms: 2 * MINUTE, ..terms(8) };
		assert_noop!(place(OrderTerms { gpus: 9, ..fitting }), E::NotEnoughGpus);
		assert_noop!(place(OrderTerms { gpus: u32::MAX, ..fitting }), E::NotEnoughGpus);
		assert_noop!(Leases::place_order(RuntimeOrigin::signed(PROVIDER), fitting, None), E::OwnAskOnly);
		assert_noop!(Leases::place_order(RuntimeOrigin::signed(POOR), fitting, None), E::InsufficientFunds);
		RegistryLive::insert(PROVIDER, false);
		assert_noop!(place(fitting), E::NoLiveProvider);
		RegistryLive::insert(PROVIDER, true);
		NextOrder::<Test>::put(OrderId(u64::MAX));
		assert_noop!(place(fitting), E::NumbersExhausted);
		NextOrder::<Test>::put(OrderId(0));
		NextLease::<Test>::put(LeaseId(u64::MAX));
		frame_support::assert_storage_noop!(assert_eq!(
			frame_support::storage::with_storage_layer(|| place(fitting)).unwrap_err().error,
			E::NumbersExhausted.into()
		));
		NextLease::<Test>::put(LeaseId(0));
		// The limits themselves are fine.
		assert_ok!(place(OrderTerms { max_price: PRICE, ..fitting }));
	});
}

#[test]
fn the_reason_is_that_of_the_closest_ask() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN a cheap ask with too few GPUs, and one that is too dear
		post(PROVIDER, 1, PRICE - 1);
		post(OTHER_PROVIDER, 8, PRICE + 1);
		assert_noop!(place(terms(2)), E::NotEnoughGpus);
		// The dark provider is less close than the one without enough GPUs, in whichever order they come.
		RegistryLive::insert(PROVIDER, false);
		assert_noop!(place(terms(1)), E::NoLiveProvider);
		assert_noop!(place(OrderTerms { max_price: PRICE + 1, ..terms(9) }), E::NotEnoughGpus);
	});
}

#[test]
fn a_renters_own_ask_is_passed_over() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		let other = post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(PROVIDER, terms(1));
		assert_eq!(record(lease).ask, other);
	});
}

#[test]
fn an_order_may_cost_exactly_what_is_free_and_not_a_planck_more() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		// POOR has 500, of which the existential deposit of 1 stays. One planck a second for 499 s.
		let all = OrderTerms { term_ms: 499_000, ..terms(1) };
		let origin = RuntimeOrigin::signed(POOR);
		assert_noop!(
			Leases::place_order(origin.clone(), OrderTerms { term_ms: 499_001, ..all }, None),
			E::InsufficientFunds
		);
		assert_ok!(Leases::place_order(origin, all, None));
	});
}

#[test]
fn amounts_beyond_a_balance_are_refused() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, Balance::MAX);
		assert_noop!(place(OrderTerms { max_price: Balance::MAX, ..terms(2) }), E::AmountTooLarge);
		assert_noop!(place(OrderTerms { max_price: Balance::MAX, ..terms(1) }), E::AmountTooLarge);
	});
}

#[test]
fn an_expired_ask_that_the_agenda_has_not_reached_is_not_taken() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		Now::set(START + MaxAskLifetime::get());
		assert_noop!(place(terms(1)), E::NoAsks);
	});
}

#[test]
fn an_order_looks_at_sixteen_asks_and_pays_for_those_it_looked_at() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN fifteen asks of a provider that does not report, and two that fit
		RegistryLive::insert(OTHER_PROVIDER, false);
		for _ in 0..15 {
			post(OTHER_PROVIDER, 8, 1);
		}
		let sixteenth = post(PROVIDER, 4, PRICE);
		let weight = place(terms(1)).unwrap().actual_weight;
		assert_eq!(weight, Some(<() as WeightInfo>::place_order_looking_at(16, 1)));
		assert_eq!(record(LeaseId(0)).ask, sixteenth);
		// WHEN one more stands before it
		post(OTHER_PROVIDER, 8, 1);
		// THEN it is the seventeenth
		assert_noop!(place(terms(1)), E::NoLiveProvider);
		assert!(weight.unwrap().all_lte(<() as WeightInfo>::place_order()));
	});
}

#[test]
fn a_provider_serves_no_more_leases_than_it_has_gpus_for() {
	ExtBuilder.build_and_execute(|| {
		add_gpus(PROVIDER, 56);
		post(PROVIDER, 64, 1);
		for _ in 0..64 {
			order(RENTER, terms(1));
		}
		assert_eq!(ProviderLeases::<Test>::get(PROVIDER).len(), 64);
		assert_noop!(place(terms(1)), E::NoAsks);
		// Were a GPU free all the same, the list of leases holds.
		add_gpus(PROVIDER, 1);
		post(PROVIDER, 1, 1);
		let result = frame_support::storage::with_storage_layer(|| place(terms(1)));
		assert_eq!(result.unwrap_err().error, E::TooManyLeases.into());
	});
}

#[test]
fn the_registry_has_the_last_word_on_free_gpus() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN two asks for the same GPUs
		post(PROVIDER, 8, PRICE);
		let second = post(PROVIDER, 8, PRICE);
		order(RENTER, terms(6));
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 2);
		// The second ask offers eight, but two are free.
		assert_eq!(Asks::<Test>::get(second).unwrap().left, 8);
		assert_noop!(place(terms(3)), E::NotEnoughGpus);
		assert_ok!(place(terms(2)));
	});
}
