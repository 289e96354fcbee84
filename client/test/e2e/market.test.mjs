// The market scenario, step by step, on one chain of four nodes. Windows are shorter than the development chain's, by its specification.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callNode, fields, heads, keyPair, send } from '../../lib/chain.mjs';
import { plancks } from '../../lib/input.mjs';
import { readJob } from '../../lib/job.mjs';
import { addsUp, awaitEvent, closeLease } from '../../lib/leases.mjs';
import { developmentChain, temporaryFolder } from '../../lib/nodes.mjs';
import { inNameOf, placeOrder, rentNow } from '../../lib/orders.mjs';
import { claimable, escrowOf, leaseOf, orderOf } from '../../lib/reads.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { LongJob } from '../../scenario/failover.mjs';
import { auction, finish, gang, readBook, readQuotes } from '../../scenario/market.mjs';
import { contest, heldOf, receipts, runLow } from '../../scenario/money.mjs';
import { nameOf, start } from '../../scenario/network.mjs';
import { BINARY, refused } from './harness.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DIGITS = `${ROOT}/jobs/digits`;
const SHORT = { words: 256, launches: 40, rounds: 150_000 };

let market, long, failed;
before(async () => {
	const folder = temporaryFolder();
	const chain = developmentChain(BINARY, folder, { suspendedForMs: 15_000 });
	market = await start({ binary: BINARY, chain, folder, validatorArgs: ['--worker', '--worker-device', 'cuda'] });
});
after(async () => {
	for (const node of [market?.validator, ...Object.values(market?.nodes ?? {})]) await node?.stop();
});

const name = (address) => nameOf(market, address);
const order = (extra) => orderTerms({ classId: market.providers.Bob.classId, maxPrice: plancks('0.005'), termMs: 60_000, ...extra });
const script = (file, ...args) => spawnSync('node', [`client/${file}.mjs`, '--url', market.validator.url, ...args], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });

test('a worker that finds no device says so, and the chain goes on', async () => {
	const { api, validator } = market;
	if ((await callNode(api, 'worker_devices')).length) return;
	assert.match(validator.log(Infinity), /no device to offer: .*libcuda/);
	const { best } = await heads(api);
	await validator.block(best + 2);
});

test('the book lists what can be taken, cheapest first', { timeout: 60_000 }, async () => {
	const { levels, truncated } = await readBook(market);
	assert.deepEqual(levels.map(({ price, gpus, asks }) => [BigInt(price), gpus, asks]), Object.values(market.providers).map(({ price }) => [price, 1, 1]).sort(([a], [b]) => Number(a - b)));
	assert.equal(truncated, false);
	const { stdout } = script('book');
	assert.match(stdout, /0\.002 MILL\s+1\s+1\s+█/);
});

test('a quote says why not, ask by ask, and what an order would get', async () => {
	const { tooCheap, elsewhere, gang: two } = await readQuotes(market);
	assert.deepEqual([tooCheap.kind, tooCheap.closest, tooCheap.nodesFound], ['noMatch', 'price', 0]);
	assert.deepEqual([elsewhere.kind, elsewhere.closest], ['noMatch', 'country']);
	assert.ok(elsewhere.asks.some(({ refusal }) => refusal === 'country'));
	assert.equal(two.kind, 'match');
	assert.deepEqual(two.nodes.map(({ provider }) => name(provider)), ['Bob', 'Dave']);
	assert.equal(BigInt(two.rate), plancks('0.005'));
	assert.equal(BigInt(two.deposit), plancks('0.3'));
	const { status, stdout } = script('quote', '--account', '//Charlie', '--country', 'JP');
	assert.equal(status, 3);
	assert.match(stdout, /No match[^]*country/);
	assert.deepEqual(await heldOf(market.api, market.renter.address), [], 'a quote holds nothing');
});

test('a gang runs on two providers of two owners', { timeout: 120_000 }, async () => {
	const { lease, outputs } = await gang(market, readJob(DIGITS));
	assert.deepEqual(lease.nodes.map(({ provider }) => name(provider)).sort(), ['Bob', 'Dave']);
	const expected = `0x${readFileSync(`${DIGITS}/expected.blake3`, 'utf8').trim()}`;
	assert.deepEqual(outputs, [expected, expected]);
	assert.ok(addsUp(await finish(market, lease)));
});

test('an instant order takes the cheapest ask, and its money is what the RPC says', { timeout: 60_000 }, async () => {
	long = await LongJob.begin(market, SHORT);
	assert.equal(long.host, 'Bob');
	const lease = await leaseOf(market.api, long.lease.lease);
	assert.equal(lease.nodes.length, 1);
	assert.equal(lease.money.deposited, long.lease.deposit.toString());
	const taken = await readLevels();
	assert.ok(!taken.includes(market.providers.Bob.price), 'an ask without free GPUs leaves the book');
});

const readLevels = async () => (await callNode(market.api, 'leases_depth', market.providers.Bob.classId, 'native')).levels.map(({ price }) => BigInt(price));

test('an auction is awarded by the chain, below the best ask, and all bids get their deposits back', { timeout: 90_000 }, async () => {
	const { lease, bids, bestAsk } = await auction(market);
	const [{ provider, price }] = lease.nodes;
	assert.ok(price < bestAsk, `${price} is not below ${bestAsk}`);
	assert.equal(price, bids.map((bid) => bid.price).reduce((low, each) => (each < low ? each : low)));
	assert.ok(bids.some((bid) => bid.name === 'Dave') && bids.some((bid) => bid.name === 'Eve'), 'two providers bid');
	for (const { pair } of [market.providers.Dave, market.providers.Eve]) {
		assert.ok(!(await heldOf(market.api, pair.address)).some(({ reason }) => reason.includes('BidDeposit')));
	}
	const ready = await awaitEvent(market.api, 'LeaseReady', { lease: lease.lease, from: lease.block, timeoutMs: 60_000 });
	assert.ok(ready.block > lease.block);
	assert.ok(addsUp(await finish(market, lease)));
	assert.ok(name(provider));
});

test("the long job's provider is killed in the middle", { timeout: 120_000 }, async () => {
	assert.ok((await long.checkpoint()) > 0);
	failed = await long.killHost();
	assert.equal(failed, 'Bob');
});

test('a resting order holds its money, and gives it back when it is cancelled', { timeout: 60_000 }, async () => {
	const placed = await placeOrder(market.api, market.renter, order({ maxPrice: 1n, restsMs: 600_000 }));
	assert.equal(placed.lease, undefined);
	assert.equal((await orderOf(market.api, placed.order)).renter, market.renter.address);
	assert.equal(BigInt((await escrowOf(market.api, placed.order)).free), 60n);
	await refused(rentNow(market.api, market.renter, order({ maxPrice: 1n })), 'leases.PriceTooLow');
	await send(market.api, market.api.tx.leases.cancelOrder(placed.order), market.renter);
	assert.equal(await orderOf(market.api, placed.order), null);
	assert.ok(!(await heldOf(market.api, market.renter.address)).some(({ reason }) => reason.includes('OrderDeposit')));
});

test('a delegate orders within its allowance, and not beyond', { timeout: 90_000 }, async () => {
	const delegate = keyPair('//Ferdie');
	const { status, stderr } = script('allow', '--account', '//Charlie', '--to', delegate.address, '--amount', '0.5', '--max-rate', '0.005');
	assert.equal(status, 0, stderr);
	const owner = market.renter.address;
	await refused(rentNow(market.api, delegate, order({ termMs: 3_000_000 }), { owner }), 'allowances.AllowanceExceeded');
	await refused(rentNow(market.api, delegate, order({ maxPrice: plancks('0.01') }), { owner }), 'allowances.RateTooHigh');
	const lease = await rentNow(market.api, delegate, order(), { owner });
	assert.equal((await leaseOf(market.api, lease.lease)).renter, owner);
	await send(market.api, inNameOf(market.api, owner, market.api.tx.leases.close(lease.lease)), delegate);
	await send(market.api, market.api.tx.allowances.revoke(delegate.address), market.renter);
});

test('an open-ended lease is warned, frozen, and goes on after a top-up; what it earned last is contested, and the council shares it', { timeout: 150_000 }, async () => {
	const { lease, blocks } = await runLow(market);
	assert.ok(blocks.ready <= blocks.warned && blocks.warned < blocks.frozen && blocks.frozen < blocks.thawed);
	const provider = lease.nodes[0].provider;
	assert.ok((await claimable(market.api, provider)).some(({ escrow }) => escrow === lease.lease));
	const dispute = await contest(market, lease, { share: 250_000 });
	assert.equal(dispute.closed.receipt, null);
	assert.ok(dispute.amount > 0n && dispute.bond > 0n);
	const resolved = fields(dispute.events.find(({ method }) => method === 'ContestResolved'));
	assert.equal(resolved.toPayee.toBigInt(), dispute.amount / 4n);
	assert.equal(resolved.toPayee.toBigInt() + resolved.toPayer.toBigInt(), dispute.amount);
	assert.ok(resolved.bondLost.isFalse);
	assert.deepEqual([dispute.provider, dispute.toPayee, dispute.bondLost], [provider, dispute.amount / 4n, false]);
	assert.ok(addsUp(dispute.receipt));
});

test('the lease goes on at another provider from the last checkpoint, and gives the same bytes', { timeout: 180_000 }, async () => {
	const result = await long.done;
	assert.equal(result.hash, long.expected);
	assert.notEqual(long.host, failed);
	const methods = long.events.map(({ method }) => method);
	for (const method of ['CheckpointPosted', 'NodeSuspended', 'NodeFaulted', 'NodeAssigned', 'JobFinished']) assert.ok(methods.includes(method), `no ${method}`);
	assert.equal(methods.filter((method) => method === 'JobFinished').length, 1);
	const { cause } = long.events.find(({ method }) => method === 'NodeFaulted').data;
	assert.equal(cause.type, 'Dark');
	assert.equal(long.events.findLast(({ method }) => method === 'NodeAssigned').data.generation.toNumber(), 1);
	assert.ok(long.handedOn > 0);
	assert.equal(long.resumedFrom, long.handedOn, 'it left out the launches of the checkpoint that the chain names');
	const { receipt } = await closeLease(market.api, market.renter, long.lease.lease);
	assert.ok(addsUp(receipt));
});

test('the provider that failed is paid until its last report, and the next one from its own first', async () => {
	const all = await receipts(market, market.startedAt, (await heads(market.api)).best);
	const { providers, attestedMs } = all.find(({ lease }) => lease === long.lease.lease);
	assert.deepEqual(providers.map(({ provider }) => name(provider)), [failed, long.host]);
	const { data: { attestedAt } } = long.events.find(({ method }) => method === 'NodeSuspended');
	const momentOf = async (block) => (await (await market.api.at(await market.api.rpc.chain.getBlockHash(block))).query.timestamp.now()).toNumber();
	const [ready, again, now] = [await momentOf(long.blocks.ready), await momentOf(long.blocks.readyAgain), await momentOf(long.blocks.finished)];
	const [first, second] = providers;
	assert.ok(first.attestedMs > 0 && first.attestedMs <= attestedAt.toNumber() - ready, `${first.attestedMs} ms from ${ready} to ${attestedAt}`);
	assert.ok(second.attestedMs > 0 && second.attestedMs <= now - again + 30_000);
	assert.equal(first.attestedMs + second.attestedMs, attestedMs);
	for (const { provider, attestedMs: ms, earned } of providers) {
		const { price } = market.providers[name(provider)];
		// Each report's amount is rounded down.
		const exact = (price * BigInt(ms)) / 1000n;
		assert.ok(earned <= exact && exact - earned < 1000n, `${earned} of ${exact}`);
	}
});

test('every receipt adds up, and nothing stays held of the renter', async () => {
	const all = await receipts(market, market.startedAt, (await heads(market.api)).best);
	assert.ok(all.length >= 6);
	assert.ok(all.every(({ adds }) => adds));
	assert.deepEqual(await heldOf(market.api, market.renter.address), []);
});
