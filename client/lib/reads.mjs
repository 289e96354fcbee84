// What the node tells of the market in one question each: its `leases_*` RPC methods (docs/rpc.md).

import { callNode } from './chain.mjs';

const assetParam = (asset) => (asset === 'Native' ? 'native' : { token: asset.Token });

/** The book of a class: prices, GPUs and asks, cheapest first. */
export const depth = (api, classId, asset = 'Native') => callNode(api, 'leases_depth', classId, assetParam(asset));

/** What an order would get now, or why nothing. The terms go over as the bytes that the transaction would have. */
export const quote = (api, renter, terms) => callNode(api, 'leases_quote', renter, api.tx.leases.placeOrder(terms).args[0].toHex());

/** A lease with its money; null if it is closed or was never opened. */
export const leaseOf = (api, lease) => callNode(api, 'leases_lease', Number(lease));

/** Where the money of an order, a lease, or a closed lease that is not fully paid is; null if it is all paid. */
export const escrowOf = (api, escrow) => callNode(api, 'leases_escrow', Number(escrow));

/** What an account could settle. */
export const claimable = (api, account) => callNode(api, 'leases_claimable', account);

/** Open auctions of a class, oldest first. */
export const auctions = (api, classId) => callNode(api, 'leases_auctions', classId);

/** A waiting order; null if it waits no more. */
export const orderOf = (api, order) => callNode(api, 'leases_order', Number(order));
