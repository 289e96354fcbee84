import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMITTED, ITERATE, iterateJob, iterateOutput, planText } from '../lib/iterate.mjs';
import { blobHash, readJob } from '../lib/job.mjs';

test('the committed iterate job is what its generator writes, and is named by its plan', () => {
	assert.equal(readFileSync(`${ITERATE}/plan.json`, 'utf8'), planText(COMMITTED));
	assert.equal(readFileSync(`${ITERATE}/expected.blake3`, 'utf8'), `${blobHash(iterateOutput(COMMITTED)).slice(2)}\n`);
	assert.equal(readJob(ITERATE).plan, iterateJob().plan);
});

test('jumping gives what going round by round gives', () => {
	const shape = { words: 5, launches: 3, rounds: 37 };
	const view = new DataView(iterateOutput(shape).buffer);
	for (let i = 0; i < shape.words; i += 1) {
		let x = Math.imul(i + 1, 0x9e3779b9) >>> 0;
		for (let step = 0; step < shape.launches * shape.rounds; step += 1) {
			x = (x ^ (x << 13)) >>> 0;
			x = (x ^ (x >>> 17)) >>> 0;
			x = (x ^ (x << 5)) >>> 0;
		}
		assert.equal(view.getUint32(4 * i, true), x);
	}
});
