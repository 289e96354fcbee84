//! Random lives of several escrows: the invariants hold after every step, and every balance can be rebuilt from events alone.

use crate::{
	mock::{
		build_and_execute, events, held, AccountId, Balances, RuntimeOrigin, Settlement, Test, ENDOWMENT,
		PROVIDER, RENTER, STRANGER, TREASURY,
	},
	Event, Pallet,
};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{Balance, Escrow, EscrowId};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Step {
	Open { id: u64, swapped: bool, rate: Balance, deposit: Balance },
	TopUp { id: u64, amount: Balance },
	Accrue { id: u64, ms: u64 },
	Settle { id: u64 },
	Close { id: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let id = 0u64..3;
	let step = prop_oneof![
		1 => (id.clone(), any::<bool>(), 0..5_000u128, 0..ENDOWMENT / 2)
			.prop_map(|(id, swapped, rate, deposit)| Step::Open { id, swapped, rate, deposit }),
		1 => (id.clone(), 0..ENDOWMENT / 4).prop_map(|(id, amount)| Step::TopUp { id, amount }),
		4 => (id.clone(), prop_oneof![0..100u64, 0..100_000_000u64, Just(u64::MAX)])
			.prop_map(|(id, ms)| Step::Accrue { id, ms }),
		3 => id.clone().prop_map(|id| Step::Settle { id }),
		1 => id.prop_map(|id| Step::Close { id }),
	];
	proptest::collection::vec(step, 1..60)
}

/// Whether the step was accepted. Refusals are part of the game: balances run out and numbers are taken.
fn take(step: Step) -> bool {
	match step {
		Step::Open { id, swapped, rate, deposit } => {
			let (payer, payee) = if swapped { (PROVIDER, RENTER) } else { (RENTER, PROVIDER) };
			Settlement::open(EscrowId(id), &payer, &payee, rate, deposit).is_ok()
		}
		Step::TopUp { id, amount } => Settlement::top_up(EscrowId(id), amount).is_ok(),
		Step::Accrue { id, ms } => Settlement::accrue(EscrowId(id), ms).is_ok(),
		Step::Settle { id } => Settlement::settle(RuntimeOrigin::signed(STRANGER), EscrowId(id)).is_ok(),
		Step::Close { id } => match Settlement::close(EscrowId(id)) {
			Ok(receipt) => {
				assert_eq!(receipt.paid + receipt.fee + receipt.refunded, receipt.deposited);
				true
			}
			Err(_) => false,
		},
	}
}

/// What somebody knows who reads nothing but events.
#[derive(Default)]
struct Observer {
	free: BTreeMap<AccountId, i128>,
	held: BTreeMap<AccountId, i128>,
	parties: BTreeMap<EscrowId, (AccountId, AccountId)>,
}

impl Observer {
	fn hold(&mut self, who: AccountId, amount: Balance) {
		*self.free.entry(who).or_default() -= amount as i128;
		*self.held.entry(who).or_default() += amount as i128;
	}

	fn read(&mut self, event: Event<Test>) {
		match event {
			Event::EscrowOpened { escrow, payer, payee, amount, .. } => {
				self.parties.insert(escrow, (payer, payee));
				self.hold(payer, amount);
			}
			Event::ToppedUp { escrow, amount } => self.hold(self.parties[&escrow].0, amount),
			Event::Settled { escrow, paid, fee } => {
				let (payer, payee) = self.parties[&escrow];
				*self.held.entry(payer).or_default() -= (paid + fee) as i128;
				*self.free.entry(payee).or_default() += paid as i128;
				*self.free.entry(TREASURY).or_default() += fee as i128;
			}
			Event::EscrowClosed { payer, refunded, .. } => {
				*self.held.entry(payer).or_default() -= refunded as i128;
				*self.free.entry(payer).or_default() += refunded as i128;
			}
			Event::Accrued { .. } => {}
			// Nobody here is without the existential deposit.
			unexpected => panic!("{unexpected:?}"),
		}
	}

	fn check(&self) {
		for who in [RENTER, PROVIDER, STRANGER, TREASURY] {
			let change = self.free.get(&who).copied().unwrap_or_default();
			assert_eq!(Balances::balance(&who) as i128, ENDOWMENT as i128 + change);
			assert_eq!(held(who) as i128, self.held.get(&who).copied().unwrap_or_default());
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn money_is_where_the_events_say(steps in steps()) {
		build_and_execute(|| {
			let mut observer = Observer::default();
			for step in steps {
				let accepted = take(step);
				let events = events();
				assert!(accepted || events.is_empty(), "a refused step left events");
				events.into_iter().for_each(|event| observer.read(event));
				observer.check();
				Pallet::<Test>::do_try_state().unwrap();
			}
		});
	}
}
