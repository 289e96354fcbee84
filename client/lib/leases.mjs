// The life of a lease as its renter follows it: readiness, jobs, billing, the end, the receipt.

import { UserError, step } from './cli.mjs';
import { eventOf, fields, followEvents, send } from './chain.mjs';
import { amount, duration } from './format.mjs';
import { getBlob } from './job.mjs';
import { tell } from './story.mjs';

/**
 * Calls `visit(event, block, fields)` for each event of the pallet `leases` about this lease, from block `from` on. Ends when
 * `visit` answers, or with an error when the lease is closed first.
 */
export async function followLease(api, { lease, from, timeoutMs }, visit) {
	return followEvents(
		api,
		from,
		async (event, block) => {
			if (event.section !== 'leases') return undefined;
			const data = fields(event);
			if (data.lease?.toString() !== String(lease)) return undefined;
			const answer = await visit(event, block, data);
			if (answer === undefined && event.method === 'LeaseClosed') throw new UserError(`lease ${lease} was closed: ${data.reason.type}`);
			return answer;
		},
		{ timeoutMs },
	);
}

/** Waits for an event of the lease; returns its block and fields. */
export const awaitEvent = (api, method, { lease, from, timeoutMs }) =>
	followLease(api, { lease, from, timeoutMs }, (event, block, data) => (event.method === method ? { block, ...data } : undefined));

/** Follows a lease until its job has a result. Returns the outcome and the blocks in which things happened. */
export async function followJob(api, { lease, job = 0, from, onProgress = () => {}, timeoutMs }) {
	let readyAt = null;
	const end = await followLease(api, { lease, from, timeoutMs }, (event, block, data) => {
		if (event.method === 'LeaseReady') readyAt = block;
		if (event.method === 'JobFinished' && data.job.toNumber() === job) return { outcome: data.outcome, block };
		const line = tell(event);
		if (line && event.method !== 'JobSubmitted') onProgress(`block ${block}: ${line}`);
		return undefined;
	});
	return { ...end, readyAt };
}

/** Waits until at least `ms` of the lease are attested, and something of `providers` of them; returns the attested time. */
export async function waitForAttestation(api, { lease, from, ms = 1, providers = 1, timeoutMs = 300_000 }) {
	let total = 0;
	const streams = new Set();
	const visit = (event) => {
		if (event.section !== 'settlement' || event.method !== 'Accrued') return undefined;
		const data = fields(event);
		if (data.escrow.toString() !== String(lease)) return undefined;
		total += data.ms.toNumber();
		if (!data.ms.isZero()) streams.add(data.stream.toNumber());
		return total >= ms && streams.size >= providers ? total : undefined;
	};
	return followEvents(api, from, visit, { timeoutMs });
}

/**
 * Closes a lease. With `accept`, what was earned is paid at once, in the same transaction, and the receipt comes with the block
 * unless a part is contested; without, the contest window comes first. Returns what the close did, once the block is final.
 */
export async function closeLease(api, pair, lease, { accept = true } = {}) {
	const close = api.tx.leases.close(lease);
	const call = accept ? api.tx.utility.batchAll([api.tx.settlement.accept(lease), close]) : close;
	const { events, number } = await send(api, call, pair, { finalised: true });
	const { refunded, pending, attestedMs } = fields(eventOf(events, 'leases', 'LeaseClosed'));
	return {
		block: number,
		refunded: refunded.toBigInt(),
		pending: pending.toBigInt(),
		attestedMs: attestedMs.toNumber(),
		receipt: receiptIn(events, lease),
	};
}

/** The receipt in these events; null if there is none. */
export function receiptIn(events, lease) {
	for (const event of events) {
		if (event.section !== 'settlement' || event.method !== 'EscrowClosed') continue;
		const data = fields(event);
		if (data.escrow.toString() !== String(lease)) continue;
		return {
			payer: data.payer.toString(),
			asset: data.asset,
			deposited: data.deposited.toBigInt(),
			paid: data.paid.toBigInt(),
			fee: data.fee.toBigInt(),
			refunded: data.refunded.toBigInt(),
			attestedMs: data.attestedMs.toNumber(),
		};
	}
	return null;
}

/** Whether a receipt's parts make up its whole. */
export const addsUp = ({ deposited, paid, fee, refunded }) => paid + fee + refunded === deposited;

/** The bytes of a job's result, or an error that says why there is none. */
export async function fetchResult(api, outcome, explain = async () => '') {
	if (outcome.isFailed) {
		const failure = outcome.asFailed;
		const detail = await explain();
		throw new UserError(`the job failed: ${failure.type}${failure.isEmpty ? '' : ` ${failure.value}`}${detail ? `\n       ${detail}` : ''}`);
	}
	const { output } = outcome.asSucceeded;
	return { hash: output.toHex(), bytes: await getBlob(api, output.toHex()) };
}

/** Prints a receipt for people. */
export function printReceipt(lease, receipt) {
	const rows = [
		['deposited', amount(receipt.deposited, receipt.asset)],
		['paid to providers', amount(receipt.paid, receipt.asset)],
		['fee', amount(receipt.fee, receipt.asset)],
		['refunded', amount(receipt.refunded, receipt.asset)],
		['attested time', duration(receipt.attestedMs)],
	];
	step(`Receipt of lease ${lease}`);
	for (const [name, value] of rows) process.stdout.write(`    ${name.padEnd(22)}${value}\n`);
}
