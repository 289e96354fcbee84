use super::*;
use crate::{results::StoredResult, BlobLimits};
use millrace_primitives::JobOutcome;
use std::{cell::RefCell, convert::Infallible, fs::File, time::SystemTime};

const GENESIS: Hash = Hash::repeat_byte(1);
const KEY: JobKey = (LeaseId(1), JobId(2));
const LONG_AGO: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// A worker's folder with a store that holds four blobs of this size.
struct World(tempfile::TempDir);

const SIZE: usize = 1_000;

impl World {
	fn new() -> Self {
		Self(tempfile::tempdir().unwrap())
	}

	fn blobs(&self) -> Blobs {
		let limits = BlobLimits { max_blob_bytes: 1_000, quota_bytes: 4_000 };
		Blobs::open(self.0.path().join("blobs"), limits).unwrap()
	}

	fn evidence(&self, blobs: &Blobs) -> Evidence {
		Evidence::open(self.0.path().join("evidence"), GENESIS, blobs.clone()).unwrap()
	}

	fn results(&self) -> Results {
		Results::open(self.0.path().join("results"), GENESIS).unwrap()
	}

	/// As if the node had been off for days: nobody used the blob since. Tells with the next opening of the store.
	fn neglect(&self, blob: BlobHash) {
		let path = self.0.path().join("blobs").join(hex::encode(blob));
		File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - LONG_AGO).unwrap();
	}

	fn records(&self) -> usize {
		fs::read_dir(self.0.path().join("evidence")).unwrap().count()
	}
}

fn blob(seed: u8) -> Vec<u8> {
	vec![seed; SIZE]
}

/// Fills the store's room for outputs. Returns whether that went well.
fn crowd(blobs: &Blobs) -> bool {
	(10..14).all(|seed| blobs.put_output(&blob(seed)).is_ok())
}

fn nothing(_: LeaseId, _: Moment) -> Result<bool, Infallible> {
	Ok(false)
}

#[tokio::test(start_paused = true)]
async fn blobs_of_a_job_outlast_the_wish_for_their_room_while_it_can_be_contested() {
	let world = World::new();
	let (used, other) = {
		let blobs = world.blobs();
		let (used, other) = (blobs.put_output(&blob(0)).unwrap(), blobs.put_output(&blob(1)).unwrap());
		world.evidence(&blobs).put(KEY, vec![used]).unwrap();
		world.neglect(used);
		world.neglect(other);
		(used, other)
	};
	let blobs = world.blobs();
	let evidence = world.evidence(&blobs);
	assert!(!crowd(&blobs), "the evidence leaves room for three only");
	assert_eq!((blobs.has(used), blobs.has(other)), (Some(1_000), None));

	// Nobody can object any more: the next who wants room gets it.
	evidence.follow(5, &world.results(), nothing).unwrap();
	assert_eq!(world.records(), 0);
	world.neglect(used);
	let blobs = world.blobs();
	world.evidence(&blobs);
	assert!(crowd(&blobs));
	assert_eq!(blobs.has(used), None);
}

#[tokio::test(start_paused = true)]
async fn the_chain_is_asked_about_the_time_at_which_the_result_became_final() {
	let world = World::new();
	let (blobs, results) = (world.blobs(), world.results());
	let evidence = world.evidence(&blobs);
	let result = StoredResult {
		genesis: GENESIS,
		lease: KEY.0,
		job: KEY.1,
		plan: BlobHash::repeat_byte(2),
		submitted_at: 1,
		outcome: JobOutcome::Succeeded { output: BlobHash::repeat_byte(3), bytes: 4 },
		detail: String::new(),
		busy_ms: 0,
	};
	evidence.put(KEY, vec![result.plan]).unwrap();
	results.put(result).unwrap();
	let asked = RefCell::new(Vec::new());
	let follow = |now| {
		let ask = |lease, ended_at| {
			asked.borrow_mut().push((lease, ended_at));
			Ok::<_, Infallible>(true)
		};
		evidence.follow(now, &results, ask).unwrap();
	};
	// Not before the result is final.
	follow(10);
	tokio::time::advance(EVERY).await;
	results.forget(KEY).unwrap();
	follow(20);
	// Once a minute.
	follow(21);
	tokio::time::advance(EVERY).await;
	follow(80);
	assert_eq!(*asked.borrow(), [(KEY.0, 20), (KEY.0, 20)]);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_cannot_be_read_costs_no_evidence() {
	let world = World::new();
	let evidence = world.evidence(&world.blobs());
	evidence.put(KEY, vec![]).unwrap();
	let error = evidence.follow(5, &world.results(), |_, _| Err("the state is gone")).unwrap_err();
	assert!(error.contains("the state is gone"), "{error}");
	assert_eq!(world.records(), 1);
}

#[tokio::test(start_paused = true)]
async fn records_of_another_chain_and_halves_of_records_go() {
	let world = World::new();
	let blobs = world.blobs();
	world.evidence(&blobs).put(KEY, vec![]).unwrap();
	let dir = world.0.path().join("evidence");
	fs::write(dir.join("1-3.part"), "{").unwrap();
	world.evidence(&blobs);
	assert_eq!(world.records(), 1);
	Evidence::open(dir, Hash::repeat_byte(8), blobs).unwrap();
	assert_eq!(world.records(), 0);
}
