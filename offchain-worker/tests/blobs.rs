//! The blob store against a real disk.

use millrace_offchain_worker::{BlobError, BlobLimits, Blobs};
use millrace_primitives::BlobHash;
use std::{
	fs::{self, File},
	time::{Duration, SystemTime},
};

const LIMITS: BlobLimits = BlobLimits { max_blob_bytes: 1000, quota_bytes: 4000 };

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn store(dir: &tempfile::TempDir) -> Blobs {
	Blobs::open(dir.path().join("blobs"), LIMITS).unwrap()
}

fn path(dir: &tempfile::TempDir, hash: BlobHash) -> std::path::PathBuf {
	dir.path().join("blobs").join(format!("{hash:x}"))
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn age(dir: &tempfile::TempDir, hash: BlobHash, by: Duration) {
	let file = File::options().append(true).open(path(dir, hash)).unwrap();
	file.set_modified(SystemTime::now() - by).unwrap();
}

#[test]
fn a_blob_comes_back_under_its_blake3_hash() {
	let dir = tempfile::tempdir().unwrap();
	let blobs = store(&dir);
	let hash = blobs.put(b"abc").unwrap();
	// BLAKE3's published test value for "abc".
	assert_eq!(format!("{hash:x}"), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
	assert_eq!(blobs.get(hash).unwrap().unwrap(), b"abc");
	assert_eq!((blobs.has(hash), blobs.used_bytes()), (Some(3), 3));
	// Again: nothing changes.
	assert_eq!(blobs.put(b"abc").unwrap(), hash);
	assert_eq!(blobs.used_bytes(), 3);
	let absent = BlobHash::repeat_byte(7);
	assert_eq!((blobs.has(absent), blobs.get(absent).unwrap()), (None, None));
	// An empty blob is a blob.
	let empty = blobs.put(b"").unwrap();
	assert_eq!(blobs.get(empty).unwrap().unwrap(), b"");
}

#[test]
fn the_size_limit_is_inclusive_and_named() {
	let dir = tempfile::tempdir().unwrap();
	let blobs = store(&dir);
	blobs.put(&[1; 1000]).unwrap();
	let error = blobs.put(&[1; 1001]).unwrap_err();
	assert!(matches!(error, BlobError::TooLarge { bytes: 1001, limit: 1000 }));
	assert!(error.to_string().contains("1000") && error.to_string().contains("--worker-max-blob"));
	assert!(blobs.put_output(&[1; 1001]).is_err());
}

#[test]
fn uploads_leave_a_quarter_of_the_quota_to_outputs() {
	let dir = tempfile::tempdir().unwrap();
	let blobs = store(&dir);
	for seed in 0..3 {
		blobs.put(&[seed; 1000]).unwrap();
	}
	assert!(matches!(blobs.put(b"x"), Err(BlobError::StoreFull { bytes: 1, used: 3000, quota: 3000 })));
	blobs.put_output(&[9; 1000]).unwrap();
	assert!(matches!(blobs.put_output(b"x"), Err(BlobError::StoreFull { used: 4000, quota: 4000, .. })));
	// A refused blob takes no room.
	assert_eq!(blobs.used_bytes(), 4000);
}

#[test]
fn blobs_unused_for_a_day_make_room_oldest_first() {
	let dir = tempfile::tempdir().unwrap();
	let hashes: Vec<_> = {
		let blobs = store(&dir);
		(0..3).map(|seed| blobs.put(&[seed; 1000]).unwrap()).collect()
	};
	age(&dir, hashes[0], Duration::from_secs(25 * 3600));
	age(&dir, hashes[1], Duration::from_secs(26 * 3600));
	age(&dir, hashes[2], Duration::from_secs(23 * 3600));
	let blobs = store(&dir);
	blobs.put(&[3; 1000]).unwrap();
	assert_eq!(hashes.iter().map(|hash| blobs.has(*hash).is_some()).collect::<Vec<_>>(), [true, false, true]);
	// A use keeps the next oldest.
	blobs.get(hashes[0]).unwrap().unwrap();
	assert!(matches!(blobs.put(&[4; 1000]), Err(BlobError::StoreFull { .. })));
	assert_eq!(blobs.used_bytes(), 3000);
	// The use is remembered over a restart.
	drop(blobs);
	assert!(matches!(store(&dir).put(&[4; 1000]), Err(BlobError::StoreFull { .. })));
}

#[test]
fn damage_on_disk_is_found_and_mended_by_another_put() {
	let dir = tempfile::tempdir().unwrap();
	let blobs = store(&dir);
	let hash = blobs.put(b"abc").unwrap();
	fs::write(path(&dir, hash), b"abd").unwrap();
	assert!(matches!(blobs.get(hash), Err(BlobError::Corrupt(bad)) if bad == hash));
	assert_eq!((blobs.get(hash).unwrap(), blobs.has(hash), blobs.used_bytes()), (None, None, 0));
	blobs.put(b"abc").unwrap();
	assert_eq!(blobs.get(hash).unwrap().unwrap(), b"abc");
}

#[test]
fn a_file_that_vanished_is_an_absent_blob() {
	let dir = tempfile::tempdir().unwrap();
	let blobs = store(&dir);
	let hash = blobs.put(b"abc").unwrap();
	fs::remove_file(path(&dir, hash)).unwrap();
	assert_eq!(blobs.get(hash).unwrap(), None);
	assert_eq!(blobs.used_bytes(), 0);
	blobs.put(b"abc").unwrap();
	assert!(path(&dir, hash).exists());
}

#[test]
fn a_restart_finds_the_blobs_and_drops_unfinished_ones() {
	let dir = tempfile::tempdir().unwrap();
	let hash = store(&dir).put(b"abc").unwrap();
	let part = dir.path().join("blobs").join("00ff.3.part");
	fs::write(&part, b"half").unwrap();
	let note = dir.path().join("blobs").join("README");
	fs::write(&note, b"mine").unwrap();
	let blobs = store(&dir);
	assert_eq!(blobs.get(hash).unwrap().unwrap(), b"abc");
	assert_eq!(blobs.used_bytes(), 3);
	assert!(!part.exists());
	// Somebody else's file is not ours to remove.
	assert!(note.exists());
}

#[test]
fn a_file_under_a_wrong_name_is_not_served() {
	let dir = tempfile::tempdir().unwrap();
	drop(store(&dir));
	let hash = BlobHash::repeat_byte(0xab);
	fs::write(path(&dir, hash), b"not that").unwrap();
	let blobs = store(&dir);
	assert!(matches!(blobs.get(hash), Err(BlobError::Corrupt(_))));
	assert_eq!(blobs.get(hash).unwrap(), None);
}

#[test]
fn concurrent_puts_of_one_blob_count_once() {
	let dir = tempfile::tempdir().unwrap();
	let blobs = store(&dir);
	std::thread::scope(|scope| {
		for worker in 0..8u8 {
			let blobs = blobs.clone();
			scope.spawn(move || {
				for turn in 0..10u8 {
					// Small enough that eight reservations at a time fit.
					let bytes = [turn; 30];
					let hash = blobs.put(&bytes).unwrap();
					assert_eq!(blobs.get(hash).unwrap().unwrap(), bytes);
					blobs.put(&[100 + worker; 20]).unwrap();
				}
			});
		}
	});
	assert_eq!(blobs.used_bytes(), 10 * 30 + 8 * 20);
	let files = fs::read_dir(dir.path().join("blobs")).unwrap().count();
	assert_eq!(files, 18);
}
