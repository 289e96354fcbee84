//! One thread, from where it stands to where it must wait for others, or to its end.

use super::{
	access::{atomic, little_endian, store, Access, BlockMemory, GlobalMemory},
	float, integer,
};
use crate::{
	fault::{AccessKind, FaultKind},
	ir::{Address, Combine, Compared, Condition, Guard, IntType, Op, Part, Slot, Truth},
	launch::STEP_BYTES,
	module::Entry,
};

/// Why a thread stopped without a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stop {
	/// It is at a barrier or a warp-wide instruction.
	Waiting,
	/// It has come to its end.
	Returned,
}

/// A thread's register file. All slots of an entry's instructions are below its length.
struct Registers<'r>(&'r mut [u64]);

impl Registers<'_> {
	#[inline]
	fn get(&self, slot: Slot) -> u64 {
		self.0[usize::from(slot)]
	}

	#[inline]
	fn set(&mut self, slot: Slot, value: u64) {
		self.0[usize::from(slot)] = value;
	}

	#[inline]
	fn holds(&self, condition: Condition) -> bool {
		(self.get(condition.slot) != 0) != condition.negated
	}

	#[inline]
	fn access(&self, kind: AccessKind, address: Address, bytes: u8) -> Access {
		let Address { offset, base, space } = address;
		let address = self.get(base).wrapping_add_signed(offset.into());
		Access { kind, space, address, bytes }
	}

	/// The result of a comparison and that of its opposite, each with what it is combined with.
	#[inline]
	fn combined(&self, combine: Combine, holds: bool) -> (bool, bool) {
		match combine {
			Combine::Alone => (holds, !holds),
			Combine::And(condition) => (holds && self.holds(condition), !holds && self.holds(condition)),
			Combine::Or(condition) => (holds || self.holds(condition), !holds || self.holds(condition)),
			Combine::Xor(condition) => (holds != self.holds(condition), holds == self.holds(condition)),
		}
	}

	/// Writes a comparison's result to the first predicate and that of its opposite to the second.
	#[inline]
	fn set_predicates(&mut self, [first, second]: [Slot; 2], combine: Combine, holds: bool) {
		let (holds, opposite) = self.combined(combine, holds);
		// In this order, so that the first one wins where both are the same register.
		self.set(second, opposite.into());
		self.set(first, holds.into());
	}
}

/// Runs a thread from the instruction at `at`, and leaves there where it stopped. Every instruction takes one of
/// `steps`.
pub(super) fn run<G: GlobalMemory>(
	entry: &Entry,
	at: &mut usize,
	registers: &mut [u64],
	memory: &mut BlockMemory<'_, G>,
	steps: &mut u64,
) -> Result<Stop, FaultKind> {
	let code = entry.code.as_slice();
	let registers = &mut Registers(registers);
	let mut next = *at;
	loop {
		*at = next;
		*steps = steps.checked_sub(1).ok_or(FaultKind::StepBudgetExhausted)?;
		let instruction = &code[next];
		next += 1;
		match instruction.guard {
			Guard::Always => {}
			Guard::If(slot) if registers.get(slot) != 0 => {}
			Guard::Unless(slot) if registers.get(slot) == 0 => {}
			_ => continue,
		}
		match instruction.op {
			Op::Branch { target } => next = target as usize,
			Op::Barrier { .. } | Op::Warp { .. } => return Ok(Stop::Waiting),
			Op::Return => return Ok(Stop::Returned),
			Op::Trap => return Err(FaultKind::Trap),
			Op::Call { target, link } => {
				registers.set(link, next as u64);
				next = target as usize;
			}
			Op::Leave { link } => next = registers.get(link) as usize,
			Op::Copy { from, to, bytes } => {
				*steps =
					steps.checked_sub(u64::from(bytes) / STEP_BYTES).ok_or(FaultKind::StepBudgetExhausted)?;
				memory.copy_local(from as usize, to as usize, bytes.into());
			}
			Op::BranchIndexed { first, count, index } => {
				next = indexed_target(&entry.targets, first, count, registers.get(index) as u32)?;
			}
			// Threads run one after the other, so what one has stored the next one sees.
			Op::Fence => {}
			Op::Load { ty, bits, d, from } => {
				let access = registers.access(AccessKind::Load, from, ty.bits / 8);
				let value = little_endian(memory.bytes(access)?);
				registers.set(d, integer::extend(ty, bits, value));
			}
			Op::Store { bytes, a, to } => {
				let access = registers.access(AccessKind::Store, to, bytes);
				store(memory.bytes_mut(access)?, registers.get(a));
			}
			Op::LoadVector { ty, bits, count, d, from } => {
				load_vector(registers, memory, (ty, bits), d.get(..count.into()).unwrap_or(&d), from)?;
			}
			Op::StoreVector { bytes, count, a, to } => {
				store_vector(registers, memory, bytes, a.get(..count.into()).unwrap_or(&a), to)?;
			}
			Op::Atomic { op, ty, d, b, c, at } => {
				let access = registers.access(AccessKind::Atomic, at, ty.bits / 8);
				let (b, c) = (registers.get(b), registers.get(c));
				let old = memory.update(access, |old| atomic(op, ty, old, b, c))?;
				registers.set(d, old);
			}
			ref op => compute(op, registers),
		}
	}
}

/// Instructions that only read and write registers.
#[inline]
fn compute(op: &Op, registers: &mut Registers<'_>) {
	let r = |slot| registers.get(slot);
	let (d, value) = match *op {
		Op::Move { d, a } => (d, r(a)),
		Op::Binary { op, ty, d, a, b } => (d, integer::binary(op, ty, r(a), r(b))),
		Op::Unary { op, ty, d, a } => (d, integer::unary(op, ty, r(a))),
		Op::MulWide { ty, d, a, b } => (d, integer::wide_product(ty, r(a), r(b))),
		Op::MulAdd { part, ty, d, a, b, c } => {
			let sum = integer::product(part, ty, r(a), r(b)).wrapping_add(r(c));
			let bits = if part == Part::Wide { ty.bits * 2 } else { ty.bits };
			(d, IntType { bits, signed: false }.wrap(sum))
		}
		Op::Carry { op, ty, takes, gives, carry, d, a, b, c } => {
			let taken = takes && r(carry) != 0;
			let (value, given) = integer::with_carry(op, ty, [r(a), r(b), r(c)], taken);
			if gives {
				registers.set(carry, given.into());
			}
			(d, value)
		}
		Op::AbsoluteDifference { ty, d, a, b, c } => (d, integer::absolute_difference(ty, r(a), r(b), r(c))),
		Op::DotProduct { signed, d, a, b, c } => (d, integer::dot_product(signed, r(a), r(b), r(c))),
		Op::IntToInt { from, to, saturate, bits, d, a } => {
			(d, integer::convert(from, to, saturate, bits, r(a)))
		}
		Op::Select { d, a, b, condition } => (d, if r(condition) != 0 { r(a) } else { r(b) }),
		Op::Compare { comparison, ty, combine, d, a, b } => {
			let holds = integer::compare(comparison, ty, r(a), r(b));
			return registers.set_predicates(d, combine, holds);
		}
		Op::CompareFloat { comparison, precision, combine, d, a, b } => {
			let holds = float::compare(comparison, precision, r(a), r(b));
			return registers.set_predicates(d, combine, holds);
		}
		Op::Set { comparison, of, combine, one, d, a, b } => {
			let holds = match of {
				Compared::Integers(ty) => integer::compare(comparison, ty, r(a), r(b)),
				Compared::Floats(precision) => float::compare(comparison, precision, r(a), r(b)),
			};
			let one = match one {
				Truth::AllOnes => u32::MAX,
				Truth::One => 1f32.to_bits(),
			};
			(d, if registers.combined(combine, holds).0 { one.into() } else { 0 })
		}
		Op::ExtractField { ty, d, a, position, length } => {
			(d, integer::extract_field(ty, r(a), r(position), r(length)))
		}
		Op::InsertField { ty, d, a, b, position, length } => {
			(d, integer::insert_field(ty, r(a), r(b), r(position), r(length)))
		}
		Op::PermuteBytes { d, a, b, selector } => (d, integer::permute_bytes(r(a), r(b), r(selector))),
		Op::Logic3 { table, d, a, b, c } => (d, integer::logic3(table, r(a), r(b), r(c))),
		Op::FunnelShift { left, wrap, d, low, high, amount } => {
			(d, integer::funnel_shift(left, wrap, r(low), r(high), r(amount)))
		}
		Op::FloatUnary { op, precision, rounding, d, a } => (d, float::unary(op, precision, rounding, r(a))),
		Op::FloatBinary { op, precision, rounding, d, a, b } => {
			(d, float::binary(op, precision, rounding, r(a), r(b)))
		}
		Op::FusedMulAdd { precision, rounding, d, a, b, c } => {
			(d, float::fused_multiply_add(precision, rounding, r(a), r(b), r(c)))
		}
		Op::ClassifyFloat { class, precision, d, a } => {
			(d, float::is_of_class(class, precision, r(a)).into())
		}
		Op::SelectBySign { float, d, a, b, c } => {
			let first = if float { float::is_not_negative(r(c)) } else { (r(c) as i32) >= 0 };
			(d, if first { r(a) } else { r(b) })
		}
		Op::IntToFloat { from, to, rounding, d, a } => (d, float::from_integer(from, to, rounding, r(a))),
		Op::FloatToInt { from, to, rounding, bits, d, a } => {
			(d, float::to_integer(from, to, rounding, bits, r(a)))
		}
		Op::FloatToFloat { from, to, rounding, d, a } => (d, float::to_float(from, to, rounding, r(a))),
		Op::RoundFloat { precision, rounding, d, a } => (d, float::round(precision, rounding, r(a))),
		Op::Pack { part_bits, count, d, a } => {
			let parts = a.iter().take(count.into()).enumerate();
			(d, parts.fold(0, |value, (index, part)| value | r(*part) << (index * usize::from(part_bits))))
		}
		Op::Unpack { part_bits, count, d, a } => {
			let value = r(a);
			let part = IntType { bits: part_bits, signed: false };
			for (index, slot) in d.iter().take(count.into()).enumerate() {
				registers.set(*slot, part.wrap(value >> (index * usize::from(part_bits))));
			}
			return;
		}
		// These are run above.
		Op::Load { .. }
		| Op::LoadVector { .. }
		| Op::Store { .. }
		| Op::StoreVector { .. }
		| Op::Atomic { .. }
		| Op::Branch { .. }
		| Op::BranchIndexed { .. }
		| Op::Call { .. }
		| Op::Leave { .. }
		| Op::Copy { .. }
		| Op::Barrier { .. }
		| Op::Warp { .. }
		| Op::Fence
		| Op::Return
		| Op::Trap => return,
	};
	registers.set(d, value);
}

/// Where the branch of that index goes.
fn indexed_target(targets: &[u32], first: u32, count: u32, index: u32) -> Result<usize, FaultKind> {
	let own = targets.get(first as usize..).and_then(|own| own.get(..count as usize)).unwrap_or_default();
	let target = own.get(index as usize).ok_or(FaultKind::BranchIndex { index, targets: count })?;
	Ok(*target as usize)
}

fn load_vector<G: GlobalMemory>(
	registers: &mut Registers<'_>,
	memory: &mut BlockMemory<'_, G>,
	(ty, bits): (IntType, u8),
	slots: &[Slot],
	from: Address,
) -> Result<(), FaultKind> {
	let bytes = ty.bits / 8;
	let loaded = memory.bytes(registers.access(AccessKind::Load, from, bytes * slots.len() as u8))?;
	for (slot, element) in slots.iter().zip(loaded.chunks_exact(bytes.into())) {
		registers.set(*slot, integer::extend(ty, bits, little_endian(element)));
	}
	Ok(())
}

fn store_vector<G: GlobalMemory>(
	registers: &Registers<'_>,
	memory: &mut BlockMemory<'_, G>,
	bytes: u8,
	slots: &[Slot],
	to: Address,
) -> Result<(), FaultKind> {
	let stored = memory.bytes_mut(registers.access(AccessKind::Store, to, bytes * slots.len() as u8))?;
	for (slot, element) in slots.iter().zip(stored.chunks_exact_mut(bytes.into())) {
		store(element, registers.get(*slot));
	}
	Ok(())
}
