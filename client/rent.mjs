#!/usr/bin/env node
// Rent a GPU for one job: order, deliver the job, follow it, fetch and check the result, close, print the receipt.

import { writeFileSync } from 'node:fs';
import { CONNECTION, connect, keyPair } from './lib/chain.mjs';
import { main, note, options, step } from './lib/cli.mjs';
import { mill } from './lib/format.mjs';
import { count, milliseconds, number, plancks } from './lib/input.mjs';
import { readJob } from './lib/job.mjs';
import { rent } from './lib/rent.mjs';

const args = options(
	'node client/rent.mjs --account SURI --job FOLDER [options]',
	'Rents GPUs of one provider, runs a job on them, fetches the result, closes the lease, accepts what was served and prints the\nreceipt. order.mjs has all the other kinds of orders.',
	{
		...CONNECTION,
		job: { value: 'FOLDER', help: 'folder with plan.json and the blobs that it names' },
		class: { value: 'N', default: '0', help: 'GPU class' },
		gpus: { value: 'N', default: '1', help: 'number of GPUs' },
		'max-price': { value: 'MILL', default: '0.01', help: 'most that you pay per GPU and second' },
		term: { value: 'TIME', default: '5min', help: 'how long to rent; what is not attested is refunded' },
		output: { value: 'FILE', help: 'where to write the result' },
	},
	['node client/rent.mjs --account //Charlie --job jobs/digits --output classes.bin'],
);

await main(async () => {
	const pair = keyPair(args.account);
	const job = readJob(args.job ?? '.');
	const order = { classId: number(args.class, 'class'), gpusPerNode: count(args.gpus, 'gpus'), maxPrice: plancks(args['max-price']), termMs: milliseconds(args.term) };
	const api = await connect(args.url);
	step(`Ordering ${order.gpusPerNode} GPU(s) of class ${order.classId} at no more than ${mill(order.maxPrice)} a second`);
	const { result } = await rent(api, pair, { job, order });
	if (args.output) {
		writeFileSync(args.output, result.bytes);
		note(`${result.bytes.length} bytes written to ${args.output}`);
	}
	process.stdout.write(`${result.hash}\n`);
});
