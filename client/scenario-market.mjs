#!/usr/bin/env node
// The market scenario of `scripts/run --scenario market`: four nodes, three providers, and everything that the market does.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { heads } from './lib/chain.mjs';
import { UserError, checkWritable, main, note, options, patiently, step, toJson } from './lib/cli.mjs';
import { bar, duration, mill, percent, plural, table } from './lib/format.mjs';
import { COMMITTED } from './lib/iterate.mjs';
import { readJob } from './lib/job.mjs';
import { closeLease } from './lib/leases.mjs';
import { checkProgram, keepLogs, temporaryFolder } from './lib/nodes.mjs';
import { reasonFor } from './lib/refusals.mjs';
import { LongJob, PREMIUM, TERM_MS } from './scenario/failover.mjs';
import { auction, finish, gang, readBook, readQuotes } from './scenario/market.mjs';
import { contest, heldOf, receipts, runLow } from './scenario/money.mjs';
import { BOND, PROVIDERS, enlist, nameOf, prepareFolder, startNodes } from './scenario/network.mjs';

// What the council leaves the provider of the contested amount, in parts per million.
const SHARE = 500_000;
const DIGITS = fileURLToPath(new URL('../jobs/digits', import.meta.url));

const args = options(
	'node client/scenario-market.mjs [options]',
	'Starts a validator and three provider nodes on this machine and shows the market on them: book, quotes, an auction, a gang, a killed\nprovider whose lease goes on elsewhere, a lease that runs low on funds, a contest, and the receipts. About four minutes. Checks what it shows,\nand ends everything that it started.',
	{
		node: { value: 'FILE', default: process.env.MILLRACE_NODE, help: 'the millrace-node program' },
		'base-path': { value: 'DIR', help: "keep the nodes' data in this empty folder [default: a temporary one, removed at the end]" },
		summary: { value: 'FILE', help: 'write what was shown as JSON' },
		exit: { help: 'end when it is over, instead of keeping the chain running' },
	},
	['scripts/run --scenario market --exit --summary market.json', 'node client/scenario-market.mjs --node target/release/millrace-node --exit'],
);

const show = (text) => process.stdout.write(`${text.trimEnd()}\n\n`);
const seconds = (since) => Math.round((Date.now() - since) / 1000);
const at = (block, text) => note(`block ${block}: ${text}`);
const must = (holds, otherwise) => {
	if (!holds) throw new Error(otherwise);
};

await main(async () => {
	if (!args.node) throw new UserError('--node names no program: use scripts/run --scenario market, which builds it');
	if (args.summary) checkWritable(args.summary);
	checkProgram(args.node);
	const folder = args['base-path'] ? resolve(args['base-path']) : temporaryFolder();
	prepareFolder(folder);
	try {
		await showMarket(folder);
	} catch (error) {
		const logs = keepLogs(folder);
		if (logs) note(`the nodes' logs: ${logs}`);
		throw error;
	}
});

async function showMarket(folder) {
	const began = Date.now();
	step('Four nodes start: a validator, and those of the providers Bob, Dave and Eve');
	const market = await patiently('starting; each compiles the runtime first', startNodes({ binary: args.node, folder }));
	const { api, renter, validator } = market;
	const name = (address) => nameOf(market, address);
	note(`the validator is at ${validator.url}, and makes a block a second; data and logs are in ${folder}`);

	step('Three providers register, bond, add their GPUs, and offer them');
	await patiently("waiting for their workers' first reports", enlist(market));
	const providers = Object.keys(PROVIDERS).map((each) => market.providers[each]);
	show(
		table(
			['provider', 'country', 'network', 'GPUs', 'bond', 'asks per GPU and second'],
			providers.map((each) => [each.name, each.country, each.network, `${each.devices.length} ${each.devices[0].name}`, mill(BOND), mill(each.price)]),
		),
	);

	step('The book: what can be leased, cheapest first');
	const book = await patiently('listing the asks', readBook(market));
	show(table(['per GPU and second', 'GPUs', ''], book.levels.map(({ price, gpus }) => [mill(price), gpus, bar(gpus, 1, 8)])));

	step('Quotes for the renter Charlie: nothing is held');
	const quotes = await readQuotes(market);
	note(`a GPU for at most 0.001 MILL a second: no match. ${reasonFor(quotes.tooCheap.closest)}`);
	note(`a GPU in Japan: no match. ${reasonFor(quotes.elsewhere.closest)}`);
	note(`two nodes of two owners for a minute: ${quotes.gang.nodes.map((node) => `${name(node.provider)} at ${mill(node.price)}`).join(' and ')} a second; ${mill(quotes.gang.deposit)} would be held`);

	step(`An order at once, with a long job; another provider may take over, for at most ${percent(PREMIUM)} more`);
	const long = await LongJob.begin(market, COMMITTED, { say: note });
	at(long.lease.block, `lease ${long.lease.lease} with ${long.host} at ${mill(long.lease.rate)} a second; ${mill(long.lease.deposit)} held: ${duration(TERM_MS)} at the price of the dearest replacement`);
	note(`its job has ${COMMITTED.launches} launches, and leaves checkpoints between them`);

	step('An auction of eight blocks: providers bid for an order; prices are per GPU and second');
	const { lease: won, placed, bids, bestAsk } = await patiently('taking bids', auction(market, { say: (bid) => at(bid.block, `${bid.name} bids ${mill(bid.price)}`) }));
	const [award] = won.nodes;
	at(won.block, `the chain gives it to ${name(award.provider)} at ${mill(award.price)}, the lowest bid; the best ask was ${mill(bestAsk)}`);
	must(award.price < bestAsk && bids.every(({ price }) => price >= award.price), 'the auction did not go to the lowest bid below the best ask');
	await patiently('waiting until it is billed, to close it', finish(market, won));

	step(`${long.host}'s node is killed, in the middle of the long job`);
	const saved = await patiently('waiting for a checkpoint', long.checkpoint());
	const failed = await long.killHost();
	const killedAt = Date.now();
	at(long.blocks.killed, `${failed}'s node got SIGKILL; the checkpoint after ${saved} of ${COMMITTED.launches} launches is at hand`);

	step('Meanwhile a gang: two nodes of two owners, all or nothing; both run the digits job');
	const digits = readJob(DIGITS);
	const expected = `0x${readFileSync(`${DIGITS}/expected.blake3`, 'utf8').trim()}`;
	const pair = await patiently('running it', gang(market, digits, { say: at }));
	must(pair.outputs.every((hash) => hash === expected), `the gang gave ${pair.outputs}, and every device must give ${expected}`);
	note(`both are ${expected}, as on every device`);
	await patiently('waiting until both are billed, to close it', finish(market, pair.lease));

	step('A lease without an end: its funds run low, it is frozen, and topped up');
	const low = await patiently('waiting for its funds to run low', runLow(market, { say: at }));

	step('A contest: Charlie objects to what that lease has earned, and the council shares it');
	const dispute = await patiently('voting', contest(market, low.lease, { share: SHARE, say: at }));
	at(dispute.blocks.resolved, `verdict: ${percent(SHARE)} to the provider. ${mill(dispute.toPayee)} go to ${name(dispute.provider)}, less the fee, and ${mill(dispute.toPayer)} back to Charlie, with the bond`);
	must(dispute.receipt && !dispute.bondLost, 'the verdict did not end the escrow, or the bond is lost');
	must(dispute.toPayee + dispute.toPayer === dispute.amount, 'the verdict does not share what was contested');

	step('The long job goes on elsewhere');
	const result = await patiently('waiting for its result', long.done);
	at(long.blocks.finished, `${long.host} finished it, ${duration(long.finishedAt - killedAt)} after the kill. It ran ${COMMITTED.launches - long.resumedFrom} of ${COMMITTED.launches} launches: ${long.resumedFrom} were in the checkpoint`);
	note(`the output is ${result.hash}, as without the interruption`);
	must(result.hash === long.expected, `the output must be ${long.expected}, as without interruption`);
	must(long.generation === 1 && long.resumedFrom === long.handedOn && long.resumedFrom > 0, `the job went on from launch ${long.resumedFrom}, and the checkpoint after ${long.handedOn} was handed on`);
	await patiently('closing the lease', closeLease(api, renter, long.lease.lease));

	step('Receipts, in MILL');
	const all = await patiently('reading the events of all blocks', receipts(market, market.startedAt, (await heads(api)).best));
	const what = { [long.lease.lease]: 'long job', [won.lease]: 'auction', [pair.lease.lease]: 'gang of two', [low.lease.lease]: 'no end, contested' };
	for (const each of all) each.what = what[each.lease];
	showReceipts(all, name);
	must(all.length === 4 && all.every(({ adds }) => adds), `the receipts do not add up: ${toJson(all.map(({ asset: _, ...each }) => each))}`);
	const held = await heldOf(api, renter.address);
	must(!held.length, `something is still held of the renter: ${toJson(held)}`);
	note('in each, deposited = paid + fee + refunded; what was contested and not granted is in refunded');
	note(`nothing is held of Charlie any more; ${duration(Date.now() - began)} in all`);

	if (args.summary) {
		const named = ({ provider, ...rest }) => ({ provider: name(provider), ...rest });
		const summary = {
			seconds: seconds(began),
			blocks: { from: market.startedAt, to: (await heads(api)).best },
			accounts: Object.fromEntries([['Charlie', renter.address], ...providers.map((each) => [each.name, each.pair.address])]),
			providers: providers.map((each) => ({ provider: each.name, country: each.country, network: each.network, gpus: each.devices.length, classId: each.classId, bond: BOND, ask: each.ask, price: each.price })),
			book: book.levels,
			quotes,
			auction: { lease: won.lease, blocks: { placed: placed.block, awarded: won.block }, provider: name(award.provider), price: award.price, bestAsk, bids: bids.map(({ name: provider, price, block }) => ({ provider, price, block })) },
			gang: { lease: pair.lease.lease, block: pair.lease.block, nodes: pair.lease.nodes.map(named), outputs: pair.outputs, expected },
			failover: {
				lease: long.lease.lease,
				launches: COMMITTED.launches,
				premium: PREMIUM,
				failed,
				by: long.host,
				generation: long.generation,
				prices: { before: PROVIDERS[failed].price, after: long.lease.nodes[0].price },
				savedLaunches: saved,
				resumedFrom: long.resumedFrom,
				blocks: long.blocks,
				secondsFromKillToResult: Math.round((long.finishedAt - killedAt) / 1000),
				outputHash: result.hash,
				expected: long.expected,
			},
			openEnded: { lease: low.lease.lease, provider: name(low.lease.nodes[0].provider), rate: low.lease.rate, deposit: low.lease.deposit, toppedUp: low.amount, blocks: low.blocks },
			contest: { lease: low.lease.lease, provider: name(dispute.provider), amount: dispute.amount, bond: dispute.bond, bondLost: dispute.bondLost, share: SHARE, toProvider: dispute.toPayee, toRenter: dispute.toPayer, blocks: dispute.blocks },
			receipts: all.map(({ asset: _, payer, providers: earners, ...each }) => ({ ...each, renter: payer, providers: earners.map(named) })),
		};
		writeFileSync(args.summary, `${toJson(summary)}\n`);
		note(`wrote ${args.summary}`);
	}
	if (!args.exit) {
		step(`The chain goes on at ${validator.url}, without ${failed}'s node; stop it with Ctrl-C`);
		const { code, signal } = await validator.exited;
		throw new Error(`the validator's node ended by itself (${signal ?? `status ${code}`})`);
	}
}

/** A table of the receipts, and one of what each provider earned. */
function showReceipts(all, name) {
	const bare = (value) => mill(value).replace(' MILL', '');
	const sum = (part) => all.reduce((total, each) => total + each[part], 0n);
	const parts = ['deposited', 'paid', 'fee', 'refunded'];
	const rows = all.map((each) => [each.lease, each.what, ...parts.map((part) => bare(each[part])), each.block]);
	show(table(['lease', 'what', ...parts, 'in block'], [...rows, ['all', plural(all.length, 'lease'), ...parts.map((part) => bare(sum(part))), '']]));
	const earned = all.flatMap((each) => each.providers.map((one) => [each.lease, name(one.provider), duration(one.attestedMs), bare(one.earned), bare(one.paid), bare(one.fee)]));
	show(table(['lease', 'provider', 'attested time', 'earned', 'paid', 'fee'], earned));
}
