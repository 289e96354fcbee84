// Carries a job from a failed provider to the next: plan, inputs and the newest checkpoint.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, fields } from './chain.mjs';
import { short } from './format.mjs';
import { blobHash, getBlob, putBlob, putBlobs } from './job.mjs';
import { endpointOf } from './market.mjs';

/**
 * Keeps what a lease's jobs need at the nodes that serve it. It has to run while the lease does: a provider that is gone cannot
 * be asked for its checkpoints any more.
 */
export class Courier {
	#hosts = new Map();
	#connections = new Map();
	#checkpoints = new Map();
	#jobs;

	/**
	 * - `jobs`: jobs (`readJob`), each at the place of its node
	 * - `folder`: where checkpoints are kept, to find them again after a restart; in memory alone without it
	 * - `say`: is told what was carried where
	 */
	constructor(api, { jobs = [], folder, say = () => {} } = {}) {
		Object.assign(this, { api, folder, say });
		this.#jobs = jobs;
		if (folder) mkdirSync(folder, { recursive: true });
	}

	/** The newest checkpoint of a job whose blob is at hand: `{ launchesDone, blob, bytes }`. */
	checkpoint(job) {
		return this.#checkpoints.get(Number(job));
	}

	/** Takes up a lease as it stands: `nodes` are `{ node, provider }`, `stored` the chain's jobs `{ job, node, checkpoint }`. */
	async begin(nodes, stored = []) {
		for (const { job, node, checkpoint } of stored) if (checkpoint) this.#checkpoints.set(Number(job), { node, ...checkpoint, bytes: this.#kept(checkpoint.blob) });
		for (const { node, provider } of nodes) await this.#serve(node, provider);
	}

	/** To be called with each event of the lease, in order. A node that does not answer is said, and left alone. */
	async see(event) {
		const data = fields(event);
		if (event.method === 'NodeAssigned') await this.#serve(data.node.toNumber(), data.provider.toString());
		if (event.method === 'CheckpointPosted') await this.#fetch(data.node.toNumber(), data.checkpoint);
	}

	async close() {
		for (const { api } of this.#connections.values()) await api.disconnect().catch(() => {});
		this.#connections.clear();
	}

	// A node has this provider now: it gets what its jobs need.
	async #serve(node, provider) {
		this.#hosts.set(node, provider);
		try {
			const host = await this.#connection(node);
			const job = this.#jobs[node];
			let sent = job ? await putBlobs(host.api, job) : 0;
			for (const checkpoint of this.#checkpoints.values()) {
				if (checkpoint.node !== node || !checkpoint.bytes) continue;
				sent += await putBlob(host.api, checkpoint.blob, checkpoint.bytes);
				this.say(`node ${node}: the checkpoint after ${checkpoint.launchesDone} launches is at ${host.endpoint}`);
			}
			if (sent) this.say(`node ${node}: ${sent} bytes put at ${host.endpoint}`);
		} catch (error) {
			this.say(`node ${node}: ${short(provider)} could not be given what the job needs: ${error.message}`);
		}
	}

	async #fetch(node, checkpoint) {
		const [job, blob, launchesDone] = [checkpoint.job.toNumber(), checkpoint.blob.toHex(), checkpoint.launchesDone.toNumber()];
		let bytes = this.#kept(blob);
		try {
			bytes ??= Buffer.from(await getBlob((await this.#connection(node)).api, blob));
		} catch (error) {
			// The one before is still at hand; the next one may be fetched.
			this.say(`node ${node}: the checkpoint after ${launchesDone} launches could not be fetched: ${error.message}`);
			return;
		}
		if (this.folder) writeFileSync(join(this.folder, `${blob.slice(2)}.checkpoint`), bytes);
		this.#checkpoints.set(job, { node, blob, launchesDone, bytes });
	}

	#kept(blob) {
		if (!this.folder) return undefined;
		const name = `${blob.slice(2)}.checkpoint`;
		if (!readdirSync(this.folder).includes(name)) return undefined;
		const bytes = readFileSync(join(this.folder, name));
		return blobHash(bytes) === blob ? bytes : undefined;
	}

	async #connection(node) {
		const provider = this.#hosts.get(node);
		if (!this.#connections.has(provider)) {
			const endpoint = await endpointOf(this.api, provider);
			this.#connections.set(provider, { endpoint, api: await connect(endpoint) });
		}
		return this.#connections.get(provider);
	}
}
