// A node with a wall clock of its own, by libfaketime: it is set while the node runs.

import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Debian keeps it in a folder of the processor's name.
const LIBRARY = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find(existsSync);

/** A wall clock that can be set. `env` makes a process go by it; what measures how long things take stays right. */
export class WallClock {
	/** Null where libfaketime is not installed. */
	static in(folder) {
		return LIBRARY ? new WallClock(join(folder, 'clock')) : null;
	}

	constructor(file) {
		this.file = file;
		this.set(0);
		this.env = {
			LD_PRELOAD: LIBRARY,
			FAKETIME_TIMESTAMP_FILE: file,
			FAKETIME_NO_CACHE: '1',
			// Both spellings are in use.
			DONT_FAKE_MONOTONIC: '1',
			FAKETIME_DONT_FAKE_MONOTONIC: '1',
			// Times of files stay as they are on the disk, as they do when a clock is set.
			NO_FAKE_STAT: '1',
		};
	}

	/** Sets the clock, to so many seconds after the right time. */
	set(seconds) {
		// In one step: it is read at any time.
		writeFileSync(`${this.file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
		renameSync(`${this.file}.new`, this.file);
	}
}

/** How many seconds after the right time a node's log was written last; its times are those of its clock. */
export function clockOf(node) {
	const times = readFileSync(join(node.folder, 'node.log'), 'utf8').match(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/gm) ?? [];
	return Math.round((new Date(times.at(-1)) - Date.now()) / 1000);
}
