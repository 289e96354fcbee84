//! What is pending of a provider.

use crate::mock::*;
use millrace_primitives::{LeaseId, SlashId, Slashing as _};

#[test]
fn slashes_are_read_oldest_first() {
	build_and_execute(|| {
		assert_eq!((Slashing::slash(SlashId(0)), Slashing::held(PROVIDER)), (None, 0));
		for lease in 0..20 {
			count(fault_of(PROVIDER, LeaseId(lease), 1));
			count(fault_of(OTHER, LeaseId(lease), 2));
			if lease % 2 == 0 {
				Slashing::end_episode(&PROVIDER, LeaseId(lease));
			}
		}
		let slashes = Slashing::slashes_of(PROVIDER);
		let ids: Vec<_> = slashes.iter().map(|(id, _)| id.0).collect();
		assert_eq!(ids, (0..20).map(|id| 2 * id).collect::<Vec<_>>());
		for (id, record) in slashes {
			assert_eq!((record.provider, Some(&record)), (PROVIDER, Slashing::slash(id).as_ref()));
		}
		assert_eq!((Slashing::held(PROVIDER), Slashing::held(OTHER)), (20 * 200, 20 * 400));
		assert_eq!((Slashing::held(RENTER), Slashing::slashes_of(RENTER)), (0, vec![]));
	});
}
