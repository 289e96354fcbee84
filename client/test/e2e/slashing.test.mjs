// The slashing scenario, step by step: a provider that goes dark pays, and one whose chain stands still does not. The time that a node may
// be suspended is shorter than the development chain's, by its specification.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventsOf, heads } from '../../lib/chain.mjs';
import { blobHash } from '../../lib/job.mjs';
import { addsUp, closeLease } from '../../lib/leases.mjs';
import { developmentChain, temporaryFolder } from '../../lib/nodes.mjs';
import { slashBooks, slashOf, slashesOf } from '../../lib/slashes.mjs';
import { heldOf } from '../../scenario/money.mjs';
import { enlist } from '../../scenario/network.mjs';
import { awaitJudgement, awaitReceipt, comeBack, goDark, lengthsOf, reduce, rentBob, stall, startChain } from '../../scenario/slashing.mjs';
import { faultsOfDark, faultsOfStall, faultsOfVerdict } from '../../scenario/slashing-claims.mjs';
import { BINARY } from './harness.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const KEEP = 500_000;
const STALL_SECONDS = 45;
const EVIDENCE = 'README.md';

let context, lengths, dark, slash, appeal, returning;
before(async () => {
	const folder = temporaryFolder();
	const chain = developmentChain(BINARY, folder, { suspendedForMs: 20_000 });
	context = await startChain({ binary: BINARY, chain, folder });
	await enlist(context);
	lengths = await lengthsOf(context.api);
});
after(async () => {
	for (const node of [context?.validator, ...Object.values(context?.nodes ?? {})]) await node?.stop();
});

/** Runs a script to its end; what goes on here goes on meanwhile. */
const script = (file, ...args) =>
	new Promise((resolve) => {
		const child = spawn('node', [`client/${file}.mjs`, '--url', context.validator.url, ...args], { cwd: ROOT });
		const texts = { stdout: '', stderr: '' };
		for (const name of ['stdout', 'stderr']) child[name].on('data', (part) => (texts[name] += part));
		child.on('close', (status) => resolve({ status, ...texts }));
	});

test('a provider that is killed is suspended within two epochs, and pays for each further one', { timeout: 150_000 }, async () => {
	const none = await script('slashes');
	assert.equal(none.stdout, 'No slash is pending.\n', none.stderr);
	const lease = await rentBob(context);
	dark = await goDark(context, lease);
	returning = comeBack(context);
	returning.catch(() => {});
	const listed = await slashOf(context.api, dark.slash);
	assert.equal(listed.status, 'Deferred');
	assert.equal(listed.executesAt, dark.ended.executesAt);
	assert.equal(listed.held, dark.ended.held);
});

test('its account appeals through another node, and nobody else can', { timeout: 90_000 }, async () => {
	const bob = context.providers.Bob.pair.address;
	const [list, stranger] = await Promise.all([
		script('slashes', '--provider', bob),
		script('appeal', '--account', '//Dave', '--slash', dark.slash, '--evidence', EVIDENCE),
	]);
	assert.match(list.stdout, /its reports stayed away[^]*appeal\.mjs --account SURI --slash/, list.stderr);
	assert.equal(stranger.status, 1);
	assert.match(stranger.stderr, new RegExp(`slash ${dark.slash} is that of ${bob}: only this account can appeal`));

	const { status, stdout, stderr } = await script('appeal', '--account', '//Bob', '--slash', dark.slash, '--evidence', EVIDENCE, '--json');
	assert.equal(status, 0, stderr);
	const sent = JSON.parse(stdout);
	appeal = { ...sent, bond: BigInt(sent.bond) };
	assert.equal(appeal.evidence, blobHash(readFileSync(`${ROOT}/${EVIDENCE}`)));
	assert.deepEqual((await slashOf(context.api, dark.slash)).appeal, { bond: appeal.bond, evidence: appeal.evidence });
	const again = await script('appeal', '--account', '//Bob', '--slash', dark.slash, '--evidence', EVIDENCE);
	assert.match(again.stderr, /is appealed already: wait for the verdict/);
});

test('what was billed ends with the last attestation, and what is on hold adds up', { timeout: 120_000 }, async () => {
	const receipt = await awaitReceipt(context, dark.lease, dark.closed.block);
	slash = await awaitJudgement(context, dark.slash);
	assert.deepEqual(faultsOfDark({ dark, receipt, slash, lengths, renter: context.renter.address }), []);
});

test('the council halves the slash: half is bond again, half compensates the renter first', { timeout: 90_000 }, async () => {
	const verdict = await reduce(context, dark.slash, { keep: KEEP });
	assert.deepEqual(faultsOfVerdict({ verdict, slash, appeal, keep: KEEP, bondBefore: dark.bondBefore }), []);
	assert.ok(verdict.amounts.insurance > 0n && verdict.amounts.treasury > 0n, 'something is left for insurance pool and treasury');
	assert.deepEqual(await slashesOf(context.api), []);
	const gone = await script('appeal', '--account', '//Bob', '--slash', dark.slash, '--evidence', EVIDENCE);
	assert.match(gone.stderr, /there is no slash .*paid out, cancelled or excused/);
});

test('the whole chain stands still: blocks come again, the lease is attested again, and nobody is punished', { timeout: 240_000 }, async () => {
	await returning;
	const lease = await rentBob(context);
	const stalled = await stall(context, lease, { seconds: STALL_SECONDS });
	assert.deepEqual(faultsOfStall({ stalled, lengths }), []);
	assert.ok(stalled.stopped.block <= stalled.last + 3, `the chain went on from block ${stalled.last}`);
	assert.ok(stalled.resumed.stoppedMs >= (STALL_SECONDS - 1) * 1000);
	const { receipt } = await closeLease(context.api, context.renter, lease.lease);
	assert.ok(addsUp(receipt));
});

test('the books of the slash can be rebuilt from events alone', { timeout: 60_000 }, async () => {
	const books = slashBooks(await eventsOf(context.api, 'slashing', context.startedAt, (await heads(context.api)).best));
	assert.equal(books.length, 1);
	const [book] = books;
	assert.ok(book.adds && book.over);
	assert.equal(book.detected, dark.ended.held);
	assert.equal(book.detected, book.returned + book.executed);
	assert.equal(book.executed, book.toRenter + book.toInsurance + book.toTreasury);
	assert.deepEqual([book.lease, book.cause, book.renter], [dark.lease, 'Dark', context.renter.address]);
	assert.deepEqual(await heldOf(context.api, context.renter.address), []);
});
