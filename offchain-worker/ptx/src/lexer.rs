//! Text to tokens, each with the place where it stands.

use crate::{
	error::{ParseError, ParseErrorKind},
	module::MAX_TEXT_BYTES,
};
use alloc::{format, string::String};

/// A position in the text, counted from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
	pub(crate) line: u32,
	pub(crate) column: u32,
}

impl Place {
	pub(crate) fn error(self, kind: ParseErrorKind) -> ParseError {
		ParseError { line: self.line, column: self.column, kind }
	}

	pub(crate) fn unsupported(self, what: &'static str, found: &str, supported: &'static str) -> ParseError {
		self.error(ParseErrorKind::Unsupported { what, found: shorten(found), supported })
	}

	pub(crate) fn mismatch(self, found: &str, expected: &'static str) -> ParseError {
		self.error(ParseErrorKind::Mismatch { found: quote(found), expected })
	}

	pub(crate) fn undeclared(self, what: &'static str, name: &str) -> ParseError {
		self.error(ParseErrorKind::Undeclared { what, name: shorten(name) })
	}

	pub(crate) fn duplicate(self, name: &str) -> ParseError {
		self.error(ParseErrorKind::Duplicate { name: shorten(name) })
	}

	pub(crate) fn too_large(self, what: &'static str, limit: u64) -> ParseError {
		self.error(ParseErrorKind::TooLarge { what, limit })
	}
}

/// Long enough for every name that people write; a hostile text does not blow up the message.
const SHOWN_CHARS: usize = 80;

fn shorten(text: &str) -> String {
	match text.char_indices().nth(SHOWN_CHARS) {
		Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
		None => text.into(),
	}
}

fn quote(text: &str) -> String {
	format!("`{}`", shorten(text))
}

/// What a token is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TokenKind<'a> {
	/// A name, a directive or an instruction with its modifiers: `%tid.x`, `.reg`, `ld.global.u32`.
	Word(&'a str),
	/// A literal, as written, without a sign.
	Number(&'a str),
	/// The text between quotes.
	String(&'a str),
	/// A single character.
	Punctuation(char),
	/// The end of the text.
	End,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
	pub(crate) kind: TokenKind<'a>,
	pub(crate) place: Place,
}

impl Token<'_> {
	/// An error that says what stands here instead of what was expected.
	pub(crate) fn unexpected(&self, expected: &'static str) -> ParseError {
		let found = match self.kind {
			TokenKind::Word(text) | TokenKind::Number(text) => quote(text),
			TokenKind::String(text) => format!("\"{}\"", shorten(text)),
			TokenKind::Punctuation(character) => format!("`{character}`"),
			TokenKind::End => "the end of the text".into(),
		};
		self.place.error(ParseErrorKind::Unexpected { found, expected })
	}
}

/// Tokens of a text, with one of them looked at in advance.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
	rest: &'a str,
	here: Place,
	next: Token<'a>,
}

impl<'a> Tokens<'a> {
	pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
		let here = Place { line: 1, column: 1 };
		if text.len() > MAX_TEXT_BYTES {
			return Err(here.too_large("bytes of text", MAX_TEXT_BYTES as u64));
		}
		let mut tokens = Self { rest: text, here, next: Token { kind: TokenKind::End, place: here } };
		tokens.next = tokens.lex()?;
		Ok(tokens)
	}

	/// The next token, left where it is.
	pub(crate) fn peek(&self) -> Token<'a> {
		self.next
	}

	/// How much of the text has not been read.
	pub(crate) fn bytes_left(&self) -> usize {
		self.rest.len()
	}

	/// The next token, consumed.
	pub(crate) fn next(&mut self) -> Result<Token<'a>, ParseError> {
		let following = self.lex()?;
		Ok(core::mem::replace(&mut self.next, following))
	}

	/// Consumes the next token if it is that character.
	pub(crate) fn accept(&mut self, character: char) -> Result<bool, ParseError> {
		let found = self.next.kind == TokenKind::Punctuation(character);
		if found {
			self.next()?;
		}
		Ok(found)
	}

	/// Consumes the next token if it is that word.
	pub(crate) fn accept_word(&mut self, word: &str) -> Result<bool, ParseError> {
		let found = self.next.kind == TokenKind::Word(word);
		if found {
			self.next()?;
		}
		Ok(found)
	}

	/// Consumes that character, or fails.
	pub(crate) fn expect(&mut self, character: char, expected: &'static str) -> Result<(), ParseError> {
		match self.accept(character)? {
			true => Ok(()),
			false => Err(self.next.unexpected(expected)),
		}
	}

	/// Consumes a word, or fails.
	pub(crate) fn word(&mut self, expected: &'static str) -> Result<(&'a str, Place), ParseError> {
		match self.next.kind {
			TokenKind::Word(word) => Ok((word, self.next()?.place)),
			_ => Err(self.next.unexpected(expected)),
		}
	}

	/// Consumes a literal, or fails.
	pub(crate) fn number(&mut self, expected: &'static str) -> Result<(&'a str, Place), ParseError> {
		match self.next.kind {
			TokenKind::Number(number) => Ok((number, self.next()?.place)),
			_ => Err(self.next.unexpected(expected)),
		}
	}

	/// Consumes everything up to the end of the given line: directives for debuggers end without a semicolon.
	pub(crate) fn skip_line(&mut self, line: u32) -> Result<(), ParseError> {
		while self.next.kind != TokenKind::End && self.next.place.line == line {
			self.next()?;
		}
		Ok(())
	}

	/// Consumes everything from `{` to the `}` that closes it.
	pub(crate) fn skip_braces(&mut self) -> Result<(), ParseError> {
		self.expect('{', "`{`")?;
		let mut depth = 1u32;
		while depth > 0 {
			let token = self.next()?;
			match token.kind {
				TokenKind::Punctuation('{') => depth += 1,
				TokenKind::Punctuation('}') => depth -= 1,
				TokenKind::End => return Err(token.unexpected("`}`")),
				_ => {}
			}
		}
		Ok(())
	}

	/// Moves on by that many bytes, which must end at a character.
	fn take(&mut self, bytes: usize) -> &'a str {
		let (taken, rest) = self.rest.split_at(bytes);
		for byte in taken.bytes() {
			if byte == b'\n' {
				self.here = Place { line: self.here.line + 1, column: 1 };
			} else {
				self.here.column += 1;
			}
		}
		self.rest = rest;
		taken
	}

	fn skip_blank(&mut self) -> Result<(), ParseError> {
		loop {
			let blank = self.rest.len() - self.rest.trim_start().len();
			self.take(blank);
			if self.rest.starts_with("//") {
				let end = self.rest.find('\n').unwrap_or(self.rest.len());
				self.take(end);
			} else if self.rest.starts_with("/*") {
				let Some(end) = self.rest.find("*/") else {
					let token = Token { kind: TokenKind::End, place: self.here };
					return Err(token.unexpected("`*/` after `/*`"));
				};
				self.take(end + 2);
			} else {
				return Ok(());
			}
		}
	}

	fn lex(&mut self) -> Result<Token<'a>, ParseError> {
		self.skip_blank()?;
		let place = self.here;
		let kind = match self.rest.chars().next() {
			None => TokenKind::End,
			Some('"') => self.lex_string(place)?,
			Some(first) if first.is_ascii_digit() => TokenKind::Number(self.take(number_bytes(self.rest))),
			Some(first) if is_word_start(first) => TokenKind::Word(self.take(word_bytes(self.rest))),
			Some(first) => {
				self.take(first.len_utf8());
				TokenKind::Punctuation(first)
			}
		};
		Ok(Token { kind, place })
	}

	fn lex_string(&mut self, place: Place) -> Result<TokenKind<'a>, ParseError> {
		self.take(1);
		let Some(end) =
			self.rest.find(['"', '\n']).filter(|end| self.rest.as_bytes().get(*end) == Some(&b'"'))
		else {
			return Err(Token { kind: TokenKind::Punctuation('"'), place }
				.unexpected("a string that ends on its line"));
		};
		let text = self.take(end);
		self.take(1);
		Ok(TokenKind::String(text))
	}
}

fn is_word_start(character: char) -> bool {
	character.is_ascii_alphabetic() || matches!(character, '_' | '$' | '%' | '.')
}

/// Length of the word at the start of the text. `::` joins words too, as in `.shared::cta`.
fn word_bytes(text: &str) -> usize {
	let mut bytes = text.bytes().enumerate().skip(1).peekable();
	while let Some((at, byte)) = bytes.next() {
		let joins = byte == b':' && bytes.peek().is_some_and(|(_, next)| *next == b':');
		if joins && text.as_bytes().get(at + 2).is_some_and(u8::is_ascii_alphabetic) {
			bytes.next();
		} else if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.')) {
			return at;
		}
	}
	text.len()
}

/// Length of the literal at the start of the text.
fn number_bytes(text: &str) -> usize {
	let prefixed =
		["0x", "0X", "0f", "0F", "0d", "0D", "0b", "0B"].iter().any(|prefix| text.starts_with(prefix));
	let mut previous = 0;
	for (at, byte) in text.bytes().enumerate() {
		let exponent_sign = matches!(byte, b'+' | b'-') && matches!(previous, b'e' | b'E') && !prefixed;
		if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || exponent_sign) {
			return at;
		}
		previous = byte;
	}
	text.len()
}

#[cfg(test)]
mod tests {
	use super::{Place, TokenKind, Tokens};
	use alloc::{vec, vec::Vec};

	fn kinds(text: &str) -> Vec<TokenKind<'_>> {
		let mut tokens = Tokens::new(text).unwrap();
		let mut kinds = Vec::new();
		while tokens.peek().kind != TokenKind::End {
			kinds.push(tokens.next().unwrap().kind);
		}
		kinds
	}

	#[test]
	fn an_instruction_is_split_into_words_numbers_and_punctuation() {
		use TokenKind::{Number, Punctuation as P, Word};
		assert_eq!(
			kinds("@!%p1 ld.global.u32 %r1, [%rd1+-4]; // gone\n/* too */ mov.f32 %f1, 0f3F800000;"),
			vec![
				P('@'),
				P('!'),
				Word("%p1"),
				Word("ld.global.u32"),
				Word("%r1"),
				P(','),
				P('['),
				Word("%rd1"),
				P('+'),
				P('-'),
				Number("4"),
				P(']'),
				P(';'),
				Word("mov.f32"),
				Word("%f1"),
				P(','),
				Number("0f3F800000"),
				P(';'),
			]
		);
	}

	#[test]
	fn a_label_keeps_its_colon_apart_and_double_colons_join() {
		use TokenKind::{Punctuation as P, Word};
		assert_eq!(kinds("$L_1: x.shared::cta.y"), vec![Word("$L_1"), P(':'), Word("x.shared::cta.y")]);
	}

	#[test]
	fn places_count_lines_and_columns_from_one() {
		let mut tokens = Tokens::new("a\n\t b").unwrap();
		assert_eq!(tokens.next().unwrap().place, Place { line: 1, column: 1 });
		assert_eq!(tokens.next().unwrap().place, Place { line: 2, column: 3 });
	}

	#[test]
	fn open_comments_and_strings_are_errors() {
		assert!(Tokens::new("/* for ever").is_err());
		assert!(Tokens::new("\"half\n\"").is_err());
	}
}
