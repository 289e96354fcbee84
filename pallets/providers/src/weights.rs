//! Weights, counted by hand from the code and not yet benchmarked: database reads and writes of the worst case, an execution
//! time of the order that such calls take, and about 2,600 bytes of proof per key read. Calls that go through a provider's GPUs
//! are charged for as many as one can have.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{
		constants::{RocksDbWeight, WEIGHT_REF_TIME_PER_MICROS},
		RuntimeDbWeight, Weight,
	},
};
use millrace_primitives::MAX_GPUS_PER_PROVIDER;

/// Proof bytes per key read: one leaf and its path.
const PROOF_PER_KEY: u64 = 2_600;
/// Reads for going through all GPUs of a provider and their classes: each key, its value and its class, and the end.
const GPUS_AND_CLASSES: u64 = 2 * MAX_GPUS_PER_PROVIDER as u64 + 1;
/// Reads for counting the GPUs of a provider.
const GPU_KEYS: u64 = MAX_GPUS_PER_PROVIDER as u64 + 1;
/// Microseconds for looking at one GPU.
const MICROS_PER_GPU: u64 = 2;

/// Weights of the calls.
pub trait WeightInfo {
	/// Of `create_class`.
	fn create_class() -> Weight;
	/// Of `register`.
	fn register() -> Weight;
	/// Of `update_profile`.
	fn update_profile() -> Weight;
	/// Of `deregister`.
	fn deregister() -> Weight;
	/// Of `bond`.
	fn bond() -> Weight;
	/// Of `unbond`.
	fn unbond() -> Weight;
	/// Of `withdraw`.
	fn withdraw() -> Weight;
	/// Of `set_worker`.
	fn set_worker() -> Weight;
	/// Of `remove_worker`.
	fn remove_worker() -> Weight;
	/// Of `add_gpu`.
	fn add_gpu() -> Weight;
	/// Of `remove_gpu`.
	fn remove_gpu() -> Weight;
}

/// Weights with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// The weight of that many microseconds, reads and writes.
fn counted(db: RuntimeDbWeight, micros: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(WEIGHT_REF_TIME_PER_MICROS), reads.saturating_mul(PROOF_PER_KEY))
		.saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weights {
	($($(#[$doc:meta])* $call:ident: $micros:expr, $reads:expr, $writes:expr;)*) => {
		impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
			$($(#[$doc])* fn $call() -> Weight { counted(T::DbWeight::get(), $micros, $reads, $writes) })*
		}
		impl WeightInfo for () {
			$($(#[$doc])* fn $call() -> Weight { counted(RocksDbWeight::get(), $micros, $reads, $writes) })*
		}
	};
}

weights! {
	/// `NextClass`, `ReferenceClassesAllowed` (read); `NextClass`, `Classes` (write).
	create_class: 30, 2, 2;
	/// `Providers`, `System::Account`, `Balances::Holds`, `Timestamp::Now` (read); the first three (write).
	register: 50, 4, 3;
	/// `Providers` (read, write).
	update_profile: 30, 1, 1;
	/// `Providers`, first key of `Gpus`, `System::Account` of provider and worker, `Balances::Holds` (read); `Providers`,
	/// `Workers`, `Uptime`, both accounts, `Balances::Holds` (write).
	deregister: 60, 5, 6;
	/// `Providers`, `System::Account`, `Balances::Holds` (read, write).
	bond: 50, 3, 3;
	/// `Providers`, all `Gpus` and their `Classes`, `Timestamp::Now` (read); `Providers` (write).
	unbond: 30 + MICROS_PER_GPU * MAX_GPUS_PER_PROVIDER as u64, 2 + GPUS_AND_CLASSES, 1;
	/// `Providers`, `Timestamp::Now`, `System::Account`, `Balances::Holds` (read); all but the time (write).
	withdraw: 50, 4, 3;
	/// `Providers`, `Workers`, `System::Account` of the new worker and the old one (read); these and the old `Workers` entry
	/// (write).
	set_worker: 40, 4, 5;
	/// `Providers`, `System::Account` of the worker (read); these and `Workers` (write).
	remove_worker: 35, 2, 3;
	/// `Providers`, `Classes`, `ReferenceClassesAllowed`, `GpuUuids`, keys of `Gpus`, all `Gpus` and their `Classes` (read);
	/// `Providers`, `Gpus`, `GpuUuids` (write).
	add_gpu: 40 + 2 * MICROS_PER_GPU * MAX_GPUS_PER_PROVIDER as u64, 4 + GPU_KEYS + GPUS_AND_CLASSES, 3;
	/// `Providers`, `Gpus` (read); `Gpus`, `GpuUuids` (write).
	remove_gpu: 30, 2, 2;
}
