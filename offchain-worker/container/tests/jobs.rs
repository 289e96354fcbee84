//! Jobs that end well, and what they can and cannot do meanwhile, with the real podman.

#![cfg(test)]

mod support;

use millrace_container::{Checkpoint, ContainerError, Event};
use serde_json::json;
use support::{archive::Archive, Bench};

fn log(events: &[Event]) -> String {
	let text = |event: &Event| match event {
		Event::Log(text) => Some(text.clone()),
		_ => None,
	};
	events.iter().filter_map(text).collect()
}

#[test]
fn a_job_turns_its_input_into_its_output_and_what_it_prints_is_harmless() {
	let Some(bench) = Bench::new() else { return };
	let (ended, events) = bench.run(&bench.job("copy"));
	assert_eq!(ended.unwrap().bytes, b"the input");
	assert_eq!(events[0], Event::Started);
	let log = log(&events);
	assert!(log.contains("copies\n") && log.contains("\u{fffd}[31mwith an escape\n"), "{log}");
}

#[test]
fn an_image_that_is_here_is_not_fetched_again_and_goes_when_another_is_wanted() {
	let Some(bench) = Bench::new() else { return };
	let mut job = bench.job("copy");
	bench.run(&job).0.unwrap();
	let image = job.plan.container.image_blob.unwrap();
	job.blobs.remove(&image);
	bench.run(&job).0.unwrap();
	let other = Archive { config: json!({}), ..Archive::new() };
	bench.run(&bench.job_with(&other, "copy", |_| {})).0.unwrap();
	assert_eq!(bench.run(&job).0, Err(ContainerError::BlobMissing(image)));
}

#[test]
fn a_container_reaches_nothing_outside_of_it() {
	let Some(bench) = Bench::new() else { return };
	let found = bench.output("reach");
	// EPERM is 1, ENOENT 2, EROFS 30, ENETUNREACH 101.
	let expected = [
		"uid=65534",
		"setuid=-1",
		"mount=-1",
		"root=-30",
		"input=-30",
		"device=-1",
		"shadow=-2",
		"connect=-101",
	];
	for line in expected {
		assert!(found.lines().any(|found| found == line), "{line} is not in:\n{found}");
	}
	let tmp = found.lines().find_map(|line| line.strip_prefix("tmp=")).unwrap();
	assert!(tmp.parse::<i32>().unwrap() >= 0, "{found}");
}

#[test]
fn the_environment_is_the_plans_and_the_harmless_part_of_the_images() {
	let Some(bench) = Bench::new() else { return };
	let image = Archive {
		config: json!({ "Env": [
			"PATH=/bin", "SHARED=image", "LD_PRELOAD=/program", "NVIDIA_VISIBLE_DEVICES=all", "NODE_KEY*=x",
		] }),
		..Archive::new()
	};
	let job = bench.job_with(&image, "environment", |plan| {
		plan["environment"] = json!({ "SHARED": "plan", "OWN": "a b=c" });
	});
	let found = String::from_utf8(bench.run(&job).0.unwrap().bytes).unwrap();
	let mut lines: Vec<_> = found.lines().collect();
	lines.sort_unstable();
	assert_eq!(lines, ["HOME=/tmp", "HOSTNAME=job", "OWN=a b=c", "PATH=/bin", "SHARED=plan"]);
}

#[test]
fn the_images_own_entry_point_user_and_folder_have_no_effect() {
	let Some(bench) = Bench::new() else { return };
	let config = json!({
		"Entrypoint": ["/program", "link"], "Cmd": ["pipe"], "User": "0:0", "WorkingDir": "/etc",
		"Volumes": { "/output": {}, "/data": {} }, "StopSignal": "SIGCONT",
		"Healthcheck": { "Test": ["CMD", "/program", "copy"], "Interval": 1_000_000_000 },
		"Labels": { "io.containers.capabilities": "CHOWN,SYS_ADMIN", "io.containers.seccomp.profile": "{}" },
	});
	let job = bench.job_with(&Archive { config, ..Archive::new() }, "reach", |_| {});
	let found = String::from_utf8(bench.run(&job).0.unwrap().bytes).unwrap();
	assert!(found.starts_with("uid=65534\nsetuid=-1\nmount=-1\n"), "{found}");
}

#[test]
fn processes_and_output_are_bounded() {
	let Some(bench) = Bench::new() else { return };
	let found = bench.output("forks");
	let children: u32 =
		found.lines().find_map(|line| line.strip_prefix("children=")).unwrap().parse().unwrap();
	assert!((10..32).contains(&children) && found.contains("error=-11\n"), "{found}");
	// ENOSPC: the folder is full, and not the disk.
	assert_eq!(bench.output("fill"), "fill=-28\n");
}

#[test]
fn a_flood_of_print_is_cut_and_does_not_stop_the_job() {
	let Some(bench) = Bench::new() else { return };
	let (ended, events) = bench.run(&bench.job("flood"));
	assert_eq!(ended.unwrap().bytes, b"flooded=1\n");
	let log = log(&events);
	assert!(
		log.len() < 20_000 && log.ends_with("[the log is full, the rest is not kept]\n"),
		"{}",
		log.len()
	);
}

#[test]
fn a_job_goes_on_from_its_checkpoint_in_another_container() {
	let Some(bench) = Bench::new() else { return };
	let mut job = bench.job("count");
	let (mut found, mut enough) = (Vec::new(), false);
	let cancelled = std::cell::Cell::new(false);
	let ended = bench.podman.run(&job, &|| cancelled.get(), &mut |event| {
		if let Event::Checkpoint(checkpoint) = event {
			found.push(checkpoint);
			enough = found.len() == 3;
			cancelled.set(enough);
		}
	});
	assert_eq!(ended, Err(ContainerError::Cancelled));
	assert_eq!(found.iter().map(|checkpoint| checkpoint.number).collect::<Vec<_>>(), [1, 2, 3]);
	assert!(
		found.windows(2).all(|pair| pair[0].bytes < pair[1].bytes && pair[1].bytes.len() == 1),
		"{found:?}"
	);

	let last = found.pop().unwrap();
	job.resume = Some(Checkpoint { number: 3, bytes: last.bytes.clone() });
	let (ended, events) = bench.run(&job);
	assert_eq!(ended.unwrap().bytes, last.bytes);
	assert!(log(&events).contains(&format!("goes on from {}\n", char::from(last.bytes[0]))));
	assert!(!events.iter().any(|event| matches!(event, Event::Checkpoint(_))), "{events:?}");
}

#[test]
fn a_checkpoint_that_is_too_large_is_told_once_and_not_taken() {
	let Some(bench) = Bench::new() else { return };
	let mut job = bench.job_with(&Archive::new(), "count", |plan| plan["seconds"] = json!(1));
	job.limits.checkpoint_bytes = 0;
	let (ended, events) = bench.run(&job);
	assert!(matches!(ended, Err(ContainerError::TimedOut(_))), "{ended:?}");
	assert_eq!(log(&events), "[the checkpoint state is not taken: it has 1 bytes, the limit is 0]\n");
}
