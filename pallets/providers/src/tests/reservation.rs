use super::{add_gpus, register_with};
use crate::{
	mock::{build_and_execute, events, Registry, Test, ALICE, BOB, LARGE, LARGE_BOND, SMALL, SMALL_BOND},
	Error, Event, Gpus,
};
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use millrace_primitives::{
	ClassId, GpuHealth, GpuIndex, GpuReservation, GpuState, LeaseId, ProviderInspect, ProviderLiveness,
};

const LEASE: LeaseId = LeaseId(1);
const OTHER_LEASE: LeaseId = LeaseId(2);

fn indices(indices: impl IntoIterator<Item = u16>) -> Vec<GpuIndex> {
	indices.into_iter().map(GpuIndex).collect()
}

fn state(index: u16) -> GpuState {
	Gpus::<Test>::get(ALICE, GpuIndex(index)).unwrap().state
}

/// A provider with small GPUs 0, 2 and 3 and the large one 1.
fn with_four_gpus(test: impl FnOnce()) {
	build_and_execute(|| {
		register_with(ALICE, 3 * SMALL_BOND + LARGE_BOND);
		add_gpus(ALICE, SMALL, [1]);
		add_gpus(ALICE, LARGE, [2]);
		add_gpus(ALICE, SMALL, [3, 4]);
		events();
		test();
	});
}

#[test]
fn free_gpus_of_the_class_are_taken_lowest_index_first() {
	with_four_gpus(|| {
		assert_eq!(Registry::reserve(&ALICE, SMALL, 2, LEASE), Ok(indices([0, 2])));
		assert_eq!(
			[0, 1, 2, 3].map(state),
			[GpuState::Leased(LEASE), GpuState::Healthy, GpuState::Leased(LEASE), GpuState::Healthy,]
		);
		assert_eq!(Registry::free_gpus(&ALICE, SMALL), 1);
		assert_eq!(Registry::registered_gpus(&ALICE, SMALL), 3);
		assert_eq!(
			events(),
			vec![Event::GpusReserved {
				provider: ALICE,
				lease: LEASE,
				gpus: indices([0, 2]).try_into().unwrap()
			}]
		);
	});
}

#[test]
fn reservation_is_all_or_nothing() {
	with_four_gpus(|| {
		assert_noop!(Registry::reserve(&ALICE, SMALL, 4, LEASE), Error::<Test>::NotEnoughGpus);
		assert_ok!(Registry::reserve(&ALICE, SMALL, 2, LEASE));
		assert_noop!(Registry::reserve(&ALICE, SMALL, 2, OTHER_LEASE), Error::<Test>::NotEnoughGpus);
		assert_noop!(Registry::reserve(&ALICE, ClassId(9), 1, LEASE), Error::<Test>::NotEnoughGpus);
		assert_noop!(Registry::reserve(&BOB, SMALL, 1, LEASE), Error::<Test>::NotEnoughGpus);
		assert_storage_noop!(assert_eq!(Registry::reserve(&ALICE, SMALL, 0, LEASE), Ok(vec![])));
	});
}

#[test]
fn a_faulty_gpu_is_not_taken() {
	with_four_gpus(|| {
		let health = [1, 2, 3].map(|gpu| GpuHealth { gpu: GpuIndex(gpu), healthy: true });
		Registry::update_health(&ALICE, &health);
		assert_eq!(state(0), GpuState::Faulty);
		assert_eq!(Registry::free_gpus(&ALICE, SMALL), 2);
		assert_eq!(Registry::reserve(&ALICE, SMALL, 1, LEASE), Ok(indices([2])));
	});
}

#[test]
fn a_lease_gives_back_what_it_has() {
	with_four_gpus(|| {
		let gpus = Registry::reserve(&ALICE, SMALL, 2, LEASE).unwrap();
		events();
		Registry::release(&ALICE, &gpus, LEASE);
		assert_eq!([0, 1, 2, 3].map(state), [GpuState::Healthy; 4]);
		let released = Event::GpusReleased { provider: ALICE, lease: LEASE, gpus: gpus.try_into().unwrap() };
		assert_eq!(events(), vec![released]);
	});
}

#[test]
fn a_second_release_does_no_harm() {
	with_four_gpus(|| {
		let gpus = Registry::reserve(&ALICE, SMALL, 2, LEASE).unwrap();
		Registry::release(&ALICE, &gpus, LEASE);
		assert_eq!(Registry::reserve(&ALICE, SMALL, 2, OTHER_LEASE), Ok(gpus.clone()));
		assert_storage_noop!(Registry::release(&ALICE, &gpus, LEASE));
		assert_storage_noop!(Registry::release(&ALICE, &indices([1, 7]), LEASE));
		assert_storage_noop!(Registry::release(&BOB, &gpus, OTHER_LEASE));
		assert_eq!(state(0), GpuState::Leased(OTHER_LEASE));
	});
}
