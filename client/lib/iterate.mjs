// The iterate job (jobs/iterate): its plan, and what it must give, computed by other means than the kernel's.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { blobHash } from './job.mjs';

/** The job's folder. */
export const ITERATE = fileURLToPath(new URL('../../jobs/iterate', import.meta.url));

/** What jobs/iterate/plan.json asks for: about a minute on the reference device, in launches of a second or so. */
export const COMMITTED = { words: 256, launches: 50, rounds: 150_000 };

/** The plan's text: `words` generators, moved on by `rounds` in each of `launches` launches. The text is the same on every run. */
export function planText({ words, launches, rounds }) {
	const kernel = blobHash(readFileSync(`${ITERATE}/kernel.ptx`)).slice(2);
	const launch = (entry, ...more) =>
		JSON.stringify({ entry, grid: [Math.ceil(words / 64), 1, 1], block: [64, 1, 1], arguments: [{ buffer: 'words' }, { u32: words }, ...more] });
	const lines = [launch('seed'), ...Array(launches).fill(launch('iterate', { u32: rounds }))];
	const head = [`"version": 1`, `"kernel": "${kernel}"`, `"buffers": [${JSON.stringify({ name: 'words', bytes: 4 * words })}]`];
	return `{\n\t${head.join(',\n\t')},\n\t"launches": [\n\t\t${lines.join(',\n\t\t')}\n\t],\n\t"outputs": ["words"]\n}\n`;
}

/** The job, as `readJob` would read it from a folder. */
export function iterateJob(shape = COMMITTED) {
	const text = new TextEncoder().encode(planText(shape));
	const kernel = readFileSync(`${ITERATE}/kernel.ptx`);
	return { plan: blobHash(text), blobs: new Map([[blobHash(text), text], [blobHash(kernel), kernel]]) };
}

/**
 * The job's output. A round is linear over bits, so that all rounds together are one 32 x 32 matrix: it is squared and multiplied
 * here, in microseconds, where the kernel goes round by round.
 */
export function iterateOutput({ words, launches, rounds }) {
	const jump = power(Array.from({ length: 32 }, (_, bit) => round((1 << bit) >>> 0)), launches * rounds);
	const bytes = new Uint8Array(4 * words);
	const view = new DataView(bytes.buffer);
	for (let i = 0; i < words; i += 1) view.setUint32(4 * i, times(jump, Math.imul(i + 1, 0x9e3779b9) >>> 0), true);
	return bytes;
}

function round(x) {
	x ^= x << 13;
	x ^= x >>> 17;
	x ^= x << 5;
	return x >>> 0;
}

// A matrix is the list of what it makes of each single bit.
function times(matrix, x) {
	let sum = 0;
	for (let bit = 0; bit < 32; bit += 1) if ((x >>> bit) & 1) sum ^= matrix[bit];
	return sum >>> 0;
}

function power(matrix, exponent) {
	let result = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);
	for (let left = exponent, square = matrix; left > 0; left = Math.floor(left / 2)) {
		if (left % 2) result = result.map((column) => times(square, column));
		square = square.map((column) => times(square, column));
	}
	return result;
}
