//! What a container may do, as podman's arguments.

use crate::{image::Image, ContainerJob, Podman};
use std::{fs, path::Path, time::Duration};

/// The user and group that commands run as: nobody, on every Linux.
pub(crate) const USER: u64 = 65_534;
/// How much later than our own clock podman's stops a container. Only a worker that hangs leaves that to it.
const LATE: Duration = Duration::from_secs(60);
/// The most open files of a process.
const MAX_OPEN_FILES: u64 = 65_536;

impl Podman {
	/// The arguments of `podman create` for a job whose inputs are in `inputs`.
	pub(crate) fn create_arguments(
		&self,
		job: &ContainerJob,
		image: &Image<'_>,
		inputs: &Path,
	) -> Vec<String> {
		let mut arguments = vec!["create".into(), format!("--name={}", job.name), "--pull=never".into()];
		arguments.extend(CONFINEMENT.map(String::from));
		arguments.push(format!("--user={USER}:{USER}"));
		arguments.extend(limits(job));
		arguments.extend(folders(job, inputs));
		arguments.extend(environment(job, image));
		arguments.extend(job.gpus.iter().map(|uuid| format!("--device=nvidia.com/gpu={uuid}")));
		let mut command = job.plan.container.command.iter().cloned();
		// As JSON, because podman reads an entry point that begins with a bracket as such.
		let program: Vec<_> = command.by_ref().take(1).collect();
		arguments.push(format!("--entrypoint={}", serde_json::json!(program)));
		arguments.push(image.id.clone());
		arguments.extend(command);
		arguments
	}
}

/// The same for every job.
const CONFINEMENT: [&str; 22] = [
	// It sees its own processes, its own host name, and no network but its own loopback.
	"--network=none",
	"--no-hosts",
	"--hostname=job",
	"--pid=private",
	"--ipc=private",
	"--uts=private",
	"--cgroupns=private",
	// It can write nothing but its folders, and become nobody else.
	"--read-only",
	"--read-only-tmpfs=false",
	"--cap-drop=all",
	"--security-opt=no-new-privileges",
	// Nothing of the machine's environment and nothing that the image asks for: its variables (we pass on those that are
	// harmless), its volumes, its health check, its wish to be an init.
	"--unsetenv-all",
	"--env-host=false",
	"--http-proxy=false",
	"--image-volume=ignore",
	"--no-healthcheck",
	"--systemd=false",
	"--sdnotify=ignore",
	// What it prints comes through a pipe, with a limit of ours, and not onto the disk.
	"--log-driver=none",
	"--restart=no",
	"--ulimit=core=0:0",
	"--workdir=/output",
];

fn limits(job: &ContainerJob) -> Vec<String> {
	let container = &job.plan.container;
	let memory = container.memory_bytes;
	let seconds = job.wall_clock().saturating_add(LATE).as_secs();
	let files = MAX_OPEN_FILES.min(hard_limit("Max open files"));
	let processes = u64::from(job.limits.processes).min(hard_limit("Max processes"));
	vec![
		format!("--memory={memory}b"),
		// Memory and swap together: no swap.
		format!("--memory-swap={memory}b"),
		format!("--cpus={}", container.cpus),
		format!("--pids-limit={}", job.limits.processes),
		format!("--ulimit=nofile={files}:{files}"),
		format!("--ulimit=nproc={processes}:{processes}"),
		format!("--shm-size={memory}b"),
		format!("--timeout={}", seconds.min(u32::MAX.into())),
	]
}

/// What this process may give its children at most. Podman would otherwise ask for its own default, which fails where
/// less is allowed.
fn hard_limit(name: &str) -> u64 {
	let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
	let line = limits.lines().find_map(|line| line.strip_prefix(name));
	// Soft limit, hard limit, unit; `unlimited` is no number.
	line.and_then(|line| line.split_whitespace().nth(1))
		.and_then(|hard| hard.parse().ok())
		.unwrap_or(u64::MAX)
}

/// The inputs, and folders in memory: what a container writes there counts as its memory and never fills a disk.
fn folders(job: &ContainerJob, inputs: &Path) -> [String; 3] {
	let memory = job.plan.container.memory_bytes;
	let output = job.output_folder_bytes();
	[
		format!("--mount=type=bind,source={},destination=/input,ro,nosuid,nodev", inputs.display()),
		format!("--mount=type=tmpfs,destination=/output,tmpfs-size={output},tmpfs-mode=0777,notmpcopyup,nosuid,nodev"),
		format!("--mount=type=tmpfs,destination=/tmp,tmpfs-size={memory},tmpfs-mode=1777,notmpcopyup,nosuid,nodev"),
	]
}

/// The image's variables, and the plan's over them.
fn environment(job: &ContainerJob, image: &Image<'_>) -> Vec<String> {
	// Podman would have its folder of commands; many programs want to write there.
	let mut variables = std::collections::BTreeMap::from([("HOME", "/tmp")]);
	let pairs = image.environment.iter().chain(&job.plan.container.environment);
	variables.extend(pairs.map(|(name, value)| (name.as_str(), value.as_str())));
	variables.into_iter().map(|(name, value)| format!("--env={name}={value}")).collect()
}
