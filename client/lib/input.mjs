// What people type: amounts, times, assets, countries. Each is read strictly, and an error says how to write it.

import { readFileSync } from 'node:fs';
import { decodeAddress } from '@polkadot/util-crypto';
import { UserError } from './cli.mjs';

const DECIMALS = 12;

/** The plancks in a text such as `1.5` (MILL). */
export function plancks(text) {
	const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(String(text).trim());
	if (!match) throw new UserError(`"${text}" is not an amount in MILL: write it like 1.5, with at most 12 decimals`);
	return BigInt(match[1]) * 10n ** BigInt(DECIMALS) + BigInt((match[2] ?? '').padEnd(DECIMALS, '0'));
}

/** The milliseconds in a text such as `90s`, `15min`, `2h` or `7d`. */
export function milliseconds(text) {
	const match = /^(\d+)(ms|s|min|h|d)$/.exec(String(text).trim());
	if (!match) throw new UserError(`"${text}" is not a time: write it like 90s, 15min, 2h or 7d`);
	return Number(match[1]) * { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match[2]];
}

/** The asset in `native` or `token:5`, as polkadot.js takes it. */
export function asset(text) {
	if (text === 'native') return 'Native';
	const match = /^token:(\d{1,9})$/.exec(String(text).trim());
	if (!match) throw new UserError(`"${text}" is not an asset: write native, or token:5 for the asset with the number 5`);
	return { Token: Number(match[1]) };
}

/** The amount in a text: in MILL for the native token, in smallest units for the others. */
export function units(text, ofAsset) {
	if (ofAsset === 'Native') return plancks(text);
	if (!/^\d+$/.test(String(text).trim())) throw new UserError(`"${text}" is not an amount of a token: give its smallest units, a whole number`);
	return BigInt(text);
}

/** The parts per million in a text such as `25%` or `99.5%`. */
export function share(text) {
	const match = /^(\d{1,3})(?:\.(\d{1,4}))?%$/.exec(String(text).trim());
	const parts = match ? Number(match[1]) * 10_000 + Number((match[2] ?? '').padEnd(4, '0')) : NaN;
	if (!(parts <= 1_000_000)) throw new UserError(`"${text}" is not a share: write it like 25% or 99.5%, at most 100%`);
	return parts;
}

/** A whole number from 1 on; `name` is its option. */
export function count(text, name) {
	if (!/^[1-9]\d{0,8}$/.test(String(text))) throw new UserError(`--${name} ${text} is not possible: give a whole number from 1 on`);
	return Number(text);
}

/** The number of something that the chain counts from zero; `name` is its option. */
export function number(text, name) {
	if (text === undefined) throw new UserError(`--${name} is missing: give its number`);
	if (!/^\d{1,15}$/.test(String(text))) throw new UserError(`--${name} ${text} is not a number: write it in digits, such as 7`);
	return Number(text);
}

/** Countries in a text such as `DE,FR`: two capital letters each. */
export function countries(text) {
	const list = String(text).split(',').map((part) => part.trim());
	const bad = list.find((part) => !/^[A-Z]{2}$/.test(part));
	if (bad !== undefined) throw new UserError(`"${bad}" is not a country: write two capital letters each, like DE,FR`);
	if (list.length > 16) throw new UserError(`${list.length} countries are too many: an order can name 16`);
	return list;
}

/** An account's address; `name` is its option. */
export function address(text, name) {
	try {
		decodeAddress(text);
		return text;
	} catch {
		throw new UserError(`--${name} ${text ?? ''} is not an address: it looks like 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty`);
	}
}

/** The file's bytes, or an error that names it; `name` is its option. */
export function fileBytes(path, name) {
	try {
		return readFileSync(path);
	} catch (error) {
		throw new UserError(`--${name} ${path} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
	}
}
