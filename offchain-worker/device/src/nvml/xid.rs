//! What the driver's error numbers mean.

use serde::{Deserialize, Deserializer, Serialize};

/// An error that a GPU has reported: an Xid, as it also stands in the kernel's log.
///
/// When it is read from a text, meaning and severity are looked up by the number: whatever the text says of them is not believed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct XidEvent {
	/// UUID of the GPU. In MIG mode that of the whole GPU.
	pub uuid: String,
	/// The number.
	pub code: u64,
	/// What it means, in a few words.
	pub meaning: &'static str,
	/// Whether the GPU must not be used before somebody has looked at it: it has to be reset at least.
	pub fatal: bool,
}

/// What is believed of an event's text.
#[derive(Deserialize)]
struct Reported {
	uuid: String,
	code: u64,
}

impl XidEvent {
	/// The event of that number on a GPU.
	pub fn new(uuid: impl Into<String>, code: u64) -> Self {
		let known = TABLE.iter().find(|(known, ..)| *known == code);
		let (meaning, fatal) = known.map_or((UNKNOWN, false), |(_, fatal, meaning)| (*meaning, *fatal));
		Self { uuid: uuid.into(), code, meaning, fatal }
	}
}

impl<'de> Deserialize<'de> for XidEvent {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let Reported { uuid, code } = Reported::deserialize(deserializer)?;
		Ok(Self::new(uuid, code))
	}
}

/// The meaning of numbers that are not in the table. They are not taken for fatal: a GPU that does not work is found by its probe.
const UNKNOWN: &str = "an error that is not known here; see NVIDIA's Xid catalog";

/// Number, whether it is fatal, and meaning. After the Xid catalog in <https://docs.nvidia.com/deploy/xid-errors/>: fatal are
/// those whose immediate action is a reset of the GPU or a restart of the machine, and 48 and 74, which need one to be cleared.
/// Where the action is to restart the application, to follow another Xid, or nothing, the GPU can be used.
const TABLE: [(u64, bool, &str); 32] = [
	(8, false, "a channel was idle for too long"),
	(11, false, "invalid or corrupted stream of commands, most often the application's fault"),
	(13, false, "exception in the graphics engine, most often the application's fault"),
	(31, false, "page fault in GPU memory, most often the application's fault"),
	(32, false, "invalid or corrupted stream of commands to the DMA controller"),
	(38, false, "the driver's firmware has met a watchdog"),
	(43, false, "the GPU stopped processing for an application, by that application's fault"),
	(44, false, "fault in the graphics engine during a change of context"),
	(45, false, "an application's work was removed, after another error or when it ended"),
	(46, true, "the GPU stopped processing"),
	(48, true, "uncorrectable error in GPU memory (double bit ECC)"),
	(61, false, "breakpoint or warning of the internal micro-controller"),
	(62, true, "the internal micro-controller has halted"),
	(63, false, "a memory page was retired, or a row remapped; the next reset puts it into effect"),
	(64, true, "a memory page could not be retired, or a row not be remapped"),
	(68, false, "exception in the video decoder"),
	(69, false, "class error in the graphics engine, most often the application's fault"),
	(74, true, "error of an NVLink connection"),
	(79, true, "the GPU has fallen off the bus"),
	(92, false, "high rate of corrected memory errors"),
	(94, false, "uncorrectable memory error, contained to one application"),
	(95, true, "uncorrectable memory error that was not contained"),
	(109, true, "a change of context did not end in time"),
	(110, true, "security fault"),
	(119, true, "the GPU's system processor (GSP) did not answer"),
	(120, true, "error in the GPU's system processor (GSP)"),
	(136, true, "an NVLink connection could not be trained"),
	(140, true, "uncorrectable memory error that the driver could not recover from"),
	(143, true, "the GPU could not be initialised"),
	(154, false, "what the GPU needs to recover has changed; another Xid says why"),
	(156, true, "a part of the GPU was retired; a reset puts it into effect"),
	(158, true, "the GPU did not answer in time"),
];

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_needs_a_reset_is_fatal_and_what_an_application_did_is_not() {
		for code in [48, 62, 64, 74, 79, 95, 119, 120, 140] {
			assert!(XidEvent::new("GPU-1", code).fatal, "{code}");
		}
		for code in [13, 31, 32, 43, 45, 63, 69, 92, 94] {
			assert!(!XidEvent::new("GPU-1", code).fatal, "{code}");
		}
		assert_eq!(XidEvent::new("GPU-1", 79).meaning, "the GPU has fallen off the bus");
	}

	#[test]
	fn a_number_that_is_not_known_is_told_as_such() {
		for code in [0, 1, 999, u64::MAX] {
			let event = XidEvent::new("GPU-1", code);
			assert_eq!((event.code, event.meaning, event.fatal), (code, UNKNOWN, false));
		}
	}

	#[test]
	fn each_number_is_in_the_table_once_and_in_order() {
		assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
	}

	#[test]
	fn a_text_cannot_change_what_a_number_means() {
		let event = XidEvent::new("GPU-1", 79);
		let text = serde_json::to_string(&event).unwrap();
		assert!(
			text.contains(r#""code":79,"meaning":"the GPU has fallen off the bus","fatal":true"#),
			"{text}"
		);
		let changed = text.replace("true", "false").replace("fallen", "jumped");
		assert_eq!(serde_json::from_str::<XidEvent>(&changed).unwrap(), event);
	}
}
