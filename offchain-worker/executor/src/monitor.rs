//! The parent's side of a monitor: a process that reads the GPUs' health for as long as it is wanted.

use crate::{
	message::VERSION,
	parent::START_TIME,
	process::{printable, Process, Started},
	session::spawn,
	Executor, ExecutorError, Failure, FailureKind,
};
use millrace_device::nvml::{Reading, XidEvent};
use serde::{Deserialize, Serialize};
use std::{
	convert::Infallible,
	io::{BufRead, BufReader, Read},
	process::ChildStdin,
	sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender},
	time::{Duration, Instant},
};

/// The longest line, in bytes. A reading of 64 GPUs with 16 instances each takes half of it.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;
/// Messages that wait to be taken. A monitor that is not heard waits, too.
const WAITING: usize = 16;
/// How many times the interval between readings a monitor may be silent before it is taken for hung.
const SILENCE: u32 = 10;
/// The least time after which a monitor is taken for hung.
const LEAST_SILENCE: Duration = Duration::from_secs(2);

/// One line of a monitor's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Line {
	/// The first one, once the driver's library is loaded.
	Hello {
		version: String,
	},
	/// The first and last one, if the library cannot be loaded.
	Unavailable(String),
	Reading(Reading),
	Xid(XidEvent),
}

/// What a monitor tells.
#[derive(Clone, Debug, PartialEq)]
pub enum MonitorMessage {
	/// The health of all GPUs.
	Reading(Reading),
	/// A GPU has reported an error.
	Xid(XidEvent),
}

/// A process that watches the GPUs. Dropping it kills and reaps the process.
pub struct Monitor {
	process: Process,
	/// Open for as long as the process is wanted; nothing is written to it.
	_stdin: ChildStdin,
	lines: Receiver<Result<Line, String>>,
	/// When it was last heard, and how long it may be silent.
	heard: Instant,
	silence: Duration,
	/// Why nothing more comes.
	lost: Option<ExecutorError>,
	/// Keeps the thread alive that started the process. Dropped after the process.
	_wanted: SyncSender<Infallible>,
}

impl Monitor {
	/// Starts the process and waits until it has loaded the driver's library, half a minute at most. `every` is the time between
	/// two readings, from a tenth of a second to an hour.
	///
	/// # Errors
	///
	/// [`ExecutorError::Failed`] with [`FailureKind::DeviceUnavailable`] if this machine has no NVML, or one that does not work: to
	/// try again makes sense only when something was installed. [`ExecutorError::CannotStart`] and [`ExecutorError::Lost`] as for jobs.
	pub fn start(executor: &Executor, every: Duration) -> Result<Self, ExecutorError> {
		let (sender, lines) = sync_channel(WAITING);
		let (started, process) = sync_channel(1);
		let path = executor.path().to_owned();
		let (wanted, unwanted) = sync_channel(0);
		// The system kills the process when the thread that started it ends, which need not be the end of the node. So it is started
		// by a thread that lives as long as the monitor.
		spawn("executor-monitor", move || {
			let (parent, seconds) = (std::process::id().to_string(), every.as_secs_f64().to_string());
			let arguments = ["monitor", "--parent", &parent, "--every", &seconds];
			match Process::start(&path, &arguments, None, None) {
				Ok(Started { process, stdin, stdout }) => {
					if started.send(Ok((process, stdin))).is_ok() {
						listen(BufReader::new(stdout), &sender);
						// Nothing comes by this channel but its end.
						let _ = unwanted.recv();
					}
				}
				Err(error) => drop(started.send(Err(error))),
			}
		})?;
		let nobody = |_| ExecutorError::Lost("the thread that starts it has ended".into());
		let (process, stdin) = process.recv().map_err(nobody)??;
		let silence = every.saturating_mul(SILENCE).max(LEAST_SILENCE);
		let mut monitor = Self {
			process,
			_stdin: stdin,
			lines,
			heard: Instant::now(),
			silence,
			lost: None,
			_wanted: wanted,
		};
		monitor.greet(executor)?;
		Ok(monitor)
	}

	/// Waits for its first line.
	fn greet(&mut self, executor: &Executor) -> Result<(), ExecutorError> {
		let cannot = |reason| ExecutorError::CannotStart { path: executor.path().into(), reason };
		match self.lines.recv_timeout(START_TIME) {
			Ok(Ok(Line::Hello { version })) if version == VERSION => {
				self.heard = Instant::now();
				Ok(())
			}
			Ok(Ok(Line::Hello { version })) => Err(cannot(format!(
				"it is version {} and version {VERSION} is needed; install both from one release",
				printable(&version)
			))),
			Ok(Ok(Line::Unavailable(reason))) => {
				let message = printable(&reason);
				Err(ExecutorError::Failed(Failure { kind: FailureKind::DeviceUnavailable, message }))
			}
			Ok(Ok(_)) => Err(cannot("it speaks before it says its version".into())),
			Ok(Err(reason)) => {
				let ending = self.process.end(Duration::from_secs(1));
				let reason = format!("{reason}; {ending}");
				Err(if ending.exited() { cannot(reason) } else { ExecutorError::Lost(reason) })
			}
			Err(_) => {
				Err(ExecutorError::Lost(format!("it did not load NVML within {} s", START_TIME.as_secs())))
			}
		}
	}

	/// The next message; `None` if there is none within that time. Take messages as they come: one that waits is out of date.
	///
	/// # Errors
	///
	/// [`ExecutorError::Lost`] if the process ended, talks nonsense, or has said nothing for ten times the interval, as it does
	/// when the driver hangs. Nothing more comes from this monitor then.
	pub fn next(&mut self, timeout: Duration) -> Result<Option<MonitorMessage>, ExecutorError> {
		if let Some(lost) = &self.lost {
			return Err(lost.clone());
		}
		let line = match self.lines.recv_timeout(timeout) {
			Ok(line) => line,
			Err(RecvTimeoutError::Timeout) if self.heard.elapsed() < self.silence => return Ok(None),
			Err(RecvTimeoutError::Timeout) => {
				let seconds = self.silence.as_secs_f64();
				Err(format!("it said nothing for {seconds:.1} s, as if the driver hung"))
			}
			Err(RecvTimeoutError::Disconnected) => Err("nothing more comes from it".into()),
		};
		self.heard = Instant::now();
		let reason = match line {
			Ok(Line::Reading(reading)) => return Ok(Some(MonitorMessage::Reading(reading))),
			Ok(Line::Xid(event)) => return Ok(Some(MonitorMessage::Xid(event))),
			Ok(Line::Hello { .. } | Line::Unavailable(_)) => "it introduced itself twice".into(),
			Err(reason) => reason,
		};
		let ending = self.process.end(Duration::from_millis(200));
		let lost = ExecutorError::Lost(format!("{reason}; {ending}"));
		self.lost = Some(lost.clone());
		Err(lost)
	}
}

/// Reads lines until one is wrong, nothing more comes, or nobody listens.
fn listen(mut input: impl BufRead, lines: &SyncSender<Result<Line, String>>) {
	loop {
		let line = next_line(&mut input);
		let last = line.is_err();
		if lines.send(line).is_err() || last {
			return;
		}
	}
}

fn next_line(input: &mut impl BufRead) -> Result<Line, String> {
	let mut text = Vec::new();
	let read = input.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut text);
	read.map_err(|error| format!("its output cannot be read: {error}"))?;
	if text.is_empty() {
		return Err("it closed its output".into());
	}
	if text.pop() != Some(b'\n') {
		return Err(format!("it sent a line that was cut off or is longer than {MAX_LINE_BYTES} bytes"));
	}
	serde_json::from_slice(&text).map_err(|error| format!("it sent a line of no meaning: {error}"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	fn all(mut input: &[u8]) -> (Vec<Line>, String) {
		let (sender, lines) = sync_channel(1_000);
		listen(&mut input, &sender);
		drop(sender);
		let mut found: Vec<_> = lines.into_iter().collect();
		let last = found.pop().unwrap().unwrap_err();
		(found.into_iter().map(Result::unwrap).collect(), last)
	}

	#[test]
	fn lines_are_read_as_they_were_written() {
		let lines = [
			Line::Hello { version: "1".into() },
			Line::Unavailable("why".into()),
			Line::Reading(Reading::default()),
			Line::Xid(XidEvent::new("GPU-1", 79)),
		];
		let mut text = Vec::new();
		for line in &lines {
			text.extend(serde_json::to_vec(line).unwrap());
			text.push(b'\n');
		}
		assert_eq!(all(&text), (lines.into(), "it closed its output".into()));
	}

	proptest! {
		#[test]
		fn whatever_comes_ends_with_a_reason(text in vec(any::<u8>(), 0..300), line in 0..4_usize, at in 0..60_usize) {
			let (_, reason) = all(&text);
			prop_assert!(!reason.is_empty());
			// Also what begins as a line should.
			let lines = ["{\"reading\":{\"gpus\":[", "{\"xid\":{\"uuid\":\"", "{\"hello\":", "{\"unavailable\":\"x\"}\n"];
			let mut near = lines[line].as_bytes().to_vec();
			near.truncate(at);
			near.extend(text);
			prop_assert!(!all(&near).1.is_empty());
		}
	}

	#[test]
	fn what_is_no_line_ends_it_with_a_reason() {
		for (text, words) in [
			(b"".to_vec(), "it closed its output"),
			(b"\n".to_vec(), "of no meaning"),
			(b"{}\n".to_vec(), "of no meaning"),
			(b"\xff\xfe\0\n".to_vec(), "of no meaning"),
			(b"{\"reading\":{\"gpus\":[{}]}}\n".to_vec(), "of no meaning"),
			(b"{\"reading\":{\"gpus\":[]}}".to_vec(), "cut off"),
			(vec![b'['; 2 * MAX_LINE_BYTES], "longer than 1048576 bytes"),
			([vec![b'['; MAX_LINE_BYTES - 1], vec![b'\n']].concat(), "of no meaning"),
		] {
			let (lines, reason) = all(&text);
			assert_eq!(lines, []);
			assert!(reason.contains(words), "{reason}");
		}
	}
}
