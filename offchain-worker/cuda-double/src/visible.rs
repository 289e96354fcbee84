//! Which GPUs a process is shown.

use crate::config::Config;
use std::env;

/// A GPU, or an instance of one, as a process sees it.
#[derive(Clone, Debug)]
pub(crate) struct Gpu {
	/// UUID of the whole GPU.
	pub(crate) whole: [u8; 16],
	/// UUID of the instance, if it is one.
	pub(crate) instance: Option<[u8; 16]>,
	pub(crate) name: String,
	pub(crate) memory_bytes: u64,
}

/// What `CUDA_VISIBLE_DEVICES` leaves, in its order. Its words are numbers, or UUIDs that may be cut short; the first that names
/// nothing ends the list. Of instances a process sees one at most, and none beside a whole GPU.
pub(crate) fn visible(config: &Config) -> Vec<Gpu> {
	let (parts, wholes) = machine(config);
	// Unless they are named, instances are shown only where there are no whole GPUs.
	let default: Vec<_> =
		if wholes.is_empty() { parts.iter().take(1).collect() } else { wholes.iter().collect() };
	let Some(words) = env::var("CUDA_VISIBLE_DEVICES").ok() else {
		return default.into_iter().map(|(_, gpu)| gpu.clone()).collect();
	};
	let find = |word: &str| match word.parse::<usize>() {
		Ok(number) => default.get(number).copied(),
		Err(_) if word.is_empty() => None,
		Err(_) => wholes.iter().chain(&parts).find(|(uuid, _)| uuid.starts_with(word)),
	};
	let mut found = words.split(',').map_while(|word| find(word.trim())).map(|(_, gpu)| gpu);
	let Some(first) = found.next() else { return Vec::new() };
	if first.instance.is_some() {
		return vec![first.clone()];
	}
	let others = found.filter(|gpu| gpu.instance.is_none());
	std::iter::once(first).chain(others).cloned().collect()
}

type Named = (String, Gpu);

/// The machine's instances and whole GPUs, by UUID. The first GPU is no whole one if it has instances.
fn machine(config: &Config) -> (Vec<Named>, Vec<Named>) {
	let mut wholes: Vec<Named> =
		(0..config.devices).map(|ordinal| whole(ordinal, config.memory_bytes)).collect();
	if config.instances.is_empty() || wholes.is_empty() {
		return (Vec::new(), wholes);
	}
	let (_, divided) = wholes.remove(0);
	let part = |instance: &crate::config::Instance| {
		let gpu = Gpu {
			instance: Some(bytes(&instance.uuid)),
			name: format!("{} MIG", divided.name),
			memory_bytes: instance.memory_bytes,
			..divided.clone()
		};
		(instance.uuid.clone(), gpu)
	};
	(config.instances.iter().map(part).collect(), wholes)
}

fn whole(ordinal: u32, memory_bytes: u64) -> Named {
	let mut whole = *b"Millrace double.";
	whole[15] = ordinal as u8;
	let gpu =
		Gpu { whole, instance: None, name: format!("Millrace CUDA test double {ordinal}"), memory_bytes };
	(format!("GPU-4d696c6c-7261-6365-2064-6f75626c65{ordinal:02x}"), gpu)
}

/// The bytes of a UUID's text. What has too few digits ends with zeros.
fn bytes(uuid: &str) -> [u8; 16] {
	let text = uuid.trim_start_matches("MIG-");
	let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
	let mut bytes = [0; 16];
	for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
		*byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
	}
	bytes
}
