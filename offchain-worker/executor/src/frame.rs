//! Frames: a length of four bytes, little-endian, then as many bytes.

use std::io::{self, ErrorKind, Read, Write};

/// Writes one frame and flushes it.
///
/// # Errors
///
/// Those of `output`, and `InvalidInput` for 4 GiB and more.
pub(crate) fn write_frame(output: &mut impl Write, payload: &[u8]) -> io::Result<()> {
	let length = u32::try_from(payload.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
	output.write_all(&length.to_le_bytes())?;
	output.write_all(payload)?;
	output.flush()
}

/// Reads one frame; `None` if the other side has closed the pipe before the next one.
///
/// # Errors
///
/// Those of `input`, `InvalidData` for a frame of more than `limit` bytes, and `UnexpectedEof` for one that was cut off.
pub(crate) fn read_frame(input: &mut impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
	let mut header = Vec::with_capacity(4);
	input.by_ref().take(4).read_to_end(&mut header)?;
	if header.is_empty() {
		return Ok(None);
	}
	let header = <[u8; 4]>::try_from(header).map_err(|_| cut_off())?;
	let length = u64::from(u32::from_le_bytes(header));
	if length > limit {
		let message = format!("a frame of {length} bytes, the limit is {limit}");
		return Err(io::Error::new(ErrorKind::InvalidData, message));
	}
	// Grows with what comes: a length alone must not make us allocate.
	let mut payload = Vec::new();
	input.by_ref().take(length).read_to_end(&mut payload)?;
	if payload.len() as u64 != length {
		return Err(cut_off());
	}
	Ok(Some(payload))
}

fn cut_off() -> io::Error {
	io::Error::new(ErrorKind::UnexpectedEof, "a frame was cut off")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn framed(payload: &[u8]) -> Vec<u8> {
		let mut bytes = Vec::new();
		write_frame(&mut bytes, payload).unwrap();
		bytes
	}

	#[test]
	fn frames_come_back_in_order_until_the_end() {
		let bytes = [framed(b"one"), framed(b""), framed(&[7; 100_000])].concat();
		let mut input = bytes.as_slice();
		assert_eq!(read_frame(&mut input, 3).unwrap().unwrap(), b"one");
		assert_eq!(read_frame(&mut input, 3).unwrap().unwrap(), b"");
		assert_eq!(read_frame(&mut input, 100_000).unwrap().unwrap(), [7; 100_000]);
		assert_eq!(read_frame(&mut input, 3).unwrap(), None);
	}

	#[test]
	fn a_frame_over_the_limit_is_refused_before_its_bytes_are_read() {
		let bytes = framed(b"four");
		let mut input = bytes.as_slice();
		let error = read_frame(&mut input, 3).unwrap_err();
		assert_eq!(error.kind(), ErrorKind::InvalidData);
		assert_eq!(error.to_string(), "a frame of 4 bytes, the limit is 3");
		assert_eq!(input, b"four");
	}

	#[test]
	fn a_frame_that_is_cut_off_is_an_error() {
		let bytes = framed(b"four");
		for length in 1..bytes.len() {
			let error = read_frame(&mut &bytes[..length], 10).unwrap_err();
			assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "after {length} bytes");
		}
		// A length alone is no reason to allocate 4 GiB.
		let error = read_frame(&mut [255; 4].as_slice(), u64::MAX).unwrap_err();
		assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
	}
}
