#!/usr/bin/env node
// What this machine does with a development chain: transfers and reports per second, blocks from order to first attestation.

import { writeFileSync } from 'node:fs';
import { callNode, connect, CONNECTION, heads, keyPair, send } from './lib/chain.mjs';
import { main, note, options, step } from './lib/cli.mjs';
import { plancks } from './lib/input.mjs';
import { awaitEvent, closeLease } from './lib/leases.mjs';
import { becomeProvider, classOf, postAsk, waitUntilLive, workerOf } from './lib/market.mjs';
import { rentNow } from './lib/orders.mjs';
import { orderTerms } from './lib/terms.mjs';

const args = options(
	'node client/bench.mjs [options]',
	'Measures a development chain: keep-alive transfers and provider reports per second through one node, with the pool kept full,\nand how many blocks a lease waits for its first attestation. scripts/bench starts the node.',
	{
		url: CONNECTION.url,
		metrics: { value: 'URL', help: "a second node's Prometheus page: that node follows the first, and its import time is measured" },
		accounts: { value: 'N', default: '1000', help: 'accounts that send transfers, and then reports' },
		rounds: { value: 'N', default: '3', help: 'transfers per account' },
		leases: { value: 'N', default: '3', help: 'leases opened one after the other' },
		json: { value: 'FILE', help: 'write the figures as JSON' },
	},
	['scripts/bench --json bench.json'],
);

/** Best block of the following node, and the seconds that it has spent on verifying and importing blocks. */
async function importer(url) {
	const text = await (await fetch(url)).text();
	const value = (pattern) => Number(new RegExp(`^${pattern}[^\\n]* ([0-9.e+-]+)$`, 'm').exec(text)?.[1] ?? NaN);
	return { best: value('substrate_block_height\\{.*status="best"'), seconds: value('substrate_block_verification_and_import_time_sum') };
}

/** Waits until the following node has imported a block; returns the seconds that it has spent on importing so far. */
async function imported(url, block) {
	for (let tries = 0; tries < 600; tries += 1) {
		const state = await importer(url);
		if (!Number.isFinite(state.seconds)) throw new Error(`${url} has no import times`);
		if (state.best >= block) return state.seconds;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`the node behind ${url} does not follow`);
}

// Transactions that are sent at a time.
const WINDOW = 200;

/** Parts of a list, each as long as a window. */
function* windows(list) {
	for (let at = 0; at < list.length; at += WINDOW) yield list.slice(at, at + WINDOW);
}

/**
 * Sends signed transactions, a window at a time as `parts` gives them, until all are in blocks. Says how many a second the chain included, which
 * its slots limit, and how many a second the following node imported, which is what they cost.
 */
async function throughput(api, name, isMine, parts) {
	const before = args.metrics && (await imported(args.metrics, (await heads(api)).best));
	const from = (await heads(api)).best;
	const started = Date.now();
	let count = 0;
	let sent = 0;
	for await (const part of parts) {
		const window = part.map((tx) => callNode(api, 'author_submitExtrinsic', tx.toHex()));
		sent += window.length;
		// A report whose epoch ended meanwhile is refused; what is refused is not counted.
		count += (await Promise.allSettled(window)).filter(({ status }) => status === 'fulfilled').length;
	}
	if (count === 0 || count < sent / 4) throw new Error(`only ${count} of ${sent} ${name} were accepted: is the machine busy?`);
	const submitted = Date.now();
	const perBlock = new Map();
	let seen = 0;
	let next = from + 1;
	while (seen < count) {
		const { best } = await heads(api);
		for (; next <= best; next += 1) {
			const at = await api.at(await api.rpc.chain.getBlockHash(next));
			const found = (await at.query.system.events()).filter(({ event }) => isMine(event)).length;
			seen += found;
			if (found) perBlock.set(next, found);
			process.stderr.write(`\r    ${name}: ${seen} of ${count} in blocks `);
		}
		if (Date.now() - submitted > 120_000) throw new Error(`only ${seen} of ${count} ${name} were included`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	process.stderr.write('\n');
	const blocks = [...perBlock.keys()];
	const time = async (number) => (await (await api.at(await api.rpc.chain.getBlockHash(number))).query.timestamp.now()).toNumber();
	const seconds = ((await time(blocks.at(-1))) - (await time(blocks[0] - 1))) / 1000;
	const figures = {
		count,
		blocks: blocks.length,
		includedPerSecond: Math.round(count / seconds),
		mostInOneBlock: Math.max(...perBlock.values()),
		submittedInMs: submitted - started,
	};
	if (args.metrics) {
		const importSeconds = (await imported(args.metrics, blocks.at(-1))) - before;
		Object.assign(figures, {
			importSeconds: Number(importSeconds.toFixed(4)),
			importedPerSecond: Math.round(count / importSeconds),
			microsecondsEach: Number(((importSeconds * 1e6) / count).toFixed(1)),
		});
	}
	return figures;
}

const summary = ({ includedPerSecond, importedPerSecond, mostInOneBlock }) =>
	`${importedPerSecond ? `${importedPerSecond} imported a second; ` : ''}${includedPerSecond} included a second, at most ${mostInOneBlock} in a block`;

const nonces = async (api, pairs) => Promise.all(pairs.map(async (pair) => (await api.rpc.system.accountNextIndex(pair.address)).toNumber()));

/** Sends one transaction per pair and waits until all are in blocks. */
async function everyone(api, pairs, makeTx) {
	const start = await nonces(api, pairs);
	for (let at = 0; at < pairs.length; at += 200) {
		await Promise.all(pairs.slice(at, at + 200).map((pair, i) => makeTx(pair).signAsync(pair, { nonce: start[at + i], era: 0 }).then((tx) => api.rpc.author.submitExtrinsic(tx))));
	}
	while ((await api.rpc.author.pendingExtrinsics()).length) await new Promise((resolve) => setTimeout(resolve, 300));
}

/**
 * One report of each worker whose epoch lasts for some blocks yet, a window at a time: a report is good in its epoch only, so
 * that it is signed shortly before it is sent. Epochs begin at different blocks for different providers.
 */
async function* reportsOf(api, workers) {
	for (const part of windows(workers)) {
		const views = await Promise.all(part.map((pair) => api.call.workerApi.workerView(pair.address)));
		const head = await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead());
		const best = (await heads(api)).best;
		const signed = [];
		for (const [i, pair] of part.entries()) {
			const view = views[i].unwrap();
			if (view.epochEnds.toNumber() < best + 3) continue;
			const report = { epoch: view.epoch.toNumber(), finalisedNumber: head.number, finalisedHash: head.hash, gpus: [], leases: [] };
			signed.push(await api.tx.attestation.report(report).signAsync(pair, { nonce: 0, era: 0 }));
		}
		yield signed;
	}
}

await main(async () => {
	const api = await connect(args.url, { timeoutMs: 60_000 });
	const count = Number(args.accounts);
	const rounds = Number(args.rounds);
	const figures = {};

	step(`Making ${count} accounts`);
	const alice = keyPair('//Alice');
	const owners = Array.from({ length: count }, (_, i) => keyPair(`//Bench//${i}`));
	const workers = Array.from({ length: count }, (_, i) => keyPair(`//Bench//${i}//worker`));
	for (let at = 0; at < count; at += 250) {
		const calls = owners.slice(at, at + 250).map((pair) => api.tx.balances.transferKeepAlive(pair.address, plancks('200')));
		await send(api, api.tx.utility.batchAll(calls), alice);
	}

	step(`Transfers: ${count * rounds} between existing accounts`);
	const start = await nonces(api, owners);
	const transfers = [];
	for (let round = 0; round < rounds; round += 1) {
		for (let i = 0; i < count; i += 1) {
			const tx = api.tx.balances.transferKeepAlive(owners[(i + 1) % count].address, 1_000_000_000n);
			transfers.push(await tx.signAsync(owners[i], { nonce: start[i] + round, era: 0 }));
		}
	}
	const isTransfer = (event) => event.section === 'balances' && event.method === 'Transfer';
	figures.transfers = await throughput(api, 'transfers', isTransfer, windows(transfers));
	note(summary(figures.transfers));

	step(`Reports: one of each of ${count} providers`);
	await everyone(api, owners, (pair) => {
		const i = owners.indexOf(pair);
		return api.tx.utility.batchAll([
			api.tx.providers.register('ws://127.0.0.1:1', 'ZZ', 0),
			api.tx.providers.bond(plancks('100')),
			api.tx.providers.setWorker(workers[i].address),
		]);
	});
	const isReport = (event) => event.section === 'attestation' && event.method === 'Reported';
	figures.reports = await throughput(api, 'reports', isReport, reportsOf(api, workers));
	note(summary(figures.reports));

	step(`Leases: blocks from order to first attestation, ${args.leases} times`);
	const bob = keyPair('//Bob');
	let devices = [];
	for (let tries = 0; tries < 60 && !devices.length; tries += 1) {
		devices = await callNode(api, 'worker_devices');
		if (!devices.length) await new Promise((resolve) => setTimeout(resolve, 500));
	}
	for (const device of devices) device.classId = await classOf(api, device);
	await becomeProvider(api, bob, { endpoint: args.url, country: 'ZZ', network: 0, worker: await workerOf(api), devices, bond: 10n ** 15n });
	await waitUntilLive(api, bob.address);
	const { classId } = devices[0];
	const price = plancks('0.001');
	await postAsk(api, bob, { classId, gpus: 1, price, minTermMs: 5_000, maxTermMs: 3_600_000, lifetimeMs: 86_400_000 });
	figures.blocksFromOrderToFirstAttestation = [];
	for (let i = 0; i < Number(args.leases); i += 1) {
		const lease = await rentNow(api, keyPair('//Charlie'), orderTerms({ classId, maxPrice: price, termMs: 600_000 }));
		const { block: ready } = await awaitEvent(api, 'LeaseReady', { lease: lease.lease, from: lease.block });
		figures.blocksFromOrderToFirstAttestation.push(ready - lease.block);
		await closeLease(api, keyPair('//Charlie'), lease.lease);
	}
	note(figures.blocksFromOrderToFirstAttestation.join(', '));
	const text = `${JSON.stringify(figures, null, '\t')}\n`;
	if (args.json) writeFileSync(args.json, text);
	else process.stdout.write(text);
	await api.disconnect();
});
