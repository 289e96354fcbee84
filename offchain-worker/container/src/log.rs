//! What a command prints: bounded, and harmless to read.

use std::{
	io::Read,
	sync::{
		atomic::{AtomicU64, Ordering::Relaxed},
		mpsc::SyncSender,
		Arc,
	},
	thread,
	time::Duration,
};

/// How long to wait between two reads once the log is full: a command that floods is slowed down, and not we.
const SLOW: Duration = Duration::from_millis(20);

/// The bytes that may still be passed on, of both streams together.
#[derive(Clone)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
	pub(crate) fn new(bytes: u64) -> Self {
		Self(Arc::new(AtomicU64::new(bytes)))
	}

	/// Takes up to `wanted` bytes.
	fn take(&self, wanted: usize) -> usize {
		let mut taken = 0;
		// The closure always gives a value, so this cannot fail.
		let _ = self.0.fetch_update(Relaxed, Relaxed, |left| {
			taken = wanted.min(usize::try_from(left).unwrap_or(usize::MAX));
			Some(left.saturating_sub(taken as u64))
		});
		taken
	}
}

/// Reads a stream to its end and passes on what the budget allows.
pub(crate) fn pass_on(mut stream: impl Read, budget: &Budget, lines: &SyncSender<String>) {
	let mut cleaner = Cleaner::default();
	let mut chunk = vec![0; 64 << 10];
	let mut full = false;
	while let Ok(read @ 1..) = stream.read(&mut chunk) {
		if full {
			thread::sleep(SLOW);
			continue;
		}
		let allowed = budget.take(read);
		full = allowed < read;
		let mut text = cleaner.clean(chunk.get(..allowed).unwrap_or_default());
		if full {
			text.push_str("\n[the log is full, the rest is not kept]\n");
		}
		if !text.is_empty() && lines.send(text).is_err() {
			return;
		}
	}
}

/// Makes bytes a text that can do nothing to a terminal or to the reader of a log.
#[derive(Default)]
struct Cleaner {
	/// The beginning of a character whose end has not come yet.
	rest: Vec<u8>,
}

impl Cleaner {
	fn clean(&mut self, bytes: &[u8]) -> String {
		self.rest.extend_from_slice(bytes);
		let mut text = String::new();
		let mut kept = Vec::new();
		let mut chunks = self.rest.utf8_chunks().peekable();
		while let Some(chunk) = chunks.next() {
			text.extend(chunk.valid().chars().map(harmless));
			let broken = chunk.invalid();
			let may_go_on = chunks.peek().is_none() && is_beginning(broken);
			if may_go_on {
				kept = broken.into();
			} else if !broken.is_empty() {
				text.push(char::REPLACEMENT_CHARACTER);
			}
		}
		self.rest = kept;
		text
	}
}

/// Whether it is the beginning of a character of UTF-8.
fn is_beginning(bytes: &[u8]) -> bool {
	!bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// A progress bar goes back to the line's beginning; in a log that is a new line.
fn harmless(c: char) -> char {
	match c {
		'\n' | '\t' => c,
		'\r' => '\n',
		// These change the direction of what follows.
		'\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
			char::REPLACEMENT_CHARACTER
		}
		c if c.is_control() => char::REPLACEMENT_CHARACTER,
		c => c,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::sync::mpsc::sync_channel;

	fn passed(bytes: &[u8], limit: u64) -> String {
		let (sender, receiver) = sync_channel(1_000);
		pass_on(bytes, &Budget::new(limit), &sender);
		drop(sender);
		receiver.iter().collect()
	}

	#[test]
	fn escape_sequences_and_reversed_writing_become_harmless() {
		assert_eq!(passed(b"a\x1b[2Jb\x07\r50%\tx\n", 100), "a\u{fffd}[2Jb\u{fffd}\n50%\tx\n");
		assert_eq!(passed("a\u{202e}b\u{9b}c".as_bytes(), 100), "a\u{fffd}b\u{fffd}c");
	}

	#[test]
	fn a_log_is_cut_where_it_is_full() {
		let text = passed(&[b'x'; 20_000], 10_000);
		assert_eq!(text.matches('x').count(), 10_000);
		assert!(text.ends_with("[the log is full, the rest is not kept]\n"));
	}

	proptest! {
		#[test]
		fn it_does_not_matter_where_a_text_is_cut(text in "\\PC{0,40}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
			let bytes = text.as_bytes();
			let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
			cuts.extend([0, bytes.len()]);
			cuts.sort_unstable();
			let mut cleaner = Cleaner::default();
			let pieces = cuts.windows(2).map(|cut| cleaner.clean(&bytes[cut[0]..cut[1]]));
			let whole: String = text.chars().map(harmless).collect();
			prop_assert_eq!(pieces.collect::<String>(), whole);
		}

		#[test]
		fn nothing_that_is_printed_controls_a_terminal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
			let text = passed(&bytes, 1_000);
			prop_assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
		}
	}
}
