//! The threads of a warp at warp-wide instructions: who meets whom, and what comes of it.
//!
//! A thread waits until every thread that its mask names, and that has not returned, has come to an instruction with the
//! same qualifiers and the same mask; they may stand at different places of the text. This is what PTX says of `.sync`.

use super::{integer, matrix};
use crate::{
	fault::FaultKind,
	ir::{MatrixProduct, Shuffle, Slot, Vote, WarpAction, WarpOp},
};

/// Threads of a warp.
pub(super) const WARP: usize = 32;

/// A thread that waits at a warp-wide instruction.
#[derive(Clone, Copy)]
struct Arrival<'e> {
	/// Index of the instruction.
	at: usize,
	op: &'e WarpOp,
	/// The lanes that must come too.
	mask: u32,
}

impl Arrival<'_> {
	fn meets(&self, other: &Self) -> bool {
		let anywhere = !matches!(self.op.action, WarpAction::ActiveMask | WarpAction::Multiply(_));
		self.op.action == other.op.action && self.mask == other.mask && (anywhere || self.at == other.at)
	}
}

/// Why the threads of a warp cannot go on.
pub(super) struct Parted {
	pub(super) kind: FaultKind,
	/// The first lane that cannot.
	pub(super) lane: usize,
	/// The instruction at which it waits.
	pub(super) at: usize,
}

/// The threads of a warp, none of which can run.
pub(super) struct Warp<'e, 'r> {
	/// Their register files, one after the other.
	registers: &'r mut [u64],
	slots: usize,
	arrivals: [Option<Arrival<'e>>; WARP],
	/// Lanes that have not returned.
	alive: u32,
}

impl<'e, 'r> Warp<'e, 'r> {
	pub(super) fn new(registers: &'r mut [u64], slots: usize) -> Self {
		Self { registers, slots, arrivals: [None; WARP], alive: 0 }
	}

	/// That lane waits at a warp-wide instruction.
	pub(super) fn arrive(&mut self, lane: usize, at: usize, op: Option<&'e WarpOp>) {
		self.is_elsewhere(lane);
		let Some((op, place)) = op.zip(self.arrivals.get_mut(lane)) else { return };
		let mask = match op.action {
			WarpAction::ActiveMask | WarpAction::Multiply(_) => u32::MAX,
			_ => self.registers[lane * self.slots + usize::from(op.mask)] as u32,
		};
		*place = Some(Arrival { at, op, mask });
	}

	/// That lane waits for something else.
	pub(super) fn is_elsewhere(&mut self, lane: usize) {
		self.alive |= 1 << lane;
	}

	/// Executes every instruction to which all lanes have come that must, and returns the lanes that pass.
	pub(super) fn meet(mut self) -> Result<u32, Parted> {
		let mut passed = 0;
		let mut seen = 0;
		for lane in 0..WARP {
			let Some(first) = self.arrivals[lane] else { continue };
			let whole = !matches!(first.op.action, WarpAction::Multiply(_)) || self.alive == u32::MAX;
			if !whole || first.mask >> lane & 1 == 0 {
				return Err(Parted { kind: FaultKind::WarpMask, lane, at: first.at });
			}
			if seen >> lane & 1 == 1 {
				continue;
			}
			let group = self.arrivals.map(|other| other.filter(|other| first.meets(other)));
			let members = lanes_where(|lane| group[lane].is_some());
			seen |= members;
			// The bits of absent lanes, which returned or never were, count for nothing.
			let complete = match first.op.action {
				WarpAction::ActiveMask => true,
				_ => first.mask & self.alive & !members == 0,
			};
			if complete {
				self.execute(first.op.action, &group, members);
				passed |= members;
			}
		}
		let stuck =
			self.arrivals.iter().enumerate().find_map(|(lane, arrival)| Some((lane, arrival.as_ref()?.at)));
		match stuck {
			Some((lane, at)) if passed == 0 => Err(Parted { kind: FaultKind::WarpDivergence, lane, at }),
			_ => Ok(passed),
		}
	}

	fn get(&self, lane: usize, slot: Slot) -> u64 {
		self.registers[lane * self.slots + usize::from(slot)]
	}

	fn set(&mut self, lane: usize, slot: Slot, value: u64) {
		self.registers[lane * self.slots + usize::from(slot)] = value;
	}

	/// The operand of each lane of the group, zero for the others.
	fn gather(&self, group: &[Option<Arrival<'e>>; WARP], operand: impl Fn(&WarpOp) -> Slot) -> [u64; WARP] {
		core::array::from_fn(|lane| group[lane].map_or(0, |arrival| self.get(lane, operand(arrival.op))))
	}

	/// Lets the lanes of a group execute the instruction to which they have come.
	fn execute(&mut self, action: WarpAction, group: &[Option<Arrival<'e>>; WARP], members: u32) {
		let a = self.gather(group, |op| op.a[0]);
		let ballot = || lanes_where(|lane| group[lane].is_some_and(|here| (a[lane] != 0) != here.op.negated));
		let of_all = match action {
			WarpAction::Barrier => return,
			WarpAction::ActiveMask => members.into(),
			WarpAction::Vote(Vote::Ballot) => ballot().into(),
			WarpAction::Vote(Vote::All) => u64::from(ballot() == members),
			WarpAction::Vote(Vote::Any) => u64::from(ballot() != 0),
			WarpAction::Vote(Vote::Uniform) => u64::from(ballot() == members || ballot() == 0),
			WarpAction::Reduce { op, ty } => {
				let values = (0..WARP).filter(|lane| members >> lane & 1 == 1).map(|lane| a[lane]);
				values.reduce(|all, value| integer::binary(op, ty, all, value)).unwrap_or_default()
			}
			WarpAction::Shuffle(mode) => return self.shuffle(mode, group, &a),
			WarpAction::Match { all, .. } => return self.match_lanes(all, group, &a, members),
			WarpAction::Multiply(product) => return self.multiply(product, group),
		};
		for (lane, arrival) in group.iter().enumerate() {
			if let Some(arrival) = arrival {
				self.set(lane, arrival.op.d[0], of_all);
			}
		}
	}

	fn shuffle(&mut self, mode: Shuffle, group: &[Option<Arrival<'e>>; WARP], a: &[u64; WARP]) {
		let b = self.gather(group, |op| op.b[0]);
		let c = self.gather(group, |op| op.c[0]);
		for (lane, arrival) in group.iter().enumerate() {
			let Some(arrival) = arrival else { continue };
			let (source, in_range) = source_lane(mode, lane as u32, b[lane] as u32, c[lane] as u32);
			// Zero if the source takes no part; see the crate's documentation.
			let value = a.get(source as usize).copied().unwrap_or_default();
			self.set(lane, arrival.op.d[1], in_range.into());
			self.set(lane, arrival.op.d[0], value);
		}
	}

	/// All 32 lanes are there, and at the same instruction.
	fn multiply(&mut self, product: MatrixProduct, group: &[Option<Arrival<'e>>; WARP]) {
		let a = core::array::from_fn(|index| self.gather(group, |op| op.a[index]));
		let b = core::array::from_fn(|index| self.gather(group, |op| op.b[index]));
		let c = core::array::from_fn(|index| self.gather(group, |op| op.c[index]));
		let d = matrix::multiply_add(product, &a, &b, &c);
		for (lane, arrival) in group.iter().enumerate() {
			let Some(arrival) = arrival else { continue };
			for (slot, values) in arrival.op.d.iter().zip(&d) {
				self.set(lane, *slot, values[lane]);
			}
		}
	}

	fn match_lanes(&mut self, all: bool, group: &[Option<Arrival<'e>>; WARP], a: &[u64; WARP], members: u32) {
		for (lane, arrival) in group.iter().enumerate() {
			let Some(arrival) = arrival else { continue };
			let same = lanes_where(|other| group[other].is_some() && a[other] == a[lane]);
			let matched = !all || same == members;
			self.set(lane, arrival.op.d[1], matched.into());
			self.set(lane, arrival.op.d[0], if matched { same.into() } else { 0 });
		}
	}
}

/// The bits of the lanes of which something is true.
fn lanes_where(is_true: impl Fn(usize) -> bool) -> u32 {
	(0..WARP).fold(0, |lanes, lane| lanes | u32::from(is_true(lane)) << lane)
}

/// The lane that a lane reads from, and whether it is in range; out of range it reads from itself. `c` holds the bound
/// in its lowest five bits and, in bits 8 to 12, those bits of a lane's number that tell the segments apart.
fn source_lane(mode: Shuffle, lane: u32, b: u32, c: u32) -> (u32, bool) {
	let (b, bound, segment) = (b & 31, c & 31, (c >> 8) & 31);
	let first = lane & segment;
	let last = first | (bound & !segment);
	// Not a lane's number if it is negative, nor if it is 32 or more; neither is then in range.
	let source = match mode {
		Shuffle::Up => lane as i32 - b as i32,
		Shuffle::Down => (lane + b) as i32,
		Shuffle::Butterfly => (lane ^ b) as i32,
		Shuffle::Index => (first | (b & !segment)) as i32,
	};
	let in_range = if mode == Shuffle::Up { source >= last as i32 } else { source <= last as i32 };
	(if in_range { source as u32 } else { lane }, in_range)
}
