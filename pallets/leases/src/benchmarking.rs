//! What benchmarks need of the runtime.

use millrace_primitives::ClassId;

/// Makes what benchmarks of leases cannot make through this pallet's own calls.
pub trait BenchmarkHelper<AccountId> {
	/// A live provider with so many healthy, free GPUs of the class, and with funds; another one for each seed. Makes the class
	/// if there is none.
	fn provider_with_gpus(seed: u32, class: ClassId, gpus: u32) -> AccountId;
}
