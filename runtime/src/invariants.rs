//! What must hold across the market's pallets. Each pallet checks its own state; here is what no single one of them can see.

use crate::{AccountId, AssetsHolder, Balance, Runtime, RuntimeHoldReason};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use codec::Encode;
use frame_support::{ensure, traits::fungibles::InspectHold as _};
use millrace_primitives::{Asset, EscrowId, GpuIndex, GpuState, LeaseId, NodeStatus, StreamId};
use pallet_leases::{LeaseOf, Leases, Orders, Payments};
use pallet_settlement::{EscrowRecord, Escrows};
use pallet_slashing::{SlashStatus, Slashes};
use sp_runtime::TryRuntimeError;

/// Checks, in this order:
///
/// 1. The GPUs that the registry has as leased are those that the leases' nodes name, each by the lease that the registry says.
/// 2. Each lease and each waiting order has one open escrow, and each open escrow one of them. Each escrow that is closed and
///    not gone yet has its last payments in the agenda.
/// 3. An escrow is paid by its renter, in the order's asset. A waiting order's has no stream; a lease's has one that earns for each
///    node with a provider, to that provider, at the node's price times its GPUs, and no other that earns.
/// 4. What accounts have on hold for the market is, reason by reason and asset by asset, what the pallets' records say in sum:
///    together with the pallets' own checks, that nothing is held for nothing.
/// 5. What each provider has on hold for slashes is the sum of its slashes; what its leases lock is the lease bond of its nodes.
///
/// # Errors
/// Names the first that does not hold.
pub fn check() -> Result<(), TryRuntimeError> {
	reserved_gpus_are_leased_gpus()?;
	every_escrow_has_its_purpose()?;
	escrows_agree_with_what_they_pay_for()?;
	nothing_is_held_for_nothing()?;
	bonds_agree_with_slashes_and_leases()
}

fn reserved_gpus_are_leased_gpus() -> Result<(), TryRuntimeError> {
	type Use = (AccountId, GpuIndex, LeaseId);
	let reserved: BTreeSet<Use> = pallet_providers::Gpus::<Runtime>::iter()
		.filter_map(|(provider, gpu, record)| match record.state {
			GpuState::Leased(lease) => Some((provider, gpu, lease)),
			GpuState::Healthy | GpuState::Faulty | GpuState::Quarantined { .. } => None,
		})
		.collect();
	let leased: BTreeSet<Use> = Leases::<Runtime>::iter()
		.flat_map(|(id, lease)| lease.nodes.into_iter().map(move |node| (id, node)))
		.flat_map(|(id, node)| node.gpus.into_iter().map(move |gpu| (node.provider.clone(), gpu, id)))
		.collect();
	ensure!(reserved == leased, "1: the registry's leased GPUs are not those of the leases");
	Ok(())
}

fn every_escrow_has_its_purpose() -> Result<(), TryRuntimeError> {
	let mut purposes: BTreeSet<EscrowId> = Leases::<Runtime>::iter_keys().map(EscrowId::from).collect();
	for order in Orders::<Runtime>::iter_keys() {
		ensure!(purposes.insert(order.into()), "2: a lease waits as an order too");
	}
	for (id, escrow) in Escrows::<Runtime>::iter() {
		let purpose = if escrow.closed {
			Payments::<Runtime>::contains_key(LeaseId(id.0))
		} else {
			purposes.remove(&id)
		};
		ensure!(purpose, "2: an escrow without a lease, a waiting order or a payment");
	}
	ensure!(purposes.is_empty(), "2: a lease or a waiting order without an open escrow");
	Ok(())
}

fn escrows_agree_with_what_they_pay_for() -> Result<(), TryRuntimeError> {
	let open = |id| Escrows::<Runtime>::get(id).ok_or("2: a lease or a waiting order without an open escrow");
	for (id, order) in Orders::<Runtime>::iter() {
		let escrow = open(EscrowId::from(id))?;
		let party = (&escrow.payer, escrow.asset);
		ensure!(party == (&order.renter, order.terms.asset), "3: an order's escrow is not its renter's");
		ensure!(escrow.streams.is_empty(), "3: somebody earns from an order that waits");
	}
	for (id, lease) in Leases::<Runtime>::iter() {
		let escrow = open(EscrowId::from(id))?;
		let party = (&escrow.payer, escrow.asset);
		ensure!(party == (&lease.renter, lease.asset), "3: a lease's escrow is not its renter's");
		ensure!(
			earning_streams(&escrow) == streams_of_nodes(&lease),
			"3: the streams that earn are not those of the lease's nodes"
		);
	}
	Ok(())
}

/// By number: who earns how much per second.
type Streams = BTreeMap<StreamId, (AccountId, Option<Balance>)>;

fn earning_streams(escrow: &EscrowRecord<AccountId>) -> Streams {
	let earning = escrow.streams.iter().filter(|stream| !stream.ended);
	earning.map(|stream| (stream.id, (stream.payee.clone(), Some(stream.rate)))).collect()
}

fn streams_of_nodes(lease: &LeaseOf<Runtime>) -> Streams {
	let assigned = lease.nodes.iter().filter(|node| !matches!(node.status, NodeStatus::Faulted { .. }));
	assigned.map(|node| (node.stream, (node.provider.clone(), lease.node_rate(node.price)))).collect()
}

/// Sums by asset and reason, which is encoded because reasons have no order.
#[derive(Default)]
struct Sums(BTreeMap<(Asset, Vec<u8>), Balance>);

impl Sums {
	fn add(
		&mut self,
		asset: Asset,
		reason: RuntimeHoldReason,
		amount: Balance,
	) -> Result<(), TryRuntimeError> {
		if amount > 0 {
			let sum = self.0.entry((asset, reason.encode())).or_default();
			*sum = sum.checked_add(amount).ok_or("4: a sum of holds overflows")?;
		}
		Ok(())
	}
}

fn nothing_is_held_for_nothing() -> Result<(), TryRuntimeError> {
	ensure!(held()?.0 == recorded()?.0, "4: holds are not what the records say");
	Ok(())
}

/// What is on hold for the market, by the currencies' own books.
fn held() -> Result<Sums, TryRuntimeError> {
	let mut held = Sums::default();
	for hold in pallet_balances::Holds::<Runtime>::iter_values().flatten() {
		if is_the_markets(hold.id) {
			held.add(Asset::Native, hold.id, hold.amount)?;
		}
	}
	let escrow = RuntimeHoldReason::Settlement(pallet_settlement::HoldReason::Escrow);
	let tokens = tokens();
	for who in frame_system::Account::<Runtime>::iter_keys() {
		for token in &tokens {
			let amount = AssetsHolder::balance_on_hold(*token, &escrow, &who);
			held.add(Asset::Token(*token), escrow, amount)?;
		}
	}
	Ok(held)
}

/// The assets that anything of the market can be held in, beside the native token.
fn tokens() -> BTreeSet<u32> {
	let used = Escrows::<Runtime>::iter_values().filter_map(|escrow| match escrow.asset {
		Asset::Native => None,
		Asset::Token(token) => Some(token),
	});
	pallet_settlement::AllowedAssets::<Runtime>::iter_keys().chain(used).collect()
}

fn is_the_markets(reason: RuntimeHoldReason) -> bool {
	matches!(
		reason,
		RuntimeHoldReason::Settlement(_)
			| RuntimeHoldReason::Leases(_)
			| RuntimeHoldReason::Allowances(_)
			| RuntimeHoldReason::Slashing(_)
	)
}

/// The same by the market's records. The registry checks its own holds, which are one per provider.
fn recorded() -> Result<Sums, TryRuntimeError> {
	use pallet_allowances::HoldReason::AllowanceDeposit;
	use pallet_leases::HoldReason::{AskDeposit, BidDeposit, OrderDeposit};
	use pallet_settlement::HoldReason::{ContestBond, Escrow};
	use pallet_slashing::HoldReason::AppealBond;
	let mut sums = Sums::default();
	for escrow in Escrows::<Runtime>::iter_values() {
		let left = [escrow.refunded, escrow.paid, escrow.fee]
			.into_iter()
			.try_fold(escrow.deposited, Balance::checked_sub)
			.ok_or("4: an escrow has moved more than was deposited")?;
		sums.add(escrow.asset, RuntimeHoldReason::Settlement(Escrow), left)?;
	}
	for contest in pallet_settlement::Contests::<Runtime>::iter_values() {
		sums.add(Asset::Native, RuntimeHoldReason::Settlement(ContestBond), contest.bond)?;
	}
	for ask in pallet_leases::Asks::<Runtime>::iter_values() {
		sums.add(Asset::Native, RuntimeHoldReason::Leases(AskDeposit), ask.deposit)?;
	}
	for order in Orders::<Runtime>::iter_values() {
		sums.add(Asset::Native, RuntimeHoldReason::Leases(OrderDeposit), order.deposit)?;
	}
	for bid in pallet_leases::Bids::<Runtime>::iter_values() {
		sums.add(Asset::Native, RuntimeHoldReason::Leases(BidDeposit), bid.deposit)?;
	}
	for slash in Slashes::<Runtime>::iter_values() {
		if let SlashStatus::Appealed { bond, .. } = slash.status {
			sums.add(Asset::Native, RuntimeHoldReason::Slashing(AppealBond), bond)?;
		}
	}
	for allowance in pallet_allowances::Allowances::<Runtime>::iter_values() {
		sums.add(Asset::Native, RuntimeHoldReason::Allowances(AllowanceDeposit), allowance.deposit)?;
	}
	Ok(sums)
}

fn bonds_agree_with_slashes_and_leases() -> Result<(), TryRuntimeError> {
	let mut pending: BTreeMap<AccountId, Balance> = BTreeMap::new();
	for slash in Slashes::<Runtime>::iter_values() {
		let sum = pending.entry(slash.provider).or_default();
		*sum = sum.checked_add(slash.held).ok_or("5: a sum of slashes overflows")?;
	}
	for (who, provider) in pallet_providers::Providers::<Runtime>::iter() {
		let held = pending.remove(&who).unwrap_or(0);
		ensure!(provider.pending_slashes == held, "5: pending slashes are not the provider's slashes");
	}
	ensure!(pending.into_values().all(|held| held == 0), "5: a slash of nobody");
	let locking: BTreeSet<(AccountId, LeaseId)> = Leases::<Runtime>::iter()
		.flat_map(|(id, lease)| lease.nodes.into_iter().map(move |node| (id, node)))
		.filter(|(_, node)| !matches!(node.status, NodeStatus::Faulted { .. }))
		.map(|(id, node)| (node.provider, id))
		.collect();
	let locked: BTreeSet<(AccountId, LeaseId)> =
		pallet_providers::LeaseBonds::<Runtime>::iter_keys().collect();
	ensure!(locked == locking, "5: lease bonds are not those of the leases' nodes");
	Ok(())
}
