//! The GPUs' own word on their health: a process beside the node reads it from the driver, for as long as the worker runs.
//!
//! A probe says whether a device computes rightly now, at the price of using it. The driver says at no price that it is hot, that it
//! is slowed down, or that it has fallen off the bus, also while a job runs on it.

use crate::{executors::Executors, LOG_TARGET};
use millrace_executor::{ExecutorError, MonitorMessage};
use std::{
	future::pending,
	sync::{
		atomic::{AtomicBool, Ordering::Relaxed},
		Arc,
	},
	thread,
	time::Duration,
};
use tokio::sync::mpsc::{channel, Receiver, Sender};

/// Messages that wait to be taken. A monitor that is not heard waits, too.
const WAITING: usize = 16;
/// Wait before a monitor that was lost is started again, in steps of [`STEP`].
const RETRY_STEPS: u32 = 60;
const STEP: Duration = Duration::from_secs(1);

/// Follows the GPUs' health. Dropping it ends the process within a second.
#[derive(Default)]
pub(crate) struct HealthWatch(Option<Watch>);

struct Watch {
	messages: Receiver<MonitorMessage>,
	unwanted: Arc<AtomicBool>,
}

impl Drop for Watch {
	fn drop(&mut self) {
		self.unwanted.store(true, Relaxed);
	}
}

impl HealthWatch {
	/// Starts to follow, if it does not follow yet.
	pub(crate) fn follow(&mut self, executors: &Arc<dyn Executors>) {
		if self.0.is_some() {
			return;
		}
		let (sender, messages) = channel(WAITING);
		let unwanted = Arc::new(AtomicBool::new(false));
		let (executors, stop) = (executors.clone(), unwanted.clone());
		let started = thread::Builder::new()
			.name("worker-health".into())
			.spawn(move || watch(&*executors, &stop, &sender));
		match started {
			Ok(_) => self.0 = Some(Watch { messages, unwanted }),
			Err(error) => {
				log::warn!(target: LOG_TARGET, "the GPUs' health is not followed: no thread: {error}")
			}
		}
	}

	/// The next message. Pending for ever while nothing is followed. Losing this future loses no message.
	pub(crate) async fn next(&mut self) -> MonitorMessage {
		match &mut self.0 {
			Some(watch) => match watch.messages.recv().await {
				Some(message) => message,
				None => pending().await,
			},
			None => pending().await,
		}
	}
}

/// Starts monitors until nobody wants one, or until it is clear that there is none.
fn watch(executors: &dyn Executors, unwanted: &AtomicBool, sender: &Sender<MonitorMessage>) {
	loop {
		let mut tell = |message| {
			if sender.blocking_send(message).is_err() {
				unwanted.store(true, Relaxed);
			}
		};
		match executors.watch(unwanted, &mut tell) {
			Ok(()) => return,
			Err(ExecutorError::Failed(none)) => {
				log::info!(target: LOG_TARGET, "the GPUs' health is known by probes alone: {none}");
				return;
			}
			Err(error) => log::warn!(target: LOG_TARGET, "the monitor of the GPUs is started again: {error}"),
		}
		for _ in 0..RETRY_STEPS {
			if unwanted.load(Relaxed) {
				return;
			}
			thread::sleep(STEP);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::tests::doubles::ScriptedExecutors;
	use millrace_executor::{Failure, FailureKind, Reading};

	#[tokio::test]
	async fn messages_come_until_the_watch_is_dropped() {
		let reading = MonitorMessage::Reading(Reading::default());
		let executors = ScriptedExecutors::default();
		executors.readings.lock().unwrap().extend([Ok(reading.clone()), Ok(reading.clone())]);
		let executors: Arc<dyn Executors> = Arc::new(executors);
		let mut health = HealthWatch::default();
		health.follow(&executors);
		assert_eq!(health.next().await, reading);
		assert_eq!(health.next().await, reading);
		let unwanted = health.0.as_ref().unwrap().unwanted.clone();
		drop(health);
		assert!(unwanted.load(Relaxed));
	}

	#[tokio::test]
	async fn a_machine_without_nvml_is_asked_once() {
		let none = Failure { kind: FailureKind::DeviceUnavailable, message: "no NVML".into() };
		let executors = ScriptedExecutors::default();
		executors.readings.lock().unwrap().push_back(Err(ExecutorError::Failed(none)));
		let (sender, mut messages) = channel(1);
		let scripted = executors.clone();
		thread::spawn(move || watch(&scripted, &AtomicBool::new(false), &sender)).join().unwrap();
		assert_eq!(messages.recv().await, None);
		assert_eq!(executors.started(), ["monitor"]);
	}
}
