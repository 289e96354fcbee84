//! The child's side: entering its group, and seeing whether that limits it.

use super::{
	group::is_limited,
	place::{own_places, Controller},
};
use std::{fs, path::PathBuf};

/// Moves this process into the groups of these folders. Returns whether memory, tasks and processors are limited there, which is
/// looked up where the system says that this process is.
pub(crate) fn enter(folders: &[PathBuf]) -> bool {
	for folder in folders {
		// Zero is whoever writes it. What could not be entered is seen below.
		let _ = fs::write(folder.join("cgroup.procs"), "0");
	}
	let own = own_places();
	Controller::ALL.iter().all(|controller| {
		own.iter().any(|place| {
			let holds = place.controllers.contains(controller) && folders.contains(&place.folder);
			holds && is_limited(place.version, *controller, &place.folder)
		})
	})
}
