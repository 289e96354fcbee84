//! Plans that are accepted, and every way in which one is not.

#![cfg(test)]

use millrace_job::{
	Argument, BlobHash, Limits, Plan, PlanError, MAX_ARGUMENTS, MAX_BUFFERS, MAX_BUFFER_BYTES,
	MAX_GRID_BLOCKS, MAX_LAUNCHES, MAX_PLAN_BYTES, MAX_SHARED_BYTES,
};
use serde_json::{json, Value};

fn hash(text: &str) -> String {
	BlobHash::of(text.as_bytes()).to_string()
}

/// A plan with every kind of argument.
fn good() -> Value {
	json!({
		"version": 1,
		"kernel": hash("kernel"),
		"buffers": [
			{ "name": "input", "bytes": 64, "input": hash("a") },
			{ "name": "again", "bytes": 64, "input": hash("a") },
			{ "name": "output_2", "bytes": 100 },
		],
		"launches": [ {
			"entry": "$kernel_1", "grid": [3, 2, 1], "block": [32, 8, 4], "shared_bytes": 1024,
			"arguments": [
				{ "buffer": "input" }, { "buffer": "output_2" }, { "u32": 4294967295u32 }, { "i32": -3 },
				{ "u64": 18446744073709551615u64 }, { "i64": i64::MIN }, { "f32": 0.1 },
			],
		} ],
		"outputs": ["output_2", "input"],
	})
}

fn parse(plan: &Value) -> Result<Plan, PlanError> {
	Plan::parse(plan.to_string().as_bytes())
}

/// Changes the good plan at a JSON pointer, and returns the error.
fn error_with(pointer: &str, value: Value) -> PlanError {
	let mut plan = good();
	*plan.pointer_mut(pointer).unwrap() = value;
	parse(&plan).unwrap_err()
}

/// The message for a good plan with something added to the object at a JSON pointer.
fn message_with_field(pointer: &str, name: &str, value: Value) -> String {
	let mut plan = good();
	plan.pointer_mut(pointer).unwrap()[name] = value;
	match parse(&plan).unwrap_err() {
		PlanError::Malformed(message) => message,
		other => panic!("{other}"),
	}
}

#[test]
fn a_good_plan_means_what_it_says() {
	let plan = parse(&good()).unwrap();
	assert_eq!(plan.kernel, BlobHash::of(b"kernel"));
	assert_eq!(plan.blobs(), [BlobHash::of(b"kernel"), BlobHash::of(b"a")]);
	assert_eq!(plan.buffer_bytes(), 228);
	assert_eq!(plan.output_bytes(), 164);
	assert_eq!(
		plan.launches[0].arguments[2..],
		[
			Argument::U32(u32::MAX),
			Argument::I32(-3),
			Argument::U64(u64::MAX),
			Argument::I64(i64::MIN),
			Argument::F32(0.1),
		]
	);
}

#[test]
fn a_plan_survives_being_written() {
	let plan = parse(&good()).unwrap();
	let document = serde_json::to_vec(&plan).unwrap();
	assert_eq!(Plan::parse(&document), Ok(plan));
}

#[test]
fn shared_bytes_may_be_left_out() {
	let mut plan = good();
	plan["launches"][0].as_object_mut().unwrap().remove("shared_bytes");
	assert_eq!(parse(&plan).unwrap().launches[0].shared_bytes, 0);
}

#[test]
fn unknown_fields_are_refused_everywhere() {
	for pointer in ["", "/buffers/0", "/launches/0"] {
		let message = message_with_field(pointer, "shell", json!("rm"));
		assert!(message.contains("unknown field `shell`"), "{pointer}: {message}");
	}
	let message = message_with_field("/launches/0/arguments/0", "u32", json!(1));
	assert!(message.contains("line 1 column"), "{message}");
	let PlanError::Malformed(message) = error_with("/launches/0/arguments/0", json!({ "f64": 1.0 })) else {
		panic!()
	};
	assert!(message.contains("unknown variant `f64`"), "{message}");
}

#[test]
fn missing_fields_and_other_types_are_refused() {
	for field in ["version", "kernel", "buffers", "launches", "outputs"] {
		let mut plan = good();
		plan.as_object_mut().unwrap().remove(field);
		let message = parse(&plan).unwrap_err().to_string();
		assert!(message.contains(&format!("missing field `{field}`")), "{message}");
	}
	for (pointer, value) in [
		("/buffers/0/bytes", json!(-1)),
		("/buffers/0/bytes", json!(1.5)),
		("/launches/0/grid", json!([1, 1])),
		("/launches/0/arguments/2", json!({ "u32": 4294967296u64 })),
		("/launches/0/arguments/3", json!({ "i32": "-3" })),
		("/outputs", json!("output_2")),
	] {
		assert!(matches!(error_with(pointer, value), PlanError::Malformed(_)), "{pointer}");
	}
	for document in [&b"{"[..], b"", b"[]", b"\xff", b"{\"version\": 1} {}"] {
		assert!(matches!(Plan::parse(document), Err(PlanError::Malformed(_))), "{document:?}");
	}
}

#[test]
fn a_field_given_twice_is_refused() {
	let text = good().to_string().replacen("\"version\":1", "\"version\":1,\"version\":1", 1);
	let message = Plan::parse(text.as_bytes()).unwrap_err().to_string();
	assert!(message.contains("duplicate field `version`"), "{message}");
}

#[test]
fn other_versions_are_named_even_if_they_have_other_fields() {
	assert_eq!(error_with("/version", json!(2)), PlanError::UnsupportedVersion { found: 2 });
	let later = json!({ "version": 7, "graph": [] });
	assert_eq!(parse(&later), Err(PlanError::UnsupportedVersion { found: 7 }));
}

#[test]
fn hashes_have_64_hexadecimal_digits() {
	let hash = hash("kernel");
	for text in [&hash[1..], &format!("0x{hash}"), &format!("0x{}", &hash[2..]), ""] {
		for pointer in ["/kernel", "/buffers/0/input"] {
			let message = error_with(pointer, json!(text)).to_string();
			assert!(message.contains("a hash is written as 64 hexadecimal digits, without 0x"), "{message}");
		}
	}
}

#[test]
fn buffer_names_are_simple_and_unique() {
	for name in ["", "Images", "a-b", "a b", "bücher", &"x".repeat(33)] {
		assert_eq!(error_with("/buffers/1/name", json!(name)), PlanError::BufferName { name: name.into() });
	}
	assert_eq!(
		error_with("/buffers/1/name", json!("input")),
		PlanError::DuplicateBuffer { name: "input".into() }
	);
	let mut plan = good();
	plan["buffers"][1]["name"] = json!("0123456789_abcdefghijklmnopqrstu");
	assert!(parse(&plan).is_ok());
}

#[test]
fn buffers_that_do_not_exist_are_named() {
	assert_eq!(
		error_with("/launches/0/arguments/1", json!({ "buffer": "nowhere" })),
		PlanError::UnknownArgumentBuffer { launch: 0, argument: 1, name: "nowhere".into() }
	);
	assert_eq!(
		error_with("/outputs/1", json!("nowhere")),
		PlanError::UnknownOutput { name: "nowhere".into() }
	);
	assert_eq!(
		error_with("/outputs/1", json!("output_2")),
		PlanError::DuplicateOutput { name: "output_2".into() }
	);
}

#[test]
fn buffers_have_a_size_and_fit_the_limit_together() {
	assert_eq!(error_with("/buffers/1/bytes", json!(0)), PlanError::EmptyBuffer { name: "again".into() });
	let limit = MAX_BUFFER_BYTES;
	let error = error_with("/buffers/2/bytes", json!(limit - 127));
	assert_eq!(error, PlanError::BuffersTooLarge { bytes: limit + 1, limit });
	// A sum that 64 bits cannot hold is no way around.
	let error = error_with("/buffers/2/bytes", json!(u64::MAX));
	assert_eq!(error, PlanError::BuffersTooLarge { bytes: u64::MAX, limit });
	let mut plan = good();
	plan["buffers"][2]["bytes"] = json!(limit - 128);
	assert!(parse(&plan).is_ok());
}

#[test]
fn a_caller_may_have_stricter_limits() {
	let plan = parse(&good()).unwrap();
	let limits = Limits { buffer_bytes: 228, output_bytes: 164 };
	assert_eq!(plan.check(&limits), Ok(()));
	assert_eq!(
		plan.check(&Limits { buffer_bytes: 227, ..limits }),
		Err(PlanError::BuffersTooLarge { bytes: 228, limit: 227 })
	);
	assert_eq!(
		plan.check(&Limits { output_bytes: 163, ..limits }),
		Err(PlanError::OutputTooLarge { bytes: 164, limit: 163 })
	);
}

#[test]
fn lists_are_neither_empty_nor_too_long() {
	let lists = [("buffers", MAX_BUFFERS), ("launches", MAX_LAUNCHES), ("outputs", MAX_BUFFERS)];
	for (list, limit) in lists {
		assert_eq!(error_with(&format!("/{list}"), json!([])), PlanError::Count { list, found: 0, limit });
	}
	let launch = json!({ "entry": "k", "grid": [1, 1, 1], "block": [1, 1, 1], "arguments": [] });
	let launches = |count| Value::Array(vec![launch.clone(); count]);
	let error = error_with("/launches", launches(MAX_LAUNCHES + 1));
	assert_eq!(error, PlanError::Count { list: "launches", found: MAX_LAUNCHES + 1, limit: MAX_LAUNCHES });
	let mut plan = good();
	plan["launches"] = launches(MAX_LAUNCHES);
	assert!(parse(&plan).is_ok());

	let arguments = json!(vec![json!({ "u32": 1 }); MAX_ARGUMENTS + 1]);
	let error = error_with("/launches/0/arguments", arguments);
	assert_eq!(error, PlanError::Arguments { launch: 0, found: MAX_ARGUMENTS + 1 });
}

#[test]
fn launches_have_a_shape_that_a_gpu_can_have() {
	for grid in
		[[0, 1, 1], [1, 1, 0], [1 << 31, 1, 1], [1 << 16, 1 << 15, 1], [u32::MAX; 3], [u32::MAX, u32::MAX, 0]]
	{
		assert_eq!(error_with("/launches/0/grid", json!(grid)), PlanError::Grid { launch: 0, grid });
	}
	for block in [[0, 1, 1], [1025, 1, 1], [32, 32, 2], [u32::MAX; 3]] {
		assert_eq!(error_with("/launches/0/block", json!(block)), PlanError::Block { launch: 0, block });
	}
	let bytes = MAX_SHARED_BYTES + 1;
	assert_eq!(
		error_with("/launches/0/shared_bytes", json!(bytes)),
		PlanError::SharedMemory { launch: 0, bytes }
	);
	let mut plan = good();
	plan["launches"][0]["grid"] = json!([MAX_GRID_BLOCKS, 1, 1]);
	plan["launches"][0]["block"] = json!([1, 1024, 1]);
	plan["launches"][0]["shared_bytes"] = json!(MAX_SHARED_BYTES);
	assert!(parse(&plan).is_ok());
}

#[test]
fn entries_are_identifiers() {
	for entry in ["", "1st", "a b", "a\0", "naïve", "a.b", &"x".repeat(1025)] {
		assert_eq!(
			error_with("/launches/0/entry", json!(entry)),
			PlanError::EntryName { launch: 0 },
			"{entry:?}"
		);
	}
}

#[test]
fn floats_must_be_finite() {
	let message = error_with("/launches/0/arguments/6", json!({ "f32": 1e300 })).to_string();
	assert!(message.contains("number out of range"), "{message}");
	let mut plan = parse(&good()).unwrap();
	plan.launches[0].arguments[6] = Argument::F32(f32::NAN);
	assert_eq!(plan.check(&Limits::MAX), Err(PlanError::NotFinite { launch: 0, argument: 6 }));
	let mut plan = good();
	plan["launches"][0]["arguments"][6] = json!({ "f32": 3 });
	assert_eq!(parse(&plan).unwrap().launches[0].arguments[6], Argument::F32(3.0));
}

#[test]
fn long_documents_are_refused_before_they_are_read() {
	let mut document = vec![b' '; MAX_PLAN_BYTES + 1];
	assert_eq!(Plan::parse(&document), Err(PlanError::TooLong { bytes: MAX_PLAN_BYTES + 1 }));
	// White space counts, and a document of exactly the limit is read.
	let text = good().to_string();
	document.truncate(MAX_PLAN_BYTES);
	document[..text.len()].copy_from_slice(text.as_bytes());
	assert!(Plan::parse(&document).is_ok());
}
