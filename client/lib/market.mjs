// The provider's side of the market: registration, asks, bids. Each is one transaction or one wait.

import { UserError, note } from './cli.mjs';
import { callNode, eventOf, fields, send } from './chain.mjs';
import { mill, short } from './format.mjs';

/** The provider's record, or null. */
export const providerOf = async (api, address) => (await api.query.providers.providers(address)).unwrapOr(null);

/** Address of a provider's node, as the provider declared it. */
export const endpointOf = async (api, provider) => (await api.query.providers.providers(provider)).unwrap().endpoint.toUtf8();

/** Makes the account a provider with this worker key, these devices and this bond; does only what is not done yet. `say` is told what. */
export async function becomeProvider(api, pair, { endpoint, country, network, worker, devices, bond, say = note }) {
	if (!(await providerOf(api, pair.address))) {
		await send(api, api.tx.providers.register(endpoint, country, network), pair);
		say(`registered ${short(pair.address)} at ${endpoint}`);
	}
	const bonded = (await providerOf(api, pair.address)).bonded.toBigInt();
	if (bonded < bond) {
		await send(api, api.tx.providers.bond(bond - bonded), pair);
		say(`bonded ${mill(bond)}`);
	}
	if ((await providerOf(api, pair.address)).worker.unwrapOr(null)?.toString() !== worker) {
		await send(api, api.tx.providers.setWorker(worker), pair);
		say(`worker key ${short(worker)}`);
	}
	for (const { uuidHash, classId, name } of devices) {
		if ((await api.query.providers.gpuUuids(uuidHash)).isSome) continue;
		await send(api, api.tx.providers.addGpu(classId, uuidHash), pair);
		say(`added ${name} as class ${classId}`);
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

/**
 * Governance describes those of the devices that no class describes yet, on a chain where this pair is root, as on a development
 * chain. Elsewhere it does nothing, and `classOf` says whom to ask.
 */
export async function describeDevices(api, devices, pair, { minBond = 10n ** 14n, say = note } = {}) {
	if (!api.query.sudo || (await api.query.sudo.key()).unwrapOr(null)?.toString() !== pair.address) return;
	for (const device of devices) {
		if (await classOf(api, device).catch(() => null) !== null) continue;
		// `NVIDIA H200` is the H200 of NVIDIA; a number at the end of a double's name tells one from another.
		const [, vendor, model] = /^(\S+) (.+?)(?: \d)?$/.exec(device.name) ?? [null, device.kind, device.name];
		const kind = device.kind[0].toUpperCase() + device.kind.slice(1);
		await send(api, api.tx.sudo.sudo(api.tx.providers.createClass({ kind, vendor, model, memoryMib: device.memoryMib, minBond, unitWeight: 1 })), pair);
		say(`the chain's root describes ${model} of ${vendor} as a class`);
	}
}

/** Waits until the provider's reports arrive, so that its GPUs can be leased. */
export async function waitUntilLive(api, address, timeoutMs = 120_000) {
	const deadline = Date.now() + timeoutMs;
	while (!(await providerOf(api, address))?.standing.isLive) {
		if (Date.now() > deadline) throw new UserError(`no report of ${address}'s worker arrived: is its node running with --worker, and with the worker's key?`);
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
}

/** Posts a standing offer; returns its number. `maxTermMs` null: any term, also without an end. */
export async function postAsk(
	api,
	pair,
	{ classId, gpus = 1, price, asset = 'Native', minTermMs = 60_000, maxTermMs = null, reclaimNoticeMs = 3_600_000, lifetimeMs = 86_400_000 },
) {
	const terms = { class: classId, gpus, price, asset, minTermMs, maxTermMs, reclaimNoticeMs };
	const { events } = await send(api, api.tx.leases.postAsk(terms, lifetimeMs), pair);
	return fields(eventOf(events, 'leases', 'AskPosted')).ask.toString();
}

/** Bids for one node of an auctioned order. */
export async function placeBid(api, pair, order, price, reclaimNoticeMs = 3_600_000) {
	await send(api, api.tx.leases.placeBid(order, price, reclaimNoticeMs), pair);
}
