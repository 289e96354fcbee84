// Slashes: what is on hold for faults of providers, what can be done about it now, and what became of it.

import { UserError } from './cli.mjs';
import { eventOf, fields, send } from './chain.mjs';
import { duration, mill, moment, percent } from './format.mjs';
import { fileBytes } from './input.mjs';
import { blobHash } from './job.mjs';

const CAUSES = {
	Dark: 'its reports stayed away',
	GpuLost: 'GPUs were lost',
	NotReady: 'it was not ready in time',
	FalseHardware: 'false hardware',
	BadResult: 'a wrong result',
};

/** Why a provider is slashed, in words. */
export const causeOf = (cause) => CAUSES[cause] ?? String(cause);

function slashing(api) {
	if (!api.query.slashing) throw new UserError('this chain has no slashing pallet: its runtime is older than this script, and nobody is slashed on it');
	return api.query.slashing;
}

/** A slash as the chain stores it, in plain values: amounts are bigints, moments numbers, what is not there null. */
export function plainSlash(id, slash) {
	const status = slash.status.value;
	const kind = slash.status.type;
	return {
		slash: String(id),
		provider: slash.provider.toString(),
		lease: slash.lease.unwrapOr(null)?.toString() ?? null,
		renter: slash.renter.unwrapOr(null)?.toString() ?? null,
		cause: slash.cause.type,
		leaseBond: slash.leaseBond.toBigInt(),
		held: slash.held.toBigInt(),
		mayBeExcused: slash.faults.reduce((sum, { amount }) => sum + amount.toBigInt(), 0n),
		unjudged: slash.faults.length,
		unserved: slash.unserved.unwrapOr(null)?.toBigInt() ?? null,
		openedAt: slash.openedAt.toNumber(),
		status: kind,
		executesAt: kind === 'Deferred' ? status.executesAt.toNumber() : kind === 'Appealed' ? status.lapsesAt.toNumber() : null,
		appeal: kind === 'Appealed' ? { bond: status.bond.toBigInt(), evidence: status.evidence.toHex() } : null,
	};
}

/** The slash of this number; null if there is none, or it is over. */
export async function slashOf(api, id) {
	const slash = (await slashing(api).slashes(id)).unwrapOr(null);
	return slash && plainSlash(id, slash);
}

/** The slashes that are not over, of a provider or all, oldest first. */
export async function slashesOf(api, provider) {
	const { slashes, slashesOf: index } = slashing(api);
	if (!provider) return sorted((await slashes.entries()).map(([key, slash]) => plainSlash(key.args[0], slash.unwrap())));
	const ids = (await index.keys(provider)).map((key) => key.args[1]);
	const found = await slashes.multi(ids);
	// One may have ended between the two questions.
	return sorted(ids.flatMap((id, at) => (found[at].isSome ? [plainSlash(id, found[at].unwrap())] : [])));
}

const sorted = (list) => list.sort((a, b) => (BigInt(a.slash) < BigInt(b.slash) ? -1 : 1));

/** How far a slash has come, in words. `now` is the chain's time. */
export function statusOf({ status, executesAt }, now) {
	if (status === 'Open') return 'counting';
	const left = executesAt - now;
	const when = left > 0 ? `is paid out in ${duration(left)}, at ${moment(executesAt, now)}` : 'is due';
	return status === 'Appealed' ? (left > 0 ? `appealed; without a verdict ${when}` : 'appealed; no verdict in time, is due') : when;
}

/** What can be done about a slash now, a sentence each. */
export function stepsFor(slash, now) {
	const { slash: id, status, executesAt, unjudged, mayBeExcused, appeal } = slash;
	const steps = [];
	if (unjudged) steps.push(`${mill(mayBeExcused)} of it may still turn out to be nobody's fault, and comes back by itself then`);
	if (status === 'Open') return [...steps, "the provider: start the node that serves it again. Each further epoch costs more; it can be appealed when the node is served again, or is lost"];
	if (executesAt <= now) return [...steps, `nothing: the chain pays it out by itself${unjudged ? ' when that is known' : ''}; if it is too busy, anybody with slashing.execute(${id})`];
	const until = moment(executesAt, now);
	if (status === 'Deferred') steps.push(`the provider, until ${until}: node client/appeal.mjs --account SURI --slash ${id} --evidence FILE`);
	const verdicts = status === 'Appealed' ? "'Uphold', { Reduce: { keep } } or 'Cancel'" : "{ Reduce: { keep } } or 'Cancel'";
	const evidence = appeal ? `; evidence ${appeal.evidence}` : '';
	steps.push(unjudged ? 'the council: wait some epochs until all of it is judged, then decide' : `the council, until ${until}: slashing.resolve(${id}, ${verdicts}) through council.propose${evidence}`);
	return steps;
}

/** Why this account cannot appeal against the slash now, with what to do; null if it can. */
export function appealRefusal(slash, id, account, now) {
	if (!slash) return `there is no slash ${id}: it was paid out, cancelled or excused, or never was. slashes.mjs lists those that are pending`;
	if (slash.provider !== account) return `slash ${id} is that of ${slash.provider}: only this account can appeal, the one that holds the bond, not a worker's`;
	if (slash.status === 'Open') return `slash ${id} still counts: serve lease ${slash.lease} again, or wait until the chain takes it away; appeal after that`;
	if (slash.status === 'Appealed') return `slash ${id} is appealed already: wait for the verdict, until ${moment(slash.executesAt, now)}`;
	if (slash.executesAt <= now) return `the time to appeal against slash ${id} is over: it is paid out now. Ask the council for slashing.payFromInsurance if that is wrong`;
	return null;
}

/** The hash in the value of `--evidence`: itself, or the BLAKE3 hash of the file that it names. */
export function evidenceHash(text) {
	if (text === undefined) throw new UserError('--evidence is missing: name the file that you show to the council, or its BLAKE3 hash');
	if (/^0x[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
	if (/^0x[0-9a-f]*$/i.test(text)) throw new UserError(`--evidence ${text} is not a BLAKE3 hash: that is 0x and 64 digits; or name the file itself`);
	return blobHash(fileBytes(text, 'evidence'));
}

/** Appeals against a slash. Returns its block, the bond that it holds, and when the slash is paid out without a verdict. */
export async function appeal(api, pair, slash, evidence) {
	const { events, number } = await send(api, api.tx.slashing.appeal(slash, evidence), pair);
	const { bond, lapsesAt } = fields(eventOf(events, 'slashing', 'Appealed'));
	return { slash: String(slash), block: number, bond: bond.toBigInt(), lapsesAt: lapsesAt.toNumber(), evidence };
}

/** Held in an account's bond for pending slashes, and what is left of the bond's hold, in plancks. */
export async function bondOf(api, address) {
	const holds = (await api.query.balances.holds(address)).filter(({ id }) => id.type === 'Providers');
	const held = (reason) => holds.find(({ id }) => id.value.type === reason)?.amount.toBigInt() ?? 0n;
	return { bond: held('Bond'), pending: held('PendingSlash') };
}

/** One line for an event of a slash; undefined for others. `name` says who an account is. */
export const tellSlash = (event, name = String) => (event.section === 'slashing' ? LINES[event.method]?.(fields(event), name) : undefined);

const VERDICTS = { Uphold: () => 'upheld', Reduce: ({ keep }) => `reduced to ${percent(keep)}`, Cancel: () => 'cancelled' };

const LINES = {
	EpisodeBegan: ({ slash, provider, lease, cause }, name) => `slash ${slash} begins: ${name(provider)} does not serve lease ${lease} (${causeOf(cause.type)})`,
	FaultCounted: ({ slash, epoch, epochs, amount, held }) =>
		`slash ${slash}, epoch ${epoch}: ${mill(amount)} of the bond on hold${Number(epochs) === 1 ? '' : ` for ${epochs} epochs`}, ${mill(held)} in all`,
	FaultNotCounted: ({ slash, epoch }) => `slash ${slash}, epoch ${epoch}: not counted, for too many faults wait to be judged`,
	FaultExcused: ({ slash, epoch, excuse, amount }) => `slash ${slash}, epoch ${epoch}: nobody's fault (${excuse.type}); ${mill(amount)} are bond again`,
	EpisodeEnded: ({ slash, held, executesAt }) => `slash ${slash} ends at ${mill(held)}, and is paid out at ${moment(executesAt)} if nothing else is decided`,
	SlashDropped: ({ slash }) => `slash ${slash} is gone: nothing is left of it`,
	Condemned: ({ slash, provider, offence, amount }, name) => `slash ${slash} begins: the council found ${causeOf(offence.type)} at ${name(provider)}; ${mill(amount)} on hold`,
	Appealed: ({ slash, bond }) => `slash ${slash} is appealed, with a bond of ${mill(bond)}`,
	AppealLapsed: ({ slash, bond }) => `slash ${slash}: no verdict in time; the appeal's bond of ${mill(bond)} is back`,
	Resolved: ({ slash, verdict, returned, bondLost, bond }) =>
		`slash ${slash} is ${VERDICTS[verdict.type]?.(verdict.value) ?? verdict.type}: ${mill(returned)} are bond again${bond.isZero() ? '' : `; the appeal's bond of ${mill(bond)} is ${bondLost.isTrue ? 'lost' : 'back'}`}`,
	SlashExecuted: ({ slash, toRenter, toInsurance, toTreasury }) =>
		`slash ${slash} is paid out: ${mill(toRenter)} to the renter, ${mill(toInsurance)} to the insurance pool, ${mill(toTreasury)} to the treasury`,
};

/**
 * What became of each slash, from the pallet's events alone, oldest first: `events` are those of `eventsOf`, from before the first slash.
 *
 * - `faults`: what was held, epoch by epoch; `detected`: all of it
 * - `excused`: was nobody's fault; `returned`: by a verdict; `executed`: paid out, to whom in `toRenter`, `toInsurance`, `toTreasury`
 * - `left`: still on hold; `adds`: whether no more came back and was paid out than was held, and nothing is left of one that is over
 */
export function slashBooks(events) {
	const books = new Map();
	for (const { block, event } of events) {
		const data = fields(event);
		const id = data.slash?.toString();
		if (id === undefined) continue;
		if (!books.has(id)) books.set(id, newBook(id, data));
		const book = books.get(id);
		ENTRIES[event.method]?.(book, data, block);
		book.blocks[event.method] ??= block;
	}
	return [...books.values()].map((book) => {
		const left = book.detected - book.excused - book.returned - book.executed;
		const says = book.verdict?.executed ?? book.executed;
		return { ...book, left, adds: left >= 0n && (!book.over || left === 0n) && says === book.executed };
	});
}

const newBook = (slash, { provider, lease, renter, cause, offence }) => ({
	slash,
	provider: provider?.toString() ?? null,
	lease: offence ? null : (lease?.toString() ?? null),
	renter: offence ? null : (renter?.toString() ?? null),
	cause: (cause ?? offence)?.type ?? null,
	faults: [],
	detected: 0n,
	excused: 0n,
	returned: 0n,
	executed: 0n,
	toRenter: 0n,
	toInsurance: 0n,
	toTreasury: 0n,
	verdict: null,
	over: false,
	blocks: {},
});

const ENTRIES = {
	FaultCounted: (book, { epoch, epochs, amount, held }, block) => {
		book.faults.push({ block, epoch: epoch.toNumber(), epochs: epochs.toNumber(), amount: amount.toBigInt(), held: held.toBigInt() });
		book.detected += amount.toBigInt();
	},
	Condemned: (book, { amount }) => (book.detected += amount.toBigInt()),
	FaultExcused: (book, { amount }) => (book.excused += amount.toBigInt()),
	SlashDropped: (book) => (book.over = true),
	Resolved: (book, { verdict, executed, returned, bond, bondLost }) => {
		book.returned += returned.toBigInt();
		// What nobody has appealed against is paid out later: no promise about that.
		const atOnce = executed.toBigInt();
		book.verdict = { kind: verdict.type, executed: atOnce > 0n ? atOnce : undefined, bond: bond.toBigInt(), bondLost: bondLost.isTrue };
		book.over ||= verdict.type === 'Cancel';
	},
	SlashExecuted: (book, { toRenter, toInsurance, toTreasury }) => {
		Object.assign(book, { toRenter: toRenter.toBigInt(), toInsurance: toInsurance.toBigInt(), toTreasury: toTreasury.toBigInt(), over: true });
		book.executed += book.toRenter + book.toInsurance + book.toTreasury;
	},
};
