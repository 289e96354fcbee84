#!/usr/bin/env node
// Place an order of any kind: matched at once, resting, scheduled, for one node or a gang.

import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { JSON_OUTPUT, answer, main, note, options, patiently, step } from './lib/cli.mjs';
import { amount, duration, moment, plural, short, table } from './lib/format.mjs';
import { address } from './lib/input.mjs';
import { putBlobs, readJob } from './lib/job.mjs';
import { endpointOf } from './lib/market.mjs';
import { awaitLease, placeOrder } from './lib/orders.mjs';
import { ORDER, termsOf } from './lib/terms.mjs';

const args = options(
	'node client/order.mjs --account SURI [options]',
	'Places an order. It takes the cheapest asks that satisfy it, all nodes or none; with --start it waits for its time, and with\n--rest for capacity. Prints the number of the order, which is that of its lease too. What it can cost at most is held in your own\naccount; what is not attested comes back.',
	{
		...CONNECTION,
		...ORDER,
		job: { value: 'FOLDER', multiple: true, help: 'job that starts with the lease: the first on node 0, the second on node 1, …' },
		wait: { help: 'if the order waits, wait with it until it is a lease' },
		for: { value: 'ADDRESS', help: 'order in the name of this account, which gave you an allowance (allow.mjs)' },
		...JSON_OUTPUT,
	},
	[
		'node client/order.mjs --account //Charlie --max-price 0.004 --term 1h --job jobs/digits',
		'node client/order.mjs --account //Charlie --nodes 2 --max-per-owner 1 --failover-premium 25%',
		'node client/order.mjs --account //Charlie --country DE,FR --rest 1d --wait',
		'node client/order.mjs --account //Charlie --open-ended --term 2h',
	],
);

await main(async () => {
	const pair = keyPair(args.account);
	const owner = args.for && address(args.for, 'for');
	const jobs = (args.job ?? []).map(readJob);
	const terms = termsOf(args, { plans: jobs.map(({ plan }) => plan) });
	const api = await connect(args.url);
	if (terms.startsAt !== null) terms.startsAt = terms.startsAt - Date.now() + (await api.query.timestamp.now()).toNumber();
	step(`Ordering ${plural(terms.nodes, 'node')} of ${plural(terms.gpusPerNode, 'GPU')} at no more than ${amount(terms.maxPrice, terms.asset)} a GPU and second`);
	const placed = await placeOrder(api, pair, terms, { owner });
	let { lease } = placed;
	if (placed.waits) {
		note(`order ${placed.order} waits (${placed.waits.for.type.toLowerCase()}), at the longest until ${moment(placed.waits.expiresAt)}`);
		if (args.wait) lease = await patiently('still waiting', awaitLease(api, placed, { timeoutMs: placed.waits.expiresAt - Date.now() + 60_000 }));
	}
	if (lease) await deliver(api, lease, jobs);
	answer(args, { order: placed.order, lease: lease ?? null, expiresAt: placed.waits?.expiresAt ?? null }, `${placed.order}\n`);
	if (lease) {
		const rows = lease.nodes.map(({ node, provider, price }) => [node, provider, amount(price, terms.asset)]);
		process.stderr.write(table(['node', 'provider', 'per GPU and second'], rows).replace(/^/gm, '    ').trimEnd() + '\n');
		note(`${amount(lease.deposit, terms.asset)} held, enough for ${duration(lease.fundedMs)}`);
	}
});

// The plan and inputs of each node's job go to that node.
async function deliver(api, lease, jobs) {
	for (const { node, provider } of lease.nodes) {
		if (!jobs[node]) continue;
		const endpoint = await endpointOf(api, provider);
		const host = await connect(endpoint);
		note(`node ${node}: ${await putBlobs(host, jobs[node])} bytes put to ${short(provider)} at ${endpoint}`);
		await host.disconnect();
	}
}
