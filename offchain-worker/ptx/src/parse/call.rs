//! `call`: arguments to where the function keeps its parameters, and results from where it leaves them.

use super::{
	frame::Home,
	modifiers::Modifiers,
	names::{Role, Symbol},
	operand::EntryParser,
};
use crate::{
	error::ParseError,
	fault::Space,
	ir::{Address, Guard, Op, Seed},
	lexer::{Place, TokenKind},
};
use alloc::vec::Vec;

/// The most results that a call can name, which are read before it is known how many the function has.
const MAX_RESULTS: usize = 1_024;

impl<'a> EntryParser<'a, '_> {
	/// `call (RESULTS), FUNCTION, (ARGUMENTS)`. The copies and the call are instructions of their own, so a call that does
	/// not always happen is skipped by a branch.
	pub(super) fn call(
		&mut self,
		guard: Guard,
		mut name: Modifiers<'a>,
		place: Place,
	) -> Result<(), ParseError> {
		name.supports(
			"call[.uni] [(RESULTS),] FUNCTION [, (ARGUMENTS)]: only functions that are named, none whose address is in a \
			register",
		);
		name.accept("uni");
		name.end()?;
		let results = self.result_names()?;
		let (function, at) = self.tokens.word("a function")?;
		if matches!(self.body.symbol(function), Some(Symbol::Register { .. })) {
			return Err(name.unsupported());
		}
		let names = self.names;
		let declared = names.functions.get(function).ok_or_else(|| at.undeclared("function", function))?;
		let frame = self.body.frame(function, &declared.signature, at)?;
		let skip = self.body.skip_unless(guard, place)?;
		let listed = self.tokens.accept(',')?;
		if listed || !frame.parameters.is_empty() {
			self.tokens.expect('(', "`(` and the arguments")?;
			for (index, home) in frame.parameters.iter().enumerate() {
				if index > 0 {
					self.comma()?;
				}
				let op = self.argument(*home)?;
				self.body.push(Guard::Always, op, place)?;
			}
			self.tokens.expect(')', "`)`: the function has no more parameters")?;
		}
		if self.tokens.peek().kind == TokenKind::Punctuation(',') {
			return Err(name.unsupported());
		}
		self.body.push_call(function, frame.link, at)?;
		if results.len() != frame.results.len() {
			return Err(at.mismatch(function, "as many results as the function has"));
		}
		for ((name, at), home) in results.into_iter().zip(&frame.results) {
			let op = self.result(name, at, *home)?;
			self.body.push(Guard::Always, op, place)?;
		}
		self.body.end_skip(skip);
		Ok(())
	}

	/// The names in `(%r1, %r2),` before the function.
	fn result_names(&mut self) -> Result<Vec<(&'a str, Place)>, ParseError> {
		let mut results = Vec::new();
		if !self.tokens.accept('(')? {
			return Ok(results);
		}
		loop {
			let (name, place) = self.tokens.word("a register or a .param variable")?;
			if results.len() >= MAX_RESULTS {
				return Err(place.too_large("results of a call", MAX_RESULTS as u64));
			}
			results.push((name, place));
			if !self.tokens.accept(',')? {
				break;
			}
		}
		self.tokens.expect(')', "`,` or `)`")?;
		self.comma()?;
		Ok(results)
	}

	/// The `.param` variable of the caller of that name, if it is one: its place and size.
	fn passed(&mut self, name: &'a str) -> Option<(u32, u16)> {
		match self.body.symbol(name).copied() {
			Some(Symbol::Passed { role: Role::Caller, offset, bytes, .. }) => Some((offset, bytes)),
			_ => None,
		}
	}

	/// Reads an argument, and says how it comes to the parameter.
	fn argument(&mut self, home: Home) -> Result<Op, ParseError> {
		let token = self.tokens.peek();
		let variable = match token.kind {
			TokenKind::Word(name) => self.passed(name).map(|(from, size)| (name, from, size)),
			_ => None,
		};
		let place = token.place;
		if let Some((name, from, size)) = variable {
			self.tokens.next()?;
			return match home {
				Home::Memory { offset, bytes, .. } if bytes == size => {
					Ok(Op::Copy { from, to: offset, bytes })
				}
				Home::Register { slot, ty } if u16::from(ty.bits()) == size * 8 => {
					let from = self.local(from, place)?;
					Ok(Op::Load { ty: ty.int(), bits: ty.bits(), d: slot, from })
				}
				_ => Err(place.mismatch(name, "an argument of the parameter's size")),
			};
		}
		match home {
			Home::Memory { ty: None, .. } => Err(token.unexpected("a .param variable for this parameter")),
			Home::Memory { ty: Some(ty), offset, .. } => {
				let a = self.source(ty)?;
				Ok(Op::Store { bytes: ty.bits() / 8, a, to: self.local(offset, place)? })
			}
			Home::Register { slot, ty } => Ok(Op::Move { d: slot, a: self.source(ty)? }),
		}
	}

	/// How a result comes to the caller's register or variable.
	fn result(&mut self, name: &'a str, place: Place, home: Home) -> Result<Op, ParseError> {
		if let Some((to, size)) = self.passed(name) {
			return match home {
				Home::Memory { offset, bytes, .. } if bytes == size => {
					Ok(Op::Copy { from: offset, to, bytes })
				}
				Home::Register { slot, ty } if u16::from(ty.bits()) == size * 8 => {
					Ok(Op::Store { bytes: ty.bits() / 8, a: slot, to: self.local(to, place)? })
				}
				_ => Err(place.mismatch(name, "a variable of the result's size")),
			};
		}
		match home {
			Home::Memory { ty: None, .. } => Err(place.mismatch(name, "a .param variable for this result")),
			Home::Memory { ty: Some(ty), offset, .. } => {
				let d = self.destination_named(name, place, ty)?;
				let from = self.local(offset, place)?;
				Ok(Op::Load { ty: ty.int(), bits: ty.bits(), d, from })
			}
			Home::Register { slot, ty } => {
				Ok(Op::Move { d: self.destination_named(name, place, ty)?, a: slot })
			}
		}
	}

	/// The address of a place in local memory.
	fn local(&mut self, offset: u32, place: Place) -> Result<Address, ParseError> {
		let base = self.body.fixed(Seed::Value(offset.into()), place)?;
		Ok(Address { offset: 0, base, space: Space::Local })
	}
}
