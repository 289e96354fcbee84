//! Random lives of several escrows: the invariants hold after every step, and every balance can be rebuilt from events alone.

use crate::{
	mock::{
		balance, bonded, build_and_execute, events, held_of, pass, AccountId, Assets, Credits, RuntimeOrigin,
		Settlement, Test, Timestamp, DOLLAR, ENDOWMENT, ISSUER, MATURE, NOBODY, PROVIDER, RENTER, STRANGER,
		TREASURY, VERDICT,
	},
	Escrows, Event, Pallet,
};
use frame_support::traits::fungibles::Inspect;
use millrace_primitives::{Asset, Balance, BlobHash, Escrow, EscrowId, StreamId};
use proptest::prelude::*;
use sp_runtime::Permill;
use std::collections::BTreeMap;

const ASSETS: [Asset; 2] = [Asset::Native, DOLLAR];
const ACCOUNTS: [AccountId; 5] = [RENTER, PROVIDER, STRANGER, TREASURY, NOBODY];

#[derive(Clone, Copy, Debug)]
enum Act {
	Open { payer: AccountId, token: bool, deposit: Balance },
	TopUp(Balance),
	Withdraw(Balance),
	AddStream { payee: AccountId, rate: Balance },
	Accrue { stream: u32, ms: u64 },
	EndStream(u32),
	Settle,
	Accept,
	Contest(u32),
	Resolve { stream: u32, share: u32 },
	Void,
	Close,
	Finish,
	Pass(u64),
	Block(AccountId),
	Thaw(AccountId),
	Halt(bool),
}

#[derive(Clone, Copy, Debug)]
struct Step {
	id: u64,
	act: Act,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let payer = prop_oneof![Just(RENTER), Just(STRANGER)];
	let payee = || prop_oneof![Just(PROVIDER), Just(STRANGER), Just(NOBODY)];
	let amount = || prop_oneof![0..50u128, 0..ENDOWMENT / 4];
	let stream = || 0..4u32;
	let act = prop_oneof![
		2 => (payer, any::<bool>(), amount()).prop_map(|(payer, token, deposit)| Act::Open { payer, token, deposit }),
		1 => amount().prop_map(Act::TopUp),
		1 => amount().prop_map(Act::Withdraw),
		3 => (payee(), prop_oneof![0..5u128, 0..5_000u128]).prop_map(|(payee, rate)| Act::AddStream { payee, rate }),
		8 => (stream(), prop_oneof![0..100u64, 0..100_000_000u64, Just(u64::MAX)])
			.prop_map(|(stream, ms)| Act::Accrue { stream, ms }),
		1 => stream().prop_map(Act::EndStream),
		3 => Just(Act::Settle),
		1 => Just(Act::Accept),
		2 => stream().prop_map(Act::Contest),
		2 => (stream(), prop_oneof![Just(0), Just(100), 0..100u32])
			.prop_map(|(stream, share)| Act::Resolve { stream, share }),
		1 => Just(Act::Void),
		2 => Just(Act::Close),
		2 => Just(Act::Finish),
		4 => prop_oneof![0..1_000u64, 0..MATURE, Just(VERDICT)].prop_map(Act::Pass),
		1 => payee().prop_map(Act::Block),
		1 => payee().prop_map(Act::Thaw),
		1 => any::<bool>().prop_map(Act::Halt),
	];
	proptest::collection::vec((0u64..3, act).prop_map(|(id, act)| Step { id, act }), 1..80)
}

/// Whether the step was accepted. Refusals are part of the game: balances run out and numbers are taken.
fn take(Step { id, act }: Step) -> bool {
	let id = EscrowId(id);
	let payer = || Escrows::<Test>::get(id).map_or(RENTER, |escrow| escrow.payer);
	let signed = RuntimeOrigin::signed;
	match act {
		Act::Open { payer, token, deposit } => {
			Settlement::open(id, &payer, ASSETS[usize::from(token)], deposit).is_ok()
		}
		Act::TopUp(amount) => Settlement::top_up(id, amount).is_ok(),
		Act::Withdraw(amount) => Settlement::withdraw(id, amount).is_ok(),
		Act::AddStream { payee, rate } => Settlement::add_stream(id, &payee, rate).is_ok(),
		Act::Accrue { stream, ms } => {
			let free = Settlement::free(id);
			let accrued = Settlement::accrue(id, StreamId(stream), ms);
			assert!(accrued.is_err() || accrued.is_ok_and(|accrued| Some(accrued.amount) <= free));
			accrued.is_ok()
		}
		Act::EndStream(stream) => Settlement::end_stream(id, StreamId(stream)).is_ok(),
		Act::Settle => Settlement::settle(signed(TREASURY), id).is_ok(),
		Act::Accept => Settlement::accept(signed(payer()), id).is_ok(),
		Act::Contest(stream) => {
			in_a_call(|| Settlement::contest(signed(payer()), id, StreamId(stream), BlobHash::zero()))
		}
		Act::Resolve { stream, share } => in_a_call(|| {
			let share = Permill::from_percent(share);
			Settlement::resolve_contest(RuntimeOrigin::root(), id, StreamId(stream), share)
				.map(|_| ())
				.map_err(|error| error.error)
		}),
		Act::Void => Settlement::void(id).is_ok(),
		Act::Close => {
			let held = Escrows::<Test>::get(id).map(|escrow| escrow.held());
			let closing = Settlement::close(id);
			closing.is_ok_and(|closing| {
				let after = Escrows::<Test>::get(id).map(|escrow| escrow.held());
				assert_eq!(closing.next.is_some(), after.is_some());
				assert!(closing.refunded + closing.pending <= held.unwrap());
				assert!(after.unwrap_or_default() >= closing.pending);
				true
			})
		}
		Act::Finish => Settlement::finish(id).is_ok(),
		Act::Pass(ms) => {
			pass(ms);
			true
		}
		Act::Block(who) => Assets::block(signed(ISSUER), 1, who).is_ok(),
		Act::Thaw(who) => Assets::thaw(signed(ISSUER), 1, who).is_ok(),
		Act::Halt(true) => Assets::freeze_asset(signed(ISSUER), 1).is_ok(),
		Act::Halt(false) => Assets::thaw_asset(signed(ISSUER), 1).is_ok(),
	}
}

/// As a call is made by the chain: all or nothing.
fn in_a_call(call: impl FnOnce() -> sp_runtime::DispatchResult) -> bool {
	frame_support::storage::with_storage_layer(call).is_ok()
}

/// What somebody knows who reads nothing but events.
#[derive(Default)]
struct Observer {
	free: BTreeMap<(AccountId, Asset), i128>,
	held: BTreeMap<(AccountId, Asset), i128>,
	bonds: BTreeMap<AccountId, i128>,
	escrows: BTreeMap<EscrowId, (AccountId, Asset)>,
	payees: BTreeMap<(EscrowId, StreamId), AccountId>,
}

impl Observer {
	/// Funds go from the payer's free balance to its hold, or back if negative.
	fn hold(&mut self, escrow: EscrowId, amount: i128) {
		let key = self.escrows[&escrow];
		*self.free.entry(key).or_default() -= amount;
		*self.held.entry(key).or_default() += amount;
	}

	/// Funds leave a hold.
	fn pay(&mut self, escrow: EscrowId, to: AccountId, amount: Balance) {
		let (payer, asset) = self.escrows[&escrow];
		*self.held.entry((payer, asset)).or_default() -= amount as i128;
		*self.free.entry((to, asset)).or_default() += amount as i128;
	}

	/// A bond leaves the payer's free balance and is held; or leaves the hold, to somebody.
	fn bond(&mut self, escrow: EscrowId, amount: i128, other: AccountId) {
		let (payer, _) = self.escrows[&escrow];
		*self.bonds.entry(payer).or_default() += amount;
		*self.free.entry((other, Asset::Native)).or_default() -= amount;
	}

	fn read(&mut self, event: Event<Test>) {
		match event {
			Event::EscrowOpened { escrow, payer, asset, amount, .. } => {
				self.escrows.insert(escrow, (payer, asset));
				self.hold(escrow, amount as i128);
			}
			Event::ToppedUp { escrow, amount } => self.hold(escrow, amount as i128),
			Event::Refunded { escrow, amount } => self.hold(escrow, -(amount as i128)),
			Event::StreamAdded { escrow, stream, payee, .. } => {
				self.payees.insert((escrow, stream), payee);
			}
			Event::Settled { escrow, stream, payee, paid, fee } => {
				assert_eq!(self.payees[&(escrow, stream)], payee);
				self.pay(escrow, payee, paid);
				self.pay(escrow, TREASURY, fee);
			}
			Event::RemainderCollected { escrow, amount } => self.pay(escrow, TREASURY, amount),
			Event::Contested { escrow, bond, .. } => {
				self.bond(escrow, bond as i128, self.escrows[&escrow].0);
			}
			Event::ContestResolved { escrow, stream, bond, bond_lost, .. } => {
				let winner = if bond_lost { self.payees[&(escrow, stream)] } else { self.escrows[&escrow].0 };
				self.bond(escrow, -(bond as i128), winner);
			}
			Event::ContestLapsed { escrow, bond, .. } | Event::ContestDropped { escrow, bond, .. } => {
				self.bond(escrow, -(bond as i128), self.escrows[&escrow].0);
			}
			Event::EscrowClosed { deposited, paid, fee, refunded, .. } => {
				assert_eq!(paid + fee + refunded, deposited);
			}
			Event::StreamEnded { .. }
			| Event::Accrued { .. }
			| Event::PaymentDeferred { .. }
			| Event::PaymentReturned { .. }
			| Event::RefundDeferred { .. }
			| Event::Voided { .. }
			| Event::EscrowClosing { .. }
			| Event::AssetAllowed { .. }
			| Event::AssetDisallowed { .. } => {}
			Event::__Ignore(..) => unreachable!(),
		}
	}

	fn check(&self) {
		for asset in ASSETS {
			for who in ACCOUNTS {
				let start = if who == NOBODY { 0 } else { ENDOWMENT as i128 };
				let change = self.free.get(&(who, asset)).copied().unwrap_or_default();
				assert_eq!(balance(asset, who) as i128, start + change, "{who} in {asset:?}");
				let held = self.held.get(&(who, asset)).copied().unwrap_or_default();
				assert_eq!(held_of(asset, who) as i128, held);
			}
		}
		for who in ACCOUNTS {
			assert_eq!(bonded(who) as i128, self.bonds.get(&who).copied().unwrap_or_default());
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(400))]

	#[test]
	fn money_is_where_the_events_say(steps in steps()) {
		build_and_execute(|| {
			let issuance = || ASSETS.map(Credits::total_issuance);
			let before = issuance();
			let mut observer = Observer::default();
			for step in steps {
				let accepted = take(step);
				let events = events();
				assert!(accepted || events.is_empty(), "a refused step left events");
				events.into_iter().for_each(|event| observer.read(event));
				observer.check();
				Pallet::<Test>::do_try_state().unwrap();
				assert_eq!(issuance(), before);
			}
		});
	}

	#[test]
	fn every_closed_escrow_ends_by_itself(steps in steps()) {
		build_and_execute(|| {
			for step in steps {
				take(step);
			}
			let _ = Assets::thaw_asset(RuntimeOrigin::signed(ISSUER), 1);
			for who in [PROVIDER, STRANGER, NOBODY] {
				// Nobody is blocked for ever, nor is the token.
				let _ = Assets::thaw(RuntimeOrigin::signed(ISSUER), 1, who);
			}
			for id in Escrows::<Test>::iter_keys().collect::<Vec<_>>() {
				let _ = Settlement::close(id);
				let mut visits = 0;
				while let Some(next) = Settlement::finish(id).unwrap() {
					let now = Timestamp::get();
					assert!(next > now);
					pass(next - now);
					visits += 1;
					assert!(visits < 20, "an escrow that does not end");
				}
			}
			for asset in ASSETS {
				assert!(ACCOUNTS.iter().all(|who| held_of(asset, *who) == 0));
			}
		});
	}
}
