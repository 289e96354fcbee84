//! Results of jobs, on disk before they are reported.
//!
//! One file per result. It stays until a finalised block shows the job closed, so that a result survives a crash of the
//! node, a power cut, and a lost transaction. A file that cannot be read is set aside, and the job is run again: kernel jobs
//! give the same bytes each time.

use crate::{
	disk::{at, write_whole, BlobError},
	LOG_TARGET,
};
use codec::{DecodeAll, Encode};
use millrace_primitives::{worker_api::JobView, BlobHash, Hash, JobId, JobOutcome, LeaseId, Moment};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Name's ending of a result.
const RESULT: &str = "json";

/// Names a job.
pub(crate) type JobKey = (LeaseId, JobId);

/// How a job ended.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredResult {
	/// Genesis hash of its chain.
	pub genesis: Hash,
	/// Number of its lease.
	pub lease: LeaseId,
	/// Its number within the lease.
	pub job: JobId,
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
	/// When it was submitted, in chain time.
	pub submitted_at: Moment,
	/// What the chain is told, as SCALE bytes in hexadecimal.
	#[serde(with = "scale_hex")]
	pub outcome: JobOutcome,
	/// The outcome in words, and why.
	pub detail: String,
	/// Time during which its kernels ran, in milliseconds.
	pub busy_ms: u64,
}

impl StoredResult {
	/// Whether this is the result of that job, and not of one with the same number on a chain that began anew.
	pub(crate) fn is_of(&self, job: &JobView) -> bool {
		self.plan == job.plan && self.submitted_at == job.submitted_at
	}
}

/// The results that the chain does not show as final yet. Clones are the same store.
#[derive(Clone)]
pub(crate) struct Results(Arc<Store>);

struct Store {
	dir: PathBuf,
	results: Mutex<BTreeMap<JobKey, StoredResult>>,
}

impl Results {
	/// Opens the results in `dir`, which is made if it is missing. Results of another chain are removed.
	pub(crate) fn open(dir: PathBuf, genesis: Hash) -> Result<Self, BlobError> {
		fs::create_dir_all(&dir).map_err(at(&dir))?;
		let mut results = BTreeMap::new();
		for file in fs::read_dir(&dir).map_err(at(&dir))? {
			let path = file.map_err(at(&dir))?.path();
			if path.extension().is_none_or(|ending| ending != RESULT) {
				continue;
			}
			match read(&path) {
				Ok(result) if result.genesis == genesis => {
					results.insert((result.lease, result.job), result);
				}
				Ok(_) => fs::remove_file(&path).map_err(at(&path))?,
				Err(why) => {
					let aside = path.with_extension("damaged");
					log::warn!(
						target: LOG_TARGET,
						"{} cannot be read ({why}); set aside as {}; the job will run again", path.display(), aside.display(),
					);
					fs::rename(&path, &aside).map_err(at(&aside))?;
				}
			}
		}
		Ok(Self(Arc::new(Store { dir, results: Mutex::new(results) })))
	}

	/// Stores a result. When this returns, the result survives a power cut. Blocks on the disk.
	pub(crate) fn put(&self, result: StoredResult) -> Result<(), BlobError> {
		let key = (result.lease, result.job);
		let path = self.path(key);
		let text = serde_json::to_vec_pretty(&result).map_err(|error| at(&path)(io::Error::other(error)))?;
		write_whole(&path.with_extension("part"), &path, &text)?;
		self.results().insert(key, result);
		Ok(())
	}

	/// A copy of all results.
	pub(crate) fn all(&self) -> BTreeMap<JobKey, StoredResult> {
		self.results().clone()
	}

	/// One result.
	pub(crate) fn get(&self, key: JobKey) -> Option<StoredResult> {
		self.results().get(&key).cloned()
	}

	/// Number of results.
	pub(crate) fn len(&self) -> usize {
		self.results().len()
	}

	/// Removes a result that the chain does not need any more. Should the file come back after a power cut, the result is
	/// forgotten again.
	pub(crate) fn forget(&self, key: JobKey) -> Result<(), BlobError> {
		let path = self.path(key);
		match fs::remove_file(&path) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
			_ => self.results().remove(&key),
		};
		Ok(())
	}

	fn path(&self, (lease, job): JobKey) -> PathBuf {
		self.0.dir.join(format!("{lease}-{job}.{RESULT}"))
	}

	/// The map is whole after every statement, so a thread that panicked leaves nothing half done.
	fn results(&self) -> MutexGuard<'_, BTreeMap<JobKey, StoredResult>> {
		self.0.results.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

fn read(path: &Path) -> Result<StoredResult, String> {
	let bytes = fs::read(path).map_err(|error| error.to_string())?;
	serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// A SCALE value as hexadecimal text.
mod scale_hex {
	use super::{DecodeAll, Encode, JobOutcome};
	use serde::{de::Error, Deserialize, Deserializer, Serializer};

	pub(super) fn serialize<S: Serializer>(outcome: &JobOutcome, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&hex::encode(outcome.encode()))
	}

	pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JobOutcome, D::Error> {
		let bytes = hex::decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?;
		JobOutcome::decode_all(&mut &bytes[..]).map_err(D::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::JobFailure;

	const GENESIS: Hash = Hash::repeat_byte(1);

	fn result(lease: u64, job: u32) -> StoredResult {
		StoredResult {
			genesis: GENESIS,
			lease: LeaseId(lease),
			job: JobId(job),
			plan: BlobHash::repeat_byte(2),
			submitted_at: 12_000,
			outcome: JobOutcome::Succeeded { output: BlobHash::repeat_byte(3), bytes: 4 },
			detail: "succeeded".into(),
			busy_ms: 5,
		}
	}

	#[test]
	fn results_survive_a_restart_until_they_are_forgotten() {
		let dir = tempfile::tempdir().unwrap();
		let open = || Results::open(dir.path().join("results"), GENESIS).unwrap();
		let failed = StoredResult {
			outcome: JobOutcome::Failed(JobFailure::BlobMissing(Hash::repeat_byte(9))),
			..result(1, 1)
		};
		let results = open();
		results.put(result(1, 0)).unwrap();
		results.put(failed.clone()).unwrap();
		drop(results);

		let results = open();
		assert_eq!(results.len(), 2);
		assert_eq!(results.get((LeaseId(1), JobId(0))), Some(result(1, 0)));
		assert_eq!(results.get((LeaseId(1), JobId(1))), Some(failed.clone()));
		results.forget((LeaseId(1), JobId(0))).unwrap();
		results.forget((LeaseId(1), JobId(0))).unwrap();

		assert_eq!(open().all().into_values().collect::<Vec<_>>(), [failed]);
	}

	#[test]
	fn a_damaged_result_is_set_aside() {
		let dir = tempfile::tempdir().unwrap();
		Results::open(dir.path().into(), GENESIS).unwrap().put(result(1, 0)).unwrap();
		let path = dir.path().join("1-0.json");
		let whole = fs::read(&path).unwrap();
		fs::write(&path, &whole[..whole.len() / 2]).unwrap();
		// A write that was cut short is no result at all.
		fs::write(dir.path().join("1-1.part"), &whole).unwrap();

		assert_eq!(Results::open(dir.path().into(), GENESIS).unwrap().len(), 0);
		assert!(!path.exists() && dir.path().join("1-0.damaged").exists());
	}

	#[test]
	fn results_of_another_chain_are_removed() {
		let dir = tempfile::tempdir().unwrap();
		Results::open(dir.path().into(), GENESIS).unwrap().put(result(1, 0)).unwrap();
		assert_eq!(Results::open(dir.path().into(), Hash::repeat_byte(8)).unwrap().len(), 0);
		assert!(!dir.path().join("1-0.json").exists());
	}

	#[test]
	fn a_result_belongs_to_its_plan_and_time() {
		let job =
			JobView { job: JobId(0), plan: BlobHash::repeat_byte(2), submitted_at: 12_000, checkpoint: None };
		assert!(result(1, 0).is_of(&job));
		assert!(!result(1, 0).is_of(&JobView { submitted_at: 12_001, ..job.clone() }));
		assert!(!result(1, 0).is_of(&JobView { plan: BlobHash::repeat_byte(4), ..job }));
	}
}
