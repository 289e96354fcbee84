// What must hold of the slashing scenario's figures. Each function returns what does not, in sentences; nothing if all does.

import { duration, mill, percent } from '../lib/format.mjs';
import { addsUp } from '../lib/leases.mjs';

/** What one missed epoch of a whole node costs, in parts per million of its lease bond. */
export const DOWNTIME_RATE = 200;

/** Share of the insurance pool in what the renter does not get, in parts per million. */
export const INSURANCE_SHARE = 200_000;

const MILLION = 1_000_000n;
const part = (amount, parts) => (amount * BigInt(parts)) / MILLION;
const sentences = (...claims) => claims.filter(([holds]) => !holds).map(([, sentence]) => sentence);
const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);

/** Within how many blocks after the last attestation a lease must be suspended: its epoch and the grace. */
export const suspendedWithin = ({ epochBlocks, graceEpochs }) => epochBlocks * (1 + graceEpochs);

/** A dark provider: `dark` of `goDark`, the lease's receipt, the slash as it was judged, the chain's lengths, the renter's address. */
export function faultsOfDark({ dark, receipt, slash, lengths, renter }) {
	const { suspended, faults, ended, bondBefore, bond, times } = dark;
	if (!suspended) return ['the lease was never suspended'];
	const blocks = suspended.block - dark.attestedBlock;
	const counted = sum(faults.map(({ amount }) => amount));
	const epochCosts = part(slash.leaseBond, DOWNTIME_RATE);
	const running = faults.every(({ held }, index) => held === sum(faults.slice(0, index + 1).map(({ amount }) => amount)));
	return sentences(
		[blocks <= suspendedWithin(lengths), `billing stopped ${blocks} blocks after the last attestation, and two epochs are ${suspendedWithin(lengths)}`],
		[suspended.attestedAt === times.attested, `billing stopped at ${suspended.attestedAt}, and the last attestation was at ${times.attested}`],
		[dark.billedMs > 0 && dark.billedMs <= times.attested - times.ready, `${duration(dark.billedMs)} were billed, and ${duration(times.attested - times.ready)} attested`],
		[dark.billedBlock <= dark.attestedBlock, `something was billed in block ${dark.billedBlock}, after the last attestation in block ${dark.attestedBlock}`],
		[receipt.attestedMs === dark.billedMs && addsUp(receipt), `the receipt says ${duration(receipt.attestedMs)} and ${duration(dark.billedMs)} were billed, or it does not add up`],
		[faults.length > 0 && faults[0].block > suspended.block, 'no fault was counted after the suspension'],
		[faults.slice(0, -1).every(({ amount, epochs }) => amount === epochCosts * BigInt(epochs)), `an epoch does not cost ${percent(DOWNTIME_RATE)} of the lease bond, ${mill(epochCosts)}`],
		[faults.length === 0 || faults.at(-1).amount >= epochCosts * BigInt(faults.at(-1).epochs), 'the last fault costs less than its epochs'],
		[running && ended.held === counted, `${mill(counted)} were counted, and ${mill(ended.held)} are on hold at the end`],
		[dark.excused.length === 0 && slash.held === ended.held, `${mill(ended.held - slash.held)} were excused, and nobody else was dark`],
		[bond.pending === ended.held && bond.bond === bondBefore.bond - ended.held, `the bond was ${mill(bondBefore.bond)}; now it is ${mill(bond.bond)}, with ${mill(bond.pending)} on hold`],
		[dark.faulted?.cause === 'Dark', `the node was lost for ${dark.faulted?.cause ?? 'nothing'}, not for being dark`],
		[dark.renter === renter, `${dark.renter} would be compensated, and ${renter} rented`],
	);
}

/** The council's verdict: `verdict` of `reduce`, what was on hold before, the appeal, the share that was kept. */
export function faultsOfVerdict({ verdict, slash, appeal, keep, bondBefore }) {
	const { executed, returned, amounts, received, receivers, appealBond, bond } = verdict;
	const rest = executed - amounts.renter;
	const due = slash.unserved < executed ? slash.unserved : executed;
	return sentences(
		[executed + returned === slash.held, `${mill(slash.held)} were on hold, and ${mill(executed + returned)} were paid out or came back`],
		[executed === part(slash.held, keep), `${mill(executed)} of ${mill(slash.held)} were paid out, not ${percent(keep)}`],
		[sum(Object.values(amounts)) === executed, `${mill(executed)} were paid out, and ${mill(sum(Object.values(amounts)))} received`],
		[amounts.renter > 0n && amounts.renter === due, `the renter got ${mill(amounts.renter)}, and ${mill(slash.unserved)} were not served`],
		[amounts.insurance === part(rest, INSURANCE_SHARE), `the insurance pool got ${mill(amounts.insurance)} of ${mill(rest)}`],
		[verdict.renter === slash.renter && receivers.renter === slash.renter, `${receivers.renter} was compensated, and ${slash.renter} rented`],
		[received.renter === amounts.renter, `the renter's balance grew by ${mill(received.renter ?? 0n)}, not by ${mill(amounts.renter)}`],
		[(received.insurance ?? 0n) === amounts.insurance, `the insurance pool's balance grew by ${mill(received.insurance ?? 0n)}, not by ${mill(amounts.insurance)}`],
		[appeal.bond * 10n >= slash.held, `the appeal's bond of ${mill(appeal.bond)} is less than a tenth of ${mill(slash.held)}`],
		[appealBond.amount === appeal.bond && !appealBond.lost, `of the appeal's bond of ${mill(appeal.bond)}, ${mill(appealBond.amount)} were ${appealBond.lost ? 'lost' : 'given back'}`],
		[bond.pending === 0n && bond.bond === bondBefore.bond - executed, `the bond was ${mill(bondBefore.bond)}; after ${mill(executed)} it is ${mill(bond.bond)}, with ${mill(bond.pending)} on hold`],
	);
}

/** A chain that stood still: `stalled` of `stall`, and the chain's lengths. */
export function faultsOfStall({ stalled, lengths }) {
	const { stopped, resumed, punishments, bondBefore, bond, accruals, gapMs, seconds, node } = stalled;
	if (!stopped) return ['the fault clock did not stop for the stall'];
	const window = suspendedWithin(lengths) * lengths.slotMs;
	const longest = Math.max(0, ...accruals.map(({ ms }) => ms));
	return sentences(
		// The block before was made up to a slot before the process stopped, and the first one after it in any slot.
		[gapMs >= (seconds - 1) * 1000, `the fault clock stopped for a gap of ${duration(gapMs)}, and the chain stood still for ${seconds} s`],
		[Boolean(resumed), 'the fault clock does not go on'],
		[Boolean(stalled.attestedBlock), 'the lease is not attested again'],
		[punishments.length === 0, `somebody was punished: ${punishments.map(({ what, block }) => `${what} in block ${block}`).join(', ')}`],
		[bond.bond === bondBefore.bond && bond.pending === bondBefore.pending, `the bond was ${mill(bondBefore.bond)} and ${mill(bondBefore.pending)} on hold; now ${mill(bond.bond)} and ${mill(bond.pending)}`],
		[node === 'active', `the node is ${node}, not active`],
		[longest <= window, `a report was billed for ${duration(longest)}, longer than two epochs: the stall was billed`],
	);
}
