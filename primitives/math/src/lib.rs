//! Formulas of the market: accrual, fees, epochs, uptime. Integers in, integers out; no state, no FRAME.
//!
//! Units: money is in plancks, a rate in plancks per second, a price in plancks per GPU and second, time in milliseconds,
//! an epoch's length and offset in blocks.
//!
//! Every function names the way in which it rounds. Together they round so that a deposit always covers the term that it was
//! taken for, and so that nobody is charged for a part of a planck that was not earned: [`deposit_for`] rounds up,
//! [`accrued`], [`funded_ms`] and the fee of [`split_fee`] round down. No function panics for any input.
#![cfg_attr(not(feature = "std"), no_std)]

mod accrual;
mod epoch;
mod fee;
mod market;
mod reputation;
mod slashing;
mod uptime;

pub use accrual::{accrued, deposit_for, funded_ms, rate, MS_PER_SECOND};
pub use epoch::{epoch_end, epoch_of, epoch_offset};
pub use fee::split_fee;
pub use market::{funds_end, rising_deposit, with_premium};
pub use reputation::{reputation, Outcomes};
pub use slashing::{downtime_slash, slash_waterfall, Waterfall};
pub use uptime::{count_epochs, uptime, DayOfEpochs, UPTIME_DAYS};
