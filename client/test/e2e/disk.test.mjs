// The provider's disk is full to the last byte in the middle of a job: its worker loses no result, and reports none twice.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { callNode, heads, send } from '../../lib/chain.mjs';
import { getBlob, putBlobs } from '../../lib/job.mjs';
import { addsUp, awaitEvent, closeLease, followJob } from '../../lib/leases.mjs';
import { waitUntilLive } from '../../lib/market.mjs';
import { temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { PROVIDERS, start } from '../../scenario/network.mjs';
import { BINARY, moreReports, resultsOf, spin, until } from './harness.mjs';

const folder = temporaryFolder();
/** The worker's own folder. The database lies elsewhere: a node stops in good order before the disk of that is full. */
const disk = join(folder, 'Bob', 'chains', 'dev', 'worker');
const filler = join(disk, 'filler');

const mounted = mount();
const skip = mounted ? false : 'a small disk can be mounted by root alone, and not in every container';

function mount() {
	mkdirSync(disk, { recursive: true });
	const done = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=0755', 'millrace-test', disk]).status === 0;
	// Before the folder is removed at the end of this program, whatever way that comes.
	if (done) process.prependListener('exit', unmount);
	return done;
}

function unmount() {
	spawnSync('umount', ['--lazy', disk]);
}

/** Fills the disk: a file may still be made there, but not a byte be written. */
function fill() {
	const file = openSync(filler, 'w');
	const page = Buffer.alloc(4096);
	try {
		for (;;) writeSync(file, page);
	} catch (error) {
		assert.equal(error.code, 'ENOSPC');
	} finally {
		closeSync(file);
	}
}

let context, lease, bob;
before(async () => {
	if (skip) return;
	const { Bob } = PROVIDERS;
	context = await start({ binary: BINARY, folder, profiles: { Bob: { ...Bob, args: ['--worker-checkpoint-seconds', '1'] } } });
	bob = context.nodes.Bob;
	lease = await rentNow(context.api, context.renter, orderTerms({ classId: context.providers.Bob.classId, maxPrice: Bob.price, termMs: 600_000 }));
	await awaitEvent(context.api, 'LeaseReady', { lease: lease.lease, from: lease.block, timeoutMs: 60_000 });
});
after(async () => {
	await Promise.all([bob, context?.validator].map((node) => node?.isRunning() && node.kill('SIGTERM')));
	if (mounted) unmount();
});

const submit = async (job) => (await send(context.api, context.api.tx.leases.submitJob(lease.lease, 0, job.plan), context.renter)).number;
const statusOf = (job) => callNode(bob.api, 'worker_job', Number(lease.lease), job).catch(() => null);
const starts = (job) => bob.log(Infinity).split(`lease ${lease.lease}: job ${job} starts`).length - 1;

async function succeeded(job, from, steps) {
	const { outcome } = await followJob(context.api, { lease: lease.lease, job, from, timeoutMs: 90_000 });
	assert.ok(outcome.isSucceeded, `job ${job}: ${outcome}`);
	assert.equal(Buffer.from(await getBlob(bob.api, outcome.asSucceeded.output.toHex())).readUInt32LE(), steps);
}

test('a full disk costs time, and no result', { skip, timeout: 240_000 }, async () => {
	// Launches of a second or so on the reference device.
	const steps = 60_000_000;
	const first = spin(steps, { launches: 6 });
	await putBlobs(bob.api, first);
	const from = await submit(first);
	await until(async () => (await statusOf(0))?.checkpoint, 'a checkpoint of the first job');
	fill();
	await until(async () => (await statusOf(0))?.phase === 'waiting', 'the end of the first job');
	const full = (await heads(bob.api)).best;

	// A worker that reports before the result is on disk shows its output here, and has nothing for the renter to fetch.
	const { detail, output } = await statusOf(0);
	assert.match(detail, /the result could not be stored: .*No space left/);
	assert.equal(output, null);

	// Its node takes nothing new, and says why. The second job waits behind the first; its blobs are in the renter's node.
	const second = spin(77);
	await assert.rejects(putBlobs(bob.api, second), /No space left/);
	await putBlobs(context.api, second);
	const later = await submit(second);

	// A node that ends, or a worker that hangs on its disk, imports no blocks or sends no reports: the lease would be suspended.
	await moreReports(context.api, context.providers.Bob.pair.address, 2);
	assert.ok((await heads(bob.api)).best >= full + 5, 'the node goes on importing blocks');
	const [served] = (await callNode(bob.api, 'worker_status')).leases;
	assert.deepEqual([served.status, served.nodeStatus, served.openJobs], ['active', 'active', [0, 1]]);
	assert.deepEqual(await resultsOf(context.api, lease), [], 'nothing is reported that is not stored');
	assert.equal(starts(1), 0);

	// Its operator makes room. A worker that has dropped the first job, or its own hold on the lease, never gives this result.
	rmSync(filler);
	await succeeded(0, from, steps);
	await succeeded(1, later, 77);
	assert.ok(starts(0) > 1, 'the first job was tried again');
	assert.equal(starts(1), 1);
	await moreReports(context.api, context.providers.Bob.pair.address, 1);
	assert.deepEqual(await resultsOf(context.api, lease), [[0, 'Succeeded'], [1, 'Succeeded']], 'one result of each');
	assert.ok(addsUp((await closeLease(context.api, context.renter, lease.lease)).receipt));
});

test('a node that starts on a full disk reports, and takes the next job when there is room', { skip, timeout: 240_000 }, async () => {
	fill();
	await bob.kill('SIGKILL');
	await bob.start();
	// A worker that has to write before it can begin sends no report, and nobody finds its ask.
	const address = context.providers.Bob.pair.address;
	await moreReports(context.api, address, 1);
	await waitUntilLive(context.api, address);
	lease = await rentNow(context.api, context.renter, orderTerms({ classId: context.providers.Bob.classId, maxPrice: PROVIDERS.Bob.price, termMs: 600_000 }));
	await awaitEvent(context.api, 'LeaseReady', { lease: lease.lease, from: lease.block, timeoutMs: 60_000 });
	rmSync(filler);
	const job = spin(78);
	await putBlobs(bob.api, job);
	await succeeded(0, await submit(job), 78);
	assert.deepEqual(await resultsOf(context.api, lease), [[0, 'Succeeded']]);
});
