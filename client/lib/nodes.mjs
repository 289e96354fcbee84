// Nodes on this machine, as processes: for the end-to-end tests and for the scenarios of several nodes.

import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { accessSync, closeSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect, heads } from './chain.mjs';
import { UserError } from './cli.mjs';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A port that nobody listens on. It is below those that the system hands out by itself, so that none of them becomes this one
 * before it is used.
 */
export async function freePort() {
	for (let tries = 0; tries < 100; tries += 1) {
		const port = randomInt(20_000, 32_000);
		const isFree = await new Promise((resolve) => {
			const server = createServer();
			server.once('error', () => resolve(false));
			server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
		});
		if (isFree) return port;
	}
	throw new UserError('no free port was found between 20000 and 32000: stop some of what listens there');
}

// Whatever way this program ends, no node outlives it. A folder that was made here goes with it.
const running = new Set();
const folders = new Map();
process.on('exit', () => {
	for (const child of running) child.kill('SIGKILL');
	for (const [folder, { logs }] of folders) {
		if (logs) leaveLogs(folder);
		else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
	}
});
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) process.once(signal, () => process.exit(status));

/** A folder of its own below the system's temporary one, removed at the end. */
export function temporaryFolder() {
	const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
	folders.set(folder, { logs: false });
	return folder;
}

/**
 * Sees to it that the logs of a folder's nodes are there when this program is over. Returns where, or null if there are none. A
 * temporary folder loses the rest.
 */
export function keepLogs(folder) {
	if (!readdirSync(folder).some((name) => existsSync(join(folder, name, 'node.log')))) return null;
	if (!folders.has(folder)) return join(folder, '*', 'node.log');
	folders.get(folder).logs = true;
	return join(folder, '*.log');
}

// Leaves the nodes' logs in the folder, and nothing else.
function leaveLogs(folder) {
	for (const name of readdirSync(folder)) {
		const log = join(folder, name, 'node.log');
		if (existsSync(log)) renameSync(log, join(folder, `${name}.log`));
		rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
	}
	if (!readdirSync(folder).length) rmSync(folder, { recursive: true });
}

/** Refuses what is not the node's program, with what to do. Returns the program's help. */
export function checkProgram(binary) {
	try {
		accessSync(binary, constants.X_OK);
		if (!statSync(binary).isFile()) throw new Error('it is not a file');
	} catch (error) {
		throw new UserError(`--node ${binary} cannot be run: ${error.code === 'ENOENT' ? 'there is no such file' : error.code === 'EACCES' ? 'it is not a program' : error.message}\n       scripts/run builds the node; or name a millrace-node that is there`);
	}
	const { status, stdout } = spawnSync(binary, ['--help'], { encoding: 'utf8' });
	if (status !== 0 || !stdout?.includes('--worker-device')) throw new UserError(`--node ${binary} is not the millrace-node program: name that`);
	const executor = join(dirname(realpathSync(binary)), 'millrace-executor');
	if (!existsSync(executor)) throw new UserError(`there is no ${executor}, and the node's worker needs it: build both, and keep them in one folder`);
	return stdout;
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
	const { status, signal, stdout, stderr, error } = spawnSync(binary, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
	// Ctrl-C reaches it before it reaches this program.
	if (signal === 'SIGINT') process.exit(130);
	if (status !== 0) throw new Error(`${binary} ${args.join(' ')}: ${error?.message ?? stderr}`);
	return stdout;
}

// A node compiles the runtime when it starts, which takes a minute when the machine is busy.
const STARTS_WITHIN_MS = 600_000;

// All of them run the same runtime: the first that starts compiles it for all.
const WASM_CACHE = join(homedir(), '.cache', 'millrace', 'wasm');

/** One node with data of its own. It can be killed and started again. */
export class LocalNode {
	/**
	 * - `chain`: name or specification of the chain; `keys`: secret phrases by key type, for the keystore
	 * - `args`: more arguments; `env`: more variables of its environment
	 */
	constructor({ binary, chain = 'dev', keys = {}, args = [], env = {}, folder = temporaryFolder() }) {
		Object.assign(this, { binary, chain, args, env, folder });
		mkdirSync(folder, { recursive: true });
		for (const [type, suri] of Object.entries(keys)) {
			run(binary, ['key', 'insert', '--base-path', folder, '--chain', chain, '--scheme', 'sr25519', '--key-type', type, '--suri', suri]);
		}
	}

	/** Starts the process and connects to it. It chooses its port itself the first time, and keeps it. */
	async start() {
		const file = join(this.folder, 'node.log');
		const before = existsSync(file) ? statSync(file).size : 0;
		const log = openSync(file, 'a');
		const args = ['--chain', this.chain, '--base-path', this.folder, '--rpc-port', this.port ?? 0, '--no-prometheus', '--no-telemetry', '--no-mdns', '--wasm-cache', WASM_CACHE];
		this.process = spawn(this.binary, [...args, ...this.args], { stdio: ['ignore', log, log], env: { ...process.env, ...this.env } });
		closeSync(log);
		running.add(this.process);
		this.exited = new Promise((resolve) => {
			this.process.once('exit', (code, signal) => resolve({ code, signal }));
			this.process.once('error', (error) => resolve({ error }));
		});
		this.exited.then(() => running.delete(this.process));
		const deadline = Date.now() + STARTS_WITHIN_MS;
		let port;
		while (!(port = /Running JSON-RPC server: addr=127\.0\.0\.1:(\d+)/.exec(readFileSync(file).subarray(before).toString('utf8'))?.[1])) {
			if (!this.isRunning()) throw new UserError(`the node ended:\n${this.log()}`);
			if (Date.now() > deadline) throw new UserError(`the node did not open its port within ${STARTS_WITHIN_MS / 1000} s:\n${this.log()}`);
			await sleep(100);
		}
		// The node takes another port when somebody has taken its own.
		if (this.port && this.port !== Number(port)) throw new UserError(`port ${this.port} of the node is taken: it could not be started again`);
		this.port = Number(port);
		this.url = `ws://127.0.0.1:${port}`;
		this.api = await connect(this.url, { timeoutMs: 60_000 });
		return this;
	}

	isRunning() {
		return this.process?.pid !== undefined && this.process.exitCode === null && this.process.signalCode === null;
	}

	async kill(signal = 'SIGKILL') {
		this.process.kill(signal);
		const end = await this.exited;
		await this.api?.disconnect().catch(() => {});
		return end;
	}

	/**
	 * Lets the process hang for a while, as on a machine that stands still, and connects to it again: `api` is another one then. A
	 * connection that is left open would be closed by a node that finds that it has missed all answers to its pings.
	 */
	async hang(ms) {
		await this.api?.disconnect().catch(() => {});
		this.process.kill('SIGSTOP');
		try {
			await sleep(ms);
		} finally {
			this.process.kill('SIGCONT');
		}
		this.api = await connect(this.url, { timeoutMs: 60_000 });
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
 * A validator, and further nodes that follow it: `{ validator, hosts }`, all started. `hosts` maps a name to `{ keys, args, env }`
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
	const nodes = Object.entries(hosts).map(([name, { keys, args = [], env }]) => {
		const follow = [...ANY_PORT, '--bootnodes', `${address}/p2p/${PEER}`, ...args];
		return [name, new LocalNode({ binary, chain, keys, folder: join(folder, name), args: follow, env })];
	});
	const all = [validator, ...nodes.map(([, node]) => node)];
	try {
		await Promise.all(all.map((node) => node.start()));
	} catch (error) {
		// None is left to run, or whoever waits for the end of this program waits for ever.
		for (const node of all) if (node.isRunning()) node.process.kill('SIGKILL');
		throw error;
	}
	return { validator, hosts: Object.fromEntries(nodes) };
}
