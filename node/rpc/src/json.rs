//! How single values are written. Whole numbers that may not fit into a JavaScript number are decimal strings.

use millrace_primitives::Asset;
use serde::{
	de::{Error, Visitor},
	Deserialize, Deserializer, Serialize, Serializer,
};
use std::{
	fmt::{self, Display},
	marker::PhantomData,
	str::FromStr,
};

/// A whole number: written as a decimal string, read from one or from a number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Whole<T>(pub(crate) T);

impl<T: Display> Serialize for Whole<T> {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(&self.0)
	}
}

impl<'de, T: FromStr + TryFrom<u64>> Deserialize<'de> for Whole<T> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		deserializer.deserialize_any(WholeVisitor(PhantomData))
	}
}

struct WholeVisitor<T>(PhantomData<T>);

impl<T: FromStr + TryFrom<u64>> Visitor<'_> for WholeVisitor<T> {
	type Value = Whole<T>;

	fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
		formatter
			.write_str("a whole number that is not negative, as a number or as a string of decimal digits")
	}

	fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
		T::try_from(value).map(Whole).map_err(|_| E::custom(format!("{value} is too large")))
	}

	fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
		// `from_str` would take a sign too.
		let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
		let number = digits.then(|| value.parse().ok()).flatten();
		number.map(Whole).ok_or_else(|| E::custom(format!("{value:?} is not {}", Expected(&self))))
	}
}

/// Writes what a visitor expects.
struct Expected<'a, V>(&'a V);

impl<'de, V: Visitor<'de>> Display for Expected<'_, V> {
	fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
		self.0.expecting(formatter)
	}
}

/// What a lease is paid in: `"native"`, or `{"token": 7}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum AssetName {
	/// MILL.
	#[default]
	Native,
	/// An asset of `pallet-assets`.
	Token(u32),
}

impl From<AssetName> for Asset {
	fn from(name: AssetName) -> Self {
		match name {
			AssetName::Native => Self::Native,
			AssetName::Token(token) => Self::Token(token),
		}
	}
}

impl From<Asset> for AssetName {
	fn from(asset: Asset) -> Self {
		match asset {
			Asset::Native => Self::Native,
			Asset::Token(token) => Self::Token(token),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::{from_str, from_value, json, to_value};

	#[test]
	fn large_numbers_are_written_as_strings_and_read_from_either() {
		assert_eq!(to_value(Whole(u128::MAX)).unwrap(), json!(u128::MAX.to_string()));
		assert_eq!(from_value::<Whole<u64>>(json!("18446744073709551615")).unwrap(), Whole(u64::MAX));
		assert_eq!(from_value::<Whole<u128>>(json!(7)).unwrap(), Whole(7));
		for bad in ["-1", "1.5", "\"\"", "\"+1\"", "\"0x10\"", "\"18446744073709551616\"", "null", "[]"] {
			let error = from_str::<Whole<u64>>(bad).unwrap_err().to_string();
			assert!(error.contains("a whole number that is not negative"), "{bad}: {error}");
		}
	}

	#[test]
	fn assets_have_two_forms() {
		assert_eq!(to_value(AssetName::Native).unwrap(), json!("native"));
		assert_eq!(to_value(AssetName::Token(7)).unwrap(), json!({ "token": 7 }));
		assert_eq!(from_value::<AssetName>(json!({ "token": 7 })).unwrap(), AssetName::Token(7));
		let error = from_value::<AssetName>(json!("MILL")).unwrap_err().to_string();
		assert!(error.contains("`native` or `token`"), "{error}");
	}
}
