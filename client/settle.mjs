#!/usr/bin/env node
// What an account can be paid now, and the payment.

import { CONNECTION, connect, fields, keyPair, send } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, note, options, step } from './lib/cli.mjs';
import { amount, plural, table } from './lib/format.mjs';
import { address } from './lib/input.mjs';
import { claimable } from './lib/reads.mjs';

const args = options(
	'node client/settle.mjs [--account SURI] [--for ADDRESS] [--dry-run] [options]',
	'Lists what leases owe an account, and has all that has outlived the contest window paid to it. Anybody may do that for anybody, and\nthe chain does it by itself when a lease ends: this is for those who do not want to wait.',
	{
		...CONNECTION,
		for: { value: 'ADDRESS', help: 'whose earnings [default: the address of --account]' },
		'dry-run': { help: 'list only, pay nothing; no key is needed with --for' },
		...JSON_OUTPUT,
	},
	['node client/settle.mjs --account //Bob', 'node client/settle.mjs --for 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --dry-run'],
);

await main(async () => {
	if (!args.account && !(args.for && args['dry-run'])) throw new UserError('no account: name one with --account, or list only with --for ADDRESS --dry-run');
	const pair = args.account && keyPair(args.account);
	const payee = args.for ? address(args.for, 'for') : pair.address;
	const api = await connect(args.url);
	const claims = await claimable(api, payee);
	const due = claims.filter((claim) => BigInt(claim.claimable) > 0n);
	const rows = claims.map(({ escrow, asset, claimable, maturing }) => [escrow, amount(claimable, asset), amount(maturing, asset)]);
	if (!args.json) process.stdout.write(rows.length ? table(['lease', 'can be paid', 'waits, fee included'], rows) : 'No lease owes this account anything.\n');
	const paid = [];
	if (due.length && !args['dry-run']) {
		step(`Settling ${plural(due.length, 'lease')}`);
		// A batch that fits into a block with ease; one that fails does not stop the others.
		for (let at = 0; at < due.length; at += 20) {
			const calls = due.slice(at, at + 20).map(({ escrow }) => api.tx.settlement.settle(escrow));
			const { events } = await send(api, api.tx.utility.forceBatch(calls), pair);
			for (const event of events.filter(({ section, method }) => section === 'settlement' && method === 'Settled')) {
				const data = fields(event);
				if (data.payee.toString() !== payee) continue;
				const { asset } = due.find(({ escrow }) => String(escrow) === data.escrow.toString()) ?? {};
				paid.push({ escrow: data.escrow.toString(), asset, paid: data.paid.toBigInt(), fee: data.fee.toBigInt() });
			}
		}
		for (const { escrow, asset, paid: value, fee } of paid) note(`lease ${escrow}: ${amount(value, asset)} paid, ${amount(fee, asset)} fee`);
	}
	if (args.json) answer(args, { payee, claims, paid });
});
