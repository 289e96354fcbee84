//! A kernel that a driver has compiled.

use millrace_job::BlobHash;

/// What the bytes of a [`Compiled`] begin with. The number changes with their layout.
const MAGIC: [u8; 8] = *b"mrcubin1";
/// The magic, the hash of the text, and the hash of the image.
const HEADER_BYTES: usize = MAGIC.len() + 2 * 32;

/// A kernel that a driver has compiled for one kind of GPU, and the hash of its text.
///
/// It is for drivers of the version, and GPUs of the compute capability, that made it. As bytes it carries the hash of its image: a
/// driver trusts an image to be whole, and must not be given half of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Compiled {
	kernel: BlobHash,
	image: Vec<u8>,
}

impl Compiled {
	/// What a driver made of the text that has that hash.
	pub(super) fn new(kernel: BlobHash, image: Vec<u8>) -> Self {
		Self { kernel, image }
	}

	/// What the driver made.
	pub(super) fn image(&self) -> &[u8] {
		&self.image
	}

	/// Whether it was made of this text.
	pub fn is_of(&self, ptx: &str) -> bool {
		self.kernel == BlobHash::of(ptx.as_bytes())
	}

	/// As bytes, for [`Self::from_bytes`].
	pub fn to_bytes(&self) -> Vec<u8> {
		let hash = BlobHash::of(&self.image);
		[&MAGIC[..], &self.kernel.0, &hash.0, &self.image].concat()
	}

	/// From bytes, if they are whole, and are what became of the text with the hash `kernel`.
	pub fn from_bytes(kernel: &BlobHash, bytes: &[u8]) -> Option<Self> {
		let (header, image) = bytes.split_at_checked(HEADER_BYTES)?;
		let expected = [&MAGIC[..], &kernel.0, &BlobHash::of(image).0].concat();
		(header == expected && !image.is_empty()).then(|| Self::new(*kernel, image.to_vec()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn only_whole_bytes_of_the_same_kernel_are_taken() {
		let kernel = BlobHash::of(b"text");
		let compiled = Compiled::new(kernel, vec![1, 2, 3]);
		let bytes = compiled.to_bytes();
		assert_eq!(Compiled::from_bytes(&kernel, &bytes), Some(compiled));
		assert_eq!(Compiled::from_bytes(&BlobHash::of(b"another"), &bytes), None);
		for length in 0..bytes.len() {
			assert_eq!(Compiled::from_bytes(&kernel, &bytes[..length]), None, "{length} bytes");
		}
		for at in 0..bytes.len() {
			let mut changed = bytes.clone();
			changed[at] ^= 1;
			assert_eq!(Compiled::from_bytes(&kernel, &changed), None, "byte {at}");
		}
		let empty = Compiled::new(kernel, Vec::new());
		assert_eq!(Compiled::from_bytes(&kernel, &empty.to_bytes()), None);
	}
}
