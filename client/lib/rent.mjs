// One lease for one job, from the order to the receipt.

import { callNode, connect } from './chain.mjs';
import { note, step } from './cli.mjs';
import { duration, mill } from './format.mjs';
import { putBlobs } from './job.mjs';
import { closeLease, fetchResult, followJob, placeOrder, printReceipt, waitForAttestation } from './market.mjs';

/**
 * Places the order, delivers the job's blobs to the provider, follows the job, fetches and checks the result, and closes
 * the lease when at least one report has been billed. Whatever fails after the lease was opened, the lease is closed.
 */
export async function rent(api, pair, { job, order, timeoutMs = 300_000 }) {
	const lease = await placeOrder(api, pair, { ...order, plan: job.plan });
	note(`lease ${lease.lease} with ${lease.provider} at ${mill(lease.price)} a GPU and second; ${mill(lease.deposit)} held, enough for ${duration(lease.fundedMs)}`);
	const record = (await api.query.providers.providers(lease.provider)).unwrap();
	const endpoint = record.endpoint.toUtf8();
	let provider, result, progress;
	try {
		// The provider's node takes the blobs and has the result; it may be another one than ours.
		provider = await connect(endpoint);
		note(`${await putBlobs(provider, job)} bytes put at ${endpoint}`);
		step('Following the job');
		progress = await followJob(api, { lease: lease.lease, from: lease.block, onProgress: note, timeoutMs });
		note(`result in block ${progress.block}`);
		result = await fetchResult(provider, progress.outcome, () => whyItFailed(provider, lease.lease));
		await waitForAttestation(api, { lease: lease.lease, from: lease.block, timeoutMs });
	} finally {
		step('Closing the lease');
		lease.receipt = await closeLease(api, pair, lease.lease);
		printReceipt(lease.lease, lease.receipt);
		await provider?.disconnect();
	}
	return { lease, result, progress, receipt: lease.receipt };
}

// The text of a failed job, if the provider's worker still has it.
async function whyItFailed(provider, lease) {
	const status = await callNode(provider, 'worker_job', Number(lease), 0).catch(() => null);
	return status?.detail ?? '';
}
