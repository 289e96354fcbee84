#!/usr/bin/env node
// End a lease: close it, accept what was served, or reject it.

import { CONNECTION, connect, eventOf, fields, keyPair, send } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, note, options, step } from './lib/cli.mjs';
import { amount, duration } from './lib/format.mjs';
import { number } from './lib/input.mjs';
import { closeLease, printReceipt, receiptIn } from './lib/leases.mjs';
import { escrowOf } from './lib/reads.mjs';

const args = options(
	'node client/close.mjs --account SURI --lease N [--accept | --reject] [options]',
	'Ends a lease now. What nobody earned comes back at once; what was earned is paid when the contest window is over. With --accept\nit is paid at once. With --reject, soon after the lease is ready, nothing is paid. A lease that is closed already can still be accepted.',
	{
		...CONNECTION,
		lease: { value: 'N', help: 'number of the lease' },
		accept: { help: 'what was served is right: pay it now' },
		reject: { help: 'what was delivered is not right: pay nothing. Only within the acceptance window' },
		...JSON_OUTPUT,
	},
	['node client/close.mjs --account //Charlie --lease 7 --accept', 'node client/close.mjs --account //Charlie --lease 7 --json'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const lease = number(args.lease, 'lease');
	if (args.accept && args.reject) throw new UserError('--accept and --reject exclude each other');
	const api = await connect(args.url);
	const end = await ending(api, pair, lease);
	const money = end.receipt ? null : await escrowOf(api, lease);
	if (args.json) return answer(args, { lease, ...end, money });
	if (end.receipt) return printReceipt(lease, end.receipt);
	step(`Lease ${lease} is closed; ${amount(end.refunded, money?.asset)} came back`);
	note(`${amount(end.pending, money?.asset)} for ${duration(end.attestedMs)} wait for the contest window: close.mjs --accept pays them now, contest.mjs objects`);
	return undefined;
});

async function ending(api, pair, lease) {
	if (args.reject) {
		const { events } = await send(api, api.tx.leases.reject(lease), pair, { finalised: true });
		const { refunded, pending, attestedMs } = fields(eventOf(events, 'leases', 'LeaseClosed'));
		return { refunded: refunded.toBigInt(), pending: pending.toBigInt(), attestedMs: attestedMs.toNumber(), receipt: receiptIn(events, lease) };
	}
	const running = (await api.query.leases.leases(lease)).isSome;
	if (running || !args.accept) return closeLease(api, pair, lease, { accept: Boolean(args.accept) });
	const { events } = await send(api, api.tx.settlement.accept(lease), pair, { finalised: true });
	return { refunded: 0n, pending: 0n, attestedMs: 0, receipt: receiptIn(events, lease) };
}
