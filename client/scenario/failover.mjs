// The long job: its provider's node is killed in the middle, and another provider carries on from the last checkpoint.

import { fields } from '../lib/chain.mjs';
import { Courier } from '../lib/courier.mjs';
import { iterateJob, iterateOutput } from '../lib/iterate.mjs';
import { blobHash } from '../lib/job.mjs';
import { fetchResult, followLease } from '../lib/leases.mjs';
import { rentNow } from '../lib/orders.mjs';
import { tell } from '../lib/story.mjs';
import { orderTerms } from '../lib/terms.mjs';
import { hostOf } from './market.mjs';
import { nameOf } from './network.mjs';

/** The long job's lease, while it runs. */
export class LongJob {
	/** Orders one node from the cheapest provider, with failover, and hands the job over. `shape` is that of the iterate job. */
	static async begin(context, shape, { say = () => {} } = {}) {
		const { api, renter, providers } = context;
		const job = iterateJob(shape);
		const terms = orderTerms({ classId: providers.Bob.classId, maxPrice: providers.Bob.price, termMs: 600_000, premium: 1_000_000, plans: [job.plan] });
		const lease = await rentNow(api, renter, terms);
		return new LongJob(context, lease, { job, expected: blobHash(iterateOutput(shape)), say });
	}

	constructor(context, lease, { job, expected, say }) {
		const courier = new Courier(context.api, { jobs: [job], say });
		Object.assign(this, { context, lease, expected, courier, say, events: [] });
		this.done = courier.begin(lease.nodes).then(() => this.#follow());
		// Whoever waits for it gets the error; until then it is no stray one.
		this.done.catch(() => {});
	}

	/** Name of the provider that serves it now. */
	get host() {
		return nameOf(this.context, this.lease.nodes[0].provider);
	}

	/** Launches that the newest checkpoint at hand spares. */
	get saved() {
		return this.courier.checkpoint(0)?.launchesDone ?? 0;
	}

	/** Waits until a checkpoint is at hand. */
	async checkpoint() {
		const started = Date.now();
		while (!this.saved) {
			if (Date.now() - started > 90_000) throw new Error('the long job has no checkpoint after 90 s');
			await Promise.race([this.done, new Promise((resolve) => setTimeout(resolve, 250))]);
		}
		return this.saved;
	}

	/** Kills the node that serves it, with SIGKILL. */
	async killHost() {
		const name = this.host;
		await hostOf(this.context, this.lease.nodes[0].provider).kill('SIGKILL');
		return name;
	}

	async #follow() {
		const { api } = this.context;
		const outcome = await followLease(api, { lease: this.lease.lease, from: this.lease.block + 1, timeoutMs: 400_000 }, async (event, block) => {
			this.events.push({ block, method: event.method, data: fields(event) });
			const line = tell(event);
			if (line) this.say(`long job, block ${block}: ${line}`);
			await this.courier.see(event);
			if (event.method === 'NodeAssigned') this.lease.nodes[0].provider = fields(event).provider.toString();
			return event.method === 'JobFinished' ? fields(event).outcome : undefined;
		});
		const result = await fetchResult(hostOf(this.context, this.lease.nodes[0].provider).api, outcome);
		await this.courier.close();
		return result;
	}
}
