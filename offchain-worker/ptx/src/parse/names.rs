//! What names mean: a module's variables, and an entry's registers, labels, variables and parameters.

use super::{function::Functions, modifiers::Type};
use crate::{error::ParseError, ir::Slot, lexer::Place};
use alloc::{collections::BTreeMap, vec::Vec};

/// What a name stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Symbol {
	/// A register; it gets its slot when an instruction first uses it.
	Register { ty: Type, slot: Option<Slot> },
	/// A `.global` variable.
	Global { index: u32 },
	/// A `.const` variable at that offset.
	Const { offset: u64 },
	/// A `.shared` variable of the entry at that offset.
	SharedAt { offset: u64 },
	/// A `.shared` variable of the module, which gets its place in each entry that uses it; without a size it is dynamic.
	Shared { bytes: Option<u32>, align: u32 },
	/// A `.local` variable at that offset.
	Local { offset: u64 },
	/// A parameter of the entry at that offset.
	Param { offset: u64 },
	/// A parameter or result of a function, or a variable for one, which are in local memory.
	Passed { role: Role, offset: u32, bytes: u16, ty: Option<Type> },
	/// Targets of branches with an index.
	Targets { first: u32, count: u32 },
}

/// What a `.param` variable that is not an entry's is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
	/// The function reads it.
	Parameter,
	/// The function writes it.
	Result,
	/// The caller writes an argument to it, or finds a result there.
	Caller,
}

/// The names of a module.
#[derive(Debug, Default)]
pub(super) struct ModuleNames<'a> {
	variables: BTreeMap<&'a str, Symbol>,
	pub(super) functions: Functions<'a>,
}

impl<'a> ModuleNames<'a> {
	pub(super) fn declare(&mut self, name: &'a str, place: Place, symbol: Symbol) -> Result<(), ParseError> {
		if self.functions.get(name).is_some() {
			return Err(place.duplicate(name));
		}
		match self.variables.insert(name, symbol) {
			// Every source file that uses dynamic shared memory declares it.
			Some(Symbol::Shared { bytes: None, .. })
				if matches!(symbol, Symbol::Shared { bytes: None, .. }) =>
			{
				Ok(())
			}
			Some(_) => Err(place.duplicate(name)),
			None => Ok(()),
		}
	}

	pub(super) fn get(&self, name: &str) -> Option<Symbol> {
		self.variables.get(name).copied()
	}

	pub(super) fn len(&self) -> usize {
		self.variables.len()
	}
}

/// What goes to a label.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
	/// The branch of that index.
	Branch(usize),
	/// The element of that index of the list of targets.
	Target(usize),
}

/// A label that was not known when it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending<'a> {
	pub(super) source: Source,
	pub(super) label: &'a str,
	pub(super) place: Place,
}

/// The names between `{` and `}`.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
	symbols: BTreeMap<&'a str, Symbol>,
	/// `%r<10>`: prefix to count and type.
	ranges: BTreeMap<&'a str, (u32, Type)>,
	labels: BTreeMap<&'a str, u32>,
	/// Size, alignment and place of its `.param` variables.
	pub(super) passed: Vec<(u16, u32, u32)>,
	pub(super) pending: Vec<Pending<'a>>,
}

impl<'a> Scope<'a> {
	pub(super) fn declare(&mut self, name: &'a str, place: Place, symbol: Symbol) -> Result<(), ParseError> {
		match self.symbols.insert(name, symbol) {
			None => Ok(()),
			Some(_) => Err(place.duplicate(name)),
		}
	}

	pub(super) fn declare_range(
		&mut self,
		prefix: &'a str,
		place: Place,
		count: u32,
		ty: Type,
	) -> Result<(), ParseError> {
		match self.ranges.insert(prefix, (count, ty)) {
			None => Ok(()),
			Some(_) => Err(place.duplicate(prefix)),
		}
	}

	pub(super) fn declare_label(
		&mut self,
		name: &'a str,
		place: Place,
		target: u32,
	) -> Result<(), ParseError> {
		match self.labels.insert(name, target) {
			None => Ok(()),
			Some(_) => Err(place.duplicate(name)),
		}
	}

	pub(super) fn label(&self, name: &str) -> Option<u32> {
		self.labels.get(name).copied()
	}

	/// The symbol of that name; members of ranges become symbols when they are first asked for.
	pub(super) fn symbol(&mut self, name: &'a str) -> Option<&mut Symbol> {
		if !self.symbols.contains_key(name) {
			let ty = self.member(name)?;
			self.symbols.insert(name, Symbol::Register { ty, slot: None });
		}
		self.symbols.get_mut(name)
	}

	/// The type of a member of a range, such as `%r12` of `%r<20>`.
	fn member(&self, name: &str) -> Option<Type> {
		let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
		// A prefix may itself end in digits (`t1<4>` makes `t10` to `t13`), so every split is tried. No index that
		// fits has more than ten digits.
		(1..=digits.min(10)).find_map(|length| {
			let (prefix, index) = name.split_at(name.len() - length);
			let (count, ty) = self.ranges.get(prefix)?;
			let canonical = index == "0" || !index.starts_with('0');
			let index: u32 = index.parse().ok()?;
			(canonical && index < *count).then_some(*ty)
		})
	}
}
