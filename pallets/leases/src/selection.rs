//! Which providers an order gets, or why it gets none. Nothing is written here.
//!
//! The book is read price by price, cheapest first. Within one price the candidates are sorted by reputation and age, and
//! taken greedily as long as they satisfy the constraints. What an ask lacks is named by the first check that it fails.

use crate::{
	pallet::{Asks, Book, Config, Error, Event, Pallet, ProviderLeases},
	types::{AskOf, Bid, Market, UnexpectedKind, MAX_ASKS_LOOKED_AT},
};
use alloc::vec::Vec;
use core::cmp::Reverse;
use frame_support::ensure;
use millrace_primitives::{
	leases_api::Refusal, AskId, AskTerms, Balance, BlockNumber, Constraints, Countries, Country, Moment,
	ProviderFacts, ProviderInspect, Term, MAX_LEASES_PER_PROVIDER,
};
use sp_runtime::Permill;

/// What is looked for.
pub(crate) struct Request<'a, T: Config> {
	/// Where to look.
	pub market: Market,
	/// How many providers.
	pub nodes: u32,
	/// Free GPUs that each must have.
	pub gpus_per_node: u32,
	/// Highest price per GPU and second.
	pub max_price: Balance,
	/// How long they are to serve.
	pub term: Term,
	/// What they must satisfy, together with those that serve already.
	pub constraints: &'a Constraints,
	/// Who pays: its own asks are passed over.
	pub renter: &'a T::AccountId,
	/// Providers that serve other nodes of the lease.
	pub serving: &'a [T::AccountId],
	/// Owners that are passed over.
	pub excluded: &'a [T::AccountId],
}

/// A provider that was selected for one node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pick<AccountId> {
	/// Who.
	pub provider: AccountId,
	/// The ask that it is taken from; `None`: a bid.
	pub ask: Option<AskId>,
	/// Price per GPU and second.
	pub price: Balance,
	/// Notice that the provider gives, in milliseconds.
	pub reclaim_notice_ms: u64,
	/// Longest term that it allows, in milliseconds; `None`: any.
	pub max_term_ms: Option<u64>,
}

/// What was found: as many providers as were asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Selection<AccountId> {
	/// One for each node, in the order in which they were found.
	pub picks: Vec<Pick<AccountId>>,
	/// Asks that were looked at.
	pub looked_at: u32,
}

/// Not enough was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NoMatch {
	/// Providers that would do.
	pub found: u32,
	/// The refusal that was closest to a match.
	pub closest: Refusal,
	/// Why each ask that was looked at and not taken does not fit, cheapest first.
	pub refusals: Vec<(AskId, Refusal)>,
	/// Asks that were looked at.
	pub looked_at: u32,
}

impl NoMatch {
	/// What the renter is told.
	pub(crate) fn error<T: Config>(&self) -> Error<T> {
		match self.closest {
			Refusal::OwnerLimit | Refusal::CountryLimit | Refusal::NetworkLimit => Error::LimitsTooTight,
			// Some fit, so that no single reason holds for this price.
			_ if self.found > 0 => Error::NotEnoughNodes,
			Refusal::NoAsks => Error::NoAsks,
			Refusal::OwnAsk => Error::OwnAskOnly,
			Refusal::Price => Error::PriceTooLow,
			Refusal::Term => Error::TermNotOffered,
			Refusal::NotLive => Error::NoLiveProvider,
			Refusal::Gpus => Error::NotEnoughGpus,
			Refusal::Busy => Error::TooManyLeases,
			Refusal::Excluded => Error::NotEnoughNodes,
			Refusal::Country => Error::CountryNotOffered,
			Refusal::Uptime => Error::UptimeNotOffered,
		}
	}
}

/// Age of a candidate, the oldest first. A bid is younger than any ask; of two bids of one block the lower account is
/// taken for the older.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Age<AccountId> {
	Ask(AskId),
	Bid(BlockNumber, AccountId),
}

/// An ask or a bid that passed the checks which need its own record only.
struct Candidate<AccountId> {
	pick: Pick<AccountId>,
	facts: ProviderFacts<AccountId>,
	age: Age<AccountId>,
}

/// A search in progress.
struct Search<'a, T: Config> {
	request: &'a Request<'a, T>,
	picks: Vec<Pick<T::AccountId>>,
	/// Facts of all providers of the lease: those that serve already, and the picks.
	together: Vec<ProviderFacts<T::AccountId>>,
	refusals: Vec<(AskId, Refusal)>,
}

impl<T: Config> Pallet<T> {
	/// The providers that the request gets now. Looks at the cheapest [`MAX_ASKS_LOOKED_AT`] asks of the market, no further
	/// than it has to, and at the bids, which come sorted by price.
	pub(crate) fn select(
		request: &Request<T>,
		bids: &[(T::AccountId, Bid)],
		now: Moment,
	) -> Result<Selection<T::AccountId>, NoMatch> {
		let mut search = Search::new(request);
		let mut looked_at = 0;
		if Self::ensure_not_paused().is_err() {
			return search.end(looked_at);
		}
		let mut book =
			Book::<T>::iter_key_prefix(request.market).take(MAX_ASKS_LOOKED_AT as usize).peekable();
		let mut bids = bids.iter().peekable();
		while !search.is_complete() {
			let ask_price = book.peek().map(|key| key.price());
			let Some(price) = ask_price.into_iter().chain(bids.peek().map(|(_, bid)| bid.price)).min() else {
				break;
			};
			if price > request.max_price {
				// No later one is cheaper.
				looked_at += 1;
				search.refusals.extend(book.next().map(|key| (key.ask(), Refusal::Price)));
				break;
			}
			let mut level = Vec::new();
			while let Some(key) = book.next_if(|key| key.price() == price) {
				looked_at += 1;
				let ask = key.ask();
				let Some(record) = Asks::<T>::get(ask) else {
					Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::BookWithoutAsk(ask) });
					continue;
				};
				match search.look_at_ask(ask, record, now) {
					Ok(candidate) => level.push(candidate),
					Err(refusal) => search.refusals.push((ask, refusal)),
				}
			}
			while let Some((provider, bid)) = bids.next_if(|(_, bid)| bid.price == price) {
				level.extend(search.look_at_bid(provider, bid));
			}
			level.sort_by(|a, b| {
				(Reverse(a.facts.reputation), &a.age).cmp(&(Reverse(b.facts.reputation), &b.age))
			});
			for candidate in level {
				search.consider(candidate);
			}
		}
		search.end(looked_at)
	}
}

impl<'a, T: Config> Search<'a, T> {
	fn new(request: &'a Request<'a, T>) -> Self {
		let together = request.serving.iter().filter_map(T::Providers::facts).collect();
		Self { request, picks: Vec::new(), together, refusals: Vec::new() }
	}

	fn is_complete(&self) -> bool {
		self.picks.len() >= self.request.nodes as usize
	}

	fn end(self, looked_at: u32) -> Result<Selection<T::AccountId>, NoMatch> {
		if self.is_complete() {
			return Ok(Selection { picks: self.picks, looked_at });
		}
		let closest = self.refusals.iter().map(|(_, refusal)| *refusal).max().unwrap_or(Refusal::NoAsks);
		// At most MAX_NODES, so the conversion keeps the number.
		let found = self.picks.len() as u32;
		Err(NoMatch { found, closest, refusals: self.refusals, looked_at })
	}

	/// The checks that need the ask and its provider's record.
	fn look_at_ask(
		&self,
		ask: AskId,
		record: AskOf<T>,
		now: Moment,
	) -> Result<Candidate<T::AccountId>, Refusal> {
		let terms = &record.terms;
		ensure!(record.expires_at > now, Refusal::NoAsks);
		ensure!(record.provider != *self.request.renter, Refusal::OwnAsk);
		ensure!(allows(terms, self.request.term), Refusal::Term);
		let facts = live_facts::<T>(&record.provider).ok_or(Refusal::NotLive)?;
		ensure!(record.left() >= self.request.gpus_per_node, Refusal::Gpus);
		let pick = Pick {
			ask: Some(ask),
			price: terms.price,
			reclaim_notice_ms: terms.reclaim_notice_ms,
			max_term_ms: terms.max_term_ms,
			provider: record.provider,
		};
		Ok(Candidate { pick, facts, age: Age::Ask(ask) })
	}

	/// A bidder, unless it does not report. Everything else that is known of a bid was checked when it was placed.
	fn look_at_bid(&self, provider: &T::AccountId, bid: &Bid) -> Option<Candidate<T::AccountId>> {
		let facts = live_facts::<T>(provider)?;
		let max_term_ms = match self.request.term {
			// It was bid for this term and no longer one.
			Term::Fixed { ms } => Some(ms),
			Term::OpenEnded { .. } => None,
		};
		let pick = Pick {
			provider: provider.clone(),
			ask: None,
			price: bid.price,
			reclaim_notice_ms: bid.reclaim_notice_ms,
			max_term_ms,
		};
		Some(Candidate { pick, facts, age: Age::Bid(bid.placed_at, provider.clone()) })
	}

	/// Takes a candidate if it fits with what was taken before.
	fn consider(&mut self, candidate: Candidate<T::AccountId>) {
		if self.is_complete() {
			return;
		}
		match (self.fits(&candidate), candidate.pick.ask) {
			(Ok(()), _) => {
				self.together.push(candidate.facts);
				self.picks.push(candidate.pick);
			}
			(Err(refusal), Some(ask)) => self.refusals.push((ask, refusal)),
			(Err(_), None) => (),
		}
	}

	/// The checks that need the provider's GPUs and leases, and the other providers of the lease. The count of free GPUs
	/// has the last word: the same GPUs may stand in several asks.
	fn fits(&self, candidate: &Candidate<T::AccountId>) -> Result<(), Refusal> {
		let Candidate { pick: Pick { provider, .. }, facts, .. } = candidate;
		let Request { market: (class, _), gpus_per_node, constraints, serving, excluded, .. } = self.request;
		ensure!(T::Providers::free_gpus(provider, *class) >= *gpus_per_node, Refusal::Gpus);
		let leases = ProviderLeases::<T>::decode_len(provider).unwrap_or(0);
		ensure!(leases < MAX_LEASES_PER_PROVIDER as usize, Refusal::Busy);
		let serves = serving.contains(provider) || self.picks.iter().any(|pick| pick.provider == *provider);
		ensure!(!serves && !excluded.contains(&facts.owner), Refusal::Excluded);
		ensure!(allows_country(&constraints.countries, facts.country), Refusal::Country);
		ensure!(allows_uptime(constraints.min_uptime, facts.uptime), Refusal::Uptime);
		let within = |limit: Option<u32>, same: &dyn Fn(&ProviderFacts<T::AccountId>) -> bool| {
			limit
				.is_none_or(|limit| self.together.iter().filter(|other| same(other)).count() < limit as usize)
		};
		ensure!(
			within(constraints.max_nodes_per_owner, &|other| other.owner == facts.owner),
			Refusal::OwnerLimit
		);
		ensure!(
			within(constraints.max_nodes_per_country, &|other| other.country == facts.country),
			Refusal::CountryLimit
		);
		ensure!(
			within(constraints.max_nodes_per_network, &|other| other.network == facts.network),
			Refusal::NetworkLimit
		);
		Ok(())
	}
}

/// Facts of a provider whose reports arrive.
fn live_facts<T: Config>(provider: &T::AccountId) -> Option<ProviderFacts<T::AccountId>> {
	T::Providers::facts(provider).filter(|facts| facts.live)
}

/// Whether an ask's terms allow a term.
fn allows(terms: &AskTerms, term: Term) -> bool {
	match term {
		Term::Fixed { ms } => ms >= terms.min_term_ms && terms.max_term_ms.is_none_or(|max| ms <= max),
		Term::OpenEnded { funded_ms } => funded_ms >= terms.min_term_ms && terms.max_term_ms.is_none(),
	}
}

/// Whether an order allows the country.
pub(crate) fn allows_country(countries: &Countries, country: Country) -> bool {
	match countries {
		Countries::Any => true,
		Countries::Only(allowed) => allowed.contains(&country),
		Countries::Except(barred) => !barred.contains(&country),
	}
}

/// Whether an uptime is as high as an order wants. An unknown one is not, if the order wants any.
pub(crate) fn allows_uptime(wanted: Option<Permill>, known: Option<Permill>) -> bool {
	wanted.is_none_or(|wanted| known.is_some_and(|known| known >= wanted))
}
