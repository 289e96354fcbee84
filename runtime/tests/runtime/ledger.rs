//! Rebuilds balances from events alone, as an indexer would: the promise that no flow is without its event.

use frame_support::traits::fungible::Inspect;
use millrace_primitives::EscrowId;
use millrace_runtime::{
	configs::money::{PublicGoodsAccount, TreasuryAccount},
	AccountId, Balance, Balances, RuntimeEvent,
};
use std::collections::BTreeMap;

/// Balances of a few accounts, moved by events.
pub(crate) struct Ledger {
	balances: BTreeMap<AccountId, i128>,
	parties: BTreeMap<EscrowId, (AccountId, AccountId)>,
}

impl Ledger {
	/// Starts from the balances that the accounts have now, holds included.
	pub(crate) fn of(accounts: impl IntoIterator<Item = AccountId>) -> Self {
		let sinks = [TreasuryAccount::get(), PublicGoodsAccount::get()];
		let balances =
			accounts.into_iter().chain(sinks).map(|who| (who.clone(), total(&who) as i128)).collect();
		Self { balances, parties: BTreeMap::new() }
	}

	/// Takes over a block's events.
	pub(crate) fn read(&mut self, events: Vec<RuntimeEvent>) {
		for event in events {
			match event {
				RuntimeEvent::TransactionPayment(pallet_transaction_payment::Event::TransactionFeePaid {
					who,
					actual_fee,
					tip,
				}) => {
					self.add(&who, -(actual_fee as i128));
					self.add(&TreasuryAccount::get(), ((actual_fee - tip) * 80 / 100) as i128);
				}
				RuntimeEvent::Staking(pallet_staking::Event::EraPaid { remainder, .. }) => {
					self.add(&TreasuryAccount::get(), remainder as i128)
				}
				RuntimeEvent::Settlement(event) => self.read_settlement(event),
				_ => {}
			}
		}
	}

	fn read_settlement(&mut self, event: pallet_settlement::Event<millrace_runtime::Runtime>) {
		use pallet_settlement::Event;
		match event {
			Event::EscrowOpened { escrow, payer, payee, .. } => {
				self.parties.insert(escrow, (payer, payee));
			}
			Event::Settled { escrow, paid, fee } => {
				let (payer, payee) = self.parties[&escrow].clone();
				self.add(&payer, -((paid + fee) as i128));
				self.add(&payee, paid as i128);
				// Four fifths to the treasury, rounded down.
				self.add(&TreasuryAccount::get(), (fee * 80 / 100) as i128);
				self.add(&PublicGoodsAccount::get(), (fee - fee * 80 / 100) as i128);
			}
			_ => {}
		}
	}

	fn add(&mut self, who: &AccountId, amount: i128) {
		if let Some(balance) = self.balances.get_mut(who) {
			*balance += amount;
		}
	}

	/// Every account has what the events say.
	#[track_caller]
	pub(crate) fn check(&self) {
		for (who, balance) in &self.balances {
			assert_eq!(total(who) as i128, *balance, "the balance of {who} is not what the events say");
		}
	}
}

fn total(who: &AccountId) -> Balance {
	Balances::total_balance(who)
}
