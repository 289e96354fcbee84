// The money's part of the scenario: an open-ended lease that runs low, a contest, the receipts.

import { eventOf, eventsOf, fields, send } from '../lib/chain.mjs';
import { duration, mill, moment } from '../lib/format.mjs';
import { plancks } from '../lib/input.mjs';
import { blobHash } from '../lib/job.mjs';
import { addsUp, awaitEvent, closeLease, receiptIn } from '../lib/leases.mjs';
import { rentNow } from '../lib/orders.mjs';
import { streamOf } from '../lib/streams.mjs';
import { orderTerms } from '../lib/terms.mjs';
import { nameOf } from './network.mjs';

/**
 * An open-ended lease with little money: it is warned, frozen, topped up, and goes on. Returns the lease, the block of each, and what
 * was added. `say` is told a block and what happened in it.
 */
export async function runLow(context, { fundedMs = 30_000, moreSeconds = 300n, say = () => {} } = {}) {
	const { api, renter, providers } = context;
	const terms = orderTerms({ classId: providers.Bob.classId, maxPrice: plancks('0.005'), fundedMs });
	const lease = await rentNow(api, renter, terms);
	say(lease.block, `lease ${lease.lease} with ${nameOf(context, lease.nodes[0].provider)} at ${mill(lease.rate)} a second; ${mill(lease.deposit)} held, enough for ${duration(lease.fundedMs)}`);
	const at = { lease: lease.lease, from: lease.block, timeoutMs: 120_000 };
	const ready = await awaitEvent(api, 'LeaseReady', at);
	say(ready.block, 'ready: billing starts');
	const warned = await awaitEvent(api, 'LowBalance', at);
	say(warned.block, `warned: jobs stop at ${moment(warned.freezesAt)}, and the funds end at ${moment(warned.fundedUntil)}`);
	const frozen = await awaitEvent(api, 'LeaseFrozen', at);
	say(frozen.block, 'frozen: its GPU is held and paid, and nothing runs on it');
	const amount = lease.rate * moreSeconds;
	const { events, number } = await send(api, api.tx.leases.topUp(lease.lease, amount), renter);
	eventOf(events, 'leases', 'LeaseThawed');
	say(number, `topped up by ${mill(amount)}, ${duration(moreSeconds * 1000n)} more: it goes on`);
	return { lease, amount, blocks: { opened: lease.block, ready: ready.block, warned: warned.block, frozen: frozen.block, thawed: number } };
}

/**
 * Closes a lease and contests what its provider earned last; the council gives the provider `share` parts per million of it.
 * Amounts in the result are with the fee. `say` is told a block and what happened in it.
 */
export async function contest(context, lease, { share = 500_000, say = () => {} } = {}) {
	const { api, renter } = context;
	const closed = await closeLease(api, renter, lease.lease, { accept: false });
	say(closed.block, `closed: ${mill(closed.refunded)} came back; ${mill(closed.pending)} were earned, and wait for the contest window`);
	const { stream, provider } = await streamOf(api, lease.lease);
	const evidence = blobHash(new TextEncoder().encode('The GPU was much slower than its class.'));
	const { events, number } = await send(api, api.tx.settlement.contest(lease.lease, stream, evidence), renter);
	const { amount, bond } = fields(eventOf(events, 'settlement', 'Contested'));
	say(number, `Charlie contests ${mill(amount)}, with a bond of ${mill(bond)}`);
	const verdict = await decide(context, api.tx.settlement.resolveContest(lease.lease, stream, share));
	const { toPayee, toPayer, bondLost } = fields(eventOf(verdict.events, 'settlement', 'ContestResolved'));
	return {
		closed,
		provider,
		amount: amount.toBigInt(),
		bond: bond.toBigInt(),
		toPayee: toPayee.toBigInt(),
		toPayer: toPayer.toBigInt(),
		bondLost: bondLost.isTrue,
		receipt: receiptIn(verdict.events, lease.lease),
		events: verdict.events,
		blocks: { closed: closed.block, contested: number, resolved: verdict.number },
	};
}

/** Two of three council members vote for the call, and it is made. Returns its block and the events of its transaction. */
export async function decide({ api, council: [first, second] }, call) {
	const length = call.method.encodedLength;
	const { events } = await send(api, api.tx.council.propose(2, call, length), first);
	const { proposalIndex, proposalHash } = fields(eventOf(events, 'council', 'Proposed'));
	await Promise.all([first, second].map((member) => send(api, api.tx.council.vote(proposalHash, proposalIndex, true), member)));
	const { weight } = await api.call.transactionPaymentCallApi.queryCallInfo(call.method, length);
	const end = await send(api, api.tx.council.close(proposalHash, proposalIndex, weight, length), first);
	const { result } = fields(eventOf(end.events, 'council', 'Executed'));
	if (result.isErr) throw new Error(`the council's call failed: ${result.asErr}`);
	return end;
}

/**
 * All receipts of a renter from block `from` to block `to`, oldest first, as `{ lease, block, …, providers, returned, adds }`.
 *
 * - `providers`: what each earned, `{ provider, attestedMs, earned, paid, fee }`; `earned` includes the fee and what was contested
 * - `returned`: earned, and given back to the renter by a verdict
 * - `adds`: whether paid + fee + refunded = deposited, what the providers earned less `returned` is paid + fee, and the payments of
 *   all streams are those of the receipt
 */
export async function receipts({ api, renter }, from, to) {
	const escrows = new Map();
	const list = [];
	for (const { block, event } of await eventsOf(api, 'settlement', from, to)) {
		const data = fields(event);
		const lease = data.escrow?.toString();
		if (event.method === 'EscrowOpened') escrows.set(lease, { streams: new Map(), returned: 0n });
		const escrow = escrows.get(lease);
		if (!escrow) continue;
		note(escrow, event.method, data);
		if (event.method !== 'EscrowClosed') continue;
		const receipt = receiptIn([event], lease);
		if (receipt.payer === renter.address) list.push(complete(lease, block, receipt, escrow));
	}
	return list;
}

// Adds what an event says to what is known of its escrow.
function note(escrow, method, data) {
	const { streams } = escrow;
	const stream = streams.get(data.stream?.toNumber());
	if (method === 'StreamAdded') streams.set(data.stream.toNumber(), { provider: data.payee.toString(), attestedMs: 0, earned: 0n, paid: 0n, fee: 0n });
	if (method === 'Accrued') {
		stream.attestedMs += data.ms.toNumber();
		stream.earned += data.amount.toBigInt();
	}
	if (method === 'Settled') {
		stream.paid += data.paid.toBigInt();
		stream.fee += data.fee.toBigInt();
	}
	if (method === 'ContestResolved') escrow.returned += data.toPayer.toBigInt();
}

function complete(lease, block, receipt, { streams, returned }) {
	const providers = [...streams.values()];
	const sum = (part) => providers.reduce((total, each) => total + each[part], 0n);
	const adds = addsUp(receipt) && sum('paid') === receipt.paid && sum('fee') === receipt.fee && sum('earned') - returned === receipt.paid + receipt.fee;
	return { lease, block, ...receipt, providers, returned, adds };
}

/** What is still held of an account, by reason; empty when everything came back. */
export const heldOf = async (api, address) => (await api.query.balances.holds(address)).map(({ id, amount }) => ({ reason: id.toString(), amount: amount.toBigInt() }));
