#!/usr/bin/env node
// Post a standing offer.

import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { main, options, step } from './lib/cli.mjs';
import { duration, milliseconds, mill, plancks } from './lib/format.mjs';
import { postAsk } from './lib/market.mjs';

const args = options(
	'node client/ask.mjs --account SURI --price MILL [options]',
	"Posts an ask: a standing offer of a provider's GPUs. Prints the ask's number.",
	{
		...CONNECTION,
		class: { value: 'N', default: '0', help: 'GPU class (providers.classes lists them)' },
		gpus: { value: 'N', default: '1', help: 'GPUs offered' },
		price: { value: 'MILL', default: '0.001', help: 'price per GPU and second' },
		'min-term': { value: 'TIME', default: '1min', help: 'shortest lease: 90s, 15min, 2h, 7d' },
		'max-term': { value: 'TIME', default: '7d', help: 'longest lease' },
		lifetime: { value: 'TIME', default: '7d', help: 'how long the ask stands' },
	},
	['node client/ask.mjs --account //Bob --price 0.002 --max-term 2d'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const price = plancks(args.price);
	const terms = ['min-term', 'max-term', 'lifetime'].map((name) => milliseconds(args[name]));
	const api = await connect(args.url);
	step(`Offering ${args.gpus} GPU(s) of class ${args.class} at ${mill(price)} a second, for ${duration(terms[0])} to ${duration(terms[1])}`);
	const [minTermMs, maxTermMs, lifetimeMs] = terms;
	const ask = await postAsk(api, pair, { classId: Number(args.class), gpus: Number(args.gpus), price, minTermMs, maxTermMs, lifetimeMs });
	process.stdout.write(`${ask}\n`);
});
