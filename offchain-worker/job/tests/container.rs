//! Plans of containers that are accepted, and every way in which one is not.

#![cfg(test)]

use millrace_job::{
	BlobHash, Container, ContainerPlan, ContainerPlanError, Document, FileNameError, ImageError, ImageName,
	Plan, PlanError, MAX_COMMAND_ARGUMENTS, MAX_CONTAINER_NAME_CHARS, MAX_CPUS, MAX_INPUTS, MAX_MEMORY_BYTES,
	MAX_SECONDS, MAX_TEXT_BYTES, MAX_VARIABLES,
};
use proptest::prelude::*;
use serde_json::{json, Map, Value};

fn hash(text: &str) -> String {
	BlobHash::of(text.as_bytes()).to_string()
}

fn image(name: &str) -> String {
	format!("{name}@sha256:{}", "0a".repeat(32))
}

/// A plan with every field.
fn good() -> Value {
	json!({
		"version": 1,
		"container": {
			"image": image("docker.io/library/python"),
			"image_blob": hash("image"),
			"command": ["python3", "/input/train.py", ""],
			"environment": { "EPOCHS": "10", "_x": "" },
			"inputs": [
				{ "blob": hash("script"), "path": "train.py" },
				{ "blob": hash("data"), "path": "a.bin" },
				{ "blob": hash("data"), "path": "b.bin" },
			],
			"output": "weights.bin",
			"checkpoint": "state.bin",
			"memory_bytes": 1u64 << 30,
			"cpus": 4,
			"seconds": 600,
			"network": false,
		},
	})
}

fn parse(plan: &Value) -> Result<ContainerPlan, PlanError> {
	match Document::parse(plan.to_string().as_bytes())? {
		Document::Container(plan) => Ok(plan),
		Document::Kernel(_) => panic!("it is a container's plan"),
	}
}

/// Changes the good plan at a JSON pointer, and returns the error.
fn error_with(pointer: &str, value: Value) -> PlanError {
	let mut plan = good();
	*plan.pointer_mut(pointer).unwrap() = value;
	parse(&plan).unwrap_err()
}

fn container_error(pointer: &str, value: Value) -> ContainerPlanError {
	match error_with(pointer, value) {
		PlanError::Container(error) => error,
		other => panic!("{other}"),
	}
}

#[test]
fn a_good_plan_means_what_it_says() {
	let plan = parse(&good()).unwrap();
	assert_eq!(plan.blobs(), [BlobHash::of(b"image"), BlobHash::of(b"script"), BlobHash::of(b"data")]);
	let image = ImageName::parse(&plan.container.image).unwrap();
	let digest = "0a".repeat(32);
	assert_eq!(image, ImageName { registry: "docker.io", repository: "library/python", digest: &digest });
	assert_eq!(plan.container.seconds, Some(600));
}

#[test]
fn a_plan_survives_being_written() {
	let plan = parse(&good()).unwrap();
	assert_eq!(parse(&serde_json::to_value(&plan).unwrap()), Ok(plan));
}

#[test]
fn what_is_optional_can_be_left_out() {
	let mut plan = good();
	let fields = plan["container"].as_object_mut().unwrap();
	for name in ["image_blob", "environment", "inputs", "checkpoint", "seconds", "network"] {
		fields.remove(name).unwrap();
	}
	assert_eq!(parse(&plan).unwrap().blobs(), []);
	for name in ["image", "command", "output", "memory_bytes", "cpus"] {
		let mut plan = plan.clone();
		plan["container"].as_object_mut().unwrap().remove(name).unwrap();
		let error = parse(&plan).unwrap_err().to_string();
		assert!(error.contains(&format!("missing field `{name}`")), "{error}");
	}
}

#[test]
fn unknown_fields_are_refused_everywhere() {
	for pointer in ["", "/container", "/container/inputs/0"] {
		let mut plan = good();
		plan.pointer_mut(pointer).unwrap()["privileged"] = json!(true);
		let error = parse(&plan).unwrap_err().to_string();
		assert!(error.contains("unknown field `privileged`"), "{error}");
	}
	let mut both = good();
	both["kernel"] = json!(hash("kernel"));
	assert!(parse(&both).unwrap_err().to_string().contains("unknown field `kernel`"));
}

#[test]
fn a_kernels_plan_is_still_read_as_one() {
	let text = json!({
		"version": 1, "kernel": hash("kernel"), "buffers": [ { "name": "data", "bytes": 4 } ],
		"launches": [ { "entry": "fill", "grid": [1, 1, 1], "block": [1, 1, 1], "arguments": [] } ],
		"outputs": ["data"],
	})
	.to_string();
	let plan = Plan::parse(text.as_bytes()).unwrap();
	assert_eq!(Document::parse(text.as_bytes()), Ok(Document::Kernel(plan)));
}

#[test]
fn an_executor_of_kernels_says_that_it_cannot_run_a_container() {
	let good = good();
	assert_eq!(Plan::parse(good.to_string().as_bytes()), Err(PlanError::NotAKernel));
}

#[test]
fn another_version_is_named_as_such() {
	assert_eq!(error_with("/version", json!(2)), PlanError::UnsupportedVersion { found: 2 });
}

#[test]
fn an_image_is_named_by_registry_and_digest() {
	let digest = "0a".repeat(32);
	let with_digest = |name: &str| format!("{name}@sha256:{digest}");
	for name in ["ghcr.io/a/b/c-d_e.f", "localhost/x", "registry:5000/x", "10.0.0.1:5000/x"] {
		let text = with_digest(name);
		let image = ImageName::parse(&text).unwrap();
		assert_eq!(format!("{}/{}", image.registry, image.repository), name);
	}
	for (image, reason) in [
		("docker.io/library/python:3.12".into(), ImageError::Tag),
		("python:latest".into(), ImageError::Tag),
		(with_digest("docker.io/library/python:3.12"), ImageError::Tag),
		("docker.io/library/python".into(), ImageError::NoDigest),
		("registry:5000/python".into(), ImageError::NoDigest),
		(String::new(), ImageError::NoDigest),
		("docker.io/x@sha256:00".into(), ImageError::Digest),
		(format!("docker.io/x@sha512:{digest}"), ImageError::Digest),
		(format!("docker.io/x@sha256:{}", digest.to_uppercase()), ImageError::Digest),
		(format!("{}@sha256:{digest}", with_digest("docker.io/x")), ImageError::Digest),
		(with_digest("python"), ImageError::NoRegistry),
		(with_digest("library/python"), ImageError::NoRegistry),
		(with_digest("-x.io/python"), ImageError::NoRegistry),
		(with_digest("x.io:0/python"), ImageError::NoRegistry),
		(with_digest("x.io:port/python"), ImageError::NoRegistry),
		(with_digest("docker.io/"), ImageError::Repository),
		(with_digest("docker.io/../x"), ImageError::Repository),
		(with_digest("docker.io/a//b"), ImageError::Repository),
		(with_digest("docker.io/A"), ImageError::Repository),
		(with_digest("docker.io/a b"), ImageError::Repository),
		(with_digest(&format!("docker.io/{}", "a".repeat(512))), ImageError::TooLong),
	] {
		let error = container_error("/container/image", json!(image));
		assert_eq!(error, ContainerPlanError::Image { image, reason });
	}
	let teaching = error_with("/container/image", json!("docker.io/library/python:3.12")).to_string();
	assert!(teaching.contains("write registry/name@sha256:…"), "{teaching}");
}

#[test]
fn a_command_has_a_program_and_bounded_arguments() {
	let pointer = "/container/command";
	for found in [0, MAX_COMMAND_ARGUMENTS + 1] {
		let error = error_with(pointer, json!(vec!["x"; found]));
		assert_eq!(error, PlanError::Count { list: "command", found, limit: MAX_COMMAND_ARGUMENTS });
	}
	assert_eq!(container_error(pointer, json!([""])), ContainerPlanError::NoProgram);
	for bad in ["a\0b".to_owned(), "x".repeat(MAX_TEXT_BYTES + 1)] {
		assert_eq!(container_error(pointer, json!(["x", bad])), ContainerPlanError::Argument { index: 1 });
	}
}

#[test]
fn variables_that_reach_code_outside_of_the_container_are_refused() {
	for name in [
		"LD_PRELOAD",
		"LD_LIBRARY_PATH",
		"NVIDIA_VISIBLE_DEVICES",
		"NVIDIA_DRIVER_CAPABILITIES",
		"CUDA_VISIBLE_DEVICES",
		"GLIBC_TUNABLES",
		"GCONV_PATH",
	] {
		let error = container_error("/container/environment", json!({ name: "x" }));
		assert_eq!(error, ContainerPlanError::ReservedVariable { name: name.into() });
	}
}

#[test]
fn variables_have_sound_names_and_values() {
	let pointer = "/container/environment";
	let long = "x".repeat(MAX_CONTAINER_NAME_CHARS + 1);
	for name in ["", "1A", "A=B", "A B", "A*", "é", "A\n", &long] {
		let error = container_error(pointer, json!({ name: "x" }));
		assert_eq!(error, ContainerPlanError::VariableName { name: name.into() });
	}
	for bad in ["\0".to_owned(), "x".repeat(MAX_TEXT_BYTES + 1)] {
		let error = container_error(pointer, json!({ "A": bad }));
		assert_eq!(error, ContainerPlanError::VariableValue { name: "A".into() });
	}
	let many: Map<String, Value> = (0..=MAX_VARIABLES).map(|i| (format!("V{i}"), json!(""))).collect();
	let error = container_error(pointer, many.into());
	let (found, limit) = (MAX_VARIABLES + 1, MAX_VARIABLES);
	assert_eq!(error, ContainerPlanError::TooMany { list: "environment", found, limit });
}

#[test]
fn names_of_files_are_plain() {
	let long = "x".repeat(MAX_CONTAINER_NAME_CHARS + 1);
	for name in ["", ".", "..", "../x", "/x", "a/b", ".hidden", "-rf", "a b", "a\n", "a:b", "a,b", "ü", &long]
	{
		for pointer in ["/container/inputs/1/path", "/container/output", "/container/checkpoint"] {
			let expected = ContainerPlanError::FileName { name: name.into(), reason: FileNameError::Form };
			assert_eq!(container_error(pointer, json!(name)), expected, "{pointer}");
		}
	}
}

#[test]
fn no_two_files_have_one_name() {
	for (pointer, name) in
		[("/container/inputs/1/path", "train.py"), ("/container/checkpoint", "weights.bin")]
	{
		let expected = ContainerPlanError::FileName { name: name.into(), reason: FileNameError::Twice };
		assert_eq!(container_error(pointer, json!(name)), expected);
	}
	let many: Vec<_> =
		(0..=MAX_INPUTS).map(|i| json!({ "blob": hash("x"), "path": format!("f{i}") })).collect();
	let (found, limit) = (MAX_INPUTS + 1, MAX_INPUTS);
	let error = container_error("/container/inputs", json!(many));
	assert_eq!(error, ContainerPlanError::TooMany { list: "inputs", found, limit });
}

#[test]
fn amounts_are_bounded() {
	for (field, found) in [
		("memory_bytes", 0),
		("memory_bytes", MAX_MEMORY_BYTES + 1),
		("cpus", 0),
		("cpus", u64::from(MAX_CPUS) + 1),
		("seconds", 0),
		("seconds", MAX_SECONDS + 1),
	] {
		let error = container_error(&format!("/container/{field}"), json!(found));
		assert!(
			matches!(&error, ContainerPlanError::Amount { field: f, found: n, .. } if *f == field && *n == found),
			"{error}"
		);
	}
	for value in [json!(-1), json!(0.5), json!("4")] {
		assert!(matches!(error_with("/container/cpus", value), PlanError::Malformed(_)));
	}
}

#[test]
fn the_network_cannot_be_had_and_the_error_says_what_to_do() {
	let error = container_error("/container/network", json!(true));
	assert_eq!(error, ContainerPlanError::Network);
	assert!(error.to_string().contains("hand everything over as inputs"));
}

proptest! {
	#[test]
	fn no_text_makes_reading_panic_and_what_is_read_is_sound(
		field in prop::sample::select(vec!["image", "output", "checkpoint"]),
		text in ".{0,80}",
	) {
		let mut plan = good();
		plan["container"][field] = json!(text);
		if let Ok(plan) = parse(&plan) {
			let Container { output, checkpoint, image, .. } = plan.container;
			prop_assert!(ImageName::parse(&image).is_ok());
			for name in checkpoint.iter().chain([&output]) {
				prop_assert!(!name.contains('/') && !name.starts_with('.') && !name.chars().any(char::is_control));
			}
		}
	}

	#[test]
	fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
		let _ = Document::parse(&bytes);
	}
}
