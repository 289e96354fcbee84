//! The JSON of each answer is the documented one.

use super::*;
use millrace_primitives::{
	leases_api::{Level, Refusal},
	Asset, ClassId, Constraints, EscrowId, Failover, GpuIndex, LeaseId, Matching, NodeIndex, OrderId,
	OrderTerms, Term,
};
use serde_json::{json, to_value, Value};
use sp_core::crypto::Ss58Codec;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

fn account(address: &str) -> AccountId {
	AccountId::from_ss58check(address).unwrap()
}

fn json_of<Answer: From<T> + Serialize, T>(item: T) -> Value {
	to_value(Answer::from(item)).unwrap()
}

fn money() -> EscrowSummary<AccountId> {
	EscrowSummary {
		escrow: EscrowId(3),
		payer: account(ALICE),
		asset: Asset::Token(7),
		deposited: 100,
		refunded: 10,
		paid: 9,
		fee: 1,
		free: 50,
		claimable: 10,
		maturing: 15,
		contested: 5,
		closing: false,
	}
}

fn money_json() -> Value {
	json!({
		"escrow": "3",
		"payer": ALICE,
		"asset": { "token": 7 },
		"deposited": "100",
		"refunded": "10",
		"paid": "9",
		"fee": "1",
		"free": "50",
		"claimable": "10",
		"maturing": "15",
		"contested": "5",
		"closing": false,
	})
}

fn terms() -> OrderTerms {
	OrderTerms {
		class: ClassId(0),
		nodes: 1,
		gpus_per_node: 1,
		max_price: 5,
		asset: Asset::Native,
		term: Term::Fixed { ms: 60_000 },
		constraints: Constraints::default(),
		failover: Failover::Close,
		matching: Matching::Instant,
		starts_at: None,
		rests_ms: 0,
		jobs: Default::default(),
	}
}

#[test]
fn depth() {
	let depth = Depth {
		class: ClassId(1),
		asset: Asset::Native,
		levels: vec![Level { price: 10_000_000_007, gpus: 8, asks: 2 }],
		resting_orders: 3,
		truncated: false,
	};
	let documented = json!({
		"class": 1,
		"asset": "native",
		"levels": [{ "price": "10000000007", "gpus": 8, "asks": 2 }],
		"restingOrders": 3,
		"truncated": false,
	});
	assert_eq!(json_of::<DepthAnswer, _>(depth), documented);
}

#[test]
fn quotes() {
	let node = QuotedNode { provider: account(BOB), ask: AskId(4), price: 5 };
	let matched = Quote::Match { nodes: vec![node], rate: 10, deposit: 600 };
	let documented = json!({
		"kind": "match",
		"nodes": [{ "provider": BOB, "ask": "4", "price": "5" }],
		"rate": "10",
		"deposit": "600",
	});
	assert_eq!(json_of::<QuoteAnswer, _>(matched), documented);
	let asks = vec![(AskId(4), Refusal::OwnerLimit)];
	let no_match = Quote::NoMatch { nodes_found: 1, closest: Refusal::NotLive, asks };
	let documented = json!({
		"kind": "noMatch",
		"nodesFound": 1,
		"closest": "notLive",
		"asks": [{ "ask": "4", "refusal": "ownerLimit" }],
	});
	assert_eq!(json_of::<QuoteAnswer, _>(no_match), documented);
	let invalid = Quote::Invalid { error: "ZeroNodes".into() };
	assert_eq!(json_of::<QuoteAnswer, _>(invalid), json!({ "kind": "invalid", "error": "ZeroNodes" }));
}

#[test]
fn lease_and_escrow() {
	let node = NodeSummary {
		node: NodeIndex(0),
		provider: account(BOB),
		status: NodeStatus::Active,
		gpus: vec![GpuIndex(0), GpuIndex(2)],
		price: 5,
		generation: 1,
		attested_at: 1_800_000_000_000,
	};
	let lease = LeaseSummary {
		lease: LeaseId(3),
		renter: account(ALICE),
		status: LeaseStatus::Active,
		nodes: vec![node],
		rate: 10,
		ready_at: Some(1_799_999_990_000),
		ends_at: None,
		funded_until: Some(1_800_000_060_000),
		money: money(),
	};
	let documented = json!({
		"lease": "3",
		"renter": ALICE,
		"status": { "kind": "active" },
		"nodes": [{
			"node": 0,
			"provider": BOB,
			"status": { "kind": "active" },
			"gpus": [0, 2],
			"price": "5",
			"generation": 1,
			"attestedAt": "1800000000000",
		}],
		"rate": "10",
		"readyAt": "1799999990000",
		"endsAt": null,
		"fundedUntil": "1800000060000",
		"money": money_json(),
	});
	assert_eq!(json_of::<LeaseAnswer, _>(lease), documented);
	assert_eq!(json_of::<EscrowAnswer, _>(money()), money_json());
}

#[test]
fn statuses() {
	let lease = |status| json_of::<LeaseStatusAnswer, LeaseStatus>(status);
	assert_eq!(lease(LeaseStatus::Pending), json!({ "kind": "pending" }));
	assert_eq!(lease(LeaseStatus::Frozen { since: 7 }), json!({ "kind": "frozen", "since": "7" }));
	let closed = LeaseStatus::Closed(CloseReason::FundsExhausted);
	assert_eq!(lease(closed), json!({ "kind": "closed", "reason": "fundsExhausted" }));

	let node = |status| json_of::<NodeStatusAnswer, NodeStatus>(status);
	assert_eq!(node(NodeStatus::Pending { since: 7 }), json!({ "kind": "pending", "since": "7" }));
	let suspended = NodeStatus::Suspended { since: 7, leaves_at: Some(9) };
	assert_eq!(node(suspended), json!({ "kind": "suspended", "since": "7", "leavesAt": "9" }));
	assert_eq!(node(NodeStatus::Reclaiming { until: 7 }), json!({ "kind": "reclaiming", "until": "7" }));
	let faulted = NodeStatus::Faulted { since: 7, cause: FaultCause::NotReady };
	assert_eq!(node(faulted), json!({ "kind": "faulted", "since": "7", "cause": "notReady" }));
}

#[test]
fn claims() {
	let claim = Claim { escrow: EscrowId(3), asset: Asset::Native, claimable: 98, maturing: 20 };
	let documented = json!({ "escrow": "3", "asset": "native", "claimable": "98", "maturing": "20" });
	assert_eq!(json_of::<ClaimAnswer, _>(claim), documented);
}

#[test]
fn auctions_and_orders() {
	let auction = Auction {
		order: OrderId(6),
		renter: account(ALICE),
		terms: OrderTerms { matching: Matching::Auction { blocks: 20 }, ..terms() },
		ends_at_block: 120,
		bids: vec![(account(BOB), 4)],
	};
	let json = json_of::<AuctionAnswer, _>(auction);
	assert_eq!(json["order"], json!("6"));
	assert_eq!(json["terms"]["matching"], json!({ "kind": "auction", "blocks": 20 }));
	assert_eq!(json["endsAtBlock"], json!(120));
	assert_eq!(json["bids"], json!([{ "provider": BOB, "price": "4" }]));

	let order = WaitingOrder { order: OrderId(6), renter: account(ALICE), terms: terms(), expires_at: 9 };
	let json = json_of::<OrderAnswer, _>(order);
	assert_eq!((json["renter"].clone(), json["expiresAt"].clone()), (json!(ALICE), json!("9")));
	assert_eq!(json["terms"]["term"], json!({ "kind": "fixed", "ms": "60000" }));
}
