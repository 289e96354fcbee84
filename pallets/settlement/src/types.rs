//! The ledger of one escrow: figures only. What it says is moved by `payment.rs`.
//!
//! Sums do not overflow: deposits are added with a check, and every other figure is a part of them.

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use millrace_math::{accrued, funded_ms, split_fee};
use millrace_primitives::{Accrued, Asset, Balance, BlobHash, Moment, StreamId, MAX_STREAMS};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, ArithmeticError, Permill, SaturatedConversion};

/// Most parts of a stream's earnings that mature apart. Each is filled for a quarter of the contest window.
pub const MAX_BUCKETS: u32 = 5;

/// An escrow. `deposited - refunded - paid - fee` is on hold in the payer's account.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct EscrowRecord<AccountId> {
	/// Whose funds are held.
	pub payer: AccountId,
	/// What they are in.
	pub asset: Asset,
	/// Share of each payment that is the fee.
	pub fee_rate: Permill,
	/// Put on hold so far.
	pub deposited: Balance,
	/// Given back to the payer so far.
	pub refunded: Balance,
	/// Received by payees so far.
	pub paid: Balance,
	/// Received by the fee's sink so far.
	pub fee: Balance,
	/// Attested and funded so far, by all streams together, in milliseconds.
	pub attested_ms: u64,
	/// Number of the next stream.
	pub next_stream: StreamId,
	/// Streams that still earn or are still owed something, in the order of their numbers.
	pub streams: BoundedVec<Stream<AccountId>, ConstU32<MAX_STREAMS>>,
	/// Whether the lease is over: nothing is added any more, and with nothing left to move the escrow is forgotten.
	pub closed: bool,
}

/// One payee of an escrow. All amounts are running totals of the stream's life, except where said otherwise.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Stream<AccountId> {
	/// Its number within the escrow.
	pub id: StreamId,
	/// Who earns.
	pub payee: AccountId,
	/// Earned per second.
	pub rate: Balance,
	/// Attested and funded, in milliseconds.
	pub attested_ms: u64,
	/// `rate x attested_ms / 1000`, rounded down.
	pub earned: Balance,
	/// Earned, and taken back: the payer's again.
	pub forfeited: Balance,
	/// Earned, and moved: as payment or as fee. The fee is that of this total, rounded down.
	pub settled: Balance,
	/// Of what is owed now: held until a verdict.
	pub contested: Balance,
	/// Of what is owed now: the parts that wait for the contest window, in the order in which they mature.
	pub maturing: BoundedVec<Bucket, ConstU32<MAX_BUCKETS>>,
	/// Whether it earns no more.
	pub ended: bool,
}

/// Earnings that mature together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Bucket {
	/// When it has outlived the contest window, in milliseconds since the Unix epoch.
	pub matures_at: Moment,
	/// How much it is.
	pub amount: Balance,
}

/// The payer's objection to a part of what a stream earned.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Contest {
	/// How much is contested, in the escrow's asset.
	pub amount: Balance,
	/// Held of the payer, in plancks.
	pub bond: Balance,
	/// When it was opened, in milliseconds since the Unix epoch.
	pub opened_at: Moment,
	/// BLAKE3 hash of what the payer shows.
	pub evidence: BlobHash,
}

/// One movement out of an escrow. The two parts add up to what was due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Payment {
	/// For the payee.
	pub paid: Balance,
	/// For the fee's sink.
	pub fee: Balance,
}

impl Payment {
	/// Both parts.
	pub fn total(&self) -> Balance {
		self.paid.saturating_add(self.fee)
	}
}

impl<AccountId> Stream<AccountId> {
	/// Earned, and neither moved nor taken back.
	pub fn owed(&self) -> Balance {
		self.earned.saturating_sub(self.forfeited).saturating_sub(self.settled)
	}

	/// Part of what is owed that waits for the contest window.
	pub fn maturing(&self, now: Moment) -> Balance {
		let waits = self.maturing.iter().filter(|bucket| bucket.matures_at > now);
		total(waits.map(|bucket| bucket.amount))
	}

	/// Part of what is owed that can be paid.
	pub fn due(&self, now: Moment) -> Balance {
		self.owed().saturating_sub(self.contested).saturating_sub(self.maturing(now))
	}

	/// When the next part matures.
	pub fn next_maturity(&self, now: Moment) -> Option<Moment> {
		self.maturing.iter().map(|bucket| bucket.matures_at).find(|matures_at| *matures_at > now)
	}

	/// Whether a part of what is owed waits for time or for a verdict.
	pub fn is_waiting(&self, now: Moment) -> bool {
		self.contested > 0 || self.maturing(now) > 0
	}

	/// How a payment of `amount` splits.
	///
	/// The fee is the difference of two running totals. Fees rounded down one by one would be nothing at all for whoever
	/// settles often enough.
	pub fn split(&self, amount: Balance, fee_rate: Permill) -> Payment {
		let (_, fee_before) = split_fee(self.settled, fee_rate);
		let (_, fee_after) = split_fee(self.settled.saturating_add(amount), fee_rate);
		let fee = fee_after.saturating_sub(fee_before);
		Payment { paid: amount.saturating_sub(fee), fee }
	}

	/// Counts attested time, as far as `free` pays for it. What it earns matures after the window.
	pub fn accrue(
		&mut self,
		ms: u64,
		free: Balance,
		now: Moment,
		window: u64,
	) -> Result<Accrued<Balance>, ArithmeticError> {
		// Clamping is right here: a total that does not fit is never reached.
		let funded = funded_ms(self.earned.saturating_add(free), self.rate);
		// Clamping is right here: time that was counted can cost parts of a unit that are not funded.
		let ms = ms.min(funded.saturating_sub(self.attested_ms));
		let attested_ms = self.attested_ms.checked_add(ms).ok_or(ArithmeticError::Overflow)?;
		let earned = accrued(self.rate, attested_ms).ok_or(ArithmeticError::Overflow)?;
		let amount = earned.checked_sub(self.earned).ok_or(ArithmeticError::Underflow)?;
		(self.attested_ms, self.earned) = (attested_ms, earned);
		if amount > 0 {
			self.mature_later(amount, now, window);
		}
		Ok(Accrued { ms, amount })
	}

	/// Lets `amount` mature when the window is over, together with what is earned within the same quarter of a window.
	///
	/// A bucket is filled for a quarter of the window, so it waits for the window and a quarter. At most five have begun and
	/// not matured.
	fn mature_later(&mut self, amount: Balance, now: Moment, window: u64) {
		// Clamping is right here: the end of time is late enough.
		let soonest = now.saturating_add(window);
		let latest = soonest.saturating_add(quarter(window));
		self.mature(now);
		let joins = self.maturing.last().is_some_and(|newest| newest.matures_at >= soonest);
		let bucket = Bucket { matures_at: latest, amount };
		// There is always room, unless the window has become longer. Then the newest takes it, and waits long enough.
		let left = if joins { Some(bucket) } else { self.maturing.try_push(bucket).err() };
		if let (Some(bucket), Some(newest)) = (left, self.maturing.last_mut()) {
			newest.amount = newest.amount.saturating_add(bucket.amount);
			newest.matures_at = newest.matures_at.max(soonest);
		}
	}

	/// What matures until then waits no more.
	fn mature(&mut self, until: Moment) {
		self.maturing.retain(|bucket| bucket.matures_at > until);
	}

	/// Takes what is maturing for the contest. Returns how much that is.
	pub fn contest(&mut self, now: Moment) -> Balance {
		let amount = self.maturing(now);
		self.maturing.clear();
		self.contested = self.contested.saturating_add(amount);
		amount
	}

	/// The contest is over: `to_payer` of what was contested is the payer's again, the rest is due.
	pub fn end_contest(&mut self, to_payer: Balance) {
		self.contested = 0;
		self.forfeit(to_payer);
	}

	/// Takes back a part of what is due.
	pub fn forfeit(&mut self, amount: Balance) {
		self.forfeited = self.forfeited.saturating_add(amount);
	}

	/// Takes back all that is owed. Returns how much that was.
	fn void(&mut self) -> Balance {
		let owed = self.owed();
		self.maturing.clear();
		self.end_contest(owed);
		owed
	}
}

/// Sum of parts of one deposit.
pub(crate) fn total(amounts: impl Iterator<Item = Balance>) -> Balance {
	amounts.fold(0, Balance::saturating_add)
}

/// A quarter of the contest window, in milliseconds.
pub(crate) fn quarter(window: u64) -> u64 {
	window / 4
}

impl<AccountId> EscrowRecord<AccountId> {
	/// A new escrow, without streams.
	pub fn new(payer: AccountId, asset: Asset, fee_rate: Permill, deposited: Balance) -> Self {
		Self {
			payer,
			asset,
			fee_rate,
			deposited,
			refunded: 0,
			paid: 0,
			fee: 0,
			attested_ms: 0,
			next_stream: StreamId(0),
			streams: BoundedVec::new(),
			closed: false,
		}
	}

	/// On hold.
	pub fn held(&self) -> Balance {
		self.deposited.saturating_sub(self.refunded).saturating_sub(self.paid).saturating_sub(self.fee)
	}

	/// Earned, and neither moved nor taken back.
	pub fn owed(&self) -> Balance {
		total(self.streams.iter().map(Stream::owed))
	}

	/// On hold, and earned by nobody.
	pub fn free(&self) -> Balance {
		self.held().saturating_sub(self.owed())
	}

	/// Whether a part of what is owed waits for time or for a verdict.
	pub fn is_waiting(&self, now: Moment) -> bool {
		self.streams.iter().any(|stream| stream.is_waiting(now))
	}

	/// Whether there is nothing left to do for it.
	pub fn is_complete(&self) -> bool {
		self.closed && self.held() == 0
	}

	/// Number of the streams.
	pub fn stream_count(&self) -> u32 {
		// Cannot saturate: at most [`MAX_STREAMS`].
		self.streams.len().saturated_into()
	}

	/// One stream.
	pub fn stream(&self, id: StreamId) -> Option<&Stream<AccountId>> {
		self.streams.iter().find(|stream| stream.id == id)
	}

	/// One stream, to be changed.
	pub fn stream_mut(&mut self, id: StreamId) -> Option<&mut Stream<AccountId>> {
		self.streams.iter_mut().find(|stream| stream.id == id)
	}

	/// Adds to the deposit.
	pub fn deposit(&mut self, amount: Balance) -> Result<(), ArithmeticError> {
		self.deposited = self.deposited.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
		Ok(())
	}

	/// Adds a stream. `None` if there are as many as there can be.
	pub fn add_stream(&mut self, payee: AccountId, rate: Balance) -> Option<StreamId> {
		let id = self.next_stream;
		let next = id.next()?;
		let stream = Stream {
			id,
			payee,
			rate,
			attested_ms: 0,
			earned: 0,
			forfeited: 0,
			settled: 0,
			contested: 0,
			maturing: BoundedVec::new(),
			ended: false,
		};
		self.streams.try_push(stream).ok()?;
		self.next_stream = next;
		Some(id)
	}

	/// Ends all streams, for good.
	pub fn close(&mut self) {
		self.closed = true;
		self.streams.iter_mut().for_each(|stream| stream.ended = true);
	}

	/// What matures until then is due, unless it is contested.
	pub fn mature(&mut self, until: Moment) {
		self.streams.iter_mut().for_each(|stream| stream.mature(until));
	}

	/// Takes back all that is owed. Returns how much that was.
	pub fn void(&mut self) -> Balance {
		total(self.streams.iter_mut().map(Stream::void))
	}

	/// Forgets the streams that have ended and are owed nothing. Returns their payees.
	pub fn fold(&mut self) -> Vec<AccountId>
	where
		AccountId: Clone,
	{
		let is_over = |stream: &Stream<AccountId>| stream.ended && stream.owed() == 0;
		let payees = self.streams.iter().filter(|stream| is_over(stream));
		let payees = payees.map(|stream| stream.payee.clone()).collect();
		self.streams.retain(|stream| !is_over(stream));
		payees
	}

	/// Writes down a payment that has happened.
	pub fn record(&mut self, id: StreamId, payment: Payment) {
		if let Some(stream) = self.stream_mut(id) {
			stream.settled = stream.settled.saturating_add(payment.total());
			self.paid = self.paid.saturating_add(payment.paid);
			self.fee = self.fee.saturating_add(payment.fee);
		}
	}
}
