//! Invariants.

use crate::{Config, EscrowRecord, Escrows, HoldReason, Pallet};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold as _};
use millrace_math::split_fee;
use millrace_primitives::Balance;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. The hold of each payer equals the sum of `deposited - settled` over its open escrows.
	/// 2. `settled == paid + fee`, and `fee` is the fee of `settled` as a whole, rounded down.
	/// 3. `settled <= earned <= deposited`: nothing moves before it is earned, nothing is earned that is not held.
	/// 4. No more time is counted than is funded.
	/// 5. Payer and payee differ.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut holds = BTreeMap::<T::AccountId, Balance>::new();
		for escrow in Escrows::<T>::iter_values() {
			Self::try_state_record(&escrow)?;
			let held =
				escrow.deposited.checked_sub(escrow.settled).ok_or("3: settled more than deposited")?;
			let sum = holds.entry(escrow.payer).or_default();
			*sum = sum.checked_add(held).ok_or("1: the holds of one payer overflow")?;
		}
		for (payer, sum) in holds {
			let held = T::Currency::balance_on_hold(&HoldReason::Escrow.into(), &payer);
			ensure!(held == sum, "1: hold differs from ledger");
		}
		Ok(())
	}

	fn try_state_record(escrow: &EscrowRecord<T::AccountId>) -> Result<(), TryRuntimeError> {
		let moved = escrow.paid.checked_add(escrow.fee);
		ensure!(moved == Some(escrow.settled), "2: paid and fee differ from settled");
		ensure!(split_fee(escrow.settled, escrow.fee_rate).1 == escrow.fee, "2: fee differs from its rate");
		ensure!(escrow.settled <= escrow.earned(), "3: settled more than earned");
		let earned = millrace_math::accrued(escrow.rate, escrow.attested_ms);
		ensure!(earned.is_some_and(|earned| earned <= escrow.deposited), "3: earned more than deposited");
		ensure!(escrow.attested_ms <= escrow.funded_ms(), "4: counted more time than is funded");
		ensure!(escrow.payer != escrow.payee, "5: payer is payee");
		Ok(())
	}
}
