//! Whether this machine can run containers for strangers.

use crate::{
	call::{arguments, Cli},
	create::USER,
	image::Images,
	Podman, Settings, Unavailable,
};
use serde::Deserialize;
use std::{
	fs,
	os::unix::fs::{DirBuilderExt, MetadataExt},
	path::{Path, PathBuf},
};

/// The oldest podman with everything that is used here.
const OLDEST: (u32, u32) = (4, 3);
/// Controllers of cgroups that hold a container's limits.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];
/// Where the specifications of CDI devices are.
const CDI_FOLDERS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// Podman's whole configuration: what the operator's own adds to every container is not for renters. Locks are files,
/// because those in shared memory would be shared with the operator's containers, and emptied with each new store.
const CONFIGURATION: &str = "[engine]\nlock_type = \"file\"\nevents_logger = \"none\"\n";

/// What is known of podman and the machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PodmanInfo {
	/// Podman's version, such as `4.3.1`.
	pub version: String,
	/// The program that makes containers, such as `crun`.
	pub runtime: String,
	/// Whether podman runs without root. Containers then have a user namespace: their users are nobody on the machine.
	pub rootless: bool,
	/// Version of cgroups: 1 or 2.
	pub cgroup_version: u32,
	/// Files that name devices for containers. Without any, no job gets a GPU.
	pub cdi_specifications: Vec<PathBuf>,
}

/// The part of `podman info` that is used.
#[derive(Deserialize)]
struct Info {
	host: Host,
	version: Version,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Host {
	cgroup_controllers: Option<Vec<String>>,
	cgroup_version: String,
	id_mappings: Mappings,
	oci_runtime: Runtime,
	security: Security,
}

/// Which users of the machine are a container's, where podman does not run as root.
#[derive(Deserialize)]
struct Mappings {
	uidmap: Option<Vec<Mapping>>,
	gidmap: Option<Vec<Mapping>>,
}

#[derive(Deserialize)]
struct Mapping {
	container_id: u64,
	size: u64,
}

#[derive(Deserialize)]
struct Runtime {
	name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Security {
	rootless: bool,
	seccomp_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
	version: String,
}

impl Podman {
	/// Looks for podman, asks what it can do, and prepares the folder. Starts nothing.
	///
	/// # Errors
	///
	/// Every [`Unavailable`].
	pub fn find(settings: Settings) -> Result<Self, Unavailable> {
		let cli = prepare(&settings.folder)?;
		let text = cli
			.call(&arguments(["info", "--format", "json"]))
			.map_err(|error| Unavailable::Podman(crate::ContainerError::from(error).to_string()))?;
		let found: Info = serde_json::from_str(&text).map_err(|error| {
			Unavailable::Podman(format!("what `podman info` says is not understood: {error}"))
		})?;
		let hybrid = fs::read_to_string("/sys/fs/cgroup/unified/cgroup.controllers").unwrap_or_default();
		let info = judge(found, !hybrid.trim().is_empty())?;
		Ok(Self { info, cli, images: Images::default(), settings })
	}
}

/// Whether podman is fit for strangers' containers. `hybrid` says that cgroups of version 2 have controllers beside those
/// of version 1.
fn judge(found: Info, hybrid: bool) -> Result<PodmanInfo, Unavailable> {
	let Info { host, version: Version { version } } = found;
	if !is_new_enough(&version) {
		return Err(Unavailable::TooOld { found: version });
	}
	if !host.security.seccomp_enabled {
		return Err(Unavailable::NoSeccomp);
	}
	let controllers = host.cgroup_controllers.unwrap_or_default();
	let missing: Vec<_> =
		CONTROLLERS.into_iter().filter(|name| !controllers.iter().any(|found| found == name)).collect();
	if !missing.is_empty() {
		return Err(Unavailable::NoLimits { missing: missing.join(", ") });
	}
	let Mappings { uidmap, gidmap } = &host.id_mappings;
	if host.security.rootless && !(has_user(uidmap) && has_user(gidmap)) {
		return Err(Unavailable::NoUsers);
	}
	let cgroup_version = if host.cgroup_version == "v1" { 1 } else { 2 };
	if cgroup_version == 1 && hybrid && host.oci_runtime.name == "crun" {
		return Err(Unavailable::HybridCgroups);
	}
	Ok(PodmanInfo {
		version,
		runtime: host.oci_runtime.name,
		rootless: host.security.rootless,
		cgroup_version,
		cdi_specifications: cdi_specifications(),
	})
}

/// Whether the mappings have the user, or the group, that commands run as.
fn has_user(mappings: &Option<Vec<Mapping>>) -> bool {
	let covers = |mapping: &Mapping| {
		USER.checked_sub(mapping.container_id).is_some_and(|offset| offset < mapping.size)
	};
	mappings.iter().flatten().any(covers)
}

fn is_new_enough(version: &str) -> bool {
	let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
	let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
	found >= OLDEST
}

fn cdi_specifications() -> Vec<PathBuf> {
	let files = CDI_FOLDERS.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
	let paths = files.filter_map(|entry| entry.ok().map(|entry| entry.path()));
	let is_one = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "json" || kind == "yaml");
	paths.filter(is_one).collect()
}

/// Makes the folders and files that podman is called with.
fn prepare(folder: &Path) -> Result<Cli, Unavailable> {
	let failed = |reason: String| Unavailable::Folder { folder: folder.into(), reason };
	let make = |path: &Path| {
		let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
		made.map_err(|error| failed(format!("{} cannot be made: {error}", path.display())))
	};
	make(folder)?;
	let folder = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
	let text = folder.to_str().ok_or_else(|| failed("its name is not UTF-8".into()))?;
	if text.contains([',', ':', '"', '\\']) || text.contains(char::is_control) {
		return Err(failed(
			"its name has a comma, a colon, a quote, a backslash or a control character".into(),
		));
	}
	let cli = Cli {
		run: run_folder(text)?,
		storage: folder.join("storage"),
		jobs: folder.join("jobs"),
		tmp: folder.join("tmp"),
		hooks: folder.join("hooks"),
		configuration: folder.join("containers.conf"),
		authentication: folder.join("auth.json"),
	};
	[&cli.run, &cli.storage, &cli.jobs, &cli.tmp, &cli.hooks].into_iter().try_for_each(|path| make(path))?;
	let write = |path: &Path, text: &str| fs::write(path, text).map_err(|error| failed(error.to_string()));
	write(&cli.configuration, CONFIGURATION)?;
	write(&cli.authentication, "{}")?;
	Ok(cli)
}

/// A folder that is empty after each start of the machine; podman learns from it that nothing runs any more.
fn run_folder(folder: &str) -> Result<PathBuf, Unavailable> {
	let hash = blake3::hash(folder.as_bytes()).to_hex();
	let name = format!("millrace-{}", hash.get(..16).unwrap_or_default());
	let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
	let base = if root { Some("/run".into()) } else { std::env::var_os("XDG_RUNTIME_DIR") };
	base.map(|base| Path::new(&base).join(name)).ok_or(Unavailable::NoRunFolder)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn info(version: &str, cgroups: &str, controllers: &[&str], seccomp: bool) -> Info {
		info_with_users(version, cgroups, controllers, seccomp, 65_536)
	}

	fn info_with_users(
		version: &str,
		cgroups: &str,
		controllers: &[&str],
		seccomp: bool,
		users: u64,
	) -> Info {
		let mappings = serde_json::json!([
			{ "container_id": 0, "host_id": 1000, "size": 1 }, { "container_id": 1, "host_id": 100_000, "size": users },
		]);
		let text = serde_json::json!({
			"host": {
				"cgroupControllers": controllers, "cgroupVersion": cgroups, "ociRuntime": { "name": "crun" },
				"idMappings": { "uidmap": mappings, "gidmap": mappings },
				"security": { "rootless": true, "seccompEnabled": seccomp },
			},
			"version": { "Version": version },
		});
		serde_json::from_value(text).unwrap()
	}

	#[test]
	fn a_machine_is_judged_by_what_podman_says() {
		let all = ["cpuset", "cpu", "io", "memory", "pids"];
		let fit = judge(info("4.3.1", "v2", &all, true), false).unwrap();
		assert_eq!((fit.version.as_str(), fit.cgroup_version, fit.rootless), ("4.3.1", 2, true));
		for (found, hybrid, expected) in [
			(info("4.2.9", "v2", &all, true), false, "version 4.2.9"),
			(info("garbage", "v2", &all, true), false, "version garbage"),
			(info("5.0.0", "v2", &all, false), false, "without seccomp"),
			(info("5.0.0", "v2", &["memory", "pids"], true), false, "cannot limit cpu "),
			(info("5.0.0", "v1", &[], true), false, "cannot limit cpu, memory, pids"),
			(info("5.0.0", "v1", &all, true), true, "both versions at once"),
			(info_with_users("5.0.0", "v2", &all, true, 65_533), false, "has too few users"),
		] {
			let text = judge(found, hybrid).unwrap_err().to_string();
			assert!(text.contains(expected), "{text}");
		}
	}

	#[test]
	fn versions_are_compared_as_numbers() {
		for (version, enough) in [
			("4.3", true),
			("4.10.0-dev", true),
			("10.0.0", true),
			("4.2", false),
			("3.9.9", false),
			("", false),
		] {
			assert_eq!(is_new_enough(version), enough, "{version}");
		}
	}
}
