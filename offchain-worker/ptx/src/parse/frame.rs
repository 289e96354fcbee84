//! Where functions keep what they are given and what they give back.
//!
//! Functions are not recursive, so each has one place for all its calls: a slot for each parameter and result that is a
//! register, bytes of local memory for the others, and a slot that says where its caller goes on. They are reserved when
//! an entry, or a function that it calls, first calls the function; there is no stack.

use super::{body::Body, function::Signature, modifiers::Type, names::Role};
use crate::{
	error::ParseError,
	ir::{Op, Seed, Slot},
	lexer::Place,
};
use alloc::{collections::BTreeMap, vec::Vec};

/// Where a parameter or a result is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Home {
	Register { slot: Slot, ty: Type },
	Memory { offset: u32, bytes: u16, ty: Option<Type> },
}

/// The place of a function.
#[derive(Clone, Debug)]
pub(super) struct Frame {
	/// The index at which its caller goes on.
	pub(super) link: Slot,
	pub(super) results: Vec<Home>,
	pub(super) parameters: Vec<Home>,
	/// The index of its first instruction, once its text has been read.
	start: Option<u32>,
}

/// A call whose target may not have been read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
	instruction: usize,
	pub(super) function: &'a str,
	pub(super) place: Place,
}

/// The functions that an entry calls, so far.
#[derive(Debug, Default)]
pub(super) struct Frames<'a> {
	known: BTreeMap<&'a str, Frame>,
	/// In the order of the text.
	pub(super) calls: Vec<Call<'a>>,
	/// Local memory of `.param` variables whose scope has ended, by size and alignment.
	free: BTreeMap<(u16, u32), Vec<u32>>,
}

impl<'a> Body<'a> {
	/// The place of a function, which is reserved when it is first asked for.
	pub(super) fn frame(
		&mut self,
		name: &'a str,
		signature: &Signature<'a>,
		place: Place,
	) -> Result<Frame, ParseError> {
		if let Some(frame) = self.frames.known.get(name) {
			return Ok(frame.clone());
		}
		let mut homes = [Vec::new(), Vec::new()];
		for (homes, formals) in homes.iter_mut().zip([&signature.results, &signature.parameters]) {
			for formal in formals {
				homes.push(match (formal.register, formal.ty) {
					(true, Some(ty)) => Home::Register { slot: self.new_slot(Seed::Zero, place)?, ty },
					(_, ty) => Home::Memory {
						offset: self.reserve_local(formal.bytes.into(), formal.align, place)? as u32,
						bytes: formal.bytes,
						ty,
					},
				});
			}
		}
		let [results, parameters] = homes;
		let link = self.new_slot(Seed::Zero, place)?;
		let frame = Frame { link, results, parameters, start: None };
		self.frames.known.insert(name, frame.clone());
		Ok(frame)
	}

	/// A function starts with the next instruction.
	pub(super) fn start_function(&mut self, name: &str) {
		let start = self.code.len() as u32;
		if let Some(frame) = self.frames.known.get_mut(name) {
			frame.start = Some(start);
		}
		// What is free is not in use by the caller, but it may be read there after the call.
		self.frames.free.clear();
	}

	/// Where the code of a function starts, if it has been read.
	pub(super) fn start_of(&self, name: &str) -> Option<u32> {
		self.frames.known.get(name)?.start
	}

	/// Appends a call.
	pub(super) fn push_call(
		&mut self,
		function: &'a str,
		link: Slot,
		place: Place,
	) -> Result<(), ParseError> {
		self.frames.calls.push(Call { instruction: self.code.len(), function, place });
		self.push(crate::ir::Guard::Always, Op::Call { target: 0, link }, place)
	}

	/// Lets a call go to where its function starts.
	pub(super) fn resolve_call(&mut self, call: Call<'a>, start: u32) {
		if let Some(Op::Call { target, .. }) =
			self.code.get_mut(call.instruction).map(|instruction| &mut instruction.op)
		{
			*target = start;
		}
	}

	/// Reserves local memory for a `.param` variable, until its scope ends.
	pub(super) fn reserve_passed(&mut self, bytes: u16, align: u32, place: Place) -> Result<u32, ParseError> {
		let offset = match self.frames.free.get_mut(&(bytes, align)).and_then(Vec::pop) {
			Some(offset) => offset,
			None => self.reserve_local(bytes.into(), align, place)? as u32,
		};
		self.scope(place)?.passed.push((bytes, align, offset));
		Ok(offset)
	}

	/// Gives back the local memory of `.param` variables.
	pub(super) fn release_passed(&mut self, passed: Vec<(u16, u32, u32)>) {
		for (bytes, align, offset) in passed {
			self.frames.free.entry((bytes, align)).or_default().push(offset);
		}
	}
}

impl Role {
	/// Whether the variable's address may be taken.
	pub(super) fn has_address(self) -> bool {
		matches!(self, Self::Parameter | Self::Result)
	}
}
