#!/usr/bin/env node
// The faults scenario of `scripts/run --scenario faults`: what goes wrong with jobs, and that the next one runs.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { heads } from './lib/chain.mjs';
import { UserError, checkWritable, main, note, options, patiently, step, toJson } from './lib/cli.mjs';
import { duration, mill, table } from './lib/format.mjs';
import { addsUp, closeLease, waitForAttestation } from './lib/leases.mjs';
import { checkProgram, keepLogs, temporaryFolder } from './lib/nodes.mjs';
import { FAULTS, JOB_SECONDS, PROFILES, enlist, rentBob, resultsOf, startChain, suffer } from './scenario/faults.mjs';
import { prepareFolder } from './scenario/network.mjs';

const args = options(
	'node client/scenario-faults.mjs [options]',
	"Starts a validator and a provider's node on this machine, with a test double of the CUDA driver in place of a GPU, and makes everything go wrong\nthat can go wrong with a job: kernels that hang or fault, processes that are killed, a chain that stands still, a GPU that falls off the bus. About\nfive minutes. Checks that each job has one result and that the next one runs, and ends everything that it started.",
	{
		node: { value: 'FILE', default: process.env.MILLRACE_NODE, help: 'the millrace-node program' },
		'base-path': { value: 'DIR', help: "keep the nodes' data in this empty folder [default: a temporary one, removed at the end]" },
		summary: { value: 'FILE', help: 'write what was shown as JSON' },
		exit: { help: 'end when it is over, instead of keeping the chain running' },
	},
	['scripts/run --scenario faults --exit --summary faults.json', 'node client/scenario-faults.mjs --node target/release/millrace-node --exit'],
);

const must = (faults) => {
	if (faults.length) throw new Error(faults.join('\n       '));
};

await main(async () => {
	if (!args.node) throw new UserError('--node names no program: use scripts/run --scenario faults, which builds it');
	if (args.summary) checkWritable(args.summary);
	checkProgram(args.node);
	const folder = args['base-path'] ? resolve(args['base-path']) : temporaryFolder();
	prepareFolder(folder, PROFILES);
	try {
		await showFaults(folder);
	} catch (error) {
		const logs = keepLogs(folder);
		if (logs) note(`the nodes' logs: ${logs}`);
		throw error;
	}
});

async function showFaults(folder) {
	const began = Date.now();
	step('Two nodes start: a validator, and that of the provider Bob, with the double of the CUDA driver');
	const context = await patiently('starting; each compiles the runtime first', startChain({ binary: args.node, folder }));
	const { renter, validator } = context;
	await patiently("waiting for the first report of Bob's worker", enlist(context));
	const { Bob } = context.providers;
	note(`${Bob.devices[0].name} (${Bob.devices[0].kind}); a job may take ${JOB_SECONDS} s; data and logs are in ${folder}`);
	const lease = await patiently('Dave rents it', rentBob(context));
	note(`lease ${lease.lease} at ${mill(lease.rate)} a second`);

	const ends = [];
	for (const fault of FAULTS) {
		step(`Fault: ${fault.fault}`);
		const end = await patiently('the job', suffer(context, lease, fault, note));
		note(`job ${end.job}: ${end.outcome} after ${end.blocks} blocks: ${end.words}`);
		must(end.problems.map((problem) => `${end.fault}: ${problem}`));
		ends.push(end);
	}

	step('What came of it');
	const rows = ends.map(({ fault, job, outcome, blocks, took, attempts, resumedFrom }) => [fault, job, outcome, blocks, duration(took), attempts, resumedFrom || '']);
	process.stdout.write(`${table(['fault', 'job', 'outcome', 'blocks', 'time', 'executors', 'from launch'], rows).trimEnd()}\n\n`);
	const { best } = await heads(context.api);
	const told = await resultsOf(context, lease, best);
	must(ends.filter(({ job }) => told.get(job) !== 1).map(({ job }) => `job ${job} has ${told.get(job) ?? 0} results on chain`));
	note('each job has one result on chain');

	await patiently('waiting until something is billed', waitForAttestation(context.api, { lease: lease.lease, from: lease.block }));
	const { receipt } = await patiently('closing the lease', closeLease(context.api, renter, lease.lease));
	must(addsUp(receipt) ? [] : ['the receipt does not add up']);
	note(`receipt: ${mill(receipt.paid)} paid + ${mill(receipt.fee)} fee + ${mill(receipt.refunded)} refunded = ${mill(receipt.deposited)}, for ${duration(receipt.attestedMs)}`);
	note(`${duration(Date.now() - began)} in all`);

	if (args.summary) {
		const summary = { seconds: Math.round((Date.now() - began) / 1000), lease: lease.lease, device: Bob.devices[0].name, faults: ends, receipt: { ...receipt, asset: undefined } };
		writeFileSync(args.summary, `${toJson(summary)}\n`);
		note(`wrote ${args.summary}`);
	}
	if (!args.exit) {
		step(`The chain goes on at ${validator.url}, with Bob's node; stop it with Ctrl-C`);
		const { code, signal } = await validator.exited;
		throw new Error(`the validator's node ended by itself (${signal ?? `status ${code}`})`);
	}
}
