import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeRegistry } from '@polkadot/types';
import { UserError } from '../lib/cli.mjs';
import { address, asset, count, countries, fileBytes, milliseconds, number, plancks, share, units } from '../lib/input.mjs';
import { ORDER, orderTerms, termsOf } from '../lib/terms.mjs';

const refuses = (read, texts, pattern) => {
	for (const text of texts) assert.throws(() => read(text), (error) => error instanceof UserError && pattern.test(error.message), `${text} was not refused with ${pattern}`);
};

test('amounts that are not amounts are refused with advice', () => {
	refuses(plancks, ['', '-1', '1e3', '1.0000000000001', 'abc', '1,5', '.5'], /write it like 1\.5/);
	assert.equal(units('1.5', 'Native'), 1_500_000_000_000n);
	assert.equal(units('15', { Token: 3 }), 15n);
	refuses((text) => units(text, { Token: 3 }), ['1.5', '-1', ''], /smallest units/);
});

test('times are written with a unit', () => {
	assert.equal(milliseconds('90s'), 90_000);
	assert.equal(milliseconds('15min'), 900_000);
	assert.equal(milliseconds('7d'), 604_800_000);
	refuses(milliseconds, ['90', '1.5h', '-1s', 's'], /write it like/);
});

test('assets, shares, countries, counts and addresses are read strictly', () => {
	assert.equal(asset('native'), 'Native');
	assert.deepEqual(asset('token:5'), { Token: 5 });
	refuses(asset, ['', 'MILL', 'token', 'token:x', 'token:-1'], /write native, or token:5/);
	assert.equal(share('25%'), 250_000);
	assert.equal(share('99.5%'), 995_000);
	assert.equal(share('100%'), 1_000_000);
	assert.equal(share('0.0001%'), 1);
	refuses(share, ['25', '101%', '100.1%', '-1%', '%', '1.00001%'], /write it like 25%/);
	assert.deepEqual(countries('DE, FR'), ['DE', 'FR']);
	refuses(countries, ['', 'de', 'DEU', 'DE,', 'DE;FR'], /two capital letters/);
	refuses(countries, [Array(17).fill('DE').join(',')], /16/);
	assert.equal(count('16', 'nodes'), 16);
	refuses((text) => count(text, 'nodes'), ['0', '-1', '1.5', 'x', ''], /--nodes .* whole number from 1 on/);
	assert.equal(number('0', 'lease'), 0);
	refuses((text) => number(text, 'lease'), [undefined, '-1', '0x1', ''], /--lease/);
	const bob = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';
	assert.equal(address(bob, 'to'), bob);
	refuses((text) => address(text, 'to'), [undefined, 'Bob', bob.slice(1)], /--to .* is not an address/);
	refuses((text) => fileBytes(text, 'evidence'), ['/nowhere/at/all'], /--evidence \/nowhere\/at\/all cannot be read: there is no such file/);
});

test('an order has defaults for all that is not said', () => {
	assert.deepEqual(orderTerms({ classId: 0, maxPrice: 5n, termMs: 1000 }), {
		class: 0,
		nodes: 1,
		gpusPerNode: 1,
		maxPrice: 5n,
		asset: 'Native',
		term: { Fixed: { ms: 1000 } },
		constraints: { countries: 'Any', maxNodesPerOwner: null, maxNodesPerCountry: null, maxNodesPerNetwork: null, minUptime: null },
		failover: 'Close',
		matching: 'Instant',
		startsAt: null,
		restsMs: 0,
		jobs: [],
	});
});

test('the options of an order become its terms', () => {
	const args = Object.fromEntries(Object.entries(ORDER).map(([name, option]) => [name, option.default]));
	const plain = termsOf(args);
	assert.deepEqual(plain, orderTerms({ classId: 0, maxPrice: plancks('0.01'), termMs: 300_000 }));
	const all = termsOf(
		{
			...args,
			nodes: '2',
			'open-ended': true,
			asset: 'token:3',
			'max-price': '7',
			'not-country': 'US,RU',
			'max-per-owner': '1',
			'min-uptime': '99%',
			'failover-premium': '25%',
			start: '1h',
			rest: '1d',
		},
		{ now: 1000, plans: ['0xaa', '0xbb'] },
	);
	assert.deepEqual(all.term, { OpenEnded: { fundedMs: 300_000 } });
	assert.deepEqual([all.asset, all.maxPrice], [{ Token: 3 }, 7n]);
	assert.deepEqual(all.constraints.countries, { Except: ['US', 'RU'] });
	assert.deepEqual([all.constraints.maxNodesPerOwner, all.constraints.minUptime], [1, 990_000]);
	assert.deepEqual(all.failover, { Replace: { premium: 250_000 } });
	assert.deepEqual([all.startsAt, all.restsMs], [3_601_000, 86_400_000]);
	assert.deepEqual(all.jobs, [{ node: 0, plan: '0xaa' }, { node: 1, plan: '0xbb' }]);
});

test('polkadot.js writes a country as its two letters', () => {
	const registry = new TypeRegistry();
	assert.equal(registry.createType('Vec<[u8; 2]>', ['DE', 'FR']).toHex(), '0x0844454652');
});
