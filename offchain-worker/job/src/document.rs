//! Reading a plan of whichever kind from its document.

use crate::{check::MAX_PLAN_BYTES, plan::VERSION, BlobHash, ContainerPlan, Limits, Plan, PlanError};
use alloc::{format, vec::Vec};
use serde::{
	de::{DeserializeOwned, IgnoredAny},
	Deserialize,
};

/// A plan of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
	/// Launches of a PTX kernel.
	Kernel(Plan),
	/// A container.
	Container(ContainerPlan),
}

/// What tells the kinds and the versions apart.
#[derive(Deserialize)]
struct Outline {
	version: u32,
	container: Option<IgnoredAny>,
}

impl Document {
	/// Reads a plan from its document, and checks it; a kernel's plan against [`Limits::MAX`].
	///
	/// # Errors
	///
	/// Every [`PlanError`] except [`PlanError::NotAKernel`].
	pub fn parse(document: &[u8]) -> Result<Self, PlanError> {
		if document.len() > MAX_PLAN_BYTES {
			return Err(PlanError::TooLong { bytes: document.len() });
		}
		// First, so that a plan of a later version is not called malformed for its new fields.
		let outline: Outline = read(document)?;
		if outline.version != VERSION {
			return Err(PlanError::UnsupportedVersion { found: outline.version });
		}
		if outline.container.is_some() {
			let plan: ContainerPlan = read(document)?;
			plan.check()?;
			return Ok(Self::Container(plan));
		}
		let plan: Plan = read(document)?;
		plan.check(&Limits::MAX)?;
		Ok(Self::Kernel(plan))
	}

	/// The blobs that must be at hand to run the plan, in its order. No blob is named twice.
	pub fn blobs(&self) -> Vec<BlobHash> {
		match self {
			Self::Kernel(plan) => plan.blobs(),
			Self::Container(plan) => plan.blobs(),
		}
	}
}

fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, PlanError> {
	serde_json::from_slice(document).map_err(|error| PlanError::Malformed(format!("{error}")))
}
