// Starts real nodes for the end-to-end tests, and makes bad kernels for them.

import assert from 'node:assert/strict';
import { callNode, DispatchFailed, eventsOf, fields, heads, keyPair } from '../../lib/chain.mjs';
import { becomeProvider, classOf, describeDevices, postAsk, waitUntilLive, workerOf } from '../../lib/market.mjs';
import { ALONE, LocalNode, sleep } from '../../lib/nodes.mjs';
import { LOOP } from '../../lib/spin.mjs';

export { freePort, sleep } from '../../lib/nodes.mjs';
export { LOOP, spin } from '../../lib/spin.mjs';

export const BINARY = process.env.MILLRACE_NODE;
if (!BINARY) throw new Error('MILLRACE_NODE must name the node binary; scripts/test sets it');

/** A development chain of one node, which is a validator and //Bob's provider node. */
export class Chain extends LocalNode {
	constructor(worker = ['--worker', '--worker-device', 'reference'], env = {}) {
		super({ binary: BINARY, keys: { gpuw: '//Bob//worker' }, args: [...ALONE, ...worker], env });
	}

	/** //Bob as a live provider with the devices that the node found, and an ask. */
	async provider({ price = 2_000_000_000n, account = '//Bob' } = {}) {
		const { api } = this;
		const pair = keyPair(account);
		let devices = [];
		for (let tries = 0; tries < 120 && !devices.length; tries += 1, await sleep(250)) devices = await callNode(api, 'worker_devices');
		await describeDevices(api, devices, keyPair('//Alice'), { say: () => {} });
		for (const device of devices) device.classId = await classOf(api, device);
		const worker = await workerOf(api);
		await becomeProvider(api, pair, { endpoint: this.url, country: 'ZZ', network: 0, worker, devices, bond: 10n ** 15n });
		await waitUntilLive(api, pair.address);
		const [{ classId }] = devices;
		const ask = await postAsk(api, pair, { classId, price, minTermMs: 5_000, maxTermMs: 3_600_000 });
		return { pair, devices, ask, price, classId };
	}
}

/** The transaction fails on the chain with this error, whose text says something. */
export async function refused(promise, name) {
	await assert.rejects(promise, (error) => {
		assert.ok(error instanceof DispatchFailed, `${error.message} is not an error of the chain`);
		assert.equal(error.name, name);
		assert.ok(error.message.length > name.length + 10, 'the error has a text');
		return true;
	});
}

export const ENDLESS = LOOP.replace('@%p1 bra $again', 'bra $again');
export const OUT_OF_BOUNDS = LOOP.replace('[%rd2]', '[%rd2+4096]');
export const UNSUPPORTED = LOOP.replace('add.s32 %r2, %r2, 1;', 'tex.1d.v4.s32.s32 {%r2,%r2,%r2,%r2}, [%rd1, {%r2}];');

/** Waits for a condition, and returns what it gave. */
export async function until(condition, what, timeoutMs = 60_000) {
	for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(100)) {
		const found = await condition();
		if (found) return found;
	}
	throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
}

/** Waits until the chain has taken so many more reports of a provider's worker, in further epochs. */
export async function moreReports(api, address, count, timeoutMs = 60_000) {
	const last = async () => (await api.query.attestation.lastReports(address)).unwrap().epoch.toNumber();
	const before = await last();
	await until(async () => (await last()) >= before + count, `${count} more reports`, timeoutMs);
}

/** The results that the chain has of a lease, in their order, as `[job, outcome]`: at the best block, and from the lease's first on. */
export async function resultsOf(api, { lease, block }) {
	const events = await eventsOf(api, 'leases', block, (await heads(api)).best);
	const finished = events.filter(({ event }) => event.method === 'JobFinished').map(({ event }) => fields(event));
	const mine = finished.filter((data) => data.lease.toString() === lease);
	return mine.map(({ job, outcome }) => [job.toNumber(), outcome.isFailed ? outcome.asFailed.type : outcome.type]);
}

/** All events from block 1 to `to`, as `{ block, section, method, data }` with fields by name. */
export async function allEvents(api, to) {
	const list = [];
	for (let block = 1; block <= to; block += 1) {
		const at = await api.at(await api.rpc.chain.getBlockHash(block));
		for (const { event, phase } of await at.query.system.events()) {
			const data = Object.fromEntries(event.data.names?.map((name, i) => [name, event.data[i]]) ?? []);
			list.push({ block, phase, section: event.section, method: event.method, data });
		}
	}
	return list;
}
