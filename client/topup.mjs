#!/usr/bin/env node
// Add funds to a lease: an open-ended one lasts longer, a frozen one goes on.

import { CONNECTION, connect, eventOf, fields, keyPair, send } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, options } from './lib/cli.mjs';
import { amount, moment } from './lib/format.mjs';
import { address, milliseconds, number, units } from './lib/input.mjs';
import { inNameOf } from './lib/orders.mjs';
import { leaseOf } from './lib/reads.mjs';

const args = options(
	'node client/topup.mjs --account SURI --lease N (--amount AMOUNT | --time TIME) [options]',
	'Holds more for a lease. A frozen lease goes on when it is funded beyond the frozen grace again. What is not attested comes back.',
	{
		...CONNECTION,
		lease: { value: 'N', help: 'number of the lease' },
		amount: { value: 'AMOUNT', help: "how much: MILL, or units of the lease's asset" },
		time: { value: 'TIME', help: 'or: for how much more time at its present price: 30min, 2h' },
		for: { value: 'ADDRESS', help: 'in the name of this account, which gave you an allowance (allow.mjs)' },
		...JSON_OUTPUT,
	},
	['node client/topup.mjs --account //Charlie --lease 7 --amount 2.5', 'node client/topup.mjs --account //Charlie --lease 7 --time 2h'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const leaseId = number(args.lease, 'lease');
	if (Boolean(args.amount) === Boolean(args.time)) throw new UserError('say how much: either --amount 2.5 or --time 2h');
	const time = args.time && milliseconds(args.time);
	const owner = args.for && address(args.for, 'for');
	const api = await connect(args.url);
	const lease = await leaseOf(api, leaseId);
	if (!lease) throw new UserError(`there is no lease ${leaseId}: it may be closed (settle.mjs shows what is still to be paid)`);
	const paidIn = lease.money.asset === 'native' ? 'Native' : { Token: lease.money.asset.token };
	// Rounded up, so that it is not a moment less.
	const value = time ? (BigInt(lease.rate) * BigInt(time) + 999n) / 1000n : units(args.amount, paidIn);
	const { events } = await send(api, inNameOf(api, owner, api.tx.leases.topUp(leaseId, value)), pair);
	const { fundedUntil } = fields(eventOf(events, 'leases', 'LeaseToppedUp'));
	const until = fundedUntil.unwrapOr(null)?.toNumber() ?? null;
	const thawed = events.some(({ section, method }) => section === 'leases' && method === 'LeaseThawed');
	answer(
		args,
		{ lease: leaseId, amount: value, fundedUntil: until, thawed },
		`${amount(value, paidIn)} more held${until ? `, funded until ${moment(until)}` : ''}${thawed ? '; the lease goes on' : ''}.\n`,
	);
});
