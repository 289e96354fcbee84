#!/usr/bin/env node
// Let providers bid below each other for an order, and follow it to its award.

import { CONNECTION, connect, heads, keyPair } from './lib/chain.mjs';
import { JSON_OUTPUT, answer, main, note, options, patiently, step } from './lib/cli.mjs';
import { amount, plural, short, table } from './lib/format.mjs';
import { count } from './lib/input.mjs';
import { awaitLease, placeOrder } from './lib/orders.mjs';
import { ORDER, termsOf } from './lib/terms.mjs';

const { start: _, ...TERMS } = ORDER;

const args = options(
	'node client/auction.mjs --account SURI [options]',
	'Places an order as an auction and shows the bids. For so many blocks providers bid below each other; then the chain itself\ngives the order to the best of bids and asks. Nobody fits: it rests as long as --rest says, or is released.\nPrints the number of the lease.',
	{ ...CONNECTION, blocks: { value: 'N', default: '20', help: 'for how many blocks bids are taken' }, ...TERMS, ...JSON_OUTPUT },
	[
		'node client/auction.mjs --account //Charlie --max-price 0.004 --blocks 10',
		'node client/auction.mjs --account //Charlie --nodes 2 --max-per-owner 1 --rest 1h --json',
	],
);

await main(async () => {
	const pair = keyPair(args.account);
	const terms = termsOf(args, { auctionBlocks: count(args.blocks, 'blocks') });
	const api = await connect(args.url);
	step(`Auction: ${plural(terms.nodes, 'node')} of ${plural(terms.gpusPerNode, 'GPU')}, bids up to ${amount(terms.maxPrice, terms.asset)} a GPU and second`);
	const placed = await placeOrder(api, pair, terms);
	const endsAt = placed.waits.for.asAuction.endsAtBlock.toNumber();
	note(`order ${placed.order}, awarded in block ${endsAt} (now ${(await heads(api)).best}); bid with leases.placeBid`);
	const bids = [];
	const onBid = (bid) => {
		bids.push(bid);
		note(`block ${bid.block}: ${short(bid.provider)} bids ${amount(bid.price, terms.asset)}`);
	};
	const lease = await patiently('taking bids', awaitLease(api, placed, { onBid, timeoutMs: 86_400_000 }));
	step(`Awarded in block ${lease.block} after ${plural(bids.length, 'bid')}`);
	const rows = lease.nodes.map(({ node, provider, price }) => [node, provider, amount(price, terms.asset)]);
	answer(args, { order: placed.order, bids, lease }, `${lease.lease}\n`);
	process.stderr.write(table(['node', 'provider', 'per GPU and second'], rows).replace(/^(?=.)/gm, '    '));
});
