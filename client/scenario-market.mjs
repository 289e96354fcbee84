#!/usr/bin/env node
// The market scenario of `scripts/run --scenario market`: four nodes, three providers, and everything that the market does.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { heads } from './lib/chain.mjs';
import { UserError, main, note, options, patiently, step, toJson } from './lib/cli.mjs';
import { amount, bar, duration, mill, percent, table } from './lib/format.mjs';
import { COMMITTED } from './lib/iterate.mjs';
import { readJob } from './lib/job.mjs';
import { addsUp, closeLease } from './lib/leases.mjs';
import { reasonFor } from './lib/refusals.mjs';
import { LongJob } from './scenario/failover.mjs';
import { auction, finish, gang, readBook, readQuotes } from './scenario/market.mjs';
import { contest, heldOf, receipts, runLow } from './scenario/money.mjs';
import { nameOf, start } from './scenario/network.mjs';

const DIGITS = fileURLToPath(new URL('../jobs/digits', import.meta.url));

const args = options(
	'node client/scenario-market.mjs [options]',
	'Starts a validator and three provider nodes on this machine and shows the market on them: book, quotes, an auction, a gang, a killed\nprovider whose lease goes on elsewhere, a lease that runs out of funds, a contest, and the receipts. About four minutes. Ends everything that it started.',
	{
		node: { value: 'FILE', default: process.env.MILLRACE_NODE, help: 'the millrace-node program' },
		'base-path': { value: 'DIR', help: "keep the nodes' data there [default: a temporary folder, removed at the end]" },
		summary: { value: 'FILE', help: 'write what was shown as JSON' },
		exit: { help: 'end when it is over, instead of keeping the chain running' },
	},
	['scripts/run --scenario market --exit --summary market.json', 'node client/scenario-market.mjs --node target/release/millrace-node --exit'],
);

const show = (text) => process.stdout.write(`${text.trimEnd()}\n\n`);
const seconds = (since) => Math.round((Date.now() - since) / 1000);

await main(async () => {
	if (!args.node) throw new UserError('--node names no program: use scripts/run --scenario market, which builds it');
	const began = Date.now();
	step('Starting four nodes: a validator, and the providers Bob, Dave and Eve');
	const market = await patiently('starting', start({ binary: args.node, folder: args['base-path'], say: note }));
	const { api, renter } = market;
	const name = (address) => nameOf(market, address);
	const price = (value) => mill(value);

	step('The book');
	const book = await patiently('listing the asks', readBook(market));
	show(table(['per GPU and second', 'GPUs', ''], book.levels.map(({ price: each, gpus }) => [price(each), gpus, bar(gpus, 1, 8)])));

	step('Quotes for Charlie: nothing is held');
	const quotes = await readQuotes(market);
	note(`at most 0.001 MILL: ${reasonFor(quotes.tooCheap.closest)}`);
	note(`in Japan only: ${reasonFor(quotes.elsewhere.closest)}`);
	note(`two nodes of two owners: ${quotes.gang.nodes.map(({ provider }) => name(provider)).join(' and ')}, ${price(quotes.gang.rate)} a second`);

	step('An instant order with a long job; another provider may take over');
	const long = await LongJob.begin(market, COMMITTED, { say: note });
	note(`lease ${long.lease.lease} with ${long.host}; the job has ${COMMITTED.launches} launches`);

	step('An auction of eight blocks');
	const { lease: won, bids, bestAsk } = await patiently('taking bids', auction(market, { say: (bid) => note(`block ${bid.block}: ${bid.name} bids ${price(bid.price)}`) }));
	note(`${name(won.nodes[0].provider)} gets it at ${price(won.nodes[0].price)}; the best ask was ${price(bestAsk)}`);
	if (won.nodes[0].price >= bestAsk) throw new Error('the auction did not go below the best ask');
	await patiently('waiting until it is billed', finish(market, won));

	step("The provider's node is killed");
	const saved = await patiently('waiting for a checkpoint', long.checkpoint());
	const failed = await long.killHost();
	const killedAt = Date.now();
	note(`${failed}'s node got SIGKILL; the checkpoint after ${saved} launches is at hand`);

	step('A gang meanwhile: two nodes of two owners, both run the digits job');
	const digits = readJob(DIGITS);
	const expected = `0x${readFileSync(`${DIGITS}/expected.blake3`, 'utf8').trim()}`;
	const pair = await patiently('running it', gang(market, digits));
	note(`served by ${pair.lease.nodes.map(({ provider }) => name(provider)).join(' and ')}; both outputs are ${pair.outputs.every((hash) => hash === expected) ? 'right' : 'wrong'}`);
	if (!pair.outputs.every((hash) => hash === expected)) throw new Error(`the gang gave ${pair.outputs}, and every device must give ${expected}`);
	await patiently('waiting until it is billed', finish(market, pair.lease));

	step('An open-ended lease that runs out of funds');
	const low = await patiently('waiting for it to run low', runLow(market, { say: note }));
	note(`${price(low.amount)} more held`);

	step('A contest: Charlie objects to what that lease has earned lately, and the council shares it');
	const dispute = await patiently('voting', contest(market, low.lease, { share: 500_000, say: (opened) => note(`${price(opened.amount)} contested, bond ${price(opened.bond)}`) }));
	note(`verdict: ${percent(500_000)} to the provider; the bond came back`);
	if (!dispute.receipt) throw new Error('the verdict did not end the escrow');

	step('The long job goes on elsewhere');
	const result = await patiently('waiting for its result', long.done);
	note(`${long.host} finished it ${seconds(killedAt)} s after the kill; output ${result.hash}`);
	if (result.hash !== long.expected) throw new Error(`the output must be ${long.expected}, as without interruption`);
	const { receipt } = await closeLease(api, renter, long.lease.lease);
	if (!receipt || !addsUp(receipt)) throw new Error('the receipt of the long job does not add up');

	step('Receipts');
	const all = await receipts(market, market.startedAt, (await heads(api)).best);
	const what = { [long.lease.lease]: 'long job, two providers', [won.lease]: 'auction', [pair.lease.lease]: 'gang of two', [low.lease.lease]: 'open-ended, contested' };
	const column = (part) => all.reduce((sum, row) => sum + row[part], 0n);
	const row = (label, lease, from) => [lease, label, ...['deposited', 'paid', 'fee', 'refunded'].map((part) => amount(from(part)))];
	const rows = all.map((each) => [...row(what[each.lease] ?? '', each.lease, (part) => each[part]), duration(each.attestedMs)]);
	show(table(['lease', 'what', 'deposited', 'paid', 'fee', 'refunded', 'attested'], [...rows, [...row('all', '', column), '']]));
	const held = await heldOf(api, renter.address);
	if (all.length !== 4 || !all.every(({ adds }) => adds)) throw new Error('the receipts do not add up');
	if (held.length) throw new Error(`something is still held of the renter: ${toJson(held)}`);
	note(`deposited = paid + fee + refunded in each; nothing is held of Charlie any more; ${duration(Date.now() - began)} in all`);

	if (args.summary) {
		const summary = {
			seconds: seconds(began),
			quotes,
			auction: { lease: won.lease, bestAsk, price: won.nodes[0].price, bids },
			gang: { lease: pair.lease.lease, providers: pair.lease.nodes.map(({ provider }) => name(provider)), outputs: pair.outputs },
			failover: { lease: long.lease.lease, failed, by: long.host, savedLaunches: saved, outputHash: result.hash },
			openEnded: { lease: low.lease.lease, blocks: low.blocks, toppedUp: low.amount },
			contest: { lease: low.lease.lease, amount: dispute.amount, bond: dispute.bond },
			receipts: all.map(({ asset: _, ...each }) => each),
		};
		writeFileSync(args.summary, `${toJson(summary)}\n`);
		note(`wrote ${args.summary}`);
	}
	if (!args.exit) {
		step(`The chain goes on at ${market.validator.url}, without Bob's node; stop it with Ctrl-C`);
		await market.validator.exited;
	}
});
