// The slashing scenario: a provider goes dark and pays for it; then the whole chain stands still, and nobody does.

import { eventOf, fields, followEvents, heads, stateAt, timeOf } from '../lib/chain.mjs';
import { mill } from '../lib/format.mjs';
import { plancks } from '../lib/input.mjs';
import { blobHash } from '../lib/job.mjs';
import { awaitEvent, receiptIn, waitForAttestation } from '../lib/leases.mjs';
import { waitUntilLive } from '../lib/market.mjs';
import { sleep } from '../lib/nodes.mjs';
import { rentNow } from '../lib/orders.mjs';
import { depth, leaseOf } from '../lib/reads.mjs';
import { appeal, bondOf, slashOf, tellSlash } from '../lib/slashes.mjs';
import { tell } from '../lib/story.mjs';
import { orderTerms } from '../lib/terms.mjs';
import { decide } from './money.mjs';
import { nameOf, startNodes } from './network.mjs';

/** The only provider. What is on hold stands for no GPU: with the minimum bond of his one GPU, Bob could serve no lease after the first. */
export const PROFILES = { Bob: { country: 'DE', network: 64_500, price: plancks('0.001'), bond: plancks('150') } };

/** The leases' term, in milliseconds. */
export const TERM_MS = 900_000;

/** How many epochs after the fault clock goes on nobody may have been punished. */
export const WATCHED_EPOCHS = 3;

/** A validator and Bob's node. The renter is Dave; of the council, those vote who have no part in it. */
export const startChain = (options) => startNodes({ ...options, profiles: PROFILES, renter: '//Dave', council: ['//Alice', '//Charlie'] });

/** The chain's lengths: an epoch in blocks, a slot and the time that a node may be suspended in milliseconds. */
export async function lengthsOf(api) {
	const timing = await api.query.timing.timing();
	return { epochBlocks: timing.leasedEpochBlocks.toNumber(), graceEpochs: timing.graceEpochs.toNumber(), slotMs: timing.slotMs.toNumber(), suspendedForMs: timing.suspendedForMs.toNumber() };
}

/** Leases Bob's GPU, without failover, and waits until so much of it was attested. */
export async function rentBob(context, { ms = 1 } = {}) {
	const { api, renter, providers } = context;
	const lease = await rentNow(api, renter, orderTerms({ classId: providers.Bob.classId, maxPrice: providers.Bob.price, termMs: TERM_MS }));
	const at = { lease: lease.lease, from: lease.block, timeoutMs: 120_000 };
	const { block } = await awaitEvent(api, 'LeaseReady', at);
	await waitForAttestation(api, { ...at, ms });
	return { ...lease, readyBlock: block };
}

/**
 * Kills Bob's node and follows the lease until the chain has taken it away. Returns what happened, with the block of each: the last
 * attestation, the suspension, the faults, the end; and what was billed. `say` is told a block and what happened in it.
 */
export async function goDark(context, lease, { say = () => {}, timeoutMs = 300_000 } = {}) {
	const { api, providers: { Bob } } = context;
	const bondBefore = await bondOf(api, Bob.pair.address);
	await Bob.node.kill('SIGKILL');
	const killed = (await heads(api)).best;
	say(killed, "Bob's node got SIGKILL");
	const dark = { lease: lease.lease, killed, bondBefore, billedMs: 0, billedBlock: null, faults: [], excused: [] };
	const name = (address) => nameOf(context, address);
	const visit = (event, block) => {
		if (dark.closed && dark.closed.block < block) return true;
		const data = fields(event);
		if (![data.lease, data.escrow].some((id) => id?.toString() === lease.lease) && !(dark.slash && data.slash?.toString() === dark.slash)) return undefined;
		SEEN[`${event.section}.${event.method}`]?.(dark, data, block, event);
		const line = tell(event, 'native', name) ?? tellSlash(event, name);
		if (line && block > killed) say(block, line);
		return undefined;
	};
	await followEvents(api, lease.block, visit, { timeoutMs });
	if (!dark.ended) throw new Error(`lease ${lease.lease} was taken from Bob in block ${dark.closed.block} (${dark.faulted?.cause ?? 'no fault'}), and ${dark.slash ? 'its slash did not end' : 'no slash began'}`);
	dark.bond = await bondOf(api, Bob.pair.address);
	dark.times = { ready: await timeOf(api, lease.readyBlock), attested: await timeOf(api, dark.attestedBlock), killed: await timeOf(api, killed) };
	return dark;
}

// What `goDark` keeps of the events of its lease and its slash.
const SEEN = {
	'leases.LeaseAttested': (dark, _, block) => (dark.attestedBlock = block),
	'settlement.Accrued': (dark, { ms }, block) => {
		dark.billedMs += ms.toNumber();
		if (!ms.isZero()) dark.billedBlock = block;
	},
	'leases.NodeSuspended': (dark, { attestedAt }, block) => (dark.suspended = { block, attestedAt: attestedAt.toNumber() }),
	'slashing.EpisodeBegan': (dark, { slash, cause, renter }) => Object.assign(dark, { slash: slash.toString(), cause: cause.type, renter: renter.toString() }),
	'slashing.FaultCounted': (dark, { epoch, epochs, amount, held }, block) => dark.faults.push({ block, epoch: epoch.toNumber(), epochs: epochs.toNumber(), amount: amount.toBigInt(), held: held.toBigInt() }),
	'slashing.FaultExcused': (dark, { epoch, excuse, amount }, block) => dark.excused.push({ block, epoch: epoch.toNumber(), excuse: excuse.type, amount: amount.toBigInt() }),
	'slashing.EpisodeEnded': (dark, { held, executesAt }, block) => (dark.ended = { block, held: held.toBigInt(), executesAt: executesAt.toNumber() }),
	'leases.NodeFaulted': (dark, { cause }, block) => (dark.faulted = { block, cause: cause.type }),
	'leases.LeaseClosed': (dark, { reason }, block) => (dark.closed = { block, reason: reason.type }),
};

/** Waits for the receipt of a closed lease: the contest window may have to pass first. */
export const awaitReceipt = ({ api }, lease, from) => followEvents(api, from, (event) => receiptIn([event], lease) ?? undefined, { timeoutMs: 120_000 });

/** Bob starts his node again, on its old data, and waits until his GPU can be leased again. Returns in how many milliseconds. */
export async function comeBack(context, { timeoutMs = 240_000 } = {}) {
	const { api, providers: { Bob } } = context;
	const began = Date.now();
	await Bob.node.start();
	await waitUntilLive(api, Bob.pair.address, timeoutMs);
	// A report is not enough: the chain waits for some more if it holds the GPU for lost.
	while (!(await depth(api, Bob.classId)).levels.length) {
		if (Date.now() - began > timeoutMs) throw new Error(`Bob's node reports again, and his GPU cannot be leased after ${timeoutMs / 1000} s`);
		await sleep(250);
	}
	return Date.now() - began;
}

/** Bob's cold account appeals, through the validator's node: his own is not needed for it. */
export const appealAsBob = ({ api, providers: { Bob } }, slash) =>
	appeal(api, Bob.pair, slash, blobHash(new TextEncoder().encode('The carrier cut the fibre. Its own report is attached.')));

/** Waits until it is known of all faults of a slash whether they count: the council cannot decide before. */
export async function awaitJudgement({ api }, slash, { timeoutMs = 120_000 } = {}) {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const now = await slashOf(api, slash);
		if (!now) throw new Error(`slash ${slash} is gone before the council could decide`);
		if (!now.unjudged) return now;
		if (Date.now() > deadline) throw new Error(`${now.unjudged} faults of slash ${slash} are not judged after ${timeoutMs / 1000} s`);
		await sleep(250);
	}
}

/**
 * The council leaves `keep` parts per million of a slash: that is paid out at once, the rest is bond again. Returns what the verdict did,
 * and of whom received something by how much the block changed the balance.
 */
export async function reduce(context, slash, { keep }) {
	const { api, providers: { Bob } } = context;
	const { events, number } = await decide(context, api.tx.slashing.resolve(slash, { Reduce: { keep } }));
	const resolved = fields(eventOf(events, 'slashing', 'Resolved'));
	const paid = fields(eventOf(events, 'slashing', 'SlashExecuted'));
	const amounts = { renter: paid.toRenter.toBigInt(), insurance: paid.toInsurance.toBigInt(), treasury: paid.toTreasury.toBigInt() };
	const receivers = receiversOf(events, amounts);
	const received = {};
	for (const [who, address] of Object.entries(receivers)) received[who] = (await totalOf(api, address, number)) - (await totalOf(api, address, number - 1));
	return {
		block: number,
		executed: resolved.executed.toBigInt(),
		returned: resolved.returned.toBigInt(),
		appealBond: { amount: resolved.bond.toBigInt(), lost: resolved.bondLost.isTrue },
		renter: paid.renter.unwrapOr(null)?.toString() ?? null,
		amounts,
		receivers,
		received,
		bond: await bondOf(api, Bob.pair.address),
	};
}

/** Whose account received which part: the deposits between the verdict and the event of the payment, in the order of the payment. */
export function receiversOf(events, amounts) {
	const index = (method) => events.findIndex((event) => event.section === 'slashing' && event.method === method);
	const deposits = events
		.slice(index('Resolved') + 1, index('SlashExecuted'))
		.filter(({ section, method }) => section === 'balances' && method === 'Deposit')
		.map(fields);
	const receivers = {};
	for (const [who, amount] of Object.entries(amounts)) {
		if (amount === 0n) continue;
		const deposit = deposits.shift();
		if (deposit?.amount.toBigInt() !== amount) throw new Error(`no deposit of ${mill(amount)} to the ${who} comes with the payment`);
		receivers[who] = deposit.who.toString();
	}
	return receivers;
}

/** All that an account has after a block, free and held. */
async function totalOf(api, address, block) {
	const { free, reserved } = (await (await stateAt(api, block)).query.system.account(address)).data;
	return free.toBigInt() + reserved.toBigInt();
}

/**
 * Stops the only validator's process for a while, and goes on until the fault clock has run for some epochs again and the lease was billed
 * again. Returns what happened, with the block of each. The context has another `api` after that.
 */
export async function stall(context, lease, { seconds, say = () => {}, timeoutMs = 240_000 } = {}) {
	const { validator, providers: { Bob } } = context;
	const { epochBlocks } = await lengthsOf(context.api);
	const bondBefore = await bondOf(context.api, Bob.pair.address);
	const last = (await heads(context.api)).best;
	say(last, `the validator's process is stopped (SIGSTOP) for ${seconds} s`);
	await validator.hang(seconds * 1000);
	const api = (context.api = validator.api);
	const seen = { seconds, last, stopped: null, resumed: null, attestedBlock: null, accruals: [], punishments: [], suspended: null };
	const visit = (event, block) => {
		const data = fields(event);
		const name = `${event.section}.${event.method}`;
		const own = [data.lease, data.escrow].some((id) => id?.toString() === lease.lease);
		if (name === 'faultClock.ClockStopped') {
			const [excuse, until] = [data.excuse.type, data.until.unwrapOr(null)?.toNumber() ?? null];
			if (excuse === 'ChainStall') seen.stopped ??= { block, excuse, until };
			say(block, `the fault clock stands: ${excuse}${until ? `, until block ${until}` : ''}`);
		}
		if (name === 'faultClock.ClockResumed' && seen.stopped) {
			seen.resumed ??= { block, stoppedMs: data.stoppedMs.toNumber() };
			say(block, 'the fault clock goes on');
		}
		if (PUNISHMENTS.includes(name)) {
			seen.punishments.push({ block, what: name });
			say(block, tellSlash(event) ?? name);
		}
		if (!own) return undefined;
		if (name === 'leases.NodeSuspended') seen.suspended ??= block;
		if (name === 'leases.LeaseAttested' && seen.stopped && block > seen.stopped.block && !seen.attestedBlock) {
			seen.attestedBlock = block;
			say(block, `lease ${lease.lease} is attested again`);
		}
		if (name === 'settlement.Accrued') seen.accruals.push({ block, ms: data.ms.toNumber() });
		return undefined;
	};
	const isOver = (block) => {
		const billed = seen.attestedBlock && seen.accruals.some((each) => each.block > seen.attestedBlock && each.ms > 0);
		return billed && seen.resumed && block >= seen.resumed.block + WATCHED_EPOCHS * epochBlocks;
	};
	const follow = followEvents(api, last + 1, (event, block) => (visit(event, block), isOver(block) || undefined), { timeoutMs });
	await follow.catch((error) => {
		const missing = !seen.stopped ? 'the fault clock did not stop' : !seen.attestedBlock ? 'the lease is not attested' : !seen.resumed ? 'the fault clock does not go on' : 'the lease is not billed';
		throw new Error(`${timeoutMs / 1000} s after the stall ${missing}: ${error.message}`);
	});
	const now = await leaseOf(api, lease.lease);
	return {
		...seen,
		// From the last block before: a block without weight for hooks, such as a session's first, leaves the gap to the next one.
		gapMs: (await timeOf(api, seen.stopped.block)) - (await timeOf(api, last)),
		until: (await heads(api)).best,
		bondBefore,
		bond: await bondOf(api, Bob.pair.address),
		node: now?.nodes[0]?.status.kind ?? 'none',
	};
}

// Whatever of these happens, somebody is punished.
const PUNISHMENTS = ['slashing.EpisodeBegan', 'slashing.FaultCounted', 'slashing.SlashExecuted', 'providers.SlashHeld', 'leases.NodeFaulted'];
