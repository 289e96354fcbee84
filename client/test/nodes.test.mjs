// Nodes as processes, with small shell scripts in their place.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LocalNode, checkProgram, freePort } from '../lib/nodes.mjs';

const NODES = fileURLToPath(new URL('../lib/nodes.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A program of these shell commands. */
function program(name, commands) {
	const file = join(folder, name);
	writeFileSync(file, `#!/bin/sh\n${commands}\n`, { mode: 0o755 });
	return file;
}

/** Runs a module that starts such a node, with its temporary folder in `TMPDIR`; `signal` ends it when it has said where the node is. */
function host(binary, then, signal) {
	const tmp = mkdtempSync(join(folder, 'tmp-'));
	const code = `
		import { LocalNode, keepLogs, temporaryFolder } from ${JSON.stringify(NODES)};
		const folder = temporaryFolder();
		const node = new LocalNode({ binary: ${JSON.stringify(binary)}, folder: folder + '/Bob' });
		const started = node.start();
		console.log(node.process.pid);
		${then}`;
	const child = spawn('node', ['--input-type=module', '-e', code], { env: { ...process.env, TMPDIR: tmp } });
	let pid;
	child.stdout.once('data', (text) => {
		pid = Number(text);
		if (signal) child.kill(signal);
	});
	return new Promise((resolve) => child.once('exit', (status) => resolve({ status, pid, tmp })));
}

const isAlive = (pid) => {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
};
const isGone = async (pid) => {
	for (let tries = 0; tries < 1_000 && isAlive(pid); tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
	return !isAlive(pid);
};

test('a free port can be listened on, and is none that the system hands out by itself', async () => {
	const port = await freePort();
	assert.ok(port < 32_768);
	const server = createServer();
	await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
	server.close();
});

test('a node that ends before it listens says why', async () => {
	const node = new LocalNode({ binary: program('ends', 'echo "Error: no room on the disk" >&2; exit 1'), folder: join(folder, 'ended') });
	await assert.rejects(node.start(), /the node ended:[^]*no room on the disk/);
	await assert.rejects(new LocalNode({ binary: join(folder, 'nowhere'), folder: join(folder, 'none') }).start(), /the node ended/);
});

for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) {
	test(`${signal} ends the nodes and removes their folder`, async () => {
		const end = await host(program('sleeps', 'exec sleep 600'), 'await started;', signal);
		assert.equal(end.status, status);
		assert.ok(await isGone(end.pid), `process ${end.pid} is still there`);
		assert.deepEqual(readdirSync(end.tmp), []);
	});
}

test('of a temporary folder that is asked for its logs, only they stay', async () => {
	const end = await host(program('talks', 'echo "started" >&2; exec sleep 600'), "while (!node.log().includes('started')) await new Promise((resolve) => setTimeout(resolve, 20));\nkeepLogs(folder);\nprocess.exit(1);");
	const [left] = readdirSync(end.tmp);
	assert.deepEqual(readdirSync(join(end.tmp, left)), ['Bob.log']);
	assert.equal(readFileSync(join(end.tmp, left, 'Bob.log'), 'utf8'), 'started\n');
	assert.ok(await isGone(end.pid));
});

test('a node program without its executor is refused', () => {
	const node = program('millrace-node', 'echo "--worker-device DEVICE"');
	assert.ok(!existsSync(join(folder, 'millrace-executor')));
	assert.throws(() => checkProgram(node), /there is no .*millrace-executor/);
	program('millrace-executor', 'exit 0');
	assert.match(checkProgram(node), /--worker-device/);
});
