// The faults scenario: everything that can go wrong with a job is made to, on a live chain, and the next job runs.

import { execFileSync } from 'node:child_process';
import { callNode, eventsOf, fields, heads, keyPair, send } from '../lib/chain.mjs';
import { Double } from '../lib/double.mjs';
import { plancks } from '../lib/input.mjs';
import { putBlobs } from '../lib/job.mjs';
import { awaitEvent, followJob, followLease } from '../lib/leases.mjs';
import { developmentChain, sleep, startNetwork } from '../lib/nodes.mjs';
import { rentNow } from '../lib/orders.mjs';
import { LOOP, spin } from '../lib/spin.mjs';
import { orderTerms } from '../lib/terms.mjs';
import { enlist } from './network.mjs';

/** How long a job may run at Bob's, in seconds: a kernel that hangs is killed then. */
export const JOB_SECONDS = 45;

/** The only provider. */
export const PROFILES = { Bob: { country: 'DE', network: 64_500, price: plancks('0.001') } };

const TERM_MS = 1_800_000;
// A GPU that was lost is looked at again once a minute: the chain has to wait for longer than that.
const TIMING = { suspendedForMs: 180_000, unbondingMs: 3_600_000 };

/** A validator, and Bob's node with the double of the CUDA driver. */
export async function startChain({ binary, folder }) {
	const double = new Double(binary, folder);
	const chain = developmentChain(binary, folder, TIMING);
	const worker = ['--worker', '--worker-device', 'cuda', '--worker-accept-weak-isolation', '--worker-job-seconds', JOB_SECONDS, '--worker-checkpoint-seconds', '1'];
	const { validator, hosts } = await startNetwork({ binary, chain, folder, hosts: { Bob: { keys: { gpuw: '//Bob//worker' }, args: worker, env: double.env } } });
	const { api } = validator;
	while ((await heads(api)).finalised === 0) await sleep(250);
	const context = { validator, nodes: hosts, profiles: PROFILES, renter: keyPair('//Dave'), providers: {}, double, jobs: 0, startedAt: (await heads(api)).best };
	// The validator is connected to anew when it has stood still.
	Object.defineProperty(context, 'api', { get: () => validator.api });
	return context;
}

export { enlist };

/** Leases Bob's GPU, and waits until it is served. */
export async function rentBob(context) {
	const { api, renter, providers } = context;
	const lease = await rentNow(api, renter, orderTerms({ classId: providers.Bob.classId, maxPrice: providers.Bob.price, termMs: TERM_MS }));
	await awaitEvent(api, 'LeaseReady', { lease: lease.lease, from: lease.block, timeoutMs: 120_000 });
	return lease;
}

/**
 * The faults, in their order. Of each: what is done (`fault`), how the job ends (`outcome`), a part of what the renter is told (`words`), and
 * how it is done: `orders` for the double, `launches` of the job, and `meanwhile`, which runs while the job does. A fault is that of a second
 * launch, for the probe after it has only one: it finds a sound device.
 */
export const FAULTS = [
	{ fault: 'none', outcome: 'Succeeded' },
	{ fault: 'the kernel never ends', orders: { faults: [{ launch: 2, kind: 'hang' }] }, launches: 2, outcome: 'TimedOut', words: /did not end within/ },
	{ fault: 'the kernel reads what is not its own', orders: { faults: [{ launch: 2, kind: { sticky: 700 } }] }, launches: 2, outcome: 'KernelFault', words: /ILLEGAL_ADDRESS/ },
	{ fault: "the kernel's PTX is too new for the driver", orders: { 'load-error': 222 }, outcome: 'KernelRejected', words: /UNSUPPORTED_PTX_VERSION/ },
	{ fault: 'the GPU has no memory left', orders: { 'memory-bytes': 2 }, outcome: 'OutOfMemory', words: /OUT_OF_MEMORY/ },
	{ fault: 'the executor is killed (SIGKILL)', orders: { 'slow-ms': 1_500 }, launches: 4, outcome: 'Succeeded', meanwhile: killExecutor, attempts: 2 },
	{ fault: "the provider's node is killed (SIGKILL)", orders: { 'slow-ms': 1_000 }, launches: 40, outcome: 'Succeeded', meanwhile: killNode, resumes: true },
	{ fault: 'the chain stands still for 15 s', orders: { 'slow-ms': 1_000 }, launches: 8, outcome: 'Succeeded', meanwhile: stopChain },
	{ fault: 'the GPU falls off the bus', orders: { broken: 999 }, outcome: 'DeviceLost', words: /999/, afterwards: bringBack },
	{ fault: 'none, on the GPU that was lost', outcome: 'Succeeded' },
];

/** Does one of them to a job of its own. Returns what came of it; `say` is told what happens. */
export async function suffer(context, lease, { fault, orders = {}, launches = 1, outcome, words, meanwhile, attempts, resumes, afterwards }, say) {
	const { double, renter, nodes: { Bob } } = context;
	double.order(orders);
	const number = context.jobs;
	context.jobs += 1;
	// A text of its own each time: what was compiled for an earlier job would be taken otherwise.
	const job = spin(1_000 + number, { launches, kernel: `${LOOP}// job ${number}\n` });
	await putBlobs(Bob.api, job);
	const { number: block } = await send(context.api, context.api.tx.leases.submitJob(lease.lease, 0, job.plan), renter);
	const began = Date.now();
	if (meanwhile) await meanwhile(context, lease, number, say);
	const done = await followJob(context.api, { lease: lease.lease, job: number, from: block, timeoutMs: 180_000 });
	const took = Date.now() - began;
	const is = done.outcome.isFailed ? done.outcome.asFailed.type : done.outcome.type;
	const status = await callNode(Bob.api, 'worker_job', Number(lease.lease), number);
	const problems = [
		is === outcome ? null : `it ended as ${is}, not as ${outcome}`,
		!words || words.test(status.detail) ? null : `the renter is told "${status.detail}"`,
		!attempts || status.attempts >= attempts ? null : `it took ${status.attempts} executors, and ${attempts} were expected`,
		!resumes || status.resumedFrom > 0 ? null : 'it began again from its beginning',
	].filter(Boolean);
	const back = afterwards ? await afterwards(context, lease, block, say) : null;
	double.order({});
	return { fault, job: number, outcome: is, words: status.detail, blocks: done.block - block, took, attempts: status.attempts, resumedFrom: status.resumedFrom, back, problems };
}

/** Jobs of the lease that the chain was told a result of, with how often. */
export async function resultsOf(context, lease, to) {
	const told = new Map();
	for (const { event } of await eventsOf(context.api, 'leases', lease.block, to)) {
		if (event.method !== 'JobFinished') continue;
		const data = fields(event);
		if (data.lease.toString() === lease.lease) told.set(data.job.toNumber(), (told.get(data.job.toNumber()) ?? 0) + 1);
	}
	return told;
}

async function until(condition, what, timeoutMs = 60_000) {
	for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(100)) {
		const found = await condition();
		if (found) return found;
	}
	throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
}

// The process that runs the job: a child of the node's. Probes and compilers are gone when the job's phase is `running`.
async function killExecutor({ nodes: { Bob } }, lease, job, say) {
	const status = () => callNode(Bob.api, 'worker_job', Number(lease.lease), job).catch(() => null);
	await until(async () => (await status())?.phase === 'running', 'the start of the job');
	const pid = await until(() => children(Bob.process.pid)[0], "the job's process");
	await sleep(1_000);
	process.kill(pid, 'SIGKILL');
	say(`process ${pid} got SIGKILL`);
}

function children(pid) {
	try {
		return execFileSync('pgrep', ['-P', String(pid), '-f', 'serve --parent'], { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);
	} catch {
		// Its status says that there is none.
		return [];
	}
}

async function killNode({ api, nodes: { Bob } }, lease, job, say) {
	const status = () => callNode(Bob.api, 'worker_job', Number(lease.lease), job).catch(() => null);
	const saved = await until(async () => (await status())?.checkpoint, 'a checkpoint');
	// The chain has to learn of it, for good: the node that starts again knows nothing else.
	const from = (await heads(api)).finalised;
	const posted = await followLease(api, { lease: lease.lease, from, timeoutMs: 60_000 }, (event, block, { checkpoint }) =>
		event.method === 'CheckpointPosted' && checkpoint.job.toNumber() === job ? block : undefined,
	);
	await until(async () => (await heads(api)).finalised >= posted, 'finality of the checkpoint');
	await Bob.kill('SIGKILL');
	say(`Bob's node got SIGKILL, with a checkpoint after ${saved.launchesDone} launches`);
	await Bob.start();
	say('it runs again, on its old data');
}

async function stopChain({ validator }, _lease, _job, say) {
	say("the validator's process hangs; Bob's worker goes on with the job, and keeps the result");
	await validator.hang(15_000);
	say('the chain goes on');
}

// The chain has learnt of the loss. The GPU comes back, and the worker, which looks once a minute, finds it sound.
async function bringBack({ api, double }, lease, from, say) {
	const suspended = await awaitEvent(api, 'NodeSuspended', { lease: lease.lease, from, timeoutMs: 90_000 });
	say(`block ${suspended.block}: the node is suspended, and nothing of it is billed`);
	double.order({});
	const resumed = await awaitEvent(api, 'NodeResumed', { lease: lease.lease, from: suspended.block, timeoutMs: 180_000 });
	say(`block ${resumed.block}: the GPU is back, and the node is served again after ${Math.round(resumed.darkMs.toNumber() / 1000)} s, which are not billed`);
	return { suspended: suspended.block, resumed: resumed.block, darkMs: resumed.darkMs.toNumber() };
}
