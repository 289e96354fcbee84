//! The plan of a kernel job as data.

use crate::{BlobHash, Document, PlanError};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// The version of the format that this crate reads.
pub const VERSION: u32 = 1;

/// A kernel job's description. See the crate's documentation for the document's form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
	/// Version of the format: [`VERSION`].
	pub version: u32,
	/// Name of the PTX text.
	pub kernel: BlobHash,
	/// Device memory.
	pub buffers: Vec<Buffer>,
	/// Kernel launches, in order.
	pub launches: Vec<Launch>,
	/// Names of the buffers that make up the output, in order.
	pub outputs: Vec<String>,
}

/// A piece of device memory.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
	/// Its name in this plan.
	pub name: String,
	/// Its size in bytes.
	pub bytes: u64,
	/// The blob that fills it, exactly. Without one the buffer starts as zeros.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub input: Option<BlobHash>,
}

/// One run of a kernel over a grid of thread blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
	/// Name of the kernel's entry point.
	pub entry: String,
	/// Thread blocks in x, y and z.
	pub grid: [u32; 3],
	/// Threads of a block in x, y and z.
	pub block: [u32; 3],
	/// Dynamic shared memory of a block, in bytes.
	#[serde(default)]
	pub shared_bytes: u32,
	/// One for each parameter of the entry point.
	pub arguments: Vec<Argument>,
}

/// A kernel argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Argument {
	/// The 64-bit device address of the buffer with that name.
	Buffer(String),
	/// 32 bits, unsigned.
	U32(u32),
	/// 32 bits, signed.
	I32(i32),
	/// 64 bits, unsigned.
	U64(u64),
	/// 64 bits, signed.
	I64(i64),
	/// 32 bits, IEEE 754 binary32.
	F32(f32),
}

impl Plan {
	/// Reads a plan from its document, and checks it against [`Limits::MAX`](crate::Limits::MAX).
	///
	/// # Errors
	///
	/// Every [`PlanError`] except [`PlanError::Container`].
	pub fn parse(document: &[u8]) -> Result<Self, PlanError> {
		match Document::parse(document) {
			Ok(Document::Kernel(plan)) => Ok(plan),
			Ok(Document::Container(_)) | Err(PlanError::Container(_)) => Err(PlanError::NotAKernel),
			Err(error) => Err(error),
		}
	}

	/// The blobs that must be at hand to run the plan: the kernel, then the inputs in the order of the buffers. No
	/// blob is named twice.
	pub fn blobs(&self) -> Vec<BlobHash> {
		let mut blobs = Vec::from([self.kernel]);
		for input in self.buffers.iter().filter_map(|buffer| buffer.input) {
			if !blobs.contains(&input) {
				blobs.push(input);
			}
		}
		blobs
	}

	/// The buffer of that name.
	pub fn buffer(&self, name: &str) -> Option<&Buffer> {
		self.buffers.iter().find(|buffer| buffer.name == name)
	}

	/// Bytes of all buffers together; `u64::MAX` where a plan that was never checked has more.
	pub fn buffer_bytes(&self) -> u64 {
		self.buffers.iter().fold(0, |sum, buffer| sum.saturating_add(buffer.bytes))
	}

	/// Whether a job with this plan can be between two launches with `launches_done` of them run, and whether its
	/// buffers then have that many bytes together: what a checkpoint must satisfy before a job can go on from it.
	pub fn fits_checkpoint(&self, launches_done: u32, bytes: u64) -> bool {
		let launches = self.launches.len() as u64;
		(1..launches).contains(&launches_done.into()) && bytes == self.buffer_bytes()
	}

	/// Bytes of the output; `u64::MAX` where a plan that was never checked has more.
	pub fn output_bytes(&self) -> u64 {
		let outputs = self.outputs.iter().filter_map(|name| self.buffer(name));
		outputs.fold(0, |sum, buffer| sum.saturating_add(buffer.bytes))
	}
}
