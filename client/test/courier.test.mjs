// The courier between providers' nodes that are only pretended.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { Courier } from '../lib/courier.mjs';
import { blobHash } from '../lib/job.mjs';

const LEASE = 7;
const JOB = 3;
const number = (value) => ({ toNumber: () => value });
const event = (method, data) => ({ method, data: Object.assign(Object.values(data), { names: Object.keys(data) }) });
const state = (launches) => new Uint8Array([1, launches]);
const posted = (launches) =>
	event('CheckpointPosted', { lease: number(LEASE), node: number(0), checkpoint: { job: number(JOB), blob: { toHex: () => blobHash(state(launches)) }, launchesDone: number(launches) } });
const assigned = (provider) => event('NodeAssigned', { lease: number(LEASE), node: number(0), provider });
const attested = event('LeaseAttested', { lease: number(LEASE) });
const finished = event('JobFinished', { lease: number(LEASE), job: number(JOB) });

/** Providers' nodes by name: blobs, the newest checkpoint, whether they answer. */
function pretend(...names) {
	const hosts = Object.fromEntries(names.map((name) => [name, { name, blobs: new Map(), lives: true, connections: 0, newest: null }]));
	const alive = (host) => {
		if (!host.lives) throw new Error(`${host.name} does not answer\nand this line is for somebody else`);
	};
	const connectTo = async (name) => {
		const host = hosts[name];
		alive(host);
		host.connections += 1;
		let isConnected = true;
		return {
			// What was lost stays lost.
			isConnected: () => (isConnected &&= host.lives),
			close: async () => {},
			async put({ blobs }) {
				alive(host);
				let sent = 0;
				for (const [hash, bytes] of blobs) {
					if (!host.blobs.has(hash)) sent += bytes.length;
					host.blobs.set(hash, bytes);
				}
				return sent;
			},
			async get(hash) {
				alive(host);
				if (!host.blobs.has(hash)) throw new Error('no such blob');
				return host.blobs.get(hash);
			},
			async newest(lease) {
				alive(host);
				assert.equal(lease, LEASE);
				return host.newest ? [host.newest] : [];
			},
		};
	};
	return { hosts, connectTo };
}

const makes = (host, launches) => {
	host.blobs.set(blobHash(state(launches)), state(launches));
	host.newest = { job: JOB, blob: blobHash(state(launches)) };
};

/** Calls `check` with a courier that serves node 0 at `A`, and what it said. */
async function serving(options, check) {
	const { hosts, connectTo } = pretend('A', 'B');
	const said = [];
	const courier = new Courier(null, { jobs: [{ blobs: new Map([['0xplan', new Uint8Array(5)]]) }], connectTo, name: (provider) => provider, say: (text) => said.push(text), askEveryMs: 5, ...options });
	try {
		await courier.begin([{ node: 0, provider: 'A' }]);
		await check({ courier, hosts, said, connectTo });
	} finally {
		await courier.close();
	}
}

test('the next provider gets the job and the checkpoint that the chain names', () =>
	serving({}, async ({ courier, hosts, said }) => {
		assert.ok(hosts.A.blobs.has('0xplan'));
		makes(hosts.A, 4);
		await courier.see(posted(4));
		assert.equal(courier.checkpoint(JOB).launchesDone, 4);
		hosts.A.lives = false;
		await courier.see(assigned('B'));
		assert.deepEqual([...hosts.B.blobs.keys()], ['0xplan', blobHash(state(4))]);
		assert.ok(said.includes('node 0: B has the checkpoint of job 3 after 4 launches'), said.join('\n'));
	}));

test('a checkpoint is fetched when it is made, so that its provider may be gone when the chain names it', () =>
	serving({}, async ({ courier, hosts, said }) => {
		await courier.see(attested);
		makes(hosts.A, 7);
		await sleep(60);
		hosts.A.lives = false;
		await courier.see(posted(7));
		assert.equal(courier.checkpoint(JOB).launchesDone, 7);
		await courier.see(assigned('B'));
		assert.ok(hosts.B.blobs.has(blobHash(state(7))));
		assert.ok(!said.some((text) => text.includes('could not')), said.join('\n'));
	}));

test('an older checkpoint is not passed off as the one that the chain names', () =>
	serving({ askEveryMs: 1_000_000 }, async ({ courier, hosts, said }) => {
		makes(hosts.A, 4);
		await courier.see(posted(4));
		hosts.A.lives = false;
		await courier.see(posted(7));
		assert.equal(courier.checkpoint(JOB), undefined);
		await courier.see(assigned('B'));
		assert.deepEqual([...hosts.B.blobs.keys()], ['0xplan']);
		assert.deepEqual(said.slice(1, 3), [
			'node 0: the checkpoint after 7 launches could not be fetched: A does not answer',
			'node 0: the checkpoint of job 3 after 7 launches is not at hand: without it, the job starts from its beginning',
		]);
	}));

test('a node that comes back is connected again', () =>
	serving({}, async ({ courier, hosts }) => {
		hosts.A.lives = false;
		await courier.see(posted(2));
		hosts.A.lives = true;
		makes(hosts.A, 5);
		await courier.see(posted(5));
		assert.equal(courier.checkpoint(JOB).launchesDone, 5);
		assert.equal(hosts.A.connections, 2);
	}));

test('the folder holds few checkpoints, gives them back after a restart, and none of a job that is over', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'millrace-courier-'));
	try {
		await serving({ folder }, async ({ courier, hosts, connectTo }) => {
			for (let launches = 1; launches <= 9; launches += 1) {
				makes(hosts.A, launches);
				await courier.see(posted(launches));
			}
			assert.equal(readdirSync(folder).length, 3);
			await courier.close();
			hosts.A.lives = false;
			const again = new Courier(null, { folder, connectTo, name: (provider) => provider });
			const stored = [{ job: JOB, node: 0, checkpoint: { blob: blobHash(state(9)), launchesDone: 9 } }];
			await again.begin([{ node: 0, provider: 'A' }], stored);
			assert.equal(again.checkpoint(JOB).launchesDone, 9);
			await again.see(finished);
			assert.equal(again.checkpoint(JOB), undefined);
			await again.close();
			assert.ok(!readdirSync(folder).some((name) => name.startsWith(blobHash(state(9)).slice(2))));
		});
	} finally {
		rmSync(folder, { recursive: true });
	}
});
