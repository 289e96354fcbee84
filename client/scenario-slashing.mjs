#!/usr/bin/env node
// The slashing scenario of `scripts/run --scenario slashing`: a provider that goes dark pays, and one whose chain stands still does not.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { eventsOf, heads } from './lib/chain.mjs';
import { UserError, checkWritable, main, note, options, patiently, step, toJson } from './lib/cli.mjs';
import { duration, mill, moment, percent, short, table } from './lib/format.mjs';
import { closeLease } from './lib/leases.mjs';
import { checkProgram, keepLogs, temporaryFolder } from './lib/nodes.mjs';
import { causeOf, slashBooks } from './lib/slashes.mjs';
import { heldOf } from './scenario/money.mjs';
import { enlist, nameOf, prepareFolder } from './scenario/network.mjs';
import { PROFILES, WATCHED_EPOCHS, appealAsBob, awaitJudgement, awaitReceipt, comeBack, goDark, lengthsOf, reduce, rentBob, stall, startChain } from './scenario/slashing.mjs';
import { INSURANCE_SHARE, faultsOfDark, faultsOfStall, faultsOfVerdict, suspendedWithin } from './scenario/slashing-claims.mjs';

// What the council leaves of the slash, in parts per million.
const KEEP = 500_000;
// How long Bob serves before his node is killed, in milliseconds.
const SERVED_MS = 15_000;
// Fewer seconds are no stall to the chain, and more make the story long.
const [LEAST_STALL, LONGEST_STALL] = [30, 600];

const args = options(
	'node client/scenario-slashing.mjs [options]',
	"Starts a validator and a provider's node on this machine and shows what faults cost. First the provider's node is killed in the middle of a lease: billing\nstops, a part of the bond is put on hold for each epoch, the provider appeals, the council halves the slash, the renter is compensated. Then the\nwhole chain stands still, and nobody is punished. About seven minutes. Checks what it shows, and ends everything that it started.",
	{
		node: { value: 'FILE', default: process.env.MILLRACE_NODE, help: 'the millrace-node program' },
		'stall-seconds': { value: 'N', default: '150', help: `for how long the chain stands still, from ${LEAST_STALL} to ${LONGEST_STALL}` },
		'base-path': { value: 'DIR', help: "keep the nodes' data in this empty folder [default: a temporary one, removed at the end]" },
		summary: { value: 'FILE', help: 'write what was shown as JSON' },
		exit: { help: 'end when it is over, instead of keeping the chain running' },
	},
	['scripts/run --scenario slashing --exit --summary slashing.json', 'node client/scenario-slashing.mjs --node target/release/millrace-node --stall-seconds 45 --exit'],
);

const show = (text) => process.stdout.write(`${text.trimEnd()}\n\n`);
const at = (block, text) => note(`block ${block}: ${text}`);
const must = (faults) => {
	if (faults.length) throw new Error(faults.join('\n       '));
};

await main(async () => {
	const seconds = stallSeconds();
	if (!args.node) throw new UserError('--node names no program: use scripts/run --scenario slashing, which builds it');
	if (args.summary) checkWritable(args.summary);
	checkProgram(args.node);
	const folder = args['base-path'] ? resolve(args['base-path']) : temporaryFolder();
	prepareFolder(folder, PROFILES);
	try {
		await showSlashing(folder, seconds);
	} catch (error) {
		const logs = keepLogs(folder);
		if (logs) note(`the nodes' logs: ${logs}`);
		throw error;
	}
});

function stallSeconds() {
	const seconds = Number(args['stall-seconds']);
	if (/^\d+$/.test(args['stall-seconds']) && seconds >= LEAST_STALL && seconds <= LONGEST_STALL) return seconds;
	throw new UserError(`--stall-seconds ${args['stall-seconds']} is not possible: give a whole number from ${LEAST_STALL}, below which the chain does not call it a stall, to ${LONGEST_STALL}`);
}

async function showSlashing(folder, seconds) {
	const began = Date.now();
	step("Two nodes start: a validator, and that of the provider Bob");
	const context = await patiently('starting; each compiles the runtime first', startChain({ binary: args.node, folder }));
	const { api, renter, validator } = context;
	if (!api.query.slashing) throw new UserError(`--node ${args.node} has a runtime without slashing: it is older than this script. scripts/run builds the node of today`);
	const lengths = await lengthsOf(api);
	const epochMs = lengths.epochBlocks * lengths.slotMs;
	note(`the validator is at ${validator.url}, and makes a block in ${duration(lengths.slotMs)}; an epoch is ${lengths.epochBlocks} blocks; data and logs are in ${folder}`);

	step('Bob registers, bonds, adds his GPU, and offers it');
	await patiently("waiting for his worker's first report", enlist(context));
	const { Bob } = context.providers;
	note(`${Bob.devices[0].name}, with a bond of ${mill(Bob.bond)}, for ${mill(Bob.price)} a second`);

	step('Dave rents it, without failover: if Bob is lost, the lease ends');
	const first = await patiently('waiting until it is served and billed', rentBob(context, { ms: SERVED_MS }));
	at(first.block, `lease ${first.lease} at ${mill(first.rate)} a second; ready in block ${first.readyBlock}`);

	step("Act 1: Bob's node is killed. Nobody tells the chain");
	const dark = await patiently(`waiting for the suspension, and then ${duration(lengths.suspendedForMs)} for Bob`, goDark(context, first, { say: at }));
	const blocks = dark.suspended.block - dark.attestedBlock;
	show(
		table(
			['what', 'block', 'time', ''],
			[
				['last attestation', dark.attestedBlock, moment(dark.times.attested), 'billed until here'],
				['SIGKILL', dark.killed, moment(dark.times.killed), ''],
				['suspended', dark.suspended.block, '', `${blocks} blocks after the last attestation; two epochs are ${suspendedWithin(lengths)}`],
				['lost', dark.faulted.block, '', `${dark.faulted.cause}; the lease is closed (${dark.closed.reason})`],
				['slash is paid out', '', moment(dark.ended.executesAt), 'if nobody objects'],
			],
		),
	);
	note(`attested: ${duration(dark.times.attested - dark.times.ready)}; billed: ${duration(dark.billedMs)}; of the time after the last attestation, nothing`);
	show(table(['epoch', 'block', 'epochs missed', 'put on hold', 'on hold in all'], dark.faults.map(({ epoch, block, epochs, amount, held }) => [epoch, block, epochs, mill(amount), mill(held)])));
	note(`the last one has the rest of the notice in it that Bob had promised before he leaves; of the bond of ${mill(dark.bondBefore.bond)}, ${mill(dark.bond.bond)} are left`);

	step("Bob's cold account appeals, through the validator's node: his own is still down");
	const appeal = await appealAsBob(context, dark.slash);
	at(appeal.block, `appealed, with a bond of ${mill(appeal.bond)}; evidence ${short(appeal.evidence)}`);
	note('Bob starts his node again meanwhile, on its old data');
	const returning = comeBack(context);
	// Whoever waits for it gets the error; until then it is no stray one.
	returning.catch(() => {});
	const receipt = await patiently("waiting for the first lease's receipt", awaitReceipt(context, first.lease, dark.closed.block));
	note(`receipt of lease ${first.lease}: ${mill(receipt.paid)} paid + ${mill(receipt.fee)} fee + ${mill(receipt.refunded)} refunded = ${mill(receipt.deposited)}, for ${duration(receipt.attestedMs)}`);
	const slash = await patiently('waiting until it is known that nobody else was dark', awaitJudgement(context, dark.slash));
	must(faultsOfDark({ dark, receipt, slash, lengths, renter: renter.address }));

	step(`The council decides: half of it. Alice and Charlie vote; Bob, who is a member, does not`);
	const verdict = await patiently('voting', reduce(context, dark.slash, { keep: KEEP }));
	must(faultsOfVerdict({ verdict, slash, appeal, keep: KEEP, bondBefore: dark.bondBefore }));
	const whose = { renter: 'Dave, the renter', insurance: 'the insurance pool', treasury: 'the treasury' };
	at(verdict.block, `${mill(verdict.returned)} are bond again, and ${mill(verdict.executed)} are paid out; the appeal's bond of ${mill(verdict.appealBond.amount)} is back`);
	show(
		table(
			['who', 'account', 'receives', ''],
			Object.entries(verdict.amounts).map(([who, amount]) => [
				whose[who],
				verdict.receivers[who] ? short(verdict.receivers[who]) : '',
				mill(amount),
				who === 'renter' ? `what was not served is worth ${mill(slash.unserved)}` : who === 'insurance' ? `${percent(INSURANCE_SHARE)} of the rest` : 'the remainder',
			]),
		),
	);

	step('Act 2: Bob is back, and the chain stands still');
	const afterMs = await patiently('waiting until his GPU can be leased again', returning);
	note(`Bob's node started, reported, and was back in the book after ${duration(afterMs)}`);
	const second = await patiently('waiting until it is served and billed', rentBob(context, { ms: epochMs }));
	at(second.block, `lease ${second.lease} at ${mill(second.rate)} a second`);
	const stalled = await patiently(`the validator's process hangs for ${seconds} s; then waiting until providers have had ${WATCHED_EPOCHS} more epochs to be missed in`, stall(context, second, { seconds, say: at }));
	must(faultsOfStall({ stalled, lengths }));
	show(
		table(
			['what', 'block', ''],
			[
				['last block before', stalled.last, ''],
				['first block after', stalled.stopped.block, `${duration(stalled.gapMs)} later; the fault clock stands (${stalled.stopped.excuse})`],
				['attested again', stalled.attestedBlock, stalled.suspended ? `after a suspension in block ${stalled.suspended}, which costs nothing` : ''],
				['the fault clock goes on', stalled.resumed.block, `${duration(stalled.resumed.stoppedMs)} did not count`],
				['watched until', stalled.until, 'no slash, nothing on hold, the node is served'],
			],
		),
	);
	note(`billed since: ${duration(stalled.accruals.reduce((total, { ms }) => total + ms, 0))}; the stall is not billed`);

	step('The books, in MILL');
	const end = await patiently('closing the lease', closeLease(context.api, renter, second.lease));
	const to = (await heads(context.api)).best;
	const books = slashBooks(await eventsOf(context.api, 'slashing', context.startedAt, to));
	const bare = (value) => mill(value).replace(' MILL', '');
	const parts = ['detected', 'excused', 'returned', 'executed', 'toRenter', 'toInsurance', 'toTreasury', 'left'];
	show(
		table(
			['slash', 'because', 'detected', 'excused', 'returned', 'paid out', 'to the renter', 'insurance', 'treasury', 'left'],
			books.map((book) => [book.slash, causeOf(book.cause), ...parts.map((name) => bare(book[name]))]),
		),
	);
	must(
		books.length === 1 && books[0].adds && books[0].executed === verdict.executed && books[0].returned === verdict.returned && books[0].left === 0n
			? []
			: [`the books of the slashes do not add up: ${toJson(books)}`],
	);
	const held = await heldOf(context.api, renter.address);
	must(held.length ? [`something is still held of the renter: ${toJson(held)}`] : []);
	note('detected = excused + returned + paid out, as counted from events alone');
	note(`${duration(Date.now() - began)} in all`);

	if (args.summary) {
		const { times, bondBefore, bond, lease, ...rest } = dark;
		const summary = {
			seconds: Math.round((Date.now() - began) / 1000),
			blocks: { from: context.startedAt, to },
			accounts: { Dave: renter.address, Bob: Bob.pair.address, insurance: verdict.receivers.insurance ?? null, treasury: verdict.receivers.treasury ?? null },
			lengths,
			provider: { provider: 'Bob', bond: Bob.bond, price: Bob.price, classId: Bob.classId },
			downtime: {
				lease,
				...rest,
				provider: nameOf(context, slash.provider),
				attestedMs: times.attested - times.ready,
				times,
				blocksToSuspension: blocks,
				blocksAllowed: suspendedWithin(lengths),
				bond: { before: bondBefore.bond, atTheEnd: bond.bond, onHold: bond.pending },
				leaseBond: slash.leaseBond,
				unserved: slash.unserved,
			},
			appeal,
			verdict: { keep: KEEP, ...verdict },
			comeBackMs: afterMs,
			stall: { lease: second.lease, ...stalled },
			books,
			receipts: [receipt, end.receipt].map((each) => each && { ...each, asset: undefined }),
		};
		writeFileSync(args.summary, `${toJson(summary)}\n`);
		note(`wrote ${args.summary}`);
	}
	if (!args.exit) {
		step(`The chain goes on at ${validator.url}, with Bob's node; stop it with Ctrl-C`);
		const { code, signal } = await validator.exited;
		throw new Error(`the validator's node ended by itself (${signal ?? `status ${code}`})`);
	}
}
