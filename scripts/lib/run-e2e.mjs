// Runs the end-to-end tests, three files at a time: each starts nodes of its own, which mostly wait for the next slot, also on a machine of
// two cores. The longest begin first, so that none of them is left to run alone; `node --test` would take them by name.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** By how long they take; one that is not named here comes before them. */
const LONGEST_FIRST = ['lease', 'slashing', 'market', 'reorg', 'restart', 'cuda', 'disk', 'clock', 'drain', 'fetch', 'blobs'];

const folder = fileURLToPath(new URL('../../client/test/e2e', import.meta.url));
const ENDING = '.test.mjs';
const rank = (name) => LONGEST_FIRST.indexOf(name.slice(0, -ENDING.length));
const files = readdirSync(folder).filter((name) => name.endsWith(ENDING)).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

run({ files: files.map((name) => join(folder, name)), concurrency: 3 })
	.on('test:fail', () => (process.exitCode = 1))
	.compose(new spec())
	.pipe(process.stdout);
