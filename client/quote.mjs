#!/usr/bin/env node
// What an order would get now, and if it would get nothing, why not, ask by ask. Holds and reserves nothing.

import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, options } from './lib/cli.mjs';
import { amount, table } from './lib/format.mjs';
import { address } from './lib/input.mjs';
import { quote } from './lib/reads.mjs';
import { ORDER, termsOf } from './lib/terms.mjs';
import { reasonFor } from './lib/refusals.mjs';

const args = options(
	'node client/quote.mjs [--account SURI | --renter ADDRESS] [options]',
	'Asks the node what an order would get now. If nothing: the reason that is closest to a match, and the reason of each ask that\nwas looked at, cheapest first. The options are those of order.mjs. Ends with status 3 when the order would not be matched.',
	{ ...CONNECTION, renter: { value: 'ADDRESS', help: 'whose order it would be, without a key [default: the address of --account]' }, ...ORDER, ...JSON_OUTPUT },
	[
		'node client/quote.mjs --account //Charlie --max-price 0.004',
		'node client/quote.mjs --account //Charlie --nodes 2 --max-per-owner 1 --country DE,FR --min-uptime 99%',
		'node client/quote.mjs --account //Charlie --nodes 8 --json | jq .asks',
	],
);

await main(async () => {
	if (!args.renter && !args.account) throw new UserError('whose order? name an account with --account //Charlie, or an address with --renter');
	const renter = args.renter ? address(args.renter, 'renter') : keyPair(args.account).address;
	const terms = termsOf(args);
	const api = await connect(args.url);
	const found = await quote(api, renter, terms);
	answer(args, found, say(found, terms));
	if (found.kind !== 'match') process.exit(3);
});

function say(found, { asset, nodes }) {
	if (found.kind === 'match') {
		const rows = found.nodes.map(({ provider, ask, price }, node) => [node, provider, ask, amount(price, asset)]);
		return `${table(['node', 'provider', 'ask', 'per GPU and second'], rows)}\n${amount(found.rate, asset)} a second in all; ${amount(found.deposit, asset)} would be held.\n`;
	}
	if (found.kind === 'invalid') return `The order would be refused: leases.${found.error}.\n`;
	const head = `No match: ${found.nodesFound} of ${nodes} node(s) can be had. ${reasonFor(found.closest)}\n`;
	return found.asks.length ? `${head}\n${table(['ask', 'why not'], found.asks.map(({ ask, refusal }) => [ask, reasonFor(refusal)]))}` : head;
}
