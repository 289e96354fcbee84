//! What clients and workers read: view functions and the worker's API.

use crate::{
	chain::{on_development_chain, worker_view, Signer},
	market::{block_with_worker, join, offer, worker_account, PRICE, PROVIDER, REFERENCE},
};
use codec::{Decode, Encode};
use frame_support::view_functions::{ViewFunction, ViewFunctionId};
use millrace_primitives::{AcceleratorKind, Balance, GpuIndex, GpuState};
use millrace_runtime::Runtime;

/// Asks as a node would: by the function's number, with encoded arguments.
fn read<R: Decode>(id: ViewFunctionId, arguments: impl Encode) -> R {
	let answer = Runtime::execute_view_function(id, arguments.encode()).unwrap();
	R::decode(&mut answer.as_slice()).unwrap()
}

#[test]
fn the_best_price_can_be_read_before_ordering() {
	on_development_chain(|chain| {
		let best =
			|| -> Option<Balance> { read(pallet_leases::BestPriceViewFunction::<Runtime>::id(), REFERENCE) };
		chain.open_block();
		assert_eq!(best(), None);
		join(chain, 1);
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
