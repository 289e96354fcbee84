//! Benchmarks of the calls, each in its worst case: an escrow in a token, whose streams have payees without an account,
//! contests and all the parts that can mature apart.

use crate::{
	types::quarter, AllowedAssets, Call, Config, Contests, Escrows, HoldReason, Pallet, PayeeEscrows,
	MAX_BUCKETS, MAX_STREAMS,
};
use core::ops::Range;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungibles::{hold::Inspect as _, Balanced as _, Create, Inspect as _},
	EnsureOrigin, Get, Time,
};
use frame_system::RawOrigin;
use millrace_math::split_fee;
use millrace_primitives::{Asset, Balance, BlobHash, Escrow as _, EscrowId, Moment, StreamId};
use sp_runtime::Permill;

/// What the benchmarks ask of the runtime.
pub trait BenchmarkHelper {
	/// Makes `now`, in milliseconds since the Unix epoch, the chain's time. It is never earlier than the present time.
	fn set_time(now: Moment);
}

/// Number of the token that the benchmarks create.
const TOKEN: u32 = u32::MAX;
const ID: EscrowId = EscrowId(0);
/// The stream about which a verdict is given.
const JUDGED: StreamId = StreamId(0);
/// Attested time of one accrual, in milliseconds.
const ATTESTED_MS: u64 = 1_000;
/// What it earns: so much that each part of its fee is above the token's minimum balance.
const EARNED: Balance = 1_000_000_000;
const EVIDENCE: BlobHash = BlobHash::repeat_byte(7);

fn payee<T: Config>(stream: u32) -> T::AccountId {
	account("payee", stream, 0)
}

fn admin<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::AdminOrigin::try_successful_origin().map_err(|()| BenchmarkError::Weightless)
}

/// Creates the token, of which one unit suffices to keep an account.
fn create_token<T>() -> Result<(), BenchmarkError>
where
	T: Config<Credits: Create<T::AccountId>>,
{
	Ok(T::Credits::create(Asset::Token(TOKEN), account("issuer", 0, 0), true, 1)?)
}

/// Gives an account new money.
fn fund<T: Config>(who: &T::AccountId, asset: Asset, amount: Balance) -> Result<(), BenchmarkError> {
	let credit = T::Credits::issue(asset, amount);
	T::Credits::resolve(who, credit).map_err(|_| BenchmarkError::Stop("the account cannot be funded"))
}

/// Least bond of a contest, in plancks.
fn bond<T: Config>() -> Balance {
	T::ContestBond::get().max(T::Currency::minimum_balance(Asset::Native))
}

/// Opens an escrow in the token with that many streams, of which `contested` are contested, with their bonds on hold. The
/// time for the verdicts ends, and then each stream has as many parts that mature apart as it can have.
///
/// Something is left that nobody earns.
fn open_escrow<T>(payer: &T::AccountId, streams: u32, contested: Range<u32>) -> Result<(), BenchmarkError>
where
	T: Config<Credits: Create<T::AccountId>>,
{
	create_token::<T>()?;
	Pallet::<T>::allow_asset(admin::<T>()?, TOKEN)?;
	let accruals = Balance::from(MAX_BUCKETS).saturating_add(2);
	let deposit = EARNED.saturating_mul(accruals).saturating_mul(streams.into());
	fund::<T>(payer, Asset::Token(TOKEN), deposit.saturating_add(1))?;
	let bonds = bond::<T>().saturating_mul(streams.saturating_add(1).into());
	fund::<T>(payer, Asset::Native, bonds.saturating_add(T::Currency::minimum_balance(Asset::Native)))?;

	Pallet::<T>::open(ID, payer, Asset::Token(TOKEN), deposit)?;
	for stream in 0..streams {
		Pallet::<T>::add_stream(ID, &payee::<T>(stream), EARNED)?;
	}
	accrue::<T>(contested.clone())?;
	for stream in contested {
		open_contest::<T>(payer, StreamId(stream))?;
	}
	pass::<T>(T::VerdictWithin::get());
	for _ in 0..MAX_BUCKETS {
		// A part is filled for a quarter of the window. What is accrued after that begins a new one.
		pass::<T>(quarter(T::ContestWindow::get()).saturating_add(1));
		accrue::<T>(0..streams)?;
	}
	Ok(())
}

/// Adds the same attested time to each of these streams.
fn accrue<T: Config>(streams: Range<u32>) -> Result<(), BenchmarkError> {
	for stream in streams {
		let accrued = Pallet::<T>::accrue(ID, StreamId(stream), ATTESTED_MS)?;
		assert_eq!(accrued.amount, EARNED);
	}
	Ok(())
}

fn open_contest<T: Config>(payer: &T::AccountId, stream: StreamId) -> Result<(), BenchmarkError> {
	Ok(Pallet::<T>::contest(RawOrigin::Signed(payer.clone()).into(), ID, stream, EVIDENCE)?)
}

/// Closes the escrow as one whose refund could not be made yet, so that whatever comes next makes it too.
fn close<T: Config>() {
	Escrows::<T>::mutate(ID, |record| record.iter_mut().for_each(|record| record.close()));
	// Nothing may be measured that the pallet could not come to by itself.
	#[cfg(test)]
	frame_support::assert_ok!(Pallet::<T>::do_try_state());
}

/// Lets all mature that was earned so far.
fn mature<T: Config>() {
	let window = T::ContestWindow::get();
	pass::<T>(window.saturating_add(quarter(window)).saturating_add(1));
}

/// Lets time pass, in milliseconds.
fn pass<T: Config>(ms: u64) {
	T::BenchmarkHelper::set_time(T::Time::now().saturating_add(ms));
}

/// Parts that wait for the contest window, of all streams.
fn waiting_parts<T: Config>() -> usize {
	let now = T::Time::now();
	let streams = Escrows::<T>::get(ID).map_or_else(Default::default, |record| record.streams);
	streams.iter().flat_map(|stream| &stream.maturing).filter(|part| part.matures_at > now).count()
}

/// Checks that everything was paid, refunded and forgotten, after that many accruals of each stream.
fn assert_paid<T: Config>(payer: &T::AccountId, streams: u32, accruals: u32) {
	assert!(!Escrows::<T>::contains_key(ID));
	assert_eq!(Contests::<T>::iter_prefix(ID).count(), 0);
	let earned = EARNED.saturating_mul(accruals.into());
	let (paid, fee) = split_fee(earned, T::FeeRate::get());
	assert!(fee > 0, "the worst case has a fee");
	for stream in 0..streams {
		assert_eq!(T::Currency::balance(Asset::Token(TOKEN), &payee::<T>(stream)), paid);
		assert!(!PayeeEscrows::<T>::contains_key(payee::<T>(stream), ID));
	}
	assert!(T::Currency::balance(Asset::Token(TOKEN), payer) > 1, "nothing was refunded");
	for (reason, asset) in
		[(HoldReason::Escrow, Asset::Token(TOKEN)), (HoldReason::ContestBond, Asset::Native)]
	{
		assert_eq!(T::Currency::balance_on_hold(asset, &reason.into(), payer), 0);
	}
}

#[benchmarks(where T: Config<Credits: Create<T::AccountId>>)]
mod benchmarks {
	use super::*;

	/// Of a closed escrow: every stream has a contest that lapses, everything is due, the rest is refunded.
	#[benchmark]
	fn settle(s: Linear<1, MAX_STREAMS>) -> Result<(), BenchmarkError> {
		let payer: T::AccountId = account("payer", 0, 0);
		open_escrow::<T>(&payer, s, 0..s)?;
		mature::<T>();
		close::<T>();
		let anybody: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody), ID);

		assert_paid::<T>(&payer, s, MAX_BUCKETS.saturating_add(1));
		Ok(())
	}

	/// As `settle`, with all that can be maturing.
	#[benchmark]
	fn accept(s: Linear<1, MAX_STREAMS>) -> Result<(), BenchmarkError> {
		let payer: T::AccountId = whitelisted_caller();
		open_escrow::<T>(&payer, s, 0..s)?;
		close::<T>();
		assert_eq!(waiting_parts::<T>(), (s as usize).saturating_mul(MAX_BUCKETS as usize));

		#[extrinsic_call]
		_(RawOrigin::Signed(payer.clone()), ID);

		assert_paid::<T>(&payer, s, MAX_BUCKETS.saturating_add(1));
		Ok(())
	}

	/// Of a stream with all that can be maturing, in an escrow with all streams. All others have a contest.
	#[benchmark]
	fn contest() -> Result<(), BenchmarkError> {
		let payer: T::AccountId = whitelisted_caller();
		open_escrow::<T>(&payer, MAX_STREAMS, 1..MAX_STREAMS)?;
		let parts = (MAX_STREAMS as usize).saturating_mul(MAX_BUCKETS as usize);
		assert_eq!(waiting_parts::<T>(), parts);

		#[extrinsic_call]
		_(RawOrigin::Signed(payer.clone()), ID, JUDGED, EVIDENCE);

		let opened = Contests::<T>::get(ID, JUDGED).ok_or("the contest was not opened")?;
		assert_eq!(opened.amount, EARNED.saturating_mul(MAX_BUCKETS.into()));
		assert_eq!(
			T::Currency::balance_on_hold(Asset::Native, &HoldReason::ContestBond.into(), &payer),
			bond::<T>().saturating_mul(MAX_STREAMS.into())
		);
		Ok(())
	}

	/// For the payee, which gets the bond. All other streams have a contest that lapses; then as `settle`.
	#[benchmark]
	fn resolve_contest(s: Linear<1, MAX_STREAMS>) -> Result<(), BenchmarkError> {
		let payer: T::AccountId = account("payer", 0, 0);
		open_escrow::<T>(&payer, s, 1..s)?;
		mature::<T>();
		// As late as can be, so that there is time for a verdict.
		accrue::<T>(0..1)?;
		open_contest::<T>(&payer, JUDGED)?;
		close::<T>();
		let origin = admin::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, ID, JUDGED, Permill::one());

		assert_paid::<T>(&payer, s, MAX_BUCKETS.saturating_add(1));
		assert_eq!(T::Currency::balance(Asset::Native, &payee::<T>(JUDGED.0)), bond::<T>());
		Ok(())
	}

	#[benchmark]
	fn allow_asset() -> Result<(), BenchmarkError> {
		create_token::<T>()?;
		let origin = admin::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, TOKEN);

		assert!(AllowedAssets::<T>::contains_key(TOKEN));
		Ok(())
	}

	#[benchmark]
	fn disallow_asset() -> Result<(), BenchmarkError> {
		create_token::<T>()?;
		Pallet::<T>::allow_asset(admin::<T>()?, TOKEN)?;
		let origin = admin::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, TOKEN);

		assert!(!AllowedAssets::<T>::contains_key(TOKEN));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
