//! Blobs: bytes named by their hash.

use alloc::string::String;
use codec::{Decode, Encode};
use core::{fmt, str::FromStr};
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};

/// The BLAKE3-256 hash of `bytes`, which is the name of a blob with these bytes.
pub fn blob_hash(bytes: &[u8]) -> [u8; 32] {
	*blake3::hash(bytes).as_bytes()
}

/// The name of a blob: the BLAKE3-256 hash of its bytes. Written as 64 hexadecimal digits without `0x`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Encode, Decode)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
	/// The name of a blob with these bytes.
	pub fn of(bytes: &[u8]) -> Self {
		Self(blob_hash(bytes))
	}
}

impl fmt::Display for BlobHash {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}

impl From<[u8; 32]> for BlobHash {
	fn from(hash: [u8; 32]) -> Self {
		Self(hash)
	}
}

impl From<BlobHash> for [u8; 32] {
	fn from(hash: BlobHash) -> Self {
		hash.0
	}
}

/// A text that is not a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HashTextError;

impl fmt::Display for HashTextError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("a hash is written as 64 hexadecimal digits, without 0x")
	}
}

impl core::error::Error for HashTextError {}

impl FromStr for BlobHash {
	type Err = HashTextError;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		let mut hash = [0; 32];
		hex::decode_to_slice(text, &mut hash).map_err(|_| HashTextError)?;
		Ok(Self(hash))
	}
}

impl Serialize for BlobHash {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for BlobHash {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		// Escapes in the text mean that it cannot always be borrowed.
		String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{format, string::ToString};

	#[test]
	fn the_empty_blob_has_blake3s_published_hash() {
		let published = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
		assert_eq!(BlobHash::of(b"").to_string(), published);
		assert_eq!(published.parse(), Ok(BlobHash(blob_hash(b""))));
	}

	#[test]
	fn text_of_another_form_is_no_hash() {
		let hash = BlobHash::of(b"x").to_string();
		for text in [&hash[1..], &format!("{hash}0"), &format!("0x{hash}"), &format!("0x{}", &hash[2..]), ""]
		{
			assert_eq!(text.parse::<BlobHash>(), Err(HashTextError), "{text}");
		}
		assert_eq!(hash.to_uppercase().parse(), Ok(BlobHash::of(b"x")));
	}
}
