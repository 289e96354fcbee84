// One lease of one node for one job, from the order to the receipt.

import { callNode, connect } from './chain.mjs';
import { note, step } from './cli.mjs';
import { amount, duration } from './format.mjs';
import { putBlobs } from './job.mjs';
import { closeLease, fetchResult, followJob, printReceipt, waitForAttestation } from './leases.mjs';
import { endpointOf } from './market.mjs';
import { rentNow } from './orders.mjs';
import { orderTerms } from './terms.mjs';

/**
 * Places the order, delivers the job's blobs to the provider, follows the job, fetches and checks the result, and closes
 * the lease when at least one report has been billed. Whatever fails after the lease was opened, the lease is closed, and what
 * was earned is paid at once.
 */
export async function rent(api, pair, { job, order, timeoutMs = 300_000 }) {
	const lease = await rentNow(api, pair, orderTerms({ ...order, plans: [job.plan] }));
	const [{ provider: account, price }] = lease.nodes;
	note(`lease ${lease.lease} with ${account} at ${amount(price, order.asset)} a GPU and second; ${amount(lease.deposit, order.asset)} held, enough for ${duration(lease.fundedMs)}`);
	const endpoint = await endpointOf(api, account);
	let provider, result, progress, closed;
	try {
		// The provider's node takes the blobs and has the result; it may be another one than ours.
		provider = await connect(endpoint);
		note(`${await putBlobs(provider, job)} bytes put at ${endpoint}`);
		step('Following the job');
		progress = await followJob(api, { lease: lease.lease, from: lease.block + 1, onProgress: note, timeoutMs });
		note(`result in block ${progress.block}`);
		result = await fetchResult(provider, progress.outcome, () => whyItFailed(provider, lease.lease));
		await waitForAttestation(api, { lease: lease.lease, from: lease.block, timeoutMs });
	} finally {
		step('Closing the lease, and accepting what was served');
		closed = await closeLease(api, pair, lease.lease);
		printReceipt(lease.lease, closed.receipt);
		await provider?.disconnect();
	}
	return { lease, result, progress, receipt: { ...closed.receipt, block: closed.block } };
}

// The text of a failed job, if the provider's worker still has it.
async function whyItFailed(provider, lease) {
	const status = await callNode(provider, 'worker_job', Number(lease), 0).catch(() => null);
	return status?.detail ?? '';
}
