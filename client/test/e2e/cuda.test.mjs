// The CUDA path of a live provider, with the double of the driver in place of a GPU: a real job, each kind of failure, and what
// the chain and the renter see of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callNode, heads, keyPair, send } from '../../lib/chain.mjs';
import { Double } from '../../lib/double.mjs';
import { putBlobs, readJob } from '../../lib/job.mjs';
import { addsUp, awaitEvent, closeLease, followJob, waitForAttestation } from '../../lib/leases.mjs';
import { temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { rent } from '../../lib/rent.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { BINARY, Chain, LOOP, spin } from './harness.mjs';

const DIGITS = fileURLToPath(new URL('../../../jobs/digits', import.meta.url));
const double = new Double(BINARY, temporaryFolder());
const chain = new Chain(['--worker', '--worker-device', 'cuda', '--worker-job-seconds', '8', '--worker-accept-weak-isolation'], double.env);
const charlie = keyPair('//Charlie');
let market;

before(async () => {
	await chain.start();
	market = await chain.provider();
});
after(() => chain.stop());

const terms = () => ({ classId: market.classId, maxPrice: market.price, termMs: 600_000 });

test('an operator is told what the machine is fit for', () => {
	const check = () => spawnSync(BINARY, ['worker', 'check'], { encoding: 'utf8', env: { ...process.env, ...double.env } });
	const { status, stdout } = check();
	assert.match(stdout, /no foreign files +(yes|NO)/);
	assert.match(stdout, /GPU-4d696c6c[^ ]+ +Millrace CUDA test double 0, 4096 MiB/);
	assert.equal(status, /\bNO\b/.test(stdout) ? 1 : 0, stdout);
	double.order({ devices: 0 });
	const none = check();
	double.order({});
	assert.equal(none.status, 1);
	assert.match(none.stdout, /none: the driver knows no GPU[^]*would offer no GPU/);
});

test('the device says what it is, and is a class of its own', async () => {
	const [device] = market.devices;
	assert.match(device.name, /CUDA test double/);
	assert.equal(device.kind.toLowerCase(), 'cuda');
	assert.notEqual(market.classId, 0, 'not the class of the reference device');
});

test('the digits job gives the same bytes as on every device', { timeout: 240_000 }, async () => {
	const { result, receipt } = await rent(chain.api, charlie, { job: readJob(DIGITS), order: terms() });
	assert.equal(result.hash, `0x${readFileSync(`${DIGITS}/expected.blake3`, 'utf8').trim()}`);
	assert.ok(addsUp(receipt));
});

describe('what goes wrong with a job is named, and the next one runs', () => {
	let lease;
	before(async () => (lease = await rentNow(chain.api, charlie, orderTerms(terms()))));
	after(async () => {
		await waitForAttestation(chain.api, { lease: lease.lease, from: lease.block });
		assert.ok(addsUp((await closeLease(chain.api, charlie, lease.lease)).receipt));
	});

	let next = 0;
	const job = (name, orders, outcome, text) =>
		test(name, { timeout: 120_000 }, async () => {
			double.order(orders);
			const number = next;
			next += 1;
			// A text of its own: what was compiled for an earlier job would be taken otherwise.
			const small = spin(100 + number, { kernel: `${LOOP}// job ${number}\n` });
			await putBlobs(chain.api, small);
			const from = (await heads(chain.api)).best;
			await send(chain.api, chain.api.tx.leases.submitJob(lease.lease, 0, small.plan), charlie);
			const done = await followJob(chain.api, { lease: lease.lease, job: number, from, timeoutMs: 90_000 });
			assert.equal(done.outcome.isFailed ? done.outcome.asFailed.type : done.outcome.type, outcome);
			if (text) assert.match((await callNode(chain.api, 'worker_job', Number(lease.lease), number)).detail, text);
		});

	job('a sound device', {}, 'Succeeded');
	job('a text that is too new for the driver', { 'load-error': 222 }, 'KernelRejected', /UNSUPPORTED_PTX_VERSION/);
	job('a device without memory', { 'memory-bytes': 2 }, 'OutOfMemory', /OUT_OF_MEMORY/);
	job('after them, a sound device', {}, 'Succeeded');
});

test('a GPU that falls off the bus suspends its lease', { timeout: 240_000 }, async () => {
	const lease = await rentNow(chain.api, charlie, orderTerms(terms()));
	await waitForAttestation(chain.api, { lease: lease.lease, from: lease.block });
	double.order({ broken: 999 });
	// Nobody looks at an idle device for minutes: a job makes the worker look.
	const small = spin(7);
	await putBlobs(chain.api, small);
	await send(chain.api, chain.api.tx.leases.submitJob(lease.lease, 0, small.plan), charlie);
	await awaitEvent(chain.api, 'NodeSuspended', { lease: lease.lease, from: lease.block, timeoutMs: 90_000 });
	const gpu = (await chain.api.query.providers.gpus(market.pair.address, 0)).unwrap();
	assert.equal(gpu.lost.isTrue, true, 'the chain knows that the GPU is lost');
	const [device] = await callNode(chain.api, 'worker_devices');
	assert.equal(device.state, 'faulty');
	assert.match(device.fault, /999/);
	const { receipt } = await closeLease(chain.api, charlie, lease.lease);
	assert.ok(addsUp(receipt));
});
