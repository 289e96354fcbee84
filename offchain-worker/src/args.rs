//! The worker's command line and configuration.

use crate::{
	operator::{check_machine, show_worker, NodeUrl},
	BidPolicy,
};
use millrace_executor::Executor;
use std::{
	error::Error,
	io::Write,
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};

/// Which devices the worker offers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum DeviceChoice {
	/// The NVIDIA GPUs if there are any, and otherwise the reference device.
	#[default]
	Auto,
	/// A CPU that interprets kernels. Slow; for development chains.
	Reference,
	/// The NVIDIA GPUs, by the CUDA driver.
	Cuda,
}

/// Which devices the worker offers, and on which conditions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceRules {
	/// Of which kind.
	pub kind: DeviceChoice,
	/// UUIDs of the GPUs to offer; all if empty. The others are left for the operator's own use.
	pub gpus: Vec<String>,
	/// Whether to offer GPUs where jobs are not kept in bounds.
	pub accept_weak_isolation: bool,
}

/// Options of the worker, for the node's command line.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerArgs {
	/// Serve a provider's leases with this machine's GPUs.
	///
	/// Needs a worker key (sr25519, key type `gpuw`) in the keystore; the provider's account names that key on chain.
	#[arg(long)]
	pub worker: bool,

	/// Which devices the worker offers.
	#[arg(long, value_enum, default_value_t = DeviceChoice::Auto, value_name = "KIND")]
	pub worker_device: DeviceChoice,

	/// Offer only the GPUs with these UUIDs, as `millrace-node worker check` shows them, separated by commas. Default: all.
	///
	/// The others stay for your own use: the worker does not open them.
	#[arg(long, value_name = "UUID", value_delimiter = ',')]
	pub worker_gpus: Vec<String>,

	/// The program that runs jobs. Default: `millrace-executor` beside this program.
	#[arg(long, value_name = "PATH")]
	pub worker_executor: Option<PathBuf>,

	/// Offer GPUs even where jobs are not kept in bounds. `millrace-node worker check` says what this machine lacks.
	#[arg(long)]
	pub worker_accept_weak_isolation: bool,

	/// Most disk space for blobs (plans, kernels, inputs, outputs), in MiB.
	#[arg(long, default_value_t = 4096, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
	pub worker_blob_quota: u32,

	/// Largest single blob, in MiB. Above 7 MiB, raise `--rpc-max-request-size` and `--rpc-max-response-size` too.
	#[arg(long, default_value_t = DEFAULT_MAX_BLOB_MIB, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=1024))]
	pub worker_max_blob: u32,

	/// Longest time that one job may run, in seconds.
	#[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
	pub worker_job_seconds: u32,

	/// Longest time that one launch of a kernel may take, in seconds: on the reference device without a thread block being done. It ends a kernel
	/// that hangs before its job's time is over.
	#[arg(long, default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
	pub worker_launch_seconds: u32,

	/// Serve container jobs too, through podman: programs of strangers on this machine's processors. docs/provider.md says what
	/// keeps them in bounds.
	#[arg(long, requires = "worker")]
	pub worker_containers: bool,

	/// Most memory of one container, in MiB.
	#[arg(long, default_value_t = 8192, value_name = "MIB", value_parser = clap::value_parser!(u32).range(16..))]
	pub worker_container_memory: u32,

	/// Most disk space for images of containers, in GiB.
	#[arg(long, default_value_t = 100, value_name = "GIB", value_parser = clap::value_parser!(u32).range(1..))]
	pub worker_container_store: u32,

	/// How long a job waits for blobs that have not arrived, in seconds. After that it fails.
	#[arg(long, default_value_t = 30, value_name = "SECONDS")]
	pub worker_blob_wait: u32,

	/// Time between two checkpoints of a job, in seconds. They are made between launches, so a long launch delays one.
	///
	/// From a checkpoint the job goes on after a restart, after a frozen lease is paid for again, and at another provider.
	#[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
	pub worker_checkpoint_seconds: u32,

	/// Bid in auctions by the policy in this TOML file. It is read at the start; docs/examples/bid-policy.toml explains it.
	///
	/// Needs a bidder key (sr25519, key type `gpub`) in the keystore, whose account has some MILL for fees and is a
	/// proxy of the provider, of type `Bidding` and without delay.
	#[arg(long, value_name = "FILE", requires = "worker")]
	pub worker_bid_policy: Option<PathBuf>,
}

/// Everything that the worker is told at its start.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
	/// Which devices to offer.
	pub devices: DeviceRules,
	/// The program that runs jobs.
	pub executor: PathBuf,
	/// Folder for results, blobs, and the reference device's identity.
	pub data_dir: PathBuf,
	/// Most disk space for blobs, in bytes.
	pub blob_quota_bytes: u64,
	/// Largest single blob, in bytes.
	pub max_blob_bytes: u32,
	/// Longest time that one job may run.
	pub job_limit: Duration,
	/// The longest that a launch may take without progress.
	pub launch_limit: Duration,
	/// How long a job waits for blobs that have not arrived.
	pub blob_wait: Duration,
	/// Least time between two checkpoints of a job.
	pub checkpoint_interval: Duration,
	/// How containers are run; `None` for not at all.
	pub containers: Option<millrace_container::Settings>,
	/// Most memory of one container, in bytes.
	pub container_memory_bytes: u64,
	/// How to bid in auctions; `None` for not at all.
	pub bid_policy: Option<Arc<BidPolicy>>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
	/// The folder of the running program is unknown.
	#[error("cannot tell where this program lies ({0}); name the executor with --worker-executor PATH")]
	NoProgramFolder(std::io::Error),
	/// The bid policy cannot be read or is not one.
	#[error("the bid policy {} cannot be used: {reason}", path.display())]
	BidPolicy {
		/// The file.
		path: PathBuf,
		/// What is wrong, with key and line.
		reason: String,
	},
}

/// The executor program: the one that was named, or the one beside this program.
fn executor_path(named: Option<&Path>) -> Result<PathBuf, ConfigError> {
	match named {
		Some(path) => Ok(path.into()),
		None => Ok(std::env::current_exe()
			.map_err(ConfigError::NoProgramFolder)?
			.with_file_name("millrace-executor")),
	}
}

/// What an operator asks of the worker without running it.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum WorkerCommand {
	/// Say what keeps strangers' jobs in bounds on this machine, and which GPUs there are. Ends with 1 if a GPU would not be offered.
	Check {
		/// The program that runs jobs. Default: `millrace-executor` beside this program.
		#[arg(long, value_name = "PATH")]
		worker_executor: Option<PathBuf>,
	},
	/// Ask a running node how its worker is: devices, leases, jobs, earnings, the last report. Ends with 1 if something needs a look.
	Status {
		/// The node's RPC.
		#[arg(long, default_value = "http://127.0.0.1:9944", value_name = "URL")]
		url: NodeUrl,
		/// Print one JSON document, for programs.
		#[arg(long)]
		json: bool,
	},
}

impl WorkerCommand {
	/// Carries the command out. Blocks. Returns whether all is well: this machine can serve GPUs, or the worker has nothing to
	/// complain about.
	///
	/// # Errors
	///
	/// A text if the executor or the node cannot be found or used.
	pub fn run(&self, out: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
		match self {
			Self::Check { worker_executor } => {
				check_machine(&Executor::new(executor_path(worker_executor.as_deref())?), out)
			}
			Self::Status { url, json } => show_worker(url, *json, out),
		}
	}
}

/// The largest blob that a store takes unless it is told otherwise, in MiB.
pub const DEFAULT_MAX_BLOB_MIB: u32 = 6;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

impl WorkerArgs {
	/// The configuration, for a chain whose data lie in `chain_dir` (`<base-path>/chains/<id>`).
	///
	/// Blobs are served by nodes without `--worker` as well, so this works either way.
	pub fn config(&self, chain_dir: &Path) -> Result<WorkerConfig, ConfigError> {
		let executor = executor_path(self.worker_executor.as_deref())?;
		let containers = self.worker_containers.then(|| millrace_container::Settings {
			store_bytes: u64::from(self.worker_container_store).saturating_mul(GIB),
			..millrace_container::Settings::new(chain_dir.join("worker/containers"))
		});
		let bid_policy = self.worker_bid_policy.as_deref().map(read_policy).transpose()?.map(Arc::new);
		Ok(WorkerConfig {
			devices: DeviceRules {
				kind: self.worker_device,
				gpus: self.worker_gpus.clone(),
				accept_weak_isolation: self.worker_accept_weak_isolation,
			},
			executor,
			data_dir: chain_dir.join("worker"),
			blob_quota_bytes: u64::from(self.worker_blob_quota).saturating_mul(MIB),
			// At most 1024 MiB by the option's range, so it fits.
			max_blob_bytes: self.worker_max_blob.saturating_mul(MIB as u32),
			job_limit: Duration::from_secs(self.worker_job_seconds.into()),
			launch_limit: Duration::from_secs(self.worker_launch_seconds.into()),
			blob_wait: Duration::from_secs(self.worker_blob_wait.into()),
			checkpoint_interval: Duration::from_secs(self.worker_checkpoint_seconds.into()),
			containers,
			container_memory_bytes: u64::from(self.worker_container_memory).saturating_mul(MIB),
			bid_policy,
		})
	}
}

fn read_policy(path: &Path) -> Result<BidPolicy, ConfigError> {
	let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
	text.and_then(|text| text.parse())
		.map_err(|reason| ConfigError::BidPolicy { path: path.to_owned(), reason })
}

impl WorkerConfig {
	/// Folder of the blobs.
	pub fn blob_dir(&self) -> PathBuf {
		self.data_dir.join("blobs")
	}

	/// Limits of the blob store.
	pub fn blob_limits(&self) -> crate::BlobLimits {
		crate::BlobLimits { max_blob_bytes: self.max_blob_bytes.into(), quota_bytes: self.blob_quota_bytes }
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Cli {
		#[command(flatten)]
		worker: WorkerArgs,
	}

	fn parse(args: &[&str]) -> Result<WorkerArgs, clap::Error> {
		Cli::try_parse_from(std::iter::once(&"node").chain(args)).map(|cli| cli.worker)
	}

	#[test]
	fn defaults_are_those_of_the_help_text() {
		let args = parse(&[]).unwrap();
		assert!(!args.worker);
		let config = args.config(Path::new("/base/chains/dev")).unwrap();
		assert_eq!(config.devices, DeviceRules::default());
		assert_eq!(config.executor.file_name().unwrap(), "millrace-executor");
		assert_eq!(config.executor.parent(), std::env::current_exe().unwrap().parent());
		assert_eq!(config.blob_dir(), Path::new("/base/chains/dev/worker/blobs"));
		assert_eq!(config.blob_quota_bytes, 4 << 30);
		assert_eq!(config.max_blob_bytes, 6 << 20);
		assert_eq!(config.job_limit, Duration::from_secs(300));
		assert_eq!(config.launch_limit, Duration::from_secs(120));
		assert_eq!(config.blob_wait, Duration::from_secs(30));
		assert_eq!(config.checkpoint_interval, Duration::from_secs(5));
		assert_eq!(config.bid_policy, None);
	}

	#[test]
	fn options_are_taken_over() {
		let args = parse(&[
			"--worker",
			"--worker-device",
			"reference",
			"--worker-executor",
			"/x/e",
			"--worker-max-blob",
			"1024",
		]);
		let args = args.unwrap();
		assert!(args.worker);
		let config = args.config(Path::new("/c")).unwrap();
		assert_eq!(config.devices.kind, DeviceChoice::Reference);
		assert_eq!(config.executor, Path::new("/x/e"));
		assert_eq!(config.max_blob_bytes, 1 << 30);
	}

	#[test]
	fn nonsense_is_refused() {
		assert!(parse(&["--worker-device", "tpu"]).is_err());
		assert!(parse(&["--worker-job-seconds", "0"]).is_err());
		assert!(parse(&["--worker-max-blob", "1025"]).is_err());
		assert!(parse(&["--worker-blob-quota", "0"]).is_err());
		assert!(parse(&["--worker-checkpoint-seconds", "0"]).is_err());
		assert!(parse(&["--worker-bid-policy", "/x"]).is_err(), "there is no worker to bid");
	}

	#[test]
	fn a_bid_policy_is_read_and_its_mistakes_are_explained() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("policy.toml");
		let file = path.to_str().unwrap();
		let args = parse(&["--worker", "--worker-bid-policy", file]).unwrap();
		let problem = || args.config(Path::new("/c")).unwrap_err().to_string();
		assert!(problem().contains(file) && problem().contains("No such file"), "{}", problem());
		std::fs::write(&path, "undercut = 3").unwrap();
		assert!(problem().contains(file) && problem().contains("line 1"), "{}", problem());
		std::fs::write(&path, include_str!("../../docs/examples/bid-policy.toml")).unwrap();
		assert!(args.config(Path::new("/c")).unwrap().bid_policy.is_some());
	}
}
