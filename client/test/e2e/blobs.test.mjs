// Blobs between nodes: a renter puts them into its own node, and the provider's takes them from there. And what an operator is told.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { callNode, send } from '../../lib/chain.mjs';
import { getBlob, putBlobs } from '../../lib/job.mjs';
import { addsUp, closeLease, followJob, waitForAttestation } from '../../lib/leases.mjs';
import { temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { PROVIDERS, start } from '../../scenario/network.mjs';
import { BINARY, spin } from './harness.mjs';

let context, lease;
before(async () => {
	const { Bob } = PROVIDERS;
	context = await start({ binary: BINARY, folder: temporaryFolder(), profiles: { Bob } });
	lease = await rentNow(context.api, context.renter, orderTerms({ classId: context.providers.Bob.classId, maxPrice: Bob.price, termMs: 600_000 }));
});
after(() => Promise.all([context.validator, ...Object.values(context.nodes)].map((node) => node.stop())));

const bob = () => context.nodes.Bob.api;
const status = (...options) => spawnSync(BINARY, ['worker', 'status', ...options], { encoding: 'utf8' });
const httpOf = (node) => node.url.replace('ws://', 'http://');

test('a job takes its blobs from the node of the renter', { timeout: 240_000 }, async () => {
	const job = spin(1_000);
	await putBlobs(context.api, job);
	for (const hash of job.blobs.keys()) assert.equal((await callNode(bob(), 'blob_has', hash)).present, false);
	const { number: from } = await send(context.api, context.api.tx.leases.submitJob(lease.lease, 0, job.plan), context.renter);
	const { outcome } = await followJob(context.api, { lease: lease.lease, from, timeoutMs: 120_000 });
	assert.ok(outcome.isSucceeded, String(outcome));
	assert.equal(Buffer.from(await getBlob(bob(), outcome.asSucceeded.output.toHex())).readUInt32LE(), 1_000);
	for (const hash of job.blobs.keys()) assert.equal((await callNode(bob(), 'blob_has', hash)).present, true);
});

test('a blob that belongs to no job stays where it is', { timeout: 120_000 }, async () => {
	const other = spin(7);
	await putBlobs(context.api, other);
	const missing = spin(8);
	const { number: from } = await send(context.api, context.api.tx.leases.submitJob(lease.lease, 0, missing.plan), context.renter);
	const { outcome } = await followJob(context.api, { lease: lease.lease, job: 1, from, timeoutMs: 90_000 });
	assert.equal(outcome.asFailed.type, 'BlobMissing');
	assert.equal((await callNode(bob(), 'blob_has', other.plan)).present, false);
});

test('a URL that leads into the node is refused with the reason', async () => {
	const { plan } = spin(9);
	for (const url of ['http://example.org/plan', 'https://127.0.0.1/plan', 'https://[::1]/plan', 'https://10.0.0.1/plan']) {
		await assert.rejects(callNode(bob(), 'blob_pull', plan, url), (error) => error.message.length > 10);
	}
});

test('an operator is told how the worker is', { timeout: 120_000 }, async () => {
	await waitForAttestation(context.api, { lease: lease.lease, from: lease.block });
	const shown = status('--url', httpOf(context.nodes.Bob));
	assert.equal(shown.status, 0, shown.stdout + shown.stderr);
	const { pair } = context.providers.Bob;
	for (const line of [`Provider  ${pair.address}`, 'Reference CPU', `Lease     ${lease.lease}  active`, `Job       ${lease.lease}/0  reported, succeeded`, 'Report    epoch ', '1 leases are served']) {
		assert.ok(shown.stdout.includes(line), `${line} is missing in\n${shown.stdout}`);
	}
	const { worker, jobs } = JSON.parse(status('--url', httpOf(context.nodes.Bob), '--json').stdout);
	assert.equal(worker.provider, pair.address);
	assert.deepEqual(jobs.map(({ job, outcome }) => [job, outcome]), [[1, 'blob-missing'], [0, 'succeeded']]);
	assert.equal((await callNode(bob(), 'worker_log', Number(lease.lease), 0)).text, '', 'a kernel prints nothing');
});

test('a node without a worker, and no node at all, are told apart', () => {
	const none = status('--url', httpOf(context.validator));
	assert.equal(none.status, 1);
	assert.match(none.stderr, /runs no worker; start it with --worker/);
	assert.match(status('--url', 'http://127.0.0.1:1').stderr, /does not answer.*is the node running/);
	assert.match(status('--url', '127.0.0.1').stderr, /expected http:\/\/HOST:PORT/);
});

test('the lease is paid', { timeout: 120_000 }, async () => {
	assert.ok(addsUp((await closeLease(context.api, context.renter, lease.lease)).receipt));
});
