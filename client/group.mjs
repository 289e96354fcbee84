#!/usr/bin/env node
// Operator groups: say that several providers have one owner.

import { CONNECTION, connect, keyPair, send } from './lib/chain.mjs';
import { JSON_OUTPUT, UserError, answer, main, options } from './lib/cli.mjs';
import { table } from './lib/format.mjs';
import { address } from './lib/input.mjs';

const ACTIONS = ['apply', 'admit', 'leave', 'list'];

const args = options(
	'node client/group.mjs --account SURI (--apply FOUNDER | --admit PROVIDER | --leave PROVIDER) [options]\n       node client/group.mjs --list FOUNDER [options]',
	"Providers of one owner belong into one operator group: renters who spread over several owners rely on it. A group is named after the account\nthat founded it. A provider applies, the founder admits; either can end it. From then on all members count as one owner, in limits of orders and\nwhen it is asked how many others failed too. Nobody joins or leaves while it serves a lease.",
	{
		...CONNECTION,
		apply: { value: 'FOUNDER', help: 'ask to join: signed by the provider' },
		admit: { value: 'PROVIDER', help: 'let a provider in that has applied: signed by the founder' },
		leave: { value: 'PROVIDER', help: 'end a membership or an application: signed by the provider or the founder' },
		list: { value: 'FOUNDER', help: 'who belongs to a group, and who asks to' },
		...JSON_OUTPUT,
	},
	[
		'node client/group.mjs --account //Bob --apply 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
		'node client/group.mjs --account //Alice --admit 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty',
		'node client/group.mjs --list 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
	],
);

await main(async () => {
	const chosen = ACTIONS.filter((action) => args[action]);
	if (chosen.length !== 1) throw new UserError('say what to do: one of --apply, --admit, --leave, --list');
	const [action] = chosen;
	const other = address(args[action], action);
	const pair = action === 'list' ? null : keyPair(args.account);
	const api = await connect(args.url);
	const calls = {
		list: () => list(api, other),
		apply: async () => {
			await send(api, api.tx.providers.applyToGroup(other), pair);
			answer(args, { provider: pair.address, founder: other, state: 'Applied' }, `Asked. The founder admits with: node client/group.mjs --account SURI --admit ${pair.address}\n`);
		},
		admit: async () => {
			await send(api, api.tx.providers.admitToGroup(other), pair);
			answer(args, { provider: other, founder: pair.address, state: 'Member' }, `${other} belongs to your group.\n`);
		},
		leave: async () => {
			const { events } = await send(api, api.tx.providers.leaveGroup(other), pair);
			const left = events.some(({ section, method }) => section === 'providers' && method === 'GroupLeft');
			answer(args, { provider: other, state: 'Alone' }, left ? `${other} is its own owner again.\n` : `The application of ${other} is over.\n`);
		},
	};
	await calls[action]();
});

async function list(api, founder) {
	const members = (await api.query.providers.providers.entries())
		.map(([key, value]) => ({ provider: key.args[0].toString(), group: value.unwrap().group }))
		.filter(({ group }) => !group.isAlone && group.value.founder.eq(founder))
		.map(({ provider, group }) => ({ provider, state: group.type }));
	const text = members.length ? table(['provider', 'state'], members.map(({ provider, state }) => [provider, state])) : `Nobody has joined the group of ${founder}, nor asked to.\n`;
	answer(args, members, text);
}
