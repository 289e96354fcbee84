// What the scripts share as programs: options, help, progress, errors.

import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';

const colour = process.stderr.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Progress goes to standard error, so that standard output can be piped. */
export const step = (text) => process.stderr.write(`${paint('1', '==>')} ${text}\n`);
export const note = (text) => process.stderr.write(`    ${paint('2', text)}\n`);

/** Waits for something, and says so every few seconds while it takes longer than two. */
export async function patiently(what, promise) {
	const started = Date.now();
	const say = () => note(`${what} … ${Math.round((Date.now() - started) / 1000)} s`);
	const first = setTimeout(say, 2_000);
	const later = setInterval(say, 15_000);
	try {
		return await promise;
	} finally {
		clearTimeout(first);
		clearInterval(later);
	}
}

/** The answer of a script, on standard output: as text, or with --json as one JSON value in which big numbers are strings. */
export function answer(args, value, text) {
	process.stdout.write(args.json ? `${toJson(value)}\n` : text);
}

/** JSON with big numbers as strings. */
export const toJson = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part), '\t');

/** The option of scripts whose answer other programs read. */
export const JSON_OUTPUT = { json: { help: 'answer in JSON, for other programs' } };

/** An error whose text already tells the user what to do: printed without a stack. */
export class UserError extends Error {}

/**
 * Reads the options, or prints the help and ends.
 * `options` maps a name to `{ default, help, value, multiple }`; an option without `value` is a switch.
 */
export function options(usage, about, options, examples = []) {
	const known = { help: { help: 'print this and end' }, ...options };
	let values;
	try {
		values = parseArgs({
			strict: true,
			options: Object.fromEntries(
				Object.entries(known).map(([name, o]) => [
					name,
					{ type: o.value ? 'string' : 'boolean', multiple: Boolean(o.multiple), ...(o.short && { short: o.short }) },
				]),
			),
		}).values;
	} catch (error) {
		process.stderr.write(`${paint('31', 'error:')} ${error.message}\n       see --help\n`);
		process.exit(2);
	}
	if (values.help) {
		process.stdout.write(`${about}\n\nUsage: ${usage}\n\nOptions:\n`);
		for (const [name, o] of Object.entries(known)) {
			const flag = `  --${name}${o.value ? ` ${o.value}` : ''}`;
			const fallback = o.default === undefined ? '' : ` [default: ${o.default}]`;
			process.stdout.write(`${flag.padEnd(26)}${o.help}${fallback}\n`);
		}
		if (examples.length) process.stdout.write(`\nExamples:\n${examples.map((line) => `  ${line}\n`).join('')}`);
		process.exit(0);
	}
	const result = {};
	for (const [name, o] of Object.entries(known)) result[name] = values[name] ?? o.default;
	return result;
}

/** Runs a script's main function: a `UserError` becomes one clear message, everything ends with the right exit status. */
export async function main(run) {
	try {
		await run();
		process.exit(0);
	} catch (error) {
		const text = error instanceof UserError ? error.message : (error.stack ?? String(error));
		process.stderr.write(`${paint('31', 'error:')} ${text}\n`);
		process.exit(1);
	}
}

/** Finds out whether a summary can be written there: otherwise that would be said after minutes. */
export function checkWritable(file) {
	const existed = existsSync(file);
	try {
		closeSync(openSync(file, 'a'));
	} catch (error) {
		throw new UserError(`--summary ${file} cannot be written (${error.code}): give a file in a folder that is there and that you may write to`);
	}
	if (!existed) rmSync(file);
}
