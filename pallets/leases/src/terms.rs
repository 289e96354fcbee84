//! Whether the terms of an ask or of an order are well-formed. Nothing is written here.

use crate::{
	pallet::{Config, Error, Pallet},
	types::MAX_GPUS_PER_NODE,
};
use frame_support::{ensure, traits::Get};
use millrace_primitives::{
	AskTerms, Constraints, Countries, Escrow, Matching, Moment, OrderTerms, ProviderInspect, Term, MAX_NODES,
};

impl<T: Config> Pallet<T> {
	/// Checks an ask's terms, and that the provider has what they offer.
	pub(crate) fn check_ask_terms(provider: &T::AccountId, terms: &AskTerms) -> Result<(), Error<T>> {
		ensure!(terms.gpus > 0, Error::ZeroGpus);
		ensure!(terms.price > 0, Error::ZeroPrice);
		ensure!(terms.max_term_ms.is_none_or(|max| terms.min_term_ms <= max), Error::TermsReversed);
		ensure!(
			terms.min_term_ms >= T::MinTerm::get()
				&& terms.max_term_ms.unwrap_or(terms.min_term_ms) <= T::MaxTerm::get(),
			Error::TermOutOfBounds
		);
		ensure!(Self::is_fair_notice(terms.reclaim_notice_ms), Error::NoticeOutOfBounds);
		ensure!(T::Providers::is_registered(provider), Error::NotAProvider);
		ensure!(T::Providers::class(terms.class).is_some(), Error::UnknownClass);
		ensure!(T::Escrow::is_allowed(terms.asset), Error::AssetNotAllowed);
		ensure!(
			T::Providers::registered_gpus(provider, terms.class) >= terms.gpus,
			Error::OfferAboveRegistered
		);
		Ok(())
	}

	/// Whether a reclaim notice is within the chain's bounds.
	pub(crate) fn is_fair_notice(notice_ms: u64) -> bool {
		(T::MinReclaimNotice::get()..=T::MaxReclaimNotice::get()).contains(&notice_ms)
	}

	/// Checks all of an order's terms that do not depend on the book.
	pub(crate) fn check_order_terms(terms: &OrderTerms, now: Moment) -> Result<(), Error<T>> {
		ensure!(terms.nodes > 0, Error::ZeroNodes);
		ensure!(terms.gpus_per_node > 0, Error::ZeroGpus);
		ensure!(terms.nodes <= MAX_NODES && terms.gpus_per_node <= MAX_GPUS_PER_NODE, Error::OrderTooLarge);
		ensure!(terms.max_price > 0, Error::ZeroPrice);
		match terms.term {
			Term::Fixed { ms } => {
				ensure!((T::MinTerm::get()..=T::MaxTerm::get()).contains(&ms), Error::TermOutOfBounds);
			}
			Term::OpenEnded { funded_ms } => {
				ensure!(
					funded_ms > T::FrozenGrace::get() && funded_ms >= T::MinTerm::get(),
					Error::FundingTooShort
				);
			}
		}
		ensure!(T::Providers::class(terms.class).is_some(), Error::UnknownClass);
		ensure!(T::Escrow::is_allowed(terms.asset), Error::AssetNotAllowed);
		Self::check_constraints(&terms.constraints)?;
		ensure!(terms.jobs.iter().all(|job| u32::from(job.node.0) < terms.nodes), Error::NoSuchNode);
		Self::check_waiting(terms, now)
	}

	fn check_constraints(constraints: &Constraints) -> Result<(), Error<T>> {
		let limits = [
			constraints.max_nodes_per_owner,
			constraints.max_nodes_per_country,
			constraints.max_nodes_per_network,
		];
		ensure!(!limits.contains(&Some(0)), Error::ZeroLimit);
		match &constraints.countries {
			Countries::Any => Ok(()),
			Countries::Only(list) | Countries::Except(list) => {
				let letters = list.iter().flatten().all(u8::is_ascii_uppercase);
				ensure!(!list.is_empty() && letters, Error::BadCountries);
				Ok(())
			}
		}
	}

	/// Checks when and for how long an order would wait.
	fn check_waiting(terms: &OrderTerms, now: Moment) -> Result<(), Error<T>> {
		let longest = T::MaxOrderLifetime::get();
		ensure!(terms.rests_ms <= longest, Error::LifetimeOutOfBounds);
		if let Some(start) = terms.starts_at {
			// Clamping is right: a time that does not fit never comes.
			ensure!(start > now && start <= now.saturating_add(longest), Error::StartOutOfBounds);
		}
		if let Matching::Auction { blocks } = terms.matching {
			ensure!(terms.starts_at.is_none(), Error::ScheduledAuction);
			ensure!(blocks > 0 && blocks <= T::MaxAuctionBlocks::get(), Error::AuctionOutOfBounds);
		}
		Ok(())
	}
}
