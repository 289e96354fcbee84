//! Units of money and weight, and the prices that are made of them.

use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};
use millrace_primitives::Balance;
use sp_runtime::Perbill;

/// Decimals of the token.
pub const DECIMALS: u8 = 12;
/// The token's symbol.
pub const SYMBOL: &str = "MILL";
/// Prefix of the chain's addresses: the generic one.
pub const SS58_PREFIX: u8 = 42;

/// One MILL, in plancks.
pub const MILL: Balance = 1_000_000_000_000;
/// A thousandth of a MILL, in plancks.
pub const MILLIMILL: Balance = MILL / 1_000;
/// A millionth of a MILL, in plancks.
pub const MICROMILL: Balance = MILL / 1_000_000;

/// The least that an account has to own. Below it the account is forgotten and what is left is burnt.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLIMILL;

/// Deposit for what is kept in state: so much per entry, so much per byte. Large enough that filling a node's memory
/// costs more than the memory, small enough not to matter for one multisig.
pub const fn deposit(entries: u32, bytes: u32) -> Balance {
	entries as Balance * 100 * MILLIMILL + bytes as Balance * 100 * MICROMILL
}

/// Computing time of a block. A third of a production slot: the rest is for the network and for slower validators.
pub const MAXIMUM_BLOCK_WEIGHT: Weight =
	Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2), u64::MAX);
/// Length of a block, in bytes.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;
/// Share of a block that ordinary transactions may take. The rest is for operational ones.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
/// Share of a block that hooks are expected to take at most, before any transaction.
pub const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(10);
/// Share of a block that each of the market's two agendas may take. What does not fit waits for the next block.
pub const AGENDA_RATIO: Perbill = Perbill::from_percent(15);
