// The clock of the provider's machine is wrong in the middle of a job: an hour fast, and then set back. Only the wall clock, as an operator
// or NTP sets it: what measures how long things take stays right.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callNode, heads, send } from '../../lib/chain.mjs';
import { WallClock, clockOf } from '../../lib/clock.mjs';
import { blobHash, getBlob, putBlobs } from '../../lib/job.mjs';
import { iterateJob, iterateOutput } from '../../lib/iterate.mjs';
import { addsUp, awaitEvent, closeLease, followJob } from '../../lib/leases.mjs';
import { temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { leaseOf } from '../../lib/reads.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { PROVIDERS, start } from '../../scenario/network.mjs';
import { BINARY, allEvents, moreReports, resultsOf, until } from './harness.mjs';

const HOUR = 3_600;
const KIB = 1024;
/** Twenty seconds or so on the reference device, in launches of less than one. */
const SHAPE = { words: 256, launches: 26, rounds: 150_000 };

const folder = temporaryFolder();
const clock = WallClock.in(folder);
const skip = clock ? false : 'libfaketime is not installed';

let context, lease, bob, job, from;
before(async () => {
	if (skip) return;
	const { Bob } = PROVIDERS;
	// Uploads may fill three quarters of a mebibyte.
	const args = ['--worker-checkpoint-seconds', '1', '--worker-blob-quota', '1'];
	context = await start({ binary: BINARY, folder, profiles: { Bob: { ...Bob, args, env: clock.env } } });
	bob = context.nodes.Bob;
	lease = await rentNow(context.api, context.renter, orderTerms({ classId: context.providers.Bob.classId, maxPrice: Bob.price, termMs: 600_000 }));
	await awaitEvent(context.api, 'LeaseReady', { lease: lease.lease, from: lease.block, timeoutMs: 60_000 });
	job = iterateJob(SHAPE);
	await putBlobs(bob.api, job);
	({ number: from } = await send(context.api, context.api.tx.leases.submitJob(lease.lease, 0, job.plan), context.renter));
	await until(async () => (await statusOf())?.checkpoint, 'the first checkpoint');
});
after(() => Promise.all([bob, context?.validator].map((node) => node?.stop())));

const statusOf = () => callNode(bob.api, 'worker_job', Number(lease.lease), 0).catch(() => null);
const address = () => context.providers.Bob.pair.address;

/** Sets the node's clock while the job runs, and sees that the node goes by it. Returns how many launches the newest checkpoint has. */
async function set(seconds) {
	clock.set(seconds);
	await until(() => Math.abs(clockOf(bob) - seconds) < 60, `the node's log ${seconds} s after the right time`);
	const { phase, checkpoint } = await statusOf();
	assert.equal(phase, 'running');
	return checkpoint.launchesDone;
}

/** The lease is served as if nothing were amiss: blocks come, reports are taken, the job goes on in the same process and is stored. */
async function goesOn(launches) {
	const { best } = await heads(bob.api);
	await moreReports(context.api, address(), 2);
	assert.ok((await heads(bob.api)).best > best + 3, 'the node imports blocks');
	const { attempts } = await until(async () => {
		const status = await statusOf();
		return status.checkpoint.launchesDone > launches && status;
	}, `a checkpoint after more than ${launches} launches`);
	assert.equal(attempts, 1);
	assert.equal((await leaseOf(context.api, lease.lease)).nodes[0].status.kind, 'active');
}

// A worker that measures by the wall clock thinks here that its job has run for an hour, and kills it; that its transactions and tickets are
// over; or that all blobs are old, and removes them.
test('an hour fast: reports are taken, and the job goes on', { skip, timeout: 240_000 }, async () => {
	await goesOn(await set(HOUR));
});

test('what was put an hour ago by that clock is not removed for what comes', { skip, timeout: 60_000 }, async () => {
	const blob = (byte, size) => new Uint8Array(size).fill(byte);
	const put = (bytes) => bob.api.rpc.blob.put(`0x${Buffer.from(bytes).toString('hex')}`);
	clock.set(0);
	const old = blob(1, 500 * KIB);
	await put(old);
	clock.set(HOUR);
	await assert.rejects(put(blob(2, 500 * KIB)), /no room for 512000 bytes/);
	for (const hash of [blobHash(old), ...job.blobs.keys()]) assert.equal((await callNode(bob.api, 'blob_has', hash)).present, true);
});

// Here it waits for an hour until it reports, stores or tries again.
test('set back by that hour: reports are taken, and the job goes on', { skip, timeout: 240_000 }, async () => {
	await goesOn(await set(0));
});

test('the job has its one result, and the lease was never suspended', { skip, timeout: 240_000 }, async () => {
	const { outcome } = await followJob(context.api, { lease: lease.lease, from, timeoutMs: 180_000 });
	assert.ok(outcome.isSucceeded, String(outcome));
	assert.ok(Buffer.from(iterateOutput(SHAPE)).equals(await getBlob(bob.api, outcome.asSucceeded.output.toHex())));
	await moreReports(context.api, address(), 1);
	assert.deepEqual(await resultsOf(context.api, lease), [[0, 'Succeeded']]);
	const events = await allEvents(context.api, (await heads(context.api)).best);
	assert.ok(!events.some(({ method }) => method === 'NodeSuspended'));
	assert.ok(addsUp((await closeLease(context.api, context.renter, lease.lease)).receipt));
});
