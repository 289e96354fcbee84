//! Records of the registry, and the arithmetic of a provider's bond.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_math::{DayOfEpochs, UPTIME_DAYS};
use millrace_primitives::{
	Balance, ClassId, Country, GpuIndex, GpuState, Hash, Moment, MAX_GPUS_PER_PROVIDER,
};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, ArithmeticError, BoundedVec};

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
	/// Group of operators that it declares.
	pub operator_group: Option<u32>,
	/// Whether its reports arrive.
	pub standing: Standing,
	/// Active bond, in plancks.
	pub bonded: Balance,
	/// Parts of the bond on their way out.
	pub unbonding: BoundedVec<Chunk, ConstU32<MAX_UNBONDING_CHUNKS>>,
	/// Plancks of the bond that went to renters as penalties, since the registration.
	pub penalties: Balance,
	/// Plancks held for the registration.
	pub deposit: Balance,
	/// Index of its next GPU.
	pub next_gpu: u16,
	/// Whether it added GPUs since its last report.
	pub added_gpus: bool,
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

/// Epochs of reports of the last days.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct UptimeRing {
	/// Day of the newest entry, in days since the Unix epoch.
	pub day: u32,
	/// Epochs that were expected and epochs that were attested, by day, newest first.
	pub days: [DayOfEpochs; UPTIME_DAYS],
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

	/// Takes out the chunks that have finished unbonding. Returns their sum, in plancks.
	pub(crate) fn take_matured(&mut self, now: Moment) -> Balance {
		let matured = self.matured(now);
		self.unbonding.retain(|chunk| chunk.unlocks_at > now);
		matured
	}
}
