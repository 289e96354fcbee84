//! The child's side of a monitor: reads and waits until its parent ends.

use crate::{
	filesystem,
	message::VERSION,
	monitor::{Line, MAX_LINE_BYTES},
	syscalls, system,
};
use millrace_device::nvml::{Nvml, NvmlUnavailable, Waited};
use std::{
	io::{self, Write},
	ops::RangeInclusive,
	thread,
	time::{Duration, Instant},
};

/// How long one wait for errors takes at most. A wait is a call into the driver.
const WAIT: Duration = Duration::from_secs(1);
/// How long to wait after a GPU was lost before the others are watched again.
const AFTER_LOSS: Duration = Duration::from_secs(1);
/// The least and the most time between two readings.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);

/// Prints the GPUs' health every so often, from a tenth of a second to an hour, and errors that they report at once, as lines of JSON on standard output. Call it before
/// any thread is started or file opened, and end the process when it returns.
///
/// It gives up what it does not need before it loads the driver's library: network, files, programs. It ends with its parent.
///
/// # Errors
///
/// If the process `parent` is not this one's parent, if nobody reads what it prints, or if NVML does not work any more. That there is no
/// NVML is told in the first line, and is no error.
pub fn watch_health(parent: u32, every: Duration) -> io::Result<()> {
	system::confine(parent)?;
	let mut output = system::take_stdout()?;
	filesystem::restrict_for_nvml();
	let nvml = match Nvml::load() {
		Ok(nvml) => nvml,
		Err(error) => return say(&mut output, &Line::Unavailable(error.to_string())),
	};
	syscalls::restrict();
	say(&mut output, &Line::Hello { version: VERSION.into() })?;
	watch(&nvml, every.clamp(*INTERVALS.start(), *INTERVALS.end()), &mut output)
}

fn watch(nvml: &Nvml, every: Duration, output: &mut impl Write) -> io::Result<()> {
	let broken = |error: NvmlUnavailable| io::Error::other(error.to_string());
	let mut watch = nvml.watch().map_err(broken)?;
	let mut due = Instant::now();
	loop {
		let now = Instant::now();
		if now >= due {
			say(output, &Line::Reading(nvml.read().map_err(broken)?))?;
			due = now + every;
		}
		match watch.wait(due.saturating_duration_since(now).min(WAIT)).map_err(broken)? {
			Waited::Nothing => {}
			Waited::Event(event) => say(output, &Line::Xid(event))?,
			Waited::GpuLost => {
				say(output, &Line::Reading(nvml.read().map_err(broken)?))?;
				// Not at once: should the driver go on to call it lost without telling which, nothing else would be done.
				thread::sleep(AFTER_LOSS);
				watch = nvml.watch().map_err(broken)?;
			}
		}
	}
}

/// Prints one line.
fn say(output: &mut impl Write, line: &Line) -> io::Result<()> {
	let mut text = serde_json::to_vec(line)?;
	text.push(b'\n');
	if text.len() > MAX_LINE_BYTES {
		return Err(io::Error::other(format!(
			"a line of {} bytes, the limit is {MAX_LINE_BYTES}",
			text.len()
		)));
	}
	output.write_all(&text)?;
	output.flush()
}
