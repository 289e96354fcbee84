import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobHash, readJob } from '../lib/job.mjs';

const DIGITS = new URL('../../jobs/digits', import.meta.url).pathname;

test('the BLAKE3 hash of nothing is the published one', () => {
	assert.equal(blobHash(new Uint8Array()), '0xaf1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
});

test('the digits job is complete, and named by its plan', () => {
	const job = readJob(DIGITS);
	assert.equal(job.plan, blobHash(readFileSync(join(DIGITS, 'plan.json'))));
	for (const [hash, bytes] of job.blobs) assert.equal(blobHash(bytes), hash);
});

test('an edited blob, a broken plan and a missing folder are refused with what to do', () => {
	const folder = mkdtempSync(join(tmpdir(), 'millrace-job-'));
	try {
		cpSync(DIGITS, folder, { recursive: true });
		writeFileSync(join(folder, 'kernel.ptx'), 'edited');
		assert.throws(() => readJob(folder), /was one edited after the plan was made/);
		writeFileSync(join(folder, 'plan.json'), '{');
		assert.throws(() => readJob(folder), /is not JSON/);
		assert.throws(() => readJob(join(folder, 'nowhere')), /cannot be read/);
	} finally {
		rmSync(folder, { recursive: true });
	}
});
