//! Container plans: an image by digest, its command, its files, and what it may take.

use crate::{
	error::{ContainerPlanError, FileNameError, ImageError},
	plan::VERSION,
	BlobHash, PlanError,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// The plan of a container job. See the crate's documentation for the document's form.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerPlan {
	/// Version of the format: [`VERSION`].
	pub version: u32,
	/// What to run.
	pub container: Container,
}

/// What a container job runs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
	/// The image, as `registry/name@sha256:…`; see [`ImageName`].
	pub image: String,
	/// A blob that holds the image: a tar archive of an OCI layout, whose manifest has the digest in `image`. Without
	/// one the provider asks the registry.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub image_blob: Option<BlobHash>,
	/// Program and arguments. The image's own entry point and command have no effect.
	pub command: Vec<String>,
	/// Environment variables, beside the image's own.
	#[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
	pub environment: BTreeMap<String, String>,
	/// Files that the command finds in `/input`.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub inputs: Vec<InputFile>,
	/// The file in `/output` that becomes the output blob.
	pub output: String,
	/// The file in `/output` from which a later run can go on.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub checkpoint: Option<String>,
	/// The most memory in bytes. Files in `/output`, `/tmp` and `/dev/shm` count.
	pub memory_bytes: u64,
	/// How many processors' time it may use.
	pub cpus: u32,
	/// The most time in seconds; without it the provider's limit alone applies.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub seconds: Option<u64>,
	/// Whether it may use the network. Only `false` can be had.
	#[serde(default, skip_serializing_if = "core::ops::Not::not")]
	pub network: bool,
}

/// A blob as a file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
	/// Name of the blob.
	pub blob: BlobHash,
	/// Name of the file in `/input`.
	pub path: String,
}

/// The parts of an image's name, `registry/repository@sha256:digest`.
///
/// A tag is no part of it: whoever owns the repository can let a tag stand for other bytes tomorrow, and then the plan's
/// hash would no longer name what runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ImageName<'a> {
	/// Host, and a port if it has one, such as `docker.io` or `registry.example.org:5000`.
	pub registry: &'a str,
	/// Path in the registry, such as `library/python`.
	pub repository: &'a str,
	/// The manifest's SHA-256 as 64 lower-case hexadecimal digits.
	pub digest: &'a str,
}

/// The most characters of an image's name.
pub const MAX_IMAGE_CHARS: usize = 512;

impl<'a> ImageName<'a> {
	/// Reads an image's name.
	///
	/// # Errors
	///
	/// Every [`ImageError`].
	pub fn parse(text: &'a str) -> Result<Self, ImageError> {
		if text.len() > MAX_IMAGE_CHARS {
			return Err(ImageError::TooLong);
		}
		let Some((name, digest)) = text.split_once('@') else {
			return Err(if has_tag(text) { ImageError::Tag } else { ImageError::NoDigest });
		};
		if has_tag(name) {
			return Err(ImageError::Tag);
		}
		let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
		let digest = digest
			.strip_prefix("sha256:")
			.filter(|digits| digits.len() == 64 && digits.bytes().all(hexadecimal))
			.ok_or(ImageError::Digest)?;
		let (registry, repository) = name.split_once('/').ok_or(ImageError::NoRegistry)?;
		if !is_registry(registry) {
			return Err(ImageError::NoRegistry);
		}
		if !repository.split('/').all(|part| is_part(part, b"._-")) {
			return Err(ImageError::Repository);
		}
		Ok(Self { registry, repository, digest })
	}
}

/// Whether there is a colon after the last slash: one before it belongs to the registry's port.
fn has_tag(name: &str) -> bool {
	name.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// Whether it is a host and not the first part of a path: `library/python` leaves open of which registry.
fn is_registry(text: &str) -> bool {
	let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
	let sound_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
	let is_host = host == "localhost" || host.contains('.') || port.is_some();
	sound_port && is_host && host.split('.').all(|label| is_part(label, b"-"))
}

/// Whether it is of lower-case letters and digits, with those of `between` inside.
fn is_part(text: &str, between: &[u8]) -> bool {
	let solid = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
	let bytes = text.as_bytes();
	bytes.first().is_some_and(|c| solid(*c))
		&& bytes.last().is_some_and(|c| solid(*c))
		&& bytes.iter().all(|c| solid(*c) || between.contains(c))
}

/// Whether a plan and an image may not set an environment variable of this name.
///
/// Such variables tell the dynamic linker which code to load, or the GPU's driver and container hooks which devices to
/// give. Hooks run outside of the container, so what they obey must not come from inside of it.
pub fn is_reserved_variable(name: &str) -> bool {
	const PREFIXES: [&str; 2] = ["LD_", "NVIDIA_"];
	const NAMES: [&str; 3] = ["CUDA_VISIBLE_DEVICES", "GCONV_PATH", "GLIBC_TUNABLES"];
	PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

impl ContainerPlan {
	/// Checks everything that can be checked without the image.
	///
	/// # Errors
	///
	/// [`PlanError::UnsupportedVersion`], [`PlanError::Count`] and [`PlanError::Container`].
	pub fn check(&self) -> Result<(), PlanError> {
		if self.version != VERSION {
			return Err(PlanError::UnsupportedVersion { found: self.version });
		}
		self.container.check()
	}

	/// The blobs that must be at hand to run the plan: the image if it is one, then the inputs in their order. No blob is
	/// named twice.
	pub fn blobs(&self) -> Vec<BlobHash> {
		let mut blobs = Vec::new();
		let inputs = self.container.inputs.iter().map(|input| input.blob);
		for blob in self.container.image_blob.into_iter().chain(inputs) {
			if !blobs.contains(&blob) {
				blobs.push(blob);
			}
		}
		blobs
	}
}

/// The most arguments of a command, with the program.
pub const MAX_COMMAND_ARGUMENTS: usize = 256;
/// The most bytes of an argument of a command or of an environment variable's value.
pub const MAX_TEXT_BYTES: usize = 16 << 10;
/// The most environment variables.
pub const MAX_VARIABLES: usize = 128;
/// The most characters of an environment variable's or a file's name.
pub const MAX_CONTAINER_NAME_CHARS: usize = 64;
/// The most input files.
pub const MAX_INPUTS: usize = 64;
/// The least memory that a plan may ask for, in bytes: 16 MiB.
pub const MIN_MEMORY_BYTES: u64 = 16 << 20;
/// The most memory that a plan may ask for, in bytes: 16 TiB.
pub const MAX_MEMORY_BYTES: u64 = 16 << 40;
/// The most processors that a plan may ask for.
pub const MAX_CPUS: u32 = 1_024;
/// The most seconds that a plan may ask for: 30 days.
pub const MAX_SECONDS: u64 = 30 * 24 * 3_600;

impl Container {
	fn check(&self) -> Result<(), PlanError> {
		if !(1..=MAX_COMMAND_ARGUMENTS).contains(&self.command.len()) {
			let found = self.command.len();
			return Err(PlanError::Count { list: "command", found, limit: MAX_COMMAND_ARGUMENTS });
		}
		ImageName::parse(&self.image)
			.map_err(|reason| ContainerPlanError::Image { image: self.image.clone(), reason })?;
		self.check_command()?;
		self.check_environment()?;
		self.check_files()?;
		self.check_amounts()?;
		Ok(())
	}

	fn check_command(&self) -> Result<(), ContainerPlanError> {
		if self.command.first().is_some_and(String::is_empty) {
			return Err(ContainerPlanError::NoProgram);
		}
		match self.command.iter().position(|argument| !is_text(argument)) {
			Some(index) => Err(ContainerPlanError::Argument { index }),
			None => Ok(()),
		}
	}

	fn check_environment(&self) -> Result<(), ContainerPlanError> {
		let found = self.environment.len();
		if found > MAX_VARIABLES {
			return Err(ContainerPlanError::TooMany { list: "environment", found, limit: MAX_VARIABLES });
		}
		for (name, value) in &self.environment {
			let name = name.clone();
			if !is_variable_name(&name) {
				return Err(ContainerPlanError::VariableName { name });
			}
			if is_reserved_variable(&name) {
				return Err(ContainerPlanError::ReservedVariable { name });
			}
			if !is_text(value) {
				return Err(ContainerPlanError::VariableValue { name });
			}
		}
		Ok(())
	}

	fn check_files(&self) -> Result<(), ContainerPlanError> {
		let found = self.inputs.len();
		if found > MAX_INPUTS {
			return Err(ContainerPlanError::TooMany { list: "inputs", found, limit: MAX_INPUTS });
		}
		let fail = |name: &str, reason| Err(ContainerPlanError::FileName { name: name.into(), reason });
		for (index, input) in self.inputs.iter().enumerate() {
			if !is_file_name(&input.path) {
				return fail(&input.path, FileNameError::Form);
			}
			if self.inputs.iter().take(index).any(|other| other.path == input.path) {
				return fail(&input.path, FileNameError::Twice);
			}
		}
		for name in self.checkpoint.iter().chain([&self.output]) {
			if !is_file_name(name) {
				return fail(name, FileNameError::Form);
			}
		}
		if self.checkpoint.as_ref() == Some(&self.output) {
			return fail(&self.output, FileNameError::Twice);
		}
		Ok(())
	}

	fn check_amounts(&self) -> Result<(), ContainerPlanError> {
		let amounts = [
			("memory_bytes", self.memory_bytes, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES),
			("cpus", self.cpus.into(), 1, MAX_CPUS.into()),
			("seconds", self.seconds.unwrap_or(1), 1, MAX_SECONDS),
		];
		for (field, found, least, most) in amounts {
			if !(least..=most).contains(&found) {
				return Err(ContainerPlanError::Amount { field, found, least, most });
			}
		}
		if self.network {
			return Err(ContainerPlanError::Network);
		}
		Ok(())
	}
}

/// Whether it can be an argument or a value: the system ends them with a zero byte.
fn is_text(text: &str) -> bool {
	text.len() <= MAX_TEXT_BYTES && !text.contains('\0')
}

/// Whether it can be the name of an environment variable: 1 to [`MAX_CONTAINER_NAME_CHARS`] of `A-Z`, `a-z`, `0-9` and
/// `_`, and no digit first.
pub fn is_variable_name(name: &str) -> bool {
	let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
	(1..=MAX_CONTAINER_NAME_CHARS).contains(&name.len())
		&& name.bytes().all(allowed)
		&& !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether it is the name of a plain file: no path, nothing hidden, nothing that a program could take for an option.
fn is_file_name(name: &str) -> bool {
	let allowed = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
	(1..=MAX_CONTAINER_NAME_CHARS).contains(&name.len())
		&& name.bytes().all(allowed)
		&& !name.starts_with(['.', '-'])
}
