//! What must hold across the market's pallets. Each pallet checks its own state; here is what no single one of them can see.

use crate::{AccountId, Runtime};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use millrace_primitives::{EscrowId, GpuIndex, GpuState, LeaseId};
use sp_runtime::TryRuntimeError;

/// Checks, in this order:
///
/// 1. The GPUs that the registry has as leased are those that the leases name, each by the lease that the registry says.
/// 2. Each lease has one escrow, and each escrow one lease.
/// 3. A lease's escrow is paid by its renter to its provider, at the lease's price times its GPUs.
///
/// # Errors
/// Names the first that does not hold.
pub fn check() -> Result<(), TryRuntimeError> {
	reserved_gpus_are_leased_gpus()?;
	leases_and_escrows_are_one_to_one()?;
	escrows_name_the_parties_of_their_lease()
}

fn reserved_gpus_are_leased_gpus() -> Result<(), TryRuntimeError> {
	type Use = (AccountId, GpuIndex, LeaseId);
	let reserved: BTreeSet<Use> = pallet_providers::Gpus::<Runtime>::iter()
		.filter_map(|(provider, gpu, record)| match record.state {
			GpuState::Leased(lease) => Some((provider, gpu, lease)),
			GpuState::Healthy | GpuState::Faulty => None,
		})
		.collect();
	let leased: BTreeSet<Use> = pallet_leases::Leases::<Runtime>::iter()
		.flat_map(|(id, lease)| {
			let provider = lease.provider;
			lease.gpus.into_iter().map(move |gpu| (provider.clone(), gpu, id))
		})
		.collect();
	ensure!(reserved == leased, "1: the registry's leased GPUs are not those of the leases");
	Ok(())
}

fn leases_and_escrows_are_one_to_one() -> Result<(), TryRuntimeError> {
	let leases: BTreeSet<EscrowId> =
		pallet_leases::Leases::<Runtime>::iter_keys().map(EscrowId::from).collect();
	let escrows: BTreeSet<EscrowId> = pallet_settlement::Escrows::<Runtime>::iter_keys().collect();
	ensure!(leases == escrows, "2: leases and escrows are not one to one");
	Ok(())
}

fn escrows_name_the_parties_of_their_lease() -> Result<(), TryRuntimeError> {
	for (id, lease) in pallet_leases::Leases::<Runtime>::iter() {
		let escrow = pallet_settlement::Escrows::<Runtime>::get(EscrowId::from(id))
			.ok_or("2: leases and escrows are not one to one")?;
		ensure!(escrow.payer == lease.renter, "3: an escrow is not paid by its lease's renter");
		ensure!(escrow.payee == lease.provider, "3: an escrow is not paid to its lease's provider");
		let rate = millrace_math::rate(lease.price, lease.gpus.len() as u32);
		ensure!(rate == Some(escrow.rate), "3: an escrow's rate is not its lease's price");
	}
	Ok(())
}
