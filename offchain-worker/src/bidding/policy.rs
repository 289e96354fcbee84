//! The bid policy: what the operator allows the worker to bid, from a TOML file that stays on this machine.
//!
//! The form of the file is explained in `docs/examples/bid-policy.toml`. It is strict: an unknown key, a price that cannot be read
//! exactly or an offer that is there twice is refused with its line, because a policy that is half understood costs money.

use millrace_primitives::{Asset, Balance, ClassId};
use serde::Deserialize;
use sp_runtime::Permill;
use std::{collections::BTreeMap, ops::Range, str::FromStr};
use toml::Spanned;

/// Decimals of the native token.
const MILL_DECIMALS: u32 = 12;
/// Live bids that the chain allows one provider.
const MOST_LIVE_BIDS: u32 = 32;

/// How the worker bids. Parsed from the text of a policy file; the error names the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BidPolicy {
	/// What may be offered, by class and by what it is paid in.
	pub(crate) offers: BTreeMap<(ClassId, Asset), Offer>,
	/// How much below the rival to bid.
	pub(crate) undercut: Permill,
	/// Shortest term, or time funded in advance, in milliseconds.
	pub(crate) min_term_ms: u64,
	/// Longest fixed term, in milliseconds.
	pub(crate) max_term_ms: Option<u64>,
	/// Whether leases without an end are welcome.
	pub(crate) open_ended: bool,
	/// Notice offered, in milliseconds.
	pub(crate) reclaim_notice_ms: u64,
	/// Most auctions to have a live bid in.
	pub(crate) max_live_bids: u32,
}

/// What may be offered of one class for one asset. Prices are per GPU and second, in the asset's smallest unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Offer {
	/// Lowest price.
	pub(crate) floor: Balance,
	/// Highest price, even where the order would pay more.
	pub(crate) ceiling: Option<Balance>,
	/// Most GPUs of one node.
	pub(crate) max_gpus_per_node: Option<u32>,
}

impl BidPolicy {
	/// The classes that the policy is about, each once.
	pub(crate) fn classes(&self) -> Vec<ClassId> {
		let mut classes: Vec<_> = self.offers.keys().map(|(class, _)| *class).collect();
		// Keys come in order, so that equal classes are neighbours.
		classes.dedup();
		classes
	}
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
	offer: Vec<FileOffer>,
	reclaim_notice_seconds: u32,
	#[serde(default = "one_percent")]
	undercut_percent: Spanned<f64>,
	#[serde(default)]
	min_term_seconds: u32,
	max_term_seconds: Option<u32>,
	#[serde(default)]
	open_ended: bool,
	#[serde(default = "eight")]
	max_live_bids: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOffer {
	class: Spanned<u32>,
	asset: Option<FileAsset>,
	floor: Spanned<String>,
	ceiling: Option<Spanned<String>>,
	max_gpus_per_node: Option<u32>,
}

/// `"native"`, or the number of an asset.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an asset is \"native\" or the number of one")]
enum FileAsset {
	Native(Native),
	Token(u32),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Native {
	Native,
}

fn one_percent() -> Spanned<f64> {
	Spanned::new(0..0, 1.0)
}

fn eight() -> Spanned<u32> {
	Spanned::new(0..0, 8)
}

impl FromStr for BidPolicy {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let file: File = toml::from_str(text)
			.map_err(|error: toml::de::Error| located(text, error.span(), error.message()))?;
		let wrong = |span: Range<usize>, what: &str| located(text, Some(span), what);

		let mut offers = BTreeMap::new();
		for offer in &file.offer {
			let (asset, decimals) = match offer.asset {
				None | Some(FileAsset::Native(Native::Native)) => (Asset::Native, MILL_DECIMALS),
				// The chain counts an asset in its smallest unit, and so does the file.
				Some(FileAsset::Token(number)) => (Asset::Token(number), 0),
			};
			let price = |text: &Spanned<String>| {
				amount(text.get_ref(), decimals).map_err(|why| wrong(text.span(), &why))
			};
			let floor = price(&offer.floor)?;
			if floor == 0 {
				return Err(wrong(offer.floor.span(), "a floor is above zero"));
			}
			let ceiling = offer.ceiling.as_ref().map(price).transpose()?;
			if let (Some(text), true) = (&offer.ceiling, ceiling.is_some_and(|ceiling| ceiling < floor)) {
				return Err(wrong(text.span(), "the ceiling is below the floor"));
			}
			let max_gpus_per_node = offer.max_gpus_per_node;
			let key = (ClassId(*offer.class.get_ref()), asset);
			if offers.insert(key, Offer { floor, ceiling, max_gpus_per_node }).is_some() {
				return Err(wrong(offer.class.span(), "another offer has this class and asset"));
			}
		}
		if offers.is_empty() {
			return Err("there is no [[offer]], so nothing can be bid for".into());
		}
		let percent = *file.undercut_percent.get_ref();
		if !(0.0..=50.0).contains(&percent) {
			return Err(wrong(file.undercut_percent.span(), "undercut_percent is from 0 to 50"));
		}
		let max_live_bids = *file.max_live_bids.get_ref();
		if !(1..=MOST_LIVE_BIDS).contains(&max_live_bids) {
			let what = format!("max_live_bids is from 1 to {MOST_LIVE_BIDS}");
			return Err(wrong(file.max_live_bids.span(), &what));
		}
		let ms = |seconds: u32| u64::from(seconds) * 1000;
		Ok(Self {
			offers,
			// In range by the check above. Rounded to a ten-thousandth of a percent.
			undercut: Permill::from_parts((percent * 10_000.0).round() as u32),
			min_term_ms: ms(file.min_term_seconds),
			max_term_ms: file.max_term_seconds.map(ms),
			open_ended: file.open_ended,
			reclaim_notice_ms: ms(file.reclaim_notice_seconds),
			max_live_bids,
		})
	}
}

/// An error with the line that it is about.
fn located(text: &str, span: Option<Range<usize>>, what: &str) -> String {
	let Some(before) = span.and_then(|span| text.get(..span.start)) else { return what.into() };
	let number = before.matches('\n').count();
	let line = text.lines().nth(number).unwrap_or_default().trim();
	format!("line {}, `{line}`: {what}", number + 1)
}

/// An amount written as a decimal number, in units of 10^-decimals. Exact: more digits than there are decimals are refused.
fn amount(text: &str, decimals: u32) -> Result<Balance, String> {
	let form = || match decimals {
		0 => "a price in this asset is a whole number of its smallest unit, such as \"1500\"".to_owned(),
		_ => format!("a price is a number of MILL with at most {decimals} decimals, such as \"0.00025\""),
	};
	let (whole, fraction) = match text.split_once('.') {
		Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
		Some(_) => return Err(form()),
		None => (text, ""),
	};
	let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
	if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > decimals as usize {
		return Err(form());
	}
	let digits = format!("{whole}{fraction:0<width$}", width = decimals as usize);
	digits.parse().map_err(|_| "the price is larger than any amount".into())
}

#[cfg(test)]
mod tests {
	use super::*;

	const SMALLEST: &str = "reclaim_notice_seconds = 60\n[[offer]]\nclass = 0\nfloor = \"0.5\"\n";

	fn problem(text: &str) -> String {
		text.parse::<BidPolicy>().unwrap_err()
	}

	#[test]
	fn the_example_is_a_policy() {
		let policy: BidPolicy = include_str!("../../../docs/examples/bid-policy.toml").parse().unwrap();
		assert_eq!(policy.classes(), [ClassId(0)]);
	}

	#[test]
	fn what_is_left_out_has_its_default() {
		let offer = Offer { floor: 500_000_000_000, ceiling: None, max_gpus_per_node: None };
		let expected = BidPolicy {
			offers: [((ClassId(0), Asset::Native), offer)].into(),
			undercut: Permill::from_percent(1),
			min_term_ms: 0,
			max_term_ms: None,
			open_ended: false,
			reclaim_notice_ms: 60_000,
			max_live_bids: 8,
		};
		assert_eq!(SMALLEST.parse(), Ok(expected));
	}

	#[test]
	fn everything_can_be_said() {
		let text = r#"
			undercut_percent = 2.5
			min_term_seconds = 60
			max_term_seconds = 3600
			open_ended = true
			reclaim_notice_seconds = 4000000
			max_live_bids = 32
			[[offer]]
			class = 3
			asset = "native"
			floor = "0.000000000001"
			ceiling = "2"
			max_gpus_per_node = 4
			[[offer]]
			class = 3
			asset = 7
			floor = "1500"
		"#;
		let native = Offer { floor: 1, ceiling: Some(2_000_000_000_000), max_gpus_per_node: Some(4) };
		let token = Offer { floor: 1500, ceiling: None, max_gpus_per_node: None };
		let expected = BidPolicy {
			offers: [((ClassId(3), Asset::Native), native), ((ClassId(3), Asset::Token(7)), token)].into(),
			undercut: Permill::from_parts(25_000),
			min_term_ms: 60_000,
			max_term_ms: Some(3_600_000),
			open_ended: true,
			reclaim_notice_ms: 4_000_000_000,
			max_live_bids: 32,
		};
		assert_eq!(text.parse(), Ok(expected.clone()));
		assert_eq!(expected.classes(), [ClassId(3)]);
	}

	#[test]
	fn mistakes_are_named_with_their_line() {
		let second = |line: &str| SMALLEST.replacen('\n', &format!("\n{line}\n"), 1);
		let offer = |line: &str| format!("{SMALLEST}{line}\n");
		for (text, line, words) in [
			(second("undercut = 3"), "line 2, `undercut = 3`", "unknown field `undercut`"),
			(offer("flor = \"1\""), "line 5, `flor = \"1\"`", "unknown field `flor`"),
			(second("open_ended = 1"), "line 2, `open_ended = 1`", "expected a boolean"),
			(second("undercut_percent = 51"), "line 2,", "from 0 to 50"),
			(second("undercut_percent = nan"), "line 2,", "from 0 to 50"),
			(second("max_live_bids = 33"), "line 2,", "from 1 to 32"),
			(second("max_live_bids = 0"), "line 2,", "from 1 to 32"),
			(offer("asset = \"gold\""), "line 5,", "an asset is \"native\" or the number of one"),
			(offer("ceiling = \"0.4\""), "line 5,", "below the floor"),
			(SMALLEST.replace("0.5", "0"), "line 4,", "above zero"),
			(SMALLEST.replace("0.5", "half"), "line 4, `floor = \"half\"`", "at most 12 decimals"),
			(format!("{SMALLEST}[[offer]]\nclass = 0\nfloor = \"1\"\n"), "line 6,", "another offer"),
			(SMALLEST.replace("class = 0\n", ""), "line 2,", "missing field `class`"),
			("reclaim_notice_seconds = ".into(), "line 1,", ""),
		] {
			let problem = problem(&text);
			assert!(problem.starts_with(line) && problem.contains(words), "{text}\ngives: {problem}");
		}
		assert!(problem("").contains("missing field"));
		assert!(problem("offer = []\nreclaim_notice_seconds = 60").contains("no [[offer]]"));
		assert!(problem("reclaim_notice_seconds = 60").contains("missing field `offer`"));
	}

	#[test]
	fn amounts_are_exact_or_refused() {
		for (text, decimals, expected) in [
			("1", 12, Some(1_000_000_000_000)),
			("0.000000000001", 12, Some(1)),
			("12.5", 12, Some(12_500_000_000_000)),
			("007", 0, Some(7)),
			("0.0000000000001", 12, None),
			("1.5", 0, None),
			("1.", 12, None),
			(".5", 12, None),
			("-1", 12, None),
			("+1", 12, None),
			("1e3", 12, None),
			("1_000", 12, None),
			("1,5", 12, None),
			(" 1", 12, None),
			("", 12, None),
			(".", 12, None),
			("340282366920938463463374607431768211455", 0, Some(u128::MAX)),
			("340282366920938463463374607431768211456", 0, None),
		] {
			assert_eq!(amount(text, decimals).ok(), expected, "{text}");
		}
	}
}
