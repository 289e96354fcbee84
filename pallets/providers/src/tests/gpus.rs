use super::{add_gpus, register, register_with, signed, uuid};
use crate::{
	mock::{
		build_and_execute, class, events, ReferenceClassesAllowed, Registry, RuntimeOrigin, Test, ALICE, BOB,
		CPU, ENDOWMENT, LARGE, LARGE_BOND, SMALL, SMALL_BOND,
	},
	Error, Event, GpuUuids, Gpus, Providers,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AcceleratorKind, ClassId, GpuIndex, GpuReservation, GpuState, LeaseId, ProviderInspect, ProviderLiveness,
	MAX_GPUS_PER_PROVIDER,
};
use sp_runtime::{ArithmeticError, DispatchError};

#[test]
fn a_gpu_gets_the_next_index() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND + LARGE_BOND);
		events();
		add_gpus(ALICE, LARGE, [1]);
		add_gpus(ALICE, SMALL, [2]);
		assert_eq!(Registry::gpu(&ALICE, GpuIndex(0)), Some((LARGE, uuid(1), GpuState::Healthy)));
		assert_eq!(Registry::gpu(&ALICE, GpuIndex(1)), Some((SMALL, uuid(2), GpuState::Healthy)));
		assert_eq!(GpuUuids::<Test>::get(uuid(2)), Some((ALICE, GpuIndex(1))));
		assert_eq!(
			events(),
			vec![
				Event::GpuAdded { provider: ALICE, gpu: GpuIndex(0), class: LARGE, uuid_hash: uuid(1) },
				Event::GpuAdded { provider: ALICE, gpu: GpuIndex(1), class: SMALL, uuid_hash: uuid(2) },
			]
		);
	});
}

#[test]
fn indices_are_never_used_again_and_uuids_are() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		events();
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
		assert_eq!(
			events(),
			vec![Event::GpuRemoved { provider: ALICE, gpu: GpuIndex(0), uuid_hash: uuid(1) }]
		);
		add_gpus(ALICE, SMALL, [1]);
		assert_eq!(Registry::gpus(&ALICE), vec![GpuIndex(1)]);
	});
}

#[test]
fn a_card_is_registered_once_on_the_chain() {
	build_and_execute(|| {
		register_with(ALICE, 2 * SMALL_BOND);
		register_with(BOB, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		for who in [ALICE, BOB] {
			assert_noop!(Registry::add_gpu(signed(who), SMALL, uuid(1)), Error::<Test>::GpuAlreadyRegistered);
		}
	});
}

#[test]
fn the_bond_must_cover_the_new_gpu_too() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND + LARGE_BOND - 1);
		add_gpus(ALICE, SMALL, [1]);
		assert_noop!(Registry::add_gpu(signed(ALICE), LARGE, uuid(2)), Error::<Test>::BondTooSmall);
		assert_ok!(Registry::bond(signed(ALICE), 1));
		add_gpus(ALICE, LARGE, [2]);
		assert_eq!(Registry::required_bond(ALICE), Some(SMALL_BOND + LARGE_BOND));
	});
}

#[test]
fn a_bond_beyond_all_numbers_is_refused() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		let priceless = class(AcceleratorKind::Cuda, "Priceless", u128::MAX);
		assert_ok!(Registry::create_class(RuntimeOrigin::root(), priceless));
		assert_noop!(Registry::add_gpu(signed(ALICE), ClassId(3), uuid(2)), ArithmeticError::Overflow);
	});
}

#[test]
fn a_provider_has_so_many_gpus_and_no_more() {
	build_and_execute(|| {
		register_with(ALICE, ENDOWMENT / 2);
		add_gpus(ALICE, SMALL, 0..MAX_GPUS_PER_PROVIDER as u8);
		assert_noop!(Registry::add_gpu(signed(ALICE), SMALL, uuid(200)), Error::<Test>::TooManyGpus);
		let in_order: Vec<_> = (0..MAX_GPUS_PER_PROVIDER as u16).map(GpuIndex).collect();
		assert_eq!(Registry::gpus(&ALICE), in_order);
		assert_eq!(Registry::gpus_of(ALICE).len(), in_order.len());
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(5)));
		add_gpus(ALICE, SMALL, [200]);
	});
}

#[test]
fn indices_run_out_before_they_repeat() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		Providers::<Test>::mutate(ALICE, |provider| provider.as_mut().unwrap().next_gpu = u16::MAX);
		assert_noop!(Registry::add_gpu(signed(ALICE), SMALL, uuid(1)), Error::<Test>::GpuIndicesUsedUp);
	});
}

#[test]
fn a_cpu_passes_for_a_gpu_on_development_chains_alone() {
	build_and_execute(|| {
		register(ALICE);
		add_gpus(ALICE, CPU, [1]);
		ReferenceClassesAllowed::set(false);
		assert_noop!(Registry::add_gpu(signed(ALICE), CPU, uuid(2)), Error::<Test>::ReferenceClassRefused);
	});
}

#[test]
fn only_providers_have_gpus_and_only_of_known_classes() {
	build_and_execute(|| {
		assert_noop!(Registry::add_gpu(signed(BOB), SMALL, uuid(1)), Error::<Test>::NotRegistered);
		assert_noop!(Registry::remove_gpu(signed(BOB), GpuIndex(0)), Error::<Test>::NotRegistered);
		register_with(ALICE, SMALL_BOND);
		assert_noop!(Registry::add_gpu(signed(ALICE), ClassId(9), uuid(1)), Error::<Test>::UnknownClass);
		assert_noop!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)), Error::<Test>::UnknownGpu);
		assert_noop!(Registry::add_gpu(RuntimeOrigin::root(), SMALL, uuid(1)), DispatchError::BadOrigin);
		assert_noop!(Registry::remove_gpu(RuntimeOrigin::none(), GpuIndex(0)), DispatchError::BadOrigin);
	});
}

#[test]
fn nobody_removes_the_gpu_of_another() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		register(BOB);
		assert_noop!(Registry::remove_gpu(signed(BOB), GpuIndex(0)), Error::<Test>::UnknownGpu);
	});
}

#[test]
fn a_leased_gpu_stays() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		let lease = LeaseId(1);
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, lease));
		assert_noop!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)), Error::<Test>::GpuIsLeased);
		Registry::release(&ALICE, &[GpuIndex(0)], lease);
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
	});
}

#[test]
fn a_faulty_gpu_can_be_removed() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		Registry::update_health(&ALICE, &[]);
		assert_eq!(Gpus::<Test>::get(ALICE, GpuIndex(0)).unwrap().state, GpuState::Faulty);
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
	});
}
