// Draining: a provider, or one of its GPUs, leaves the market without breaking a promise.

import { send, timeOf } from './chain.mjs';
import { UserError } from './cli.mjs';
import { moment, plural } from './format.mjs';
import { providerOf } from './market.mjs';

const POLL_MS = 3_000;

/** A provider's asks and the orders it bids on, of one class or of all: `{ asks: [{ ask, terms, expiresAt }], bids }`. */
export async function offersOf(api, provider, classId) {
	const numbers = await api.query.leases.asksOf(provider);
	const found = await api.query.leases.asks.multi(numbers);
	const asks = numbers
		.map((ask, at) => ({ ask: ask.toString(), record: found[at].unwrapOr(null) }))
		// One may have ended between the two questions.
		.filter(({ record }) => record)
		.map(({ ask, record }) => ({ ask, terms: record.terms, expiresAt: record.expiresAt.toNumber() }));
	const orders = await api.query.leases.bidsOf(provider);
	const waiting = await api.query.leases.orders.multi(orders);
	const bids = orders.filter((_, at) => waiting[at].isSome && isOf(classId, waiting[at].unwrap().terms)).map(String);
	return { asks: asks.filter(({ terms }) => isOf(classId, terms)), bids };
}

const isOf = (classId, terms) => classId === undefined || terms.class.toNumber() === classId;

/** The leases that a provider serves: `[{ lease, node, gpus, notice, endsAt }]`. `notice` is when it leaves, if it said so. */
export async function leasesServed(api, provider) {
	const numbers = await api.query.leases.providerLeases(provider);
	const found = await api.query.leases.leases.multi(numbers);
	return numbers.flatMap((lease, at) => {
		const record = found[at].unwrapOr(null);
		const node = record?.nodes.findIndex((one) => one.provider.eq(provider) && !one.status.isFaulted) ?? -1;
		if (node < 0) return [];
		const { status, gpus } = record.nodes[node];
		const leaves = status.isReclaiming ? status.asReclaiming.until : status.isSuspended ? status.asSuspended.leavesAt.unwrapOr(null) : null;
		return [{
			lease: lease.toString(),
			node,
			gpus: gpus.map((gpu) => gpu.toNumber()),
			status: status.type,
			notice: leaves?.toNumber() ?? null,
			endsAt: record.endsAt.unwrapOr(null)?.toNumber() ?? null,
		}];
	});
}

/** The GPU's record, or an error that says which there are. */
async function gpuOf(api, provider, gpu) {
	const record = (await api.query.providers.gpus(provider, gpu)).unwrapOr(null);
	if (record) return record;
	const known = (await api.query.providers.gpus.keys(provider)).map((key) => key.args[1].toNumber()).sort((a, b) => a - b);
	throw new UserError(`--gpu ${gpu}: the provider has no such GPU; it has ${known.join(', ') || 'none'}`);
}

/**
 * Takes a provider, or with `gpu` one of its GPUs, out of the market: withdraws asks and bids, gives notice on its leases if `reclaim`, and,
 * unless `wait` is false, waits until none of them is left. A drained GPU is removed from the chain, and what other GPUs can still
 * serve is offered again on the same terms. `say` is told what happens. Returns `{ asks, bids, leases, removed, offeredAgain }`: what was
 * withdrawn, which leases are left, and numbers of the new asks.
 */
export async function drain(api, pair, { gpu, reclaim = false, wait = true, say }) {
	const provider = pair.address;
	if (!(await providerOf(api, provider))) throw new UserError(`${provider} is no provider: --account names the provider's own account`);
	const classId = gpu === undefined ? undefined : (await gpuOf(api, provider, gpu)).class.toNumber();
	const { asks, bids } = await offersOf(api, provider, classId);
	const calls = [...asks.map(({ ask }) => api.tx.leases.withdrawAsk(ask)), ...bids.map((order) => api.tx.leases.withdrawBid(order))];
	if (calls.length) await send(api, api.tx.utility.batchAll(calls), pair);
	say(calls.length ? `withdrew ${plural(asks.length, 'ask')} and ${plural(bids.length, 'bid')}: nothing new begins` : 'nothing of it is offered');
	const concerned = async () => (await leasesServed(api, provider)).filter(({ gpus }) => gpu === undefined || gpus.includes(gpu));
	let told = '';
	for (;;) {
		const leases = await concerned();
		// A node that is not ready yet cannot be given notice; the next look finds it active.
		const unaware = leases.filter(({ status, notice }) => reclaim && status === 'Active' && notice === null);
		if (unaware.length) {
			await send(api, api.tx.utility.batchAll(unaware.map(({ lease }) => api.tx.leases.reclaim(lease))), pair);
			say(`gave notice on ${plural(unaware.length, 'lease')}`);
			continue;
		}
		const text = leases.map(describe).join('; ');
		if (text && text !== told) say(`${wait ? 'waiting for' : 'still served:'} ${text}`);
		told = text;
		if (!leases.length) break;
		if (!wait) return { asks: asks.length, bids: bids.length, leases, removed: null, offeredAgain: [] };
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
	const offeredAgain = gpu === undefined ? [] : await removeGpu(api, pair, { gpu, classId, asks, say });
	return { asks: asks.length, bids: bids.length, leases: [], removed: gpu ?? null, offeredAgain };
}

const describe = ({ lease, notice, endsAt }) => `lease ${lease}${notice ? ` (left at ${moment(notice)})` : endsAt ? ` (ends at ${moment(endsAt)})` : ' (no end yet: --reclaim gives notice)'}`;

/** Removes a GPU that serves nothing, and offers the others of its class as they were offered before, in one transaction. */
async function removeGpu(api, pair, { gpu, classId, asks, say }) {
	const left = (await api.query.providers.gpus.entries(pair.address)).filter(([key, record]) => key.args[1].toNumber() !== gpu && record.unwrap().class.toNumber() === classId).length;
	const now = await timeOf(api, (await api.rpc.chain.getHeader()).number.toNumber());
	const again = left ? asks.filter(({ expiresAt }) => expiresAt > now) : [];
	const post = ({ terms, expiresAt }) => api.tx.leases.postAsk({ ...terms.toJSON(), asset: terms.asset, gpus: Math.min(terms.gpus.toNumber(), left) }, expiresAt - now);
	const { events } = await send(api, api.tx.utility.batchAll([api.tx.providers.removeGpu(gpu), ...again.map(post)]), pair);
	const posted = events.filter(({ section, method }) => section === 'leases' && method === 'AskPosted').map(({ data }) => data.ask.toString());
	say(`removed GPU ${gpu} from the chain${posted.length ? `; the other ${left} of its class are offered again by ${posted.map((ask) => `ask ${ask}`).join(', ')}` : ''}`);
	return posted;
}

/** Whether somebody may bid and post asks for the provider by itself, as a worker with a bid policy does. */
export async function hasBidder(api, provider) {
	const [proxies] = await api.query.proxy.proxies(provider);
	return proxies.some(({ proxyType }) => proxyType.isBidding);
}
