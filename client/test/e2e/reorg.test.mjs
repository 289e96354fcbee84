// The chain's last blocks are taken back under a running worker: the network is cut in two, both sides make blocks, and when it is joined
// again the side of the provider has to give way.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { callNode, eventsOf, fields, followEvents, heads, keyPair } from '../../lib/chain.mjs';
import { putBlobs } from '../../lib/job.mjs';
import { awaitEvent } from '../../lib/leases.mjs';
import { LocalNode, developmentChain, freePort, temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { Proxy } from '../../lib/proxy.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { enlist } from '../../scenario/network.mjs';
import { BINARY, sleep, spin } from './harness.mjs';

// //Alice makes side A's blocks, which Bob's worker follows; //Bob makes side B's. Their network keys are 1, 2 and 3.
const PEERS = {
	alice: '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
	bob: '12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRMuD',
	worker: '12D3KooWSCufgHzV4fCwRijfH2k3abrpAJxTKxEvN1FDuRXA2U9x',
};
// Nobody listens there.
const NOWHERE = 1;
// A node that is suspended comes back: the cut may take a while.
const TIMING = { suspendedForMs: 600_000, unbondingMs: 7_200_000 };
const BOB = { account: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty', grandpa: '5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E' };

const renter = keyPair('//Charlie');
let link, alice, bob, worker, lease;

before(async () => {
	const folder = temporaryFolder();
	const chain = withTwoValidators(developmentChain(BINARY, folder, TIMING));
	const [direct, between] = [await freePort(), await freePort()];
	const address = (port, peer) => `/ip4/127.0.0.1/tcp/${port}/p2p/${PEERS[peer]}`;
	const node = (name, key, port, reserved, options) => {
		const args = ['--listen-addr', `/ip4/127.0.0.1/tcp/${port}`, '--node-key', String(key).padStart(64, '0'), '--state-pruning', 'archive', '--reserved-only', '--reserved-nodes', ...reserved];
		return new LocalNode({ binary: BINARY, chain, folder: join(folder, name), ...options, args: [...args, ...options.args] });
	};
	link = await new Proxy({ port: between, target: direct }).join();
	// The others dial //Alice, and //Bob does so through the proxy only. She knows no address of theirs that leads anywhere: nodes pass on
	// what they know, and //Bob would find her by way of the worker.
	alice = node('alice', 1, direct, [address(NOWHERE, 'bob'), address(NOWHERE, 'worker')], { args: ['--alice', '--force-authoring'] });
	bob = node('bob', 2, 0, [address(between, 'alice')], { args: ['--bob', '--force-authoring'] });
	worker = node('worker', 3, 0, [address(direct, 'alice')], { keys: { gpuw: '//Bob//worker' }, args: ['--worker', '--worker-device', 'reference'] });
	await Promise.all([alice, bob, worker].map((one) => one.start()));

	const context = { api: worker.api, nodes: { Bob: worker }, profiles: { Bob: { country: 'DE', network: 64_500, price: 2_000_000_000n } }, providers: {} };
	while ((await heads(worker.api)).finalised === 0) await sleep(250);
	await enlist(context);
	const { classId, price } = context.providers.Bob;
	lease = await rentNow(worker.api, renter, orderTerms({ classId, maxPrice: price, termMs: 1_800_000 }));
	const { block } = await awaitEvent(worker.api, 'LeaseReady', { lease: lease.lease, from: lease.block, timeoutMs: 120_000 });
	await until('the lease is final', async () => (await heads(worker.api)).finalised >= block);
});

after(async () => {
	// One that stands still would not end.
	alice?.process?.kill('SIGCONT');
	await Promise.all([alice, bob, worker].map((node) => node?.process && node.stop()));
	await link?.cut();
});

/** The specification with //Bob as a second validator, like the first one in all but name. Neither can finalise alone. */
function withTwoValidators(file) {
	const spec = JSON.parse(readFileSync(file));
	const { session, staking } = spec.genesis.runtimeGenesis.patch;
	const { account, grandpa } = BOB;
	session.keys.push([account, account, { grandpa, babe: account, authority_discovery: account }]);
	const [[, , stake, role]] = staking.stakers;
	staking.stakers.push([account, account, stake, role]);
	staking.validatorCount = 2;
	// On a live chain no peer is dialled at the private address that it gives itself: that would lead around the proxy.
	spec.chainType = 'Live';
	writeFileSync(file, JSON.stringify(spec));
	return file;
}

async function until(what, check, timeoutMs = 240_000) {
	for (const deadline = Date.now() + timeoutMs; !(await check()); await sleep(250)) {
		if (Date.now() > deadline) assert.fail(`${what}: not within ${timeoutMs / 1_000} s\n${worker.log()}`);
	}
}

const hashOf = async ({ api }, block) => (await api.rpc.chain.getBlockHash(block)).toHex();
const bestOf = async ({ api }) => (await heads(api)).best;

/** How many of a node's best blocks above this one were made in a slot that a validator had won: BABE takes the chain with more of them. */
async function weightAbove(node, block) {
	let weight = 0;
	for (let number = await bestOf(node); number > block; number -= 1) {
		const { digest } = await node.api.rpc.chain.getHeader(await hashOf(node, number));
		const [, slot] = digest.logs.find((log) => log.isPreRuntime).asPreRuntime;
		if (slot.toU8a(true)[0] === PRIMARY) weight += 1;
	}
	return weight;
}
const PRIMARY = 1;

/** The nonce that the chain expects of the worker, at a node's best block. */
const nonceAt = async ({ api }) => (await api.query.system.account(keyPair('//Bob//worker').address)).nonce.toNumber();

/** Sends a job to the lease, signed for as long as there is a chain, or only for the one that has this block. Returns its block. */
async function submit(job, nonce, { only } = {}) {
	const { api } = worker;
	await putBlobs(api, job);
	const era = only && api.createType('ExtrinsicEra', { current: only.number, period: 64 });
	const signed = await api.tx.leases.submitJob(lease.lease, 0, job.plan).signAsync(renter, { nonce, ...(only ? { era, blockHash: only.hash } : { era: 0 }) });
	const from = await bestOf(worker);
	await api.rpc.author.submitExtrinsic(signed);
	return followEvents(api, from, (event, block) => (event.method === 'JobSubmitted' && fields(event).plan.toHex() === job.plan ? block : undefined), { timeoutMs: 120_000 });
}

test('a worker does nothing about jobs that are not final, and goes on when their blocks are taken back', { timeout: 900_000 }, async () => {
	const { api } = worker;
	await link.cut();
	// What was on its way arrives. Then finality stands, for neither side has the other's vote.
	await sleep(2_000);
	await until('the two sides differ', async () => {
		const both = Math.min(await bestOf(worker), await bestOf(bob));
		return (await hashOf(worker, both)) !== (await hashOf(bob, both));
	});
	const kept = spin(1_000);
	const lost = spin(2_000);
	// The transaction pool brings the first one back. The second is bound to a block that will be gone, and goes with it.
	const nonce = (await api.rpc.system.accountNextIndex(renter.address)).toNumber();
	const number = await submit(kept, nonce);
	const after = await submit(lost, nonce + 1, { only: { number, hash: await hashOf(worker, number) } });
	const gone = { number, hash: await hashOf(worker, number) };

	// The worker has seen the block: it has reported since.
	await followEvents(api, after + 1, (event) => (event.method === 'Reported' ? true : undefined), { timeoutMs: 120_000 });
	await alice.api.disconnect();
	alice.process.kill('SIGSTOP');
	await sleep(2_000);
	const common = await lastCommon();
	assert.ok(number > common, 'only one side has the jobs');
	const weight = await weightAbove(worker, common);
	const spent = await nonceAt(worker);
	// So much more that //Alice does not make up for it in the seconds before she hears of it.
	await until("//Bob's chain has more weight", async () => (await weightAbove(bob, common)) >= weight + 4, 300_000);
	const finalised = (await heads(api)).finalised;
	assert.ok(finalised <= common && (await heads(bob.api)).finalised <= common, 'nothing is final that only one side has');
	assert.ok((await nonceAt(bob)) < spent, "the worker's nonce is lower on the chain that comes");
	// One that starts jobs by the best block has long run both: they end within milliseconds.
	assert.equal((await callNode(api, 'worker_status')).runningJobs, 0);
	assert.deepEqual(await callNode(api, 'worker_jobs'), [], 'no job was started that is not final');

	await link.join();
	alice.process.kill('SIGCONT');
	await until('the block is taken back', async () => (await bestOf(worker)) >= gone.number && (await hashOf(worker, gone.number)) !== gone.hash);
	await until('finality goes on', async () => (await heads(api)).finalised > gone.number);
	assert.equal(await hashOf(worker, gone.number), await hashOf(bob, gone.number));
	assert.notEqual(await hashOf(worker, gone.number), gone.hash);

	// One that counts its nonces itself stays above the gap that the lost blocks have left, and no report of it is taken any more: the lease
	// stays suspended, and neither this job nor a result comes.
	const ended = await followEvents(api, common + 1, (event, block) => (event.method === 'JobFinished' ? { block, ...fields(event) } : undefined), { finalised: true, timeoutMs: 300_000 });
	assert.ok(ended.outcome.isSucceeded, String(ended.outcome));
	const { lastReportEpoch } = await callNode(api, 'worker_status');
	let reports = 0;
	const enough = await followEvents(api, ended.block + 1, (event, block) => (event.method === 'Reported' && (reports += 1) === 3 ? block : undefined), { finalised: true, timeoutMs: 240_000 });
	await until('the worker knows that its reports are final', async () => (await callNode(api, 'worker_status')).lastReportEpoch > lastReportEpoch);
	const [brief] = (await callNode(api, 'worker_status')).leases;
	assert.deepEqual([brief.lease, brief.status, brief.nodeStatus, brief.openJobs], [Number(lease.lease), 'active', 'active', []]);

	const events = (await eventsOf(api, 'leases', lease.block, enough)).map(({ event }) => event);
	const of = (method) => events.filter((event) => event.method === method).map(fields);
	assert.deepEqual(of('JobSubmitted').map(({ plan }) => plan.toHex()), [kept.plan], 'the chain has one of the two jobs');
	assert.deepEqual(of('JobFinished').map(({ job }) => job.toNumber()), [0], 'one result');
	assert.equal(of('LeaseClosed').length, 0);
	assert.deepEqual((await callNode(api, 'worker_jobs')).map(({ job, phase }) => [job, phase]), [[0, 'reported']], 'and it ran once');
});

/** Number of the last block that both sides have. */
async function lastCommon() {
	let number = Math.min(await bestOf(worker), await bestOf(bob));
	while ((await hashOf(worker, number)) !== (await hashOf(bob, number))) number -= 1;
	return number;
}
