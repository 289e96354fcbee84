// Starts real nodes for the end-to-end tests, and makes small jobs for them.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callNode, connect, heads, keyPair } from '../../lib/chain.mjs';
import { blobHash } from '../../lib/job.mjs';
import { becomeProvider, classOf, postAsk, waitUntilLive, workerOf } from '../../lib/market.mjs';

export const BINARY = process.env.MILLRACE_NODE;
if (!BINARY) throw new Error('MILLRACE_NODE must name the node binary; scripts/test sets it');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A port that nobody listens on. */
export const freePort = () =>
	new Promise((resolve) => {
		const server = createServer();
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});

/** A development chain in a folder of its own; it can be killed and started again on the same data. */
export class Chain {
	constructor(extra = ['--worker', '--worker-device', 'reference']) {
		this.base = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
		this.extra = extra;
		const { status, stderr } = spawnSync(
			BINARY,
			['key', 'insert', '--base-path', this.base, '--chain', 'dev', '--scheme', 'sr25519', '--key-type', 'gpuw', '--suri', '//Bob//worker'],
			{ encoding: 'utf8' },
		);
		if (status !== 0) throw new Error(`key insert: ${stderr}`);
	}

	async start() {
		this.port ??= await freePort();
		this.url = `ws://127.0.0.1:${this.port}`;
		const log = openSync(join(this.base, 'node.log'), 'a');
		this.process = spawn(
			BINARY,
			['--dev', '--base-path', this.base, '--rpc-port', this.port, '--no-prometheus', '--no-telemetry', '--port', '0', ...this.extra],
			{ stdio: ['ignore', log, log] },
		);
		this.exited = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve({ code, signal })));
		for (let tries = 0; ; tries += 1) {
			if (this.process.exitCode !== null) throw new Error(`the node ended:\n${this.log()}`);
			try {
				this.api = await connect(this.url, { timeoutMs: 5_000 });
				return this;
			} catch (error) {
				if (tries > 400) throw new Error(`${error.message}\n${this.log()}`);
				await sleep(250);
			}
		}
	}

	async kill(signal = 'SIGKILL') {
		await this.api?.disconnect().catch(() => {});
		this.process.kill(signal);
		return this.exited;
	}

	async stop() {
		if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.kill('SIGTERM');
		rmSync(this.base, { recursive: true, force: true });
	}

	/** The last lines of the node's log. */
	log(lines = 40) {
		return readFileSync(join(this.base, 'node.log'), 'utf8').split('\n').slice(-lines).join('\n');
	}

	/** Waits until a best block with at least this number is there. */
	async block(number) {
		while ((await heads(this.api)).best < number) await sleep(200);
	}

	/** //Bob as a live provider with the devices that the node found, and an ask. */
	async provider({ price = 2_000_000_000n, account = '//Bob' } = {}) {
		const { api } = this;
		const pair = keyPair(account);
		let devices = [];
		for (let tries = 0; tries < 120 && !devices.length; tries += 1, await sleep(250)) devices = await callNode(api, 'worker_devices');
		for (const device of devices) device.classId = await classOf(api, device);
		const worker = await workerOf(api);
		await becomeProvider(api, pair, { endpoint: this.url, country: 'ZZ', network: 0, group: null, worker, devices, bond: 10n ** 15n });
		await waitUntilLive(api, pair.address);
		const ask = await postAsk(api, pair, {
			classId: devices[0].classId,
			gpus: 1,
			price,
			minTermMs: 5_000,
			maxTermMs: 3_600_000,
			lifetimeMs: 86_400_000,
		});
		return { pair, devices, ask, price, classId: devices[0].classId };
	}
}

const HEADER = '.version 7.1\n.target sm_70\n.address_size 64\n';

/** A kernel that writes `steps` into its one buffer after a loop of that many rounds. */
export const LOOP = `${HEADER}
.visible .entry spin(.param .u64 out, .param .u32 steps)
{
	.reg .pred %p<2>;
	.reg .b32 %r<4>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [out];
	ld.param.u32 %r1, [steps];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r2, 0;
$again:
	add.s32 %r2, %r2, 1;
	setp.lt.u32 %p1, %r2, %r1;
	@%p1 bra $again;
	st.global.u32 [%rd2], %r2;
	ret;
}
`;

export const ENDLESS = LOOP.replace('@%p1 bra $again', 'bra $again');
export const OUT_OF_BOUNDS = LOOP.replace('[%rd2]', '[%rd2+4096]');
export const UNSUPPORTED = LOOP.replace('add.s32 %r2, %r2, 1;', 'tex.1d.v4.s32.s32 {%r2,%r2,%r2,%r2}, [%rd1, {%r2}];');

/** A job of one launch of `spin`. `change` may spoil the plan. */
export function spin(steps, { kernel = LOOP, entry = 'spin', change = (plan) => plan } = {}) {
	const bytes = new TextEncoder().encode(kernel);
	const plan = change({
		version: 1,
		kernel: blobHash(bytes).slice(2),
		buffers: [{ name: 'out', bytes: 4 }],
		launches: [{ entry, grid: [1, 1, 1], block: [1, 1, 1], shared_bytes: 0, arguments: [{ buffer: 'out' }, { u32: steps }] }],
		outputs: ['out'],
	});
	const text = new TextEncoder().encode(JSON.stringify(plan));
	return {
		plan: blobHash(text),
		blobs: new Map([
			[blobHash(text), text],
			[blobHash(bytes), bytes],
		]),
	};
}

/** All events from block 1 to `to`, as `{ block, section, method, data }` with fields by name. */
export async function allEvents(api, to) {
	const list = [];
	for (let block = 1; block <= to; block += 1) {
		const at = await api.at(await api.rpc.chain.getBlockHash(block));
		for (const { event, phase } of await at.query.system.events()) {
			const data = Object.fromEntries(event.data.names?.map((name, i) => [name, event.data[i]]) ?? []);
			list.push({ block, phase, section: event.section, method: event.method, data });
		}
	}
	return list;
}
