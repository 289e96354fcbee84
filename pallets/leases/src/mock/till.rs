//! Model of the escrow: real holds for the native token, a ledger of its own for others. It takes no fee, and pays
//! what was earned at the end: at once, or when [`ContestWindow`] is over.

use super::{AccountId, Balances, Now, RuntimeHoldReason, Test};
use codec::{Decode, Encode};
use frame_support::{
	ensure, parameter_types, storage_alias,
	traits::{
		fungible::{InspectHold as _, MutateHold as _},
		tokens::{Fortitude, Precision, Restriction},
	},
	Twox64Concat,
};
use millrace_primitives::{Accrued, Asset, Balance, Closing, Escrow, EscrowId, Moment, StreamId};
use sp_runtime::{DispatchError, DispatchResult, TokenError};
use std::collections::BTreeMap;

/// Gives the model a reason to hold.
#[frame_support::pallet]
#[expect(unreachable_pub, reason = "FRAME's macros want it")]
pub mod pallet {
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::composite_enum]
	pub enum HoldReason {
		Escrow,
	}
}

parameter_types! {
	/// Escrows that take no payee, and whose close and payments fail.
	pub static BrokenEscrows: Vec<EscrowId> = Vec::new();
	/// Escrows of which nothing can be taken back.
	pub static StuckEscrows: Vec<EscrowId> = Vec::new();
	/// For how long what was earned is held after the close, in milliseconds.
	pub static ContestWindow: u64 = 0;
}

#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct TillStream {
	pub(crate) payee: AccountId,
	pub(crate) rate: Balance,
	pub(crate) attested_ms: u64,
	pub(crate) earned: Balance,
	pub(crate) voided: Balance,
	pub(crate) ended: bool,
}

#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct TillEscrow {
	pub(crate) payer: AccountId,
	pub(crate) asset: Asset,
	/// On hold.
	pub(crate) held: Balance,
	pub(crate) streams: Vec<TillStream>,
	/// When it is paid, once it is closed.
	pub(crate) pays_at: Option<Moment>,
}

impl TillEscrow {
	pub(crate) fn owed(&self) -> Balance {
		self.streams.iter().map(|stream| stream.earned - stream.voided).sum()
	}

	pub(crate) fn free(&self) -> Balance {
		self.held - self.owed()
	}
}

#[storage_alias]
pub(crate) type TillEscrows = StorageMap<MockTill, Twox64Concat, EscrowId, TillEscrow>;
/// Free balances of tokens.
#[storage_alias]
pub(crate) type TillTokens = StorageMap<MockTill, Twox64Concat, (u32, AccountId), Balance>;

const REASON: RuntimeHoldReason = RuntimeHoldReason::TillHolds(pallet::HoldReason::Escrow);
const NO_ESCROW: DispatchError = DispatchError::Other("no such escrow, or not in this state");

/// Gives an account tokens.
pub(crate) fn tokens_to(who: AccountId, token: u32, amount: Balance) {
	TillTokens::mutate((token, who), |balance| *balance = Some(balance.unwrap_or(0) + amount));
}

pub(crate) fn token_balance(who: AccountId, token: u32) -> Balance {
	TillTokens::get((token, who)).unwrap_or(0)
}

/// Held in an escrow; nothing if there is none.
pub(crate) fn held_of(id: impl Into<EscrowId>) -> Balance {
	TillEscrows::get(id.into()).map_or(0, |escrow| escrow.held)
}

/// What is held of an account is what its escrows hold.
pub(super) fn check() {
	let mut sums = BTreeMap::<AccountId, Balance>::new();
	for escrow in TillEscrows::iter_values().filter(|escrow| escrow.asset == Asset::Native) {
		*sums.entry(escrow.payer).or_default() += escrow.held;
		assert!(escrow.owed() <= escrow.held);
	}
	for who in frame_system::Account::<Test>::iter_keys() {
		assert_eq!(Balances::balance_on_hold(&REASON, &who), sums.get(&who).copied().unwrap_or(0));
	}
}

fn open(id: EscrowId) -> Result<TillEscrow, DispatchError> {
	TillEscrows::get(id).filter(|escrow| escrow.pays_at.is_none()).ok_or(NO_ESCROW)
}

fn stream(escrow: &mut TillEscrow, stream: StreamId) -> Result<&mut TillStream, DispatchError> {
	escrow.streams.get_mut(stream.0 as usize).filter(|stream| !stream.ended).ok_or(NO_ESCROW)
}

fn hold(asset: Asset, payer: AccountId, amount: Balance) -> DispatchResult {
	match asset {
		Asset::Native => Balances::hold(&REASON, &payer, amount),
		Asset::Token(token) => {
			let left = token_balance(payer, token).checked_sub(amount).ok_or(TokenError::FundsUnavailable)?;
			TillTokens::insert((token, payer), left);
			Ok(())
		}
	}
}

/// Moves `amount` out of the escrow's hold.
fn pay(escrow: &mut TillEscrow, to: AccountId, amount: Balance) -> DispatchResult {
	escrow.held = escrow.held.checked_sub(amount).ok_or(NO_ESCROW)?;
	match escrow.asset {
		Asset::Native if to == escrow.payer => {
			Balances::release(&REASON, &to, amount, Precision::Exact).map(|_| ())
		}
		Asset::Native => {
			let (precision, restriction) = (Precision::Exact, Restriction::Free);
			Balances::transfer_on_hold(
				&REASON,
				&escrow.payer,
				&to,
				amount,
				precision,
				restriction,
				Fortitude::Force,
			)
			.map(|_| ())
		}
		Asset::Token(token) => {
			tokens_to(to, token, amount);
			Ok(())
		}
	}
}

/// Pays every stream what it earned, and forgets the escrow.
fn pay_all(id: EscrowId, mut escrow: TillEscrow) -> DispatchResult {
	for stream in escrow.streams.clone() {
		pay(&mut escrow, stream.payee, stream.earned - stream.voided)?;
	}
	ensure!(escrow.held == 0, NO_ESCROW);
	TillEscrows::remove(id);
	Ok(())
}

pub struct Till;

impl Escrow<AccountId, Balance> for Till {
	fn is_allowed(asset: Asset) -> bool {
		matches!(asset, Asset::Native | super::TOKEN)
	}

	fn can_hold(asset: Asset, payer: &AccountId, amount: Balance) -> bool {
		match asset {
			Asset::Native => Balances::can_hold(&REASON, payer, amount),
			Asset::Token(token) => token_balance(*payer, token) >= amount,
		}
	}

	fn open(id: EscrowId, payer: &AccountId, asset: Asset, deposit: Balance) -> DispatchResult {
		assert!(!TillEscrows::contains_key(id), "an escrow is opened twice");
		hold(asset, *payer, deposit)?;
		let (payer, streams) = (*payer, Vec::new());
		TillEscrows::insert(id, TillEscrow { payer, asset, held: deposit, streams, pays_at: None });
		Ok(())
	}

	fn top_up(id: EscrowId, amount: Balance) -> DispatchResult {
		let mut escrow = open(id)?;
		hold(escrow.asset, escrow.payer, amount)?;
		escrow.held += amount;
		TillEscrows::insert(id, escrow);
		Ok(())
	}

	fn withdraw(id: EscrowId, amount: Balance) -> DispatchResult {
		ensure!(!StuckEscrows::get().contains(&id), DispatchError::Unavailable);
		let mut escrow = open(id)?;
		ensure!(amount <= escrow.free(), TokenError::FundsUnavailable);
		let payer = escrow.payer;
		pay(&mut escrow, payer, amount)?;
		TillEscrows::insert(id, escrow);
		Ok(())
	}

	fn add_stream(id: EscrowId, payee: &AccountId, rate: Balance) -> Result<StreamId, DispatchError> {
		ensure!(!BrokenEscrows::get().contains(&id), DispatchError::Unavailable);
		let mut escrow = open(id)?;
		let number = StreamId(escrow.streams.len() as u32);
		let stream = TillStream { payee: *payee, rate, attested_ms: 0, earned: 0, voided: 0, ended: false };
		escrow.streams.push(stream);
		TillEscrows::insert(id, escrow);
		Ok(number)
	}

	fn accrue(id: EscrowId, number: StreamId, ms: u64) -> Result<Accrued<Balance>, DispatchError> {
		let mut escrow = open(id)?;
		let free = escrow.free();
		let stream = stream(&mut escrow, number)?;
		let wanted = millrace_math::accrued(stream.rate, stream.attested_ms + ms).unwrap() - stream.earned;
		let (ms, amount) = if wanted <= free {
			(ms, wanted)
		} else {
			let funded = millrace_math::funded_ms(stream.earned + free, stream.rate);
			(funded.saturating_sub(stream.attested_ms), free)
		};
		stream.attested_ms += ms;
		stream.earned += amount;
		TillEscrows::insert(id, escrow);
		Ok(Accrued { ms, amount })
	}

	fn end_stream(id: EscrowId, number: StreamId) -> DispatchResult {
		let mut escrow = open(id)?;
		stream(&mut escrow, number)?.ended = true;
		TillEscrows::insert(id, escrow);
		Ok(())
	}

	fn free(id: EscrowId) -> Option<Balance> {
		TillEscrows::get(id).map(|escrow| escrow.free())
	}

	fn void(id: EscrowId) -> Result<Balance, DispatchError> {
		let mut escrow = open(id)?;
		let owed = escrow.owed();
		for stream in &mut escrow.streams {
			stream.voided = stream.earned;
		}
		TillEscrows::insert(id, escrow);
		Ok(owed)
	}

	fn close(id: EscrowId) -> Result<Closing<Balance>, DispatchError> {
		ensure!(!BrokenEscrows::get().contains(&id), DispatchError::Unavailable);
		let mut escrow = open(id)?;
		let attested_ms = escrow.streams.iter().map(|stream| stream.attested_ms).sum();
		let (payer, refunded, owed) = (escrow.payer, escrow.free(), escrow.owed());
		pay(&mut escrow, payer, refunded)?;
		if owed == 0 || ContestWindow::get() == 0 {
			pay_all(id, escrow)?;
			return Ok(Closing { refunded, pending: 0, attested_ms, next: None, streams: 0 });
		}
		let streams = escrow.streams.len() as u32;
		let next = Some(Now::get() + ContestWindow::get());
		escrow.pays_at = next;
		TillEscrows::insert(id, escrow);
		Ok(Closing { refunded, pending: owed, attested_ms, next, streams })
	}

	fn finish(id: EscrowId) -> Result<Option<Moment>, DispatchError> {
		ensure!(!BrokenEscrows::get().contains(&id), DispatchError::Unavailable);
		let Some(escrow) = TillEscrows::get(id) else { return Ok(None) };
		let pays_at = escrow.pays_at.ok_or(NO_ESCROW)?;
		if Now::get() < pays_at {
			return Ok(Some(pays_at));
		}
		pay_all(id, escrow).map(|()| None)
	}
}
