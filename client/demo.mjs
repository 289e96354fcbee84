#!/usr/bin/env node
// The main job of `scripts/run`: one lease from the provider's bond to the receipt, on a development chain.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { callNode, connect, CONNECTION, heads, keyPair } from './lib/chain.mjs';
import { UserError, main, note, options, step } from './lib/cli.mjs';
import { picture, score } from './lib/digits.mjs';
import { duration, mill } from './lib/format.mjs';
import { plancks } from './lib/input.mjs';
import { readJob } from './lib/job.mjs';
import { addsUp } from './lib/leases.mjs';
import { becomeProvider, classOf, describeDevices, postAsk, waitUntilLive, workerOf } from './lib/market.mjs';
import { rent } from './lib/rent.mjs';

const DIGITS = fileURLToPath(new URL('../jobs/digits', import.meta.url));

const args = options(
	'node client/demo.mjs [options]',
	'Shows one lease from end to end on a development chain: //Bob becomes a provider with the devices that the node found,\n//Charlie rents one, has 1,797 handwritten digits classified on it, checks the result and gets the rest of the money back.',
	{
		url: CONNECTION.url,
		provider: { value: 'SURI', default: '//Bob', help: "the provider's account" },
		renter: { value: 'SURI', default: '//Charlie', help: "the renter's account" },
		price: { value: 'MILL', default: '0.002', help: 'price per GPU and second' },
		summary: { value: 'FILE', help: 'write what was printed as JSON' },
	},
	['scripts/run --exit --summary summary.json', 'node client/demo.mjs --url ws://127.0.0.1:9944'],
);

await main(async () => {
	const api = await connect(args.url, { timeoutMs: 60_000 });
	const [provider, renter] = [keyPair(args.provider), keyPair(args.renter)];

	step('Waiting for the first finalised block');
	while ((await heads(api)).finalised === 0) await new Promise((resolve) => setTimeout(resolve, 250));
	const { best, finalised } = await heads(api);
	note(`${await api.rpc.system.chain()}: best block ${best}, finalised ${finalised}`);

	const found = await callNode(api, 'worker_devices');
	if (!found.length) throw new UserError(`the node at ${args.url} has found no device: start it with --worker`);
	await describeDevices(api, found, keyPair('//Alice'));
	const devices = [];
	for (const device of found) devices.push({ ...device, classId: await classOf(api, device) });
	const { kind, name } = devices[0];
	let bond = 0n;
	for (const { classId } of devices) bond += (await api.query.providers.classes(classId)).unwrap().minBond.toBigInt();

	step(`Provider: ${name} (${kind}), bond ${mill(bond)}`);
	await becomeProvider(api, provider, {
		endpoint: args.url,
		country: 'ZZ',
		network: 0,
		worker: await workerOf(api),
		devices,
		bond,
	});
	await waitUntilLive(api, provider.address);
	note("the worker's first report arrived");

	const price = plancks(args.price);
	const { classId } = devices[0];
	const limits = { minTermMs: 5_000, maxTermMs: 3_600_000, lifetimeMs: 86_400_000 };
	const ask = await postAsk(api, provider, { classId, gpus: 1, price, ...limits });
	step(`Ask ${ask}: one GPU of class ${classId} at ${mill(price)} a second`);

	const order = { classId, maxPrice: price, termMs: 300_000 };
	step(`Order: one GPU for at most ${duration(order.termMs)}, classify 1,797 handwritten digits`);
	const { lease, result, progress, receipt } = await rent(api, renter, { job: readJob(DIGITS), order });

	const expected = `0x${readFileSync(`${DIGITS}/expected.blake3`, 'utf8').trim()}`;
	if (result.hash !== expected) throw new Error(`the output hash is ${result.hash}, and every device must give ${expected}`);
	const marks = score(DIGITS, result.bytes);
	step('Result');
	process.stdout.write(`${picture(DIGITS, result.bytes)}\n\n`);
	const percent = (share) => `${(100 * share).toFixed(2)} %`;
	const rows = [
		['device', `${name} (${kind})`],
		['output (BLAKE3)', result.hash],
		['accuracy, all digits', `${percent(marks.accuracy)} (${marks.right} of ${marks.digits})`],
		['accuracy, unseen digits', `${percent(marks.heldOutAccuracy)} of ${marks.heldOut}`],
		['order to ready', `${progress.readyAt - lease.block} blocks`],
		['order to result', `${progress.block - lease.block} blocks`],
		['order to final receipt', `${receipt.block - lease.block} blocks`],
	];
	for (const [label, value] of rows) process.stdout.write(`    ${label.padEnd(25)}${value}\n`);
	if (!addsUp(receipt)) throw new Error('the receipt does not add up');

	if (args.summary) {
		const summary = {
			accuracy: marks.accuracy,
			heldOutAccuracy: marks.heldOutAccuracy,
			outputHash: result.hash,
			device: { kind, name },
			lease: Number(lease.lease),
			price: price.toString(),
			deposited: receipt.deposited.toString(),
			paid: receipt.paid.toString(),
			fee: receipt.fee.toString(),
			refunded: receipt.refunded.toString(),
			attestedMs: receipt.attestedMs,
			blocks: {
				orderToReady: progress.readyAt - lease.block,
				orderToResult: progress.block - lease.block,
				orderToReceipt: receipt.block - lease.block,
			},
		};
		const existed = existsSync(args.summary);
		writeFileSync(args.summary, `${JSON.stringify(summary, null, '\t')}\n`);
		note(`${existed ? 'replaced' : 'wrote'} ${args.summary}`);
	}
	await api.disconnect();
});
