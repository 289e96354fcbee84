#!/usr/bin/env node
// Take a provider, or one of its GPUs, out of the market without breaking a promise.

import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { JSON_OUTPUT, answer, main, note, options, step } from './lib/cli.mjs';
import { drain, hasBidder } from './lib/drain.mjs';
import { number } from './lib/input.mjs';

const args = options(
	'node client/drain.mjs --account SURI [--gpu N] [--reclaim] [--no-wait] [options]',
	"Withdraws a provider's asks and bids, so that nothing new begins, and waits until its leases are over: then its node can be stopped, and nothing is\nlost. With --reclaim it gives the notice that the asks promised, and waits for no end that is later. With --gpu only that GPU goes: when it is free it is removed\nfrom the chain, and the others are offered again as before.",
	{
		...CONNECTION,
		gpu: { value: 'N', help: 'index of the one GPU to drain (providers.gpus lists them) [default: all]' },
		reclaim: { help: 'give notice on the leases' },
		'no-wait': { help: 'do not wait for the leases to end; start it again to see how it stands' },
		...JSON_OUTPUT,
	},
	['node client/drain.mjs --account //Bob', 'node client/drain.mjs --account //Bob --reclaim', 'node client/drain.mjs --account //Bob --gpu 1 --json'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const gpu = args.gpu === undefined ? undefined : number(args.gpu, 'gpu');
	const api = await connect(args.url);
	step(gpu === undefined ? 'Draining the provider' : `Draining GPU ${gpu}`);
	const done = await drain(api, pair, { gpu, reclaim: Boolean(args.reclaim), wait: !args['no-wait'], say: note });
	if (await hasBidder(api, pair.address)) note('a bidder may offer it anew: start the worker without --worker-bid-policy, or remove the proxy of type Bidding');
	const advice = done.leases.length ? 'Not drained yet: keep the node running.\n' : gpu === undefined ? 'Drained: the node can be stopped. ask.mjs brings it back.\n' : 'Drained: the GPU is yours.\n';
	answer(args, done, advice);
});
