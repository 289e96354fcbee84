// Bad input on the command line: each says what to do.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callNode, heads } from '../../lib/chain.mjs';
import { Chain, freePort, sleep } from './harness.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const script = (name, ...args) => spawnSync('node', [`client/${name}.mjs`, ...args], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
const cleanUp = [];
after(async () => {
	for (const task of cleanUp) await task();
});

test('every script has a help that shows an example', () => {
	for (const name of ['provider', 'ask', 'rent', 'demo']) {
		const { status, stdout } = script(name, '--help');
		assert.equal(status, 0);
		assert.match(stdout, /Usage:[^]*Options:[^]*Examples:/, name);
	}
});

test('a wrong URL is named, with what to do', async () => {
	const port = await freePort();
	const dead = script('ask', '--account', '//Bob', '--url', `ws://127.0.0.1:${port}`);
	assert.equal(dead.status, 1);
	assert.match(dead.stderr, /no Millrace node answers at .*\n.*scripts\/run/);
	const odd = script('ask', '--account', '//Bob', '--url', 'http://127.0.0.1');
	assert.equal(odd.status, 1);
	assert.match(odd.stderr, /is not a WebSocket address/);
});

test('unknown options, missing accounts and odd amounts are refused', () => {
	assert.match(script('rent', '--nonsense').stderr, /nonsense[^]*see --help/);
	assert.match(script('rent', '--job', 'jobs/digits').stderr, /no account/);
	assert.match(script('ask', '--account', '//Bob', '--price', '1,5').stderr, /is not an amount in MILL/);
});

test('scripts/run says that a port is busy, and that an option is unknown', async () => {
	const server = createServer();
	const port = await freePort();
	await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
	cleanUp.push(() => server.close());
	const busy = spawnSync('scripts/run', ['--exit', '--rpc-port', String(port)], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
	assert.equal(busy.status, 1);
	assert.match(busy.stderr, new RegExp(`port ${port} is in use[^]*--rpc-port`));
	const odd = spawnSync('scripts/run', ['--nonsense'], { cwd: ROOT, encoding: 'utf8' });
	assert.match(odd.stderr, /unknown option: --nonsense[^]*--help/);
});

test('a worker that finds no device says so, and the chain goes on', { timeout: 120_000 }, async () => {
	const chain = new Chain(['--worker', '--worker-device', 'cuda']);
	cleanUp.push(() => chain.stop());
	await chain.start();
	await chain.block(3);
	if (!(await callNode(chain.api, 'worker_devices')).length) {
		const notice = () => chain.log(Infinity).split('\n').find((line) => line.includes('no device'));
		for (let tries = 0; tries < 40 && !notice(); tries += 1) await sleep(250);
		assert.match(notice() ?? chain.log(), /no device to offer: .*libcuda/);
	}
	const { best } = await heads(chain.api);
	await chain.block(best + 2);
	assert.equal(chain.process.exitCode, null);
});
