//! GPUs taken for leases and given back, and what reports change.

use crate::{Config, Error, Event, Gpu, GpuList, Gpus, Pallet, Providers, Standing};
use alloc::vec::Vec;
use frame_support::ensure;
use millrace_primitives::{ClassId, GpuHealth, GpuIndex, GpuState, LeaseId};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Takes free GPUs for a lease, lowest index first. All or nothing.
	pub(crate) fn do_reserve(
		provider: &T::AccountId,
		class: ClassId,
		count: u32,
		lease: LeaseId,
	) -> Result<Vec<GpuIndex>, DispatchError> {
		ensure!(count <= Self::capacity_of(provider, class).free, Error::<T>::NotEnoughGpus);
		let mut free = Self::gpus_by_index(provider);
		free.retain(|(_, gpu)| gpu.class == class && gpu.state == GpuState::Healthy);
		ensure!(count as usize <= free.len(), Error::<T>::NotEnoughGpus);
		free.truncate(count as usize);
		for (index, gpu) in &free {
			let leased = Gpu { state: GpuState::Leased(lease), ..*gpu };
			Self::replace_gpu(provider, *index, Some(*gpu), Some(leased));
		}
		let gpus: Vec<_> = free.into_iter().map(|(index, _)| index).collect();
		if !gpus.is_empty() {
			let provider = provider.clone();
			Self::deposit_event(Event::GpusReserved { provider, lease, gpus: listed(&gpus) });
		}
		Ok(gpus)
	}

	/// Gives back those of the GPUs that serve this lease.
	pub(crate) fn do_release(provider: &T::AccountId, gpus: &[GpuIndex], lease: LeaseId) {
		let mut released = Vec::new();
		for index in gpus {
			let Some(gpu) = Gpus::<T>::get(provider, index) else { continue };
			if gpu.state == GpuState::Leased(lease) {
				// If it was unhealthy, the provider's next report makes it faulty.
				let healthy = Gpu { state: GpuState::Healthy, ..gpu };
				Self::replace_gpu(provider, *index, Some(gpu), Some(healthy));
				released.push(*index);
			}
		}
		if !released.is_empty() {
			let provider = provider.clone();
			Self::deposit_event(Event::GpusReleased { provider, lease, gpus: listed(&released) });
		}
	}

	/// Takes over what a report says about GPUs that serve no lease. A GPU that it leaves out was not found, and is faulty.
	/// Returns whether that is news: a GPU's state changed, or GPUs were added since the last report.
	pub(crate) fn do_update_health(provider: &T::AccountId, health: &[GpuHealth]) -> bool {
		// A GPU is healthy from the moment when it is added, but nobody above was told of it.
		let mut changed = Providers::<T>::try_mutate_exists(provider, |record| match record {
			Some(record) if record.added_gpus => {
				record.added_gpus = false;
				Ok(())
			}
			_ => Err(()),
		})
		.is_ok();
		for (index, gpu) in Self::gpus_by_index(provider) {
			let healthy = health.iter().find(|seen| seen.gpu == index).is_some_and(|seen| seen.healthy);
			let state = match (gpu.state, healthy) {
				(GpuState::Healthy, false) => GpuState::Faulty,
				(GpuState::Faulty, true) => GpuState::Healthy,
				(GpuState::Healthy, true) | (GpuState::Faulty, false) | (GpuState::Leased(_), _) => continue,
			};
			Self::replace_gpu(provider, index, Some(gpu), Some(Gpu { state, ..gpu }));
			Self::deposit_event(Event::GpuHealthChanged { provider: provider.clone(), gpu: index, healthy });
			changed = true;
		}
		changed
	}

	/// Changes a provider's standing if it is one of those given. Returns whether it did.
	pub(crate) fn change_standing(provider: &T::AccountId, from: &[Standing], to: Standing) -> bool {
		Providers::<T>::try_mutate_exists(provider, |record| match record {
			Some(record) if from.contains(&record.standing) => {
				record.standing = to;
				Ok(())
			}
			_ => Err(()),
		})
		.is_ok()
	}
}

/// A list for an event. A provider never has more GPUs than fit.
fn listed(gpus: &[GpuIndex]) -> GpuList {
	GpuList::truncate_from(gpus.to_vec())
}
