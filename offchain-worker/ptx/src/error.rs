//! Why a text is not a module that can be run.

use alloc::string::String;
use core::fmt;

/// What is wrong with a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ParseErrorKind {
	/// The text says something else than the grammar wants at this point.
	Unexpected {
		/// What stands there.
		found: String,
		/// What could stand there.
		expected: &'static str,
	},
	/// Valid PTX perhaps, but not of the subset.
	Unsupported {
		/// What sort of thing it is: an instruction, a directive...
		what: &'static str,
		/// What stands there.
		found: String,
		/// What is supported instead.
		supported: &'static str,
	},
	/// A name that nothing declares.
	Undeclared {
		/// What was expected to have that name.
		what: &'static str,
		/// The name.
		name: String,
	},
	/// A name that is declared twice.
	Duplicate {
		/// The name.
		name: String,
	},
	/// An operand's width or kind does not go with the instruction.
	Mismatch {
		/// The operand.
		found: String,
		/// What the instruction takes.
		expected: &'static str,
	},
	/// A limit of this crate, all of which are public constants.
	TooLarge {
		/// What there is too much of.
		what: &'static str,
		/// The limit.
		limit: u64,
	},
}

/// An error in a PTX text, and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseError {
	/// Line, counted from 1.
	pub line: u32,
	/// Column in bytes, counted from 1.
	pub column: u32,
	/// What is wrong.
	pub kind: ParseErrorKind,
}

impl fmt::Display for ParseError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { line, column, kind } = self;
		match kind {
			ParseErrorKind::Unexpected { found, expected } => {
				write!(f, "found {found} at {line}:{column}, expected {expected}")
			}
			ParseErrorKind::Unsupported { what, found, supported } => {
				write!(f, "unsupported {what} `{found}` at {line}:{column}; supported: {supported}")
			}
			ParseErrorKind::Undeclared { what, name } => {
				write!(f, "no {what} `{name}` is declared, used at {line}:{column}")
			}
			ParseErrorKind::Duplicate { name } => write!(f, "`{name}` is declared again at {line}:{column}"),
			ParseErrorKind::Mismatch { found, expected } => {
				write!(f, "operand {found} at {line}:{column} does not fit, expected {expected}")
			}
			ParseErrorKind::TooLarge { what, limit } => {
				write!(f, "too large at {line}:{column}: {what}, the limit is {limit}")
			}
		}
	}
}

impl core::error::Error for ParseError {}
