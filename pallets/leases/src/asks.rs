//! Posting asks, taking them back, and their place in the book.

use crate::{
	pallet::{Asks, AsksOf, Book, Config, Error, Event, HoldReason, NextAsk, Pallet},
	types::{AgendaItem, Ask, AskOf, BookKey, Market, UnexpectedKind},
	weights_ext::WeightInfoExt,
};
use alloc::collections::{btree_map::BTreeMap, btree_set::BTreeSet};
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	ensure,
	traits::{
		fungible::{InspectHold, MutateHold},
		tokens::Precision,
		Get, Time,
	},
};
use millrace_primitives::{AskId, AskTerms, Balance, ClassId, ProviderInspect};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_ask(
		provider: T::AccountId,
		terms: AskTerms,
		lifetime_ms: u64,
	) -> DispatchResultWithPostInfo {
		Self::ensure_not_paused()?;
		Self::check_ask_terms(&provider, &terms)?;
		ensure!(lifetime_ms > 0 && lifetime_ms <= T::MaxAskLifetime::get(), Error::<T>::LifetimeOutOfBounds);
		let ask = NextAsk::<T>::get();
		let next_ask = ask.next().ok_or(Error::<T>::NumbersExhausted)?;
		let mut asks = AsksOf::<T>::get(&provider);
		// At most MAX_ASKS_PER_PROVIDER, so the conversion keeps the number.
		let deposit = millrace_math::rising_deposit(T::AskDeposit::get(), asks.len() as u32)
			.ok_or(Error::<T>::AmountTooLarge)?;
		asks.try_push(ask).map_err(|_| Error::<T>::TooManyAsks)?;
		let weight = T::WeightInfo::post_ask_as_one_of(asks.len() as u32);
		Self::hold_deposit(HoldReason::AskDeposit, &provider, deposit)?;

		let now = T::Time::now();
		// Clamping is right: a time that does not fit never comes.
		let expires_at = now.saturating_add(lifetime_ms);
		NextAsk::<T>::put(next_ask);
		AsksOf::<T>::insert(&provider, asks);
		let due = Self::arm(AgendaItem::Ask(ask), expires_at, now);
		let record =
			Ask { provider: provider.clone(), terms, taken: 0, posted_at: now, expires_at, deposit, due };
		Asks::<T>::insert(ask, record);
		Self::deposit_event(Event::AskPosted { ask, provider: provider.clone(), terms, expires_at, deposit });
		Self::relist(&provider);
		Ok(Some(weight).into())
	}

	/// How many asks these providers have together.
	pub(crate) fn count_asks<'a>(providers: impl Iterator<Item = &'a T::AccountId>) -> u32
	where
		T::AccountId: 'a,
	{
		// At most MAX_ASKS_PER_PROVIDER each, so the conversion keeps the number and the sum does not saturate.
		providers.fold(0, |sum: u32, provider| {
			sum.saturating_add(AsksOf::<T>::decode_len(provider).unwrap_or(0) as u32)
		})
	}

	/// Holds a deposit, or says that it is not affordable.
	pub(crate) fn hold_deposit(reason: HoldReason, who: &T::AccountId, deposit: Balance) -> DispatchResult {
		let reason = reason.into();
		ensure!(T::Currency::can_hold(&reason, who, deposit), Error::<T>::DepositUnaffordable);
		T::Currency::hold(&reason, who, deposit)
	}

	/// Releases a deposit, all of it. Returns what was released.
	pub(crate) fn release_deposit(
		reason: HoldReason,
		who: &T::AccountId,
		deposit: Balance,
	) -> Result<Balance, DispatchError> {
		T::Currency::release(&reason.into(), who, deposit, Precision::Exact)
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
		let released = Self::release_deposit(HoldReason::AskDeposit, &record.provider, record.deposit)?;
		Asks::<T>::remove(ask);
		Book::<T>::remove(record.market(), BookKey::of_ask(record.terms.price, ask));
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

	/// Takes GPUs off an ask.
	pub(crate) fn take_capacity(ask: AskId, gpus: u32) -> DispatchResult {
		Asks::<T>::try_mutate(ask, |record| {
			let record = record.as_mut().ok_or(Error::<T>::UnknownAsk)?;
			ensure!(gpus <= record.left(), Error::<T>::NotEnoughGpus);
			record.taken = record.taken.checked_add(gpus).ok_or(Error::<T>::NotEnoughGpus)?;
			Ok(())
		})
	}

	/// Puts a node's GPUs back on its ask, if that still stands.
	pub(crate) fn return_capacity(ask: AskId, gpus: u32) {
		Asks::<T>::mutate_extant(ask, |record| match record.taken.checked_sub(gpus) {
			Some(taken) => record.taken = taken,
			None => {
				// Clamping keeps a wrong count from growing; the event says that there was one.
				record.taken = 0;
				Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::CapacityAboveOffer(ask) });
			}
		});
	}

	/// A provider may have more to offer than before: enters its asks that can be taken into the book, and wakes the
	/// resting orders of their markets. An ask that stood in the book before counts too: a lease that ends may make two
	/// free GPUs out of one. Asks that cannot be taken leave the book.
	pub(crate) fn relist(provider: &T::AccountId) {
		for market in Self::update_book(provider) {
			Self::wake(market);
		}
	}

	/// Makes the book have exactly those of a provider's asks that can be taken: it reports, has a free GPU of the class,
	/// and the ask is not used up. Returns the markets in which it has one.
	pub(crate) fn update_book(provider: &T::AccountId) -> BTreeSet<Market> {
		let live = T::Providers::facts(provider).is_some_and(|facts| facts.live);
		let mut free: BTreeMap<ClassId, bool> = BTreeMap::new();
		let mut markets = BTreeSet::new();
		for ask in AsksOf::<T>::get(provider) {
			let Some(record) = Asks::<T>::get(ask) else { continue };
			let (class, asset) = record.market();
			let key = BookKey::of_ask(record.terms.price, ask);
			let can_be_taken = live
				&& record.left() > 0
				&& *free.entry(class).or_insert_with(|| T::Providers::free_gpus(provider, class) > 0);
			if can_be_taken {
				markets.insert((class, asset));
			}
			match (can_be_taken, Book::<T>::contains_key((class, asset), key)) {
				(true, false) => {
					Book::<T>::insert((class, asset), key, ());
					Self::deposit_event(Event::AskListed { ask });
				}
				(false, true) => {
					Book::<T>::remove((class, asset), key);
					Self::deposit_event(Event::AskUnlisted { ask });
				}
				(true, true) | (false, false) => (),
			}
		}
		markets
	}
}
