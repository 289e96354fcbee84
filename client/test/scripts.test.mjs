// The scripts as programs: their help, and bad input, which is refused with what to do. No node is needed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../lib/nodes.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPTS = readdirSync(join(ROOT, 'client')).filter((name) => name.endsWith('.mjs')).map((name) => name.slice(0, -4));

/** Runs a program to its end. */
const run = (program, ...args) =>
	new Promise((resolve) => {
		const child = spawn(program, args, { cwd: ROOT });
		const texts = { stdout: '', stderr: '' };
		for (const name of ['stdout', 'stderr']) child[name].on('data', (part) => (texts[name] += part));
		child.on('close', (status) => resolve({ status, ...texts }));
	});
const script = (name, ...args) => run('node', `client/${name}.mjs`, ...args);
const refused = async (pattern, ...args) => {
	const { status, stderr } = await script(...args);
	assert.notEqual(status, 0);
	assert.match(stderr, pattern);
	assert.doesNotMatch(stderr, /\n\s+at /, 'no stack for what the user did');
};

test('every script has a help that shows an example', async () => {
	const helps = await Promise.all(SCRIPTS.map((name) => script(name, '--help')));
	helps.forEach(({ status, stdout }, at) => {
		assert.equal(status, 0);
		assert.match(stdout, /Usage:[^]*Options:[^]*Examples:/, SCRIPTS[at]);
	});
});

test('a wrong URL is named, with what to do', async () => {
	await refused(/no Millrace node answers at .*\n.*scripts\/run/, 'ask', '--account', '//Bob', '--url', `ws://127.0.0.1:${await freePort()}`);
	await refused(/is not a WebSocket address/, 'ask', '--account', '//Bob', '--url', 'http://127.0.0.1');
});

const CHARLIE = ['--account', '//Charlie'];
const BAD = [
	[/nonsense[^]*see --help/, 'rent', '--nonsense'],
	[/no account/, 'rent', '--job', 'jobs/digits'],
	[/is not an amount in MILL/, 'ask', '--account', '//Bob', '--price', '1,5'],
	[/is not an asset: write native/, 'ask', '--account', '//Bob', '--asset', 'dollars'],
	[/is not a time/, 'order', ...CHARLIE, '--term', '5'],
	[/--nodes 0 is not possible/, 'order', ...CHARLIE, '--nodes', '0'],
	[/"Germany" is not a country/, 'order', ...CHARLIE, '--country', 'Germany'],
	[/exclude each other/, 'order', ...CHARLIE, '--country', 'DE', '--not-country', 'FR'],
	[/is not a share/, 'order', ...CHARLIE, '--failover-premium', '25'],
	[/plan\.json cannot be read/, 'order', ...CHARLIE, '--job', 'nowhere'],
	[/is not an address/, 'order', ...CHARLIE, '--for', 'Bob'],
	[/whose order/, 'quote'],
	[/unknown option|Unknown option/i, 'auction', ...CHARLIE, '--start', '1h'],
	[/--blocks x is not possible/, 'auction', ...CHARLIE, '--blocks', 'x'],
	[/--lease is missing/, 'watch'],
	[/say how much/, 'topup', ...CHARLIE, '--lease', '7'],
	[/say how much/, 'topup', ...CHARLIE, '--lease', '7', '--amount', '1', '--time', '1h'],
	[/exclude each other/, 'close', ...CHARLIE, '--lease', '7', '--accept', '--reject'],
	[/--evidence .*cannot be read/, 'contest', ...CHARLIE, '--lease', '7'],
	[/no account/, 'settle'],
	[/no account/, 'drain', '--gpu', '1'],
	[/--gpu one is not a number/, 'drain', '--account', '//Bob', '--gpu', 'one'],
	[/is not an address/, 'slashes', '--provider', 'Bob'],
	[/no account/, 'appeal', '--slash', '3', '--evidence', 'README.md'],
	[/--slash is missing/, 'appeal', '--account', '//Bob', '--evidence', 'README.md'],
	[/--slash three is not a number/, 'appeal', '--account', '//Bob', '--slash', 'three', '--evidence', 'README.md'],
	[/--evidence is missing[^]*BLAKE3/, 'appeal', '--account', '//Bob', '--slash', '3'],
	[/--evidence nowhere\.pdf cannot be read: there is no such file/, 'appeal', '--account', '//Bob', '--slash', '3', '--evidence', 'nowhere.pdf'],
	[/--evidence 0x12 is not a BLAKE3 hash/, 'appeal', '--account', '//Bob', '--slash', '3', '--evidence', '0x12'],
	[/either grant/, 'allow', ...CHARLIE, '--to', '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty'],
	[/--max-rate is missing/, 'allow', ...CHARLIE, '--to', '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty', '--amount', '1'],
	[/say what to do: one of --apply/, 'group', '--account', '//Bob'],
	[/say what to do: one of --apply/, 'group', '--apply', 'Bob', '--leave', 'Bob'],
	[/--apply Bob is not an address/, 'group', '--account', '//Bob', '--apply', 'Bob'],
	[/no account/, 'group', '--leave', '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty'],
	[/--node names no program/, 'scenario-market', '--node', ''],
	[/there is no such file[^]*scripts\/run builds/, 'scenario-market', '--node', 'nowhere/millrace-node'],
	[/it is not a program/, 'scenario-market', '--node', 'README.md'],
	[/it is not a file/, 'scenario-market', '--node', 'client'],
	[/is not the millrace-node program/, 'scenario-market', '--node', process.execPath],
	[/--node names no program/, 'scenario-faults', '--node', ''],
	[/is not the millrace-node program/, 'scenario-faults', '--node', process.execPath],
	[/--node names no program/, 'scenario-slashing', '--node', ''],
	[/--stall-seconds 10 is not possible[^]*from 30/, 'scenario-slashing', '--node', process.execPath, '--stall-seconds', '10'],
	[/--stall-seconds 1m is not possible/, 'scenario-slashing', '--node', process.execPath, '--stall-seconds', '1m'],
	[/is not the millrace-node program/, 'scenario-slashing', '--node', process.execPath],
	[/--summary nowhere\/at\/all\.json cannot be written/, 'scenario-slashing', '--node', process.execPath, '--summary', 'nowhere/at/all.json'],
	[/--summary nowhere\/at\/all\.json cannot be written/, 'scenario-market', '--node', process.execPath, '--summary', 'nowhere/at/all.json'],
];
test('bad input is refused with what to do, before anything is sent', { concurrency: 2 }, async (context) => {
	await Promise.all(BAD.map(([pattern, ...args]) => context.test(args.join(' '), () => refused(pattern, ...args))));
});

test('scripts/run says that a port is busy, and that an option or a scenario is unknown', async () => {
	const server = createServer();
	const port = await freePort();
	await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
	try {
		const busy = await run('scripts/run', '--exit', '--rpc-port', String(port));
		assert.equal(busy.status, 1);
		assert.match(busy.stderr, new RegExp(`port ${port} is in use[^]*--rpc-port`));
	} finally {
		server.close();
	}
	assert.match((await run('scripts/run', '--nonsense')).stderr, /unknown option: --nonsense[^]*--help/);
	assert.match((await run('scripts/run', '--scenario', 'moon')).stderr, /unknown scenario: moon[^]*lease, market, faults or slashing/);
	assert.match((await run('scripts/run', '--scenario', 'market', '--verbose')).stderr, /--verbose is for the lease scenario alone/);
	assert.match((await run('scripts/run', '--scenario', 'market', '--stall-seconds', '60')).stderr, /--stall-seconds is for the slashing scenario alone/);
	assert.match((await run('scripts/run', '--scenario', 'slashing', '--stall-seconds', '5')).stderr, /--stall-seconds 5 is not possible[^]*from 30 to 600/);
});
