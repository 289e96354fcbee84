// The provider's node gets SIGKILL in the middle of a fetch, and goes on where it was.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { callNode, keyPair, send } from '../../lib/chain.mjs';
import { blobHash, getBlob, putBlobs } from '../../lib/job.mjs';
import { followJob } from '../../lib/leases.mjs';
import { becomeProvider, classOf, postAsk, waitUntilLive, workerOf } from '../../lib/market.mjs';
import { startNetwork, temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { BINARY, sleep, spin } from './harness.mjs';

const MIB = 2 ** 20;
// Large enough to be caught in the middle of, on one machine.
const BYTES = 192 * MIB;
const LARGE = ['--worker-max-blob', '256'];
const PRICE = 10n ** 9n;

const folder = temporaryFolder();
const workerFolder = (node) => join(node.folder, 'chains', 'dev', 'worker');
const bob = keyPair('//Bob');
const charlie = keyPair('//Charlie');
let validator, host, lease, input;

before(async () => {
	({ validator, hosts: { host } } = await startNetwork({
		binary: BINARY,
		folder,
		hosts: { host: { keys: { gpuw: '//Bob//worker' }, args: ['--worker', '--worker-device', 'reference', ...LARGE] } },
		validatorArgs: LARGE,
	}));
	const { api } = host;
	let devices = [];
	while (!(devices = await callNode(api, 'worker_devices')).length) await sleep(250);
	for (const device of devices) device.classId = await classOf(api, device);
	await becomeProvider(api, bob, { endpoint: host.url, country: 'ZZ', network: 0, worker: await workerOf(api), devices, bond: 10n ** 15n });
	await waitUntilLive(api, bob.address);
	await postAsk(api, bob, { classId: devices[0].classId, price: PRICE, minTermMs: 5_000, maxTermMs: 3_600_000 });
	lease = await rentNow(validator.api, charlie, orderTerms({ classId: devices[0].classId, maxPrice: PRICE, termMs: 900_000 }));
	input = await placeBlob();
});
after(() => Promise.all([validator, host].map((node) => node?.stop())));

/** Puts a blob that is too large for one message into the renter's node, as an operator would with files from elsewhere: while it is off. */
async function placeBlob() {
	const bytes = randomBytes(BYTES);
	const hash = blobHash(bytes);
	await validator.kill('SIGTERM');
	const store = join(workerFolder(validator), 'blobs');
	mkdirSync(store, { recursive: true });
	writeFileSync(join(store, hash.slice(2)), bytes);
	await validator.start();
	assert.equal((await callNode(validator.api, 'blob_has', hash)).bytes, BYTES);
	return hash;
}

const fetching = () => join(workerFolder(host), 'fetching');
/** Bytes of the blob that are on the provider's disk: the file is as long as the whole from its first part on, with holes. */
function onDisk() {
	const part = existsSync(fetching()) && readdirSync(fetching()).find((name) => name === `${input.slice(2)}.partial`);
	if (!part) return 0;
	try {
		return statSync(join(fetching(), part)).blocks * 512;
	} catch {
		return 0;
	}
}

test('a fetch that is killed goes on where it was, and the job has its result', { timeout: 300_000 }, async () => {
	const job = spin(1_000, { change: (plan) => ({ ...plan, buffers: [...plan.buffers, { name: 'data', bytes: BYTES, input: input.slice(2) }] }) });
	await putBlobs(validator.api, job);
	const { number: from } = await send(validator.api, validator.api.tx.leases.submitJob(lease.lease, 0, job.plan), charlie);
	const deadline = Date.now() + 90_000;
	let seen = 0;
	while (seen < BYTES / 8) {
		assert.ok(Date.now() < deadline, `no part of the blob came\n${host.log()}`);
		await sleep(2);
		seen = onDisk();
	}
	await host.kill('SIGKILL');
	const left = onDisk();
	assert.ok(left >= BYTES / 8 && left < BYTES, `the node was killed in the middle: ${left} of ${BYTES} bytes are there`);
	await host.start();
	const { outcome } = await followJob(validator.api, { lease: lease.lease, from, timeoutMs: 180_000 });
	assert.ok(outcome.isSucceeded, String(outcome));
	assert.equal(Buffer.from(await getBlob(host.api, outcome.asSucceeded.output.toHex())).readUInt32LE(), 1_000);
	// A worker that begins anew says nothing of this.
	const [, held] = /goes on, (\d+) bytes of it are here/.exec(host.log(Infinity)) ?? [];
	assert.ok(Number(held) >= BYTES / 16 && Number(held) < BYTES, `${held} of ${left} bytes were not fetched again`);
	assert.equal((await callNode(host.api, 'blob_has', input)).bytes, BYTES);
});
