// How amounts, times and tables are written for people. Amounts are bigints all the way: no floats near money.

const DECIMALS = 12n;
const ONE = 10n ** DECIMALS;

/** Plancks as MILL, with as many decimals as are needed: `1.5 MILL`. */
export function mill(plancks) {
	const value = BigInt(plancks);
	const sign = value < 0n ? '-' : '';
	const whole = (value < 0n ? -value : value) / ONE;
	const rest = (value < 0n ? -value : value) % ONE;
	const decimals = rest === 0n ? '' : '.' + rest.toString().padStart(Number(DECIMALS), '0').replace(/0+$/, '');
	return `${sign}${whole.toString().replace(/\B(?=(\d{3})+$)/g, ',')}${decimals} MILL`;
}

// Number of the token, or null for MILL. Metadata's types, the RPC's answers and the options write it a little differently.
function tokenOf(asset) {
	const value = asset?.toJSON?.() ?? asset;
	return value?.token ?? value?.Token ?? null;
}

/** An amount in its asset: MILL, or the token's smallest units. */
export const amount = (value, asset = 'native') => (tokenOf(asset) === null ? mill(value) : `${BigInt(value)} of token ${tokenOf(asset)}`);

/** Parts per million as `25 %`. */
export const percent = (parts) => `${Number((Number(parts) / 10_000).toFixed(4))} %`;

/** Milliseconds as `1.5 s`, `2 min 3 s`, `3 h 4 min` or `2 d 5 h`. */
export function duration(ms) {
	const seconds = Number(ms) / 1000;
	if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
	const parts = [
		[86400, 'd'],
		[3600, 'h'],
		[60, 'min'],
		[1, 's'],
	];
	const words = [];
	let left = Math.round(seconds);
	for (const [size, unit] of parts) {
		if (left >= size) words.push(`${Math.floor(left / size)} ${unit}`);
		left %= size;
	}
	return words.slice(0, 2).join(' ');
}

/** A moment in milliseconds since 1970, in UTC: the time alone if it is of `today`, else with the date. */
export function moment(ms, today = Date.now()) {
	const [day, time] = new Date(Number(ms)).toISOString().slice(0, 19).split('T');
	return new Date(today).toISOString().startsWith(day) ? `${time} UTC` : `${day} ${time} UTC`;
}

/** The first and last letters of a hash or an address. */
export function short(text) {
	const value = String(text);
	return value.length > 20 ? `${value.slice(0, 10)}…${value.slice(-6)}` : value;
}

/** `1 node`, `2 nodes`. */
export const plural = (count, noun) => `${count} ${noun}${Number(count) === 1 ? '' : 's'}`;

/** Rows as a table with aligned columns; a column whose cells all start with a digit is aligned to the right. */
export function table(head, rows) {
	const lines = [head, ...rows].map((row) => row.map(String));
	const widths = head.map((_, column) => Math.max(...lines.map((row) => row[column].length)));
	const right = head.map((_, column) => rows.length > 0 && rows.every((row) => /^-?\d[\d.,]*( |$)/.test(String(row[column]))));
	const line = (row) => row.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ').trimEnd();
	return lines.map((row) => `${line(row)}\n`).join('');
}

/** A bar of `value` on a scale that ends at `most`, in eighths of a character. What is not zero can be seen. */
export function bar(value, most, width = 32) {
	if (!(most > 0) || !(value > 0)) return '';
	const eighths = Math.max(1, Math.round((Math.min(value, most) / most) * width * 8));
	return '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8];
}
