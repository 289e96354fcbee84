//! An order's terms as JSON, in the fields of `millrace_primitives::OrderTerms`. What can be left out has the value that asks
//! for nothing in particular; a field that does not exist is refused.

use super::json::{AssetName, Whole};
use codec::DecodeAll;
use millrace_primitives::{
	Balance, BlobHash, ClassId, Constraints, Countries, Country, Failover, FirstJob, Matching, NodeIndex,
	OrderTerms, Term, MAX_COUNTRIES, MAX_NODES,
};
use serde::{Deserialize, Serialize};
use sp_runtime::Permill;

/// The terms in a request: JSON, or the SCALE encoding in hexadecimal digits. Read in two steps, so that a mistake is explained.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct TermsParam(serde_json::Value);

impl TermsParam {
	/// The terms, or what is wrong with them and how to put it right.
	pub(super) fn read(self) -> Result<OrderTerms, String> {
		match self.0 {
			serde_json::Value::String(hex) => from_scale(&hex),
			json => serde_json::from_value::<TermsJson>(json)
				.map_err(|problem| {
					format!("the order's terms cannot be read: {problem}; docs/rpc.md has an example")
				})?
				.try_into(),
		}
	}
}

fn from_scale(hex: &str) -> Result<OrderTerms, String> {
	let bytes = sp_core::bytes::from_hex(hex).map_err(|problem| {
		format!("the order's terms are a string, but not hexadecimal digits: {problem}; send a JSON object, or SCALE bytes as 0x…")
	})?;
	OrderTerms::decode_all(&mut bytes.as_slice()).map_err(|_| {
		"the order's terms are not the SCALE encoding of this runtime's OrderTerms; update the client's metadata"
			.into()
	})
}

/// [`OrderTerms`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TermsJson {
	class: u32,
	nodes: u32,
	gpus_per_node: u32,
	max_price: Whole<Balance>,
	#[serde(default)]
	asset: AssetName,
	term: TermJson,
	#[serde(default)]
	constraints: ConstraintsJson,
	#[serde(default)]
	failover: FailoverJson,
	#[serde(default)]
	matching: MatchingJson,
	#[serde(default)]
	starts_at: Option<Whole<u64>>,
	#[serde(default)]
	rests_ms: Whole<u64>,
	#[serde(default)]
	jobs: Vec<FirstJobJson>,
}

// Serde checks the fields of a variant with braces only, so that even empty ones have them.

/// [`Term`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum TermJson {
	Fixed { ms: Whole<u64> },
	OpenEnded { funded_ms: Whole<u64> },
}

/// [`Constraints`].
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ConstraintsJson {
	countries: CountriesJson,
	max_nodes_per_owner: Option<u32>,
	max_nodes_per_country: Option<u32>,
	max_nodes_per_network: Option<u32>,
	/// In parts per million.
	min_uptime: Option<u32>,
}

/// [`Countries`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
enum CountriesJson {
	Any {},
	Only { countries: Vec<String> },
	Except { countries: Vec<String> },
}

impl Default for CountriesJson {
	fn default() -> Self {
		Self::Any {}
	}
}

/// [`Failover`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
enum FailoverJson {
	Close {},
	Replace {
		/// In parts per million.
		premium: u32,
	},
}

impl Default for FailoverJson {
	fn default() -> Self {
		Self::Close {}
	}
}

/// [`Matching`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
enum MatchingJson {
	Instant {},
	Auction { blocks: u32 },
}

impl Default for MatchingJson {
	fn default() -> Self {
		Self::Instant {}
	}
}

/// [`FirstJob`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FirstJobJson {
	node: u8,
	plan: BlobHash,
}

impl From<OrderTerms> for TermsJson {
	fn from(terms: OrderTerms) -> Self {
		Self {
			class: terms.class.0,
			nodes: terms.nodes,
			gpus_per_node: terms.gpus_per_node,
			max_price: Whole(terms.max_price),
			asset: terms.asset.into(),
			term: match terms.term {
				Term::Fixed { ms } => TermJson::Fixed { ms: Whole(ms) },
				Term::OpenEnded { funded_ms } => TermJson::OpenEnded { funded_ms: Whole(funded_ms) },
			},
			constraints: terms.constraints.into(),
			failover: match terms.failover {
				Failover::Close => FailoverJson::Close {},
				Failover::Replace { premium } => FailoverJson::Replace { premium: premium.deconstruct() },
			},
			matching: match terms.matching {
				Matching::Instant => MatchingJson::Instant {},
				Matching::Auction { blocks } => MatchingJson::Auction { blocks },
			},
			starts_at: terms.starts_at.map(Whole),
			rests_ms: Whole(terms.rests_ms),
			jobs: terms
				.jobs
				.into_iter()
				.map(|job| FirstJobJson { node: job.node.0, plan: job.plan })
				.collect(),
		}
	}
}

impl From<Constraints> for ConstraintsJson {
	fn from(constraints: Constraints) -> Self {
		let names = |countries: &[Country]| {
			countries.iter().map(|country| String::from_utf8_lossy(country).into_owned()).collect()
		};
		Self {
			countries: match &constraints.countries {
				Countries::Any => CountriesJson::Any {},
				Countries::Only(countries) => CountriesJson::Only { countries: names(countries) },
				Countries::Except(countries) => CountriesJson::Except { countries: names(countries) },
			},
			max_nodes_per_owner: constraints.max_nodes_per_owner,
			max_nodes_per_country: constraints.max_nodes_per_country,
			max_nodes_per_network: constraints.max_nodes_per_network,
			min_uptime: constraints.min_uptime.map(Permill::deconstruct),
		}
	}
}

impl TryFrom<TermsJson> for OrderTerms {
	type Error = String;

	fn try_from(terms: TermsJson) -> Result<Self, String> {
		let jobs: Vec<_> = terms
			.jobs
			.into_iter()
			.map(|job| FirstJob { node: NodeIndex(job.node), plan: job.plan })
			.collect();
		Ok(Self {
			class: ClassId(terms.class),
			nodes: terms.nodes,
			gpus_per_node: terms.gpus_per_node,
			max_price: terms.max_price.0,
			asset: terms.asset.into(),
			term: match terms.term {
				TermJson::Fixed { ms } => Term::Fixed { ms: ms.0 },
				TermJson::OpenEnded { funded_ms } => Term::OpenEnded { funded_ms: funded_ms.0 },
			},
			constraints: terms.constraints.try_into()?,
			failover: match terms.failover {
				FailoverJson::Close {} => Failover::Close,
				FailoverJson::Replace { premium } => {
					Failover::Replace { premium: share(premium, "premium")? }
				}
			},
			matching: match terms.matching {
				MatchingJson::Instant {} => Matching::Instant,
				MatchingJson::Auction { blocks } => Matching::Auction { blocks },
			},
			starts_at: terms.starts_at.map(|start| start.0),
			rests_ms: terms.rests_ms.0,
			jobs: jobs.try_into().map_err(|_| {
				format!("an order can start at most {MAX_NODES} jobs; submit the others later")
			})?,
		})
	}
}

impl TryFrom<ConstraintsJson> for Constraints {
	type Error = String;

	fn try_from(constraints: ConstraintsJson) -> Result<Self, String> {
		Ok(Self {
			countries: match constraints.countries {
				CountriesJson::Any {} => Countries::Any,
				CountriesJson::Only { countries } => Countries::Only(codes(&countries)?),
				CountriesJson::Except { countries } => Countries::Except(codes(&countries)?),
			},
			max_nodes_per_owner: constraints.max_nodes_per_owner,
			max_nodes_per_country: constraints.max_nodes_per_country,
			max_nodes_per_network: constraints.max_nodes_per_network,
			min_uptime: constraints.min_uptime.map(|parts| share(parts, "minUptime")).transpose()?,
		})
	}
}

/// A list of countries, as the chain has it.
fn codes<B: TryFrom<Vec<Country>>>(names: &[String]) -> Result<B, String> {
	let codes: Vec<Country> = names
		.iter()
		.map(|name| {
			name.as_bytes()
				.try_into()
				.map_err(|_| format!("{name:?} is not a country; use two capital letters, such as \"CH\""))
		})
		.collect::<Result<_, _>>()?;
	B::try_from(codes).map_err(|_| format!("an order can name at most {MAX_COUNTRIES} countries"))
}

fn share(parts: u32, field: &str) -> Result<Permill, String> {
	if parts > 1_000_000 {
		return Err(format!("{field} is in parts per million, so at most 1000000; {parts} is more than all"));
	}
	Ok(Permill::from_parts(parts))
}

#[cfg(test)]
mod tests;
