#!/usr/bin/env node
// Follow a lease: what happens to it, where its money is, and its jobs' checkpoints, which are carried to the next provider if one fails.

import { CONNECTION, connect, fields, followEvents, heads } from './lib/chain.mjs';
import { UserError, main, note, options, toJson } from './lib/cli.mjs';
import { Courier } from './lib/courier.mjs';
import { amount, duration, moment } from './lib/format.mjs';
import { milliseconds, number } from './lib/input.mjs';
import { readJob } from './lib/job.mjs';
import { receiptIn } from './lib/leases.mjs';
import { escrowOf, leaseOf } from './lib/reads.mjs';
import { tell } from './lib/story.mjs';

const args = options(
	'node client/watch.mjs --lease N [options]',
	"Follows a lease until its receipt: a line for everything that happens, and now and then one about its money. Each checkpoint is fetched from the\nprovider's node. When a provider fails and another one takes over, that gets the plan, the inputs and the newest checkpoint, so that the job goes on\nfrom there: keep this running. Needs no key.",
	{
		url: CONNECTION.url,
		lease: { value: 'N', help: 'number of the lease' },
		job: { value: 'FOLDER', multiple: true, help: "the lease's jobs: the first is that of node 0, the second that of node 1, …" },
		keep: { value: 'FOLDER', help: 'keep checkpoints there, to find them again when this is started again' },
		every: { value: 'TIME', default: '15s', help: 'how often to say where the money is' },
		json: { help: 'a JSON object per line, for other programs' },
	},
	['node client/watch.mjs --lease 7 --job jobs/iterate --keep checkpoints', 'node client/watch.mjs --lease 7 --json | jq -r .event'],
);

const say = (value, text) => process.stdout.write(args.json ? `${toJson(value).replace(/\n\t*/g, '')}\n` : `${moment(Date.now())}  ${text}\n`);

await main(async () => {
	const id = number(args.lease, 'lease');
	const every = milliseconds(args.every);
	const jobs = (args.job ?? []).map(readJob);
	const api = await connect(args.url);
	const { best } = await heads(api);
	const lease = await leaseOf(api, id);
	const paidIn = (lease?.money ?? (await escrowOf(api, id)))?.asset;
	if (!paidIn) throw new UserError(`there is no lease ${id}: it is closed and fully paid, or it was never opened`);
	const courier = new Courier(api, { jobs, folder: args.keep, say: note });
	if (lease) await courier.begin(lease.nodes.filter(({ status }) => status.kind !== 'faulted'), await storedJobs(api, id));
	await sayMoney(api, id);
	const timer = setInterval(() => sayMoney(api, id).catch((error) => note(error.message)), every);
	const visit = async (event, block) => {
		const data = fields(event);
		if (event.section === 'leases' && data.lease?.toString() === String(id)) {
			const line = tell(event, paidIn);
			if (line) say({ block, event: event.method, ...event.toHuman().data }, line);
			await courier.see(event);
		}
		const receipt = receiptIn([event], id);
		if (!receipt) return undefined;
		const parts = ['paid', 'fee', 'refunded', 'deposited'].map((part) => amount(receipt[part], paidIn));
		say({ block, event: 'EscrowClosed', ...receipt }, `receipt: ${parts[0]} paid + ${parts[1]} fee + ${parts[2]} refunded = ${parts[3]}, for ${duration(receipt.attestedMs)}`);
		return true;
	};
	await followEvents(api, best + 1, visit, { timeoutMs: Infinity });
	clearInterval(timer);
	await courier.close();
});

/** The lease's jobs with their checkpoints, as the chain has them. */
async function storedJobs(api, id) {
	return (await api.query.leases.jobs.entries(id)).map(([key, value]) => {
		const { node, checkpoint } = value.unwrap();
		const newest = checkpoint.unwrapOr(null);
		return {
			job: key.args[1].toNumber(),
			node: node.toNumber(),
			checkpoint: newest && { blob: newest.blob.toHex(), launchesDone: newest.launchesDone.toNumber() },
		};
	});
}

async function sayMoney(api, id) {
	const lease = await leaseOf(api, id);
	const money = lease?.money ?? (await escrowOf(api, id));
	if (!money) return;
	const show = (part) => amount(money[part], money.asset);
	const state = lease ? `${lease.status.kind}${lease.fundedUntil ? `, funded until ${moment(lease.fundedUntil)}` : ''}` : 'closed';
	const nodes = lease ? lease.nodes.map(({ node, status }) => `node ${node} ${status.kind}`).join(', ') : '';
	const contested = BigInt(money.contested) ? `, ${show('contested')} contested` : '';
	say({ lease: id, state, nodes: lease?.nodes ?? [], money }, `${[state, nodes].filter(Boolean).join('; ')}; ${show('paid')} paid, ${show('claimable')} can be paid, ${show('maturing')} wait${contested}, ${show('free')} free`);
}
