// Scores the digits job: the classes that the device computed against the true labels.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// Training left out every seventh digit (jobs/digits/README.md).
const HELD_OUT = 7;

/** Share of right answers over all digits, and over those that training never saw. */
export function score(folder, classes) {
	const labels = readFileSync(join(folder, 'labels.bin'));
	if (classes.length !== labels.length) throw new Error(`${classes.length} answers for ${labels.length} digits`);
	let heldOut = 0;
	let right = 0;
	let rightHeldOut = 0;
	for (let i = 0; i < labels.length; i += 1) {
		const unseen = i % HELD_OUT === 0;
		heldOut += Number(unseen);
		if (labels[i] !== classes[i]) continue;
		right += 1;
		rightHeldOut += Number(unseen);
	}
	return {
		digits: labels.length,
		right,
		accuracy: right / labels.length,
		heldOut,
		heldOutAccuracy: rightHeldOut / heldOut,
	};
}

/** A few digits as text, each with the answer, for people who would rather look. */
export function picture(folder, classes, count = 6) {
	const images = readFileSync(join(folder, 'images.bin'));
	const shades = ' .:-=+*#%@';
	const rows = [];
	for (let y = 0; y < 8; y += 1) {
		let row = '';
		for (let i = 0; i < count; i += 1) {
			for (let x = 0; x < 8; x += 1) {
				const shade = shades[Math.min(shades.length - 1, Math.floor((images[i * 64 + y * 8 + x] * shades.length) / 17))];
				row += shade + shade;
			}
			row += '  ';
		}
		rows.push(row.trimEnd());
	}
	rows.push([...classes.slice(0, count)].map((c) => `       = ${c}`.padEnd(18)).join('').trimEnd());
	return rows.join('\n');
}
