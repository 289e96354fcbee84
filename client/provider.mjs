#!/usr/bin/env node
// Become a provider: register, bond stake, name the worker's key, add the GPUs that the worker found.

import { callNode, connect, CONNECTION, keyPair } from './lib/chain.mjs';
import { UserError, main, options, step } from './lib/cli.mjs';
import { mill } from './lib/format.mjs';
import { number, plancks } from './lib/input.mjs';
import { becomeProvider, classOf, waitUntilLive, workerOf } from './lib/market.mjs';

const args = options(
	'node client/provider.mjs --account SURI [options]',
	'Makes an account a provider: registers it, bonds its stake, names its worker key and adds its GPUs.\nCan be run again: it does only what is missing. Several accounts of one owner: see group.mjs.',
	{
		...CONNECTION,
		endpoint: { value: 'URL', help: 'address at which renters reach your node [default: the value of --url]' },
		country: { value: 'CC', default: 'ZZ', help: 'where your machines are: two capital letters, ISO 3166' },
		network: { value: 'ASN', default: '0', help: 'number of your autonomous system, 0 if not declared' },
		worker: { value: 'ADDRESS', help: "the worker key's account [default: the key in the node's keystore]" },
		bond: { value: 'MILL', help: 'stake to bond in all [default: what your GPUs need]' },
		wait: { help: "wait until the worker's first report arrived" },
	},
	['node client/provider.mjs --account //Bob --country DE --bond 1000 --wait'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const api = await connect(args.url);
	const found = await callNode(api, 'worker_devices');
	if (!found.length) throw new UserError(`the node at ${args.url} has found no device: start it with --worker (see millrace-node --help)`);
	const devices = [];
	for (const device of found) devices.push({ ...device, classId: await classOf(api, device) });
	const worker = args.worker ?? (await workerOf(api));
	let needed = 0n;
	for (const { classId } of devices) needed += (await api.query.providers.classes(classId)).unwrap().minBond.toBigInt();
	const bond = args.bond ? plancks(args.bond) : needed;
	step(`Becoming a provider with ${devices.length} device(s) and ${mill(bond)} of stake`);
	await becomeProvider(api, pair, {
		endpoint: args.endpoint ?? args.url,
		country: args.country,
		network: number(args.network, 'network'),
		worker,
		devices,
		bond,
	});
	if (args.wait) {
		step("Waiting for the worker's first report");
		await waitUntilLive(api, pair.address);
	}
	process.stdout.write(`${pair.address}\n`);
});
