//! What happens to the machine around the jobs: nodes that die, registries, GPUs, with the real podman.

#![cfg(test)]

mod support;

use millrace_container::{ContainerError, ContainerJob, JobName, Registry, Settings};
use serde_json::json;
use std::{
	fs,
	path::{Path, PathBuf},
	process::{Child, Command},
	thread,
	time::{Duration, Instant},
};
use support::{
	archive::{digest, Archive},
	registry, Bench,
};

/// Waits for something, at most 20 seconds.
fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
	let started = Instant::now();
	while !there() {
		assert!(started.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
		thread::sleep(Duration::from_millis(50));
	}
}

/// A process that is killed when the test ends, however it does.
struct Killed(Child);

impl Drop for Killed {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// Where the process to be killed finds its bench.
const FOLDER: &str = "MILLRACE_CONTAINER_TEST_FOLDER";

#[test]
#[ignore = "is a process of another test, which kills it"]
fn a_node_with_a_job_that_does_not_end() {
	let folder = PathBuf::from(std::env::var_os(FOLDER).expect("this is started by another test"));
	let bench = Bench::at(tempfile::Builder::new().tempdir_in(folder).unwrap(), |_| {}).unwrap();
	let _ = bench.podman.run(&bench.job("loop"), &|| false, &mut |_| {});
}

#[test]
fn nothing_is_left_of_a_job_when_its_node_is_killed() {
	let Some(bench) = Bench::new() else { return };
	let mut node = Command::new(std::env::current_exe().unwrap());
	node.args(["--exact", "a_node_with_a_job_that_does_not_end", "--ignored"])
		.env(FOLDER, bench.folder.path());
	let mut node = Killed(node.spawn().unwrap());
	// Its bench is a folder in ours.
	let theirs = || {
		fs::read_dir(bench.folder.path())
			.unwrap()
			.flatten()
			.find(|entry| entry.path().join("containers/auth.json").exists())
	};
	wait_for("the node's folder", || theirs().is_some());
	let folder = theirs().unwrap().path().join("containers");
	wait_for("the container", || {
		support::podman_says(&folder, &["ps", "--format", "{{.Names}}"]) == "millrace-1-2-3"
	});
	node.0.kill().unwrap();
	node.0.wait().unwrap();
	wait_for("its end", || support::podman_says(&folder, &["ps", "--all", "--quiet"]).is_empty());
	support::forget(&folder);
}

#[test]
fn a_sweep_removes_what_an_earlier_node_left_and_keeps_images() {
	let Some(bench) = Bench::new() else { return };
	bench.run(&bench.job("copy")).0.unwrap();
	let image = bench.podman_says(&["images", "--quiet"]);
	let jobs = bench.folder.path().join("containers/jobs");
	fs::create_dir_all(jobs.join("millrace-9-9-9/input")).unwrap();
	bench.podman_says(&[
		"run",
		"--detach",
		"--network=none",
		"--ulimit=nofile=1024:1024",
		"--ulimit=nproc=1024:1024",
		"--name=left",
		&image,
		"/program",
		"loop",
	]);
	assert_eq!(bench.containers(), "left");
	bench.podman.sweep().unwrap();
	assert_eq!(bench.containers(), "");
	assert_eq!(bench.podman_says(&["images", "--quiet"]), image);
	assert_eq!(fs::read_dir(jobs).unwrap().count(), 0);
}

#[test]
fn jobs_run_beside_each_other() {
	let Some(bench) = Bench::new() else { return };
	let run = |attempt| {
		let job = ContainerJob { name: JobName { attempt, ..bench.job("copy").name }, ..bench.job("copy") };
		bench.podman.run(&job, &|| false, &mut |_| {}).unwrap().bytes
	};
	thread::scope(|scope| {
		let jobs: Vec<_> = (0..3).map(|attempt| scope.spawn(move || run(attempt))).collect();
		assert!(jobs.into_iter().all(|job| job.join().unwrap() == b"the input"));
	});
}

/// A file that is removed when the test ends, however it does.
struct Removed(PathBuf);

impl Drop for Removed {
	fn drop(&mut self) {
		let _ = fs::remove_file(&self.0);
	}
}

fn pulled(bench: &Bench, image: String) -> ContainerJob {
	bench.job_with(&Archive::new(), "copy", |plan| {
		plan.as_object_mut().unwrap().remove("image_blob").unwrap();
		plan["image"] = json!(image);
	})
}

#[test]
fn an_image_comes_from_a_registry_that_the_operator_names() {
	let archive = Archive::new();
	let host = registry::serve(&archive);
	let known =
		|settings: &mut Settings| settings.registries = vec![Registry { host: host.clone(), tls: false }];
	let Some(bench) = Bench::with(known) else { return };
	let job = pulled(&bench, format!("{host}/test@{}", digest(&archive.manifest())));
	assert_eq!(bench.run(&job).0.unwrap().bytes, b"the input");

	let job = pulled(&bench, format!("{host}/test@{}", digest(b"another manifest")));
	let ended = bench.run(&job).0;
	assert!(matches!(ended, Err(ContainerError::ImageMissing(_))), "{ended:?}");
}

#[test]
fn a_gpu_comes_by_cdi_and_its_hooks_see_nothing_of_the_images_environment() {
	let Some(bench) = Bench::new() else { return };
	let folder = Path::new("/var/run/cdi");
	let uuid = format!("GPU-test-{}", std::process::id());
	let seen = bench.folder.path().join("seen");
	// A device node under another name, and a hook that writes down its environment.
	let specification = json!({
		"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
		"devices": [ { "name": uuid, "containerEdits": {
			"deviceNodes": [ { "path": "/dev/millrace-test", "hostPath": "/dev/null" } ],
			"hooks": [ {
				"hookName": "createContainer", "path": "/bin/sh",
				"args": ["sh", "-c", format!("env > {}", seen.display())],
			} ],
		} } ],
	});
	let file = Removed(folder.join(format!("millrace-{uuid}.json")));
	if let Err(error) =
		fs::create_dir_all(folder).and_then(|()| fs::write(&file.0, specification.to_string()))
	{
		support::skip(&format!("no device can be described in {}: {error}", folder.display()));
		return;
	}
	let image = Archive {
		config: json!({ "Env": ["LD_PRELOAD=/evil.so", "NVIDIA_VISIBLE_DEVICES=all"] }),
		..Archive::new()
	};
	let mut job = bench.job_with(&image, "device", |_| {});
	job.gpus = vec![uuid];
	let ended = bench.run(&job).0;
	assert_eq!(ended.unwrap().bytes, b"device=1\n");
	let seen = fs::read_to_string(seen).unwrap();
	assert!(!seen.contains("LD_PRELOAD") && !seen.contains("NVIDIA"), "{seen}");
	// Without being asked for, it is not there.
	assert_eq!(bench.output("device"), "device=0\n");
}
