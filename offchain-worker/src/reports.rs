//! The epoch's report: what it says, and the use of leases that it claims.

use millrace_primitives::{
	worker_api::WorkerView, AccountId, BlockNumber, Checkpoint, GpuHealth, GpuIndex, Hash, LeaseId,
	LeaseStatus, LeaseUsage, Report,
};
use std::collections::BTreeMap;

/// Use of leases that no final report has claimed yet. Kept in memory only: the chain records the claim but pays by time, so a
/// restart costs nobody anything.
#[derive(Debug, Default)]
pub(crate) struct Usage(BTreeMap<LeaseId, LeaseUse>);

#[derive(Clone, Copy, Debug, Default)]
struct LeaseUse {
	busy_ms: u64,
	jobs_ended: u32,
}

impl Usage {
	/// A job ended, during which kernels ran for `busy_ms`.
	pub(crate) fn job_ended(&mut self, lease: LeaseId, busy_ms: u64) {
		let used = self.0.entry(lease).or_default();
		used.busy_ms = used.busy_ms.saturating_add(busy_ms);
		used.jobs_ended = used.jobs_ended.saturating_add(1);
	}

	/// A report became final: what it claimed is not claimed again.
	pub(crate) fn claimed(&mut self, report: &Report) {
		for claim in &report.leases {
			if let Some(used) = self.0.get_mut(&claim.lease) {
				used.busy_ms = used.busy_ms.saturating_sub(claim.busy_ms.into());
				used.jobs_ended = used.jobs_ended.saturating_sub(claim.jobs_ended);
			}
		}
	}

	/// Forgets leases that the chain does not name any more.
	pub(crate) fn keep(&mut self, view: &WorkerView<AccountId>) {
		self.0.retain(|lease, _| view.leases.iter().any(|known| known.lease == *lease));
	}

	/// The claim for one lease. A report's figures have 32 bits; what does not fit is claimed by the next one.
	fn claim(&self, lease: LeaseId) -> LeaseUsage {
		let used = self.0.get(&lease).copied().unwrap_or_default();
		let busy_ms = u32::try_from(used.busy_ms).unwrap_or(u32::MAX);
		LeaseUsage { lease, busy_ms, jobs_ended: used.jobs_ended, checkpoint: None }
	}
}

/// The report for the view's epoch. `health` has every registered GPU that was found here. Leases with a GPU that is missing or
/// not healthy are not served, so they are left out. All others are listed, pending and frozen ones too: their GPUs are held for
/// them. `checkpoints` are those that the chain does not know yet.
pub(crate) fn build(
	view: &WorkerView<AccountId>,
	health: &BTreeMap<GpuIndex, bool>,
	usage: &Usage,
	checkpoints: &BTreeMap<LeaseId, Checkpoint>,
	finalised: (BlockNumber, Hash),
) -> Report {
	let gpus: Vec<_> =
		health.iter().map(|(gpu, healthy)| GpuHealth { gpu: *gpu, healthy: *healthy }).collect();
	let leases: Vec<_> = view
		.leases
		.iter()
		.filter(|lease| !matches!(lease.status, LeaseStatus::Closed(_)))
		.filter(|lease| lease.gpus.iter().all(|gpu| health.get(gpu) == Some(&true)))
		.map(|lease| LeaseUsage {
			checkpoint: checkpoints.get(&lease.lease).copied(),
			..usage.claim(lease.lease)
		})
		.collect();
	Report {
		epoch: view.epoch,
		finalised_number: finalised.0,
		finalised_hash: finalised.1,
		// The chain registers no more GPUs and leases than a report holds, so nothing is cut off.
		gpus: sp_runtime::BoundedVec::truncate_from(gpus),
		leases: sp_runtime::BoundedVec::truncate_from(leases),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{worker_api::LeaseView, BlobHash, CloseReason, JobId, NodeIndex, NodeStatus};

	fn lease(number: u64, status: LeaseStatus, gpus: &[u16]) -> LeaseView {
		LeaseView {
			lease: LeaseId(number),
			status,
			node: NodeIndex(0),
			node_status: NodeStatus::Active,
			gpus: gpus.iter().copied().map(GpuIndex).collect(),
			jobs: vec![],
		}
	}

	fn view(leases: Vec<LeaseView>) -> WorkerView<AccountId> {
		WorkerView {
			provider: AccountId::new([1; 32]),
			now: 0,
			epoch: 7,
			epoch_ends: 80,
			report_due: true,
			gpus: vec![],
			leases,
		}
	}

	fn usage_of(lease: u64, busy_ms: u32, jobs_ended: u32) -> LeaseUsage {
		LeaseUsage { lease: LeaseId(lease), busy_ms, jobs_ended, checkpoint: None }
	}

	fn built(view: &WorkerView<AccountId>, health: &BTreeMap<GpuIndex, bool>, usage: &Usage) -> Report {
		build(view, health, usage, &BTreeMap::new(), (9, Hash::repeat_byte(9)))
	}

	#[test]
	fn a_report_names_found_gpus_and_served_leases() {
		let health = BTreeMap::from([(GpuIndex(0), true), (GpuIndex(1), false), (GpuIndex(4), true)]);
		let view = view(vec![
			lease(1, LeaseStatus::Active, &[0]),
			lease(2, LeaseStatus::Active, &[0, 1]),
			lease(3, LeaseStatus::Pending, &[4]),
			lease(4, LeaseStatus::Active, &[9]),
			lease(5, LeaseStatus::Frozen { since: 3 }, &[0, 4]),
			lease(6, LeaseStatus::Closed(CloseReason::Completed), &[0]),
		]);
		let mut usage = Usage::default();
		usage.job_ended(LeaseId(1), 40);
		usage.job_ended(LeaseId(1), 2);
		let report = built(&view, &health, &usage);
		assert_eq!(
			(report.epoch, report.finalised_number, report.finalised_hash),
			(7, 9, Hash::repeat_byte(9))
		);
		let gpus: Vec<_> = report.gpus.iter().map(|gpu| (gpu.gpu.0, gpu.healthy)).collect();
		assert_eq!(gpus, [(0, true), (1, false), (4, true)]);
		assert_eq!(report.leases.to_vec(), [usage_of(1, 42, 2), usage_of(3, 0, 0), usage_of(5, 0, 0)]);
	}

	#[test]
	fn a_checkpoint_is_told_with_its_lease() {
		let health = BTreeMap::from([(GpuIndex(0), true), (GpuIndex(1), false)]);
		let view = view(vec![
			lease(1, LeaseStatus::Active, &[0]),
			lease(2, LeaseStatus::Frozen { since: 3 }, &[0]),
			// Not served, so nothing of it is told.
			lease(3, LeaseStatus::Active, &[1]),
		]);
		let checkpoint =
			Checkpoint { job: JobId(4), blob: BlobHash::repeat_byte(5), bytes: 6, launches_done: 7 };
		let known = BTreeMap::from([(LeaseId(2), checkpoint), (LeaseId(3), checkpoint)]);
		let report = build(&view, &health, &Usage::default(), &known, (9, Hash::repeat_byte(9)));
		let told = LeaseUsage { checkpoint: Some(checkpoint), ..usage_of(2, 0, 0) };
		assert_eq!(report.leases.to_vec(), [usage_of(1, 0, 0), told]);
	}

	#[test]
	fn use_is_claimed_once_and_only_by_a_final_report() {
		let health = BTreeMap::from([(GpuIndex(0), true)]);
		let view = view(vec![lease(1, LeaseStatus::Active, &[0])]);
		let mut usage = Usage::default();
		usage.job_ended(LeaseId(1), 40);
		let lost = built(&view, &health, &usage);
		assert_eq!(lost.leases.to_vec(), [usage_of(1, 40, 1)]);
		usage.job_ended(LeaseId(1), 3);
		let accepted = built(&view, &health, &usage);
		assert_eq!(accepted.leases.to_vec(), [usage_of(1, 43, 2)]);
		usage.job_ended(LeaseId(1), 5);
		usage.claimed(&accepted);
		assert_eq!(built(&view, &health, &usage).leases.to_vec(), [usage_of(1, 5, 1)]);
	}

	#[test]
	fn more_than_32_bits_of_use_are_claimed_in_parts() {
		let health = BTreeMap::from([(GpuIndex(0), true)]);
		let view = view(vec![lease(1, LeaseStatus::Active, &[0])]);
		let mut usage = Usage::default();
		usage.job_ended(LeaseId(1), u64::from(u32::MAX) + 10);
		let first = built(&view, &health, &usage);
		assert_eq!(first.leases.to_vec(), [usage_of(1, u32::MAX, 1)]);
		usage.claimed(&first);
		assert_eq!(built(&view, &health, &usage).leases.to_vec(), [usage_of(1, 10, 0)]);
	}

	#[test]
	fn leases_that_are_gone_are_forgotten() {
		let mut usage = Usage::default();
		usage.job_ended(LeaseId(1), 1);
		usage.job_ended(LeaseId(2), 1);
		usage.keep(&view(vec![lease(2, LeaseStatus::Active, &[0])]));
		assert_eq!(usage.0.keys().copied().collect::<Vec<_>>(), [LeaseId(2)]);
	}
}
