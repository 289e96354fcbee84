// The chain of the market scenario: a validator, and three provider nodes with a reference device each.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callNode, heads, keyPair, send } from '../lib/chain.mjs';
import { plancks } from '../lib/input.mjs';
import { becomeProvider, classOf, postAsk, waitUntilLive, workerOf } from '../lib/market.mjs';
import { sleep, startNetwork, temporaryFolder } from '../lib/nodes.mjs';

/** The providers: where they say that they are, and what they ask per GPU and second. */
export const PROVIDERS = {
	Bob: { country: 'DE', network: 64_500, price: plancks('0.002') },
	Dave: { country: 'FR', network: 64_501, price: plancks('0.003') },
	Eve: { country: 'DE', network: 64_502, price: plancks('0.004') },
};

const BIDDER = '//Eve//bidder';
const POLICY = `# Eve's worker bids by itself: always below the rivals, never above this price, and not below that.
undercut_percent = 5
reclaim_notice_seconds = 10

[[offer]]
class = 0
ceiling = "0.0029"
floor = "0.001"
`;

/**
 * Starts the nodes and returns the scenario's context: `api` of the validator, `renter`, and by name the `providers`, each
 * `{ pair, node, classId, ask, price }`. They are registered, bonded and live, and their asks stand in the book.
 */
export async function start({ binary, chain, folder = temporaryFolder(), validatorArgs, say = () => {} }) {
	const bids = offersBidding(binary);
	const hosts = Object.fromEntries(
		Object.keys(PROVIDERS).map((name) => [name, { keys: { gpuw: `//${name}//worker` }, args: ['--worker', '--worker-device', 'reference'] }]),
	);
	if (bids) {
		const policy = join(folder, 'bid-policy.toml');
		writeFileSync(policy, POLICY);
		hosts.Eve.keys.gpub = BIDDER;
		hosts.Eve.args.push('--worker-bid-policy', policy);
	}
	const { validator, hosts: nodes } = await startNetwork({ binary, chain, folder, hosts, validatorArgs });
	const { api } = validator;
	say('four nodes run: a validator, and those of Bob, Dave and Eve');
	while ((await heads(api)).finalised === 0) await sleep(250);
	const context = { api, validator, nodes, renter: keyPair('//Charlie'), council: [keyPair('//Alice'), keyPair('//Bob')], workerBids: bids, providers: {}, startedAt: (await heads(api)).best };
	await Promise.all(Object.keys(PROVIDERS).map(async (name) => (context.providers[name] = await provide(context, name))));
	if (bids) await letBidderBid(context);
	say('three providers are registered, bonded, live, and have posted asks');
	return context;
}

/** Whether this node's worker can bid by a policy. */
const offersBidding = (binary) => spawnSync(binary, ['--help'], { encoding: 'utf8' }).stdout.includes('--worker-bid-policy');

/** One provider, from its node's devices to its ask. */
async function provide({ api, nodes }, name) {
	const { country, network, price } = PROVIDERS[name];
	const [pair, node] = [keyPair(`//${name}`), nodes[name]];
	let devices = [];
	for (let tries = 0; tries < 240 && !devices.length; tries += 1, await sleep(250)) devices = await callNode(node.api, 'worker_devices');
	for (const device of devices) device.classId = await classOf(api, device);
	const worker = await workerOf(node.api);
	await becomeProvider(api, pair, { endpoint: node.url, country, network, group: null, worker, devices, bond: plancks('100') });
	await waitUntilLive(api, pair.address);
	const [{ classId }] = devices;
	const ask = await postAsk(api, pair, { classId, price, minTermMs: 5_000, maxTermMs: null, reclaimNoticeMs: 10_000 });
	return { name, pair, node, classId, ask, price };
}

// The bidder's key pays the fees of its bids, and may do nothing else in Eve's name.
async function letBidderBid({ api, providers: { Eve } }) {
	const bidder = keyPair(BIDDER).address;
	const calls = [api.tx.balances.transferKeepAlive(bidder, plancks('10')), api.tx.proxy.addProxy(bidder, 'Bidding', 0)];
	await send(api, api.tx.utility.batchAll(calls), Eve.pair);
}

/** Name of the account, if it is one of the scenario's. */
export const nameOf = ({ providers }, address) => Object.values(providers).find(({ pair }) => pair.address === String(address))?.name ?? String(address);
