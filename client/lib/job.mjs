// A job on disk: a folder with `plan.json` and the blobs that the plan names, found by their BLAKE3 hashes.

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3';
import { bytesToHex } from '@noble/hashes/utils';
import { callNode, rpcError } from './chain.mjs';
import { UserError } from './cli.mjs';

/** BLAKE3 of some bytes as `0x…`, the way the chain writes it. */
export const blobHash = (bytes) => `0x${bytesToHex(blake3(bytes))}`;

/** Reads a job's folder. Every blob that the plan names must be there. */
export function readJob(folder) {
	const path = join(folder, 'plan.json');
	let text, plan;
	try {
		text = readFileSync(path);
	} catch {
		throw new UserError(`${path} cannot be read: a job is a folder with plan.json and the blobs that it names`);
	}
	try {
		plan = JSON.parse(text);
	} catch (error) {
		throw new UserError(`${path} is not JSON: ${error.message}`);
	}
	const wanted = new Map([[`0x${plan.kernel}`, 'kernel']]);
	for (const buffer of plan.buffers ?? []) if (buffer.input) wanted.set(`0x${buffer.input}`, buffer.name);
	const blobs = new Map([[blobHash(text), text]]);
	for (const name of readdirSync(folder)) {
		const file = join(folder, name);
		if (!statSync(file).isFile()) continue;
		const bytes = readFileSync(file);
		const hash = blobHash(bytes);
		if (wanted.delete(hash)) blobs.set(hash, bytes);
	}
	if (wanted.size) {
		const missing = [...wanted].map(([hash, what]) => `${what} (${hash})`).join(', ');
		throw new UserError(`no file in ${folder} has the hash that the plan gives for ${missing}: was one edited after the plan was made?`);
	}
	return { plan: blobHash(text), blobs };
}

/** Puts those of the job's blobs that the node does not have yet. Returns how many bytes went over. */
export async function putBlobs(api, job) {
	let sent = 0;
	for (const [hash, bytes] of job.blobs) {
		if ((await callNode(api, 'blob_has', hash)).present) continue;
		let answer;
		try {
			answer = (await api.rpc.blob.put(`0x${bytesToHex(bytes)}`)).toHex();
		} catch (error) {
			throw new UserError(`the node did not take a blob of ${bytes.length} bytes: ${rpcError(error)}`);
		}
		if (answer !== hash) throw new Error(`the node names the blob ${answer}, not ${hash}`);
		sent += bytes.length;
	}
	return sent;
}

/** Fetches a blob and checks that it is the one that was asked for. */
export async function getBlob(api, hash) {
	let bytes;
	try {
		bytes = (await api.rpc.blob.get(hash)).toU8a(true);
	} catch (error) {
		throw new UserError(rpcError(error));
	}
	if (blobHash(bytes) !== String(hash)) throw new UserError(`the node sent other bytes than the blob ${hash}: do not use them`);
	return bytes;
}
