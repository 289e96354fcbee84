use super::signed;
use crate::{
	mock::{
		build_and_execute, class, events, ReferenceClassesAllowed, Registry, RuntimeGenesisConfig,
		RuntimeOrigin, Test, ALICE, CPU, LARGE, SMALL_BOND,
	},
	Classes, Error, Event, GenesisConfig, NextClass,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{AcceleratorKind, ClassId, ProviderInspect};
use sp_runtime::{BoundedVec, BuildStorage, DispatchError};

#[test]
fn governance_describes_a_class() {
	build_and_execute(|| {
		let details = class(AcceleratorKind::Cuda, "H200", SMALL_BOND);
		assert_ok!(Registry::create_class(RuntimeOrigin::root(), details.clone()));
		let id = ClassId(3);
		assert_eq!(Registry::class(id), Some(details.clone()));
		assert_eq!(events(), vec![Event::ClassCreated { class: id, details }]);
	});
}

#[test]
fn nobody_else_does() {
	build_and_execute(|| {
		let details = class(AcceleratorKind::Cuda, "H200", SMALL_BOND);
		assert_noop!(Registry::create_class(signed(ALICE), details.clone()), DispatchError::BadOrigin);
		assert_noop!(Registry::create_class(RuntimeOrigin::none(), details), DispatchError::BadOrigin);
	});
}

#[test]
fn a_class_needs_names_that_can_be_shown() {
	build_and_execute(|| {
		let bad = |name: &[u8]| {
			let name = BoundedVec::truncate_from(name.to_vec());
			let mut details = class(AcceleratorKind::Cuda, "H200", 0);
			details.model = name.clone();
			assert_noop!(Registry::create_class(RuntimeOrigin::root(), details), Error::<Test>::BadClassName);
			let mut details = class(AcceleratorKind::Cuda, "H200", 0);
			details.vendor = BoundedVec::truncate_from(name.into_inner());
			assert_noop!(Registry::create_class(RuntimeOrigin::root(), details), Error::<Test>::BadClassName);
		};
		bad(b"");
		bad(b"  ");
		bad(b"\xff\xfe");
	});
}

#[test]
fn reference_classes_are_refused_where_people_pay() {
	build_and_execute(|| {
		let details = class(AcceleratorKind::Reference, "CPU", 0);
		assert_ok!(Registry::create_class(RuntimeOrigin::root(), details.clone()));
		ReferenceClassesAllowed::set(false);
		assert_noop!(
			Registry::create_class(RuntimeOrigin::root(), details),
			Error::<Test>::ReferenceClassRefused
		);
		assert_ok!(Registry::create_class(
			RuntimeOrigin::root(),
			class(AcceleratorKind::Cuda, "H200", SMALL_BOND)
		));
	});
}

#[test]
fn numbers_of_classes_are_not_used_twice() {
	build_and_execute(|| {
		frame_support::hypothetically!({
			NextClass::<Test>::put(ClassId(u32::MAX));
			let details = class(AcceleratorKind::Cuda, "H200", SMALL_BOND);
			assert_noop!(
				Registry::create_class(RuntimeOrigin::root(), details),
				Error::<Test>::ClassesUsedUp
			);
		});
	});
}

#[test]
fn genesis_fills_the_table_in_order() {
	build_and_execute(|| {
		assert_eq!(NextClass::<Test>::get(), ClassId(3));
		assert_eq!(Classes::<Test>::get(LARGE).unwrap().model.to_vec(), b"Large");
		assert_eq!(Classes::<Test>::get(CPU).unwrap().kind, AcceleratorKind::Reference);
	});
}

#[test]
#[should_panic(expected = "a class of the genesis needs a vendor and a model")]
fn genesis_refuses_a_nameless_class() {
	let registry = GenesisConfig { classes: vec![class(AcceleratorKind::Cuda, "", 0)], ..Default::default() };
	let _ = RuntimeGenesisConfig { registry, ..Default::default() }.build_storage();
}
