//! The ledger of one escrow: figures only. What it says is moved by `payment.rs`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_math::{accrued, funded_ms, split_fee};
use millrace_primitives::Balance;
use scale_info::TypeInfo;
use sp_runtime::{ArithmeticError, Permill};

/// An escrow must be able to pay for this many milliseconds more, or it is exhausted.
const LEAST_REMAINING_MS: u64 = 1_000;

/// An open escrow. `deposited - settled` is on hold in the payer's account.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct EscrowRecord<AccountId> {
	/// Whose funds are held.
	pub payer: AccountId,
	/// Who earns them.
	pub payee: AccountId,
	/// Plancks per second.
	pub rate: Balance,
	/// Share of each payment that is the fee.
	pub fee_rate: Permill,
	/// Plancks put on hold so far.
	pub deposited: Balance,
	/// Plancks moved out of the hold so far: `paid + fee`.
	pub settled: Balance,
	/// Plancks that the payee received so far.
	pub paid: Balance,
	/// Plancks that the fee's sink received so far: the fee of `settled` as a whole, rounded down.
	pub fee: Balance,
	/// Milliseconds attested and funded so far.
	pub attested_ms: u64,
}

/// One movement out of an escrow. The two parts add up to what was owed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Payment {
	/// Plancks for the payee.
	pub paid: Balance,
	/// Plancks for the fee's sink.
	pub fee: Balance,
}

impl Payment {
	/// Both parts, in plancks.
	pub fn total(&self) -> Balance {
		// Cannot saturate: the parts come from splitting one amount.
		self.paid.saturating_add(self.fee)
	}
}

impl<AccountId> EscrowRecord<AccountId> {
	/// A new escrow, with nothing earned.
	pub fn new(
		payer: AccountId,
		payee: AccountId,
		rate: Balance,
		fee_rate: Permill,
		deposited: Balance,
	) -> Self {
		Self { payer, payee, rate, fee_rate, deposited, settled: 0, paid: 0, fee: 0, attested_ms: 0 }
	}

	/// Plancks earned so far, rounded down.
	pub fn earned(&self) -> Balance {
		// The clamp binds never, as no more time is counted than is funded. It stands for the promise that nobody pays more
		// than was locked.
		accrued(self.rate, self.attested_ms).map_or(self.deposited, |earned| earned.min(self.deposited))
	}

	/// Plancks earned and not yet moved.
	pub fn owed(&self) -> Balance {
		// Cannot saturate: earnings never fall, and no more was moved than was earned.
		self.earned().saturating_sub(self.settled)
	}

	/// Plancks on hold.
	pub fn held(&self) -> Balance {
		// Cannot saturate: no more was moved than was earned, which is at most what was deposited.
		self.deposited.saturating_sub(self.settled)
	}

	/// Milliseconds that all deposits together pay for, rounded down.
	pub fn funded_ms(&self) -> u64 {
		funded_ms(self.deposited, self.rate)
	}

	/// Milliseconds that are paid for and not yet used.
	pub fn remaining_ms(&self) -> u64 {
		// Cannot saturate: no more time is counted than is funded.
		self.funded_ms().saturating_sub(self.attested_ms)
	}

	/// Whether it cannot pay for another second.
	pub fn is_exhausted(&self) -> bool {
		self.remaining_ms() < LEAST_REMAINING_MS
	}

	/// Counts attested time, as far as it is funded. Returns the milliseconds that were counted.
	pub fn count(&mut self, ms: u64) -> u64 {
		let counted = ms.min(self.remaining_ms());
		// Cannot saturate: the sum is at most the funded time.
		self.attested_ms = self.attested_ms.saturating_add(counted);
		counted
	}

	/// Adds to the deposit, in plancks.
	pub fn deposit(&mut self, amount: Balance) -> Result<(), ArithmeticError> {
		self.deposited = self.deposited.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
		Ok(())
	}

	/// What a settlement now moves. `None` if nothing is owed.
	///
	/// The fee is the difference of two running totals. Fees rounded down one by one would be nothing at all for whoever
	/// settles often enough.
	pub fn due(&self) -> Option<Payment> {
		let owed = self.owed();
		if owed == 0 {
			return None;
		}
		let (_, fee_in_all) = split_fee(self.settled.saturating_add(owed), self.fee_rate);
		// Neither saturates: the running fee never falls, and grows by at most what is owed.
		let fee = fee_in_all.saturating_sub(self.fee).min(owed);
		Some(Payment { paid: owed.saturating_sub(fee), fee })
	}

	/// Writes down a movement that has happened.
	pub fn record(&mut self, payment: Payment) -> Result<(), ArithmeticError> {
		self.settled = self.settled.checked_add(payment.total()).ok_or(ArithmeticError::Overflow)?;
		self.paid = self.paid.checked_add(payment.paid).ok_or(ArithmeticError::Overflow)?;
		self.fee = self.fee.checked_add(payment.fee).ok_or(ArithmeticError::Overflow)?;
		Ok(())
	}
}
