import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, bar, duration, mill, moment, percent, plural, short, table } from '../lib/format.mjs';
import { plancks } from '../lib/input.mjs';

test('amounts go from MILL to plancks and back without loss', () => {
	for (const text of ['0', '1', '0.000000000001', '1.5', '123.456789012345']) {
		assert.equal(mill(plancks(text)).replaceAll(',', ''), `${text} MILL`);
	}
	assert.equal(mill(1_234_567n * 10n ** 12n), '1,234,567 MILL');
	assert.equal(mill(-5n * 10n ** 11n), '-0.5 MILL');
});

test("an amount is in its asset, whichever way that is written", () => {
	for (const native of ['native', 'Native', undefined, null]) assert.equal(amount('1500000000000', native), '1.5 MILL');
	for (const token of [{ token: 7 }, { Token: 7 }, { toJSON: () => ({ token: 7 }) }]) assert.equal(amount('1500', token), '1500 of token 7');
});

test('times read well', () => {
	assert.equal(duration(1500), '1.5 s');
	assert.equal(duration(123_000), '2 min 3 s');
	assert.equal(duration(3_600_000), '1 h');
	assert.equal(duration(2 * 86_400_000 + 5 * 3_600_000 + 7000), '2 d 5 h');
});

test('a moment has its date unless it is of today', () => {
	const noon = Date.UTC(2026, 10, 21, 12, 0, 5);
	assert.equal(moment(noon, noon + 1000), '12:00:05 UTC');
	assert.equal(moment(String(noon), noon + 86_400_000), '2026-11-21 12:00:05 UTC');
});

test('long texts are shortened, short ones are not', () => {
	assert.equal(short('0x1234'), '0x1234');
	assert.equal(short(`0x${'ab'.repeat(32)}`).length, 17);
});

test('shares and counts read well', () => {
	assert.equal(percent(250_000), '25 %');
	assert.equal(percent('995000'), '99.5 %');
	assert.equal(plural(1, 'node'), '1 node');
	assert.equal(plural(2, 'node'), '2 nodes');
});

test('a table aligns numbers to the right and texts to the left, and ends no line in spaces', () => {
	assert.equal(
		table(['name', 'price', ''], [['a', '0.5 MILL', '█'], ['bc', '10.5 MILL', '']]),
		'name      price\na      0.5 MILL  █\nbc    10.5 MILL\n',
	);
	assert.equal(table(['name'], []), 'name\n');
});

test('a bar is as long as its share of the most, and never invisible', () => {
	assert.equal(bar(8, 8, 4), '████');
	assert.equal(bar(3, 8, 4), '█▌');
	assert.equal(bar(1, 10_000, 4), '▏');
	assert.equal(bar(9, 8, 4), '████');
	assert.equal(bar(0, 8), '');
	assert.equal(bar(0, 0), '');
});
