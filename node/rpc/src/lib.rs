//! What people and their tools ask of the market: the book, quotes, leases, money, auctions. `docs/rpc.md` has an example of
//! each method.
//!
//! Every method reads the state of one block, the best one unless the caller names another, through the runtime's
//! `LeasesApi`. None of them needs a trusted caller: each answer is bounded.

mod answers;
mod json;
mod market;
mod terms;

use jsonrpsee::RpcModule;
use market::{Leases, LeasesRpcServer};
use millrace_primitives::{leases_api::LeasesApi, AccountId, OpaqueBlock};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// The methods `leases_*`.
pub fn methods<Client>(client: Arc<Client>) -> RpcModule<()>
where
	Client: ProvideRuntimeApi<OpaqueBlock> + HeaderBackend<OpaqueBlock> + 'static,
	Client::Api: LeasesApi<OpaqueBlock, AccountId>,
{
	LeasesRpcServer::into_rpc(Leases { client }).remove_context()
}
