//! What can go wrong with a fetch, and with a peer.

use crate::{DiskError, Refusal};
use std::fmt;

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AskError {
	/// No answer came in time.
	#[error("it did not answer in time")]
	TimedOut,
	/// The peer cannot be reached, or closed the connection.
	#[error("it cannot be reached: {0}")]
	Unreachable(String),
}

/// Why a peer is not asked for this blob any more.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
	/// It sent bytes that are not the blob's, or no answer at all. No honest node does.
	#[error("it sent wrong data")]
	WrongData,
	/// The request failed.
	#[error(transparent)]
	Failed(AskError),
	/// It refused.
	#[error(transparent)]
	Refused(Refusal),
}

/// Why a blob could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError<P: fmt::Debug> {
	/// The blob is larger than the caller wants.
	#[error("the blob has {bytes} bytes; at most {cap} are wanted")]
	TooLarge {
		/// Its proven size.
		bytes: u64,
		/// The caller's limit.
		cap: u64,
	},
	/// All peers were dropped, or none was given. What was fetched stays on the disk.
	#[error("no peer is left to ask; {}", list(.0))]
	NobodyLeft(Vec<(P, Fault)>),
	/// The disk failed.
	#[error(transparent)]
	Disk(#[from] DiskError),
	/// [`Fetch::finish`](crate::Fetch::finish) was called before the blob was whole.
	#[error("the blob is not whole yet")]
	Unfinished,
}

/// Who was dropped, in one line for people.
fn list<P: fmt::Debug>(dropped: &[(P, Fault)]) -> String {
	let texts: Vec<_> = dropped.iter().map(|(peer, fault)| format!("{peer:?}: {fault}")).collect();
	if texts.is_empty() {
		"none was known".into()
	} else {
		texts.join("; ")
	}
}
