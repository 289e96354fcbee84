// A link between two programs on this machine that can be cut, joined again and slowed.

import { connect, createServer } from 'node:net';
import { Transform, pipeline } from 'node:stream';

/** Listens on a port of this machine and forwards what comes to another one. */
export class Proxy {
	#links = new Set();
	#server = createServer((near) => this.#link(near));

	/** `bytesPerSecond` is what each direction of each connection carries at most; it may be changed at any time. */
	constructor({ port, target, bytesPerSecond = Infinity }) {
		Object.assign(this, { port, target, bytesPerSecond });
	}

	/** Takes connections, for the first time or again. */
	join() {
		return new Promise((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(this.port, '127.0.0.1', () => {
				this.#server.off('error', reject);
				resolve(this);
			});
		});
	}

	/** Breaks all connections and refuses new ones, until it is joined again. */
	cut() {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		for (const socket of this.#links) socket.destroy();
		return closed;
	}

	#link(near) {
		const far = connect(this.target, '127.0.0.1');
		for (const socket of [near, far]) {
			this.#links.add(socket);
			socket.setNoDelay(true);
			socket.once('close', () => this.#links.delete(socket));
		}
		// However one direction ends, the other has nobody left to talk to.
		const end = () => [near, far].forEach((socket) => socket.destroy());
		pipeline(near, this.#brake(), far, end);
		pipeline(far, this.#brake(), near, end);
	}

	#brake() {
		const transform = (chunk, _, done) => {
			const ms = (chunk.length / this.bytesPerSecond) * 1_000;
			if (ms) setTimeout(done, ms, null, chunk);
			else done(null, chunk);
		};
		return new Transform({ transform });
	}
}
