// The long job: its provider's node is killed in the middle, and another provider carries on from the last checkpoint.

import { callNode, fields } from '../lib/chain.mjs';
import { Courier } from '../lib/courier.mjs';
import { iterateJob, iterateOutput } from '../lib/iterate.mjs';
import { blobHash } from '../lib/job.mjs';
import { fetchResult, followLease } from '../lib/leases.mjs';
import { rentNow } from '../lib/orders.mjs';
import { tell } from '../lib/story.mjs';
import { orderTerms } from '../lib/terms.mjs';
import { hostOf } from './market.mjs';
import { nameOf } from './network.mjs';

/** How much more a replacement may cost, in parts per million. */
export const PREMIUM = 1_000_000;

/** The lease's term, in milliseconds. */
export const TERM_MS = 600_000;

// What is not told before the kill; after it, everything is.
const UNTOLD = ['CheckpointPosted', 'NodeReady'];

/** The long job's lease, while it runs. */
export class LongJob {
	#waiting = [];

	/** Orders one node from the cheapest provider, with failover, and hands the job over. `shape` is that of the iterate job. */
	static async begin(context, shape, { say = () => {} } = {}) {
		const { api, renter, providers } = context;
		const job = iterateJob(shape);
		const terms = orderTerms({ classId: providers.Bob.classId, maxPrice: providers.Bob.price, termMs: TERM_MS, premium: PREMIUM, plans: [job.plan] });
		const lease = await rentNow(api, renter, terms);
		return new LongJob(context, lease, { job, expected: blobHash(iterateOutput(shape)), say });
	}

	constructor(context, lease, { job, expected, say }) {
		const name = (provider) => nameOf(context, provider);
		const courier = new Courier(context.api, { jobs: [job], say: (text) => say(`long job: ${text}`), name });
		Object.assign(this, { context, lease, expected, courier, name, say, events: [], blocks: { opened: lease.block } });
		this.done = courier.begin(lease.nodes).then(() => this.#follow());
		// Whoever waits for it gets the error; until then it is no stray one.
		this.done.catch(() => {});
	}

	/** Name of the provider that serves it now. */
	get host() {
		return this.name(this.lease.nodes[0].provider);
	}

	/** Launches that the checkpoint spares which the chain names, if it is at hand. */
	get saved() {
		return this.courier.checkpoint(0)?.launchesDone ?? 0;
	}

	/**
	 * Waits until the chain names a newer checkpoint and it is at hand; returns the launches that it spares. The next report is an
	 * epoch away then, so that it stays the one that the chain names if the node is killed now.
	 */
	async checkpoint({ timeoutMs = 120_000 } = {}) {
		let timer;
		const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`the long job has no new checkpoint after ${timeoutMs / 1000} s`)), timeoutMs)));
		const over = this.done.then(() => Promise.reject(new Error('the long job was over before its node was killed')));
		try {
			return await Promise.race([new Promise((resolve) => this.#waiting.push(resolve)), over, late]);
		} finally {
			clearTimeout(timer);
		}
	}

	/** Kills the node that serves it, with SIGKILL. */
	async killHost() {
		this.killed = this.host;
		await hostOf(this.context, this.lease.nodes[0].provider).kill('SIGKILL');
		this.blocks.killed = (await this.context.api.rpc.chain.getHeader()).number.toNumber();
		return this.killed;
	}

	async #follow() {
		const { api } = this.context;
		const { lease } = this.lease;
		const outcome = await followLease(api, { lease, from: this.lease.block + 1, timeoutMs: 400_000 }, async (event, block) => {
			const data = fields(event);
			this.events.push({ block, method: event.method, data });
			const line = tell(event, 'native', this.name);
			if (line && (this.killed || !UNTOLD.includes(event.method))) this.say(`long job, block ${block}: ${line}`);
			await this.courier.see(event);
			this.#note(event.method, data, block);
			return event.method === 'JobFinished' ? data.outcome : undefined;
		});
		const host = hostOf(this.context, this.lease.nodes[0].provider).api;
		const result = await fetchResult(host, outcome);
		this.resumedFrom = (await callNode(host, 'worker_job', Number(lease), 0)).resumedFrom ?? 0;
		await this.courier.close();
		return result;
	}

	// What is asked of it later.
	#note(method, data, block) {
		const { blocks } = this;
		if (method === 'CheckpointPosted' && this.saved) for (const resolve of this.#waiting.splice(0)) resolve(this.saved);
		if (method === 'NodeReady') blocks[this.generation ? 'readyAgain' : 'ready'] = block;
		if (method === 'NodeSuspended') blocks.suspended = block;
		if (method === 'NodeFaulted') blocks.faulted = block;
		if (method === 'JobFinished') {
			blocks.finished = block;
			this.finishedAt = Date.now();
		}
		if (method === 'NodeAssigned') {
			Object.assign(this.lease.nodes[0], { provider: data.provider.toString(), price: data.price.toBigInt() });
			this.generation = data.generation.toNumber();
			this.handedOn = this.saved;
			blocks.assigned = block;
		}
	}
}
