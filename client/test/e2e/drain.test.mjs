// Draining, by the script that providers use: one GPU of two while the other serves, and then the provider.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { heads, keyPair } from '../../lib/chain.mjs';
import { Double } from '../../lib/double.mjs';
import { offersOf } from '../../lib/drain.mjs';
import { awaitEvent, waitForAttestation } from '../../lib/leases.mjs';
import { postAsk } from '../../lib/market.mjs';
import { temporaryFolder } from '../../lib/nodes.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { BINARY, Chain, refused } from './harness.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const double = new Double(BINARY, temporaryFolder());
double.order({ devices: 2 });
const chain = new Chain(['--worker', '--worker-device', 'cuda', '--worker-accept-weak-isolation'], double.env);
const charlie = keyPair('//Charlie');
const NOTICE_MS = 6_000;
let market;

before(async () => {
	await chain.start();
	market = await chain.provider();
	// Both GPUs, with a notice that a test can wait for, in the place of the harness's ask.
	await drain('--no-wait');
	const { pair, classId, price } = market;
	await postAsk(chain.api, pair, { classId, gpus: 2, price, minTermMs: 5_000, reclaimNoticeMs: NOTICE_MS });
});
after(() => chain.stop());

/** Runs the script as Bob; returns its answer. */
async function drain(...args) {
	const child = spawn('node', ['client/drain.mjs', '--url', chain.url, '--account', '//Bob', '--json', ...args], { cwd: ROOT });
	const said = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr']) child[name].on('data', (part) => (said[name] += part));
	const status = await new Promise((resolve) => child.on('close', resolve));
	return { status, ...said, answer: status === 0 ? JSON.parse(said.stdout) : null };
}

const rent = () => rentNow(chain.api, charlie, orderTerms({ classId: market.classId, maxPrice: market.price, termMs: 600_000 }));
const gpu = (index) => chain.api.query.providers.gpus(market.pair.address, index);

test('a GPU that is not there is named', async () => {
	const { status, stderr } = await drain('--gpu', '7');
	assert.equal(status, 1);
	assert.match(stderr, /--gpu 7: the provider has no such GPU; it has 0, 1/);
});

test('one GPU goes while the other serves a lease and stays on offer', { timeout: 120_000 }, async () => {
	const lease = await rent();
	await waitForAttestation(chain.api, { lease: lease.lease, from: lease.block });
	assert.ok((await gpu(0)).unwrap().state.isLeased, 'the lowest index is leased first');
	const { answer, stderr } = await drain('--gpu', '1');
	assert.equal(answer.removed, 1, stderr);
	assert.ok((await gpu(1)).isNone && (await gpu(0)).unwrap().state.isLeased);
	const { asks } = await offersOf(chain.api, market.pair.address);
	assert.deepEqual(asks.map(({ ask }) => ask), answer.offeredAgain);
	assert.deepEqual(asks.map(({ terms }) => [terms.gpus.toNumber(), terms.reclaimNoticeMs.toNumber()]), [[1, NOTICE_MS]]);
	// A lease has to end before its GPU can go: nothing is taken from the renter.
	const waits = await drain('--gpu', '0', '--no-wait');
	assert.deepEqual(waits.answer.leases.map((one) => one.lease), [lease.lease]);
	assert.ok((await gpu(0)).unwrap().state.isLeased);
});

test('with notice the provider is drained, and the lease ends as it was promised', { timeout: 120_000 }, async () => {
	const { best } = await heads(chain.api);
	const [lease] = (await chain.api.query.leases.providerLeases(market.pair.address)).map(String);
	const { answer, stderr } = await drain('--reclaim');
	assert.match(stderr, /gave notice on 1 lease\n[^]*waiting for lease \d+ \(left at /);
	assert.deepEqual([answer.leases, answer.removed], [[], null]);
	const closed = await awaitEvent(chain.api, 'LeaseClosed', { lease, from: best, timeoutMs: 30_000 });
	assert.equal(closed.reason.type, 'ProviderReclaimed');
	await refused(rent(), 'leases.NoAsks');
});
