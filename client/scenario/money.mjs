// The money's part of the scenario: an open-ended lease that runs low, a contest, the receipts.

import { eventOf, fields, send } from '../lib/chain.mjs';
import { plancks } from '../lib/input.mjs';
import { blobHash } from '../lib/job.mjs';
import { addsUp, awaitEvent, closeLease, receiptIn } from '../lib/leases.mjs';
import { rentNow } from '../lib/orders.mjs';
import { streamOf } from '../lib/streams.mjs';
import { orderTerms } from '../lib/terms.mjs';

/** An open-ended lease with little money: it is warned, frozen, topped up, and goes on. Returns the blocks of each. */
export async function runLow(context, { say = () => {} } = {}) {
	const { api, renter, providers } = context;
	const terms = orderTerms({ classId: providers.Bob.classId, maxPrice: plancks('0.005'), fundedMs: 30_000 });
	const lease = await rentNow(api, renter, terms);
	const at = { lease: lease.lease, from: lease.block, timeoutMs: 120_000 };
	const ready = await awaitEvent(api, 'LeaseReady', at);
	const warned = await awaitEvent(api, 'LowBalance', at);
	say('warned: the funds end soon');
	const frozen = await awaitEvent(api, 'LeaseFrozen', at);
	say('frozen: it is held, and nothing runs');
	const amount = lease.rate * 300n;
	const { events, number } = await send(api, api.tx.leases.topUp(lease.lease, amount), renter);
	eventOf(events, 'leases', 'LeaseThawed');
	say('topped up: it goes on');
	return { lease, amount, blocks: { ready: ready.block, warned: warned.block, frozen: frozen.block, thawed: number } };
}

/** Closes a lease and contests what its provider earned last; the council gives the provider `share` parts per million of it. */
export async function contest(context, lease, { share = 500_000, say = () => {} } = {}) {
	const { api, renter } = context;
	const closed = await closeLease(api, renter, lease.lease, { accept: false });
	const { stream } = await streamOf(api, lease.lease);
	const evidence = blobHash(new TextEncoder().encode('The GPU was much slower than its class.'));
	const { events } = await send(api, api.tx.settlement.contest(lease.lease, stream, evidence), renter);
	const { amount, bond } = fields(eventOf(events, 'settlement', 'Contested'));
	say({ amount: amount.toBigInt(), bond: bond.toBigInt() });
	const verdict = await decide(context, api.tx.settlement.resolveContest(lease.lease, stream, share));
	return { closed, amount: amount.toBigInt(), bond: bond.toBigInt(), receipt: receiptIn(verdict, lease.lease), events: verdict };
}

/** Two of three council members vote for the call, and it is made. Returns the events of its block. */
export async function decide({ api, council: [first, second] }, call) {
	const length = call.method.encodedLength;
	const { events } = await send(api, api.tx.council.propose(2, call, length), first);
	const { proposalIndex, proposalHash } = fields(eventOf(events, 'council', 'Proposed'));
	await Promise.all([first, second].map((member) => send(api, api.tx.council.vote(proposalHash, proposalIndex, true), member)));
	const { weight } = await api.call.transactionPaymentCallApi.queryCallInfo(call.method, length);
	const end = await send(api, api.tx.council.close(proposalHash, proposalIndex, weight, length), first);
	const { result } = fields(eventOf(end.events, 'council', 'Executed'));
	if (result.isErr) throw new Error(`the council's call failed: ${result.asErr}`);
	return end.events;
}

/** All receipts of a renter from block `from` on, oldest first, as `{ lease, …, adds }`. */
export async function receipts({ api, renter }, from, to) {
	const list = [];
	for (let block = from; block <= to; block += 1) {
		const at = await api.at(await api.rpc.chain.getBlockHash(block));
		const events = (await at.query.system.events()).map(({ event }) => event);
		for (const event of events.filter(({ section, method }) => section === 'settlement' && method === 'EscrowClosed')) {
			const lease = fields(event).escrow.toString();
			const receipt = receiptIn([event], lease);
			if (receipt.payer === renter.address) list.push({ lease, ...receipt, adds: addsUp(receipt) });
		}
	}
	return list;
}

/** What is still held of an account, by reason; empty when everything came back. */
export const heldOf = async (api, address) => (await api.query.balances.holds(address)).map(({ id, amount }) => ({ reason: id.toString(), amount: amount.toBigInt() }));
