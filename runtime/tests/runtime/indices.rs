//! Pallet and call indices are part of the interface: offline signers and indexers rely on them. This compares them with the
//! committed list. To accept a change, set `MILLRACE_UPDATE=1`, run the test, and look at the difference before committing.

use frame_support::traits::PalletsInfoAccess;
use millrace_runtime::{AllPalletsWithSystem, RuntimeCall};
use scale_info::{TypeDef, TypeInfo};
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runtime/indices.txt");

/// One line per pallet (`40 Providers`) and per call (`40.2 Providers.register`), in the order of the indices.
fn current() -> String {
	let pallets: BTreeMap<usize, &str> =
		AllPalletsWithSystem::infos().into_iter().map(|pallet| (pallet.index, pallet.name)).collect();
	let calls = calls();
	let mut list = String::new();
	for (index, name) in pallets {
		list += &format!("{index} {name}\n");
		for (call_index, call) in calls.get(&index).into_iter().flatten() {
			list += &format!("{index}.{call_index} {name}.{call}\n");
		}
	}
	list
}

fn calls() -> BTreeMap<usize, BTreeMap<u8, &'static str>> {
	let TypeDef::Variant(pallets) = RuntimeCall::type_info().type_def else {
		panic!("the calls are an enum")
	};
	let calls_of = |variant: &scale_info::Variant| {
		let TypeDef::Variant(calls) = variant.fields[0].ty.type_info().type_def else {
			panic!("so are a pallet's")
		};
		calls.variants.iter().map(|call| (call.index, call.name)).collect()
	};
	pallets.variants.iter().map(|variant| (usize::from(variant.index), calls_of(variant))).collect()
}

#[test]
fn indices_are_the_committed_ones() {
	let current = current();
	if std::env::var_os("MILLRACE_UPDATE").is_some() {
		std::fs::write(LIST, &current).unwrap();
	}
	let committed = std::fs::read_to_string(LIST).unwrap_or_default();
	let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
		(committed.lines().collect(), current.lines().collect());
	let removed = old.difference(&new).map(|line| format!("- {line}\n"));
	let added = new.difference(&old).map(|line| format!("+ {line}\n"));
	let difference: String = removed.chain(added).collect();
	assert!(
		committed == current,
		"indices differ from tests/runtime/indices.txt. Wallets and indexers break when an index moves; if this is \
		 meant, raise transaction_version and run the test with MILLRACE_UPDATE=1.\n{difference}"
	);
}

#[test]
fn no_pallet_is_named_or_numbered_twice() {
	let infos = AllPalletsWithSystem::infos();
	let indices: BTreeSet<_> = infos.iter().map(|pallet| pallet.index).collect();
	let names: BTreeSet<_> = infos.iter().map(|pallet| pallet.name).collect();
	assert_eq!((indices.len(), names.len()), (infos.len(), infos.len()));
}
