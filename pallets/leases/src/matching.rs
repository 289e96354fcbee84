//! Matching an order against the book, and opening the lease.

use crate::{
	pallet::{Asks, Book, Config, Error, Event, Leases, NextLease, NextOrder, Pallet, ProviderLeases},
	types::{
		AgendaItem, AskOf, Lease, LeasedGpus, OrderTerms, UnexpectedKind, MAX_ASKS_LOOKED_AT,
		MAX_GPUS_PER_LEASE,
	},
	weights::WeightInfo,
};
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
	ensure,
	traits::{
		fungible::Inspect,
		tokens::{Fortitude, Preservation},
		Get, Time,
	},
};
use millrace_primitives::{
	AskId, Balance, BlobHash, Escrow, GpuReservation, Hash, JobId, LeaseId, LeaseStatus, Moment, OrderId,
	ProviderInspect,
};
use sp_runtime::DispatchResult;

/// Why an ask does not fit. The later the check that it fails, the closer it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Refusal {
	Gone,
	Own,
	Price,
	Term,
	NotLive,
	Gpus,
}

impl Refusal {
	fn error<T: Config>(self) -> Error<T> {
		match self {
			Refusal::Gone => Error::NoAsks,
			Refusal::Own => Error::OwnAskOnly,
			Refusal::Price => Error::PriceTooLow,
			Refusal::Term => Error::TermNotOffered,
			Refusal::NotLive => Error::NoLiveProvider,
			Refusal::Gpus => Error::NotEnoughGpus,
		}
	}
}

/// An ask that fits.
struct Match<T: Config> {
	ask: AskId,
	record: AskOf<T>,
	/// Asks looked at, this one included.
	looked_at: u32,
}

/// A matched order and its money.
struct Opening<T: Config> {
	found: Match<T>,
	terms: OrderTerms,
	rate: Balance,
	deposit: Balance,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_place_order(
		renter: T::AccountId,
		terms: OrderTerms,
		plan: Option<BlobHash>,
	) -> DispatchResultWithPostInfo {
		ensure!(terms.gpus > 0, Error::<T>::ZeroGpus);
		ensure!(terms.gpus <= MAX_GPUS_PER_LEASE, Error::<T>::NotEnoughGpus);
		ensure!(
			(T::MinTerm::get()..=T::MaxTerm::get()).contains(&terms.term_ms),
			Error::<T>::TermOutOfBounds
		);
		ensure!(T::Providers::class(terms.class).is_some(), Error::<T>::UnknownClass);
		let now = T::Time::now();
		let found = Self::find_ask(&renter, &terms, now)?;
		let looked_at = found.looked_at;
		let rate = millrace_math::rate(found.record.price, terms.gpus).ok_or(Error::<T>::AmountTooLarge)?;
		let deposit = millrace_math::deposit_for(rate, terms.term_ms).ok_or(Error::<T>::AmountTooLarge)?;
		Self::ensure_affordable(&renter, deposit)?;

		let order = NextOrder::<T>::get();
		NextOrder::<T>::put(order.next().ok_or(Error::<T>::NumbersExhausted)?);
		Self::deposit_event(Event::OrderPlaced { order, renter: renter.clone(), terms });
		let lease = Self::open_lease(order, renter.clone(), Opening { found, terms, rate, deposit }, now)?;
		if let Some(plan) = plan {
			Self::do_submit_job(&renter, lease, plan)?;
		}
		let weight = T::WeightInfo::place_order_looking_at(looked_at, terms.gpus);
		Ok(PostDispatchInfo { actual_weight: Some(weight), ..Default::default() })
	}

	/// The free balance covers `amount` with the account kept alive, as a hold needs it.
	pub(crate) fn ensure_affordable(who: &T::AccountId, amount: Balance) -> DispatchResult {
		let free = T::Currency::reducible_balance(who, Preservation::Protect, Fortitude::Force);
		ensure!(free >= amount, Error::<T>::InsufficientFunds);
		Ok(())
	}

	/// The cheapest ask that fits, or why none does.
	fn find_ask(renter: &T::AccountId, terms: &OrderTerms, now: Moment) -> Result<Match<T>, Error<T>> {
		let mut closest = Refusal::Gone;
		let book = Book::<T>::iter_key_prefix(terms.class).take(MAX_ASKS_LOOKED_AT as usize);
		for (key, looked_at) in book.zip(1..) {
			let ask = key.ask();
			let Some(record) = Asks::<T>::get(ask) else {
				Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::BookWithoutAsk(ask) });
				continue;
			};
			match Self::fits(renter, terms, &record, now) {
				Ok(()) => return Ok(Match { ask, record, looked_at }),
				Err(refusal) => closest = closest.max(refusal),
			}
			// The book is in the order of price: no later ask is cheaper.
			if record.price > terms.max_price {
				break;
			}
		}
		Err(closest.error())
	}

	/// Whether an order can be filled from an ask. Cheap checks first; the count of free GPUs reads the
	/// provider's GPUs.
	fn fits(renter: &T::AccountId, terms: &OrderTerms, ask: &AskOf<T>, now: Moment) -> Result<(), Refusal> {
		if ask.expires_at <= now {
			return Err(Refusal::Gone);
		}
		if ask.provider == *renter {
			return Err(Refusal::Own);
		}
		if ask.price > terms.max_price {
			return Err(Refusal::Price);
		}
		if !(ask.min_term_ms..=ask.max_term_ms).contains(&terms.term_ms) {
			return Err(Refusal::Term);
		}
		if !T::Providers::is_live(&ask.provider) {
			return Err(Refusal::NotLive);
		}
		// The ask's own count first, then the truth: the same GPUs may stand in several asks.
		if ask.left < terms.gpus || T::Providers::free_gpus(&ask.provider, ask.class) < terms.gpus {
			return Err(Refusal::Gpus);
		}
		Ok(())
	}

	/// Reserves the GPUs, holds the money and records the lease.
	fn open_lease(
		order: OrderId,
		renter: T::AccountId,
		opening: Opening<T>,
		now: Moment,
	) -> Result<LeaseId, sp_runtime::DispatchError> {
		let Opening { found: Match { ask, record, .. }, terms, rate, deposit } = opening;
		let lease = NextLease::<T>::get();
		NextLease::<T>::put(lease.next().ok_or(Error::<T>::NumbersExhausted)?);
		let (provider, class, price, max_term_ms) =
			(record.provider.clone(), record.class, record.price, record.max_term_ms);
		ProviderLeases::<T>::try_mutate(&provider, |leases| leases.try_push(lease))
			.map_err(|_| Error::<T>::TooManyLeases)?;
		let gpus: LeasedGpus = T::Providers::reserve(&provider, class, terms.gpus, lease)?
			.try_into()
			.map_err(|_| Error::<T>::NotEnoughGpus)?;
		Self::take_capacity(ask, record, terms.gpus)?;
		let funded_ms = T::Escrow::open(lease.into(), &renter, &provider, rate, deposit)?;

		let due = Self::arm(AgendaItem::Lease(lease), now.saturating_add(T::ReadyWithin::get()), now);
		let record = Lease {
			order,
			renter: renter.clone(),
			provider: provider.clone(),
			ask,
			class,
			gpus: gpus.clone(),
			price,
			status: LeaseStatus::Pending,
			opened_at: now,
			ready_at: None,
			attested_at: now,
			term_ms: terms.term_ms,
			max_term_ms,
			ends_at: None,
			generation: 0,
			next_job: JobId::default(),
			open_jobs: 0,
			finished_jobs: 0,
			usage_chain: Hash::zero(),
			due,
		};
		Leases::<T>::insert(lease, record);
		Self::deposit_event(Event::LeaseOpened {
			lease,
			order,
			renter,
			provider,
			ask,
			class,
			gpus: gpus.into_inner(),
			price,
			rate,
			deposit,
			funded_ms,
		});
		Ok(lease)
	}
}
