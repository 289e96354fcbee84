// What happens to a lease, told in one line per event.

import { fields } from './chain.mjs';
import { amount, duration, mill, moment, plural, short } from './format.mjs';

const failure = (outcome) => (outcome.isFailed ? `failed: ${outcome.asFailed.type}` : `succeeded, output ${short(outcome.asSucceeded.output)}`);

const LINES = {
	NodeAssigned: ({ node, provider, price, generation }, asset, name) =>
		`node ${node}: ${name(provider)} at ${amount(price, asset)} per GPU and second${generation.toNumber() ? `, provider number ${generation.toNumber() + 1}` : ''}`,
	LeaseOpened: ({ nodes, rate, deposit, fundedMs }, asset) =>
		`opened with ${plural(nodes, 'node')} at ${amount(rate, asset)} a second; ${amount(deposit, asset)} held, enough for ${duration(fundedMs)}`,
	NodeReady: ({ node, afterMs }) => `node ${node} is ready after ${duration(afterMs)}`,
	LeaseReady: ({ endsAt }) => `ready: billing starts${endsAt.isSome ? `, the term ends at ${moment(endsAt.unwrap())}` : ''}`,
	CheckpointPosted: ({ node, checkpoint }) => `node ${node}: checkpoint of job ${checkpoint.job} after ${checkpoint.launchesDone} launches`,
	NodeSuspended: ({ node }) => `node ${node} is suspended: its provider missed its reports, and nothing of it is billed`,
	NodeResumed: ({ node, darkMs }) => `node ${node} is served again after ${duration(darkMs)}, which are not billed`,
	NoticeGiven: ({ node, until }) => `node ${node}: its provider gives notice and leaves at ${moment(until)}`,
	ProviderLeft: ({ node, penalty }) => `node ${node}: its provider left early and pays you ${mill(penalty)}`,
	NodeFaulted: ({ node, provider, cause }, _, name) => `node ${node}: ${name(provider)} is out (${cause.type})`,
	LeaseExtended: ({ extraMs, amount: held }, asset) => `extended by ${duration(extraMs)} for ${amount(held, asset)}`,
	LeaseShrunk: ({ termMs, amount: back }, asset) => `shortened to ${duration(termMs)}; ${amount(back, asset)} came back`,
	LeaseToppedUp: ({ amount: held, fundedUntil }, asset) =>
		`topped up by ${amount(held, asset)}${fundedUntil.isSome ? `, funded until ${moment(fundedUntil.unwrap())}` : ''}`,
	LowBalance: ({ freezesAt, fundedUntil }) => `the funds end soon: jobs are frozen at ${moment(freezesAt)}, the lease ends at ${moment(fundedUntil)}. Top it up`,
	LeaseFrozen: ({ fundedUntil }) => `frozen: jobs stand still, the GPUs are held until ${moment(fundedUntil)}. Top it up`,
	LeaseThawed: () => 'thawed: jobs go on',
	JobSubmitted: ({ node, job, plan }) => `job ${job} submitted to node ${node}: plan ${short(plan)}`,
	JobFinished: ({ job, outcome }) => `job ${job} ${failure(outcome)}`,
	LeaseClosed: ({ reason, refunded, pending }, asset) =>
		`closed (${reason.type}): ${amount(refunded, asset)} came back${pending.isZero() ? '' : `, ${amount(pending, asset)} wait for the contest window`}`,
};

/** One line for an event of a lease; undefined for those that only say that all goes on. `name` says who an account is. */
export const tell = (event, asset, name = short) => (event.section === 'leases' ? LINES[event.method]?.(fields(event), asset, name) : undefined);
