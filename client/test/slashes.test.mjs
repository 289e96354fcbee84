// Slashes in words and figures, without a chain.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UserError } from '../lib/cli.mjs';
import { blobHash } from '../lib/job.mjs';
import { appealRefusal, causeOf, evidenceHash, plainSlash, slashBooks, statusOf, stepsFor, tellSlash } from '../lib/slashes.mjs';
import { receiversOf } from '../scenario/slashing.mjs';
import { faultsOfDark, faultsOfStall, faultsOfVerdict, suspendedWithin } from '../scenario/slashing-claims.mjs';

const BOB = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';
const NOW = Date.UTC(2026, 10, 21, 12);
const MILL = 10n ** 12n;

/** A number, account or hash as polkadot.js gives it. */
const value = (plain) => ({
	toString: () => String(plain),
	toHex: () => String(plain),
	toNumber: () => Number(plain),
	toBigInt: () => BigInt(plain),
	isZero: () => BigInt(plain) === 0n,
	isTrue: plain === true,
});
const some = (plain) => ({ unwrapOr: () => value(plain), toString: () => String(plain) });
const none = { unwrapOr: (otherwise) => otherwise, toString: () => '' };
const kind = (type, fields = {}) => ({ type, value: Object.fromEntries(Object.entries(fields).map(([name, plain]) => [name, value(plain)])) });
const event = (block, method, data, section = 'slashing') => ({ block, event: { section, method, data: Object.assign(Object.values(data), { names: Object.keys(data) }) } });

const stored = (extra = {}) => ({
	provider: value(BOB),
	lease: some(7),
	renter: some('Dave'),
	cause: kind('Dark'),
	leaseBond: value(100n * MILL),
	held: value(3n * MILL),
	unserved: some(2n * MILL),
	faults: [],
	openedAt: value(NOW - 60_000),
	status: kind('Deferred', { executesAt: NOW + 60_000 }),
	...extra,
});
const slash = (extra) => plainSlash(3, stored(extra));
const OPEN = { status: kind('Open') };
const APPEALED = { status: kind('Appealed', { lapsesAt: NOW + 600_000, bond: MILL, evidence: `0x${'ab'.repeat(32)}` }) };
const DUE = { status: kind('Deferred', { executesAt: NOW }) };
const UNJUDGED = { faults: [{ amount: value(MILL) }, { amount: value(MILL) }] };

test('a slash in plain values', () => {
	assert.deepEqual(slash({ lease: none, renter: none, unserved: none, ...UNJUDGED }), {
		slash: '3',
		provider: BOB,
		lease: null,
		renter: null,
		cause: 'Dark',
		leaseBond: 100n * MILL,
		held: 3n * MILL,
		mayBeExcused: 2n * MILL,
		unjudged: 2,
		unserved: null,
		openedAt: NOW - 60_000,
		status: 'Deferred',
		executesAt: NOW + 60_000,
		appeal: null,
	});
	assert.deepEqual(slash(APPEALED).appeal, { bond: MILL, evidence: `0x${'ab'.repeat(32)}` });
	assert.deepEqual([slash(APPEALED).executesAt, slash(OPEN).executesAt], [NOW + 600_000, null]);
});

test('the status says when it is paid out', () => {
	assert.equal(statusOf(slash(), NOW), 'is paid out in 1 min, at 12:01:00 UTC');
	assert.equal(statusOf(slash(OPEN), NOW), 'counting');
	assert.equal(statusOf(slash(APPEALED), NOW), 'appealed; without a verdict is paid out in 10 min, at 12:10:00 UTC');
	assert.equal(statusOf(slash(DUE), NOW), 'is due');
	assert.match(statusOf(slash(APPEALED), NOW + 600_000), /no verdict in time/);
	assert.equal(causeOf('GpuLost'), 'GPUs were lost');
	assert.equal(causeOf('Unheard'), 'Unheard');
});

test('what can be done depends on how far it has come', () => {
	const steps = (extra, now = NOW) => stepsFor(slash(extra), now).join('\n');
	assert.match(steps(), /appeal\.mjs --account SURI --slash 3[^]*council, until 12:01:00 UTC: slashing\.resolve\(3, \{ Reduce: \{ keep \} \} or 'Cancel'\)/);
	assert.doesNotMatch(steps(), /Uphold/, 'there is nothing to uphold without an appeal');
	assert.match(steps(OPEN), /start the node/);
	assert.match(steps(APPEALED), /'Uphold'.*evidence 0xabab/);
	assert.doesNotMatch(steps(APPEALED), /appeal\.mjs/);
	assert.match(steps(DUE), /by itself.*slashing\.execute\(3\)/);
	assert.match(steps(UNJUDGED), /2 MILL of it may still turn out to be nobody's fault[^]*council: wait/);
});

test('an appeal that the chain would refuse is refused first, with what to do', () => {
	const refusal = (extra, account = BOB, now = NOW) => appealRefusal(slash(extra), 3, account, now);
	assert.equal(refusal(), null);
	assert.equal(refusal(UNJUDGED), null);
	assert.match(appealRefusal(null, 3, BOB, NOW), /there is no slash 3.*slashes\.mjs/);
	assert.match(refusal({}, 'Dave'), new RegExp(`that of ${BOB}: only this account`));
	assert.match(refusal(OPEN), /serve lease 7 again, or wait/);
	assert.match(refusal(APPEALED), /wait for the verdict, until 12:10:00 UTC/);
	assert.match(refusal(DUE), /the time to appeal .* is over/);
});

test('evidence is a hash, or a file that is hashed', () => {
	const hash = `0x${'Ab'.repeat(32)}`;
	assert.equal(evidenceHash(hash), hash.toLowerCase());
	const file = new URL(import.meta.url).pathname;
	assert.equal(evidenceHash(file), blobHash(readFileSync(file)));
	for (const [text, pattern] of [[undefined, /missing/], ['', /cannot be read/], ['0x12', /0x and 64 digits/], ['nowhere.pdf', /there is no such file/]]) {
		assert.throws(() => evidenceHash(text), (error) => error instanceof UserError && pattern.test(error.message), String(text));
	}
});

const began = event(10, 'EpisodeBegan', { slash: value(3), provider: value(BOB), lease: value(7), renter: value('Dave'), cause: kind('Dark') });
const counted = (block, amount, held) => event(block, 'FaultCounted', { slash: value(3), provider: value(BOB), cause: kind('Dark'), epoch: value(block / 5), epochs: value(1), darkGpus: value(1), gpus: value(1), amount: value(amount), held: value(held) });
const excused = event(17, 'FaultExcused', { slash: value(3), provider: value(BOB), epoch: value(2), excuse: kind('MassOutage'), amount: value(20) });
const resolved = event(30, 'Resolved', { slash: value(3), verdict: kind('Reduce', { keep: 500_000 }), executed: value(15), returned: value(15), bond: value(5), bondLost: value(false) });
const executed = (amounts) => event(30, 'SlashExecuted', { slash: value(3), provider: value(BOB), lease: some(7), renter: some('Dave'), toRenter: value(amounts[0]), toInsurance: value(amounts[1]), toTreasury: value(amounts[2]) });
const LIFE = [began, counted(10, 20, 20), counted(15, 30, 50), excused];

test('the books of a slash follow from its events', () => {
	const [book] = slashBooks([...LIFE, resolved, executed([10, 1, 4]), event(31, 'InsurancePaid', { to: value('Eve'), amount: value(1) })]);
	assert.deepEqual([book.detected, book.excused, book.returned, book.executed, book.left], [50n, 20n, 15n, 15n, 0n]);
	assert.deepEqual([book.toRenter, book.toInsurance, book.toTreasury], [10n, 1n, 4n]);
	assert.deepEqual(book.faults.map(({ block, held }) => [block, held]), [[10, 20n], [15, 50n]]);
	assert.deepEqual([book.provider, book.lease, book.renter, book.cause, book.blocks.Resolved], [BOB, '7', 'Dave', 'Dark', 30]);
	assert.deepEqual([book.over, book.adds], [true, true]);
});

test('books that do not add up say so', () => {
	const [open] = slashBooks(LIFE);
	assert.deepEqual([open.left, open.over, open.adds], [30n, false, true]);
	assert.equal(slashBooks([...LIFE, resolved, executed([10, 1, 3])])[0].adds, false, 'less was paid out than the verdict says');
	assert.equal(slashBooks([...LIFE, executed([10, 1, 4])])[0].adds, false, 'something is left');
	assert.equal(slashBooks([...LIFE, executed([40, 1, 4])])[0].adds, false, 'more than there was');
	const offence = event(40, 'Condemned', { slash: value(4), provider: value(BOB), offence: kind('BadResult'), class: value(0), gpus: value(1), amount: value(70), renter: none });
	const cancelled = event(50, 'Resolved', { slash: value(4), verdict: kind('Cancel'), executed: value(0), returned: value(70), bond: value(0), bondLost: value(false) });
	const [book] = slashBooks([offence, cancelled]);
	assert.deepEqual([book.detected, book.returned, book.lease, book.cause, book.adds], [70n, 70n, null, 'BadResult', true]);
	assert.equal(slashBooks([...LIFE, event(20, 'SlashDropped', { slash: value(3), provider: value(BOB), bond: value(0) })])[0].adds, false);
});

test('each event is a line', () => {
	const tell = ({ event: each }) => tellSlash(each, () => 'Bob');
	assert.equal(tell(began), 'slash 3 begins: Bob does not serve lease 7 (its reports stayed away)');
	assert.equal(tell(counted(10, 20, 50)), 'slash 3, epoch 2: 0.00000000002 MILL of the bond on hold, 0.00000000005 MILL in all');
	assert.match(tell(excused), /nobody's fault \(MassOutage\)/);
	assert.match(tell(resolved), /is reduced to 50 %: .* are bond again; the appeal's bond of .* is back/);
	assert.match(tell(executed([10, 1, 4])), /to the renter.*to the insurance pool.*to the treasury/);
	assert.equal(tell(event(1, 'Unheard', {})), undefined);
	assert.equal(tell(event(1, 'EpisodeBegan', {}, 'leases')), undefined);
});

test('who received what is read from the deposits of the payment', () => {
	const deposit = (who, amount) => event(30, 'Deposit', { who: value(who), amount: value(amount) }, 'balances').event;
	const amounts = { renter: 10n, insurance: 0n, treasury: 5n };
	const all = [deposit('Alice', 99), resolved.event, deposit('Dave', 10), deposit('Treasury', 5), executed([10, 0, 5]).event, deposit('Alice', 7)];
	assert.deepEqual(receiversOf(all, amounts), { renter: 'Dave', treasury: 'Treasury' });
	assert.throws(() => receiversOf(all.filter((each) => each !== all[2]), amounts), /no deposit .* to the renter/);
});

const LENGTHS = { epochBlocks: 5, graceEpochs: 1, slotMs: 1000, suspendedForMs: 60_000 };
const dark = (extra) => ({
	attestedBlock: 20,
	suspended: { block: 28, attestedAt: 20_000 },
	times: { ready: 5_000, attested: 20_000, killed: 21_000 },
	billedMs: 15_000,
	billedBlock: 20,
	faults: [{ block: 33, epochs: 1, amount: 20n, held: 20n }, { block: 38, epochs: 1, amount: 27n, held: 47n }],
	excused: [],
	ended: { block: 38, held: 47n },
	bondBefore: { bond: 150_000n, pending: 0n },
	bond: { bond: 149_953n, pending: 47n },
	faulted: { block: 38, cause: 'Dark' },
	renter: 'Dave',
	...extra,
});
const RECEIPT = { attestedMs: 15_000, deposited: 100n, paid: 14n, fee: 1n, refunded: 85n };
const judged = { held: 47n, leaseBond: 100_000n, unserved: 13n, renter: 'Dave' };
const ofDark = (extra, rest) => faultsOfDark({ dark: dark(extra), receipt: RECEIPT, slash: judged, lengths: LENGTHS, renter: 'Dave', ...rest });

test('figures of a dark provider that are not as they must be are named', () => {
	assert.equal(suspendedWithin(LENGTHS), 10);
	assert.deepEqual(ofDark(), []);
	const names = (extra, pattern, rest) => assert.match(ofDark(extra, rest).join('\n'), pattern);
	names({ suspended: undefined }, /never suspended/);
	names({ suspended: { block: 31, attestedAt: 20_000 } }, /11 blocks after the last attestation, and two epochs are 10/);
	names({ suspended: { block: 28, attestedAt: 21_000 } }, /the last attestation was at 20000/);
	names({ billedMs: 16_000 }, /16 s were billed, and 15 s attested/);
	names({ billedBlock: 25 }, /billed in block 25/);
	names({}, /receipt/, { receipt: { ...RECEIPT, refunded: 84n } });
	names({ faults: [], ended: { block: 38, held: 0n } }, /no fault was counted/);
	names({ faults: [{ block: 33, epochs: 2, amount: 20n, held: 20n }, { block: 38, epochs: 1, amount: 27n, held: 47n }] }, /0\.02 % of the lease bond/);
	names({ ended: { block: 38, held: 46n } }, /were counted/);
	names({ excused: [{}] }, /excused/);
	names({ bond: { bond: 149_953n, pending: 46n } }, /with .* on hold/);
	names({ faulted: undefined }, /not for being dark/);
	names({}, /rented/, { renter: 'Charlie' });
});

const verdict = (extra) => ({
	executed: 23n,
	returned: 24n,
	amounts: { renter: 13n, insurance: 2n, treasury: 8n },
	received: { renter: 13n, insurance: 2n, treasury: 9n },
	receivers: { renter: 'Dave', insurance: 'Pool', treasury: 'Treasury' },
	renter: 'Dave',
	appealBond: { amount: 5n, lost: false },
	bond: { bond: 149_977n, pending: 0n },
	...extra,
});
const ofVerdict = (extra) => faultsOfVerdict({ verdict: verdict(extra), slash: judged, appeal: { bond: 5n }, keep: 500_000, bondBefore: { bond: 150_000n, pending: 0n } });

test('figures of a verdict that are not as they must be are named', () => {
	assert.deepEqual(ofVerdict(), []);
	const names = (extra, pattern) => assert.match(ofVerdict(extra).join('\n'), pattern);
	names({ returned: 23n }, /paid out or came back/);
	names({ executed: 24n, returned: 23n }, /not 50 %/);
	names({ amounts: { renter: 13n, insurance: 2n, treasury: 7n } }, /received/);
	names({ amounts: { renter: 12n, insurance: 2n, treasury: 9n } }, /the renter got/);
	names({ amounts: { renter: 13n, insurance: 3n, treasury: 7n } }, /the insurance pool got/);
	names({ received: { renter: 12n, insurance: 2n } }, /the renter's balance grew/);
	names({ received: { renter: 13n } }, /the insurance pool's balance grew/);
	names({ receivers: { renter: 'Eve' } }, /Eve was compensated/);
	names({ appealBond: { amount: 5n, lost: true } }, /were lost/);
	names({ bond: { bond: 149_977n, pending: 1n } }, /on hold/);
});

const stalled = (extra) => ({
	seconds: 45,
	gapMs: 46_000,
	stopped: { block: 101, excuse: 'ChainStall', until: 111 },
	resumed: { block: 111, stoppedMs: 56_000 },
	attestedBlock: 103,
	accruals: [{ block: 108, ms: 5_000 }, { block: 113, ms: 10_000 }],
	punishments: [],
	bondBefore: { bond: 10n, pending: 0n },
	bond: { bond: 10n, pending: 0n },
	node: 'active',
	...extra,
});

test('a stall for which somebody pays is named', () => {
	assert.deepEqual(faultsOfStall({ stalled: stalled(), lengths: LENGTHS }), []);
	const names = (extra, pattern) => assert.match(faultsOfStall({ stalled: stalled(extra), lengths: LENGTHS }).join('\n'), pattern);
	names({ stopped: null }, /did not stop/);
	names({ gapMs: 12_000 }, /a gap of 12 s/);
	names({ resumed: null }, /does not go on/);
	names({ attestedBlock: null }, /not attested again/);
	names({ punishments: [{ block: 120, what: 'slashing.FaultCounted' }] }, /slashing\.FaultCounted in block 120/);
	names({ bond: { bond: 9n, pending: 1n } }, /the bond was/);
	names({ node: 'faulted' }, /faulted, not active/);
	names({ accruals: [{ block: 103, ms: 50_000 }] }, /the stall was billed/);
});
