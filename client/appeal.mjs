#!/usr/bin/env node
// Appeal against a slash. The council decides.

import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, options } from './lib/cli.mjs';
import { mill, moment } from './lib/format.mjs';
import { number } from './lib/input.mjs';
import { appeal, appealRefusal, evidenceHash, slashOf } from './lib/slashes.mjs';

const args = options(
	'node client/appeal.mjs --account SURI --slash N --evidence FILE [options]',
	"Appeals against a slash, before it is paid out: the council can reduce or cancel it. Sign with the provider's account, not with the worker's key; any\nnode will do. You hold a bond in MILL meanwhile, a tenth of the slash; it is lost only if the council upholds the slash. Without a verdict in time the\nslash is paid out and you get the bond back. Publish the evidence where the council can read it: the chain keeps its hash.",
	{
		...CONNECTION,
		slash: { value: 'N', help: 'number of the slash: slashes.mjs lists them' },
		evidence: { value: 'FILE', help: 'what you show; its BLAKE3 hash goes on the chain. Or that hash: 0x and 64 digits' },
		...JSON_OUTPUT,
	},
	['node client/appeal.mjs --account //Bob --slash 3 --evidence outage-of-our-carrier.pdf'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const id = number(args.slash, 'slash');
	const evidence = evidenceHash(args.evidence);
	const api = await connect(args.url);
	const [slash, now] = [await slashOf(api, id), (await api.query.timestamp.now()).toNumber()];
	const refusal = appealRefusal(slash, id, pair.address, now);
	if (refusal) throw new UserError(refusal);
	const sent = await appeal(api, pair, id, evidence);
	answer(
		args,
		{ ...sent, held: slash.held },
		`${mill(slash.held)} stay on hold until the council decides; your bond is ${mill(sent.bond)}. Without a verdict the slash is paid out at ${moment(sent.lapsesAt, now)}.\nVerdict: slashing.resolve(${id}, { Reduce: { keep } } or 'Cancel' or 'Uphold'), evidence ${evidence}\n`,
	);
});
