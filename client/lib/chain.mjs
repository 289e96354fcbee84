// The connection to a node, and how a transaction is sent and followed.

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { UserError } from './cli.mjs';

/** The options that every script has. */
export const CONNECTION = {
	url: { value: 'URL', default: 'ws://127.0.0.1:9944', help: "a node's WebSocket address" },
	account: { value: 'SURI', help: 'who signs: a secret phrase or a development key such as //Alice' },
};

// Millrace's own RPC methods that carry bytes; polkadot.js learns everything else from the metadata. Whoever calls them handles
// their errors, so polkadot.js need not write them to the console as well.
const RPC = {
	blob: {
		put: { description: 'Stores a blob; returns its BLAKE3 hash', params: [{ name: 'data', type: 'Bytes' }], type: 'H256', noErrorLog: true },
		get: { description: 'A blob by its BLAKE3 hash', params: [{ name: 'hash', type: 'H256' }], type: 'Bytes', noErrorLog: true },
	},
};

const providers = new WeakMap();

/** Calls one of Millrace's RPC methods that answer with JSON, such as `worker_devices`. */
export async function callNode(api, method, ...params) {
	try {
		return await providers.get(api).send(method, params);
	} catch (error) {
		throw new UserError(rpcError(error));
	}
}

/** What an RPC error says, without its number and without the request that polkadot.js adds to it. */
export const rpcError = (error) => error.message.replace(/^-?\d+: /, '').replace(/\nFailed WS Request: [^]*$/, '');

/** Connects, or says which address did not answer. */
export async function connect(url, { timeoutMs = 15_000 } = {}) {
	if (!/^wss?:\/\//.test(url)) throw new UserError(`"${url}" is not a WebSocket address: write it like ws://127.0.0.1:9944`);
	await cryptoWaitReady();
	const provider = new WsProvider(url, false, {}, timeoutMs);
	let problem = 'no answer';
	provider.on('error', (error) => (problem = error?.message ?? error?.error?.message ?? problem));
	const api = new ApiPromise({ provider, rpc: RPC, noInitWarn: true, throwOnConnect: true });
	providers.set(api, provider);
	let timer;
	const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(problem)), timeoutMs)));
	try {
		provider.connect().catch(() => {});
		await Promise.race([api.isReadyOrError, late]);
	} catch (error) {
		api.disconnect().catch(() => {});
		throw new UserError(
			`no Millrace node answers at ${url} (${error.message || problem})\n       start one with scripts/run, or give another address with --url`,
		);
	} finally {
		clearTimeout(timer);
	}
	if (!api.tx.leases) {
		await api.disconnect();
		throw new UserError(`the chain at ${url} has no leases pallet: it is ${await nameOf(api)}, not Millrace`);
	}
	// A connection that is lost stays lost: what is asked fails, and whoever can go on connects again.
	return api;
}

const nameOf = async (api) => api.runtimeVersion?.specName?.toString() ?? 'another chain';

/** The key pair of a secret phrase or development key. */
export function keyPair(suri) {
	if (!suri) throw new UserError('no account: name one with --account, such as --account //Alice on a development chain');
	try {
		return new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri(suri);
	} catch (error) {
		throw new UserError(`--account is neither a secret phrase nor a development key: ${error.message}`);
	}
}

/** A dispatch error in the chain's own words: `leases.PriceTooLow: The cheapest ask costs more …`. */
export function describeError(api, error) {
	if (error.isModule) {
		const { section, name, docs } = api.registry.findMetaError(error.asModule);
		return `${section}.${name}: ${docs.join(' ').trim()}`;
	}
	if (error.isToken) return `token.${error.asToken.type}: the account has not enough free balance`;
	return error.toString();
}

/** Thrown when a transaction was included and failed; `name` is `pallet.Error`. */
export class DispatchFailed extends UserError {
	constructor(description) {
		super(description);
		this.name = description.split(':')[0];
	}
}

/**
 * Sends a transaction and waits for its block. Returns the events and where they are.
 * With `finalised`, waits until that block is final.
 */
export async function send(api, tx, pair, { finalised = false, nonce = -1 } = {}) {
	const result = await new Promise((resolve, reject) => {
		let unsubscribe = () => {};
		const done = (settle, value) => {
			unsubscribe();
			settle(value);
		};
		tx.signAndSend(pair, { nonce }, (result) => {
			const { status, dispatchError } = result;
			if (dispatchError && (status.isInBlock || status.isFinalized)) {
				done(reject, new DispatchFailed(describeError(api, dispatchError)));
			} else if (status.isFinalized || (status.isInBlock && !finalised)) {
				done(resolve, { result, hash: status.isFinalized ? status.asFinalized : status.asInBlock });
			} else if (result.isError) {
				done(reject, new UserError(`the transaction was ${status.type.toLowerCase()}: send it again`));
			}
		}).then((stop) => (unsubscribe = stop), (error) => reject(poolError(error)));
	});
	const { block } = await api.rpc.chain.getBlock(result.hash);
	return { events: result.result.events.map(({ event }) => event), hash: result.hash, number: block.header.number.toNumber() };
}

// What the transaction pool says, with what to do about it.
function poolError(error) {
	const text = error.message ?? String(error);
	if (/Inability to pay some fees|balance too low/i.test(text)) {
		return new UserError('the account cannot pay the fee: it needs some MILL first (on a development chain, use //Alice)');
	}
	return new UserError(text);
}

/** The one event of this name, or an error that names what is missing. */
export function eventOf(events, section, method) {
	const found = events.find((event) => event.section === section && event.method === method);
	if (!found) throw new Error(`the block has no ${section}.${method} event`);
	return found;
}

/** An event's fields by name, as polkadot.js values. */
export const fields = (event) => Object.fromEntries(event.data.names.map((name, i) => [name, event.data[i]]));

/** All events of a pallet from block `from` to block `to`, in order, as `{ block, event }`. */
export async function eventsOf(api, section, from, to) {
	const found = [];
	for (let start = from; start <= to; start += AT_ONCE) {
		const blocks = Array.from({ length: Math.min(AT_ONCE, to - start + 1) }, (_, index) => start + index);
		const lists = await Promise.all(blocks.map(async (block) => (await stateAt(api, block)).query.system.events()));
		lists.forEach((list, index) => {
			for (const { event } of list) if (event.section === section) found.push({ block: blocks[index], event });
		});
	}
	return found;
}

const AT_ONCE = 16;

/** The chain as it was after this block. */
export const stateAt = async (api, block) => api.at(await api.rpc.chain.getBlockHash(block));

/** Chain time in a block, in milliseconds since 1970. */
export const timeOf = async (api, block) => (await (await stateAt(api, block)).query.timestamp.now()).toNumber();

/** Number of the best and of the finalised block. */
export async function heads(api) {
	const [best, finalised] = await Promise.all([api.rpc.chain.getHeader(), finalisedHeader(api)]);
	return { best: best.number.toNumber(), finalised: finalised.number.toNumber() };
}

const finalisedHeader = async (api) => api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead());

/**
 * Calls `visit(event, blockNumber, blockHash)` for each event from block `from` on, in order, as blocks are imported, and awaits it.
 * Ends when `visit` returns something other than undefined, and returns that. Best blocks unless `finalised`.
 */
export async function followEvents(api, from, visit, { finalised = false, timeoutMs = 600_000, onBlock } = {}) {
	let next = from;
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const head = (await heads(api))[finalised ? 'finalised' : 'best'];
		while (next <= head) {
			const hash = await api.rpc.chain.getBlockHash(next);
			for (const { event } of await (await api.at(hash)).query.system.events()) {
				const answer = await visit(event, next, hash);
				if (answer !== undefined) return answer;
			}
			onBlock?.(next);
			next += 1;
		}
		if (Date.now() > deadline) throw new UserError(`nothing happened for ${timeoutMs / 1000} s (block ${head}); is the provider's worker running?`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}
