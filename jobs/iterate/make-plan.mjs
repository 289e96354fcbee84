#!/usr/bin/env node
// Writes `plan.json` and `expected.blake3`. A test of the client compares the committed files with what this would write.

import { writeFileSync } from 'node:fs';
import { COMMITTED, ITERATE, iterateOutput, planText } from '../../client/lib/iterate.mjs';
import { blobHash } from '../../client/lib/job.mjs';

writeFileSync(`${ITERATE}/plan.json`, planText(COMMITTED));
writeFileSync(`${ITERATE}/expected.blake3`, `${blobHash(iterateOutput(COMMITTED)).slice(2)}\n`);
