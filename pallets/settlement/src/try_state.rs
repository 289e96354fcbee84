//! Invariants.

use crate::{
	types::total, Config, Contests, EscrowRecord, Escrows, HoldReason, Pallet, PayeeEscrows, Stream,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungibles::hold::Inspect as _};
use millrace_math::{accrued, split_fee};
use millrace_primitives::{Asset, Balance, EscrowId, StreamId};
use sp_runtime::TryRuntimeError;

type Invariant = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. The hold of each payer in each asset is the sum of `deposited - refunded - paid - fee` over its escrows.
	/// 2. The bonds held of each payer are those of its contests.
	/// 3. No more is owed than is held: nobody pays more than was locked.
	/// 4. A stream has earned what its attested time is worth; what it has settled, forfeited, contested and maturing is part of
	///    that. The payments and the fees of its running totals are part of the escrow's.
	/// 5. What matures is in order of time, and no part of it is nothing.
	/// 6. Streams are numbered in order. None is kept that has ended and is owed nothing.
	/// 7. All streams of a closed escrow have ended, and something of it is held.
	/// 8. Every contest is that of a stream, and a stream's contested amount is that of its contest.
	/// 9. The index of payees equals a recount.
	/// 10. Payer and payee differ.
	pub fn do_try_state() -> Invariant {
		let mut holds = BTreeMap::<(T::AccountId, Asset), Balance>::new();
		let mut bonds = BTreeMap::<T::AccountId, Balance>::new();
		let mut payees = BTreeMap::<(T::AccountId, EscrowId), u32>::new();
		let mut contests = BTreeMap::<(EscrowId, StreamId), Balance>::new();
		for (id, _, contest) in Contests::<T>::iter() {
			let payer = Escrows::<T>::get(id).ok_or("8: contest without an escrow")?.payer;
			add(bonds.entry(payer).or_default(), contest.bond)?;
		}
		for (id, escrow) in Escrows::<T>::iter() {
			Self::try_state_escrow(&escrow)?;
			add(holds.entry((escrow.payer.clone(), escrow.asset)).or_default(), escrow.held())?;
			for stream in &escrow.streams {
				let count = payees.entry((stream.payee.clone(), id)).or_default();
				*count = count.checked_add(1).ok_or("9: too many streams")?;
				if stream.contested > 0 {
					contests.insert((id, stream.id), stream.contested);
				}
			}
		}
		for ((payer, asset), sum) in holds {
			let held = T::Currency::balance_on_hold(asset, &HoldReason::Escrow.into(), &payer);
			ensure!(held == sum, "1: hold differs from ledger");
		}
		for (payer, sum) in bonds {
			let held = T::Currency::balance_on_hold(Asset::Native, &HoldReason::ContestBond.into(), &payer);
			ensure!(held == sum, "2: bonds differ from contests");
		}
		let open = Contests::<T>::iter().map(|(id, stream, contest)| ((id, stream), contest.amount));
		ensure!(open.collect::<BTreeMap<_, _>>() == contests, "8: contests differ from streams");
		let index = PayeeEscrows::<T>::iter().map(|(payee, id, count)| ((payee, id), count));
		ensure!(index.collect::<BTreeMap<_, _>>() == payees, "9: index differs from recount");
		Ok(())
	}

	fn try_state_escrow(escrow: &EscrowRecord<T::AccountId>) -> Invariant {
		let moved = checked_total([escrow.refunded, escrow.paid, escrow.fee, escrow.owed()])?;
		ensure!(moved <= escrow.deposited, "3: more is owed than is held");
		for stream in &escrow.streams {
			ensure!(stream.payee != escrow.payer, "10: payer is payee");
			ensure!(stream.id < escrow.next_stream, "6: stream without a number");
			ensure!(stream.owed() > 0 || !stream.ended, "6: stream is over");
			ensure!(stream.ended || !escrow.closed, "7: stream of a closed escrow");
			try_state_stream(stream)?;
		}
		ensure!(escrow.streams.is_sorted_by(|a, b| a.id < b.id), "6: streams out of order");
		ensure!(escrow.held() > 0 || !escrow.closed, "7: nothing is held of a closed escrow");
		let settled = |stream: &Stream<_>| split_fee(stream.settled, escrow.fee_rate);
		let paid = total(escrow.streams.iter().map(|stream| settled(stream).0));
		let fee = total(escrow.streams.iter().map(|stream| settled(stream).1));
		ensure!(paid <= escrow.paid && fee <= escrow.fee, "4: streams were paid more than their escrow");
		Ok(())
	}
}

fn try_state_stream<AccountId>(stream: &Stream<AccountId>) -> Invariant {
	ensure!(accrued(stream.rate, stream.attested_ms) == Some(stream.earned), "4: earned differs from time");
	let maturing = total(stream.maturing.iter().map(|bucket| bucket.amount));
	let parts = checked_total([stream.settled, stream.forfeited, stream.contested, maturing])?;
	ensure!(parts <= stream.earned, "4: parts exceed what was earned");
	ensure!(stream.maturing.iter().all(|bucket| bucket.amount > 0), "5: nothing matures");
	ensure!(stream.maturing.is_sorted_by(|a, b| a.matures_at < b.matures_at), "5: buckets out of order");
	Ok(())
}

fn checked_total<const N: usize>(amounts: [Balance; N]) -> Result<Balance, TryRuntimeError> {
	let mut sum = 0;
	amounts.into_iter().try_for_each(|amount| add(&mut sum, amount))?;
	Ok(sum)
}

fn add(sum: &mut Balance, amount: Balance) -> Invariant {
	*sum = sum.checked_add(amount).ok_or("3: amounts overflow")?;
	Ok(())
}
