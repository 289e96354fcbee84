// The chain of a scenario: a validator, and provider nodes with a reference device each.

import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callNode, heads, keyPair, send } from '../lib/chain.mjs';
import { UserError } from '../lib/cli.mjs';
import { plancks } from '../lib/input.mjs';
import { becomeProvider, classOf, describeDevices, postAsk, waitUntilLive, workerOf } from '../lib/market.mjs';
import { checkProgram, sleep, startNetwork, temporaryFolder } from '../lib/nodes.mjs';

/** The market scenario's providers: where they say that they are, and what they ask per GPU and second. */
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

/** What a provider bonds if its profile does not say otherwise. */
export const BOND = plancks('100');

/** Starts the nodes and makes the providers ready: what `startNodes` returns, after `enlist`. */
export async function start(options) {
	const context = await startNodes(options);
	try {
		await enlist(context);
	} catch (error) {
		await Promise.all([context.validator, ...Object.values(context.nodes)].map((node) => node.kill('SIGKILL')));
		throw error;
	}
	return context;
}

/**
 * Starts the nodes and returns the scenario's context: `api` of the validator, `nodes` of the providers by name, `renter`, `council`,
 * and `providers`, which `enlist` fills in. `profiles` are those of the providers, like `PROVIDERS`, with a `bond` if it is not `BOND`, and
 * with more `args` and `env` of their nodes.
 */
export async function startNodes({ binary, chain, folder = temporaryFolder(), validatorArgs, profiles = PROVIDERS, renter = '//Charlie', council = ['//Alice', '//Bob'] }) {
	const bids = 'Eve' in profiles && checkProgram(binary).includes('--worker-bid-policy');
	const hosts = Object.fromEntries(
		Object.entries(profiles).map(([name, { args = [], env }]) => [
			name,
			{ keys: { gpuw: `//${name}//worker` }, args: ['--worker', '--worker-device', 'reference', ...args], env },
		]),
	);
	if (bids) {
		const policy = join(folder, 'bid-policy.toml');
		writeFileSync(policy, POLICY);
		hosts.Eve.keys.gpub = BIDDER;
		hosts.Eve.args.push('--worker-bid-policy', policy);
	}
	const { validator, hosts: nodes } = await startNetwork({ binary, chain, folder, hosts, validatorArgs });
	const { api } = validator;
	while ((await heads(api)).finalised === 0) await sleep(250);
	return { api, validator, nodes, profiles, renter: keyPair(renter), council: council.map(keyPair), workerBids: bids, providers: {}, startedAt: (await heads(api)).best };
}

/**
 * Makes those whose nodes these are providers: registered, bonded and live, with their asks in the book. Each is in `context.providers`
 * as `{ name, pair, node, devices, classId, ask, price, … }` then.
 */
export async function enlist(context) {
	await Promise.all(Object.keys(context.profiles).map(async (name) => (context.providers[name] = await provide(context, name))));
	if (context.workerBids) await letBidderBid(context);
}

/** Makes the folder, or says why the nodes cannot keep their data there: the scenario starts with a chain of its own. */
export function prepareFolder(folder, profiles = PROVIDERS) {
	try {
		// Where a folder cannot be made, a recursive one may not come back, so its parent has to be there.
		if (!existsSync(folder)) mkdirSync(folder);
		accessSync(folder, constants.W_OK);
	} catch (error) {
		throw new UserError(`${folder} cannot be used for the nodes' data (${error.code}): give a folder whose parent is there and that you may write to`);
	}
	const old = ['validator', ...Object.keys(profiles)].find((name) => existsSync(join(folder, name)));
	if (old) throw new UserError(`${folder} has the data of an earlier run (${old}): give an empty folder, or remove that`);
}

/** One provider, from its node's devices to its ask. */
async function provide({ api, nodes, profiles }, name) {
	const { country, network, price, bond = BOND } = profiles[name];
	const [pair, node] = [keyPair(`//${name}`), nodes[name]];
	let devices = [];
	for (let tries = 0; tries < 240 && !devices.length; tries += 1, await sleep(250)) devices = await callNode(node.api, 'worker_devices');
	if (!devices.length) throw new Error(`${name}'s node has found no device to offer: ${(await callNode(node.api, 'worker_status')).notice ?? 'its worker does not say why'}`);
	await describeDevices(api, devices, keyPair('//Alice'), { say: () => {} });
	for (const device of devices) device.classId = await classOf(api, device);
	const worker = await workerOf(node.api);
	await becomeProvider(api, pair, { endpoint: node.url, country, network, worker, devices, bond, say: () => {} });
	await waitUntilLive(api, pair.address);
	const [{ classId }] = devices;
	const ask = await postAsk(api, pair, { classId, price, minTermMs: 5_000, maxTermMs: null, reclaimNoticeMs: 10_000 });
	return { name, pair, node, devices, classId, ask, price, bond, country, network };
}

// The bidder's key pays the fees of its bids, and may do nothing else in Eve's name.
async function letBidderBid({ api, providers: { Eve } }) {
	const bidder = keyPair(BIDDER).address;
	const calls = [api.tx.balances.transferKeepAlive(bidder, plancks('10')), api.tx.proxy.addProxy(bidder, 'Bidding', 0)];
	await send(api, api.tx.utility.batchAll(calls), Eve.pair);
}

/** Name of the account, if it is one of the scenario's. */
export const nameOf = ({ providers }, address) => Object.values(providers).find(({ pair }) => pair.address === String(address))?.name ?? String(address);
