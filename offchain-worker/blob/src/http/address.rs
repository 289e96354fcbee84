//! Which addresses may be connected to: only those that anybody on the internet can reach.
//!
//! The tables are the IANA special-purpose registries (<https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>), with what clouds answer on a public address to their own
//! machines. Of IPv6 only the global unicast range 2000::/3 can be public at all, so that its table is of what is not public
//! within.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of IPv4: network, prefix length, what it is.
const V4: &[([u8; 4], u8, &str)] = &[
	([0, 0, 0, 0], 8, "this network"),
	([10, 0, 0, 0], 8, "private"),
	([100, 64, 0, 0], 10, "shared by a carrier's customers"),
	([127, 0, 0, 0], 8, "loopback"),
	([168, 63, 129, 16], 32, "a cloud's metadata service"),
	([169, 254, 0, 0], 16, "link-local"),
	([172, 16, 0, 0], 12, "private"),
	([192, 0, 0, 0], 24, "reserved for protocols"),
	([192, 0, 2, 0], 24, "for documentation"),
	([192, 31, 196, 0], 24, "AS112"),
	([192, 52, 193, 0], 24, "AMT"),
	([192, 88, 99, 0], 24, "6to4 relays"),
	([192, 168, 0, 0], 16, "private"),
	([192, 175, 48, 0], 24, "AS112"),
	([198, 18, 0, 0], 15, "for benchmarks"),
	([198, 51, 100, 0], 24, "for documentation"),
	([203, 0, 113, 0], 24, "for documentation"),
	([224, 0, 0, 0], 4, "multicast"),
	([240, 0, 0, 0], 4, "reserved"),
];

/// Ranges within 2000::/3: network, prefix length, what it is.
const V6: &[([u16; 8], u8, &str)] = &[
	([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "reserved for protocols"),
	([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "for documentation"),
	([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4"),
	([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "AS112"),
	([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "for documentation"),
];

/// Why an address is not one of the public internet; `None` if it is one.
pub(super) fn not_public(address: IpAddr) -> Option<&'static str> {
	match address {
		IpAddr::V4(address) => v4(address),
		IpAddr::V6(address) => v6(address),
	}
}

fn v4(address: Ipv4Addr) -> Option<&'static str> {
	let number = address.to_bits();
	let within = |&&(network, length, _): &&([u8; 4], u8, &str)| {
		let shift = 32u32.saturating_sub(length.into());
		number.checked_shr(shift) == Ipv4Addr::from(network).to_bits().checked_shr(shift)
	};
	V4.iter().find(within).map(|(_, _, what)| *what)
}

fn v6(address: Ipv6Addr) -> Option<&'static str> {
	match address.segments() {
		// A network without IPv4 makes such addresses of public ones.
		[0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
			return v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
		}
		[0, 0, 0, 0, 0, 0, 0, 1] => return Some("loopback"),
		[0, 0, 0, 0, 0, 0xffff, ..] => return Some("an IPv4 address in disguise"),
		[first, ..] if first & 0xfe00 == 0xfc00 => return Some("private"),
		[first, ..] if first & 0xffc0 == 0xfe80 => return Some("link-local"),
		[first, ..] if first & 0xff00 == 0xff00 => return Some("multicast"),
		[first, ..] if first & 0xe000 != 0x2000 => return Some("reserved"),
		_ => {}
	}
	let number = address.to_bits();
	let within = |&&(network, length, _): &&([u16; 8], u8, &str)| {
		let shift = 128u32.saturating_sub(length.into());
		number.checked_shr(shift) == Ipv6Addr::from(network).to_bits().checked_shr(shift)
	};
	V6.iter().find(within).map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
	use super::*;

	/// First and last addresses of every block of the two IANA registries that is not globally reachable, and of the others
	/// that are nobody's servers.
	const REFUSED: &[(&str, &str)] = &[
		("0.0.0.0", "0.255.255.255"),
		("10.0.0.0", "10.255.255.255"),
		("100.64.0.0", "100.127.255.255"),
		("127.0.0.0", "127.255.255.255"),
		("169.254.0.0", "169.254.255.255"),
		("172.16.0.0", "172.31.255.255"),
		("192.0.0.0", "192.0.0.255"),
		("192.0.2.0", "192.0.2.255"),
		("192.31.196.0", "192.31.196.255"),
		("192.52.193.0", "192.52.193.255"),
		("192.88.99.0", "192.88.99.255"),
		("192.168.0.0", "192.168.255.255"),
		("192.175.48.0", "192.175.48.255"),
		("198.18.0.0", "198.19.255.255"),
		("198.51.100.0", "198.51.100.255"),
		("203.0.113.0", "203.0.113.255"),
		("224.0.0.0", "239.255.255.255"),
		("240.0.0.0", "255.255.255.255"),
		// Metadata services: most clouds, Oracle, Alibaba, Azure, AWS by IPv6.
		("169.254.169.254", "169.254.170.2"),
		("192.0.0.192", "192.0.0.192"),
		("100.100.100.200", "100.100.100.200"),
		("168.63.129.16", "168.63.129.16"),
		("fd00:ec2::254", "fd00:ec2::254"),
		("::", "::"),
		("::1", "::1"),
		("::127.0.0.1", "::8.8.8.8"),
		("::ffff:0.0.0.0", "::ffff:255.255.255.255"),
		("64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255"),
		("64:ff9b::127.0.0.1", "64:ff9b::127.0.0.1"),
		("64:ff9b::169.254.169.254", "64:ff9b::169.254.169.254"),
		("64:ff9b::192.168.0.0", "64:ff9b::192.168.255.255"),
		("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
		("100::", "100::ffff:ffff:ffff:ffff"),
		("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
		("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
		("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("2002:7f00:1::", "2002:a00:1::1"),
		("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
		("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
	];

	const PUBLIC: &[&str] = &[
		"1.0.0.0",
		"8.8.8.8",
		"9.255.255.255",
		"11.0.0.0",
		"100.63.255.255",
		"100.128.0.0",
		"126.255.255.255",
		"128.0.0.0",
		"168.63.129.15",
		"169.253.255.255",
		"169.255.0.0",
		"172.15.255.255",
		"172.32.0.0",
		"192.0.1.0",
		"192.0.3.0",
		"192.167.255.255",
		"192.169.0.0",
		"198.17.255.255",
		"198.20.0.0",
		"223.255.255.255",
		"64:ff9b::8.8.8.8",
		"2000::1",
		"2001:200::",
		"2001:db7:ffff::1",
		"2001:db9::1",
		"2003::1",
		"2606:4700:4700::1111",
		"2620:4f:8001::1",
		"3ffe:ffff::1",
		"3fff:1000::1",
	];

	#[test]
	fn what_is_not_everybodys_is_refused() {
		for (first, last) in REFUSED {
			for address in [first, last] {
				assert!(not_public(address.parse().unwrap()).is_some(), "{address}");
			}
		}
	}

	#[test]
	fn the_addresses_beside_are_public() {
		for address in PUBLIC {
			assert_eq!(not_public(address.parse().unwrap()), None, "{address}");
		}
	}
}
