//! Whether a launch still gets anywhere.

use crate::{DeviceError, Progress};
use std::time::{Duration, Instant};

/// Watches the progress of a job's launches: a launch that hangs says for ever that it runs.
#[derive(Clone, Copy, Debug)]
pub struct LaunchWatch {
	limit: Duration,
	/// The furthest that was seen, and how many launches there are.
	seen: Option<(Position, u32)>,
	since: Instant,
}

/// Launches that have ended, and blocks of the current one that are done. A later one is greater.
type Position = (u32, Option<u64>);

impl LaunchWatch {
	/// For launches that may run for `limit` without a thread block being done, or at all, where the device tells no blocks.
	pub fn new(limit: Duration) -> Self {
		Self { limit, seen: None, since: Instant::now() }
	}

	/// Takes note of how far the job is. If it is farther than ever before, its time begins anew.
	pub fn see(&mut self, progress: Progress) {
		let position = (progress.launches_done, progress.blocks_done);
		if self.seen.is_none_or(|(furthest, _)| position > furthest) {
			self.seen = Some((position, progress.launches));
			self.restart();
		}
	}

	/// Begins the time anew: between two launches something else was done.
	pub fn restart(&mut self) {
		self.since = Instant::now();
	}

	/// Whether the launch still has time, with so much more than its limit. Before the first one and after the last nothing is watched.
	///
	/// # Errors
	///
	/// [`DeviceError::Stalled`].
	pub fn check(&self, grace: Duration) -> Result<(), DeviceError> {
		match self.seen {
			Some(((done, _), launches))
				if done < launches && self.since.elapsed() > self.limit.saturating_add(grace) =>
			{
				Err(DeviceError::Stalled { launch: done + 1, launches, limit: self.limit })
			}
			_ => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn at(launches_done: u32, blocks_done: Option<u64>) -> Progress {
		Progress { launches_done, launches: 2, blocks_done }
	}

	/// A watch that has run out of its time after the job was seen at these places.
	fn late(seen: &[Progress]) -> LaunchWatch {
		let mut watch = LaunchWatch::new(Duration::ZERO);
		seen.iter().for_each(|progress| watch.see(*progress));
		std::thread::sleep(Duration::from_millis(2));
		watch
	}

	#[test]
	fn a_launch_without_progress_is_named() {
		let limit = Duration::ZERO;
		let error = late(&[at(0, None), at(1, Some(7))]).check(Duration::ZERO).unwrap_err();
		assert_eq!(error, DeviceError::Stalled { launch: 2, launches: 2, limit });
	}

	#[test]
	fn nothing_is_watched_before_the_first_launch_and_after_the_last() {
		assert_eq!(late(&[]).check(Duration::ZERO), Ok(()));
		assert_eq!(late(&[at(0, None), at(2, None)]).check(Duration::ZERO), Ok(()));
		assert_eq!(late(&[at(0, None)]).check(Duration::from_secs(60)), Ok(()), "there is time left");
	}

	#[test]
	fn only_what_was_never_reached_before_is_progress() {
		for (before, now, progress) in [
			(at(0, None), at(0, None), false),
			(at(0, Some(7)), at(0, Some(7)), false),
			(at(0, Some(7)), at(0, None), false),
			(at(1, None), at(0, Some(9)), false),
			(at(0, Some(7)), at(0, Some(8)), true),
			(at(0, Some(7)), at(1, None), true),
		] {
			let mut watch = late(&[before]);
			let since = watch.since;
			watch.see(now);
			assert_eq!(watch.since > since, progress, "{before:?} {now:?}");
		}
	}
}
