//! Benchmarks of the calls, each in its worst case: all GPUs that a provider can have, every one of another class, a full
//! list of unbonding chunks, the longest endpoint and names.

use crate::{
	Call, Capacity, Classes, Config, Endpoint, GpuUuids, Gpus, HoldReason, Membership, NextClass, Pallet,
	Providers, Records, Workers, MAX_ENDPOINT_LEN, MAX_UNBONDING_CHUNKS,
};
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, InspectHold as _, Mutate},
		EnsureOrigin, Get, Time,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	AcceleratorKind, Balance, ClassId, Country, GpuClass, Hash, Moment, ProviderLiveness as _,
	MAX_GPUS_PER_PROVIDER,
};
use sp_runtime::traits::ConstU32;

/// What the benchmarks ask of the runtime.
pub trait BenchmarkHelper {
	/// Makes `now`, in milliseconds since the Unix epoch, the chain's time. It is never earlier than the present time.
	fn set_time(now: Moment);
}

/// Bond of each GPU, in plancks.
const GPU_BOND: Balance = 1_000;
/// Active bond of a provider with all its GPUs, and some more, in plancks.
const BOND: Balance = 2 * GPU_BOND * MAX_GPUS_PER_PROVIDER as Balance;
/// Any country: all are of one length.
const COUNTRY: Country = *b"IS";

/// A name that fills its field.
fn name<const MAX: u32>() -> BoundedVec<u8, ConstU32<MAX>> {
	BoundedVec::truncate_from(vec![b'x'; MAX as usize])
}

/// A class with the longest names. Of a kind that every chain allows.
fn class() -> GpuClass<Balance> {
	GpuClass {
		kind: AcceleratorKind::Cuda,
		vendor: name(),
		model: name(),
		memory_mib: 80_000,
		min_bond: GPU_BOND,
		unit_weight: 100,
	}
}

/// The longest endpoint, filled with this byte.
fn endpoint(fill: u8) -> Endpoint {
	let mut bytes = b"wss://".to_vec();
	bytes.resize(MAX_ENDPOINT_LEN as usize, fill);
	BoundedVec::truncate_from(bytes)
}

/// A salted hash of a UUID, another one for each number.
fn uuid_hash(number: u32) -> Hash {
	let mut bytes = [0; 32];
	bytes[..4].copy_from_slice(&number.to_be_bytes());
	Hash::from(bytes)
}

fn worker<T: Config>(number: u32) -> T::AccountId {
	account("worker", number, 0)
}

fn admin<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::AdminOrigin::try_successful_origin().map_err(|()| BenchmarkError::Weightless)
}

/// An account with the balance for a registration and for twice [`BOND`].
fn funded<T>() -> Result<T::AccountId, BenchmarkError>
where
	T: Config<Currency: Mutate<T::AccountId>>,
{
	let who: T::AccountId = whitelisted_caller();
	let fixed = T::Currency::minimum_balance().saturating_add(T::RegistrationDeposit::get());
	T::Currency::mint_into(&who, fixed.saturating_add(BOND.saturating_mul(2)))?;
	Ok(who)
}

/// A provider with [`BOND`], a worker, uptime and the longest endpoint.
fn provider<T>() -> Result<T::AccountId, BenchmarkError>
where
	T: Config<Currency: Mutate<T::AccountId>>,
{
	let who = funded::<T>()?;
	let signed = || RawOrigin::Signed(who.clone()).into();
	Pallet::<T>::register(signed(), endpoint(b'a'), COUNTRY, 1)?;
	Pallet::<T>::bond(signed(), BOND)?;
	Pallet::<T>::set_worker(signed(), worker::<T>(0))?;
	Pallet::<T>::mark_live(&who);
	Pallet::<T>::record_epochs(&who, 1, 1, None, T::Time::now());
	Ok(who)
}

/// Adds that many GPUs, each of a class of its own. Returns the last one's class.
fn add_gpus<T: Config>(who: &T::AccountId, count: u32) -> Result<ClassId, BenchmarkError> {
	let mut newest = ClassId(0);
	for number in 0..count {
		newest = Pallet::<T>::insert_class(&class())?;
		Pallet::<T>::add_gpu(RawOrigin::Signed(who.clone()).into(), newest, uuid_hash(number))?;
	}
	Ok(newest)
}

/// Starts to unbond that many chunks of one planck. Each needs a time of its own: chunks of one time are one chunk.
fn unbond_chunks<T: Config>(who: &T::AccountId, count: u32) -> Result<(), BenchmarkError> {
	for _ in 0..count {
		Pallet::<T>::unbond(RawOrigin::Signed(who.clone()).into(), 1)?;
		pass::<T>(1);
	}
	Ok(())
}

/// Lets time pass, in milliseconds.
fn pass<T: Config>(ms: u64) {
	T::BenchmarkHelper::set_time(T::Time::now().saturating_add(ms));
}

/// What is on hold for the bond, in plancks.
fn held_bond<T: Config>(who: &T::AccountId) -> Balance {
	T::Currency::balance_on_hold(&HoldReason::Bond.into(), who)
}

#[benchmarks(where T: Config<Currency: Mutate<T::AccountId>>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create_class() -> Result<(), BenchmarkError> {
		let origin = admin::<T>()?;
		let next = NextClass::<T>::get();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, class());

		assert_eq!(Classes::<T>::get(next), Some(class()));
		Ok(())
	}

	#[benchmark]
	fn register() -> Result<(), BenchmarkError> {
		let who = funded::<T>()?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), endpoint(b'a'), COUNTRY, 1);

		assert!(Providers::<T>::get(&who).is_some_and(|provider| provider.endpoint == endpoint(b'a')));
		assert_eq!(
			T::Currency::balance_on_hold(&HoldReason::Registration.into(), &who),
			T::RegistrationDeposit::get()
		);
		Ok(())
	}

	#[benchmark]
	fn update_profile() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), endpoint(b'b'), COUNTRY, 2);

		assert!(Providers::<T>::get(&who).is_some_and(|provider| provider.endpoint == endpoint(b'b')));
		Ok(())
	}

	#[benchmark]
	fn deregister() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		Pallet::<T>::unbond(RawOrigin::Signed(who.clone()).into(), BOND)?;
		pass::<T>(T::UnbondingPeriod::get());
		Pallet::<T>::withdraw(RawOrigin::Signed(who.clone()).into())?;
		assert!(Records::<T>::contains_key(&who) && Workers::<T>::contains_key(worker::<T>(0)));

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Providers::<T>::contains_key(&who) && !Records::<T>::contains_key(&who));
		assert!(!Workers::<T>::contains_key(worker::<T>(0)));
		Ok(())
	}

	#[benchmark]
	fn bond() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), BOND);

		assert_eq!(held_bond::<T>(&who), BOND.saturating_mul(2));
		Ok(())
	}

	#[benchmark]
	fn unbond() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		add_gpus::<T>(&who, MAX_GPUS_PER_PROVIDER)?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS.saturating_sub(1))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), GPU_BOND);

		let provider = Providers::<T>::get(&who).ok_or("the provider is gone")?;
		assert_eq!(provider.unbonding.len(), MAX_UNBONDING_CHUNKS as usize);
		assert_eq!(provider.unbonding.last().map(|chunk| chunk.amount), Some(GPU_BOND));
		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		pass::<T>(T::UnbondingPeriod::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert_eq!(held_bond::<T>(&who), BOND.saturating_sub(MAX_UNBONDING_CHUNKS.into()));
		Ok(())
	}

	/// One key in place of another.
	#[benchmark]
	fn set_worker() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), worker::<T>(1));

		assert!(!Workers::<T>::contains_key(worker::<T>(0)));
		assert_eq!(Workers::<T>::get(worker::<T>(1)), Some(who));
		Ok(())
	}

	#[benchmark]
	fn remove_worker() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Workers::<T>::contains_key(worker::<T>(0)));
		assert!(Providers::<T>::get(&who).is_some_and(|provider| provider.worker.is_none()));
		Ok(())
	}

	/// The last GPU that a provider can have, of a class of which it has none.
	#[benchmark]
	fn add_gpu() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		let present = MAX_GPUS_PER_PROVIDER.saturating_sub(1);
		add_gpus::<T>(&who, present)?;
		let class = Pallet::<T>::insert_class(&class())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), class, uuid_hash(present));

		assert_eq!(Capacity::<T>::iter_prefix(&who).count(), MAX_GPUS_PER_PROVIDER as usize);
		assert_eq!(GpuUuids::<T>::get(uuid_hash(present)).map(|(owner, _)| owner), Some(who));
		Ok(())
	}

	/// The only GPU of its class.
	#[benchmark]
	fn remove_gpu() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		let class = add_gpus::<T>(&who, MAX_GPUS_PER_PROVIDER)?;
		let (_, gpu) = GpuUuids::<T>::get(uuid_hash(MAX_GPUS_PER_PROVIDER.saturating_sub(1)))
			.ok_or("the GPU was not added")?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), gpu);

		assert!(Gpus::<T>::get(&who, gpu).is_none());
		assert!(!Capacity::<T>::contains_key(&who, class));
		Ok(())
	}

	#[benchmark]
	fn announce_maintenance() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		let from = T::Time::now().saturating_add(T::MaintenanceNotice::get());
		let until = from.saturating_add(T::MaxMaintenance::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), from, until);

		assert!(Providers::<T>::get(&who).is_some_and(|provider| provider.maintenance.is_some()));
		Ok(())
	}

	#[benchmark]
	fn end_maintenance() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		let from = T::Time::now().saturating_add(T::MaintenanceNotice::get());
		let until = from.saturating_add(T::MaxMaintenance::get());
		Pallet::<T>::announce_maintenance(RawOrigin::Signed(who.clone()).into(), from, until)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(Providers::<T>::get(&who).is_some_and(|provider| provider.maintenance.is_none()));
		Ok(())
	}

	#[benchmark]
	fn apply_to_group() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		let founder = worker::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), founder.clone());

		assert!(Providers::<T>::get(&who)
			.is_some_and(|provider| provider.group == Membership::Applied { founder }));
		Ok(())
	}

	#[benchmark]
	fn admit_to_group() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		let founder = worker::<T>(1);
		Pallet::<T>::apply_to_group(RawOrigin::Signed(who.clone()).into(), founder.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(founder.clone()), who.clone());

		assert!(Providers::<T>::get(&who)
			.is_some_and(|provider| provider.group == Membership::Member { founder }));
		Ok(())
	}

	/// A member leaves: the dearer of the two, for its leases are looked at.
	#[benchmark]
	fn leave_group() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		unbond_chunks::<T>(&who, MAX_UNBONDING_CHUNKS)?;
		let founder = worker::<T>(1);
		Pallet::<T>::apply_to_group(RawOrigin::Signed(who.clone()).into(), founder.clone())?;
		Pallet::<T>::admit_to_group(RawOrigin::Signed(founder.clone()).into(), who.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(founder), who.clone());

		assert!(Providers::<T>::get(&who).is_some_and(|provider| provider.group == Membership::Alone));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
