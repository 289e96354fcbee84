//! Images and jobs for the tests, and a podman of their own.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod archive;
pub(crate) mod registry;

use archive::Archive;
use millrace_container::{
	ContainerError, ContainerJob, ContainerOutput, Event, JobName, Limits, Podman, Settings, Unavailable,
};
use millrace_job::{BlobHash, Document};
use serde_json::{json, Value};
use std::{
	fs,
	io::Write,
	os::unix::fs::MetadataExt,
	path::{Path, PathBuf},
	process::Command,
	sync::OnceLock,
	time::Duration,
};

/// A folder with a podman in it, and the names of what is there.
pub(crate) struct Bench {
	pub(crate) podman: Podman,
	pub(crate) folder: tempfile::TempDir,
}

impl Bench {
	/// A bench, or `None` with a word on standard error where containers cannot be run.
	pub(crate) fn new() -> Option<Self> {
		Self::with(|_| {})
	}

	pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Option<Self> {
		if !cfg!(target_arch = "x86_64") {
			skip("the tests' program is for x86-64");
			return None;
		}
		Self::at(tempfile::tempdir().unwrap(), change)
	}

	/// One in a folder that is there.
	pub(crate) fn at(folder: tempfile::TempDir, change: impl FnOnce(&mut Settings)) -> Option<Self> {
		let mut settings = Settings::new(folder.path().join("containers"));
		change(&mut settings);
		let why = match Podman::find(settings) {
			Ok(podman) => return Some(Self { podman, folder }),
			Err(Unavailable::HybridCgroups) => {
				"crun refuses cgroups of both versions at once; run: unshare --mount sh -c \
				'umount /sys/fs/cgroup/unified; cargo test --release -p millrace-container'"
					.into()
			}
			Err(why) => why.to_string(),
		};
		skip(&why);
		forget(&folder.path().join("containers"));
		None
	}

	/// Writes a blob, and returns its hash.
	pub(crate) fn blob(&self, bytes: &[u8]) -> BlobHash {
		let blob = BlobHash::of(bytes);
		fs::write(self.blob_path(blob), bytes).unwrap();
		blob
	}

	fn blob_path(&self, blob: BlobHash) -> PathBuf {
		self.folder.path().join(blob.to_string())
	}

	/// A job that has the program do something, with little memory and `in` as its input.
	pub(crate) fn job(&self, what: &str) -> ContainerJob {
		self.job_with(&Archive::new(), what, |_| {})
	}

	/// The same with another image and a change to the plan.
	pub(crate) fn job_with(
		&self,
		archive: &Archive,
		what: &str,
		change: impl FnOnce(&mut Value),
	) -> ContainerJob {
		let mut plan = json!({
			"version": 1,
			"container": {
				"image": archive.name(),
				"image_blob": self.blob(&archive.bytes()),
				"command": ["/program", what],
				"inputs": [ { "blob": self.blob(b"the input"), "path": "in" } ],
				"output": "out",
				"checkpoint": "state",
				"memory_bytes": 32 << 20,
				"cpus": 1,
			},
		});
		change(&mut plan["container"]);
		let Document::Container(plan) = Document::parse(plan.to_string().as_bytes()).unwrap() else {
			panic!("it is a container's plan");
		};
		let blobs = plan.blobs().into_iter().map(|blob| (blob, self.blob_path(blob))).collect();
		let limits = Limits {
			memory_bytes: 64 << 20,
			processes: 32,
			wall_clock: Duration::from_secs(30),
			output_bytes: 1 << 20,
			checkpoint_bytes: 1 << 10,
			checkpoint_interval: Duration::from_millis(50),
			log_bytes: 4 << 10,
			..Limits::default()
		};
		let name = JobName { lease: 1, job: 2, attempt: 3 };
		ContainerJob { name, plan, blobs, gpus: Vec::new(), resume: None, limits }
	}

	/// Runs a job to its end, and checks that nothing is left of it.
	pub(crate) fn run(&self, job: &ContainerJob) -> (Result<ContainerOutput, ContainerError>, Vec<Event>) {
		let mut events = Vec::new();
		let ended = self.podman.run(job, &|| false, &mut |event| events.push(event));
		assert_eq!(self.containers(), "");
		(ended, events)
	}

	/// What the program wrote to its output.
	pub(crate) fn output(&self, what: &str) -> String {
		let (ended, events) = self.run(&self.job(what));
		String::from_utf8(ended.unwrap_or_else(|error| panic!("{error}: {events:?}")).bytes).unwrap()
	}

	/// The containers of this bench, by name.
	pub(crate) fn containers(&self) -> String {
		self.podman_says(&["ps", "--all", "--format", "{{.Names}}"])
	}

	/// Calls podman as the library does.
	pub(crate) fn podman_says(&self, arguments: &[&str]) -> String {
		podman_says(&self.folder.path().join("containers"), arguments)
	}
}

impl Drop for Bench {
	fn drop(&mut self) {
		self.podman.sweep().unwrap();
		forget(&self.folder.path().join("containers"));
	}
}

/// Calls podman as the library does with this folder.
pub(crate) fn podman_says(folder: &Path, arguments: &[&str]) -> String {
	let run = run_folder(folder);
	let output = Command::new("podman")
		.args(["--root".as_ref(), folder.join("storage").as_os_str()])
		.args(["--runroot".as_ref(), run.as_os_str()])
		.args(["--tmpdir".as_ref(), run.join("libpod").as_os_str()])
		.args(arguments)
		.env("CONTAINERS_CONF", folder.join("containers.conf"))
		.output()
		.unwrap();
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Removes what keeps a folder from being removed: podman leaves its store mounted on itself, and its state where the
/// system would remove it at its next start.
pub(crate) fn forget(folder: &Path) {
	let _ = Command::new("umount").arg(folder.join("storage/overlay")).output();
	let _ = fs::remove_dir_all(run_folder(folder));
}

/// Where podman's state of a folder is.
fn run_folder(folder: &Path) -> PathBuf {
	let hash = BlobHash::of(folder.canonicalize().unwrap().to_str().unwrap().as_bytes()).to_string();
	let root = fs::metadata("/proc/self").unwrap().uid() == 0;
	let base = if root { "/run".into() } else { std::env::var_os("XDG_RUNTIME_DIR").unwrap() };
	Path::new(&base).join(format!("millrace-{}", &hash[..16]))
}

/// Says why tests do nothing. Not by `eprintln`, which the test runner keeps to itself when a test passes.
pub(crate) fn skip(why: &str) {
	writeln!(std::io::stderr(), "SKIPPED {}: {why}", std::thread::current().name().unwrap_or_default())
		.unwrap();
}

/// The program of the tests, compiled once.
pub(crate) fn program() -> &'static [u8] {
	static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
	PROGRAM.get_or_init(|| {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("program");
		let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/program.c");
		let compiler =
			["clang", "gcc"].into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
		let done = Command::new(compiler.expect("clang or gcc is needed for the tests' program"))
			.args([
				"-static",
				"-nostdlib",
				"-ffreestanding",
				"-fno-stack-protector",
				"-fno-builtin",
				"-O1",
				"-o",
			])
			.args([path.as_os_str(), source.as_ref()])
			.output()
			.unwrap();
		assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
		fs::read(path).unwrap()
	})
}
