//! Records of the registry, and the arithmetic of a provider's bond.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_math::{DayOfEpochs, Outcomes, UPTIME_DAYS};
use millrace_primitives::{
	Balance, ClassId, Country, GpuIndex, GpuState, Hash, Moment, MAX_GPUS_PER_PROVIDER,
};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, ArithmeticError, BoundedVec, Permill};

/// Longest endpoint, in bytes.
pub const MAX_ENDPOINT_LEN: u32 = 128;
/// Most parts of a bond that can be unbonding at a time.
pub const MAX_UNBONDING_CHUNKS: u32 = 8;

/// Where a provider's node is reached: `ws://...` or `wss://...`.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT_LEN>>;
/// GPUs of one provider.
pub type GpuList = BoundedVec<GpuIndex, ConstU32<MAX_GPUS_PER_PROVIDER>>;

/// Whether a provider's reports arrive.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Standing {
	/// It has never reported. Its GPUs are not offered.
	#[codec(index = 0)]
	New,
	/// They arrive.
	#[codec(index = 1)]
	Live,
	/// They stopped. Its GPUs are not offered until the next one.
	#[codec(index = 2)]
	Stale,
}

/// Part of a bond on its way out.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Chunk {
	/// Plancks, still on hold. Never zero.
	pub amount: Balance,
	/// When they can be withdrawn, in milliseconds.
	pub unlocks_at: Moment,
}

/// What faults took from a bond in one era.
#[derive(
	Clone, Copy, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EraSlashes {
	/// Number of the era.
	pub era: u32,
	/// What was at stake at the era's first fault, in plancks.
	pub at_stake: Balance,
	/// What was held for faults since, in plancks. What is returned later does not lower it.
	pub held: Balance,
}

/// Where a provider stands with operator groups, each named after the account that founded it.
#[derive(
	Clone, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Membership<AccountId> {
	/// It belongs to none, unless others joined its own.
	#[default]
	Alone,
	/// It asks to join one, and is on its own until the founder admits it.
	Applied {
		/// Account after which the group is named.
		founder: AccountId,
	},
	/// It belongs to one.
	Member {
		/// Account after which the group is named.
		founder: AccountId,
	},
}

impl<AccountId> Membership<AccountId> {
	/// Founder of the group that the provider belongs to or asks to join.
	pub fn founder(&self) -> Option<&AccountId> {
		match self {
			Self::Alone => None,
			Self::Applied { founder } | Self::Member { founder } => Some(founder),
		}
	}

	/// Account as which the provider counts: its group's founder, or itself.
	pub fn owner<'a>(&'a self, provider: &'a AccountId) -> &'a AccountId {
		match self {
			Self::Member { founder } => founder,
			Self::Alone | Self::Applied { .. } => provider,
		}
	}
}

/// A registered provider.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Provider<AccountId> {
	/// Account of its worker key.
	pub worker: Option<AccountId>,
	/// Where its node is reached.
	pub endpoint: Endpoint,
	/// Country that it declares.
	pub country: Country,
	/// Number of the autonomous system that it declares; zero if it declares none.
	pub network: u32,
	/// Operator group that it belongs to, or wants to.
	pub group: Membership<AccountId>,
	/// Whether its reports arrive.
	pub standing: Standing,
	/// Active bond, in plancks.
	pub bonded: Balance,
	/// Part of the active bond that is locked for leases, in plancks: the sum of the lease bonds.
	pub locked: Balance,
	/// Parts of the bond on their way out.
	pub unbonding: BoundedVec<Chunk, ConstU32<MAX_UNBONDING_CHUNKS>>,
	/// Plancks of the bond that went to renters as penalties, since the registration.
	pub penalties: Balance,
	/// Plancks that slashes hold: neither active nor gone, until each slash is executed or returned.
	pub pending_slashes: Balance,
	/// Plancks that executed slashes took, since the registration.
	pub slashed: Balance,
	/// What was held for faults in the newest era that had one.
	pub era_slashes: EraSlashes,
	/// Newest maintenance that it announced.
	pub maintenance: Option<Maintenance>,
	/// When the break after the one before is over, in milliseconds.
	pub rested_at: Moment,
	/// Plancks held for the registration.
	pub deposit: Balance,
	/// Index of its next GPU.
	pub next_gpu: u16,
	/// Whether GPUs or bond came or went since its last report, so that it may offer more or less than before.
	pub capacity_changed: bool,
	/// When it registered, in milliseconds.
	pub registered_at: Moment,
}

/// A registered GPU.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Gpu {
	/// Its class.
	pub class: ClassId,
	/// Salted hash of its UUID.
	pub uuid_hash: Hash,
	/// Whether it is free, leased or faulty.
	pub state: GpuState,
	/// Whether it serves a lease although the last report did not call it healthy. False for a GPU that is not leased.
	pub lost: bool,
}

/// How many GPUs of one class a provider has.
#[derive(
	Clone, Copy, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ClassCapacity {
	/// All of them.
	pub registered: u32,
	/// Those that are healthy and serve no lease.
	pub free: u32,
}

impl ClassCapacity {
	/// With one GPU more, if there is one.
	// At most MAX_GPUS_PER_PROVIDER are counted, so that neither this nor its reverse can saturate.
	pub(crate) fn with(self, gpu: Option<Gpu>) -> Self {
		let (registered, free) = Self::share(gpu);
		Self { registered: self.registered.saturating_add(registered), free: self.free.saturating_add(free) }
	}

	/// With one GPU less, if there is one.
	pub(crate) fn without(self, gpu: Option<Gpu>) -> Self {
		let (registered, free) = Self::share(gpu);
		Self { registered: self.registered.saturating_sub(registered), free: self.free.saturating_sub(free) }
	}

	/// What one GPU adds to both counts.
	fn share(gpu: Option<Gpu>) -> (u32, u32) {
		gpu.map_or((0, 0), |gpu| (1, u32::from(gpu.state == GpuState::Healthy)))
	}
}

/// What is remembered of a provider's service.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ServiceRecord {
	/// Day of the newest entry of `days`, in days since the Unix epoch.
	pub day: u32,
	/// Epochs that were expected and epochs that were attested, by day, newest first.
	pub days: [DayOfEpochs; UPTIME_DAYS],
	/// Leases that it served until their end.
	pub completed: u32,
	/// Leases that it was not ready for in time, went dark in, or left.
	pub faulted: u32,
	/// Leases whose renters did not accept what they got.
	pub rejected: u32,
	/// Slashes that were executed.
	pub slashed: u32,
}

impl ServiceRecord {
	/// A record of nothing, that begins on this day.
	pub(crate) fn beginning(day: u32) -> Self {
		Self { day, days: Default::default(), completed: 0, faulted: 0, rejected: 0, slashed: 0 }
	}

	/// Uptime today, over 7 days and over 30 days.
	pub(crate) fn uptime(&self, today: u32) -> Option<(Permill, Permill, Permill)> {
		// Chain time does not go back, so that the newest day is not after today.
		millrace_math::uptime(&self.days, today.saturating_sub(self.day))
	}

	/// One figure for matching: zero without an uptime.
	pub(crate) fn reputation(&self, today: u32) -> Permill {
		let Self { completed, faulted, rejected, slashed, .. } = *self;
		let outcomes = Outcomes { completed, faulted, rejected, slashed };
		self.uptime(today).map_or(Permill::zero(), |(_, _, month)| millrace_math::reputation(month, outcomes))
	}
}

/// Time in which a provider that serves no lease owes no reports.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Maintenance {
	/// When it begins, in milliseconds.
	pub from: Moment,
	/// When it is over, in milliseconds.
	pub until: Moment,
	/// Whether a report since its begin has taken the provider's offers out of the book.
	pub begun: bool,
	/// Whether a report since its end has brought them back.
	pub over: bool,
}

impl Maintenance {
	/// Whether it is going on.
	pub fn is_on(&self, now: Moment) -> bool {
		self.from <= now && now < self.until
	}

	/// Takes note of what has come of it by `now`. Returns whether that is news.
	pub(crate) fn advance(&mut self, now: Moment) -> bool {
		let (begun, over) = (self.from <= now, self.until <= now);
		let is_news = (begun, over) != (self.begun, self.over);
		(self.begun, self.over) = (begun, over);
		is_news
	}

	/// How long it is, in milliseconds.
	pub(crate) fn length(&self) -> u64 {
		self.until.saturating_sub(self.from)
	}

	/// How much of the time between two moments is in it, in milliseconds.
	pub(crate) fn overlap(&self, since: Moment, now: Moment) -> u64 {
		self.until.min(now).saturating_sub(self.from.max(since))
	}
}

/// Why an amount cannot start to unbond.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UnbondError {
	/// It is more than the active bond.
	MoreThanBonded,
	/// What would remain is less than what is required.
	BelowRequired,
	/// Too many chunks.
	TooManyChunks,
}

impl<AccountId> Provider<AccountId> {
	/// Active bond that no lease has locked, in plancks.
	pub fn free_bond(&self) -> Balance {
		// What slashes and penalties took may leave less than the leases have locked: then nothing is free.
		self.bonded.saturating_sub(self.locked)
	}

	/// Plancks under the hold reason `Bond`: active and unbonding. `None` on overflow.
	pub fn at_stake(&self) -> Option<Balance> {
		self.unbonding.iter().try_fold(self.bonded, |sum, chunk| sum.checked_add(chunk.amount))
	}

	/// Plancks that have finished unbonding.
	pub fn matured(&self, now: Moment) -> Balance {
		// Cannot saturate: all of it is on hold in one account.
		self.unbonding
			.iter()
			.filter(|chunk| chunk.unlocks_at <= now)
			.fold(0, |sum, chunk| sum.saturating_add(chunk.amount))
	}

	/// Adds plancks to the active bond.
	pub(crate) fn bond(&mut self, amount: Balance) -> Result<(), ArithmeticError> {
		self.bonded = self.bonded.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
		Ok(())
	}

	/// Moves plancks from the active bond to a chunk, if at least `required` stay active.
	pub(crate) fn unbond(
		&mut self,
		amount: Balance,
		required: Balance,
		unlocks_at: Moment,
	) -> Result<(), UnbondError> {
		let remaining = self.bonded.checked_sub(amount).ok_or(UnbondError::MoreThanBonded)?;
		if remaining < required {
			return Err(UnbondError::BelowRequired);
		}
		match self.unbonding.last_mut() {
			// Two calls in one block need no two chunks.
			Some(last) if last.unlocks_at == unlocks_at => {
				// Cannot saturate: all of it is on hold in one account.
				last.amount = last.amount.saturating_add(amount);
			}
			_ => self
				.unbonding
				.try_push(Chunk { amount, unlocks_at })
				.map_err(|_| UnbondError::TooManyChunks)?,
		}
		self.bonded = remaining;
		Ok(())
	}

	/// Takes plancks that left the hold as a penalty out of the active bond. `None` if there are fewer.
	pub(crate) fn pay_penalty(&mut self, amount: Balance) -> Option<()> {
		self.bonded = self.bonded.checked_sub(amount)?;
		// Clamping is right: nobody can have paid that much.
		self.penalties = self.penalties.saturating_add(amount);
		Some(())
	}

	/// Moves up to `amount` plancks to the pending slashes: of the active bond first, then of what is unbonding, what leaves
	/// first before what leaves later. Returns what moved. `None` on overflow.
	pub(crate) fn hold_slash(&mut self, amount: Balance) -> Option<Balance> {
		let amount = amount.min(self.at_stake()?);
		let of_active = amount.min(self.bonded);
		self.bonded = self.bonded.checked_sub(of_active)?;
		let mut left = amount.checked_sub(of_active)?;
		for chunk in &mut self.unbonding {
			let part = left.min(chunk.amount);
			chunk.amount = chunk.amount.checked_sub(part)?;
			left = left.checked_sub(part)?;
		}
		self.unbonding.retain(|chunk| chunk.amount > 0);
		self.pending_slashes = self.pending_slashes.checked_add(amount)?;
		Some(amount)
	}

	/// Moves plancks of the pending slashes back to the active bond. `None` if there are fewer.
	pub(crate) fn return_slash(&mut self, amount: Balance) -> Option<()> {
		self.pending_slashes = self.pending_slashes.checked_sub(amount)?;
		self.bonded = self.bonded.checked_add(amount)?;
		Some(())
	}

	/// Takes plancks out of the pending slashes for good. `None` if there are fewer.
	pub(crate) fn take_slash(&mut self, amount: Balance) -> Option<()> {
		self.pending_slashes = self.pending_slashes.checked_sub(amount)?;
		// Clamping is right: nobody can have lost that much.
		self.slashed = self.slashed.saturating_add(amount);
		Some(())
	}

	/// How much more faults may cost in this era, in plancks, at `share` of what was at stake at its first fault.
	pub(crate) fn left_in_era(&self, era: u32, share: Permill) -> Balance {
		let (at_stake, held) = if self.era_slashes.era == era && self.era_slashes.at_stake > 0 {
			(self.era_slashes.at_stake, self.era_slashes.held)
		} else {
			(self.at_stake().unwrap_or(0), 0)
		};
		share.mul_floor(at_stake).saturating_sub(held)
	}

	/// Counts what is about to be held for a fault. Called before the amount moves.
	pub(crate) fn count_in_era(&mut self, era: u32, amount: Balance) {
		if self.era_slashes.era != era || self.era_slashes.at_stake == 0 {
			self.era_slashes = EraSlashes { era, at_stake: self.at_stake().unwrap_or(0), held: 0 };
		}
		// Cannot saturate: no more than a share of what is at stake is held in one era.
		self.era_slashes.held = self.era_slashes.held.saturating_add(amount);
	}

	/// Takes out the chunks that have finished unbonding. Returns their sum, in plancks.
	pub(crate) fn take_matured(&mut self, now: Moment) -> Balance {
		let matured = self.matured(now);
		self.unbonding.retain(|chunk| chunk.unlocks_at > now);
		matured
	}
}
