//! The methods, and how they ask the runtime.

use crate::{
	answers::{
		self, AuctionAnswer, ClaimAnswer, DepthAnswer, EscrowAnswer, LeaseAnswer, OrderAnswer, QuoteAnswer,
	},
	json::{AssetName, Whole},
	terms::TermsParam,
};
use jsonrpsee::{core::RpcResult, proc_macros::rpc, types::ErrorObjectOwned};
use millrace_primitives::{
	leases_api::LeasesApi, AccountId, ClassId, EscrowId, Hash, LeaseId, OpaqueBlock, OrderId,
};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Error codes of these methods, next to those of the worker's.
mod code {
	pub(super) const BAD_TERMS: i32 = 9020;
	pub(super) const NO_STATE: i32 = 9021;
}

/// The market.
#[rpc(server)]
trait LeasesRpc {
	/// The book of a class in one asset, cheapest first.
	#[method(name = "leases_depth", blocking)]
	fn depth(&self, class: u32, asset: Option<AssetName>, at: Option<Hash>) -> RpcResult<DepthAnswer>;

	/// What an order would get now, or why nothing. Holds and reserves nothing.
	#[method(name = "leases_quote", blocking)]
	fn quote(&self, renter: AccountId, terms: TermsParam, at: Option<Hash>) -> RpcResult<QuoteAnswer>;

	/// A lease with its money; null if it is closed or was never opened.
	#[method(name = "leases_lease", blocking)]
	fn lease(&self, lease: Whole<u64>, at: Option<Hash>) -> RpcResult<Option<LeaseAnswer>>;

	/// Where the money of an order, of a lease, or of a closed lease is; null if all of it has been paid out.
	#[method(name = "leases_escrow", blocking)]
	fn escrow(&self, escrow: Whole<u64>, at: Option<Hash>) -> RpcResult<Option<EscrowAnswer>>;

	/// What an account has earned and could settle, now or later.
	#[method(name = "leases_claimable", blocking)]
	fn claimable(&self, account: AccountId, at: Option<Hash>) -> RpcResult<Vec<ClaimAnswer>>;

	/// Open auctions of a class, oldest first.
	#[method(name = "leases_auctions", blocking)]
	fn auctions(&self, class: u32, at: Option<Hash>) -> RpcResult<Vec<AuctionAnswer>>;

	/// A waiting order; null if it does not wait any more.
	#[method(name = "leases_order", blocking)]
	fn order(&self, order: Whole<u64>, at: Option<Hash>) -> RpcResult<Option<OrderAnswer>>;
}

pub(crate) struct Leases<Client> {
	pub(crate) client: Arc<Client>,
}

impl<Client: HeaderBackend<OpaqueBlock>> Leases<Client> {
	/// The block to ask: the one that the caller named, or the best.
	fn block(&self, at: Option<Hash>) -> Hash {
		at.unwrap_or_else(|| self.client.info().best_hash)
	}
}

impl<Client> LeasesRpcServer for Leases<Client>
where
	Client: ProvideRuntimeApi<OpaqueBlock> + HeaderBackend<OpaqueBlock> + 'static,
	Client::Api: LeasesApi<OpaqueBlock, AccountId>,
{
	fn depth(&self, class: u32, asset: Option<AssetName>, at: Option<Hash>) -> RpcResult<DepthAnswer> {
		let at = self.block(at);
		let asset = asset.unwrap_or_default().into();
		let depth = self.client.runtime_api().depth(at, ClassId(class), asset);
		depth.map(Into::into).map_err(|failure| no_state(at, &failure))
	}

	fn quote(&self, renter: AccountId, terms: TermsParam, at: Option<Hash>) -> RpcResult<QuoteAnswer> {
		let at = self.block(at);
		let terms = terms.read().map_err(|problem| error(code::BAD_TERMS, problem))?;
		let quote = self.client.runtime_api().quote(at, renter, terms);
		quote.map(Into::into).map_err(|failure| no_state(at, &failure))
	}

	fn lease(&self, Whole(lease): Whole<u64>, at: Option<Hash>) -> RpcResult<Option<LeaseAnswer>> {
		let at = self.block(at);
		let summary = self.client.runtime_api().lease(at, LeaseId(lease));
		summary.map(|lease| lease.map(Into::into)).map_err(|failure| no_state(at, &failure))
	}

	fn escrow(&self, Whole(escrow): Whole<u64>, at: Option<Hash>) -> RpcResult<Option<EscrowAnswer>> {
		let at = self.block(at);
		let summary = self.client.runtime_api().escrow(at, EscrowId(escrow));
		summary.map(|escrow| escrow.map(Into::into)).map_err(|failure| no_state(at, &failure))
	}

	fn claimable(&self, account: AccountId, at: Option<Hash>) -> RpcResult<Vec<ClaimAnswer>> {
		let at = self.block(at);
		let claims = self.client.runtime_api().claimable(at, account);
		claims.map(answers::all).map_err(|failure| no_state(at, &failure))
	}

	fn auctions(&self, class: u32, at: Option<Hash>) -> RpcResult<Vec<AuctionAnswer>> {
		let at = self.block(at);
		let auctions = self.client.runtime_api().auctions(at, ClassId(class));
		auctions.map(answers::all).map_err(|failure| no_state(at, &failure))
	}

	fn order(&self, Whole(order): Whole<u64>, at: Option<Hash>) -> RpcResult<Option<OrderAnswer>> {
		let at = self.block(at);
		let waiting = self.client.runtime_api().order(at, OrderId(order));
		waiting.map(|order| order.map(Into::into)).map_err(|failure| no_state(at, &failure))
	}
}

/// The runtime could not be asked at this block.
fn no_state(at: Hash, failure: &ApiError) -> ErrorObjectOwned {
	let advice = "name a block whose state this node keeps, or leave it out to ask at the best one";
	error(code::NO_STATE, format!("the state of block {at:?} cannot be read: {failure}; {advice}"))
}

fn error(code: i32, message: impl Into<String>) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code, message, None::<()>)
}
