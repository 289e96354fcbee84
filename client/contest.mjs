#!/usr/bin/env node
// Object to what a provider earned and was not paid yet. The council decides.

import { CONNECTION, connect, eventOf, fields, keyPair, send } from './lib/chain.mjs';
import { JSON_OUTPUT, answer, main, options } from './lib/cli.mjs';
import { amount, mill } from './lib/format.mjs';
import { fileBytes, number } from './lib/input.mjs';
import { blobHash } from './lib/job.mjs';
import { streamOf } from './lib/streams.mjs';

const args = options(
	'node client/contest.mjs --account SURI --lease N --evidence FILE [options]',
	'Contests what one provider of a lease has earned and was not paid: what is younger than the contest window. It stays held until the\ncouncil has said which share the provider gets. You hold a bond in MILL meanwhile; it goes to the provider only if that gets all. Without a verdict in\ntime the provider is paid and you get the bond back. Publish the evidence where the council can read it: the chain keeps its hash.',
	{
		...CONNECTION,
		lease: { value: 'N', help: 'number of the lease, running or closed' },
		provider: { value: 'ADDRESS', help: 'whose earnings [default: the only provider of the lease]' },
		evidence: { value: 'FILE', help: 'what you show; its BLAKE3 hash goes on the chain' },
		...JSON_OUTPUT,
	},
	['node client/contest.mjs --account //Charlie --lease 7 --evidence report.pdf'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const lease = number(args.lease, 'lease');
	const evidence = blobHash(fileBytes(args.evidence ?? '', 'evidence'));
	const api = await connect(args.url);
	const { stream, provider, asset } = await streamOf(api, lease, args.provider);
	const { events } = await send(api, api.tx.settlement.contest(lease, stream, evidence), pair);
	const opened = fields(eventOf(events, 'settlement', 'Contested'));
	const [held, bond] = [opened.amount.toBigInt(), opened.bond.toBigInt()];
	answer(
		args,
		{ lease, stream, provider, amount: held, bond, evidence },
		`${amount(held, asset)} of ${provider} is held until the council decides; your bond is ${mill(bond)}.\nVerdict: settlement.resolveContest(${lease}, ${stream}, share), evidence ${evidence}\n`,
	);
});
