//! Every way in which a job has no output, with the real podman. After each, nothing of it is left.

#![cfg(test)]

mod support;

use millrace_container::{ContainerError, Event};
use serde_json::json;
use std::{
	io::Write,
	process::{Command, Stdio},
	time::{Duration, Instant},
};
use support::{
	archive::{digest, Archive, File},
	Bench,
};

fn error(bench: &Bench, what: &str) -> ContainerError {
	bench.run(&bench.job(what)).0.unwrap_err()
}

#[test]
fn a_failing_command_gives_its_status() {
	let Some(bench) = Bench::new() else { return };
	assert_eq!(error(&bench, "unknown"), ContainerError::Failed { status: 7 });
}

#[test]
fn a_container_that_uses_up_its_memory_is_told_from_one_that_fails() {
	let Some(bench) = Bench::new() else { return };
	assert_eq!(error(&bench, "memory"), ContainerError::OutOfMemory);
}

#[test]
fn an_output_must_be_a_plain_file_of_a_bounded_length() {
	let Some(bench) = Bench::new() else { return };
	for (what, expected) in [
		("link", "is not a regular file"),
		("pipe", "is not a regular file"),
		("hole", "has 1099511627776 bytes, the limit is 1048576"),
	] {
		assert_eq!(error(&bench, what), ContainerError::OutputRefused(format!("/output/out {expected}")));
	}
	let job = bench.job_with(&Archive::new(), "copy", |plan| plan["output"] = json!("other"));
	let absent = ContainerError::OutputRefused("/output/other is not there".into());
	assert_eq!(bench.run(&job).0, Err(absent));
}

#[test]
fn a_command_that_does_not_end_is_killed_when_its_time_is_up() {
	let Some(bench) = Bench::new() else { return };
	let started = Instant::now();
	let job = bench.job_with(&Archive::new(), "loop", |plan| plan["seconds"] = json!(1));
	let (ended, events) = bench.run(&job);
	assert_eq!(ended, Err(ContainerError::TimedOut(Duration::from_secs(1))));
	assert!(events.contains(&Event::Log("loops\n".into())), "{events:?}");
	assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_cancelled_job_ends_at_once() {
	let Some(bench) = Bench::new() else { return };
	let cancelled = std::cell::Cell::new(None);
	let ended = bench.podman.run(&bench.job("loop"), &|| cancelled.get().is_some(), &mut |event| {
		if let Event::Log(_) = event {
			cancelled.set(Some(Instant::now()));
		}
	});
	assert_eq!(ended, Err(ContainerError::Cancelled));
	assert!(cancelled.get().unwrap().elapsed() < Duration::from_secs(5));
	assert_eq!(bench.containers(), "");
}

#[test]
fn a_program_that_the_image_does_not_have_is_the_plans_fault() {
	let Some(bench) = Bench::new() else { return };
	let job = bench.job_with(&Archive::new(), "", |plan| plan["command"] = json!(["/absent"]));
	let ended = bench.run(&job).0;
	assert!(
		matches!(&ended, Err(ContainerError::CommandRejected(text)) if text.contains("/absent")),
		"{ended:?}"
	);
	let file = File { path: "data", bytes: b"no program", mode: 0o755, link: None };
	let job = bench.job_with(&Archive::with_file(file), "", |plan| plan["command"] = json!(["/data"]));
	let ended = bench.run(&job).0;
	assert!(ended.is_err_and(|error| error.is_final()));
}

#[test]
fn an_unknown_gpu_is_named() {
	let Some(bench) = Bench::new() else { return };
	let mut job = bench.job("copy");
	for uuid in ["GPU-00000000-0000-0000-0000-000000000000", "", "all,x=/etc"] {
		job.gpus = vec![uuid.into()];
		let ended = bench.run(&job).0;
		assert!(
			matches!(&ended, Err(ContainerError::DeviceMissing(text)) if text.contains(uuid)),
			"{ended:?}"
		);
	}
}

#[test]
fn more_than_the_provider_gives_is_refused_before_anything_is_done() {
	let Some(bench) = Bench::new() else { return };
	let mut job = bench.job("copy");
	job.blobs.clear();
	job.limits.memory_bytes = 1 << 20;
	let (field, asked, limit) = ("memory_bytes", 32 << 20, 1 << 20);
	assert_eq!(bench.run(&job).0, Err(ContainerError::TooMuch { field, asked, limit }));
	job.limits.memory_bytes = 32 << 20;
	job.limits.cpus = 0;
	let ended = bench.run(&job).0;
	assert_eq!(ended, Err(ContainerError::TooMuch { field: "cpus", asked: 1, limit: 0 }));
}

#[test]
fn a_blob_that_is_missing_or_has_other_bytes_is_named() {
	let Some(bench) = Bench::new() else { return };
	let job = bench.job("copy");
	// The image comes first: once it is here, its blob is no longer needed.
	for blob in job.plan.blobs() {
		let mut missing = job.clone();
		missing.blobs.remove(&blob);
		assert_eq!(bench.run(&missing).0, Err(ContainerError::BlobMissing(blob)));
		let mut changed = job.clone();
		let other = bench.blob(b"other bytes");
		changed.blobs.insert(blob, bench.folder.path().join(other.to_string()));
		assert_eq!(bench.run(&changed).0, Err(ContainerError::BlobMissing(blob)));
	}
}

#[test]
fn an_archive_with_another_digest_than_the_plans_is_refused_and_not_kept() {
	let Some(bench) = Bench::new() else { return };
	let wanted = format!("localhost/test@{}", digest(b"another manifest"));
	let job = bench.job_with(&Archive::new(), "copy", |plan| plan["image"] = json!(wanted));
	let ended = bench.run(&job).0;
	assert!(
		matches!(&ended, Err(ContainerError::ImageRefused(text)) if text.contains("another digest")),
		"{ended:?}"
	);
	assert_eq!(bench.podman_says(&["images", "--quiet"]), "");
}

#[test]
fn what_is_no_image_is_refused() {
	let Some(bench) = Bench::new() else { return };
	let garbage = bench.blob(b"not an archive");
	let mut job = bench.job_with(&Archive::new(), "copy", |plan| plan["image_blob"] = json!(garbage));
	let ended = bench.run(&job).0;
	assert!(
		matches!(&ended, Err(ContainerError::ImageRefused(text)) if text.contains("archive")),
		"{ended:?}"
	);
	// A layer with another byte than its digest says.
	let archive = Archive::with_file(File { path: "data", bytes: b"these bytes", mode: 0o644, link: None });
	let mut bytes = archive.bytes();
	let at = bytes.windows(11).position(|found| found == b"these bytes").unwrap();
	bytes[at] = b'T';
	let changed = bench.blob(&bytes);
	job = bench.job_with(&archive, "copy", |plan| plan["image_blob"] = json!(changed));
	let ended = bench.run(&job).0;
	assert!(matches!(ended, Err(ContainerError::ImageRefused(_))), "{ended:?}");
}

#[test]
fn an_image_that_unpacks_to_more_than_the_disk_may_hold_is_refused_while_it_is_unpacked() {
	let Some(bench) = Bench::with(|settings| settings.store_bytes = 64 << 20) else { return };
	let zeros = vec![0; 200 << 20];
	let mut archive = Archive::with_file(File { path: "zeros", bytes: &zeros, mode: 0o644, link: None });
	let (compressed, bomb) = (gzip(&archive.layer.0), "application/vnd.oci.image.layer.v1.tar+gzip");
	assert!(compressed.len() < 1 << 20);
	archive.layer = (compressed, bomb);
	let ended = bench.run(&bench.job_with(&archive, "copy", |_| {})).0;
	assert!(
		matches!(&ended, Err(ContainerError::ImageRefused(text)) if text.contains("67108864 bytes")),
		"{ended:?}"
	);
	assert_eq!(bench.podman_says(&["images", "--quiet"]), "");
	// The half of it does not stay, and the next job runs.
	bench.run(&bench.job("copy")).0.unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
	let mut child = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
	let mut stdin = child.stdin.take().unwrap();
	std::thread::scope(|scope| {
		scope.spawn(move || stdin.write_all(bytes).unwrap());
		child.wait_with_output().unwrap().stdout
	})
}

#[test]
fn an_image_with_annotations_that_a_runtime_obeys_is_refused() {
	let Some(bench) = Bench::new() else { return };
	let harmless =
		Archive { annotations: json!({ "org.opencontainers.image.title": "x" }), ..Archive::new() };
	bench.run(&bench.job_with(&harmless, "copy", |_| {})).0.unwrap();
	let evil = Archive { annotations: json!({ "run.oci.hooks.stdout": "/root/evil" }), ..Archive::new() };
	for _ in 0..2 {
		let ended = bench.run(&bench.job_with(&evil, "copy", |_| {})).0;
		assert!(
			matches!(&ended, Err(ContainerError::ImageRefused(text)) if text.contains("run.oci.hooks.stdout")),
			"{ended:?}"
		);
	}
}

#[test]
fn an_image_whose_output_folder_is_a_link_does_not_lead_out() {
	let Some(bench) = Bench::new() else { return };
	let link = File { path: "output", bytes: b"", mode: 0o777, link: Some("/tmp") };
	let ended = bench.run(&bench.job_with(&Archive::with_file(link), "copy", |_| {})).0;
	assert!(ended.is_err_and(|error| error.is_final()));
}

#[test]
fn a_registry_that_the_operator_did_not_name_is_not_asked() {
	let Some(bench) = Bench::new() else { return };
	let job = bench.job_with(&Archive::new(), "copy", |plan| {
		plan.as_object_mut().unwrap().remove("image_blob").unwrap();
		plan["image"] = json!(format!("169.254.169.254/x@{}", digest(b"x")));
	});
	let ended = bench.run(&job).0;
	assert!(
		matches!(&ended, Err(ContainerError::ImageRefused(text)) if text.contains("does not ask the registry 169.254.169.254")),
		"{ended:?}"
	);
}
