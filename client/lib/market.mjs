// The steps of the market, each one transaction or one wait. The scripts put them together.

import { UserError, note, step } from './cli.mjs';
import { callNode, eventOf, fields, followEvents, send } from './chain.mjs';
import { getBlob } from './job.mjs';
import { duration, mill, short } from './format.mjs';

/** The provider's record, or null. */
export const providerOf = async (api, address) => (await api.query.providers.providers(address)).unwrapOr(null);

/** Makes the account a provider with this worker key, these devices and this bond; does only what is not done yet. */
export async function becomeProvider(api, pair, { endpoint, country, network, group, worker, devices, bond }) {
	if (!(await providerOf(api, pair.address))) {
		await send(api, api.tx.providers.register(endpoint, country, network, group), pair);
		note(`registered ${short(pair.address)} at ${endpoint}`);
	}
	const bonded = (await providerOf(api, pair.address)).bonded.toBigInt();
	if (bonded < bond) {
		await send(api, api.tx.providers.bond(bond - bonded), pair);
		note(`bonded ${mill(bond)}`);
	}
	if ((await providerOf(api, pair.address)).worker.unwrapOr(null)?.toString() !== worker) {
		await send(api, api.tx.providers.setWorker(worker), pair);
		note(`worker key ${short(worker)}`);
	}
	for (const { uuidHash, classId, name } of devices) {
		if ((await api.query.providers.gpuUuids(uuidHash)).isSome) continue;
		await send(api, api.tx.providers.addGpu(classId, uuidHash), pair);
		note(`added ${name} as class ${classId}`);
	}
}

/** The account of the node's worker key, or an error that says how to make one. */
export async function workerOf(api) {
	const worker = await callNode(api, 'worker_key');
	if (!worker) {
		throw new UserError('the node has no worker key: put one there with `millrace-node key insert --key-type gpuw --scheme sr25519 --suri "…"`');
	}
	return worker;
}

/** Number of the class that describes a device, by kind and, for a GPU, by the model that its name contains. */
export async function classOf(api, device) {
	const kind = device.kind.toLowerCase();
	for (const [key, value] of await api.query.providers.classes.entries()) {
		const gpuClass = value.unwrap();
		if (gpuClass.kind.type.toLowerCase() !== kind) continue;
		if (kind === 'reference' || device.name.includes(gpuClass.model.toUtf8())) return key.args[0].toNumber();
	}
	throw new UserError(`no GPU class describes "${device.name}" (${device.kind}): ask governance to create one`);
}

/** Waits until the provider's reports arrive, so that its GPUs can be leased. */
export async function waitUntilLive(api, address, timeoutMs = 120_000) {
	const deadline = Date.now() + timeoutMs;
	while (!(await providerOf(api, address))?.standing.isLive) {
		if (Date.now() > deadline) throw new UserError(`no report of ${address}'s worker arrived: is its node running with --worker, and with the worker's key?`);
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
}

/** Posts a standing offer; returns its number. */
export async function postAsk(api, pair, { classId, gpus, price, minTermMs, maxTermMs, lifetimeMs }) {
	const { events } = await send(api, api.tx.leases.postAsk(classId, gpus, price, minTermMs, maxTermMs, lifetimeMs), pair);
	return fields(eventOf(events, 'leases', 'AskPosted')).ask.toString();
}

/** Places an order that is matched at once, with its first job; returns the lease that it opened. */
export async function placeOrder(api, pair, { classId, gpus, maxPrice, termMs, plan }) {
	const tx = api.tx.leases.placeOrder({ class: classId, gpus, maxPrice, termMs }, plan ?? null);
	const { events, number } = await send(api, tx, pair);
	const opened = fields(eventOf(events, 'leases', 'LeaseOpened'));
	return {
		lease: opened.lease.toString(),
		provider: opened.provider.toString(),
		price: opened.price.toBigInt(),
		deposit: opened.deposit.toBigInt(),
		fundedMs: opened.fundedMs.toNumber(),
		gpus: opened.gpus.length,
		block: number,
	};
}

/** Follows a lease until its job has a result. Returns the outcome and the blocks in which things happened. */
export async function followJob(api, { lease, job = 0, from, onProgress = () => {}, timeoutMs }) {
	let readyAt = null;
	const mine = (event) => event.section === 'leases' && fields(event).lease?.toString() === String(lease);
	const end = await followEvents(
		api,
		from,
		(event, block) => {
			if (!mine(event)) return undefined;
			const data = fields(event);
			if (event.method === 'LeaseReady') {
				readyAt = block;
				onProgress(`ready in block ${block}`);
			} else if (event.method === 'LeaseSuspended') {
				onProgress(`suspended in block ${block}: the provider missed its reports, and nothing is billed`);
			} else if (event.method === 'LeaseResumed') {
				onProgress(`served again from block ${block} on`);
			} else if (event.method === 'JobFinished' && data.job.toNumber() === job) {
				return { outcome: data.outcome, block };
			} else if (event.method === 'LeaseClosed') {
				throw new UserError(`the lease was closed before the job had a result: ${data.reason.type}`);
			}
			return undefined;
		},
		{ timeoutMs },
	);
	return { ...end, readyAt };
}

/** Waits until at least `ms` of the lease are attested; returns the attested time. */
export async function waitForAttestation(api, { lease, from, ms = 1, timeoutMs = 300_000 }) {
	let total = 0;
	const visit = (event) => {
		if (event.section !== 'settlement' || event.method !== 'Accrued') return undefined;
		const data = fields(event);
		if (data.escrow.toString() !== String(lease)) return undefined;
		total += data.ms.toNumber();
		return total >= ms ? total : undefined;
	};
	return followEvents(api, from, visit, { timeoutMs });
}

/** Closes a lease; returns its receipt once the block is final. */
export async function closeLease(api, pair, lease) {
	const { events, number } = await send(api, api.tx.leases.close(lease), pair, { finalised: true });
	return { ...receiptOf(events, lease), block: number };
}

/** The receipt in a block's events. */
export function receiptOf(events, lease) {
	for (const event of events) {
		if (event.section !== 'settlement' || event.method !== 'EscrowClosed') continue;
		const data = fields(event);
		if (data.escrow.toString() !== String(lease)) continue;
		return {
			payer: data.payer.toString(),
			payee: data.payee.toString(),
			deposited: data.deposited.toBigInt(),
			paid: data.paid.toBigInt(),
			fee: data.fee.toBigInt(),
			refunded: data.refunded.toBigInt(),
			attestedMs: data.attestedMs.toNumber(),
		};
	}
	throw new Error(`no receipt of lease ${lease} in the block`);
}

/** The bytes of a job's result, or an error that says why there is none. */
export async function fetchResult(api, outcome, explain = async () => '') {
	if (outcome.isFailed) {
		const failure = outcome.asFailed;
		const detail = await explain();
		throw new UserError(`the job failed: ${failure.type}${failure.isEmpty ? '' : ` ${failure.value}`}${detail ? `\n       ${detail}` : ''}`);
	}
	const { output } = outcome.asSucceeded;
	return { hash: output.toHex(), bytes: await getBlob(api, output.toHex()) };
}

/** Prints a receipt for people. */
export function printReceipt(lease, receipt) {
	const rows = [
		['deposited', mill(receipt.deposited)],
		['paid to the provider', mill(receipt.paid)],
		['fee', mill(receipt.fee)],
		['refunded', mill(receipt.refunded)],
		['attested time', duration(receipt.attestedMs)],
	];
	step(`Receipt of lease ${lease}`);
	for (const [name, value] of rows) process.stdout.write(`    ${name.padEnd(22)}${value}\n`);
}

