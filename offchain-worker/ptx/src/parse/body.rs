//! The growing body of an entry: its scopes, slots, memory and code.

use super::{
	frame::Frames,
	names::{ModuleNames, Pending, Scope, Source, Symbol},
};
use crate::{
	error::ParseError,
	fault::Space,
	ir::{Guard, Instruction, Op, Seed, Slot, WarpOp},
	lexer::Place,
	module::{MAX_INSTRUCTIONS, MAX_LOCAL_BYTES, MAX_SHARED_BYTES, MAX_SLOTS},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// The deepest nesting of `{`.
const MAX_SCOPES: usize = 32;
/// Dynamic shared memory starts at a multiple of this many bytes, which is enough for every access.
const DYNAMIC_SHARED_ALIGN: u32 = 16;

/// What is known of an entry's body so far.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
	pub(super) code: Vec<Instruction>,
	pub(super) lines: Vec<u32>,
	pub(super) seeds: Vec<Seed>,
	/// What the branches with an index go to.
	pub(super) targets: Vec<u32>,
	pub(super) warp_ops: Vec<WarpOp>,
	pub(super) frames: Frames<'a>,
	pub(super) threads_meet: bool,
	pub(super) global_atomics: bool,
	pub(super) local_bytes: u32,
	pub(super) shared_bytes: u32,
	/// From the outermost to the innermost. The first one is for the parameters.
	scopes: Vec<Scope<'a>>,
	/// Slots of constants and special registers.
	fixed: BTreeMap<Seed, Slot>,
	/// Places of the module's shared variables that the entry has used.
	shared: BTreeMap<&'a str, u64>,
	/// Where results go that the text throws away (`_`).
	sink: Option<Slot>,
	/// The carry flag.
	carry: Option<Slot>,
}

impl<'a> Body<'a> {
	/// Enters a `{`.
	pub(super) fn open(&mut self, place: Place) -> Result<(), ParseError> {
		if self.scopes.len() >= MAX_SCOPES {
			return Err(place.too_large("nested blocks", MAX_SCOPES as u64));
		}
		self.scopes.push(Scope::default());
		Ok(())
	}

	/// Leaves a `{` and resolves the branches to its labels; those to other labels are left to the outer scope.
	/// Returns how many scopes are left.
	pub(super) fn close(&mut self) -> Result<usize, ParseError> {
		let Some(closed) = self.scopes.pop() else { return Ok(0) };
		for pending in &closed.pending {
			match (closed.label(pending.label), self.scopes.last_mut()) {
				(Some(target), _) => self.resolve(pending.source, target),
				(None, Some(outer)) => outer.pending.push(*pending),
				(None, None) => return Err(pending.place.undeclared("label", pending.label)),
			}
		}
		self.release_passed(closed.passed);
		Ok(self.scopes.len())
	}

	/// Lets a branch go to that instruction.
	fn resolve(&mut self, source: Source, target: u32) {
		let place = match source {
			Source::Branch(index) => match self.code.get_mut(index).map(|instruction| &mut instruction.op) {
				Some(Op::Branch { target }) => Some(target),
				_ => None,
			},
			Source::Target(index) => self.targets.get_mut(index),
		};
		if let Some(place) = place {
			*place = target;
		}
	}

	/// The innermost scope.
	pub(super) fn scope(&mut self, place: Place) -> Result<&mut Scope<'a>, ParseError> {
		self.scopes.last_mut().ok_or_else(|| place.undeclared("block", "{"))
	}

	/// Notes a label for the next instruction.
	pub(super) fn label(&mut self, name: &'a str, place: Place) -> Result<(), ParseError> {
		let target = self.code.len() as u32;
		self.scope(place)?.declare_label(name, place, target)
	}

	/// The branch that is being read goes to that label.
	pub(super) fn branch(&mut self, label: &'a str, place: Place) -> Result<Op, ParseError> {
		let source = Source::Branch(self.code.len());
		self.scope(place)?.pending.push(Pending { source, label, place });
		Ok(Op::Branch { target: 0 })
	}

	/// Adds that label to the targets of branches with an index. There are fewer of them than bytes of text.
	pub(super) fn target(&mut self, label: &'a str, place: Place) -> Result<(), ParseError> {
		let source = Source::Target(self.targets.len());
		self.targets.push(0);
		self.scope(place)?.pending.push(Pending { source, label, place });
		Ok(())
	}

	/// Where the guard does not hold, the instructions from here on are skipped, up to [`Self::end_skip`].
	pub(super) fn skip_unless(&mut self, guard: Guard, place: Place) -> Result<Option<usize>, ParseError> {
		let skips = match guard {
			Guard::Always => return Ok(None),
			Guard::If(slot) => Guard::Unless(slot),
			Guard::Unless(slot) => Guard::If(slot),
		};
		self.push(skips, Op::Branch { target: 0 }, place)?;
		Ok(Some(self.code.len() - 1))
	}

	/// Ends what [`Self::skip_unless`] started.
	pub(super) fn end_skip(&mut self, skip: Option<usize>) {
		if let Some(index) = skip {
			self.resolve(Source::Branch(index), self.code.len() as u32);
		}
	}

	/// Appends an instruction.
	pub(super) fn push(&mut self, guard: Guard, op: Op, place: Place) -> Result<(), ParseError> {
		if self.code.len() >= MAX_INSTRUCTIONS {
			return Err(place.too_large("instructions of an entry", MAX_INSTRUCTIONS as u64));
		}
		self.threads_meet |= matches!(op, Op::Barrier { .. } | Op::Warp { .. });
		self.global_atomics |= matches!(op, Op::Atomic { at, .. } if at.space != Space::Shared);
		self.code.push(Instruction { guard, op });
		self.lines.push(place.line);
		Ok(())
	}

	/// Keeps the operands of a warp-wide instruction. There are no more of them than instructions.
	pub(super) fn warp(&mut self, op: WarpOp) -> Op {
		self.warp_ops.push(op);
		Op::Warp { index: self.warp_ops.len() as u32 - 1 }
	}

	/// The symbol of that name, from the innermost scope outwards.
	pub(super) fn symbol(&mut self, name: &'a str) -> Option<&mut Symbol> {
		self.scopes.iter_mut().rev().find_map(|scope| scope.symbol(name))
	}

	/// A slot that starts with `seed`; constants share theirs.
	pub(super) fn fixed(&mut self, seed: Seed, place: Place) -> Result<Slot, ParseError> {
		if let Some(slot) = self.fixed.get(&seed) {
			return Ok(*slot);
		}
		let slot = self.new_slot(seed, place)?;
		self.fixed.insert(seed, slot);
		Ok(slot)
	}

	/// The slot for results that are thrown away.
	pub(super) fn sink(&mut self, place: Place) -> Result<Slot, ParseError> {
		match self.sink {
			Some(slot) => Ok(slot),
			None => {
				let slot = self.new_slot(Seed::Zero, place)?;
				self.sink = Some(slot);
				Ok(slot)
			}
		}
	}

	/// The slot of the carry flag, which instructions name by `.cc` or by taking a carry.
	pub(super) fn carry(&mut self, place: Place) -> Result<Slot, ParseError> {
		match self.carry {
			Some(slot) => Ok(slot),
			None => {
				let slot = self.new_slot(Seed::Zero, place)?;
				self.carry = Some(slot);
				Ok(slot)
			}
		}
	}

	pub(super) fn new_slot(&mut self, seed: Seed, place: Place) -> Result<Slot, ParseError> {
		let slot = self.seeds.len();
		if slot >= MAX_SLOTS {
			return Err(place.too_large("registers and constants used by an entry", MAX_SLOTS as u64));
		}
		self.seeds.push(seed);
		Ok(slot as Slot)
	}

	/// Reserves local memory and returns its offset.
	pub(super) fn reserve_local(&mut self, bytes: u32, align: u32, place: Place) -> Result<u64, ParseError> {
		reserve(&mut self.local_bytes, bytes, align)
			.filter(|_| self.local_bytes <= MAX_LOCAL_BYTES)
			.ok_or_else(|| place.too_large("bytes of local memory", MAX_LOCAL_BYTES.into()))
	}

	/// The address of a variable or parameter, and the space in which it is one.
	pub(super) fn address(
		&mut self,
		name: &'a str,
		names: &ModuleNames<'a>,
		place: Place,
	) -> Result<Option<(Seed, Space)>, ParseError> {
		let Some(symbol) = self.symbol(name).map(|symbol| *symbol).or_else(|| names.get(name)) else {
			return Ok(None);
		};
		Ok(Some(match symbol {
			Symbol::Register { .. } | Symbol::Targets { .. } => return Ok(None),
			Symbol::Global { index } => (Seed::Global(index), Space::Global),
			Symbol::Const { offset } => (Seed::Value(offset), Space::Const),
			Symbol::Passed { offset, .. } => (Seed::Value(offset.into()), Space::Local),
			Symbol::Local { offset } => (Seed::Value(offset), Space::Local),
			Symbol::Param { offset } => (Seed::Value(offset), Space::Param),
			Symbol::SharedAt { offset } => (Seed::Value(offset), Space::Shared),
			Symbol::Shared { bytes: None, .. } => (Seed::DynamicShared, Space::Shared),
			Symbol::Shared { bytes: Some(bytes), align } => {
				(Seed::Value(self.shared_place(name, bytes, align, place)?), Space::Shared)
			}
		}))
	}

	/// The shared address of a static variable, which is placed when it is first used.
	fn shared_place(
		&mut self,
		name: &'a str,
		bytes: u32,
		align: u32,
		place: Place,
	) -> Result<u64, ParseError> {
		if let Some(offset) = self.shared.get(name) {
			return Ok(*offset);
		}
		let offset = self.reserve_shared(bytes, align, place)?;
		self.shared.insert(name, offset);
		Ok(offset)
	}

	/// Reserves static shared memory and returns its offset.
	pub(super) fn reserve_shared(&mut self, bytes: u32, align: u32, place: Place) -> Result<u64, ParseError> {
		reserve(&mut self.shared_bytes, bytes, align)
			.filter(|_| self.shared_bytes <= MAX_SHARED_BYTES)
			.ok_or_else(|| place.too_large("bytes of static shared memory", MAX_SHARED_BYTES.into()))
	}

	/// To be called once, after the last instruction of the last function: dynamic shared memory follows the static one.
	pub(super) fn finish_shared(&mut self) {
		if self.fixed.contains_key(&Seed::DynamicShared) {
			self.shared_bytes = self.shared_bytes.next_multiple_of(DYNAMIC_SHARED_ALIGN);
		}
	}
}

/// Adds `bytes` at a multiple of `align` to `total`, and returns where they start.
fn reserve(total: &mut u32, bytes: u32, align: u32) -> Option<u64> {
	let start = total.checked_next_multiple_of(align)?;
	*total = start.checked_add(bytes)?;
	Some(start.into())
}
