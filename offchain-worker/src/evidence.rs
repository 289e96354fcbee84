//! What jobs leave behind for a contest: the plan, the inputs and the output of each stay while anybody can object to the job.
//!
//! The chain forgets a lease's jobs when the lease ends, and a contest can last for days after that. So what belongs to a job is
//! written here before its result, one file per job, and goes when the chain says that nothing can come of the job any more.
//! Without these blobs whoever judges could not run the job again.

use crate::{
	blobs::Blobs,
	disk::{at, write_whole, BlobError},
	results::{JobKey, Results},
	LOG_TARGET,
};
use millrace_primitives::{BlobHash, Hash, JobId, LeaseId, Moment};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	sync::{Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::time::Instant;

/// Name's ending of a record.
const RECORD: &str = "json";
/// How often blobs are noted as needed, and the chain is asked. Far less than the day for which the store keeps what nobody needs.
const EVERY: Duration = Duration::from_secs(60);

/// What belongs to one job.
#[derive(Serialize, Deserialize)]
struct Record {
	/// Genesis hash of its chain.
	genesis: Hash,
	lease: LeaseId,
	job: JobId,
	blobs: Vec<BlobHash>,
}

/// A job whose blobs are kept.
struct Kept {
	blobs: Vec<BlobHash>,
	/// Chain time at which its result was first seen to be final. After a restart it is seen anew, and the blobs stay a little longer.
	ended_at: Option<Moment>,
}

/// The evidence.
pub(crate) struct Evidence {
	dir: PathBuf,
	genesis: Hash,
	blobs: Blobs,
	kept: Mutex<BTreeMap<JobKey, Kept>>,
	due: Mutex<Instant>,
}

impl Evidence {
	/// Opens the records in `dir`, which is made if it is missing, and notes their blobs as needed. Records of another chain are
	/// removed, and those that cannot be read.
	pub(crate) fn open(dir: PathBuf, genesis: Hash, blobs: Blobs) -> Result<Self, BlobError> {
		fs::create_dir_all(&dir).map_err(at(&dir))?;
		let mut kept = BTreeMap::new();
		for file in fs::read_dir(&dir).map_err(at(&dir))? {
			let path = file.map_err(at(&dir))?.path();
			match read(&path) {
				Ok(record) if record.genesis == genesis => {
					record.blobs.iter().for_each(|blob| blobs.keep(*blob));
					kept.insert((record.lease, record.job), Kept { blobs: record.blobs, ended_at: None });
				}
				Ok(_) => fs::remove_file(&path).map_err(at(&path))?,
				Err(why) => {
					// Half a record, or one that the disk spoiled. Its blobs stay for as long as any others.
					log::warn!(target: LOG_TARGET, "{} cannot be read ({why}); removed", path.display());
					fs::remove_file(&path).map_err(at(&path))?;
				}
			}
		}
		Ok(Self { dir, genesis, blobs, kept: Mutex::new(kept), due: Mutex::new(Instant::now()) })
	}

	/// Remembers what belongs to a job. When this returns, that survives a power cut. Blocks on the disk.
	pub(crate) fn put(&self, key: JobKey, blobs: Vec<BlobHash>) -> Result<(), BlobError> {
		let (lease, job) = key;
		let record = Record { genesis: self.genesis, lease, job, blobs };
		let path = self.path(key);
		let text = serde_json::to_vec(&record).map_err(|error| at(&path)(io::Error::other(error)))?;
		write_whole(&path.with_extension("part"), &path, &text)?;
		self.kept().insert(key, Kept { blobs: record.blobs, ended_at: None });
		Ok(())
	}

	/// Once a minute, by what the chain says at a finalised block with this time: notes the blobs of jobs that can be objected to as
	/// needed, and forgets the others. A job with a stored `result` has not ended: the chain does not show that it is final.
	/// `contestable` asks the chain, where an error means that it cannot be read now.
	pub(crate) fn follow<E: std::fmt::Display>(
		&self,
		now: Moment,
		results: &Results,
		contestable: impl Fn(LeaseId, Moment) -> Result<bool, E>,
	) -> Result<(), String> {
		let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
		if Instant::now() < *due {
			return Ok(());
		}
		*due = Instant::now() + EVERY;
		let mut over = Vec::new();
		for (key, kept) in self.kept().iter_mut() {
			let is_needed = results.get(*key).is_some() || {
				let ended_at = *kept.ended_at.get_or_insert(now);
				contestable(key.0, ended_at)
					.map_err(|error| format!("the chain's contests cannot be read: {error}"))?
			};
			if is_needed {
				kept.blobs.iter().for_each(|blob| self.blobs.keep(*blob));
			} else {
				over.push(*key);
			}
		}
		over.into_iter().try_for_each(|key| self.forget(key)).map_err(|error| error.to_string())
	}

	/// Forgets a job. Its blobs stay until their room is wanted.
	fn forget(&self, key: JobKey) -> Result<(), BlobError> {
		let path = self.path(key);
		match fs::remove_file(&path) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
			_ => self.kept().remove(&key),
		};
		Ok(())
	}

	fn path(&self, (lease, job): JobKey) -> PathBuf {
		self.dir.join(format!("{lease}-{job}.{RECORD}"))
	}

	/// The map is whole after every statement, so a thread that panicked leaves nothing half done.
	fn kept(&self) -> MutexGuard<'_, BTreeMap<JobKey, Kept>> {
		self.kept.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

fn read(path: &Path) -> Result<Record, String> {
	let bytes = fs::read(path).map_err(|error| error.to_string())?;
	serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
