//! Benchmarks: each call and each step of the agenda in its worst case.
//!
//! The worst slash has as many unjudged faults as one can have, of which all but one turn out to be excused, an appeal, and
//! somebody to compensate. Each benchmark checks that what it measures was done.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

use crate::{
	pallet::*,
	types::{Fault, Offence, SlashStatus, Verdict, MAX_FAULTS},
	SlashOf,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{hold::Inspect as _, Inspect as _, Mutate as _},
		EnsureOrigin, Get, Time,
	},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	Balance, BlobHash, BlockNumber, Excuse, FaultEpoch, Judgement, LeaseId, Moment, NodeFault, SlashCause,
	SlashId, Slashing as _, MAX_GPUS_PER_PROVIDER,
};
use sp_runtime::Permill;

/// What the benchmarks ask of the runtime.
pub trait BenchmarkHelper<AccountId> {
	/// Sets chain time, in milliseconds since the Unix epoch, and lets it count against providers.
	fn set_time(now: Moment);

	/// Registers a provider with an active bond of that many plancks, or somewhat more, and as many unbonding chunks as one can
	/// have.
	fn add_provider(provider: &AccountId, bond: Balance);

	/// A class of GPUs with a minimum bond of that many plancks, or somewhat more.
	fn add_class(min_bond: Balance) -> millrace_primitives::ClassId;

	/// From now on every miss of the owner that was found in `epoch` is judged like that, by the longest way there is.
	fn judge(epoch: FaultEpoch, owner: &AccountId, judgement: Judgement);
}

/// When everything begins.
const START: Moment = 1_700_000_000_000;
const ID: SlashId = SlashId(0);
const LEASE: LeaseId = LeaseId(0);
const EVIDENCE: BlobHash = BlobHash::repeat_byte(7);

fn provider<T: Config>() -> T::AccountId {
	account("provider", 0, 0)
}

fn renter<T: Config>() -> T::AccountId {
	account("renter", 0, 0)
}

/// So many plancks that every part of a slash makes an account.
fn unit<T: Config>() -> Balance {
	T::Currency::minimum_balance().max(T::MinAppealBond::get()).max(1) * 1_000
}

fn admin<T: Config>() -> T::RuntimeOrigin {
	T::AdminOrigin::try_successful_origin().ok().unwrap()
}

/// A provider with a bond and free balance.
fn begin<T: Config>() {
	frame_system::Pallet::<T>::set_block_number(1u32.into());
	T::BenchmarkHelper::set_time(START);
	T::Currency::mint_into(&provider::<T>(), 100 * unit::<T>()).unwrap();
	T::BenchmarkHelper::add_provider(&provider::<T>(), 1_000 * unit::<T>());
}

/// Lets time pass, in milliseconds.
fn pass<T: Config>(ms: u64) {
	T::BenchmarkHelper::set_time(T::Time::now() + ms);
}

fn slash<T: Config>() -> SlashOf<T> {
	Slashes::<T>::get(ID).unwrap()
}

/// A slash whose episode is over, with that many unjudged faults: the first counts, all others are excused.
fn ended<T: Config>(faults: u32) {
	begin::<T>();
	let owner = provider::<T>();
	Pallet::<T>::count_fault(NodeFault {
		provider: provider::<T>(),
		owner: owner.clone(),
		lease: LEASE,
		renter: renter::<T>(),
		cause: SlashCause::Dark,
		lease_bond: 100 * unit::<T>(),
		epochs: 0,
		since: 0,
		dark_gpus: 1,
		gpus: 1,
		walkout: 100 * unit::<T>(),
		unserved: Some(unit::<T>()),
	})
	.unwrap();
	Pallet::<T>::end_episode(&provider::<T>(), LEASE);
	let part = slash::<T>().held / Balance::from(MAX_FAULTS + 1);
	// Each began long before it was found, and what excuses it was then: all epochs around both are looked at.
	let found = |index: u32| 10 + 6 * index;
	let fault = |index| Fault { epoch: found(index), since: found(index) - 5, amount: part, unserved: 1 };
	let list: Vec<_> = (0..faults).map(fault).collect();
	for (index, fault) in (0..).zip(&list) {
		T::BenchmarkHelper::judge(fault.epoch, &owner, Judgement::Counts);
		if index > 0 {
			T::BenchmarkHelper::judge(fault.since, &owner, Judgement::Excused(Excuse::MassOutage));
		}
	}
	Slashes::<T>::mutate_extant(ID, |slash| slash.faults = list.try_into().unwrap());
}

fn appeal<T: Config>() {
	Pallet::<T>::appeal(RawOrigin::Signed(provider::<T>()).into(), ID, EVIDENCE).unwrap();
}

/// Lets the time for a verdict pass.
fn lapse<T: Config>() {
	pass::<T>(T::VerdictWithin::get().max(T::SlashDeferral::get()));
}

/// Block of the slash's entry in the agenda.
fn due<T: Config>() -> BlockNumber {
	slash::<T>().due.unwrap()
}

/// Checks that the slash was paid out, and that nothing is left of it.
fn assert_paid<T: Config>() {
	assert!(!Slashes::<T>::contains_key(ID));
	assert_eq!(Agenda::<T>::iter().count(), 0);
	assert!(T::Currency::balance(&renter::<T>()) > 0);
	let reason = HoldReason::AppealBond.into();
	assert_eq!(T::Currency::balance_on_hold(&reason, &provider::<T>()), 0);
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn appeal() {
		ended::<T>(MAX_FAULTS);
		#[extrinsic_call]
		_(RawOrigin::Signed(provider::<T>()), ID, EVIDENCE);
		assert!(matches!(slash::<T>().status, SlashStatus::Appealed { .. }));
	}

	/// A part is returned, and the rest paid out.
	#[benchmark]
	fn resolve() {
		ended::<T>(MAX_FAULTS);
		super::appeal::<T>();
		let origin = admin::<T>();
		let verdict = Verdict::Reduce { keep: Permill::from_percent(50) };
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, ID, verdict);
		assert_paid::<T>();
	}

	/// An appeal lapses.
	#[benchmark]
	fn execute() {
		ended::<T>(MAX_FAULTS);
		super::appeal::<T>();
		lapse::<T>();
		let anybody: T::AccountId = whitelisted_caller();
		#[extrinsic_call]
		_(RawOrigin::Signed(anybody), ID);
		assert_paid::<T>();
	}

	#[benchmark]
	fn condemn() {
		begin::<T>();
		let class = T::BenchmarkHelper::add_class(unit::<T>());
		let origin = admin::<T>();
		let compensated = Some((renter::<T>(), unit::<T>()));
		#[extrinsic_call]
		_(
			origin as T::RuntimeOrigin,
			provider::<T>(),
			Offence::FalseHardware,
			class,
			MAX_GPUS_PER_PROVIDER,
			Permill::one(),
			compensated,
			EVIDENCE,
		);
		assert!(slash::<T>().held > 0);
	}

	#[benchmark]
	fn pay_from_insurance() {
		T::Currency::mint_into(&T::InsuranceAccount::get(), 2 * unit::<T>()).unwrap();
		let origin = admin::<T>();
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, renter::<T>(), unit::<T>());
		assert_eq!(T::Currency::balance(&renter::<T>()), unit::<T>());
	}

	#[benchmark]
	fn agenda_start() {
		begin::<T>();
		AgendaCursor::<T>::put(2);
		#[block]
		{
			Pallet::<T>::serve_agenda(1, &mut WeightMeter::new());
		}
		assert_eq!(AgendaCursor::<T>::get(), 2);
	}

	#[benchmark]
	fn agenda_block() {
		ended::<T>(0);
		let empty = due::<T>() + 1;
		let first;
		#[block]
		{
			first = Agenda::<T>::iter_key_prefix(empty).next();
		}
		assert_eq!(first, None);
	}

	#[benchmark]
	fn agenda_peek() {
		ended::<T>(MAX_FAULTS);
		let due = due::<T>();
		let found;
		#[block]
		{
			found = Agenda::<T>::iter_key_prefix(due).next().and_then(Slashes::<T>::get);
		}
		assert_eq!(found.map(|slash| slash.provider), Some(provider::<T>()));
	}

	#[benchmark]
	fn agenda_rearm() {
		ended::<T>(0);
		let block: BlockNumber = 1_000_000;
		#[block]
		{
			Pallet::<T>::move_entry(ID, block);
		}
		assert!(Agenda::<T>::contains_key(block, ID));
	}

	/// An appeal lapses.
	#[benchmark]
	fn agenda_slash(f: Linear<0, MAX_FAULTS>) {
		ended::<T>(f);
		super::appeal::<T>();
		lapse::<T>();
		let record = slash::<T>();
		let ends_at = record.ends_at().unwrap();
		#[block]
		{
			Pallet::<T>::do_slash(ID, record, ends_at, T::Time::now()).unwrap();
		}
		assert_paid::<T>();
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
