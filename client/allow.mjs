#!/usr/bin/env node
// Let another account rent in your name, within limits; or take that back.

import { CONNECTION, connect, eventOf, fields, keyPair, send } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, options } from './lib/cli.mjs';
import { amount, moment, table } from './lib/format.mjs';
import { address, asset, milliseconds, units } from './lib/input.mjs';

const args = options(
	'node client/allow.mjs --account SURI [--to ADDRESS (--amount AMOUNT --max-rate AMOUNT | --revoke)] [options]',
	'Gives an account (a colleague, a program, an agent) an allowance: it may order, fund and close leases in your name, up to an amount in\nall and a price per second of each order, until it ends. What comes back from a lease comes back to you, and does not fill the allowance again.\nWithout --to it lists the allowances that you gave.',
	{
		...CONNECTION,
		to: { value: 'ADDRESS', help: 'the delegate' },
		amount: { value: 'AMOUNT', help: 'how much it may commit in all: MILL, or units of --asset' },
		'max-rate': { value: 'AMOUNT', help: 'highest price of one order, per second' },
		asset: { value: 'ASSET', default: 'native', help: 'what it may spend: native, or token:N' },
		lifetime: { value: 'TIME', default: '7d', help: 'for how long' },
		revoke: { help: 'take the allowance back' },
		...JSON_OUTPUT,
	},
	[
		'node client/allow.mjs --account //Charlie --to 5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy --amount 50 --max-rate 0.01',
		'node client/allow.mjs --account //Charlie --to 5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy --revoke',
		'node client/order.mjs --account //Dave --for 5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y   # the delegate orders',
	],
);

await main(async () => {
	const pair = keyPair(args.account);
	const to = args.to && address(args.to, 'to');
	if (to && Boolean(args.revoke) === Boolean(args.amount)) throw new UserError('either grant with --amount and --max-rate, or take back with --revoke');
	if (to && !args.revoke && !args['max-rate']) throw new UserError('--max-rate is missing: the highest price of one order, per second, such as 0.01');
	const paidIn = asset(args.asset);
	const grant = to && !args.revoke && [units(args.amount, paidIn), units(args['max-rate'], paidIn), milliseconds(args.lifetime)];
	const api = await connect(args.url);
	if (!to) return list(api, pair.address);
	if (args.revoke) {
		await send(api, api.tx.allowances.revoke(to), pair);
		return answer(args, { owner: pair.address, delegate: to, revoked: true }, `${to} may spend nothing of yours any more.\n`);
	}
	const [most, rate, lifetime] = grant;
	const { events } = await send(api, api.tx.allowances.grant(to, paidIn, most, rate, lifetime), pair);
	const expiresAt = fields(eventOf(events, 'allowances', 'Granted')).expiresAt.toNumber();
	return answer(
		args,
		{ owner: pair.address, delegate: to, amount: most, maxRate: rate, expiresAt },
		`${to} may commit ${amount(most, paidIn)} in your name, at no more than ${amount(rate, paidIn)} a second each, until ${moment(expiresAt)}.\n`,
	);
});

async function list(api, owner) {
	const entries = (await api.query.allowances.allowances.entries(owner)).map(([key, value]) => ({ delegate: key.args[1].toString(), ...value.unwrap().toJSON(), asset: value.unwrap().asset }));
	const rows = entries.map(({ delegate, remaining, maxRate, expiresAt, asset: paidIn }) => [delegate, amount(remaining, paidIn), amount(maxRate, paidIn), moment(expiresAt)]);
	answer(args, entries, rows.length ? table(['delegate', 'left', 'most per second', 'until'], rows) : 'You gave no allowances.\n');
}
