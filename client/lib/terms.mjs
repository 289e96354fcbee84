// An order's terms: one helper that fills in what is not said, and the options by which scripts say it.

import { UserError } from './cli.mjs';
import { asset, count, countries, milliseconds, number, share, units } from './input.mjs';

/**
 * The terms of an order as `leases.placeOrder` takes them. Only `classId`, `maxPrice` and `termMs` (or `fundedMs`) must be given.
 *
 * - `termMs`: a fixed term; `fundedMs` instead: open-ended, with so much time paid for in advance
 * - `only`, `except`: countries; `maxPerOwner`, `maxPerCountry`, `maxPerNetwork`: most nodes of one; `minUptime`: parts per million
 * - `premium`: how much more a replacement may cost when a provider fails, in parts per million; null: the lease is closed then
 * - `auctionBlocks`: take bids for so many blocks; `startsAt`: not before this moment; `restsMs`: how long it may wait for capacity
 * - `plans`: hashes of plans that start with the lease, the first on node 0, the second on node 1, …
 */
export function orderTerms({
	classId,
	nodes = 1,
	gpusPerNode = 1,
	maxPrice,
	asset = 'Native',
	termMs,
	fundedMs,
	only,
	except,
	maxPerOwner = null,
	maxPerCountry = null,
	maxPerNetwork = null,
	minUptime = null,
	premium = null,
	auctionBlocks,
	startsAt = null,
	restsMs = 0,
	plans = [],
}) {
	return {
		class: classId,
		nodes,
		gpusPerNode,
		maxPrice,
		asset,
		term: fundedMs === undefined ? { Fixed: { ms: termMs } } : { OpenEnded: { fundedMs } },
		constraints: {
			countries: only ? { Only: only } : except ? { Except: except } : 'Any',
			maxNodesPerOwner: maxPerOwner,
			maxNodesPerCountry: maxPerCountry,
			maxNodesPerNetwork: maxPerNetwork,
			minUptime,
		},
		failover: premium === null ? 'Close' : { Replace: { premium } },
		matching: auctionBlocks === undefined ? 'Instant' : { Auction: { blocks: auctionBlocks } },
		startsAt,
		restsMs,
		jobs: plans.map((plan, node) => ({ node, plan })),
	};
}

/** The options of the scripts that make an order. */
export const ORDER = {
	class: { value: 'N', default: '0', help: 'GPU class' },
	nodes: { value: 'N', default: '1', help: 'nodes, each with another provider; all or nothing' },
	'gpus-per-node': { value: 'N', default: '1', help: 'GPUs of each node' },
	'max-price': { value: 'AMOUNT', default: '0.01', help: 'most that you pay per GPU and second: MILL, or units of --asset' },
	asset: { value: 'ASSET', default: 'native', help: 'what you pay in: native, or token:N' },
	term: { value: 'TIME', default: '5min', help: 'how long: 90s, 15min, 2h, 7d; what is not attested is refunded' },
	'open-ended': { help: 'no end: it lasts as long as it is funded, and --term is what you pay in advance' },
	country: { value: 'CC,…', help: 'only providers in these countries, such as DE,FR' },
	'not-country': { value: 'CC,…', help: 'no providers in these countries' },
	'max-per-owner': { value: 'N', help: 'most nodes of one owner' },
	'max-per-country': { value: 'N', help: 'most nodes in one country' },
	'max-per-network': { value: 'N', help: 'most nodes in one network' },
	'min-uptime': { value: 'SHARE', help: 'least uptime over 30 days, such as 99.5%' },
	'failover-premium': { value: 'SHARE', help: 'move to another provider if one fails, at most so much dearer, such as 25%' },
	start: { value: 'TIME', help: 'not before so long from now' },
	rest: { value: 'TIME', help: 'wait so long for capacity if there is none now' },
};

/** The terms that the options say. `now` is the chain's time, for `--start`. */
export function termsOf(args, { now = Date.now(), ...more } = {}) {
	if (args.country && args['not-country']) throw new UserError('--country and --not-country exclude each other: name the countries that you want, or those that you do not');
	const paidIn = asset(args.asset);
	const time = milliseconds(args.term);
	const limit = (name) => (args[name] === undefined ? null : count(args[name], name));
	return orderTerms({
		classId: number(args.class, 'class'),
		nodes: count(args.nodes, 'nodes'),
		gpusPerNode: count(args['gpus-per-node'], 'gpus-per-node'),
		maxPrice: units(args['max-price'], paidIn),
		asset: paidIn,
		...(args['open-ended'] ? { fundedMs: time } : { termMs: time }),
		only: args.country && countries(args.country),
		except: args['not-country'] && countries(args['not-country']),
		maxPerOwner: limit('max-per-owner'),
		maxPerCountry: limit('max-per-country'),
		maxPerNetwork: limit('max-per-network'),
		minUptime: args['min-uptime'] === undefined ? null : share(args['min-uptime']),
		premium: args['failover-premium'] === undefined ? null : share(args['failover-premium']),
		startsAt: args.start === undefined ? null : now + milliseconds(args.start),
		restsMs: args.rest === undefined ? 0 : milliseconds(args.rest),
		...more,
	});
}
