// Killed in the middle: the node, the executor, and at last the worker for good. Each time one receipt that is right.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { heads, keyPair } from '../../lib/chain.mjs';
import { putBlobs } from '../../lib/job.mjs';
import { addsUp, awaitEvent, closeLease, fetchResult, followJob, waitForAttestation } from '../../lib/leases.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { ALONE } from '../../lib/nodes.mjs';
import { Chain, allEvents, sleep, spin } from './harness.mjs';

const chain = new Chain();
const renter = keyPair('//Charlie');
let market;

before(async () => {
	await chain.start();
	market = await chain.provider();
});
after(() => chain.stop());

const order = (job) => rentNow(chain.api, renter, orderTerms({ classId: market.classId, maxPrice: market.price, termMs: 600_000, plans: job ? [job.plan] : [] }));

/** Waits until an executor process of this node runs a job; returns its process number. */
async function runningExecutor() {
	for (let tries = 0; tries < 300; tries += 1) {
		const list = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' });
		for (const line of list.split('\n')) {
			const [pid, parent, program, ...args] = line.trim().split(/\s+/);
			if (Number(parent) === chain.process.pid && program?.includes('millrace-executor') && !args.includes('devices')) return Number(pid);
		}
		await sleep(100);
	}
	throw new Error(`no executor was started\n${chain.log()}`);
}

async function finish(lease, steps) {
	const progress = await followJob(chain.api, { lease: lease.lease, from: lease.block, timeoutMs: 240_000 });
	const result = await fetchResult(chain.api, progress.outcome);
	assert.equal(new DataView(result.bytes.buffer, result.bytes.byteOffset).getUint32(0, true), steps);
	await waitForAttestation(chain.api, { lease: lease.lease, from: lease.block });
	const { receipt } = await closeLease(chain.api, renter, lease.lease);
	assert.ok(addsUp(receipt));
	assert.ok(receipt.paid > 0n);
	const events = (await allEvents(chain.api, (await heads(chain.api)).finalised)).filter(
		({ data }) => data.lease?.toString() === lease.lease || data.escrow?.toString() === lease.lease,
	);
	const count = (method) => events.filter((event) => event.method === method).length;
	assert.equal(count('JobFinished'), 1, 'one result');
	assert.equal(count('EscrowClosed'), 1, 'one receipt');
	assert.equal(count('LeaseClosed'), 1);
	const accrued = events.filter((event) => event.method === 'Accrued').reduce((sum, { data }) => sum + data.amount.toBigInt(), 0n);
	assert.equal(accrued, receipt.paid + receipt.fee, 'paid exactly what was attested');
	return receipt;
}

test('the node is killed during the job and started again', { timeout: 300_000 }, async () => {
	const steps = 60_000_000;
	const job = spin(steps);
	await putBlobs(chain.api, job);
	const lease = await order(job);
	await runningExecutor();
	await sleep(1_500);
	await chain.kill('SIGKILL');
	await sleep(3_000);
	await chain.start();
	await finish(lease, steps);
});

test('the executor is killed during the job', { timeout: 300_000 }, async () => {
	const steps = 40_000_000;
	const job = spin(steps);
	await putBlobs(chain.api, job);
	const lease = await order(job);
	process.kill(await runningExecutor(), 'SIGKILL');
	await finish(lease, steps);
});

test('a provider that goes dark is noticed by the chain itself, and billing stops at its last attestation', { timeout: 240_000 }, async () => {
	const lease = await order();
	await waitForAttestation(chain.api, { lease: lease.lease, from: lease.block });
	// The same chain goes on without its worker.
	await chain.kill('SIGTERM');
	chain.args = ALONE;
	await chain.start();
	await awaitEvent(chain.api, 'NodeSuspended', { lease: lease.lease, from: lease.block, timeoutMs: 120_000 });
	const attested = async () => (await chain.api.query.settlement.escrows(lease.lease)).unwrap().attestedMs.toNumber();
	const before = await attested();
	await chain.block((await heads(chain.api)).best + 10);
	assert.equal(await attested(), before, 'no billing in the dark');
	const { receipt } = await closeLease(chain.api, renter, lease.lease);
	assert.equal(receipt.attestedMs, before);
	assert.equal(receipt.paid + receipt.fee, (market.price * BigInt(before)) / 1000n);
});
