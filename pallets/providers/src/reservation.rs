//! GPUs taken for leases and given back, and what reports change.

use crate::{Config, Error, Event, Gpu, GpuList, Gpus, Pallet, Providers, Standing};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Time};
use millrace_primitives::{ClassId, GpuHealth, GpuIndex, GpuState, LeaseId, QUARANTINE_REPORTS};
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
		if count > 0 {
			Self::lock_lease_bond(provider, class, count, lease)?;
		}
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

	/// Gives back those of the GPUs that serve this lease, and the lease bond.
	pub(crate) fn do_release(provider: &T::AccountId, gpus: &[GpuIndex], lease: LeaseId) {
		let mut released = Vec::new();
		for index in gpus {
			let Some(gpu) = Gpus::<T>::get(provider, index) else { continue };
			if gpu.state == GpuState::Leased(lease) {
				// One that was not lost but is unhealthy becomes faulty with the provider's next report.
				let state =
					if gpu.lost { GpuState::Quarantined { healthy_reports: 0 } } else { GpuState::Healthy };
				Self::replace_gpu(provider, *index, Some(gpu), Some(Gpu { state, lost: false, ..gpu }));
				released.push(*index);
			}
		}
		Self::unlock_lease_bond(provider, lease);
		if !released.is_empty() {
			let provider = provider.clone();
			Self::deposit_event(Event::GpusReleased { provider, lease, gpus: listed(&released) });
		}
	}

	/// Takes over what a report says about GPUs. One that it leaves out was not found, and is faulty, or lost if it serves a
	/// lease. Returns whether the provider may offer more or less than at its last report.
	pub(crate) fn do_update_health(provider: &T::AccountId, health: &[GpuHealth]) -> bool {
		let now = T::Time::now();
		// Nobody above was told of GPUs that were added, of bond that came or went, nor of maintenance.
		let mut changed = Providers::<T>::try_mutate_exists(provider, |record| match record {
			Some(record) => {
				let maintenance = record.maintenance.as_mut().is_some_and(|last| last.advance(now));
				let is_news = core::mem::take(&mut record.capacity_changed) || maintenance;
				is_news.then_some(()).ok_or(())
			}
			None => Err(()),
		})
		.is_ok();
		for (index, gpu) in Self::gpus_by_index(provider) {
			let healthy = health.iter().find(|seen| seen.gpu == index).is_some_and(|seen| seen.healthy);
			let next = Self::after_report(gpu, healthy);
			if next == gpu {
				continue;
			}
			Self::replace_gpu(provider, index, Some(gpu), Some(next));
			let provider = provider.clone();
			match (gpu.state, next.state) {
				(GpuState::Leased(lease), _) if next.lost => {
					Self::deposit_event(Event::GpuLost { provider, lease, gpu: index });
				}
				(GpuState::Leased(lease), _) => {
					Self::deposit_event(Event::GpuFound { provider, lease, gpu: index });
				}
				// A step on the way out of quarantine changes nothing for anybody.
				(_, GpuState::Quarantined { .. }) => {}
				_ => {
					Self::deposit_event(Event::GpuHealthChanged { provider, gpu: index, healthy });
					changed = true;
				}
			}
		}
		changed
	}

	/// A GPU after a report that calls it healthy or does not.
	fn after_report(gpu: Gpu, healthy: bool) -> Gpu {
		let state = match (gpu.state, healthy) {
			(GpuState::Leased(_), _) => return Gpu { lost: !healthy, ..gpu },
			(GpuState::Healthy | GpuState::Faulty, true) => GpuState::Healthy,
			(GpuState::Healthy | GpuState::Faulty, false) => GpuState::Faulty,
			(GpuState::Quarantined { .. }, false) => GpuState::Quarantined { healthy_reports: 0 },
			(GpuState::Quarantined { healthy_reports }, true) => match healthy_reports.saturating_add(1) {
				QUARANTINE_REPORTS.. => GpuState::Healthy,
				healthy_reports => GpuState::Quarantined { healthy_reports },
			},
		};
		Gpu { state, ..gpu }
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
