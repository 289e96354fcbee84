//! Private copies of the doubles of the driver's libraries.

use serde_json::Value;
use std::{env, fs, path::PathBuf};
use tempfile::TempDir;

/// A copy of one of the doubles with orders of its own.
pub(crate) struct Double {
	folder: TempDir,
}

impl Double {
	/// A copy of `libmillrace_<name>_double.so`.
	pub(crate) fn new(name: &str, config: &Value) -> Self {
		let built = env::current_exe().unwrap().with_file_name(format!("libmillrace_{name}_double.so"));
		let double = Self { folder: tempfile::tempdir().unwrap() };
		fs::copy(&built, double.library()).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
		double.order(config);
		double
	}

	/// The library.
	pub(crate) fn library(&self) -> PathBuf {
		self.path("library.so")
	}

	/// What it is from now on; for the double of CUDA in processes that start from now on.
	pub(crate) fn order(&self, config: &Value) {
		fs::write(self.path("new.json"), config.to_string()).unwrap();
		fs::rename(self.path("new.json"), self.path("library.so.json")).unwrap();
	}

	/// A file beside it.
	pub(crate) fn path(&self, name: &str) -> PathBuf {
		self.folder.path().join(name)
	}
}
