import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { freePort } from '../lib/nodes.mjs';
import { Proxy } from '../lib/proxy.mjs';

const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
let proxy;
before(async () => {
	const target = await freePort();
	await new Promise((resolve) => echo.listen(target, '127.0.0.1', resolve));
	proxy = await new Proxy({ port: await freePort(), target }).join();
});
after(async () => {
	await proxy.cut();
	echo.close();
});

async function dial() {
	const socket = connect(proxy.port, '127.0.0.1');
	await once(socket, 'connect');
	return socket;
}

/** Sends so many bytes and waits until all are back; returns how long that took, in milliseconds. */
async function roundTrip(socket, bytes) {
	const start = Date.now();
	await new Promise((resolve, reject) => {
		let back = 0;
		socket.on('close', () => reject(new Error(`closed after ${back} of ${bytes} bytes`)));
		socket.on('data', (chunk) => {
			back += chunk.length;
			if (back >= bytes) resolve();
		});
		socket.write(Buffer.alloc(bytes));
	});
	socket.removeAllListeners('data');
	socket.removeAllListeners('close');
	return Date.now() - start;
}

test('a link that is cut breaks what is open, refuses what is new, and can be joined again', { timeout: 20_000 }, async () => {
	const socket = await dial();
	await roundTrip(socket, 1_000);
	const closed = once(socket, 'close');
	await proxy.cut();
	await closed;
	await assert.rejects(dial(), { code: 'ECONNREFUSED' });
	await proxy.join();
	const again = await dial();
	await roundTrip(again, 1_000);
	again.destroy();
});

test('a slow link takes its time, in each direction', { timeout: 20_000 }, async () => {
	const socket = await dial();
	const fast = await roundTrip(socket, 40_000);
	proxy.bytesPerSecond = 100_000;
	const slow = await roundTrip(socket, 40_000);
	proxy.bytesPerSecond = Infinity;
	// The last byte waits 400 ms on its way there; on its way back it waits with at least its own chunk.
	assert.ok(slow >= 400 && slow > fast, `${slow} ms at 100 kB/s, ${fast} ms without a limit`);
	socket.destroy();
});
