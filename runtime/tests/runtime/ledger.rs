//! Rebuilds balances from events alone, as an indexer would: the promise that no flow is without its event.

use frame_support::traits::fungible::Inspect;
use millrace_primitives::{Asset, EscrowId, SlashId, StreamId};
use millrace_runtime::{
	configs::money::{InsuranceAccount, PublicGoodsAccount, TreasuryAccount},
	AccountId, Balance, Balances, RuntimeEvent,
};
use std::collections::BTreeMap;

/// Balances of a few accounts in the native token, moved by events.
pub(crate) struct Ledger {
	balances: BTreeMap<AccountId, i128>,
	/// Payers of the escrows in the native token.
	payers: BTreeMap<EscrowId, AccountId>,
	payees: BTreeMap<(EscrowId, StreamId), AccountId>,
	/// Who appealed against each slash.
	appellants: BTreeMap<SlashId, AccountId>,
}

impl Ledger {
	/// Starts from the balances that the accounts have now, holds included.
	pub(crate) fn of(accounts: impl IntoIterator<Item = AccountId>) -> Self {
		let sinks = [TreasuryAccount::get(), PublicGoodsAccount::get(), InsuranceAccount::get()];
		let balances =
			accounts.into_iter().chain(sinks).map(|who| (who.clone(), total(&who) as i128)).collect();
		Self { balances, payers: BTreeMap::new(), payees: BTreeMap::new(), appellants: BTreeMap::new() }
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
				RuntimeEvent::Providers(pallet_providers::Event::LeavingPenaltyPaid {
					provider,
					renter,
					amount,
				}) => {
					self.move_from(&provider, &renter, amount);
				}
				RuntimeEvent::Slashing(event) => self.read_slashing(event),
				RuntimeEvent::Settlement(event) => self.read_settlement(event),
				_ => {}
			}
		}
	}

	fn read_settlement(&mut self, event: pallet_settlement::Event<millrace_runtime::Runtime>) {
		use pallet_settlement::Event;
		match event {
			Event::EscrowOpened { escrow, payer, asset: Asset::Native, .. } => {
				self.payers.insert(escrow, payer);
			}
			Event::StreamAdded { escrow, stream, payee, .. } => {
				self.payees.insert((escrow, stream), payee);
			}
			Event::Settled { escrow, payee, paid, fee, .. } => {
				if let Some(payer) = self.payers.get(&escrow).cloned() {
					self.move_from(&payer, &payee, paid);
					self.collect(&payer, fee);
				}
			}
			Event::RemainderCollected { escrow, amount } => {
				if let Some(payer) = self.payers.get(&escrow).cloned() {
					self.collect(&payer, amount);
				}
			}
			Event::ContestResolved { escrow, stream, bond, bond_lost: true, .. } => {
				let payer = self.payers[&escrow].clone();
				let payee = self.payees[&(escrow, stream)].clone();
				self.move_from(&payer, &payee, bond);
			}
			_ => {}
		}
	}

	fn read_slashing(&mut self, event: pallet_slashing::Event<millrace_runtime::Runtime>) {
		use pallet_slashing::Event;
		match event {
			Event::SlashExecuted { provider, renter, to_renter, to_insurance, to_treasury, .. } => {
				if let Some(renter) = renter {
					self.move_from(&provider, &renter, to_renter);
				}
				self.move_from(&provider, &InsuranceAccount::get(), to_insurance);
				self.move_from(&provider, &TreasuryAccount::get(), to_treasury);
			}
			Event::Appealed { slash, provider, .. } => {
				self.appellants.insert(slash, provider);
			}
			Event::Resolved { slash, bond, bond_lost: true, .. } => {
				let provider = self.appellants[&slash].clone();
				self.move_from(&provider, &InsuranceAccount::get(), bond);
			}
			_ => {}
		}
	}

	/// A fee: four fifths to the treasury, rounded down.
	fn collect(&mut self, payer: &AccountId, fee: Balance) {
		let to_treasury = fee * 80 / 100;
		self.move_from(payer, &TreasuryAccount::get(), to_treasury);
		self.move_from(payer, &PublicGoodsAccount::get(), fee - to_treasury);
	}

	fn move_from(&mut self, from: &AccountId, to: &AccountId, amount: Balance) {
		self.add(from, -(amount as i128));
		self.add(to, amount as i128);
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
