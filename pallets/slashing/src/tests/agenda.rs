//! The agenda: when slashes are looked at.

use crate::{mock::*, weights::WeightInfo, Agenda, AgendaCursor, Event, UnexpectedKind, MAX_FAULTS};
use frame_support::{
	assert_ok,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_agenda::RETRY_AFTER_BLOCKS;
use millrace_primitives::{Judgement, LeaseId, SlashId, Slashing as _};
use sp_runtime::DispatchError;

const DEFERRAL_BLOCKS: u32 = (DEFERRAL / SLOT) as u32;

/// Runs to the block with which the slash is over. Returns how many there were.
fn run_until_over(id: SlashId) -> u32 {
	let mut blocks = 0;
	while !is_over(id) {
		next_block();
		check();
		blocks += 1;
		assert!(blocks < 2_000, "the slash is never over");
	}
	blocks
}

/// The slashes of that many leases, all judged, and due at the same time.
fn many(leases: u64) -> Vec<SlashId> {
	let slashes: Vec<_> = (0..leases).map(|lease| ended(fault_of(PROVIDER, LeaseId(lease), 1))).collect();
	events();
	slashes
}

#[test]
fn a_slash_is_paid_out_in_the_first_block_of_its_time() {
	build_and_execute(|| {
		let id = ended_episode(1);
		assert_eq!(run_until_over(id), DEFERRAL_BLOCKS);
		assert_eq!(balance(RENTER), ENDOWMENT + 200);
	});
}

#[test]
fn blocks_may_be_late() {
	build_and_execute(|| {
		let id = ended_episode(1);
		// Half of the slots are missed.
		let blocks = DEFERRAL_BLOCKS / 2;
		(1..blocks).for_each(|_| next_block_after(2 * SLOT));
		assert!(!is_over(id));
		next_block_after(2 * SLOT);
		assert!(is_over(id));
	});
}

#[test]
fn blocks_do_not_bring_the_end_forward() {
	build_and_execute(|| {
		let id = ended_episode(1);
		(0..10 * DEFERRAL_BLOCKS).for_each(|_| next_block_after(10));
		assert!(!is_over(id));
		assert_eq!(run_until_over(id), (DEFERRAL / SLOT) as u32 - 20);
	});
}

#[test]
fn an_appeal_lapses_in_the_first_block_of_its_time() {
	build_and_execute(|| {
		let id = ended_episode(1);
		run_blocks(50);
		assert_ok!(appeal(id));
		assert_eq!(run_until_over(id), (VERDICT / SLOT) as u32);
		assert_eq!(appeal_bonds(PROVIDER), 0);
	});
}

#[test]
fn few_looks_are_enough() {
	build_and_execute(|| {
		let id = ended_episode(1);
		let mut looks = std::collections::BTreeSet::new();
		while !is_over(id) {
			looks.extend(slash(id).due);
			next_block();
		}
		// The first for the judgement, then a half of the way each time: 85 of 170 blocks, 43, 21, 11, 5, 3, 1, 1.
		assert_eq!(looks.into_iter().collect::<Vec<_>>(), [31, 116, 159, 180, 191, 196, 199, 200, 201]);
	});
}

#[test]
fn unjudged_faults_are_looked_at_again_and_again() {
	build_and_execute(|| {
		count(fault(1));
		Slashing::end_episode(&PROVIDER, LEASE);
		for look in 1..20 {
			assert_eq!(slash(SlashId(0)).due, Some(1 + look * JUDGED));
			run_blocks(JUDGED);
		}
		judge(1, Judgement::Counts);
		assert_eq!(run_until_over(SlashId(0)), JUDGED);
	});
}

#[test]
fn what_a_block_has_no_weight_for_carries_over() {
	build_and_execute(|| {
		let slashes = many(10);
		run_blocks(JUDGED + 1);
		pass(DEFERRAL);
		let over = || slashes.iter().filter(|id| is_over(**id)).count();
		// None at all, and not even a look.
		for limit in [Weight::zero(), <() as WeightInfo>::agenda_start()] {
			AgendaLimit::set(limit);
			run_blocks(DEFERRAL_BLOCKS);
			assert_eq!(over(), 0);
		}
		// Only the empty blocks before the one of their entries.
		let due = slash(slashes[0]).due.unwrap();
		let empty = u64::from(due - AgendaCursor::<Test>::get());
		let start = <() as WeightInfo>::agenda_start();
		AgendaLimit::set(start.saturating_add(<() as WeightInfo>::agenda_block().saturating_mul(empty)));
		next_block();
		assert_eq!((AgendaCursor::<Test>::get(), over()), (due, 0));
		// One slash a block.
		let one = start
			.saturating_add(<() as WeightInfo>::agenda_block())
			.saturating_add(<() as WeightInfo>::agenda_peek())
			.saturating_add(<() as WeightInfo>::agenda_slash(0));
		AgendaLimit::set(one);
		for served in 1..=10 {
			next_block();
			check();
			assert_eq!(over(), served);
		}
		AgendaLimit::set(Weight::MAX);
		next_block();
		assert_eq!(AgendaCursor::<Test>::get(), System::block_number() as u32 + 1);
	});
}

#[test]
fn the_hook_stays_within_what_the_block_has_left() {
	build_and_execute(|| {
		many(20);
		run_blocks(JUDGED + 1);
		pass(DEFERRAL);
		let largest = <() as WeightInfo>::agenda_start()
			.saturating_add(<() as WeightInfo>::agenda_block())
			.saturating_add(<() as WeightInfo>::agenda_peek())
			.saturating_add(<() as WeightInfo>::agenda_slash(MAX_FAULTS));
		let mut blocks = 0;
		while Agenda::<Test>::iter().next().is_some() {
			let block = System::block_number() + 1;
			System::set_block_number(block);
			pass(SLOT);
			let mut meter = WeightMeter::with_limit(largest);
			Slashing::on_poll(block, &mut meter);
			assert!(meter.consumed().all_lte(largest));
			blocks += 1;
			assert!(blocks < 1_000, "the agenda does not get through");
		}
	});
}

#[test]
fn a_slash_that_fails_is_tried_again() {
	build_and_execute(|| {
		let id = ended_episode(1);
		Broken::set(vec![PROVIDER]);
		run_blocks(DEFERRAL_BLOCKS - 1);
		events();
		next_block();
		let failed = UnexpectedKind::SlashFailed(DispatchError::Unavailable);
		assert_eq!(events(), [Event::Unexpected { slash: id, kind: failed }]);
		assert_eq!((pending(PROVIDER), slash(id).held), (200, 200));
		assert_eq!(slash(id).due, Some(1 + DEFERRAL_BLOCKS + RETRY_AFTER_BLOCKS));
		check();
		Broken::set(vec![]);
		assert_eq!(run_until_over(id), RETRY_AFTER_BLOCKS);
	});
}

#[test]
fn an_entry_without_a_slash_is_removed() {
	build_and_execute(|| {
		Agenda::<Test>::insert(3, SlashId(9), ());
		count(fault(1));
		Agenda::<Test>::insert(3, SlashId(0), ());
		events();
		run_blocks(2);
		let mut kinds: Vec<_> = events()
			.into_iter()
			.map(|event| match event {
				Event::Unexpected { slash, kind } => (slash.0, kind),
				_ => panic!(),
			})
			.collect();
		kinds.sort_by_key(|(slash, _)| *slash);
		let expected = [(0, UnexpectedKind::EpisodeInAgenda), (9, UnexpectedKind::AgendaWithoutSlash)];
		assert_eq!(kinds, expected);
		assert_eq!(Agenda::<Test>::iter().count(), 0);
	});
}
