use super::{add_gpus, register_with, signed, uuid};
use crate::{
	mock::{
		build_and_execute, AccountId, Balances, Registry, System, Test, ALICE, BOB, DEPOSIT, ED, SMALL,
		SMALL_BOND, START, WORKER,
	},
	Capacity, Chunk, ClassCapacity, Classes, Gpu, GpuUuids, Gpus, HoldReason, LeaseBonds, NextClass, Pallet,
	Provider, Providers, Records, ServiceRecord, Workers,
};
use frame_support::{
	assert_ok, hypothetically,
	traits::{
		fungible::{Mutate, MutateHold},
		tokens::Precision,
	},
};
use millrace_primitives::{ClassId, GpuIndex, GpuState, LeaseId, MAX_GPUS_PER_PROVIDER};
use sp_runtime::TryRuntimeError;

/// Corrupts the storage of one provider with a worker and a GPU, and expects the invariant to be named.
fn fails(with: &'static str, corrupt: impl FnOnce()) {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		add_gpus(ALICE, SMALL, [1]);
		assert_ok!(Pallet::<Test>::do_try_state());
		hypothetically!({
			corrupt();
			assert_eq!(Pallet::<Test>::do_try_state(), Err(TryRuntimeError::Other(with)));
		});
	});
}

fn change(provider: impl FnOnce(&mut Provider<AccountId>)) {
	Providers::<Test>::mutate(ALICE, |record| provider(record.as_mut().unwrap()));
}

#[test]
fn holds_that_differ_from_the_ledger_are_noticed() {
	fails("1: bond differs from hold", || change(|provider| provider.bonded += 1));
	fails("1: deposit differs from hold", || change(|provider| provider.deposit += 1));
	fails("1: bond differs from hold", || {
		assert_ok!(Balances::release(&HoldReason::Bond.into(), &ALICE, 1, Precision::Exact));
	});
	fails("1: deposit differs from hold", || {
		assert_ok!(Balances::release(&HoldReason::Registration.into(), &ALICE, DEPOSIT, Precision::Exact));
	});
	fails("1: pending slashes differ from hold", || change(|provider| provider.pending_slashes += 1));
	fails("1: bond overflows", || {
		change(|provider| {
			provider.unbonding.try_push(Chunk { amount: u128::MAX, unlocks_at: 0 }).unwrap();
		});
	});
	fails("1: empty chunk", || {
		change(|provider| provider.unbonding.try_push(Chunk { amount: 0, unlocks_at: 0 }).unwrap());
	});
}

#[test]
fn a_bond_that_does_not_cover_the_gpus_is_noticed() {
	fails("2: bond does not cover the GPUs", || {
		change(|provider| {
			provider.bonded -= 1;
			provider.unbonding.try_push(Chunk { amount: 1, unlocks_at: 0 }).unwrap();
		});
	});
	fails("2: lease bonds are not what is locked", || change(|provider| provider.locked += 1));
	fails("2: lease bonds are not what is locked", || LeaseBonds::<Test>::insert(ALICE, LeaseId(1), 1));
	fails("2: lease bond of nobody", || LeaseBonds::<Test>::insert(BOB, LeaseId(1), 1));
	fails("2: required bond is undefined", || Classes::<Test>::remove(SMALL));
}

#[test]
fn workers_that_do_not_map_one_to_one_are_noticed() {
	fails("3: worker of nobody", || Workers::<Test>::insert(500, 501));
	fails("3: worker is not its provider's", || Workers::<Test>::insert(500, ALICE));
	fails("3: worker is not in the index", || Workers::<Test>::remove(WORKER));
	fails("3: worker is not in the index", || Workers::<Test>::insert(WORKER, BOB));
	fails("3: provider is its own worker", || change(|provider| provider.worker = Some(ALICE)));
	fails("3: worker has no account reference", || {
		assert_ok!(<Balances as Mutate<_>>::mint_into(&WORKER, ED));
		System::dec_sufficients(&WORKER);
	});
}

#[test]
fn gpus_without_a_place_are_noticed() {
	let gpu = Gpu { class: SMALL, uuid_hash: uuid(1), state: GpuState::Healthy, lost: false };
	fails("4: GPU of nobody", || Gpus::<Test>::insert(BOB, GpuIndex(0), gpu));
	fails("4: GPU of no class", || {
		Gpus::<Test>::mutate(ALICE, GpuIndex(0), |gpu| gpu.as_mut().unwrap().class = ClassId(9));
	});
	fails("4: index was never handed out", || change(|provider| provider.next_gpu = 0));
	fails("4: too many GPUs", || {
		// Without a minimum bond, so that only their number is wrong.
		Classes::<Test>::mutate(SMALL, |class| class.as_mut().unwrap().min_bond = 0);
		for index in 1..=MAX_GPUS_PER_PROVIDER as u16 {
			let uuid_hash = uuid(index as u8 + 1);
			Gpus::<Test>::insert(ALICE, GpuIndex(index), Gpu { uuid_hash, ..gpu });
			GpuUuids::<Test>::insert(uuid_hash, (ALICE, GpuIndex(index)));
		}
		change(|provider| provider.next_gpu = MAX_GPUS_PER_PROVIDER as u16 + 1);
	});
	fails("4: a GPU without a lease is lost", || {
		Gpus::<Test>::mutate(ALICE, GpuIndex(0), |gpu| gpu.as_mut().unwrap().lost = true);
	});
	let miscounted = "4: GPUs are not those that are counted by class";
	fails(miscounted, || Capacity::<Test>::mutate(ALICE, SMALL, |entry| entry.as_mut().unwrap().free = 0));
	fails(miscounted, || Capacity::<Test>::insert(BOB, SMALL, ClassCapacity::default()));
	fails(miscounted, || {
		Gpus::<Test>::mutate(ALICE, GpuIndex(0), |gpu| gpu.as_mut().unwrap().state = GpuState::Faulty);
	});
}

#[test]
fn uuids_that_do_not_map_one_to_one_are_noticed() {
	fails("5: UUID is not in the index", || GpuUuids::<Test>::remove(uuid(1)));
	fails("5: UUID is not in the index", || GpuUuids::<Test>::insert(uuid(1), (ALICE, GpuIndex(1))));
	fails("5: UUID of no GPU", || GpuUuids::<Test>::insert(uuid(2), (ALICE, GpuIndex(1))));
	fails("5: UUID is not its GPU's", || GpuUuids::<Test>::insert(uuid(2), (ALICE, GpuIndex(0))));
}

#[test]
fn gaps_in_the_classes_are_noticed() {
	fails("6: class is missing", || NextClass::<Test>::put(ClassId(4)));
	fails("6: class beyond the next number", || NextClass::<Test>::put(ClassId(2)));
}

#[test]
fn uptime_that_cannot_be_is_noticed() {
	let today = (START / 86_400_000) as u32;
	let ring = ServiceRecord::beginning(today);
	fails("7: uptime of nobody", || Records::<Test>::insert(BOB, ring));
	fails("7: uptime is from the future", || {
		Records::<Test>::insert(ALICE, ServiceRecord { day: today + 1, ..ring });
	});
	fails("7: more was attested than expected", || {
		let mut ring = ring;
		ring.days[3] = (1, 2);
		Records::<Test>::insert(ALICE, ring);
	});
}
