//! State of a job between two launches.

use crate::{Device, DeviceError, Pointer};
use millrace_job::Plan;
use std::time::{Duration, Instant};

/// State of a job between two launches, from which it can go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
	/// Launches of the plan that had run.
	pub launches_done: u32,
	/// All buffers of the plan, concatenated in its order.
	pub bytes: Vec<u8>,
}

impl Checkpoint {
	/// What each buffer of the plan held; `None` if a job with this plan has no such state.
	pub(crate) fn split(&self, plan: &Plan) -> Option<Vec<&[u8]>> {
		if !plan.fits_checkpoint(self.launches_done, self.bytes.len() as u64) {
			return None;
		}
		let mut rest = self.bytes.as_slice();
		let next = |buffer: &millrace_job::Buffer| {
			let (mine, others) = rest.split_at_checked(usize::try_from(buffer.bytes).ok()?)?;
			rest = others;
			Some(mine)
		};
		plan.buffers.iter().map(next).collect()
	}
}

/// When a job's state is handed out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checkpoints {
	/// Least time between two of them. One that falls into a launch waits for its end.
	pub interval: Duration,
	/// Most bytes of one. A plan with larger buffers has none.
	pub max_bytes: u64,
}

/// Decides when the state of one run is read.
pub(crate) struct Timer {
	rule: Option<Checkpoints>,
	last: Instant,
}

impl Timer {
	/// The run of a plan begins. Its state is never read if it is `hidden`, that is, not in its buffers alone.
	pub(crate) fn start(rule: Option<Checkpoints>, plan: &Plan, hidden: bool) -> Self {
		let fits = |rule: &Checkpoints| !hidden && plan.buffer_bytes() <= rule.max_bytes;
		Self { rule: rule.filter(fits), last: Instant::now() }
	}

	/// Reads the state, if it is time to. `buffers` are the address and the length of each, in the plan's order.
	///
	/// # Errors
	///
	/// A failure of the device.
	pub(crate) fn read(
		&mut self,
		device: &mut dyn Device,
		launches_done: u32,
		buffers: &[(Pointer, u64)],
	) -> Result<Option<Checkpoint>, DeviceError> {
		if self.rule.is_none_or(|rule| self.last.elapsed() < rule.interval) {
			return Ok(None);
		}
		let mut bytes = Vec::new();
		for (pointer, length) in buffers {
			bytes.extend(device.read(*pointer, *length)?);
		}
		self.last = Instant::now();
		Ok(Some(Checkpoint { launches_done, bytes }))
	}
}
