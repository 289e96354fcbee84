//! Ten thousand leases that end in the same block: all of them close within few blocks, none of them is charged too much, and
//! transfers still get in.

use crate::{
	chain::{check_invariants, events, preset_state, Chain, Signer},
	market::{ask, report, terms, PRICE, REFERENCE},
};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use millrace_primitives::{CloseReason, GpuIndex, LeaseId, LeaseInspect, MAX_GPUS_PER_PROVIDER};
use millrace_runtime::{
	configs::market::AgendaWeight, constants::MILL, AccountId, Attestation, Balance, Balances, Leases,
	Providers, Runtime, RuntimeEvent, RuntimeOrigin,
};
use pallet_leases::{LeaseSize, WeightInfo, WeightInfoExt};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Eve};
use sp_runtime::MultiAddress;

const LEASES: u32 = 10_000;
const PROVIDERS: u32 = LEASES.div_ceil(MAX_GPUS_PER_PROVIDER);
/// The shortest term, which is as long as an epoch of reports.
const TERM_MS: u64 = 5_000;
/// What the weight of each of them depends on.
const LEASE: LeaseSize =
	LeaseSize { nodes: 1, gpus_per_node: 1, jobs: 0, streams: 1, asks: 1, failover: false };
const COST: Balance = PRICE * 5;
/// Blocks after which what was earned has matured at the latest: two contest windows.
const WINDOW_BLOCKS: u32 = 40;

fn account(role: &str, index: u32) -> AccountId {
	sp_io::hashing::blake2_256(format!("{role} {index}").as_bytes()).into()
}

fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn providers() -> impl Iterator<Item = (AccountId, AccountId)> {
	(0..PROVIDERS).map(|index| (account("provider", index), account("worker", index)))
}

/// Registers every provider with all the GPUs that one can have. Calls are dispatched as they are: what building costs is not
/// what is measured.
fn build() {
	for (provider, worker) in providers() {
		let id = MultiAddress::Id(provider.clone());
		assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), id, 10_000 * MILL));
		let endpoint = b"wss://gpu.example:9944".to_vec().try_into().unwrap();
		assert_ok!(Providers::register(signed(provider.clone()), endpoint, *b"CH", 0));
		let amount = Balance::from(MAX_GPUS_PER_PROVIDER) * 100 * MILL;
		assert_ok!(Providers::bond(signed(provider.clone()), amount));
		assert_ok!(Providers::set_worker(signed(provider.clone()), worker));
		for gpu in 0..MAX_GPUS_PER_PROVIDER {
			let uuid_hash = sp_io::hashing::blake2_256(format!("{provider} {gpu}").as_bytes()).into();
			assert_ok!(Providers::add_gpu(signed(provider.clone()), REFERENCE, uuid_hash));
		}
	}
}

fn all_are_due() -> bool {
	providers().all(|(provider, _)| Attestation::report_due(provider))
}

/// The reports of all workers that owe one, in the open block.
fn report_all(chain: &Chain) {
	for (provider, worker) in providers() {
		if Attestation::report_due(provider.clone()) {
			let leases = <Leases as LeaseInspect<AccountId>>::leases_of(&provider);
			let gpus = (0..MAX_GPUS_PER_PROVIDER as u16).map(GpuIndex);
			let report = report(chain, Attestation::epoch(provider), gpus, leases);
			assert_ok!(Attestation::report(signed(worker), report));
		}
	}
}

fn order_all() {
	let renter = Eve.to_account_id();
	for (provider, _) in providers() {
		let lifetime_ms = 24 * 3_600_000;
		assert_ok!(Leases::post_ask(signed(provider), ask(MAX_GPUS_PER_PROVIDER), lifetime_ms));
	}
	for _ in 0..LEASES {
		assert_ok!(Leases::place_order(signed(renter.clone()), terms(1, TERM_MS)));
	}
}

fn open_leases() -> usize {
	pallet_leases::Leases::<Runtime>::iter_keys().count()
}

/// What happened since the leases were over.
#[derive(Debug, Default)]
struct Run {
	blocks: u32,
	transfers: u32,
	closed: u32,
	receipts: u32,
}

impl Run {
	/// One more block, with the reports that are due and a transfer.
	fn block(&mut self, chain: &mut Chain) {
		chain.open_block();
		self.blocks += 1;
		report_all(chain);
		if chain.has_room() {
			let dest = Alice.to_account_id().into();
			chain.submit_ok(&Bob, pallet_balances::Call::transfer_keep_alive { dest, value: 1 });
			self.transfers += 1;
		}
		events().into_iter().for_each(|event| self.read(event));
	}

	fn read(&mut self, event: RuntimeEvent) {
		match event {
			RuntimeEvent::Leases(pallet_leases::Event::LeaseClosed {
				reason, attested_ms, refunded, ..
			}) => {
				assert_eq!((reason, attested_ms, refunded), (CloseReason::Completed, TERM_MS, 0));
				self.closed += 1;
			}
			RuntimeEvent::Leases(pallet_leases::Event::Unexpected { kind }) => panic!("{kind:?}"),
			RuntimeEvent::Settlement(pallet_settlement::Event::EscrowClosed {
				deposited,
				paid,
				fee,
				refunded,
				..
			}) => {
				assert_eq!((deposited, paid + fee, fee, refunded), (COST, COST, COST / 50, 0));
				self.receipts += 1;
			}
			_ => {}
		}
	}
}

/// Blocks that so many leases of one node take to close or to be paid, with half as many again for looks that come too early.
fn blocks_for(weight: frame_support::weights::Weight) -> u32 {
	let per_block = AgendaWeight::get().checked_div_per_component(&weight).unwrap();
	(LEASES / per_block as u32 + 1) * 3 / 2
}

#[test]
fn ten_thousand_leases_that_end_in_one_block_close_soon_and_leave_room_for_transfers() {
	let mut state = preset_state("development");
	let mut chain = state.execute_with(|| {
		let mut chain = Chain::at_head();
		chain.open_block();
		build();
		chain
	});
	// From time to time what was written goes to the database, where it does not slow each block's root down.
	let mut in_steps = |step: &mut dyn FnMut(&mut Chain)| {
		state.execute_with(|| {
			step(&mut chain);
			chain.close_block();
		});
		state.commit_all().unwrap();
	};
	in_steps(&mut |chain| {
		// An idle provider reports once in twenty blocks.
		for _ in 0..21 {
			chain.open_block();
			report_all(chain);
		}
		order_all();
		assert_eq!(open_leases(), LEASES as usize);
	});
	in_steps(&mut |chain| {
		while !all_are_due() {
			chain.open_block();
		}
		report_all(chain);
		let over_at = chain.now() + TERM_MS;
		let ends: Vec<_> =
			pallet_leases::Leases::<Runtime>::iter_values().map(|lease| lease.ends_at).collect();
		assert!(ends.len() == LEASES as usize && ends.iter().all(|end| *end == Some(over_at)));
	});
	in_steps(&mut |chain| {
		for _ in 0..TERM_MS / 1_000 {
			chain.open_block();
		}
		report_all(chain);
		assert_eq!(open_leases(), LEASES as usize);
	});

	let mut run = Run::default();
	type Weights = <Runtime as pallet_leases::Config>::WeightInfo;
	let most_blocks = blocks_for(Weights::step_of_lease(LEASE));
	while run.closed < LEASES {
		in_steps(&mut |chain| (0..5).for_each(|_| run.block(chain)));
		assert!(run.blocks <= most_blocks, "{run:?}");
	}
	// The last payments are due in one block too: when the contest window is over.
	let most_blocks = most_blocks + WINDOW_BLOCKS + blocks_for(Weights::agenda_payments(1));
	while run.receipts < LEASES {
		in_steps(&mut |chain| (0..5).for_each(|_| run.block(chain)));
		assert!(run.blocks <= most_blocks, "{run:?}");
	}
	assert_eq!((run.closed, run.receipts), (LEASES, LEASES));
	// All blocks but the first ones of sessions had room.
	assert!(run.transfers + run.blocks / 60 + 1 >= run.blocks, "{run:?}");
	state.execute_with(|| {
		assert_eq!(Balances::total_balance_on_hold(&Eve.account()), 0);
		assert_eq!(pallet_leases::Payments::<Runtime>::iter_keys().count(), 0);
		assert!(!pallet_leases::Leases::<Runtime>::contains_key(LeaseId(0)));
		check_invariants();
	});
}
