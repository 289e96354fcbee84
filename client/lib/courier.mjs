// Carries a job from a failed provider to the next: plan, inputs and the checkpoint that the chain names.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callNode, connect, fields } from './chain.mjs';
import { short } from './format.mjs';
import { blobHash, getBlob, putBlobs } from './job.mjs';
import { endpointOf } from './market.mjs';

// How often the providers' nodes are asked for newer checkpoints, in milliseconds.
const ASK_EVERY_MS = 1_000;
// Checkpoints of a job that are kept: the newest, that of a report on its way, and the one that the chain names; as the worker does.
const KEPT = 3;

/** A provider's node, as far as the courier needs it. */
async function hostOf(api, provider) {
	const node = await connect(await endpointOf(api, provider), { timeoutMs: 5_000 });
	return {
		isConnected: () => node.isConnected,
		close: () => node.disconnect().catch(() => {}),
		put: (job) => putBlobs(node, job),
		get: (blob) => getBlob(node, blob),
		// The newest checkpoint of each open job of the lease that was made there, `{ job, blob }`.
		async newest(lease) {
			const { leases } = await callNode(node, 'worker_status');
			const list = [];
			for (const job of leases.find((each) => each.lease === lease)?.openJobs ?? []) {
				const { checkpoint } = await callNode(node, 'worker_job', lease, job);
				if (checkpoint) list.push({ job, blob: checkpoint.blob });
			}
			return list;
		},
	};
}

// What to do about it is for whoever called a script; this goes on.
const firstLine = (error) => error.message.split('\n')[0];

/**
 * Keeps what a lease's jobs need at the nodes that serve it. It has to run while the lease does: a provider that is gone cannot
 * be asked for its checkpoints any more. So they are fetched when they are made, not only when the chain names them.
 */
export class Courier {
	#hosts = new Map();
	#connected = new Map();
	// By job: what the chain names, `{ node, blob, launchesDone }`, and what is at hand, `{ blob, bytes }` with the newest last.
	#named = new Map();
	#atHand = new Map();
	#jobs;
	#lease;
	#timer;

	/**
	 * - `jobs`: jobs (`readJob`), each at the place of its node
	 * - `folder`: where checkpoints are kept, to find them again after a restart; in memory alone without it
	 * - `say`: is told what was carried where; `name` says who a provider is
	 * - `connectTo`: connects to a provider's node, as `hostOf` does; `askEveryMs`: how often it is asked for newer checkpoints
	 */
	constructor(api, { jobs = [], folder, say = () => {}, name = short, connectTo = (provider) => hostOf(api, provider), askEveryMs = ASK_EVERY_MS } = {}) {
		Object.assign(this, { folder, say, name, connectTo, askEveryMs });
		this.#jobs = jobs;
		if (folder) mkdirSync(folder, { recursive: true });
	}

	/** The checkpoint of a job that the chain names, if it is at hand: `{ node, launchesDone, blob, bytes }`. */
	checkpoint(job) {
		const named = this.#named.get(Number(job));
		const bytes = named && this.#bytes(Number(job), named.blob);
		return bytes && { ...named, bytes };
	}

	/** Takes up a lease as it stands: `nodes` are `{ node, provider }`, `stored` the chain's jobs `{ job, node, checkpoint }`. */
	async begin(nodes, stored = []) {
		for (const { node, provider } of nodes) this.#hosts.set(node, provider);
		for (const { job, node, checkpoint } of stored) if (checkpoint) await this.#take(Number(job), { node, ...checkpoint });
		for (const { node, provider } of nodes) await this.#serve(node, provider);
		this.#keepAsking();
	}

	/** To be called with each event of the lease, in order. A node that does not answer is said, and left alone. */
	async see(event) {
		const data = fields(event);
		this.#lease ??= data.lease?.toNumber();
		if (event.method === 'NodeAssigned') await this.#serve(data.node.toNumber(), data.provider.toString());
		if (event.method === 'CheckpointPosted') {
			const { job, blob, launchesDone } = data.checkpoint;
			await this.#take(job.toNumber(), { node: data.node.toNumber(), blob: blob.toHex(), launchesDone: launchesDone.toNumber() });
		}
		if (event.method === 'JobFinished') {
			const job = data.job.toNumber();
			const over = this.#atHand.get(job) ?? [];
			this.#atHand.delete(job);
			this.#named.delete(job);
			for (const { blob } of over) this.#forget(blob);
		}
	}

	async close() {
		clearInterval(this.#timer);
		for (const host of this.#connected.values()) await host.close();
		this.#connected.clear();
	}

	// A node has this provider now: it gets what its jobs need.
	async #serve(node, provider) {
		this.#hosts.set(node, provider);
		const named = [...this.#named].filter(([, checkpoint]) => checkpoint.node === node);
		try {
			const host = await this.#host(provider);
			let sent = this.#jobs[node] ? await host.put(this.#jobs[node]) : 0;
			for (const [job, { blob, launchesDone }] of named) {
				const bytes = this.#bytes(job, blob);
				if (!bytes) {
					this.say(`node ${node}: the checkpoint of job ${job} after ${launchesDone} launches is not at hand: without it, the job starts from its beginning`);
					continue;
				}
				sent += await host.put({ blobs: new Map([[blob, bytes]]) });
				this.say(`node ${node}: ${this.name(provider)} has the checkpoint of job ${job} after ${launchesDone} launches`);
			}
			if (sent) this.say(`node ${node}: ${sent} bytes put at ${this.name(provider)}'s node`);
		} catch (error) {
			this.say(`node ${node}: ${this.name(provider)} could not be given what the job needs: ${firstLine(error)}`);
		}
	}

	// The chain names this checkpoint now.
	async #take(job, checkpoint) {
		const { node, blob, launchesDone } = checkpoint;
		this.#named.set(job, checkpoint);
		try {
			if (!this.#bytes(job, blob)) await this.#fetch(job, blob, await this.#host(this.#hosts.get(node)));
		} catch (error) {
			this.say(`node ${node}: the checkpoint after ${launchesDone} launches could not be fetched: ${firstLine(error)}`);
		}
	}

	async #fetch(job, blob, host) {
		const bytes = Buffer.from(await host.get(blob));
		const list = this.#atHand.get(job) ?? [];
		// Two may have asked for it at a time.
		if (list.some((each) => each.blob === blob)) return;
		if (this.folder) writeFileSync(this.#file(blob), bytes);
		list.push({ blob, bytes });
		this.#atHand.set(job, list);
		while (list.length > KEPT) {
			const [over] = list.splice(list.findIndex((each) => each.blob !== this.#named.get(job)?.blob), 1);
			this.#forget(over.blob);
		}
	}

	// Asks the nodes that serve the lease for checkpoints that the chain does not name yet. Only over connections that are there:
	// whether a provider answers is for the chain to say.
	#keepAsking() {
		let busy = false;
		this.#timer = setInterval(async () => {
			if (busy || this.#lease === undefined) return;
			busy = true;
			for (const provider of new Set(this.#hosts.values())) await this.#ask(provider).catch(() => {});
			busy = false;
		}, this.askEveryMs);
		this.#timer.unref();
	}

	async #ask(provider) {
		const host = this.#connected.get(provider);
		if (!host?.isConnected()) return;
		for (const { job, blob } of await host.newest(this.#lease)) if (!this.#bytes(job, blob)) await this.#fetch(job, blob, host);
	}

	// The checkpoint's bytes, from memory or from the folder.
	#bytes(job, blob) {
		const found = this.#atHand.get(job)?.find((each) => each.blob === blob);
		if (found || !this.folder) return found?.bytes;
		try {
			const bytes = readFileSync(this.#file(blob));
			if (blobHash(bytes) !== blob) return undefined;
			this.#atHand.set(job, [{ blob, bytes }, ...(this.#atHand.get(job) ?? [])]);
			return bytes;
		} catch {
			return undefined;
		}
	}

	// To be called when no list has it for this job any more; another job may have the same state.
	#forget(blob) {
		const isWanted = [...this.#atHand.values()].flat().some((each) => each.blob === blob);
		if (this.folder && !isWanted) rmSync(this.#file(blob), { force: true });
	}

	#file(blob) {
		return join(this.folder, `${blob.slice(2)}.checkpoint`);
	}

	// A provider's node; connected again when the connection was lost.
	async #host(provider) {
		const known = this.#connected.get(provider);
		if (known?.isConnected()) return known;
		await known?.close();
		const host = await this.connectTo(provider);
		this.#connected.set(provider, host);
		return host;
	}
}
