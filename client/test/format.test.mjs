import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, mill, milliseconds, plancks, short } from '../lib/format.mjs';

test('amounts go from MILL to plancks and back without loss', () => {
	for (const text of ['0', '1', '0.000000000001', '1.5', '123.456789012345']) {
		assert.equal(mill(plancks(text)).replaceAll(',', ''), `${text} MILL`);
	}
	assert.equal(mill(1_234_567n * 10n ** 12n), '1,234,567 MILL');
	assert.equal(mill(-5n * 10n ** 11n), '-0.5 MILL');
});

test('amounts that are not amounts are refused with advice', () => {
	for (const text of ['', '-1', '1e3', '1.0000000000001', 'abc', '1,5', '.5']) {
		assert.throws(() => plancks(text), /write it like 1\.5/);
	}
});

test('times read well', () => {
	assert.equal(duration(1500), '1.5 s');
	assert.equal(duration(123_000), '2 min 3 s');
	assert.equal(duration(3_600_000), '1 h');
	assert.equal(duration(2 * 86_400_000 + 5 * 3_600_000 + 7000), '2 d 5 h');
});

test('times are written with a unit', () => {
	assert.equal(milliseconds('90s'), 90_000);
	assert.equal(milliseconds('15min'), 900_000);
	assert.equal(milliseconds('7d'), 604_800_000);
	for (const text of ['90', '1.5h', '-1s', 's']) assert.throws(() => milliseconds(text), /write it like/);
});

test('long texts are shortened, short ones are not', () => {
	assert.equal(short('0x1234'), '0x1234');
	assert.equal(short(`0x${'ab'.repeat(32)}`).length, 17);
});
