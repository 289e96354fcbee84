#!/usr/bin/env node
// What providers stand to lose for their faults, when, and what can be done about it.

import { CONNECTION, connect } from './lib/chain.mjs';
import { JSON_OUTPUT, answer, main, options } from './lib/cli.mjs';
import { mill, short, table } from './lib/format.mjs';
import { address } from './lib/input.mjs';
import { causeOf, slashesOf, statusOf, stepsFor } from './lib/slashes.mjs';

const args = options(
	'node client/slashes.mjs [--provider ADDRESS] [options]',
	"Lists the slashes that are not over: whose, for which lease, what is on hold for each, when it is paid out, and what can be done about it now. What is\non hold has left the bond, but not the provider's account. While a slash counts, each further epoch adds to it; from its end on the provider can\nappeal; when its time is over it is paid out, to the renter first. Needs no key.",
	{
		url: CONNECTION.url,
		provider: { value: 'ADDRESS', help: 'only the slashes of this provider [default: of all]' },
		...JSON_OUTPUT,
	},
	['node client/slashes.mjs', 'node client/slashes.mjs --provider 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json'],
);

await main(async () => {
	const provider = args.provider === undefined ? undefined : address(args.provider, 'provider');
	const api = await connect(args.url);
	const slashes = await slashesOf(api, provider);
	const now = (await api.query.timestamp.now()).toNumber();
	answer(args, slashes.map((slash) => ({ ...slash, steps: stepsFor(slash, now) })), text(slashes, now));
});

function text(slashes, now) {
	if (!slashes.length) return `No slash is pending${args.provider ? ' of this provider' : ''}.\n`;
	// Whole addresses if they are to be copied, short ones if there is only one to be known.
	const name = args.provider ? short : String;
	const rows = slashes.map((slash) => [slash.slash, name(slash.provider), slash.lease ?? '', causeOf(slash.cause), mill(slash.held), statusOf(slash, now)]);
	const steps = slashes.map((slash) => `\nslash ${slash.slash}\n${stepsFor(slash, now).map((line) => `  ${line}\n`).join('')}`);
	return table(['slash', 'provider', 'lease', 'because', 'on hold', 'it'], rows) + steps.join('');
}
