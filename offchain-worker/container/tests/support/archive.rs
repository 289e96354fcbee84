//! Images as archives of an OCI layout, made byte by byte, so that they can be wrong in any way.

use serde_json::{json, Value};
use sha2::{Digest, Sha256};

/// An image of one layer with the tests' program in it.
pub(crate) struct Archive {
	/// Layer and its media type.
	pub(crate) layer: (Vec<u8>, &'static str),
	/// The layer's digest before it was compressed.
	pub(crate) diff_id: String,
	/// The `config` part of the configuration.
	pub(crate) config: Value,
	/// Annotations of the manifest.
	pub(crate) annotations: Value,
}

impl Archive {
	pub(crate) fn new() -> Self {
		let layer = tar(&[File { path: "program", bytes: super::program(), mode: 0o755, link: None }]);
		Self {
			diff_id: digest(&layer),
			layer: (layer, "application/vnd.oci.image.layer.v1.tar"),
			config: json!({ "Env": ["PATH=/bin", "FROM_IMAGE=yes"] }),
			annotations: json!({}),
		}
	}

	/// One whose layer has another file, too.
	pub(crate) fn with_file(file: File<'_>) -> Self {
		let layer = tar(&[File { path: "program", bytes: super::program(), mode: 0o755, link: None }, file]);
		Self {
			diff_id: digest(&layer),
			layer: (layer, "application/vnd.oci.image.layer.v1.tar"),
			..Self::new()
		}
	}

	/// The image's name with its digest.
	pub(crate) fn name(&self) -> String {
		format!("localhost/test@{}", digest(&self.manifest()))
	}

	fn configuration(&self) -> Vec<u8> {
		json!({
			"architecture": "amd64", "os": "linux", "config": self.config,
			"rootfs": { "type": "layers", "diff_ids": [self.diff_id] },
		})
		.to_string()
		.into()
	}

	pub(crate) fn manifest(&self) -> Vec<u8> {
		let (layer, kind) = &self.layer;
		let configuration = self.configuration();
		json!({
			"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
			"config": described(&configuration, "application/vnd.oci.image.config.v1+json"),
			"layers": [described(layer, kind)],
			"annotations": self.annotations,
		})
		.to_string()
		.into()
	}

	/// All blobs by digest: configuration, layer, manifest.
	pub(crate) fn blobs(&self) -> [(String, Vec<u8>); 3] {
		[self.configuration(), self.layer.0.clone(), self.manifest()].map(|bytes| (digest(&bytes), bytes))
	}

	/// The archive.
	pub(crate) fn bytes(&self) -> Vec<u8> {
		let manifest = described(&self.manifest(), "application/vnd.oci.image.manifest.v1+json");
		let index = json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string();
		let blobs = self.blobs();
		let paths: Vec<_> =
			blobs.iter().map(|(digest, _)| format!("blobs/{}", digest.replace(':', "/"))).collect();
		let mut files = vec![
			File { path: "oci-layout", bytes: br#"{"imageLayoutVersion":"1.0.0"}"#, mode: 0o644, link: None },
			File { path: "index.json", bytes: index.as_bytes(), mode: 0o644, link: None },
		];
		let contents = blobs.iter().map(|(_, bytes)| bytes);
		files.extend(paths.iter().zip(contents).map(|(path, bytes)| File {
			path,
			bytes,
			mode: 0o644,
			link: None,
		}));
		tar(&files)
	}
}

pub(crate) fn digest(bytes: &[u8]) -> String {
	format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn described(bytes: &[u8], kind: &str) -> Value {
	json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
}

/// A file of an archive; a symbolic link if it has a `link`.
pub(crate) struct File<'a> {
	pub(crate) path: &'a str,
	pub(crate) bytes: &'a [u8],
	pub(crate) mode: u32,
	pub(crate) link: Option<&'a str>,
}

/// An archive in the format of POSIX.1-1988.
pub(crate) fn tar(files: &[File<'_>]) -> Vec<u8> {
	let mut archive = Vec::new();
	for File { path, bytes, mode, link } in files {
		let mut header = [0; 512];
		let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
		put(0, path);
		put(100, &format!("{mode:07o}"));
		put(108, "0000000");
		put(116, "0000000");
		put(124, &format!("{:011o}", bytes.len()));
		put(136, "00000000000");
		put(148, "        ");
		put(156, if link.is_some() { "2" } else { "0" });
		put(157, link.unwrap_or_default());
		put(257, "ustar\x0000");
		let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
		header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
		archive.extend(header);
		archive.extend(*bytes);
		archive.resize(archive.len().next_multiple_of(512), 0);
	}
	archive.resize(archive.len() + 1024, 0);
	archive
}
