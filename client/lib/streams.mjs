// Which part of a lease's money a provider earns.

import { UserError } from './cli.mjs';

/** The stream of a provider in the escrow of a lease; of its only one if none is named. */
export async function streamOf(api, lease, provider) {
	const escrow = (await api.query.settlement.escrows(lease)).unwrapOr(null);
	if (!escrow) throw new UserError(`lease ${lease} has no money left: it is fully paid, or there never was one`);
	const streams = escrow.streams.filter(({ payee }) => !provider || payee.toString() === provider);
	const names = escrow.streams.map(({ payee }) => `\n       --provider ${payee}`).join('');
	if (!streams.length) throw new UserError(provider ? `${provider} earns nothing of lease ${lease}; these do:${names}` : `nobody has earned anything of lease ${lease} yet`);
	if (streams.length > 1) throw new UserError(`several providers earn from lease ${lease}: name one${names}`);
	return { stream: streams[0].id.toNumber(), provider: streams[0].payee.toString(), asset: escrow.asset };
}
