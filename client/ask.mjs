#!/usr/bin/env node
// Post a standing offer.

import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { main, options, step } from './lib/cli.mjs';
import { amount, duration } from './lib/format.mjs';
import { asset, count, milliseconds, number, units } from './lib/input.mjs';
import { postAsk } from './lib/market.mjs';

const args = options(
	'node client/ask.mjs --account SURI --price MILL [options]',
	"Posts an ask: a standing offer of a provider's GPUs. Prints the ask's number.",
	{
		...CONNECTION,
		class: { value: 'N', default: '0', help: 'GPU class (providers.classes lists them)' },
		gpus: { value: 'N', default: '1', help: 'GPUs offered' },
		price: { value: 'AMOUNT', default: '0.001', help: 'price per GPU and second: MILL, or units of --asset' },
		asset: { value: 'ASSET', default: 'native', help: 'what you are paid in: native, or token:N' },
		'min-term': { value: 'TIME', default: '1min', help: 'shortest lease: 90s, 15min, 2h, 7d' },
		'max-term': { value: 'TIME', default: '7d', help: 'longest lease; any: also leases without an end' },
		notice: { value: 'TIME', default: '1h', help: 'notice that you give before you take the GPUs back' },
		lifetime: { value: 'TIME', default: '7d', help: 'how long the ask stands' },
	},
	['node client/ask.mjs --account //Bob --price 0.002 --max-term 2d', 'node client/ask.mjs --account //Bob --price 0.002 --max-term any --notice 1d'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const paidIn = asset(args.asset);
	const terms = {
		classId: number(args.class, 'class'),
		gpus: count(args.gpus, 'gpus'),
		price: units(args.price, paidIn),
		asset: paidIn,
		minTermMs: milliseconds(args['min-term']),
		maxTermMs: args['max-term'] === 'any' ? null : milliseconds(args['max-term']),
		reclaimNoticeMs: milliseconds(args.notice),
		lifetimeMs: milliseconds(args.lifetime),
	};
	const api = await connect(args.url);
	const longest = terms.maxTermMs === null ? 'any time' : duration(terms.maxTermMs);
	step(`Offering ${args.gpus} GPU(s) of class ${args.class} at ${amount(terms.price, paidIn)} a second, for ${duration(terms.minTermMs)} to ${longest}`);
	process.stdout.write(`${await postAsk(api, pair, terms)}\n`);
});
