//! A job's files: its inputs on the machine, and the folder `/output` in the container.

use crate::{disk::copy_blob, Checkpoint, ContainerError, ContainerJob};
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	os::{
		fd::AsRawFd,
		unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
	},
	path::{Path, PathBuf},
};

/// A job's folder on the machine. Removed when it is dropped.
pub(crate) struct JobFolder(PathBuf);

impl JobFolder {
	/// Makes the folder in that of all jobs.
	pub(crate) fn make(jobs: &Path, job: &ContainerJob) -> Result<Self, ContainerError> {
		let path = jobs.join(job.name.to_string());
		let failed = |error| ContainerError::broken(path.display())(error);
		fs::DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
		let folder = Self(path);
		for part in [folder.inputs(), folder.passing()] {
			fs::create_dir(&part).map_err(ContainerError::broken(part.display()))?;
		}
		Ok(folder)
	}

	/// What the container sees as `/input`.
	pub(crate) fn inputs(&self) -> PathBuf {
		self.0.join("input")
	}

	/// For what is half done.
	pub(crate) fn passing(&self) -> PathBuf {
		self.0.join("tmp")
	}

	/// Copies the plan's inputs under their names.
	pub(crate) fn fill(&self, job: &ContainerJob) -> Result<(), ContainerError> {
		let inputs = self.inputs();
		for input in &job.plan.container.inputs {
			let path = job.blobs.get(&input.blob).ok_or(ContainerError::BlobMissing(input.blob))?;
			copy_blob(input.blob, path, &inputs.join(&input.path))?;
		}
		// Whatever this process's umask is, the container's user can look into it.
		let readable = fs::set_permissions(&inputs, fs::Permissions::from_mode(0o755));
		readable.map_err(ContainerError::broken(inputs.display()))
	}
}

impl Drop for JobFolder {
	fn drop(&mut self) {
		// What stays is removed by the next sweep.
		let _ = fs::remove_dir_all(&self.0);
	}
}

/// The container's folder `/output`, which stays readable after the container has ended: an open file keeps a file system
/// in memory alive.
pub(crate) struct OutputFolder {
	folder: File,
	device: u64,
}

impl OutputFolder {
	/// Opens the folder of a container whose first process is `process`, and has not started its command yet.
	pub(crate) fn open(process: u32) -> Result<Self, ContainerError> {
		let path = format!("/proc/{process}/root/output");
		// The image may have a link of this name, which would lead through the machine's own files.
		let opened =
			OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(&path);
		let refused = |error: io::Error| match error.raw_os_error() {
			Some(libc::ELOOP | libc::ENOTDIR) => {
				ContainerError::ImageRefused("its /output is a link; remove it".into())
			}
			_ => ContainerError::PodmanBroken(format!("{path}: {error}")),
		};
		let folder = opened.map_err(refused)?;
		let device = folder.metadata().map_err(ContainerError::broken(path))?.dev();
		Ok(Self { folder, device })
	}

	/// The path of a file in it. The names are a plan's, and so without slashes.
	fn path(&self, name: &str) -> String {
		format!("/proc/self/fd/{}/{name}", self.folder.as_raw_fd())
	}

	/// Writes a file that is not there yet, before the command starts.
	pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ContainerError> {
		let opened = OpenOptions::new().write(true).create_new(true).mode(0o644).open(self.path(name));
		let written = opened.and_then(|mut file| file.write_all(bytes));
		written.map_err(ContainerError::broken("the checkpoint cannot be handed to the container"))
	}

	/// Opens a file that the command wrote. Believes nothing: it must be a regular file of this folder's file system, and no
	/// longer than `limit`.
	pub(crate) fn open_file(&self, name: &str, limit: u64) -> Result<Found, Unfit> {
		// Without NONBLOCK, opening a pipe would wait for its other end.
		let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
		let file = match OpenOptions::new().read(true).custom_flags(flags).open(self.path(name)) {
			Ok(file) => file,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unfit::Absent),
			Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(Unfit::NotAFile),
			// A socket or a device that cannot be opened.
			Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Err(Unfit::NotAFile),
			Err(error) => return Err(Unfit::Unreadable(error.to_string())),
		};
		let metadata = file.metadata().map_err(|error| Unfit::Unreadable(error.to_string()))?;
		if !metadata.is_file() || metadata.dev() != self.device {
			return Err(Unfit::NotAFile);
		}
		if metadata.len() > limit {
			return Err(Unfit::TooLong { bytes: metadata.len(), limit });
		}
		let version = (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len());
		Ok(Found { file, version, limit })
	}
}

/// What tells one version of a file from the next: its number, its time, and its length.
pub(crate) type Version = (u64, i64, i64, u64);

/// A file that may be read.
pub(crate) struct Found {
	file: File,
	pub(crate) version: Version,
	limit: u64,
}

impl Found {
	/// Reads it. It may grow meanwhile, but not beyond the limit.
	pub(crate) fn read(self) -> Result<Vec<u8>, Unfit> {
		let mut bytes = Vec::new();
		let read = self.file.take(self.limit.saturating_add(1)).read_to_end(&mut bytes);
		read.map_err(|error| Unfit::Unreadable(error.to_string()))?;
		match bytes.len() as u64 {
			bytes if bytes > self.limit => Err(Unfit::TooLong { bytes, limit: self.limit }),
			_ => Ok(bytes),
		}
	}
}

/// Why a file of the container's is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Unfit {
	#[error("is not there")]
	Absent,
	#[error("is not a regular file")]
	NotAFile,
	#[error("has {bytes} bytes, the limit is {limit}")]
	TooLong { bytes: u64, limit: u64 },
	#[error("cannot be read: {0}")]
	Unreadable(String),
}

/// Looks for new checkpoints.
pub(crate) struct CheckpointFile<'a> {
	folder: &'a OutputFolder,
	name: Option<&'a str>,
	limit: u64,
	number: u32,
	last: Option<Version>,
	complaint: Option<Unfit>,
}

impl<'a> CheckpointFile<'a> {
	/// Puts the state to go on from, if there is one, where the command will find it.
	pub(crate) fn new(folder: &'a OutputFolder, job: &'a ContainerJob) -> Result<Self, ContainerError> {
		let (name, limit) = (job.plan.container.checkpoint.as_deref(), job.limits.checkpoint_bytes);
		let mut file = Self { folder, name, limit, number: 0, last: None, complaint: None };
		if let (Some(name), Some(from)) = (name, &job.resume) {
			folder.write(name, &from.bytes)?;
			file.number = from.number;
			file.last = folder.open_file(name, u64::MAX).ok().map(|found| found.version);
		}
		Ok(file)
	}

	/// The checkpoint, if there is one that was not handed out yet. An error is told once.
	pub(crate) fn look(&mut self) -> Result<Option<Checkpoint>, String> {
		let Some(name) = self.name else { return Ok(None) };
		let found = match self.folder.open_file(name, self.limit) {
			Ok(found) if self.last == Some(found.version) => return Ok(None),
			Ok(found) => found,
			Err(Unfit::Absent) => return Ok(None),
			Err(unfit) => return self.complain(name, unfit),
		};
		let version = found.version;
		match found.read() {
			Ok(bytes) => {
				self.last = Some(version);
				self.number = self.number.saturating_add(1);
				Ok(Some(Checkpoint { number: self.number, bytes }))
			}
			Err(unfit) => self.complain(name, unfit),
		}
	}

	fn complain(&mut self, name: &str, unfit: Unfit) -> Result<Option<Checkpoint>, String> {
		if self.complaint.as_ref() == Some(&unfit) {
			return Ok(None);
		}
		let text = format!("the checkpoint {name} is not taken: it {unfit}");
		self.complaint = Some(unfit);
		Err(text)
	}
}
