//! Reading terms: what is accepted, and what is said of what is not.

use super::{TermsJson, TermsParam};
use codec::Encode;
use millrace_primitives::{
	Asset, ClassId, Constraints, Countries, Failover, FirstJob, Matching, NodeIndex, OrderTerms, Term,
};
use serde_json::{json, Value};
use sp_core::H256;
use sp_runtime::Permill;

fn plain() -> Value {
	json!({
		"class": 0,
		"nodes": 1,
		"gpusPerNode": 2,
		"maxPrice": "10000000000",
		"term": { "kind": "fixed", "ms": 60000 },
	})
}

fn read(terms: Value) -> Result<OrderTerms, String> {
	serde_json::from_value::<TermsParam>(terms).unwrap().read()
}

/// The plain terms with one field set.
fn with(field: &str, value: Value) -> Value {
	let mut terms = plain();
	terms[field] = value;
	terms
}

fn plain_order() -> OrderTerms {
	OrderTerms {
		class: ClassId(0),
		nodes: 1,
		gpus_per_node: 2,
		max_price: 10_000_000_000,
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

fn full_order() -> OrderTerms {
	OrderTerms {
		asset: Asset::Token(7),
		term: Term::OpenEnded { funded_ms: 3_600_000 },
		constraints: Constraints {
			countries: Countries::Except(vec![*b"CH", *b"IS"].try_into().unwrap()),
			max_nodes_per_owner: Some(1),
			max_nodes_per_country: Some(2),
			max_nodes_per_network: Some(3),
			min_uptime: Some(Permill::from_parts(995_000)),
		},
		failover: Failover::Replace { premium: Permill::from_percent(25) },
		matching: Matching::Auction { blocks: 20 },
		starts_at: Some(1_800_000_000_000),
		rests_ms: 5_000,
		jobs: vec![FirstJob { node: NodeIndex(1), plan: H256::repeat_byte(9) }].try_into().unwrap(),
		..plain_order()
	}
}

#[test]
fn what_is_left_out_asks_for_nothing_in_particular() {
	assert_eq!(read(plain()), Ok(plain_order()));
}

#[test]
fn every_field_survives_the_way_out_and_back() {
	for order in [plain_order(), full_order()] {
		let json = serde_json::to_value(TermsJson::from(order.clone())).unwrap();
		assert_eq!(read(json), Ok(order));
	}
	let only = Countries::Only(vec![*b"DE"].try_into().unwrap());
	let json = with("constraints", json!({ "countries": { "kind": "only", "countries": ["DE"] } }));
	assert_eq!(read(json).unwrap().constraints.countries, only);
}

#[test]
fn the_json_is_the_documented_one() {
	let json = serde_json::to_value(TermsJson::from(full_order())).unwrap();
	let documented = json!({
		"class": 0,
		"nodes": 1,
		"gpusPerNode": 2,
		"maxPrice": "10000000000",
		"asset": { "token": 7 },
		"term": { "kind": "openEnded", "fundedMs": "3600000" },
		"constraints": {
			"countries": { "kind": "except", "countries": ["CH", "IS"] },
			"maxNodesPerOwner": 1,
			"maxNodesPerCountry": 2,
			"maxNodesPerNetwork": 3,
			"minUptime": 995000,
		},
		"failover": { "kind": "replace", "premium": 250000 },
		"matching": { "kind": "auction", "blocks": 20 },
		"startsAt": "1800000000000",
		"restsMs": "5000",
		"jobs": [{ "node": 1, "plan": format!("0x{}", "09".repeat(32)) }],
	});
	assert_eq!(json, documented);
}

#[test]
fn scale_bytes_are_read_too() {
	let hex = sp_core::bytes::to_hex(&full_order().encode(), false);
	assert_eq!(read(json!(hex)), Ok(full_order()));
	assert!(read(json!("0x0")).unwrap_err().contains("SCALE"));
	assert!(read(json!(format!("{hex}00"))).unwrap_err().contains("SCALE"));
	assert!(read(json!("cheap")).unwrap_err().contains("hexadecimal"));
}

#[test]
fn a_mistake_is_named() {
	let cases = [
		(with("maxprice", json!(1)), "unknown field `maxprice`"),
		(with("term", json!({ "kind": "fixed", "ms": 1, "fundedMs": 1 })), "unknown field `fundedMs`"),
		(with("term", json!({ "kind": "forever" })), "unknown variant `forever`"),
		(with("failover", json!({ "kind": "close", "premium": 1 })), "unknown field `premium`"),
		(with("matching", json!({ "kind": "instant", "blocks": 1 })), "unknown field `blocks`"),
		(with("constraints", json!({ "maxNodesPerGalaxy": 1 })), "unknown field `maxNodesPerGalaxy`"),
		(with("maxPrice", json!(0.5)), "a whole number that is not negative"),
		(with("maxPrice", Value::Null), "a whole number that is not negative"),
		(
			with("failover", json!({ "kind": "replace", "premium": 1_000_001 })),
			"premium is in parts per million",
		),
		(with("constraints", json!({ "minUptime": 1_000_001 })), "minUptime is in parts per million"),
		(
			with("constraints", json!({ "countries": { "kind": "only", "countries": ["Chile"] } })),
			"\"Chile\" is not a country",
		),
		(
			with("constraints", json!({ "countries": { "kind": "except", "countries": vec!["CH"; 17] } })),
			"at most 16 countries",
		),
		(with("jobs", json!(vec![json!({ "node": 0, "plan": H256::zero() }); 17])), "at most 16 jobs"),
	];
	for (terms, expected) in cases {
		let problem = read(terms).unwrap_err();
		assert!(problem.contains(expected), "{problem}");
	}
	let mut without = plain();
	without.as_object_mut().unwrap().remove("nodes");
	assert!(read(without).unwrap_err().contains("missing field `nodes`"));
}
