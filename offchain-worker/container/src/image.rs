//! Getting an image by its digest, and looking at what it brings along.

use crate::{
	call::{arguments, CallError},
	disk::{check_blob, is_over},
	ContainerError, ContainerJob, Podman,
};
use millrace_job::{is_reserved_variable, is_variable_name, Container, ImageName, MAX_TEXT_BYTES};
use serde::Deserialize;
use std::{
	collections::BTreeMap,
	os::unix::fs::symlink,
	path::Path,
	sync::{Mutex, MutexGuard, PoisonError, TryLockError},
	thread,
	time::{Duration, Instant},
};

/// How often the disk is looked at while an image arrives.
const DISK_INTERVAL: Duration = Duration::from_millis(200);
/// How many times longer than a look the pause after it is: a store of many files is not to keep a processor busy.
const DISK_PAUSE: u32 = 4;
/// How often a job that waits for another's image looks whether it is its turn.
const QUEUE_INTERVAL: Duration = Duration::from_millis(100);
/// The most characters of an image's author's that an error repeats.
const MAX_SHOWN_CHARS: usize = 100;
/// The most bytes of an image's environment that are passed on: arguments of a program have a limit.
const MAX_ENVIRONMENT_BYTES: usize = 128 << 10;
/// Annotations that an image may have. Podman copies annotations to the container's, and there the runtime obeys some of
/// them: crun writes what hooks print to the file that `run.oci.hooks.stdout` names.
const ANNOTATIONS: &str = "org.opencontainers.image.";

/// An image that is here and may be used. While it exists, the image is not removed.
pub(crate) struct Image<'a> {
	/// Podman's name for it.
	pub(crate) id: String,
	/// Its environment, without what no container gets.
	pub(crate) environment: BTreeMap<String, String>,
	images: &'a Images,
}

/// The images of a store.
#[derive(Debug, Default)]
pub(crate) struct Images {
	/// How many jobs use each, by podman's name.
	uses: Mutex<BTreeMap<String, usize>>,
	/// Held while one is fetched: of two at once nobody could tell which fills the disk. Only its holder removes images.
	fetching: Mutex<()>,
}

impl Images {
	/// The map is whole after every statement, so a thread that panicked leaves nothing half done.
	fn uses(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
		self.uses.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Drop for Image<'_> {
	fn drop(&mut self) {
		let mut uses = self.images.uses();
		match uses.get_mut(&self.id) {
			Some(count) if *count > 1 => *count -= 1,
			_ => drop(uses.remove(&self.id)),
		}
	}
}

/// What podman knows of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
	id: String,
	#[serde(default)]
	digest: String,
	repo_digests: Option<Vec<String>>,
	config: Option<Config>,
	annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
	env: Option<Vec<String>>,
}

impl Podman {
	/// Has the job's image here. Asks a registry, or opens the blob, only if it is not. `folder` is for what is half done.
	pub(crate) fn image(
		&self,
		job: &ContainerJob,
		folder: &Path,
		cancelled: &dyn Fn() -> bool,
	) -> Result<Image<'_>, ContainerError> {
		let image = &job.plan.container.image;
		let refused = |error| ContainerError::ImageRefused(format!("{image:?} {error}"));
		let name = ImageName::parse(image).map_err(refused)?;
		// What podman does not find, or finds to be damaged, is fetched.
		if let Ok(found) = self.use_image(image, name) {
			return Ok(found);
		}
		let _fetching = loop {
			match self.images.fetching.try_lock() {
				Ok(lock) => break lock,
				Err(TryLockError::Poisoned(lock)) => break lock.into_inner(),
				Err(TryLockError::WouldBlock) if cancelled() => return Err(ContainerError::Cancelled),
				Err(TryLockError::WouldBlock) => thread::sleep(QUEUE_INTERVAL),
			}
		};
		// Another job may have fetched it meanwhile.
		if let Ok(found) = self.use_image(image, name) {
			return Ok(found);
		}
		self.remove_images()?;
		let fetched = self.fetch(job, name, folder, cancelled).and_then(|id| self.use_image(&id, name));
		if fetched.is_err() {
			self.remove_images()?;
		}
		fetched
	}

	/// Removes the images that no job uses.
	fn remove_images(&self) -> Result<(), ContainerError> {
		let listed = self.cli.call(&arguments(["images", "--no-trunc", "--format", "{{.ID}}"]))?;
		for id in listed.lines().map(|line| line.trim_start_matches("sha256:")) {
			// Held until it is gone, so that nobody begins to use it meanwhile.
			let uses = self.images.uses();
			if uses.contains_key(id) {
				continue;
			}
			if let Err(CallError::Other(error)) = self.cli.call(&arguments(["rmi", "--force", id])) {
				return Err(error);
			}
		}
		Ok(())
	}

	/// Marks an image that is here as used, unless it is another than the plan's, or reaches out of its container.
	fn use_image(&self, id: &str, name: ImageName<'_>) -> Result<Image<'_>, ContainerError> {
		// So that it cannot go between the look and the mark.
		let mut uses = self.images.uses();
		let text = self.cli.call(&arguments(["image", "inspect", "--format", "json", id]))?;
		let inspected: Vec<Inspected> = serde_json::from_str(&text).map_err(|error| {
			ContainerError::ImageRefused(format!("podman's words on it are no JSON: {error}"))
		})?;
		let Some(image) = inspected.into_iter().next() else {
			return Err(ContainerError::PodmanBroken(format!("`podman image inspect {id}` says nothing")));
		};
		let (id, environment) = image.judge(name)?;
		*uses.entry(id.clone()).or_insert(0) += 1;
		Ok(Image { id, environment, images: &self.images })
	}

	/// Gets the image from its blob or its registry, and returns podman's name for it. The disk and the clock are watched:
	/// what an archive or a registry sends becomes as large as it likes when it is unpacked.
	fn fetch(
		&self,
		job: &ContainerJob,
		name: ImageName<'_>,
		folder: &Path,
		cancelled: &dyn Fn() -> bool,
	) -> Result<String, ContainerError> {
		let limit = self.settings.store_bytes;
		let (mut looked, mut pause) = (Instant::now(), DISK_INTERVAL);
		let mut watch = || {
			if cancelled() {
				return Err(ContainerError::Cancelled);
			}
			if looked.elapsed() >= pause {
				let begin = Instant::now();
				if is_over(&self.settings.folder, limit) {
					return Err(ContainerError::ImageRefused(too_large(limit)));
				}
				looked = Instant::now();
				pause = DISK_INTERVAL.max(begin.elapsed().saturating_mul(DISK_PAUSE));
			}
			Ok(())
		};
		let fetched = self.fetch_watched(job, name, folder, &mut watch);
		// One that arrived between two looks may be too large, too.
		if fetched.is_ok() && is_over(&self.settings.folder, limit) {
			return Err(ContainerError::ImageRefused(too_large(limit)));
		}
		fetched
	}

	fn fetch_watched(
		&self,
		job: &ContainerJob,
		name: ImageName<'_>,
		folder: &Path,
		watch: &mut dyn FnMut() -> Result<(), ContainerError>,
	) -> Result<String, ContainerError> {
		let Container { image, image_blob, .. } = &job.plan.container;
		let time = self.settings.fetch_time;
		let Some(blob) = image_blob else {
			let registry = self.settings.registries.iter().find(|registry| registry.host == name.registry);
			let registry =
				registry.ok_or_else(|| ContainerError::ImageRefused(self.foreign(name.registry)))?;
			let pull = arguments([
				"pull",
				"--quiet",
				&format!("--tls-verify={}", registry.tls),
				&format!("--authfile={}", self.cli.authentication.display()),
				&format!("docker://{image}"),
			]);
			return match self.cli.call_watched(&pull, folder, time, watch) {
				Ok(id) => Ok(id.trim().into()),
				Err(CallError::Said(text)) => Err(ContainerError::ImageMissing(text)),
				Err(CallError::Other(error)) => Err(error),
			};
		};
		let path = job.blobs.get(blob).ok_or(ContainerError::BlobMissing(*blob))?;
		check_blob(*blob, path)?;
		// Podman reads a colon in the path as a tag's.
		let linked =
			symlink(std::path::absolute(path).unwrap_or_else(|_| path.clone()), folder.join("image.tar"));
		linked.map_err(ContainerError::broken("the image's archive cannot be linked"))?;
		let pull = arguments(["pull", "--quiet", "oci-archive:image.tar"]);
		match self.cli.call_watched(&pull, folder, time, watch) {
			Ok(id) => Ok(id.trim().into()),
			Err(CallError::Said(text)) => Err(ContainerError::ImageRefused(format!("its archive: {text}"))),
			Err(CallError::Other(error)) => Err(error),
		}
	}

	fn foreign(&self, registry: &str) -> String {
		let known: Vec<_> = self.settings.registries.iter().map(|registry| registry.host.as_str()).collect();
		format!(
			"this provider does not ask the registry {registry} (but: {}); hand the image over as `image_blob`",
			if known.is_empty() { "none".into() } else { known.join(", ") }
		)
	}
}

impl Inspected {
	/// Podman's name for the image and what containers get of its environment, if it is the one that is wanted and does not
	/// reach out of its container.
	fn judge(self, name: ImageName<'_>) -> Result<(String, BTreeMap<String, String>), ContainerError> {
		// That of its manifest, or of the list that the registry chose it from.
		let mut digests = self.repo_digests.iter().flatten().chain([&self.digest]);
		let wanted = format!("sha256:{}", name.digest);
		if !digests.any(|digest| digest.ends_with(&wanted)) {
			return Err(ContainerError::ImageRefused(format!(
				"its manifest has another digest than {wanted}"
			)));
		}
		let mut annotations = self.annotations.iter().flatten();
		if let Some((name, _)) = annotations.find(|(name, _)| !name.starts_with(ANNOTATIONS)) {
			let name: String = name.chars().take(MAX_SHOWN_CHARS).collect();
			return Err(ContainerError::ImageRefused(format!(
				"its manifest has the annotation {name:?}, which the runtime might obey; build it without annotations \
				 other than {ANNOTATIONS}*"
			)));
		}
		Ok((self.id, environment(self.config.and_then(|config| config.env).unwrap_or_default())))
	}
}

fn too_large(limit: u64) -> String {
	format!("with it, images would take more than {limit} bytes of this provider's disk")
}

/// An image's environment, without variables of a form that podman takes for something else, and without those that
/// reach the runtime's hooks.
fn environment(lines: Vec<String>) -> BTreeMap<String, String> {
	let sound = |(name, value): &(&str, &str)| {
		is_variable_name(name)
			&& !is_reserved_variable(name)
			&& value.len() <= MAX_TEXT_BYTES
			&& !value.contains('\0')
	};
	let pairs = lines.iter().filter_map(|line| line.split_once('=')).filter(sound);
	let mut left = MAX_ENVIRONMENT_BYTES;
	let fits = |(name, value): &(&str, &str)| {
		let rest = left.checked_sub(name.len() + value.len());
		left = rest.unwrap_or(left);
		rest.is_some()
	};
	pairs.filter(fits).map(|(name, value)| (name.into(), value.into())).collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn of_an_images_environment_only_the_harmless_is_kept() {
		let lines = [
			"PATH=/usr/bin:/bin",
			"LD_PRELOAD=/proc/self/cwd/evil.so",
			"NVIDIA_VISIBLE_DEVICES=all",
			"CUDA_VISIBLE_DEVICES=1",
			"NO_VALUE",
			"HOME*=x",
			"A=b=c",
			"Z=\0",
		];
		let kept = environment(lines.map(String::from).into());
		let expected = [("A", "b=c"), ("PATH", "/usr/bin:/bin")];
		assert_eq!(kept, expected.map(|(name, value)| (name.into(), value.into())).into());
	}

	#[test]
	fn of_a_huge_environment_a_part_is_kept() {
		let lines = (0..100).map(|i| format!("V{i}={}", "x".repeat(10_000))).collect();
		assert_eq!(environment(lines).len(), 13);
	}
}
