//! Getting an image by its digest, and looking at what it brings along.

use crate::{
	call::{arguments, CallError},
	disk::{check_blob, is_over},
	ContainerError, ContainerJob, Podman,
};
use millrace_job::{
	is_reserved_variable, is_variable_name, Container, ImageName, MAX_TEXT_BYTES, MAX_VARIABLES,
};
use serde::Deserialize;
use std::{
	collections::BTreeMap,
	os::unix::fs::symlink,
	path::Path,
	sync::PoisonError,
	time::{Duration, Instant},
};

/// How often the disk is looked at while an image arrives.
const DISK_INTERVAL: Duration = Duration::from_millis(200);
/// Annotations that an image may have. Podman copies annotations to the container's, and there the runtime obeys some of
/// them: crun writes what hooks print to the file that `run.oci.hooks.stdout` names.
const ANNOTATIONS: &str = "org.opencontainers.image.";

/// An image that is here and may be used. While it exists, the image is not removed.
pub(crate) struct Image<'a> {
	/// Podman's name for it.
	pub(crate) id: String,
	/// Its environment, without what no container gets.
	pub(crate) environment: BTreeMap<String, String>,
	_use: ImageUse<'a>,
}

/// Marks an image as used by a job.
struct ImageUse<'a> {
	podman: &'a Podman,
	digest: String,
}

impl<'a> ImageUse<'a> {
	fn new(podman: &'a Podman, digest: &str) -> Self {
		let mut uses = podman.uses.lock().unwrap_or_else(PoisonError::into_inner);
		*uses.entry(digest.into()).or_insert(0) += 1;
		Self { podman, digest: digest.into() }
	}
}

impl Drop for ImageUse<'_> {
	fn drop(&mut self) {
		let mut uses = self.podman.uses.lock().unwrap_or_else(PoisonError::into_inner);
		match uses.get_mut(&self.digest) {
			Some(count) if *count > 1 => *count -= 1,
			_ => drop(uses.remove(&self.digest)),
		}
	}
}

/// What podman calls an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
	id: String,
	#[serde(default)]
	digest: String,
	repo_digests: Option<Vec<String>>,
}

impl Listed {
	/// Whether the SHA-256 of its manifest, or of the list that the registry chose it from, has these digits.
	fn has(&self, digits: &str) -> bool {
		let names = self.repo_digests.iter().flatten();
		names.chain([&self.digest]).any(|name| name.ends_with(&format!("sha256:{digits}")))
	}
}

/// What podman knows of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
	#[serde(flatten)]
	names: Listed,
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
		let container = &job.plan.container;
		let refused = |error: millrace_job::ImageError| {
			ContainerError::ImageRefused(format!("{:?} {error}", container.image))
		};
		let name = ImageName::parse(&container.image).map_err(refused)?;
		let marked = ImageUse::new(self, name.digest);
		let listed = self.images()?;
		if let Some(Listed { id, .. }) = listed.iter().find(|image| image.has(name.digest)) {
			let environment = self.inspect_image(id, name.digest)?;
			return Ok(Image { id: id.clone(), environment, _use: marked });
		}
		self.remove_unused(&listed)?;
		let fetched = self.fetch(job, name, folder, cancelled);
		match fetched.and_then(|id| Ok((self.inspect_image(&id, name.digest)?, id))) {
			Ok((environment, id)) => Ok(Image { id, environment, _use: marked }),
			Err(error) => {
				drop(marked);
				self.remove_unused_images()?;
				Err(error)
			}
		}
	}

	/// Removes images that no job of this process uses.
	///
	/// # Errors
	///
	/// [`ContainerError::PodmanBroken`].
	pub fn remove_unused_images(&self) -> Result<(), ContainerError> {
		self.remove_unused(&self.images()?)
	}

	fn remove_unused(&self, listed: &[Listed]) -> Result<(), ContainerError> {
		let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner).clone();
		for image in listed.iter().filter(|image| !uses.keys().any(|digits| image.has(digits))) {
			// Podman keeps one that a container still has; it goes with the next.
			if let Err(CallError::Other(error)) = self.cli.call(&arguments(["rmi", "--force", &image.id])) {
				return Err(error);
			}
		}
		Ok(())
	}

	fn images(&self) -> Result<Vec<Listed>, ContainerError> {
		parse(&self.cli.call(&arguments(["images", "--no-trunc", "--format", "json"]))?)
	}

	/// Gets the image from its blob or its registry, and returns podman's name for it. The disk and the clock are watched: what an archive or a registry
	/// sends becomes as large as it likes when it is unpacked.
	fn fetch(
		&self,
		job: &ContainerJob,
		name: ImageName<'_>,
		folder: &Path,
		cancelled: &dyn Fn() -> bool,
	) -> Result<String, ContainerError> {
		let limit = self.settings.store_bytes;
		let mut looked = Instant::now();
		let mut watch = || {
			if cancelled() {
				return Err(ContainerError::Cancelled);
			}
			if looked.elapsed() >= DISK_INTERVAL {
				if is_over(&self.settings.folder, limit) {
					return Err(ContainerError::ImageRefused(too_large(limit)));
				}
				looked = Instant::now();
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

	/// Reads the image's environment, and refuses an image that is another, or that reaches out of its container.
	fn inspect_image(&self, id: &str, digits: &str) -> Result<BTreeMap<String, String>, ContainerError> {
		let text = self.cli.call(&arguments(["image", "inspect", "--format", "json", id]))?;
		let inspected: Vec<Inspected> = parse(&text)?;
		let Some(image) = inspected.into_iter().next() else {
			return Err(ContainerError::PodmanBroken(format!("`podman image inspect {id}` says nothing")));
		};
		if !image.names.has(digits) {
			let text = format!("its manifest has another digest than sha256:{digits}");
			return Err(ContainerError::ImageRefused(text));
		}
		let mut annotations = image.annotations.iter().flatten();
		if let Some((name, _)) = annotations.find(|(name, _)| !name.starts_with(ANNOTATIONS)) {
			return Err(ContainerError::ImageRefused(format!(
				"its manifest has the annotation {name:?}, which the runtime might obey; build it without annotations \
				 other than {ANNOTATIONS}*"
			)));
		}
		Ok(environment(image.config.and_then(|config| config.env).unwrap_or_default()))
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
	pairs.take(MAX_VARIABLES).map(|(name, value)| (name.into(), value.into())).collect()
}

fn parse<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, ContainerError> {
	serde_json::from_str(text)
		.map_err(|error| ContainerError::PodmanBroken(format!("it prints what is not understood: {error}")))
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
}
