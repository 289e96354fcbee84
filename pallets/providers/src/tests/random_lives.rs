//! Random lives of two providers: the invariants hold after every step, refused steps change nothing, and no money is made.

use super::{endpoint, signed, uuid};
use crate::{
	mock::{
		build_and_execute, AccountId, Balances, Registry, RuntimeCall, Test, Timestamp, ALICE, BOB, CPU,
		LARGE, OTHER_WORKER, SMALL, UNBONDING, WORKER,
	},
	Call, Pallet,
};
use frame_support::{
	assert_storage_noop,
	traits::{
		fungible::{Balanced, Mutate},
		Imbalance, UnfilteredDispatchable,
	},
};
use millrace_primitives::{
	BondSlashing, ClassId, GpuHealth, GpuIndex, GpuReservation, LeaseId, ProviderInspect, ProviderLiveness,
	SlashLimit,
};
use proptest::prelude::*;

/// Gets what slashes take.
const SINK: AccountId = 900;

#[derive(Clone, Debug)]
enum Step {
	Call(AccountId, Call<Test>),
	Wait(u64),
	Reserve { provider: AccountId, class: ClassId, count: u32, lease: u64 },
	Release { provider: AccountId, lease: u64 },
	Report { provider: AccountId, healthy: u8 },
	Silence { provider: AccountId },
	Leave { provider: AccountId, class: ClassId, gpus: u32, amount: u128, renter: AccountId },
	Hold { provider: AccountId, amount: u128, in_era: bool },
	Return { provider: AccountId, amount: u128 },
	Execute { provider: AccountId, amount: u128 },
	Epochs { provider: AccountId, expected: u32, attested: u32 },
}

fn calls() -> impl Strategy<Value = Call<Test>> {
	let class = prop_oneof![Just(SMALL), Just(LARGE), Just(CPU), Just(ClassId(9))];
	prop_oneof![
		2 => Just(Call::register { endpoint: endpoint("ws://a"), country: *b"IS", network: 0 }),
		1 => Just(Call::deregister {}),
		3 => (0..20_000u128).prop_map(|amount| Call::bond { amount }),
		3 => (0..10_000u128).prop_map(|amount| Call::unbond { amount }),
		2 => Just(Call::withdraw {}),
		2 => prop_oneof![Just(WORKER), Just(OTHER_WORKER), Just(ALICE), Just(BOB)]
			.prop_map(|worker| Call::set_worker { worker }),
		1 => Just(Call::remove_worker {}),
		4 => (class, 0..8u8).prop_map(|(class, byte)| Call::add_gpu { class, uuid_hash: uuid(byte) }),
		2 => (0..6u16).prop_map(|gpu| Call::remove_gpu { gpu: GpuIndex(gpu) }),
		2 => (0..3u8, prop_oneof![Just(ALICE), Just(BOB)]).prop_map(|(what, other)| match what {
			0 => Call::apply_to_group { founder: other },
			1 => Call::admit_to_group { provider: other },
			_ => Call::leave_group { provider: other },
		}),
	]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let who = prop_oneof![Just(ALICE), Just(BOB)];
	let step = prop_oneof![
		12 => (who.clone(), calls()).prop_map(|(who, call)| Step::Call(who, call)),
		3 => (0..UNBONDING * 2).prop_map(Step::Wait),
		2 => (who.clone(), prop_oneof![Just(SMALL), Just(LARGE)], 0..4u32, 0..3u64)
			.prop_map(|(provider, class, count, lease)| Step::Reserve { provider, class, count, lease }),
		2 => (who.clone(), 0..3u64).prop_map(|(provider, lease)| Step::Release { provider, lease }),
		2 => (who.clone(), any::<u8>()).prop_map(|(provider, healthy)| Step::Report { provider, healthy }),
		1 => who.clone().prop_map(|provider| Step::Silence { provider }),
		1 => (who.clone(), prop_oneof![Just(SMALL), Just(LARGE)], 0..4u32, 0..2_000u128, 1..4u64).prop_map(
			|(provider, class, gpus, amount, renter)| Step::Leave { provider, class, gpus, amount, renter },
		),
		2 => (who.clone(), 0..3_000u128, any::<bool>())
			.prop_map(|(provider, amount, in_era)| Step::Hold { provider, amount, in_era }),
		1 => (who.clone(), 0..2_000u128).prop_map(|(provider, amount)| Step::Return { provider, amount }),
		1 => (who.clone(), 0..2_000u128).prop_map(|(provider, amount)| Step::Execute { provider, amount }),
		1 => (who, 0..5u32, 0..5u32)
			.prop_map(|(provider, expected, attested)| Step::Epochs { provider, expected, attested }),
	];
	proptest::collection::vec(step, 1..80)
}

/// What the provider has at stake, and what slashes hold.
fn at_stake(provider: AccountId) -> Option<(u128, u128)> {
	let record = crate::Providers::<Test>::get(provider)?;
	Some((record.at_stake().unwrap(), record.pending_slashes))
}

fn take(step: Step) {
	match step {
		Step::Call(who, call) => {
			let call = RuntimeCall::from(call);
			// A refused call leaves no trace; an accepted one is made for good.
			if frame_support::hypothetically!(call.clone().dispatch_bypass_filter(signed(who)).is_ok()) {
				assert!(call.dispatch_bypass_filter(signed(who)).is_ok());
			} else {
				assert_storage_noop!(assert!(call.dispatch_bypass_filter(signed(who)).is_err()));
			}
		}
		Step::Wait(ms) => Timestamp::set_timestamp(Timestamp::get() + ms),
		Step::Reserve { provider, class, count, lease } => {
			let free = Registry::free_gpus(&provider, class);
			match Registry::reserve(&provider, class, count, LeaseId(lease)) {
				Ok(gpus) => {
					assert_eq!(gpus.len(), count as usize);
					assert_eq!(Registry::free_gpus(&provider, class), free - count);
				}
				Err(_) => assert!(count > free),
			}
		}
		Step::Release { provider, lease } => {
			Registry::release(&provider, &Registry::gpus(&provider), LeaseId(lease));
		}
		Step::Report { provider, healthy } => {
			let seen = |gpu: GpuIndex| GpuHealth { gpu, healthy: healthy >> (gpu.0 % 8) & 1 == 1 };
			let health: Vec<_> = Registry::gpus(&provider).into_iter().map(seen).collect();
			Registry::mark_live(&provider);
			Registry::update_health(&provider, &health);
		}
		Step::Silence { provider } => {
			Registry::mark_stale(&provider);
		}
		Step::Leave { provider, class, gpus, amount, renter } => {
			let bonded = || crate::Providers::<Test>::get(provider).map(|record| record.bonded);
			let before = bonded();
			let moved = Registry::leaving_penalty(&provider, class, gpus, amount, &renter);
			assert_eq!(moved.is_ok(), before.is_some());
			if let Ok(moved) = moved {
				assert!(moved <= amount);
				assert_eq!(bonded(), before.map(|before| before - moved));
			}
		}
		Step::Hold { provider, amount, in_era } => {
			let limit = if in_era { SlashLimit::Era } else { SlashLimit::Stake };
			let before = at_stake(provider);
			let held = Registry::hold_slash(&provider, amount, limit);
			assert_eq!(held.is_ok(), before.is_some());
			if let (Ok(held), Some((stake, pending))) = (held, before) {
				assert!(held <= amount);
				assert_eq!(at_stake(provider), Some((stake - held, pending + held)));
			}
		}
		Step::Return { provider, amount } => {
			let before = at_stake(provider);
			match (Registry::return_slash(&provider, amount), before) {
				(Ok(()), Some((stake, pending))) => {
					assert_eq!(at_stake(provider), Some((stake + amount, pending - amount)));
				}
				(Ok(()), None) => assert_eq!(amount, 0),
				(Err(_), _) => assert!(before.is_none_or(|(_, pending)| amount > pending)),
			}
		}
		Step::Execute { provider, amount } => {
			let before = at_stake(provider);
			match Registry::take_slash(&provider, amount) {
				Ok(credit) => {
					assert_eq!(credit.peek(), amount);
					// To somebody: money is not made and not lost.
					assert!(Balances::resolve(&SINK, credit).is_ok());
				}
				Err(_) => assert!(before.is_none_or(|(_, pending)| amount > pending)),
			}
		}
		Step::Epochs { provider, expected, attested } => {
			Registry::record_epochs(&provider, expected, attested, None, Timestamp::get());
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn the_registry_stays_sound(steps in steps()) {
		build_and_execute(|| {
			Balances::set_balance(&SINK, crate::mock::ED);
			let issuance = pallet_balances::TotalIssuance::<Test>::get();
			for step in steps {
				take(step);
				Pallet::<Test>::do_try_state().unwrap();
				assert_eq!(pallet_balances::TotalIssuance::<Test>::get(), issuance);
			}
		});
	}
}
