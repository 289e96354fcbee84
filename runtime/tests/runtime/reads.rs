//! What clients and workers read: view functions and the worker's API.

use crate::{
	chain::{on_development_chain, worker_view, Signer},
	market::{
		block_with_worker, contest_window, join, offer, place, terms, worker_account, PRICE, PROVIDER,
		REFERENCE, RENTER,
	},
};
use codec::{Decode, Encode};
use frame_support::view_functions::{ViewFunction, ViewFunctionId};
use millrace_primitives::{
	leases_api::{runtime_decl_for_leases_api::LeasesApi, Quote, Refusal},
	AcceleratorKind, Asset, Balance, EscrowId, Failover, GpuIndex, GpuState, LeaseId, Matching, OrderId,
	OrderTerms,
};
use millrace_runtime::{AccountId, Block, Runtime};
use sp_runtime::Permill;

/// Asks as a node would: by the function's number, with encoded arguments.
fn read<R: Decode>(id: ViewFunctionId, arguments: impl Encode) -> R {
	let answer = Runtime::execute_view_function(id, arguments.encode()).unwrap();
	R::decode(&mut answer.as_slice()).unwrap()
}

#[test]
fn the_best_price_can_be_read_before_ordering() {
	on_development_chain(|chain| {
		let market = (REFERENCE, Asset::Native);
		let best =
			|| -> Option<Balance> { read(pallet_leases::BestPriceViewFunction::<Runtime>::id(), market) };
		chain.open_block();
		assert_eq!(best(), None);
		join(chain, 1);
		while !block_with_worker(chain) {}
		offer(chain, 1);
		assert_eq!(best(), Some(PRICE));
	});
}

#[test]
fn an_unknown_view_function_is_refused() {
	on_development_chain(|_| {
		let unknown = ViewFunctionId { prefix: [7; 16], suffix: [7; 16] };
		assert!(Runtime::execute_view_function(unknown, Vec::new()).is_err());
	});
}

#[test]
fn a_worker_sees_its_provider_and_nobody_else_sees_anything() {
	on_development_chain(|chain| {
		chain.open_block();
		assert_eq!(worker_view(&worker_account()), None);
		join(chain, 2);
		let view = worker_view(&worker_account()).unwrap();
		assert_eq!(view.provider, PROVIDER.account());
		assert!(view.report_due && view.leases.is_empty());
		let seen: Vec<_> = view.gpus.iter().map(|gpu| (gpu.gpu, gpu.class, gpu.kind, gpu.state)).collect();
		let expected = |index| (GpuIndex(index), REFERENCE, AcceleratorKind::Reference, GpuState::Healthy);
		assert_eq!(seen, [expected(0), expected(1)]);
		assert_eq!(worker_view(&PROVIDER.account()), None);
	});
}

#[test]
fn the_view_says_when_the_epoch_ends() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		for _ in 0..25 {
			let before = worker_view(&worker_account()).unwrap();
			assert!(before.epoch_ends > chain.number() && before.epoch_ends <= chain.number() + 5);
			block_with_worker(chain);
			let after = worker_view(&worker_account()).unwrap();
			let ended = chain.number() >= before.epoch_ends;
			assert_eq!(after.epoch, before.epoch + u32::from(ended));
		}
	});
}

/// What the market's runtime API answers.
type Api = Runtime;

fn quote(order: OrderTerms) -> Quote<AccountId> {
	<Api as LeasesApi<Block, AccountId>>::quote(RENTER.account(), order)
}

fn no_match(refusal: Refusal) -> Quote<AccountId> {
	Quote::NoMatch { nodes_found: 0, closest: refusal, asks: vec![(millrace_primitives::AskId(0), refusal)] }
}

#[test]
fn a_quote_says_what_an_order_then_gets_or_why_nothing() {
	on_development_chain(|chain| {
		chain.open_block();
		let nobody = Quote::NoMatch { nodes_found: 0, closest: Refusal::NoAsks, asks: vec![] };
		assert_eq!(quote(terms(1, 60_000)), nobody);
		join(chain, 2);
		while !block_with_worker(chain) {}
		offer(chain, 2);
		assert_eq!(quote(OrderTerms { max_price: PRICE - 1, ..terms(1, 60_000) }), no_match(Refusal::Price));
		assert_eq!(quote(terms(3, 60_000)), no_match(Refusal::Gpus));
		assert_eq!(
			quote(OrderTerms { nodes: 0, ..terms(1, 60_000) }),
			Quote::Invalid { error: "ZeroNodes".into() }
		);
		// A year, and the same again for replacements.
		let failover = Failover::Replace { premium: Permill::one() };
		let too_dear = OrderTerms { failover, ..terms(2, 365 * 24 * 3_600_000) };
		assert_eq!(quote(too_dear), Quote::Invalid { error: "InsufficientFunds".into() });

		let Quote::Match { nodes, rate, deposit } = quote(terms(2, 60_000)) else { panic!("no match") };
		assert_eq!((nodes.len(), rate, deposit), (1, 2 * PRICE, 120 * PRICE));
		let depth = Api::depth(REFERENCE, Asset::Native);
		assert_eq!(
			depth.levels.iter().map(|level| (level.price, level.gpus)).collect::<Vec<_>>(),
			[(PRICE, 2)]
		);
		place(chain, terms(2, 60_000));
		let lease = <Api as LeasesApi<Block, AccountId>>::lease(LeaseId(0)).unwrap();
		assert_eq!((lease.rate, lease.money.deposited, lease.money.free), (rate, deposit, deposit));
		assert_eq!(lease.nodes[0].provider, nodes[0].provider);
		assert!(Api::depth(REFERENCE, Asset::Native).levels.is_empty());
	});
}

#[test]
fn waiting_orders_and_auctions_can_be_read() {
	on_development_chain(|chain| {
		chain.open_block();
		place(chain, OrderTerms { rests_ms: 60_000, ..terms(1, 60_000) });
		place(chain, OrderTerms { matching: Matching::Auction { blocks: 5 }, ..terms(1, 60_000) });
		let order = |id| <Api as LeasesApi<Block, AccountId>>::order(OrderId(id));
		assert_eq!(order(0).unwrap().expires_at, chain.now() + 60_000);
		let auctions = <Api as LeasesApi<Block, AccountId>>::auctions(REFERENCE);
		assert_eq!(auctions.iter().map(|auction| auction.order).collect::<Vec<_>>(), [OrderId(1)]);
		assert_eq!((auctions[0].ends_at_block, auctions[0].bids.len()), (chain.number() + 5, 0));
		let money = <Api as LeasesApi<Block, AccountId>>::escrow(EscrowId(0)).unwrap();
		assert_eq!((money.payer, money.free), (RENTER.account(), PRICE * 60));
		assert_eq!(order(2), None);
	});
}

#[test]
fn what_can_be_claimed_is_what_settling_then_pays() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		while !block_with_worker(chain) {}
		offer(chain, 1);
		place(chain, terms(1, 3_600_000));
		let claims = || <Api as LeasesApi<Block, AccountId>>::claimable(PROVIDER.account());
		let mut matured = None;
		for _ in 0..50 {
			block_with_worker(chain);
			matured = claims().into_iter().find(|claim| claim.claimable > 0);
			if matured.is_some() {
				break;
			}
		}
		let claim = matured.unwrap_or_else(|| panic!("nothing matured in {} ms", contest_window()));
		let escrow = claim.escrow;
		chain.submit_ok(&RENTER, pallet_settlement::Call::settle { escrow });
		let paid: Balance = crate::chain::events()
			.into_iter()
			.filter_map(|event| match event {
				millrace_runtime::RuntimeEvent::Settlement(pallet_settlement::Event::Settled {
					paid,
					..
				}) => Some(paid),
				_ => None,
			})
			.sum();
		assert_eq!(paid, claim.claimable);
		assert!(claims().iter().all(|claim| claim.claimable == 0 && claim.maturing > 0));
	});
}
