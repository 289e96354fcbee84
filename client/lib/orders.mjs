// The renter's side of the market: placing an order, and waiting for what becomes of it.

import { UserError } from './cli.mjs';
import { eventOf, fields, followEvents, send } from './chain.mjs';

/** The call as it is sent: the account's own, or one that it makes for `owner` within an allowance. */
export const inNameOf = (api, owner, call) => (owner ? api.tx.allowances.spend(owner, call) : call);

/**
 * Places an order. `terms` are those of `orderTerms`; with `owner` it is the delegate's order in the owner's name.
 * Returns its number and block, and `lease` if it was matched at once, or else `waits`.
 */
export async function placeOrder(api, pair, terms, { owner } = {}) {
	const { events, number } = await send(api, inNameOf(api, owner, api.tx.leases.placeOrder(terms)), pair);
	const order = fields(eventOf(events, 'leases', 'OrderPlaced')).order.toString();
	const lease = openedIn(events, order, number);
	const waits = lease ? null : fields(eventOf(events, 'leases', 'OrderWaits'));
	return { order, block: number, lease, waits: waits && { for: waits.waiting, expiresAt: waits.expiresAt.toNumber(), deposit: waits.deposit.toBigInt() } };
}

/** As `placeOrder`, for an order that is to be matched at once; returns its lease. */
export async function rentNow(api, pair, terms, options) {
	const { order, lease, waits } = await placeOrder(api, pair, terms, options);
	if (!lease) throw new UserError(`order ${order} was not matched and waits (${waits.for.type}): cancel it with leases.cancelOrder, or wait`);
	return lease;
}

/** Waits until a waiting order has become a lease; returns that. `onBid` is told of each bid. */
export async function awaitLease(api, { order, block }, { onBid = () => {}, timeoutMs } = {}) {
	const seen = [];
	return followEvents(
		api,
		block,
		(event, number) => {
			if (event.section !== 'leases') return undefined;
			const data = fields(event);
			if (data.lease?.toString() === order) {
				seen.push(event);
				return openedIn(seen, order, number);
			}
			if (data.order?.toString() !== order) return undefined;
			if (event.method === 'BidPlaced') onBid({ provider: data.provider.toString(), price: data.price.toBigInt(), block: number });
			if (event.method === 'OrderExpired' || event.method === 'OrderCancelled') {
				throw new UserError(`order ${order} found nobody: ${event.method === 'OrderExpired' ? 'its time is over' : 'it was cancelled'}, and everything held for it was released`);
			}
			return undefined;
		},
		{ timeoutMs },
	);
}

/** The lease that these events open for the order; undefined if they open none. */
function openedIn(events, order, block) {
	const mine = (method) => events.filter((event) => event.section === 'leases' && event.method === method).map(fields).filter(({ lease }) => lease.toString() === order);
	const [opened] = mine('LeaseOpened');
	if (!opened) return undefined;
	return {
		lease: order,
		block,
		rate: opened.rate.toBigInt(),
		deposit: opened.deposit.toBigInt(),
		fundedMs: opened.fundedMs.toNumber(),
		nodes: mine('NodeAssigned').map(({ node, provider, price, gpus }) => ({
			node: node.toNumber(),
			provider: provider.toString(),
			price: price.toBigInt(),
			gpus: gpus.length,
		})),
	};
}
