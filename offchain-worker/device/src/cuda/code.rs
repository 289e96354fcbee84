//! The driver's result codes.

use crate::{DeviceError, TimeLimit};
use std::{fmt, time::Duration};

/// A result code other than success. Any value may come: newer drivers have codes that are not named here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Code(pub(super) u32);

impl Code {
	/// No GPU is there.
	pub(super) const NO_DEVICE: Self = Self(100);
	/// A launch still runs.
	pub(super) const NOT_READY: Self = Self(600);

	/// NVIDIA's name without `CUDA_ERROR_`, for the codes that a user is likely to meet.
	fn name(self) -> Option<&'static str> {
		Some(match self.0 {
			1 => "INVALID_VALUE",
			2 => "OUT_OF_MEMORY",
			3 => "NOT_INITIALIZED",
			4 => "DEINITIALIZED",
			34 => "STUB_LIBRARY",
			36 => "CALL_REQUIRES_NEWER_DRIVER",
			46 => "DEVICE_UNAVAILABLE",
			100 => "NO_DEVICE",
			101 => "INVALID_DEVICE",
			200 => "INVALID_IMAGE",
			201 => "INVALID_CONTEXT",
			209 => "NO_BINARY_FOR_GPU",
			214 => "ECC_UNCORRECTABLE",
			218 => "INVALID_PTX",
			221 => "JIT_COMPILER_NOT_FOUND",
			222 => "UNSUPPORTED_PTX_VERSION",
			223 => "JIT_COMPILATION_DISABLED",
			304 => "OPERATING_SYSTEM",
			400 => "INVALID_HANDLE",
			500 => "NOT_FOUND",
			600 => "NOT_READY",
			700 => "ILLEGAL_ADDRESS",
			701 => "LAUNCH_OUT_OF_RESOURCES",
			702 => "LAUNCH_TIMEOUT",
			710 => "ASSERT",
			714 => "HARDWARE_STACK_ERROR",
			715 => "ILLEGAL_INSTRUCTION",
			716 => "MISALIGNED_ADDRESS",
			717 => "INVALID_ADDRESS_SPACE",
			718 => "INVALID_PC",
			719 => "LAUNCH_FAILED",
			802 => "SYSTEM_NOT_READY",
			803 => "SYSTEM_DRIVER_MISMATCH",
			999 => "UNKNOWN",
			_ => return None,
		})
	}

	/// The error that the code stands for when `function` returned it. Faults of a kernel are told apart from those of
	/// the device; what is not known is the device's.
	pub(super) fn during(self, function: &str) -> DeviceError {
		let text = format!("{function} returned {self}");
		match self.0 {
			2 => DeviceError::OutOfMemory(text),
			200 | 209 | 218 | 222 | 500 | 701 => DeviceError::KernelRejected(text),
			700 | 710 | 714..=719 => DeviceError::KernelFault(text),
			// The driver has a limit only for GPUs that also drive a display, and does not tell it.
			702 => DeviceError::TimedOut(TimeLimit::WallClock(Duration::ZERO)),
			_ => DeviceError::Lost(text),
		}
	}
}

impl fmt::Display for Code {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self.name() {
			Some(name) => write!(f, "{} ({name})", self.0),
			None => write!(f, "{}", self.0),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_say_whose_fault_it_is() {
		let text = |code: u32| format!("f returned {}", Code(code));
		assert_eq!(
			Code(700).during("f"),
			DeviceError::KernelFault("f returned 700 (ILLEGAL_ADDRESS)".into())
		);
		for code in [700, 710, 714, 715, 716, 717, 718, 719] {
			assert_eq!(Code(code).during("f"), DeviceError::KernelFault(text(code)));
		}
		for code in [200, 209, 218, 222, 500, 701] {
			assert_eq!(Code(code).during("f"), DeviceError::KernelRejected(text(code)));
		}
		assert_eq!(Code(2).during("f"), DeviceError::OutOfMemory(text(2)));
		for code in [46, 214, 713, 720, 999, 4_000_000_000] {
			assert_eq!(Code(code).during("f"), DeviceError::Lost(text(code)));
		}
		assert_eq!(text(4_000_000_000), "f returned 4000000000");
	}
}
