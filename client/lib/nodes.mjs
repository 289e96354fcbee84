// Nodes on this machine, as processes: for the end-to-end tests and for `scripts/run --scenario market`.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, heads } from './chain.mjs';

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

// Whatever way this program ends, no node outlives it. A folder that was made here goes with it.
const running = new Set();
const folders = new Set();
process.on('exit', () => {
	for (const child of running) child.kill('SIGKILL');
	for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) process.once(signal, () => process.exit(status));

/** A folder of its own below the system's temporary one, removed at the end. */
export function temporaryFolder() {
	const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
	folders.add(folder);
	return folder;
}

/** Writes the development chain's specification with other timing, such as `{ suspendedForMs: 15_000 }`. Returns the file. */
export function developmentChain(binary, folder, timing) {
	const spec = JSON.parse(run(binary, ['export-chain-spec', '--chain', 'dev']));
	Object.assign(spec.genesis.runtimeGenesis.patch.timing.timing, timing);
	const file = join(folder, 'chain.json');
	writeFileSync(file, JSON.stringify(spec));
	return file;
}

function run(binary, args) {
	const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
	if (status !== 0) throw new Error(`${binary} ${args.join(' ')}: ${stderr}`);
	return stdout;
}

/** One node with data of its own. It can be killed and started again. */
export class LocalNode {
	/**
	 * - `chain`: name or specification of the chain; `keys`: secret phrases by key type, for the keystore
	 * - `args`: more arguments
	 */
	constructor({ binary, chain = 'dev', keys = {}, args = [], folder = temporaryFolder() }) {
		Object.assign(this, { binary, chain, args, folder });
		mkdirSync(folder, { recursive: true });
		for (const [type, suri] of Object.entries(keys)) {
			run(binary, ['key', 'insert', '--base-path', folder, '--chain', chain, '--scheme', 'sr25519', '--key-type', type, '--suri', suri]);
		}
	}

	/** Starts the process and connects to it. */
	async start() {
		this.port ??= await freePort();
		this.url = `ws://127.0.0.1:${this.port}`;
		const log = openSync(join(this.folder, 'node.log'), 'a');
		const args = ['--chain', this.chain, '--base-path', this.folder, '--rpc-port', this.port, '--no-prometheus', '--no-telemetry', '--no-mdns'];
		this.process = spawn(this.binary, [...args, ...this.args], { stdio: ['ignore', log, log] });
		closeSync(log);
		running.add(this.process);
		this.exited = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve({ code, signal })));
		this.exited.then(() => running.delete(this.process));
		for (let tries = 0; ; tries += 1) {
			if (!this.isRunning()) throw new Error(`the node ended:\n${this.log()}`);
			try {
				this.api = await connect(this.url, { timeoutMs: 5_000 });
				return this;
			} catch (error) {
				if (tries > 400) throw new Error(`${error.message}\n${this.log()}`);
				await sleep(250);
			}
		}
	}

	isRunning() {
		return this.process?.exitCode === null && this.process.signalCode === null;
	}

	async kill(signal = 'SIGKILL') {
		this.process.kill(signal);
		const end = await this.exited;
		await this.api?.disconnect().catch(() => {});
		return end;
	}

	/** Ends the process, if it runs, and removes its data. */
	async stop() {
		if (this.isRunning()) await this.kill('SIGTERM');
		rmSync(this.folder, { recursive: true, force: true });
	}

	/** The last lines of the node's log. */
	log(lines = 40) {
		return readFileSync(join(this.folder, 'node.log'), 'utf8').split('\n').slice(-lines).join('\n');
	}

	/** Waits until a best block with at least this number is there. */
	async block(number) {
		while ((await heads(this.api)).best < number) await sleep(200);
	}
}

const VALIDATOR = ['--alice', '--force-authoring', '--rpc-cors', 'all'];
const ANY_PORT = ['--listen-addr', '/ip4/127.0.0.1/tcp/0', '--unsafe-force-node-key-generation'];

/** Arguments of a validator that makes blocks with nobody else there. */
export const ALONE = [...VALIDATOR, ...ANY_PORT];

// The first node's network key is fixed, so that the others know whom to follow.
const NETWORK_KEY = '0000000000000000000000000000000000000000000000000000000000000001';
const PEER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';

/**
 * A validator, and further nodes that follow it: `{ validator, hosts }`, all started. `hosts` maps a name to `{ keys, args }`
 * of its node; `validatorArgs` are the validator's further arguments. Killing a host does not stop the chain.
 */
export async function startNetwork({ binary, chain = 'dev', folder = temporaryFolder(), hosts, validatorArgs = [] }) {
	const p2p = await freePort();
	const address = `/ip4/127.0.0.1/tcp/${p2p}`;
	const validator = new LocalNode({
		binary,
		chain,
		folder: join(folder, 'validator'),
		args: [...VALIDATOR, '--listen-addr', address, '--node-key', NETWORK_KEY, '--state-pruning', 'archive', ...validatorArgs],
	});
	const nodes = Object.entries(hosts).map(([name, { keys, args = [] }]) => {
		const follow = [...ANY_PORT, '--bootnodes', `${address}/p2p/${PEER}`, ...args];
		return [name, new LocalNode({ binary, chain, keys, folder: join(folder, name), args: follow })];
	});
	await Promise.all([validator, ...nodes.map(([, node]) => node)].map((node) => node.start()));
	return { validator, hosts: Object.fromEntries(nodes) };
}
