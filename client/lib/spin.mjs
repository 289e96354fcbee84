// The smallest job that takes time: for tests, and for scenarios in which something happens to a job.

import { blobHash } from './job.mjs';

const HEADER = '.version 7.1\n.target sm_70\n.address_size 64\n';

/** A kernel that writes `steps` into its one buffer after a loop of that many rounds. */
export const LOOP = `${HEADER}
.visible .entry spin(.param .u64 out, .param .u32 steps)
{
	.reg .pred %p<2>;
	.reg .b32 %r<4>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [out];
	ld.param.u32 %r1, [steps];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r2, 0;
$again:
	add.s32 %r2, %r2, 1;
	setp.lt.u32 %p1, %r2, %r1;
	@%p1 bra $again;
	st.global.u32 [%rd2], %r2;
	ret;
}
`;

/** A job of `spin`, with one launch if it is not told otherwise. `change` may spoil the plan. */
export function spin(steps, { kernel = LOOP, entry = 'spin', launches = 1, change = (plan) => plan } = {}) {
	const bytes = new TextEncoder().encode(kernel);
	const plan = change({
		version: 1,
		kernel: blobHash(bytes).slice(2),
		buffers: [{ name: 'out', bytes: 4 }],
		launches: Array(launches).fill({ entry, grid: [1, 1, 1], block: [1, 1, 1], shared_bytes: 0, arguments: [{ buffer: 'out' }, { u32: steps }] }),
		outputs: ['out'],
	});
	const text = new TextEncoder().encode(JSON.stringify(plan));
	return {
		plan: blobHash(text),
		blobs: new Map([
			[blobHash(text), text],
			[blobHash(bytes), bytes],
		]),
	};
}
