//! Transaction fees: who pays how much, who gets it, and that none of it is lost.

use crate::chain::{events, on_development_chain, Signer};
use frame_support::traits::{
	fungible::{Balanced, Inspect},
	OnUnbalanced,
};
use millrace_runtime::{
	configs::money::{FeesToTreasuryAndAuthor, TreasuryAccount},
	constants::MILL,
	Balance, Balances, RuntimeEvent,
};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};

fn fee_paid() -> Option<Balance> {
	events().into_iter().find_map(|event| match event {
		RuntimeEvent::TransactionPayment(pallet_transaction_payment::Event::TransactionFeePaid {
			actual_fee,
			..
		}) => Some(actual_fee),
		_ => None,
	})
}

#[test]
fn a_transfer_costs_less_than_a_thousandth_and_feeds_treasury_and_author() {
	on_development_chain(|chain| {
		chain.open_block();
		let accounts = [Alice.account(), TreasuryAccount::get(), Bob.account()];
		let before = accounts.clone().map(|who| Balances::balance(&who));
		let issued = Balances::total_issuance();

		let call = pallet_balances::Call::transfer_keep_alive { dest: Charlie.account().into(), value: MILL };
		chain.submit_ok(&Bob, call);

		let fee = fee_paid().unwrap();
		assert!(fee > MILL / 100_000 && fee < MILL / 1_000, "a transfer costs {fee} plancks");
		let after = accounts.map(|who| Balances::balance(&who));
		assert_eq!(after[1] - before[1], fee * 80 / 100);
		// Alice made the block.
		assert_eq!(after[0] - before[0], fee - fee * 80 / 100);
		assert_eq!(before[2] - after[2], MILL + fee);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn tips_are_the_authors() {
	on_development_chain(|chain| {
		chain.open_block();
		let (author, treasury) = (Alice.account(), TreasuryAccount::get());
		let before = (Balances::balance(&author), Balances::balance(&treasury));
		let fee_then_tip = [Balances::issue(1_000), Balances::issue(77)];
		FeesToTreasuryAndAuthor::on_unbalanceds(fee_then_tip.into_iter());
		assert_eq!(Balances::balance(&author) - before.0, 200 + 77);
		assert_eq!(Balances::balance(&treasury) - before.1, 800);
	});
}

#[test]
fn a_block_without_an_author_feeds_the_treasury_alone() {
	crate::chain::preset_state("development").execute_with(|| {
		let treasury = TreasuryAccount::get();
		let before = Balances::balance(&treasury);
		FeesToTreasuryAndAuthor::on_unbalanceds([Balances::issue(1_000)].into_iter());
		assert_eq!(Balances::balance(&treasury) - before, 1_000);
	});
}
