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
	let result, progress;
	// The provider's node has the blobs; it may be another one than ours.
	const record = (await api.query.providers.providers(lease.provider)).unwrap();
	const provider = await connect(record.endpoint.toUtf8());
	try {
		note(`${await putBlobs(provider, job)} bytes put at ${record.endpoint.toUtf8()}`);
		step('Following the job');
		progress = await followJob(api, { lease: lease.lease, from: lease.block, onProgress: note, timeoutMs });
		note(`result in block ${progress.block}`);
		result = await fetchResult(provider, progress.outcome, async () => (await callNode(provider, 'worker_job', Number(lease.lease), 0).catch(() => null))?.detail ?? '');
		await waitForAttestation(api, { lease: lease.lease, from: lease.block, timeoutMs });
	} finally {
		step('Closing the lease');
		lease.receipt = await closeLease(api, pair, lease.lease);
		printReceipt(lease.lease, lease.receipt);
		await provider.disconnect();
	}
	return { lease, result, progress, receipt: lease.receipt };
}
