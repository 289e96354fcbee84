//! The agenda: slashes whose time may have come.
//!
//! An entry says when to look, not what to do. What is due is decided by chain time and by the fault clock when the entry
//! comes up: one that comes up early is armed again. Each arming goes half of the way that is left if no slot is missed,
//! so that a chain which misses up to half of its slots is still on time.
//!
//! Entries past their block carry over to the next; nothing is dropped, and a slash that fails does not keep the others from
//! being served.

use crate::{
	payout::Looked, Agenda, AgendaCursor, Config, Event, Pallet, SlashOf, Slashes, UnexpectedKind, WeightInfo,
};
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, Time},
	weights::WeightMeter,
};
use millrace_primitives::{BlockNumber, Moment, SlashId};
use sp_runtime::{DispatchResult, SaturatedConversion};

/// A slash that failed is tried again after this many blocks: soon, but not so soon that it fills every block.
pub(crate) const RETRY_AFTER_BLOCKS: BlockNumber = 10;

impl<T: Config> Pallet<T> {
	/// Serves what came up until block `now_block`, as far as the weight allows.
	pub(crate) fn serve_agenda(now_block: BlockNumber, outer: &mut WeightMeter) {
		let mut meter = WeightMeter::with_limit(T::AgendaWeight::get().min(outer.remaining()));
		if meter.try_consume(T::WeightInfo::agenda_start()).is_err() {
			return;
		}
		let now = T::Time::now();
		let mut block = AgendaCursor::<T>::get();
		while block <= now_block && Self::serve_block(block, now, &mut meter) {
			block = block.saturating_add(1);
		}
		AgendaCursor::<T>::put(block);
		outer.consume(meter.consumed());
	}

	/// Serves the entries of one block. Returns whether that is done: if not, the weight is used up.
	fn serve_block(block: BlockNumber, now: Moment, meter: &mut WeightMeter) -> bool {
		if meter.try_consume(T::WeightInfo::agenda_block()).is_err() {
			return false;
		}
		// Serving removes the entry that the iterator stands on, and none is ever added to a block that is being served: the
		// iterator goes on from the key. Beginning anew each time would step over all removed ones again.
		for id in Agenda::<T>::iter_key_prefix(block) {
			if meter.try_consume(T::WeightInfo::agenda_peek()).is_err() || !Self::serve_slash(id, now, meter)
			{
				return false;
			}
			// Whatever happened, the slash has a later entry or is gone.
			Self::disarm(id, block);
		}
		true
	}

	/// Does what is due of a slash, or arms it again. Returns whether that is done: if not, the weight is used up.
	fn serve_slash(id: SlashId, now: Moment, meter: &mut WeightMeter) -> bool {
		let Some(slash) = Slashes::<T>::get(id) else {
			Self::unexpected(id, UnexpectedKind::AgendaWithoutSlash);
			return true;
		};
		let Some(ends_at) = slash.ends_at() else {
			Self::unexpected(id, UnexpectedKind::EpisodeInAgenda);
			return true;
		};
		if slash.faults.is_empty() && now < ends_at {
			let affordable = meter.try_consume(T::WeightInfo::agenda_rearm()).is_ok();
			if affordable {
				Self::move_entry(id, Self::block_on_the_way_to(ends_at, now));
			}
			return affordable;
		}
		let faults = slash.faults.len().saturated_into();
		if meter.try_consume(T::WeightInfo::agenda_slash(faults)).is_err() {
			return false;
		}
		if let Err(error) = with_storage_layer(|| Self::do_slash(id, slash, ends_at, now)) {
			Self::move_entry(id, Self::current_block().saturating_add(RETRY_AFTER_BLOCKS));
			Self::unexpected(id, UnexpectedKind::SlashFailed(error));
		}
		true
	}

	/// Looks at a slash. It has a later entry after that, or is gone.
	pub(crate) fn do_slash(id: SlashId, slash: SlashOf<T>, ends_at: Moment, now: Moment) -> DispatchResult {
		match Self::look_at(id, slash, now)? {
			Looked::Done => {}
			// Also when its time has come: what may be excused is not paid out.
			Looked::Unjudged => Self::move_entry(id, Self::block_of_judgement()),
			Looked::Waiting => Self::move_entry(id, Self::block_on_the_way_to(ends_at, now)),
		}
		Ok(())
	}

	/// Gives a slash another entry in place of the one it has.
	pub(crate) fn move_entry(id: SlashId, block: BlockNumber) {
		Slashes::<T>::mutate_extant(id, |slash| {
			if let Some(due) = slash.due {
				Self::disarm(id, due);
			}
			slash.due = Some(Self::arm_at(id, block));
		});
	}

	/// Enters a slash for a block, which must be a later one than the current. Returns the block.
	pub(crate) fn arm_at(id: SlashId, block: BlockNumber) -> BlockNumber {
		Agenda::<T>::insert(block, id, ());
		block
	}

	/// Removes a slash's entry.
	pub(crate) fn disarm(id: SlashId, block: BlockNumber) {
		Agenda::<T>::remove(block, id);
	}

	/// The block at which a miss that is found now is judged.
	pub(crate) fn block_of_judgement() -> BlockNumber {
		// Clamping is right: a block that does not fit never comes.
		Self::current_block().saturating_add(T::JudgedWithin::get().max(1))
	}

	/// Half of the way to `deadline` in blocks from now on, rounded up, at least one block.
	pub(crate) fn block_on_the_way_to(deadline: Moment, now: Moment) -> BlockNumber {
		let slots = deadline.saturating_sub(now).div_ceil(T::SlotDuration::get().max(1));
		// Clamping is right: a block that does not fit never comes.
		let ahead: BlockNumber = slots.div_ceil(2).max(1).saturated_into();
		Self::current_block().saturating_add(ahead)
	}

	pub(crate) fn current_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	fn unexpected(slash: SlashId, kind: UnexpectedKind) {
		Self::deposit_event(Event::Unexpected { slash, kind });
	}
}
