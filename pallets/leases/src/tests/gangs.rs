//! Orders of several nodes, and what their providers must satisfy together.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	selection::Request,
};
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use millrace_primitives::{
	leases_api::Refusal, Constraints, FirstJob, JobId, LeaseId, NodeIndex, OrderId, OrderTerms,
	ProviderInspect,
};

type E = Error<Test>;

/// One ask of eight GPUs each, the first provider the cheapest.
fn post_all() {
	for (provider, price) in [(PROVIDER, 80), (OTHER_PROVIDER, 90), (THIRD_PROVIDER, 100)] {
		post(provider, 8, price);
	}
}

#[test]
fn a_gang_gets_one_node_from_each_of_the_cheapest_providers() {
	ExtBuilder.build_and_execute(|| {
		post_all();
		let jobs = (0..3).map(|node| FirstJob { node: NodeIndex(node), plan: Default::default() });
		let jobs = jobs.collect::<Vec<_>>().try_into().unwrap();
		let order = place(RENTER, OrderTerms { jobs, ..gang(3, 2) });
		assert_eq!(providers(order), [PROVIDER, OTHER_PROVIDER, THIRD_PROVIDER]);
		// Each node has its own price, and one escrow holds the money of all.
		assert_eq!(held_of(order), (80 + 90 + 100) * 2 * 600);
		let opened = Event::LeaseOpened {
			lease: order.into(),
			renter: RENTER,
			nodes: 3,
			rate: 540,
			deposit: 324_000,
			funded_ms: 10 * MINUTE,
		};
		assert!(events().contains(&opened));
		let streams: Vec<_> = record(order.into()).nodes.iter().map(|node| node.stream.0).collect();
		assert_eq!(streams, [0, 1, 2]);
		let nodes: Vec<_> = Leases::jobs(order.into()).into_iter().map(|(id, job)| (id, job.node)).collect();
		assert_eq!(nodes, [0, 1, 2].map(|n| (JobId(n), NodeIndex(n as u8))));
	});
}

#[test]
fn a_gang_gets_all_of_its_nodes_or_none() {
	ExtBuilder.build_and_execute(|| {
		post_all();
		// Four nodes, or three with more GPUs than two of the providers have free.
		assert_noop!(attempt(RENTER, gang(4, 1)), E::NotEnoughNodes);
		order(OTHER_RENTER, terms(8));
		assert_noop!(attempt(RENTER, gang(3, 1)), E::NotEnoughNodes);
		assert_ok!(attempt(RENTER, gang(2, 8)));
	});
}

#[test]
fn a_gang_that_cannot_be_opened_leaves_nothing_behind() {
	ExtBuilder.build_and_execute(|| {
		post_all();
		// The last of its providers has a list of leases that is in the way.
		ProviderLeases::<Test>::mutate(THIRD_PROVIDER, |leases| leases.try_push(LeaseId(0)).unwrap());
		assert_noop!(attempt(RENTER, gang(3, 2)), E::NotEnoughNodes);
		ProviderLeases::<Test>::remove(THIRD_PROVIDER);
		assert_ok!(attempt(RENTER, gang(3, 2)));
	});
}

#[test]
fn several_asks_of_one_provider_serve_one_node() {
	ExtBuilder.build_and_execute(|| {
		for _ in 0..3 {
			post(PROVIDER, 2, 50);
		}
		assert_noop!(attempt(RENTER, gang(2, 1)), E::NotEnoughNodes);
		post(OTHER_PROVIDER, 2, 100);
		assert_eq!(providers(place(RENTER, gang(2, 1))), [PROVIDER, OTHER_PROVIDER]);
	});
}

#[test]
fn limits_hold_over_all_nodes_together() {
	ExtBuilder.build_and_execute(|| {
		post_all();
		let limited = |nodes, constraints| OrderTerms { constraints, ..gang(nodes, 1) };
		let per_owner = |limit| Constraints { max_nodes_per_owner: Some(limit), ..Default::default() };
		let per_country = |limit| Constraints { max_nodes_per_country: Some(limit), ..Default::default() };
		let per_network = |limit| Constraints { max_nodes_per_network: Some(limit), ..Default::default() };
		// GIVEN two of one group, in two countries and two networks
		for provider in [PROVIDER, OTHER_PROVIDER] {
			declare(provider, |declared| declared.owner = 70);
		}
		declare(OTHER_PROVIDER, |declared| declared.country = *b"FR");
		declare(THIRD_PROVIDER, |declared| declared.network = 7);
		// THEN the second of the group gives way to the dearer one
		let order = place(RENTER, limited(2, per_owner(1)));
		assert_eq!(providers(order), [PROVIDER, THIRD_PROVIDER]);
		assert_noop!(attempt(RENTER, limited(3, per_owner(1))), E::LimitsTooTight);
		assert_ok!(attempt(RENTER, limited(3, per_owner(2))));
		// The first and the third are in one country.
		let order = place(RENTER, limited(2, per_country(1)));
		assert_eq!(providers(order), [PROVIDER, OTHER_PROVIDER]);
		assert_noop!(attempt(RENTER, limited(3, per_country(1))), E::LimitsTooTight);
		assert_ok!(attempt(RENTER, limited(3, per_country(2))));
		// The first and the second declare no network, which counts as one.
		let order = place(RENTER, limited(2, per_network(1)));
		assert_eq!(providers(order), [PROVIDER, THIRD_PROVIDER]);
		assert_noop!(attempt(RENTER, limited(3, per_network(1))), E::LimitsTooTight);
		assert_ok!(attempt(RENTER, limited(3, per_network(2))));
	});
}

#[test]
fn a_replacement_counts_those_that_serve_and_passes_over_those_that_failed() {
	ExtBuilder.build_and_execute(|| {
		post_all();
		let constraints = Constraints { max_nodes_per_country: Some(2), ..Default::default() };
		let terms = OrderTerms { constraints, ..gang(1, 1) };
		let select = |serving: &[AccountId], excluded: &[AccountId]| {
			let request = Request { serving, excluded, ..Leases::request(&RENTER, &terms) };
			Leases::select(&request, &[], Now::get()).map(|found| found.picks[0].provider)
		};
		assert_eq!(select(&[], &[]), Ok(PROVIDER));
		assert_eq!(select(&[PROVIDER], &[]), Ok(OTHER_PROVIDER));
		assert_eq!(select(&[PROVIDER], &[OTHER_PROVIDER]), Ok(THIRD_PROVIDER));
		// Two serve in this country already.
		let no_match = select(&[PROVIDER, OTHER_PROVIDER], &[]).unwrap_err();
		assert_eq!((no_match.found, no_match.closest), (0, Refusal::CountryLimit));
		assert!(matches!(no_match.error::<Test>(), E::LimitsTooTight));
		// All of them failed the lease before.
		let all = [PROVIDER, OTHER_PROVIDER, THIRD_PROVIDER];
		let no_match = select(&[], &all).unwrap_err();
		assert_eq!(no_match.closest, Refusal::Excluded);
		assert!(matches!(no_match.error::<Test>(), E::NotEnoughNodes));
		let refusals: Vec<_> = no_match.refusals.iter().map(|(ask, refusal)| (ask.0, *refusal)).collect();
		assert_eq!(refusals, [0, 1, 2].map(|ask| (ask, Refusal::Excluded)));
	});
}

#[test]
fn a_node_is_given_back_as_it_was_taken() {
	ExtBuilder.build_and_execute(|| {
		post_all();
		let book = Leases::book(MARKET);
		let order = place(RENTER, gang(3, 8));
		assert!(Leases::book(MARKET).is_empty());
		let nodes = record(order.into()).nodes;
		assert_storage_noop!({
			frame_support::storage::with_storage_layer(|| {
				for node in &nodes {
					Leases::unassign(order.into(), node);
					assert_eq!(Registry::free_gpus(&node.provider, CLASS), 8);
					assert!(!ProviderLeases::<Test>::contains_key(node.provider));
				}
				assert_eq!(Leases::book(MARKET), book);
				Err::<(), _>(sp_runtime::DispatchError::Other("back again"))
			})
			.unwrap_err();
		});
		assert_eq!(order, OrderId(0));
	});
}
