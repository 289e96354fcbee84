// The market's part of the scenario: the book, quotes, an auction, a gang.

import { callNode } from '../lib/chain.mjs';
import { duration, mill, short } from '../lib/format.mjs';
import { plancks } from '../lib/input.mjs';
import { putBlobs } from '../lib/job.mjs';
import { closeLease, fetchResult, followJob, waitForAttestation } from '../lib/leases.mjs';
import { placeBid } from '../lib/market.mjs';
import { sleep } from '../lib/nodes.mjs';
import { awaitLease, placeOrder, rentNow } from '../lib/orders.mjs';
import { depth, quote } from '../lib/reads.mjs';
import { orderTerms } from '../lib/terms.mjs';
import { nameOf } from './network.mjs';

const classOf = ({ providers }) => providers.Bob.classId;

/** The book with all three asks in it. */
export async function readBook(context, { timeoutMs = 60_000 } = {}) {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const book = await depth(context.api, classOf(context));
		if (book.levels.length === Object.keys(context.providers).length) return book;
		if (Date.now() > deadline) throw new Error(`the book has ${book.levels.length} prices after ${timeoutMs / 1000} s, and ${Object.keys(context.providers).length} asks were posted`);
		await sleep(250);
	}
}

/** A quote that says why not, for a price and for a country, and one that matches. */
export async function readQuotes(context) {
	const ask = (extra) => quote(context.api, context.renter.address, orderTerms({ classId: classOf(context), maxPrice: plancks('0.003'), termMs: 60_000, ...extra }));
	return {
		tooCheap: await ask({ maxPrice: plancks('0.001') }),
		elsewhere: await ask({ only: ['JP'] }),
		gang: await ask({ nodes: 2, maxPerOwner: 1 }),
	};
}

/**
 * An auction of a few blocks. Dave bids twice; Eve bids by her worker's policy, or by this script where the node cannot.
 * Returns the lease, all bids, and the price of the best ask at that time.
 */
export async function auction(context, { blocks = 8, say = () => {} } = {}) {
	const { api, renter, providers, workerBids } = context;
	const { Dave, Eve } = providers;
	const bestAsk = BigInt((await depth(api, classOf(context))).levels[0].price);
	const placed = await placeOrder(api, renter, orderTerms({ classId: classOf(context), maxPrice: plancks('0.005'), termMs: 120_000, auctionBlocks: blocks }));
	const bids = [];
	const lease = awaitLease(api, placed, {
		onBid: (bid) => {
			bids.push({ ...bid, name: nameOf(context, bid.provider) });
			say(bids.at(-1));
		},
		timeoutMs: 120_000,
	});
	const bidding = async () => {
		await placeBid(api, Dave.pair, placed.order, plancks('0.0028'));
		if (!workerBids) await placeBid(api, Eve.pair, placed.order, plancks('0.0026'));
		await placeBid(api, Dave.pair, placed.order, plancks('0.0024'));
		if (!workerBids) await placeBid(api, Eve.pair, placed.order, plancks('0.0022'));
	};
	const [won] = await Promise.all([lease, bidding()]);
	return { lease: won, placed, bids, bestAsk };
}

/** Two nodes, of one owner each, that run the same job. Returns the lease and both outputs' hashes. `say` is told a block and what happened in it. */
export async function gang(context, job, { say = () => {} } = {}) {
	const { api, renter } = context;
	const terms = orderTerms({ classId: classOf(context), nodes: 2, maxPerOwner: 1, maxPrice: plancks('0.005'), termMs: 120_000, plans: [job.plan, job.plan] });
	const lease = await rentNow(api, renter, terms);
	say(lease.block, `lease ${lease.lease} with ${lease.nodes.map(({ provider, price }) => `${nameOf(context, provider)} at ${mill(price)}`).join(' and ')} a second; ${mill(lease.deposit)} held, enough for ${duration(lease.fundedMs)}`);
	for (const { provider } of lease.nodes) await putBlobs(hostOf(context, provider).api, job);
	const outputs = [];
	for (const { node, provider } of lease.nodes) {
		const { outcome, block } = await followJob(api, { lease: lease.lease, job: node, from: lease.block + 1 });
		const host = hostOf(context, provider).api;
		const explain = async () => (await callNode(host, 'worker_job', Number(lease.lease), node)).detail;
		const { hash } = await fetchResult(host, outcome, explain);
		say(block, `${nameOf(context, provider)} reports the output ${short(hash)}`);
		outputs.push(hash);
	}
	return { lease, outputs };
}

/** Waits until the lease has been billed for something of each of its nodes, then closes it and accepts. */
export async function finish({ api, renter }, lease) {
	await waitForAttestation(api, { lease: lease.lease, from: lease.block, providers: lease.nodes.length });
	return (await closeLease(api, renter, lease.lease)).receipt;
}

/** The node of a provider, by its account. */
export const hostOf = (context, provider) => context.providers[nameOf(context, provider)].node;
