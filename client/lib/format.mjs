// How amounts, times and hashes are written for people. Amounts are bigints of plancks all the way: no floats near money.

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

/** The plancks in a text such as `1.5` (MILL). Throws with what is wrong. */
export function plancks(text) {
	const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(String(text).trim());
	if (!match) throw new Error(`"${text}" is not an amount in MILL: write it like 1.5, with at most 12 decimals`);
	return BigInt(match[1]) * ONE + BigInt((match[2] ?? '').padEnd(Number(DECIMALS), '0'));
}

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

/** The milliseconds in a text such as `90s`, `15min`, `2h` or `7d`. */
export function milliseconds(text) {
	const match = /^(\d+)(ms|s|min|h|d)$/.exec(String(text).trim());
	if (!match) throw new Error(`"${text}" is not a time: write it like 90s, 15min, 2h or 7d`);
	return Number(match[1]) * { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match[2]];
}

/** The first and last letters of a hash or an address. */
export function short(text) {
	const value = String(text);
	return value.length > 20 ? `${value.slice(0, 10)}…${value.slice(-6)}` : value;
}
