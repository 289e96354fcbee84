//! The agenda: slashes whose time may have come.
//!
//! What is due is decided by chain time and by the fault clock when an entry comes up. A slash that fails is tried again, and
//! does not keep the others from being served.

use crate::{
	payout::Looked, Agenda, AgendaCursor, Config, Event, Pallet, SlashOf, Slashes, UnexpectedKind, WeightInfo,
};
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, Time},
	weights::WeightMeter,
};
use millrace_agenda::{blocks_on_the_way, serve_agenda, WalkWeights, RETRY_AFTER_BLOCKS};
use millrace_primitives::{BlockNumber, Moment, SlashId};
use sp_runtime::{DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Serves what came up until block `now_block`, as far as the weight allows.
	pub(crate) fn serve_agenda(now_block: BlockNumber, outer: &mut WeightMeter) {
		let now = T::Time::now();
		let serve = |id: &SlashId, meter: &mut WeightMeter| Self::serve_slash(*id, now, meter);
		let weights = Self::walk_weights();
		serve_agenda::<Agenda<T>, AgendaCursor<T>, _>(
			now_block,
			T::AgendaWeight::get(),
			outer,
			weights,
			serve,
		);
	}

	/// What walking over the agenda weighs.
	pub(crate) fn walk_weights() -> WalkWeights {
		WalkWeights {
			start: T::WeightInfo::agenda_start(),
			block: T::WeightInfo::agenda_block(),
			entry: T::WeightInfo::agenda_peek(),
		}
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

	/// The block at which to look again at something that is due at `deadline`.
	pub(crate) fn block_on_the_way_to(deadline: Moment, now: Moment) -> BlockNumber {
		let ahead = blocks_on_the_way(deadline.saturating_sub(now), T::SlotDuration::get());
		Self::current_block().saturating_add(ahead)
	}

	pub(crate) fn current_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	fn unexpected(slash: SlashId, kind: UnexpectedKind) {
		Self::deposit_event(Event::Unexpected { slash, kind });
	}
}
