//! Tests, one file per subject.

mod bonding;
mod classes;
mod gpus;
mod groups;
mod lease_bonds;
mod maintenance;
mod penalties;
mod random_lives;
mod registration;
mod reports;
mod reputation;
mod reservation;
mod slashes;
mod try_state;
mod uptime;
mod worker_key;

use crate::{
	mock::{AccountId, Registry, RuntimeOrigin},
	Endpoint,
};
use frame_support::assert_ok;
use millrace_primitives::{Balance, ClassId, Hash};

fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn endpoint(address: &str) -> Endpoint {
	address.as_bytes().to_vec().try_into().unwrap()
}

/// Registers a provider.
fn register(who: AccountId) {
	assert_ok!(Registry::register(signed(who), endpoint("wss://gpu.example"), *b"IS", 64_512));
}

/// Registers a provider and bonds.
fn register_with(who: AccountId, bond: Balance) {
	register(who);
	assert_ok!(Registry::bond(signed(who), bond));
}

/// The salted hash of a UUID.
fn uuid(byte: u8) -> Hash {
	Hash::repeat_byte(byte)
}

/// Registers a GPU of the class for each of the UUIDs.
fn add_gpus(who: AccountId, class: ClassId, uuids: impl IntoIterator<Item = u8>) {
	for byte in uuids {
		assert_ok!(Registry::add_gpu(signed(who), class, uuid(byte)));
	}
}
