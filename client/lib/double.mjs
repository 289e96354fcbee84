// The test double of the CUDA driver: a library that nodes load in place of libcuda.so.1, and that goes wrong when it is told to.

import { copyFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from './cli.mjs';

/** A copy of the double in a folder, with orders of its own. `env` makes a node load it. */
export class Double {
	constructor(binary, folder) {
		const built = join(dirname(binary), 'libmillrace_cuda_double.so');
		if (!existsSync(built)) throw new UserError(`there is no ${built}: scripts/run builds it beside the node`);
		this.library = join(folder, 'libcuda.so.1');
		copyFileSync(built, this.library);
		this.env = { MILLRACE_LIBCUDA: this.library };
		this.order({});
	}

	/** What it does in the executors that start from now on: see `offchain-worker/cuda-double/src/config.rs`. */
	order(config) {
		const file = `${this.library}.json`;
		// In one step, for an executor may be reading it.
		writeFileSync(`${file}.new`, JSON.stringify(config));
		renameSync(`${file}.new`, file);
	}
}
