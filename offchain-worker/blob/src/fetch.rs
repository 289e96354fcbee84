//! Fetching a blob from several peers, as a state machine without network and clock.

use crate::{
	error::{AskError, Fault, FetchError},
	message::{Answer, Refusal, Request},
	partial::Partial,
	slice::{check, spans, Part, MAX_BLOB_BYTES, SPAN_BYTES, SPAN_GROUPS},
	Root, Ticket,
};
use codec::Encode;
use std::{
	fmt,
	path::Path,
	time::{Duration, Instant},
};

/// Longest wait that a busy peer is granted at a time.
const MAX_BUSY: Duration = Duration::from_secs(10);
/// Shortest one, so that others have their turn whatever it says.
const MIN_BUSY: Duration = Duration::from_millis(50);
/// How often in a row a peer may say that it is busy.
const MAX_BUSY_TIMES: u32 = 100;

/// How far a fetch is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
	/// Bytes that are here and proven.
	pub bytes: u64,
	/// Bytes of the whole blob, once they are known.
	pub total: Option<u64>,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step<P> {
	/// Send this request, and hand in what becomes of it by [`Fetch::on_answer`].
	Ask(Question<P>),
	/// Wait for an answer, or until that time, whichever is first.
	Wait(Option<Instant>),
	/// The blob is whole; call [`Fetch::finish`].
	Done,
}

/// A request that is to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question<P> {
	/// Which one it is; a question is answered once.
	pub id: u64,
	/// Whom to ask.
	pub peer: P,
	/// The encoded request.
	pub request: Vec<u8>,
}

/// A peer that may have the blob.
struct Candidate<P> {
	peer: P,
	ticket: Ticket,
	/// It is not asked before that time.
	not_before: Option<Instant>,
	busy_times: u32,
	fault: Option<Fault>,
}

/// A request in flight.
struct Flight {
	id: u64,
	candidate: usize,
	part: Part,
	span: u64,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Span {
	Missing,
	Asked,
	Held,
}

/// Fetches one blob.
pub struct Fetch<P> {
	partial: Partial,
	cap: u64,
	max_in_flight: usize,
	/// Empty until the size is known.
	spans: Vec<Span>,
	/// Bytes of the spans that are held.
	bytes: u64,
	/// No span before this one is missing.
	first_missing: usize,
	candidates: Vec<Candidate<P>>,
	flights: Vec<Flight>,
	next_id: u64,
}

impl<P: Clone + fmt::Debug + Eq> Fetch<P> {
	/// Starts, or goes on with, fetching the blob `root` of at most `cap` bytes. Its files are in `dir`, which is ours alone; no
	/// other fetch of the same blob may use it. At most `max_in_flight` requests are out at a time.
	///
	/// Blocks on the disk: what an earlier run left is read and checked.
	///
	/// # Errors
	///
	/// Those of the disk, and `TooLarge` if an earlier run has proven it.
	pub fn open(root: Root, cap: u64, dir: &Path, max_in_flight: usize) -> Result<Self, FetchError<P>> {
		let (partial, held) = Partial::open(root, dir)?;
		let mut fetch = Self {
			cap: cap.min(MAX_BLOB_BYTES),
			max_in_flight: max_in_flight.max(1),
			spans: vec![Span::Missing; held.len()],
			bytes: 0,
			first_missing: 0,
			candidates: Vec::new(),
			flights: Vec::new(),
			next_id: 0,
			partial,
		};
		for (number, _) in (0..).zip(held).filter(|(_, held)| *held) {
			fetch.hold(number);
		}
		match fetch.partial.size() {
			Some(bytes) if bytes > fetch.cap => Err(FetchError::TooLarge { bytes, cap: fetch.cap }),
			_ => Ok(fetch),
		}
	}

	/// Name of the blob.
	pub fn root(&self) -> Root {
		self.partial.root()
	}

	/// Adds a peer to ask. One that was dropped gets another chance with its new ticket, unless it sent wrong data.
	pub fn add(&mut self, peer: P, ticket: Ticket) {
		match self.candidates.iter_mut().find(|known| known.peer == peer) {
			Some(known) => {
				known.ticket = ticket;
				known.fault = known.fault.take().filter(|fault| *fault == Fault::WrongData);
				known.busy_times = 0;
			}
			None => {
				self.candidates.push(Candidate { peer, ticket, not_before: None, busy_times: 0, fault: None })
			}
		}
	}

	/// Peers that are not asked any more, and why.
	pub fn dropped(&self) -> Vec<(P, Fault)> {
		let fault = |known: &Candidate<P>| Some((known.peer.clone(), known.fault.clone()?));
		self.candidates.iter().filter_map(fault).collect()
	}

	/// How far it is.
	pub fn progress(&self) -> Progress {
		Progress { bytes: self.bytes, total: self.partial.size() }
	}

	/// Says what to do next. Call it again until it says to wait.
	///
	/// # Errors
	///
	/// `NobodyLeft`.
	pub fn next(&mut self, now: Instant) -> Result<Step<P>, FetchError<P>> {
		while self.spans.get(self.first_missing).is_some_and(|span| *span != Span::Missing) {
			self.first_missing = self.first_missing.saturating_add(1);
		}
		if self.is_whole() {
			return Ok(Step::Done);
		}
		let Some(span) = self.wanted() else { return Ok(Step::Wait(None)) };
		let Some(candidate) = self.choose(now) else {
			return match self.flights.is_empty() && self.candidates.iter().all(|known| known.fault.is_some())
			{
				true => Err(FetchError::NobodyLeft(self.dropped())),
				false => Ok(Step::Wait(self.earliest())),
			};
		};
		Ok(Step::Ask(self.question(span, candidate)))
	}

	fn is_whole(&self) -> bool {
		// An empty blob has a span, too.
		self.partial.size() == Some(self.bytes) && self.spans.first() == Some(&Span::Held)
	}

	/// The next span to ask for. Until the size is known there is one request at a time.
	fn wanted(&self) -> Option<u64> {
		let limit = if self.partial.size().is_some() { self.max_in_flight } else { 1 };
		if self.flights.len() >= limit {
			return None;
		}
		match self.partial.size() {
			None => Some(0),
			Some(_) => (self.first_missing < self.spans.len()).then_some(self.first_missing as u64),
		}
	}

	/// The peer with the fewest requests in flight, of those that may be asked now.
	fn choose(&self, now: Instant) -> Option<usize> {
		let free =
			|known: &Candidate<P>| known.fault.is_none() && known.not_before.is_none_or(|at| at <= now);
		let load = |index: usize| self.flights.iter().filter(|flight| flight.candidate == index).count();
		let ready = self.candidates.iter().enumerate().filter(|(_, known)| free(known));
		ready.map(|(index, _)| index).min_by_key(|index| load(*index))
	}

	/// When the first busy peer may be asked again.
	fn earliest(&self) -> Option<Instant> {
		let left = self.candidates.iter().filter(|known| known.fault.is_none());
		left.filter_map(|known| known.not_before).min()
	}

	fn question(&mut self, span: u64, candidate: usize) -> Question<P> {
		let part = Part::span(span, self.partial.size().is_none());
		let known = &self.candidates[candidate];
		let request = Request { root: self.root(), part, ticket: known.ticket };
		let question = Question { id: self.next_id, peer: known.peer.clone(), request: request.encode() };
		self.next_id = self.next_id.wrapping_add(1);
		self.flights.push(Flight { id: question.id, candidate, part, span });
		self.mark(span, Span::Asked);
		question
	}

	fn mark(&mut self, span: u64, state: Span) {
		let index = usize::try_from(span).unwrap_or(usize::MAX);
		if let Some(span) = self.spans.get_mut(index) {
			*span = state;
		}
		if state == Span::Missing {
			self.first_missing = self.first_missing.min(index);
		}
	}

	/// Counts a span that is on the disk.
	fn hold(&mut self, span: u64) {
		if self.state(span) != Some(Span::Held) {
			self.mark(span, Span::Held);
			self.bytes = self.bytes.saturating_add(span_bytes(span, self.partial.size().unwrap_or(0)));
		}
	}

	/// The last group may be all of the last span.
	fn hold_last_group(&mut self, size: u64) {
		let first_group = Part::last_group(size).first_group;
		if first_group.is_multiple_of(SPAN_GROUPS.into()) {
			self.hold(first_group / u64::from(SPAN_GROUPS));
		}
	}

	fn state(&self, span: u64) -> Option<Span> {
		self.spans.get(usize::try_from(span).ok()?).copied()
	}

	/// Takes what became of a question. What does not fit the blob's name is dropped with its peer, and never reaches the disk.
	/// An id that is not in flight is ignored.
	///
	/// Blocks on the disk.
	///
	/// # Errors
	///
	/// `TooLarge`, and those of the disk.
	pub fn on_answer(
		&mut self,
		id: u64,
		answer: Result<Vec<u8>, AskError>,
		now: Instant,
	) -> Result<(), FetchError<P>> {
		let Some(place) = self.flights.iter().position(|flight| flight.id == id) else { return Ok(()) };
		let flight = self.flights.swap_remove(place);
		self.mark(flight.span, Span::Missing);
		let answer = match answer.map(|bytes| Answer::read(&bytes)) {
			Ok(answer) => answer,
			Err(error) => {
				self.drop_peer(flight.candidate, Fault::Failed(error));
				return Ok(());
			}
		};
		match answer {
			Some(Answer::Slice { size, slice }) => self.on_slice(&flight, size, &slice),
			Some(Answer::Refused(Refusal::Busy { retry_ms })) => {
				self.on_busy(flight.candidate, retry_ms, now);
				Ok(())
			}
			Some(Answer::Refused(refusal)) => {
				self.drop_peer(flight.candidate, Fault::Refused(refusal));
				Ok(())
			}
			None => {
				self.drop_peer(flight.candidate, Fault::WrongData);
				Ok(())
			}
		}
	}

	fn on_slice(&mut self, flight: &Flight, size: u64, slice: &[u8]) -> Result<(), FetchError<P>> {
		let other_size = self.partial.size().is_some_and(|known| known != size);
		let checked = if other_size { None } else { check(self.root(), size, flight.part, slice) };
		let Some(checked) = checked else {
			self.drop_peer(flight.candidate, Fault::WrongData);
			return Ok(());
		};
		if size > self.cap {
			return Err(FetchError::TooLarge { bytes: size, cap: self.cap });
		}
		if self.partial.size().is_none() {
			self.partial.set_size(size)?;
			self.spans = vec![Span::Missing; usize::try_from(spans(size)).unwrap_or(usize::MAX)];
		}
		self.partial.write(&checked)?;
		self.hold(flight.span);
		if flight.part.prove_size {
			self.hold_last_group(size);
		}
		if let Some(known) = self.candidates.get_mut(flight.candidate) {
			known.busy_times = 0;
		}
		Ok(())
	}

	fn on_busy(&mut self, candidate: usize, retry_ms: u32, now: Instant) {
		let Some(known) = self.candidates.get_mut(candidate) else { return };
		known.busy_times = known.busy_times.saturating_add(1);
		known.not_before = now.checked_add(Duration::from_millis(retry_ms.into()).clamp(MIN_BUSY, MAX_BUSY));
		if known.busy_times > MAX_BUSY_TIMES {
			self.drop_peer(candidate, Fault::Refused(Refusal::Busy { retry_ms }));
		}
	}

	/// The worst that is known of a peer stays.
	fn drop_peer(&mut self, candidate: usize, fault: Fault) {
		if let Some(known) = self.candidates.get_mut(candidate) {
			if known.fault.is_none() || fault == Fault::WrongData {
				known.fault = Some(fault);
			}
		}
	}

	/// Puts the whole blob at `to`, on the file system of the fetch's folder, durably. Returns its bytes.
	///
	/// # Errors
	///
	/// `Unfinished`, and those of the disk.
	pub fn finish(self, to: &Path) -> Result<u64, FetchError<P>> {
		match self.partial.size() {
			Some(size) if self.is_whole() => {
				self.partial.finish(to)?;
				Ok(size)
			}
			_ => Err(FetchError::Unfinished),
		}
	}

	/// Gives the blob up and removes what was fetched.
	///
	/// # Errors
	///
	/// Those of the disk.
	pub fn discard(self) -> Result<(), FetchError<P>> {
		Ok(self.partial.remove()?)
	}
}

/// Bytes of a span.
fn span_bytes(number: u64, size: u64) -> u64 {
	size.saturating_sub(number.saturating_mul(SPAN_BYTES)).min(SPAN_BYTES)
}
