//! The worker's hot key: sr25519 under its own key type, so that it is never mistaken for a session key.

use sp_application_crypto::{app_crypto, sr25519, KeyTypeId};

/// Keys of this type sign a provider's reports, and nothing else.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"gpuw");

mod app {
	use super::{app_crypto, sr25519, KEY_TYPE};
	app_crypto!(sr25519, KEY_TYPE);
}

/// A worker's public key.
pub type WorkerPublic = app::Public;
/// A worker's signature.
pub type WorkerSignature = app::Signature;
/// A worker's key pair.
#[cfg(feature = "std")]
pub type WorkerPair = app::Pair;
