//! Fee-free reports: a worker that owns nothing can report, once per epoch, and nobody else can use the door.

use crate::{
	chain::{events, on_development_chain, worker_view, Signer},
	market::{
		block_with_worker, honest_report, join, offer, order, report, worker, worker_account, PROVIDER,
	},
};
use frame_support::{assert_ok, traits::fungible::Inspect};
use millrace_primitives::{GpuIndex, JobFailure, JobId, JobOutcome, LeaseId};
use millrace_runtime::{Balances, Runtime, RuntimeEvent};
use sp_core::{sr25519, Pair};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

const NO_MONEY: TransactionValidityError = TransactionValidityError::Invalid(InvalidTransaction::Payment);

#[test]
fn a_worker_without_funds_reports_once_per_epoch_for_free() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		chain.open_block();
		assert_eq!(Balances::total_balance(&worker_account()), 0);

		let first = honest_report(chain);
		assert_ok!(chain.validate(&worker(), pallet_attestation::Call::report { report: first.clone() }));
		chain.submit_ok(&worker(), pallet_attestation::Call::report { report: first.clone() });
		assert!(events().iter().any(|event| matches!(event, RuntimeEvent::SkipFeelessPayment(_))));
		assert!(!worker_view(&worker_account()).unwrap().report_due);

		// The same epoch again: no longer free, and there is nothing to pay with.
		let again = pallet_attestation::Call::report { report: first };
		assert_eq!(chain.validate(&worker(), again.clone()).map(drop), Err(NO_MONEY));
		assert_eq!(chain.submit(&worker(), again).map(drop), Err(NO_MONEY));
		assert_eq!(Balances::total_balance(&worker_account()), 0);
	});
}

#[test]
fn an_unknown_key_is_refused_before_it_costs_the_chain_anything() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		chain.open_block();
		let stranger = sr25519::Pair::from_string("//nobody's worker", None).unwrap();
		let call = pallet_attestation::Call::report { report: honest_report(chain) };
		// An account that nothing refers to has no nonce to check, so it cannot pay either.
		assert_eq!(chain.validate(&stranger, call.clone()).map(drop), Err(NO_MONEY));
		assert_eq!(chain.submit(&stranger, call).map(drop), Err(NO_MONEY));
	});
}

#[test]
fn a_report_that_would_fail_is_not_free() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		chain.open_block();
		let epoch = worker_view(&worker_account()).unwrap().epoch;
		let bad = [
			report(chain, epoch + 1, [GpuIndex(0)], []),
			report(chain, epoch, [GpuIndex(7)], []),
			report(chain, epoch, [GpuIndex(0), GpuIndex(0)], []),
			report(chain, epoch, [GpuIndex(0)], [LeaseId(3)]),
		];
		for report in bad {
			let call = pallet_attestation::Call::report { report };
			assert_eq!(chain.submit(&worker(), call.clone()).map(drop), Err(NO_MONEY), "{call:?}");
		}
		// A provider with funds pays for its own mistake: the call fails, the fee is taken.
		let call = pallet_attestation::Call::report { report: honest_report(chain) };
		let before = Balances::total_balance(&PROVIDER.account());
		assert!(matches!(chain.submit(&PROVIDER, call), Ok(Err(_))));
		assert!(Balances::total_balance(&PROVIDER.account()) < before);
	});
}

#[test]
fn a_worker_key_can_do_nothing_but_report() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		chain.open_block();
		let transfer =
			pallet_balances::Call::transfer_all { dest: PROVIDER.account().into(), keep_alive: false };
		assert_eq!(chain.submit(&worker(), transfer).map(drop), Err(NO_MONEY));
		let unbond = pallet_providers::Call::unbond { amount: 1 };
		assert_eq!(chain.submit(&worker(), unbond).map(drop), Err(NO_MONEY));
	});
}

#[test]
fn a_job_result_is_free_once() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		while !block_with_worker(chain) {}
		chain.open_block();
		offer(chain, 1);
		order(chain, 1, 60_000);
		while !block_with_worker(chain) {}
		let outcome = JobOutcome::Failed(JobFailure::PlanInvalid);
		let call = pallet_attestation::Call::report_job { lease: LeaseId(0), job: JobId(0), outcome };
		chain.submit_ok(&worker(), call.clone());
		assert_eq!(chain.submit(&worker(), call).map(drop), Err(NO_MONEY));
		let unknown = pallet_attestation::Call::report_job { lease: LeaseId(0), job: JobId(9), outcome };
		assert_eq!(chain.submit(&worker(), unknown).map(drop), Err(NO_MONEY));
	});
}

#[test]
fn a_replaced_worker_is_locked_out_and_its_account_is_forgotten() {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 1);
		let successor = sr25519::Pair::from_string("//successor", None).unwrap();
		chain.submit_ok(&PROVIDER, pallet_providers::Call::set_worker { worker: successor.account() });
		chain.open_block();
		let view = worker_view(&successor.account()).unwrap();
		let call = pallet_attestation::Call::report { report: report(chain, view.epoch, [GpuIndex(0)], []) };
		assert_eq!(chain.submit(&worker(), call.clone()).map(drop), Err(NO_MONEY));
		assert!(!frame_system::Account::<Runtime>::contains_key(worker_account()));
		chain.submit_ok(&successor, call);
	});
}
