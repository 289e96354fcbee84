//! The bounds within which the market reads what governance can change. No vote goes beyond them.

use crate::{
	configs::governance::dynamic_params::{breaker, deposits, fees, rewards, slashes},
	constants::{EXISTENTIAL_DEPOSIT, MILL},
	Balance,
};
use frame_support::traits::Get;
use sp_runtime::{Perbill, Permill};

/// A parameter that counts as the bound where it is beyond one.
macro_rules! bounded {
	($(#[$doc:meta])* $name:ident: $kind:ty = $parameter:path, $least:expr, $most:expr) => {
		$(#[$doc])*
		pub struct $name;

		impl $name {
			/// Smallest value that counts.
			pub const LEAST: $kind = $least;
			/// Largest value that counts.
			pub const MOST: $kind = $most;
		}

		impl Get<$kind> for $name {
			fn get() -> $kind {
				<$parameter as Get<$kind>>::get().clamp(Self::LEAST, Self::MOST)
			}
		}
	};
}

bounded!(
	/// Share of each payment that is withheld as the fee.
	FeeRate: Permill = fees::FeeRate, Permill::zero(), Permill::from_percent(10)
);
bounded!(
	/// Deposit of a provider's registration, in plancks.
	RegistrationDeposit: Balance = deposits::Registration, EXISTENTIAL_DEPOSIT, 1_000 * MILL
);
bounded!(
	/// Deposit of a provider's first ask, in plancks.
	AskDeposit: Balance = deposits::Ask, EXISTENTIAL_DEPOSIT, 100 * MILL
);
bounded!(
	/// Deposit of a renter's first waiting order, in plancks.
	OrderDeposit: Balance = deposits::Order, EXISTENTIAL_DEPOSIT, 100 * MILL
);
bounded!(
	/// Deposit of a provider's first live bid, in plancks.
	BidDeposit: Balance = deposits::Bid, EXISTENTIAL_DEPOSIT, 10 * MILL
);
bounded!(
	/// Least bond of a contest, in plancks.
	ContestBond: Balance = deposits::Contest, EXISTENTIAL_DEPOSIT, 1_000 * MILL
);
bounded!(
	/// Least bond of an appeal, in plancks.
	AppealBond: Balance = deposits::Appeal, EXISTENTIAL_DEPOSIT, 100 * MILL
);
bounded!(
	/// What one missed epoch of a whole node costs: at most 0.1 % of its lease bond.
	DowntimeRate: Perbill = slashes::DowntimeRate, Perbill::zero(), Perbill::from_parts(1_000_000)
);
bounded!(
	/// Most that faults can cost a provider in one era.
	EraSlashCap: Permill = slashes::EraCap, Permill::from_percent(1), Permill::from_percent(20)
);
bounded!(
	/// Most that one episode can cost.
	EpisodeCap: Permill = slashes::EpisodeCap, Permill::from_percent(20), Permill::one()
);
bounded!(
	/// Share of the insurance pool in what the renter does not get.
	InsuranceShare: Permill = slashes::InsuranceShare, Permill::zero(), Permill::one()
);
bounded!(
	/// Bond of an appeal, as a share of the slash.
	AppealBondShare: Permill = slashes::AppealBondShare, Permill::from_percent(1), Permill::from_percent(50)
);
bounded!(
	/// Reward for a unit of capacity and an idle epoch, in plancks.
	RewardPerUnit: Balance = rewards::PerUnit, 0, MILL
);
bounded!(
	/// Most that rewards can cost in one era, in plancks.
	EraBudget: Balance = rewards::EraBudget, 0, 10_000 * MILL
);
bounded!(
	/// Slots that may stay empty in a row, and blocks by which finality may lag.
	MaxLag: u32 = breaker::MaxLag, 10, 200
);
bounded!(
	/// Share of everybody else's leased capacity above which what is missed is a mass outage.
	OutageShare: Permill = breaker::OutageShare, Permill::from_percent(10), Permill::from_percent(50)
);
