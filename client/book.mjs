#!/usr/bin/env node
// The book: how many GPUs can be leased at which price now.

import { CONNECTION, connect } from './lib/chain.mjs';
import { JSON_OUTPUT, answer, main, options } from './lib/cli.mjs';
import { amount, bar, plural, table } from './lib/format.mjs';
import { asset, number } from './lib/input.mjs';
import { depth } from './lib/reads.mjs';

const args = options(
	'node client/book.mjs [options]',
	'Shows the standing offers of a class that can be taken now, cheapest first: a line per price, with a bar as long as its GPUs.',
	{
		url: CONNECTION.url,
		class: { value: 'N', default: '0', help: 'GPU class (providers.classes lists them)' },
		asset: { value: 'ASSET', default: 'native', help: 'what they are paid in: native, or token:N' },
		...JSON_OUTPUT,
	},
	['node client/book.mjs --class 0', "node client/book.mjs --json | jq '.levels[0].price'"],
);

await main(async () => {
	const paidIn = asset(args.asset);
	const classId = number(args.class, 'class');
	const api = await connect(args.url);
	const book = await depth(api, classId, paidIn);
	answer(args, book, draw(book, paidIn));
});

/** The book as text. */
function draw({ levels, restingOrders, truncated }, paidIn) {
	const most = Math.max(0, ...levels.map(({ gpus }) => gpus));
	const rows = levels.map(({ price, gpus, asks }) => [amount(price, paidIn), gpus, asks, bar(gpus, most)]);
	const chart = rows.length ? table(['per GPU and second', 'GPUs', 'asks', ''], rows) : 'No GPUs of this class are offered in this asset.\n';
	return `${chart}${truncated ? '…and more\n' : ''}${restingOrders ? `${plural(restingOrders, 'order')} wait for capacity.\n` : ''}`;
}
