//! Random sequences of everything that can happen; every invariant after each step.

use crate::{mock::*, pallet::*};
use millrace_primitives::{GpuIndex, LeaseId, LeaseInspect};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
	Report { provider: u64, leave_out: bool, sick: Option<u16>, epoch: i8 },
	Open { provider: u64, gpu: u16 },
	Join { lease: u64, provider: u64 },
	Close { lease: u64 },
	Deregister { provider: u64 },
	Register { provider: u64 },
	Break { lease: u64 },
	Limit { enough: bool },
	Blocks { count: u32, ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
	let provider = 1..4u64;
	prop_oneof![
		6 => (provider.clone(), any::<bool>(), prop::option::of(0..4u16), prop_oneof![4 => Just(0i8), 1 => Just(-1), 1 => Just(1)])
			.prop_map(|(provider, leave_out, sick, epoch)| Step::Report { provider, leave_out, sick, epoch }),
		2 => (provider.clone(), 0..4u16).prop_map(|(provider, gpu)| Step::Open { provider, gpu }),
		1 => (0..10u64, provider.clone()).prop_map(|(lease, provider)| Step::Join { lease, provider }),
		1 => (0..10u64).prop_map(|lease| Step::Close { lease }),
		1 => provider.clone().prop_map(|provider| Step::Deregister { provider }),
		1 => provider.prop_map(|provider| Step::Register { provider }),
		1 => (0..10u64).prop_map(|lease| Step::Break { lease }),
		1 => any::<bool>().prop_map(|enough| Step::Limit { enough }),
		6 => (0..15u32, prop_oneof![Just(SLOT), Just(5 * SLOT)]).prop_map(|(count, ms)| Step::Blocks { count, ms }),
	]
}

fn run(step: Step) {
	match step {
		Step::Report { provider, leave_out, sick, epoch } => {
			let mut report = full_report(provider);
			report.epoch = report.epoch.saturating_add_signed(epoch.into());
			if leave_out {
				report.leases.pop();
			}
			for health in &mut report.gpus {
				health.healthy = sick.map(GpuIndex) != Some(health.gpu);
			}
			let free = Attestation::check_report(&RuntimeOrigin::signed(worker(provider)), &report).is_ok();
			// What is free succeeds, and what fails is not free.
			assert_eq!(send(provider, report).is_ok(), free);
		}
		Step::Open { provider, gpu } => {
			lease(provider, gpu);
		}
		Step::Join { lease, provider } => {
			let known = Market::status(LeaseId(lease)).is_some();
			if known && !MarketNodes::contains_key(LeaseId(lease), provider) {
				join(LeaseId(lease), provider, 0);
			}
		}
		Step::Close { lease } => close(LeaseId(lease)),
		Step::Deregister { provider } => {
			if Market::lease_count(&provider) == 0 {
				RegistryLive::remove(provider);
			}
		}
		Step::Register { provider } => {
			if !RegistryLive::contains_key(provider) {
				register(provider, 4);
			}
		}
		Step::Break { lease } => BrokenLeases::set(vec![LeaseId(lease)]),
		Step::Limit { enough } => AgendaLimit::set(if enough {
			frame_support::weights::Weight::MAX
		} else {
			frame_support::weights::Weight::zero()
		}),
		Step::Blocks { count, ms } => (0..count).for_each(|_| next_block_after(ms)),
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..80)) {
		ExtBuilder.build_and_execute(|| {
			for step in steps {
				run(step.clone());
				if let Err(error) = Attestation::do_try_state() {
					panic!("{error:?} after {step:?}");
				}
			}
			// Whatever happened, silence is noticed: nobody stays live, no lease stays active.
			BrokenLeases::set(vec![]);
			AgendaLimit::set(frame_support::weights::Weight::MAX);
			run_blocks(IDLE + 2 * LEASED);
			assert!(RegistryLive::iter_values().all(|live| !live));
			assert!(MarketNodes::iter_values().all(|node| !node.status.is_served()));
			// Nobody attests more epochs than were expected, and who is gone is forgotten in the end.
			assert!(RegistryEpochs::iter_values().all(|(expected, attested)| attested <= expected));
			let _ = RegistryLive::clear(u32::MAX, None);
			run_blocks(100 * IDLE + 1);
			assert_eq!(LastReports::<Test>::iter_keys().count(), 0);
			assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
		});
	}
}
