//! Why a document is not a plan that can be run.

use alloc::string::String;
use core::fmt;

/// What is wrong with a plan. Launches and arguments are counted from 0.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PlanError {
	/// The document is longer than [`MAX_PLAN_BYTES`](crate::MAX_PLAN_BYTES).
	TooLong {
		/// Its length in bytes.
		bytes: usize,
	},
	/// The document is not JSON of the plan's form. The text says what was expected, and where.
	Malformed(String),
	/// The plan is of another version of the format.
	UnsupportedVersion {
		/// The version that it names.
		found: u32,
	},
	/// Too many items in a list, or none in a list that must have some.
	Count {
		/// Which list.
		list: &'static str,
		/// How many items it has.
		found: usize,
		/// How many it may have at most.
		limit: usize,
	},
	/// A buffer's name has other characters than `a-z`, `0-9` and `_`, or not 1 to 32 of them.
	BufferName {
		/// The name.
		name: String,
	},
	/// Two buffers have the same name.
	DuplicateBuffer {
		/// The name.
		name: String,
	},
	/// A buffer has no bytes.
	EmptyBuffer {
		/// Its name.
		name: String,
	},
	/// The buffers are too large together.
	BuffersTooLarge {
		/// Their bytes in all; `u64::MAX` stands for that and more.
		bytes: u64,
		/// The limit that applies here.
		limit: u64,
	},
	/// The output is too large.
	OutputTooLarge {
		/// Its bytes.
		bytes: u64,
		/// The limit that applies here.
		limit: u64,
	},
	/// An argument names a buffer that the plan does not have.
	UnknownArgumentBuffer {
		/// Index of the launch.
		launch: usize,
		/// Index of the argument in the launch.
		argument: usize,
		/// The name.
		name: String,
	},
	/// `outputs` names a buffer that the plan does not have.
	UnknownOutput {
		/// The name.
		name: String,
	},
	/// `outputs` names a buffer twice.
	DuplicateOutput {
		/// The name.
		name: String,
	},
	/// An entry's name is empty, too long, or not an identifier of PTX.
	EntryName {
		/// Index of the launch.
		launch: usize,
	},
	/// A grid dimension is zero, or the grid has more than [`MAX_GRID_BLOCKS`](crate::MAX_GRID_BLOCKS) blocks.
	Grid {
		/// Index of the launch.
		launch: usize,
		/// The grid.
		grid: [u32; 3],
	},
	/// A block dimension is zero, or a block has more than [`MAX_BLOCK_THREADS`](crate::MAX_BLOCK_THREADS) threads.
	Block {
		/// Index of the launch.
		launch: usize,
		/// The block.
		block: [u32; 3],
	},
	/// A launch asks for more than [`MAX_SHARED_BYTES`](crate::MAX_SHARED_BYTES) of shared memory.
	SharedMemory {
		/// Index of the launch.
		launch: usize,
		/// Bytes asked for.
		bytes: u32,
	},
	/// A launch has more than [`MAX_ARGUMENTS`](crate::MAX_ARGUMENTS) arguments.
	Arguments {
		/// Index of the launch.
		launch: usize,
		/// How many it has.
		found: usize,
	},
	/// An `f32` argument is infinite or not a number. No document can say so; it is for plans made in another way.
	NotFinite {
		/// Index of the launch.
		launch: usize,
		/// Index of the argument in the launch.
		argument: usize,
	},
	/// The plan is for a container where one for a kernel is needed.
	NotAKernel,
	/// The plan is for a container, and something is wrong with that.
	Container(ContainerPlanError),
}

/// What is wrong with a container's plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ContainerPlanError {
	/// The image's name is not `registry/name@sha256:…`.
	Image {
		/// The name.
		image: String,
		/// What is wrong with it.
		reason: ImageError,
	},
	/// The command's program has no name.
	NoProgram,
	/// An argument of the command is too long, or has a zero byte.
	Argument {
		/// Its index; the program is 0.
		index: usize,
	},
	/// Too many items in a list that may be empty.
	TooMany {
		/// Which list.
		list: &'static str,
		/// How many items it has.
		found: usize,
		/// How many it may have at most.
		limit: usize,
	},
	/// An environment variable's name is not an identifier, or too long.
	VariableName {
		/// The name.
		name: String,
	},
	/// An environment variable is one that [`is_reserved_variable`](crate::is_reserved_variable) tells of.
	ReservedVariable {
		/// Its name.
		name: String,
	},
	/// An environment variable's value is too long, or has a zero byte.
	VariableValue {
		/// The variable's name.
		name: String,
	},
	/// A file's name cannot be used.
	FileName {
		/// The name.
		name: String,
		/// What is wrong with it.
		reason: FileNameError,
	},
	/// An amount is too small or too large.
	Amount {
		/// The field.
		field: &'static str,
		/// What it says.
		found: u64,
		/// The least that is allowed.
		least: u64,
		/// The most that is allowed.
		most: u64,
	},
	/// The plan asks for the network.
	Network,
}

/// What is wrong with an image's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImageError {
	/// It has more than [`MAX_IMAGE_CHARS`](crate::MAX_IMAGE_CHARS) characters.
	TooLong,
	/// It has a tag.
	Tag,
	/// It has no digest.
	NoDigest,
	/// Its digest is not `sha256:` and 64 lower-case hexadecimal digits.
	Digest,
	/// It does not begin with a registry's host.
	NoRegistry,
	/// Its path in the registry has parts that are empty or of other characters.
	Repository,
}

/// What is wrong with a file's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileNameError {
	/// It is not the name of a plain file.
	Form,
	/// Another file of the folder has it.
	Twice,
}

impl fmt::Display for PlanError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooLong { bytes } => {
				write!(f, "the plan has {bytes} bytes, at most {} are allowed", crate::MAX_PLAN_BYTES)
			}
			Self::Malformed(message) => write!(f, "the plan is malformed: {message}"),
			Self::UnsupportedVersion { found } => {
				write!(f, "the plan's version is {found}, only {} is supported", crate::VERSION)
			}
			Self::Count { list, found, limit } => {
				write!(f, "`{list}` has {found} items, 1 to {limit} are allowed")
			}
			Self::BufferName { name } => {
				write!(f, "buffer name {name:?} is not of the form [a-z0-9_]{{1,{}}}", crate::MAX_NAME_CHARS)
			}
			Self::DuplicateBuffer { name } => write!(f, "two buffers are named `{name}`"),
			Self::EmptyBuffer { name } => write!(f, "buffer `{name}` has no bytes"),
			Self::BuffersTooLarge { bytes, limit } => {
				write!(f, "the buffers have {bytes} bytes in all, the limit is {limit}")
			}
			Self::OutputTooLarge { bytes, limit } => {
				write!(f, "the output has {bytes} bytes, the limit is {limit}")
			}
			Self::UnknownArgumentBuffer { launch, argument, name } => {
				write!(
					f,
					"argument {argument} of launch {launch} names buffer {name:?}, which does not exist"
				)
			}
			Self::UnknownOutput { name } => {
				write!(f, "`outputs` names buffer {name:?}, which does not exist")
			}
			Self::DuplicateOutput { name } => write!(f, "`outputs` names buffer `{name}` twice"),
			Self::EntryName { launch } => {
				write!(f, "the entry of launch {launch} is not the name of a kernel")
			}
			Self::Grid { launch, grid } => {
				write!(
					f,
					"grid {grid:?} of launch {launch} has a zero or more than {} blocks",
					crate::MAX_GRID_BLOCKS
				)
			}
			Self::Block { launch, block } => {
				let limit = crate::MAX_BLOCK_THREADS;
				write!(f, "block {block:?} of launch {launch} has a zero or more than {limit} threads")
			}
			Self::SharedMemory { launch, bytes } => {
				let limit = crate::MAX_SHARED_BYTES;
				write!(f, "launch {launch} asks for {bytes} bytes of shared memory, the limit is {limit}")
			}
			Self::Arguments { launch, found } => {
				write!(f, "launch {launch} has {found} arguments, the limit is {}", crate::MAX_ARGUMENTS)
			}
			Self::NotFinite { launch, argument } => {
				write!(f, "argument {argument} of launch {launch} is not a finite number")
			}
			Self::NotAKernel => {
				f.write_str("the plan is for a container, and only a kernel's can be run here")
			}
			Self::Container(error) => error.fmt(f),
		}
	}
}

impl core::error::Error for PlanError {}

impl From<ContainerPlanError> for PlanError {
	fn from(error: ContainerPlanError) -> Self {
		Self::Container(error)
	}
}

impl fmt::Display for ContainerPlanError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let text_limit = crate::MAX_TEXT_BYTES;
		match self {
			Self::Image { image, reason } => write!(f, "image {image:?} {reason}"),
			Self::NoProgram => f.write_str("`command` begins with an empty text, and not with a program"),
			Self::Argument { index } => {
				write!(f, "argument {index} of `command` has a zero byte or more than {text_limit} bytes")
			}
			Self::TooMany { list, found, limit } => {
				write!(f, "`{list}` has {found} items, at most {limit} are allowed")
			}
			Self::VariableName { name } => {
				let limit = crate::MAX_CONTAINER_NAME_CHARS;
				write!(f, "{name:?} is no name of an environment variable: 1 to {limit} of A-Z, a-z, 0-9 and _, no digit first")
			}
			Self::ReservedVariable { name } => {
				write!(
					f,
					"the environment variable {name} is not for plans, because it reaches code outside of the container: \
					 the GPUs are those of the lease, and libraries are found by the image's own linker settings"
				)
			}
			Self::VariableValue { name } => {
				write!(f, "the value of {name} has a zero byte or more than {text_limit} bytes")
			}
			Self::FileName { name, reason } => write!(f, "file name {name:?} {reason}"),
			Self::Amount { field, found, least, most } => {
				write!(f, "`{field}` is {found}, {least} to {most} are allowed")
			}
			Self::Network => f.write_str(
				"`network` is true, which no lease can ask for yet: hand everything over as inputs, and leave it out",
			),
		}
	}
}

impl core::error::Error for ContainerPlanError {}

impl fmt::Display for ImageError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooLong => write!(f, "has more than {} characters", crate::MAX_IMAGE_CHARS),
			Self::Tag => f.write_str(
				"has a tag, which can stand for other bytes tomorrow: write registry/name@sha256:… instead \
				 (`podman image inspect --format {{.Digest}}` says which)",
			),
			Self::NoDigest => f.write_str(
				"has no digest: write registry/name@sha256:… (`podman image inspect --format {{.Digest}}` says which)",
			),
			Self::Digest => f.write_str("has a digest that is not sha256: and 64 of 0-9 and a-f"),
			Self::NoRegistry => f.write_str("does not begin with a registry's host, such as docker.io/library/"),
			Self::Repository => f.write_str("has a path that is not of a-z, 0-9, `.`, `_`, `-` between slashes"),
		}
	}
}

impl core::error::Error for ImageError {}

impl fmt::Display for FileNameError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Form => {
				let limit = crate::MAX_CONTAINER_NAME_CHARS;
				write!(
					f,
					"is not that of a plain file: 1 to {limit} of A-Z, a-z, 0-9, `.`, `_` and `-`, the first no `.` or `-`"
				)
			}
			Self::Twice => f.write_str("is there twice"),
		}
	}
}

impl core::error::Error for FileNameError {}
