// One lease from end to end through polkadot.js, and everything that a user can get wrong on the way.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { callNode, heads, keyPair, send } from '../../lib/chain.mjs';
import { score } from '../../lib/digits.mjs';
import { blobHash, putBlobs, readJob } from '../../lib/job.mjs';
import { addsUp, closeLease, followJob, waitForAttestation } from '../../lib/leases.mjs';
import { postAsk } from '../../lib/market.mjs';
import { rentNow } from '../../lib/orders.mjs';
import { rent } from '../../lib/rent.mjs';
import { orderTerms } from '../../lib/terms.mjs';
import { Chain, ENDLESS, LOOP, OUT_OF_BOUNDS, UNSUPPORTED, allEvents, refused, spin } from './harness.mjs';

const DIGITS = fileURLToPath(new URL('../../../jobs/digits', import.meta.url));
const chain = new Chain(['--worker', '--worker-device', 'reference', '--worker-job-seconds', '20']);
const bob = keyPair('//Bob');
const charlie = keyPair('//Charlie');
const worker = keyPair('//Bob//worker');
const pauper = keyPair('//Nobody//here');
let market;

before(async () => {
	await chain.start();
	market = await chain.provider();
});
after(() => chain.stop());

const terms = (extra = {}) => ({ classId: market.classId, maxPrice: market.price, termMs: 300_000, ...extra });
const order = (extra, who = charlie) => rentNow(chain.api, who, orderTerms(terms(extra)));
const balance = async (address) => (await chain.api.query.system.account(address)).data;

describe('a lease', () => {
	let start;
	let lease;
	let receipt;
	let marks;

	test('serves the digits job, and its result is right', { timeout: 240_000 }, async () => {
		start = { block: (await heads(chain.api)).best, renter: await balance(charlie.address), provider: await balance(bob.address) };
		const outcome = await rent(chain.api, charlie, { job: readJob(DIGITS), order: terms() });
		({ lease, receipt } = outcome);
		assert.equal(outcome.result.hash, `0x${readFileSync(`${DIGITS}/expected.blake3`, 'utf8').trim()}`);
		marks = score(DIGITS, outcome.result.bytes);
		assert.ok(marks.accuracy >= 0.95, `accuracy ${marks.accuracy}`);
		assert.ok(marks.heldOutAccuracy >= 0.95, `accuracy on unseen digits ${marks.heldOutAccuracy}`);
	});

	test('pays for exactly the attested time, and refunds the rest', () => {
		const [{ price, gpus }] = lease.nodes;
		assert.equal(receipt.deposited, lease.deposit);
		assert.ok(receipt.attestedMs > 0);
		assert.equal(receipt.paid + receipt.fee, (price * BigInt(gpus) * BigInt(receipt.attestedMs)) / 1000n);
		assert.equal(receipt.fee, ((receipt.paid + receipt.fee) * 2n) / 100n);
		assert.equal(receipt.refunded, receipt.deposited - receipt.paid - receipt.fee);
	});

	test('can be rebuilt from events alone', async () => {
		const { finalised } = await heads(chain.api);
		const events = (await allEvents(chain.api, finalised)).filter((event) => event.block > start.block);
		const of = (section, method) => events.filter((event) => event.section === section && event.method === method);
		const mine = ({ data }) => data.escrow?.toString() === lease.lease;
		const sum = (list, field) => list.reduce((total, { data }) => total + data[field].toBigInt(), 0n);

		const inEscrow = sum(of('settlement', 'EscrowOpened').filter(mine), 'amount') + sum(of('settlement', 'ToppedUp').filter(mine), 'amount');
		const accrued = of('settlement', 'Accrued').filter(mine);
		const settled = of('settlement', 'Settled').filter(mine);
		const receipts = of('settlement', 'EscrowClosed').filter(mine);
		assert.equal(receipts.length, 1);
		const last = receipts[0].data;
		assert.equal(inEscrow, last.deposited.toBigInt());
		assert.equal(sum(accrued, 'amount'), last.paid.toBigInt() + last.fee.toBigInt());
		assert.equal(sum(of('settlement', 'Refunded').filter(mine), 'amount'), last.refunded.toBigInt());
		assert.equal(sum(settled, 'paid'), last.paid.toBigInt());
		assert.equal(sum(settled, 'fee'), last.fee.toBigInt());
		assert.equal(accrued.reduce((ms, { data }) => ms + data.ms.toNumber(), 0), last.attestedMs.toNumber());

		const fees = (who) =>
			of('transactionPayment', 'TransactionFeePaid')
				.filter(({ data }) => data.who.toString() === who)
				.reduce((total, { data }) => total + data.actualFee.toBigInt() + data.tip.toBigInt(), 0n);
		const at = await chain.api.at(await chain.api.rpc.chain.getBlockHash(finalised));
		const after = async (who) => (await at.query.system.account(who)).data;
		const [renter, provider] = [await after(charlie.address), await after(bob.address)];
		assert.equal(renter.reserved.toBigInt(), start.renter.reserved.toBigInt(), 'nothing is left in escrow');
		assert.equal(
			renter.free.toBigInt(),
			start.renter.free.toBigInt() - fees(charlie.address) - last.paid.toBigInt() - last.fee.toBigInt(),
			"the renter's balance",
		);
		assert.equal(provider.free.toBigInt(), start.provider.free.toBigInt() - fees(bob.address) + last.paid.toBigInt(), "the provider's balance");
		assert.equal(fees(worker.address), 0n, 'the worker pays no fee');
		assert.equal((await after(worker.address)).free.toBigInt(), 0n, 'and holds nothing');
	});
});

describe('an order that cannot be served says why', () => {
	test('price', () => refused(order({ maxPrice: market.price - 1n }), 'leases.PriceTooLow'));
	test('class', () => refused(order({ classId: 999 }), 'leases.UnknownClass'));
	test('term', () => refused(order({ termMs: 7_000_000 }), 'leases.TermNotOffered'));
	test('number of nodes', () => refused(order({ nodes: 2 }), 'leases.NotEnoughNodes'));
	test('country', () => refused(order({ only: ['DE'] }), 'leases.CountryNotOffered'));
	test('number of GPUs', () => refused(order({ gpusPerNode: 2 }), 'leases.NotEnoughGpus'));
	test('no funds at all', async () => {
		await assert.rejects(order({}, pauper), /cannot pay the fee/);
	});
	test('funds for the fee, not for the deposit', async () => {
		const poor = keyPair('//Poor');
		await send(chain.api, chain.api.tx.balances.transferKeepAlive(poor.address, 200_000_000_000n), charlie);
		await refused(order({}, poor), 'leases.InsufficientFunds');
	});
});

describe('a provider that makes a mistake is told so', () => {
	test('a GPU cannot be registered twice, not even by another provider', async () => {
		const [device] = market.devices;
		await refused(send(chain.api, chain.api.tx.providers.addGpu(device.classId, device.uuidHash), bob), 'providers.GpuAlreadyRegistered');
		const dave = keyPair('//Dave');
		await send(chain.api, chain.api.tx.providers.register('ws://127.0.0.1:1', 'ZZ', 0), dave);
		await send(chain.api, chain.api.tx.providers.bond(10n ** 15n), dave);
		await refused(send(chain.api, chain.api.tx.providers.addGpu(device.classId, device.uuidHash), dave), 'providers.GpuAlreadyRegistered');
	});
	test('nobody joins a group alone', async () => {
		const [dave, eve] = ['//Dave', '//Eve'].map(keyPair);
		const { applyToGroup, admitToGroup, leaveGroup } = chain.api.tx.providers;
		await refused(send(chain.api, admitToGroup(dave.address), bob), 'providers.NotApplied');
		await refused(send(chain.api, applyToGroup(dave.address), dave), 'providers.OwnGroup');
		await send(chain.api, applyToGroup(bob.address), dave);
		await refused(send(chain.api, admitToGroup(dave.address), eve), 'providers.NotApplied');
		await send(chain.api, admitToGroup(dave.address), bob);
		const group = async () => (await chain.api.query.providers.providers(dave.address)).unwrap().group.toJSON();
		assert.deepEqual(await group(), { member: { founder: bob.address } });
		await refused(send(chain.api, leaveGroup(dave.address), eve), 'providers.NotYourGroup');
		await send(chain.api, leaveGroup(dave.address), dave);
		assert.deepEqual(await group(), { alone: null });
	});
	test('an ask for more than it has', async () => {
		const ask = postAsk(chain.api, bob, { classId: market.classId, gpus: 5, price: 1n, minTermMs: 5_000 });
		await refused(ask, 'leases.OfferAboveRegistered');
	});
	test('a bond that is in use', () => refused(send(chain.api, chain.api.tx.providers.unbond(10n ** 15n), bob), 'providers.BondInUse'));
	test('nothing to withdraw', () => refused(send(chain.api, chain.api.tx.providers.withdraw(), bob), 'providers.NothingToWithdraw'));
});

describe('a report that is not right is refused', () => {
	const report = async (extra = {}) => {
		const head = await chain.api.rpc.chain.getHeader(await chain.api.rpc.chain.getFinalizedHead());
		const last = (await chain.api.query.attestation.lastReports(bob.address)).unwrap();
		return chain.api.tx.attestation.report({
			epoch: last.epoch.toNumber(),
			finalisedNumber: head.number,
			finalisedHash: head.hash,
			gpus: [],
			leases: [],
			...extra,
		});
	};
	test('from an unknown key: as a failed transaction if it pays, not at all if it does not', async () => {
		await refused(send(chain.api, await report(), keyPair('//Eve')), 'attestation.NotAWorker');
		await assert.rejects(send(chain.api, await report(), pauper), /cannot pay the fee/);
	});
	test('for a past epoch, or a second time in one: never free, so never in a block', async () => {
		const last = (await chain.api.query.attestation.lastReports(bob.address)).unwrap().epoch.toNumber();
		await assert.rejects(send(chain.api, await report({ epoch: last - 1 }), worker), /cannot pay the fee/);
		await assert.rejects(send(chain.api, await report({ epoch: last }), worker), /cannot pay the fee/);
	});
	test("for another's lease", async () => {
		const job = spin(10);
		await putBlobs(chain.api, job);
		const { lease, block } = await order({ plans: [job.plan] });
		// Dave's worker, registered and with funds, claims to serve Bob's lease.
		const dave = keyPair('//Dave');
		const hand = keyPair('//Dave//worker');
		await send(chain.api, chain.api.tx.providers.setWorker(hand.address), dave);
		await send(chain.api, chain.api.tx.balances.transferKeepAlive(hand.address, 10n ** 12n), charlie);
		for (let tries = 0; ; tries += 1) {
			// The epoch may turn between asking and inclusion.
			const view = await chain.api.call.workerApi.workerView(hand.address);
			const tx = await report({ epoch: view.unwrap().epoch.toNumber(), leases: [{ lease, busyMs: 0, jobsEnded: 0, checkpoint: null }] });
			try {
				await send(chain.api, tx, hand);
				assert.fail('the report was accepted');
			} catch (error) {
				if (error.name === 'attestation.PastEpoch' && tries < 5) continue;
				assert.equal(error.name, 'attestation.NotYourLease');
				break;
			}
		}
		await refused(send(chain.api, chain.api.tx.attestation.reportJob(lease, 0, { Failed: 'PlanInvalid' }), hand), 'attestation.NotYourLease');
		await followJob(chain.api, { lease, from: block });
		await closeLease(chain.api, charlie, lease);
	});
	test("a lease can be closed by its renter alone", async () => {
		const { lease } = await order();
		await refused(send(chain.api, chain.api.tx.leases.close(lease), bob), 'leases.NotRenter');
		await closeLease(chain.api, charlie, lease);
		await refused(send(chain.api, chain.api.tx.leases.close(lease), charlie), 'leases.UnknownLease');
	});
});

describe('a job that cannot run fails by name, and the lease goes on', () => {
	let lease;
	before(async () => (lease = await order()));
	after(async () => {
		await waitForAttestation(chain.api, { lease: lease.lease, from: lease.block });
		const { receipt } = await closeLease(chain.api, charlie, lease.lease);
		assert.ok(addsUp(receipt));
	});

	let next = 0;
	const fails = (name, job, failure, { put = true, text } = {}) =>
		test(name, { timeout: 120_000 }, async () => {
			if (put) await putBlobs(chain.api, job);
			const from = (await heads(chain.api)).best;
			await send(chain.api, chain.api.tx.leases.submitJob(lease.lease, 0, job.plan), charlie);
			const number = next;
			next += 1;
			const { outcome } = await followJob(chain.api, { lease: lease.lease, job: number, from, timeoutMs: 90_000 });
			assert.equal(outcome.isFailed ? outcome.asFailed.type : outcome.type, failure);
			if (text) assert.match((await callNode(chain.api, 'worker_job', Number(lease.lease), number)).detail, text);
		});
	const without = (job, what) => {
		const blobs = new Map([...job.blobs].filter(([hash]) => (what === 'plan' ? hash !== job.plan : hash === job.plan)));
		return { ...job, blobs };
	};

	fails('a plan with too large buffers', spin(1, { change: (plan) => ({ ...plan, buffers: [{ name: 'out', bytes: 2 ** 50 }] }) }), 'PlanInvalid', { text: /bytes/ });
	fails('a plan with an unknown field', spin(1, { change: (plan) => ({ ...plan, colour: 'red' }) }), 'PlanInvalid', { text: /colour/ });
	fails('an unknown entry point', spin(1, { entry: 'nothing' }), 'KernelRejected', { text: /nothing[^]*spin/ });
	fails('an unsupported instruction', spin(1, { kernel: UNSUPPORTED }), 'KernelRejected', { text: /tex/ });
	fails('an out-of-bounds store', spin(3, { kernel: OUT_OF_BOUNDS }), 'KernelFault', { text: /bound|address/i });
	fails('an endless loop', spin(3, { kernel: ENDLESS }), 'TimedOut');
	fails('a missing blob', without(spin(77, { kernel: LOOP.replace('$again', '$here').replace('$again', '$here') }), 'kernel'), 'BlobMissing', { text: /blob/ });
	fails('a good job after all of them', spin(1234), 'Succeeded');

	test('a blob is stored under its own hash only, and has a size limit', async () => {
		const bytes = new Uint8Array(3).fill(7);
		assert.equal((await chain.api.rpc.blob.put('0x070707')).toHex(), blobHash(bytes));
		await assert.rejects(chain.api.rpc.blob.get(`0x${'12'.repeat(32)}`), /no blob|not here/i);
		await assert.rejects(chain.api.rpc.blob.put(`0x${'00'.repeat(6 * 1024 * 1024 + 1)}`), /takes at most 6291456/);
	});
});
