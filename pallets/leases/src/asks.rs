//! Posting asks, taking them back, and the GPUs that are left on them.

use crate::{
	pallet::{Asks, AsksOf, Book, Config, Error, Event, HoldReason, NextAsk, Pallet},
	types::{AgendaItem, Ask, AskOf, BookKey, UnexpectedKind},
};
use frame_support::{
	ensure,
	traits::{
		fungible::{InspectHold, MutateHold},
		tokens::Precision,
		Get, Time,
	},
};
use millrace_primitives::{AskId, Balance, ClassId, ProviderInspect};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_ask(
		provider: T::AccountId,
		class: ClassId,
		gpus: u32,
		price: Balance,
		min_term_ms: u64,
		max_term_ms: u64,
		lifetime_ms: u64,
	) -> DispatchResult {
		ensure!(gpus > 0, Error::<T>::ZeroGpus);
		ensure!(price > 0, Error::<T>::ZeroPrice);
		ensure!(min_term_ms <= max_term_ms, Error::<T>::TermsReversed);
		ensure!(
			min_term_ms >= T::MinTerm::get() && max_term_ms <= T::MaxTerm::get(),
			Error::<T>::TermOutOfBounds
		);
		ensure!(lifetime_ms > 0 && lifetime_ms <= T::MaxAskLifetime::get(), Error::<T>::LifetimeOutOfBounds);
		ensure!(T::Providers::is_registered(&provider), Error::<T>::NotAProvider);
		ensure!(T::Providers::class(class).is_some(), Error::<T>::UnknownClass);
		ensure!(T::Providers::registered_gpus(&provider, class) >= gpus, Error::<T>::OfferAboveRegistered);

		let ask = NextAsk::<T>::get();
		let next_ask = ask.next().ok_or(Error::<T>::NumbersExhausted)?;
		let mut asks = AsksOf::<T>::get(&provider);
		asks.try_push(ask).map_err(|_| Error::<T>::TooManyAsks)?;
		let deposit = T::AskDeposit::get();
		let reason = HoldReason::AskDeposit.into();
		ensure!(T::Currency::can_hold(&reason, &provider, deposit), Error::<T>::DepositUnaffordable);

		let now = T::Time::now();
		// Clamping is right: a time that does not fit never comes.
		let expires_at = now.saturating_add(lifetime_ms);
		T::Currency::hold(&reason, &provider, deposit)?;
		NextAsk::<T>::put(next_ask);
		AsksOf::<T>::insert(&provider, asks);
		Book::<T>::insert(class, BookKey::new(price, ask), ());
		let due = Self::arm(AgendaItem::Ask(ask), expires_at, now);
		let record = Ask {
			provider: provider.clone(),
			class,
			gpus,
			left: gpus,
			price,
			min_term_ms,
			max_term_ms,
			posted_at: now,
			expires_at,
			deposit,
			due,
		};
		Asks::<T>::insert(ask, record);
		Self::deposit_event(Event::AskPosted {
			ask,
			provider,
			class,
			gpus,
			price,
			min_term_ms,
			max_term_ms,
			expires_at,
			deposit,
		});
		Ok(())
	}

	pub(crate) fn do_withdraw_ask(provider: &T::AccountId, ask: AskId) -> DispatchResult {
		let record = Asks::<T>::get(ask).ok_or(Error::<T>::UnknownAsk)?;
		ensure!(record.provider == *provider, Error::<T>::NotAskOwner);
		let deposit = Self::remove_ask(ask, &record)?;
		Self::deposit_event(Event::AskWithdrawn { ask, provider: record.provider, deposit });
		Ok(())
	}

	/// Removes an ask whose time is over.
	pub(crate) fn expire_ask(ask: AskId, record: &AskOf<T>) -> DispatchResult {
		let deposit = Self::remove_ask(ask, record)?;
		Self::deposit_event(Event::AskExpired { ask, provider: record.provider.clone(), deposit });
		Ok(())
	}

	/// Forgets an ask with everything that points to it. Returns what was released.
	fn remove_ask(ask: AskId, record: &AskOf<T>) -> Result<Balance, DispatchError> {
		let reason = HoldReason::AskDeposit.into();
		let released = T::Currency::release(&reason, &record.provider, record.deposit, Precision::Exact)?;
		Asks::<T>::remove(ask);
		Book::<T>::remove(record.class, BookKey::new(record.price, ask));
		AsksOf::<T>::mutate_exists(&record.provider, |asks| {
			if let Some(list) = asks {
				list.retain(|other| *other != ask);
				if list.is_empty() {
					*asks = None;
				}
			}
		});
		Self::disarm(AgendaItem::Ask(ask), record.due);
		Ok(released)
	}

	/// Takes GPUs off an ask. A sold-out ask leaves the book, so that it costs orders no look.
	pub(crate) fn take_capacity(ask: AskId, mut record: AskOf<T>, gpus: u32) -> DispatchResult {
		record.left = record.left.checked_sub(gpus).ok_or(Error::<T>::NotEnoughGpus)?;
		if record.left == 0 {
			Book::<T>::remove(record.class, BookKey::new(record.price, ask));
		}
		Asks::<T>::insert(ask, record);
		Ok(())
	}

	/// Puts a closed lease's GPUs back on its ask, if that still stands.
	pub(crate) fn return_capacity(ask: AskId, gpus: u32) {
		Asks::<T>::mutate_extant(ask, |record| {
			// Clamping keeps a wrong count from growing; the event says that there was one.
			record.left = record.left.saturating_add(gpus);
			if record.left > record.gpus {
				record.left = record.gpus;
				Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::CapacityAboveOffer(ask) });
			}
			if record.left > 0 {
				Book::<T>::insert(record.class, BookKey::new(record.price, ask), ());
			}
		});
	}
}
