//! Where a URL leads, checked: scheme, port, and every address that its host has.

use super::{address::not_public, HttpError};
use std::{
	future::Future,
	io,
	net::{IpAddr, SocketAddr},
	pin::Pin,
};
use url::{Host, Url};

/// Most characters of a URL.
const MAX_URL_CHARS: usize = 2048;
/// Most addresses of a host that are tried.
const MAX_ADDRESSES: usize = 4;

/// What URLs may say. The default is for strangers' URLs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rules {
	/// Any port may be named, not only 443.
	pub any_port: bool,
	/// Loopback addresses may be connected to, also without TLS. For development: it lets whoever names URLs reach services of
	/// this machine.
	pub loopback: bool,
}

/// Looks names up.
pub trait Resolve: Send + Sync {
	/// The addresses of a host.
	fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a>;
}

/// Addresses that are being looked up.
pub type Addresses<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
	fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
		Box::pin(async move {
			let found = tokio::net::lookup_host((host, 0)).await?;
			Ok(found.map(|address| address.ip()).collect())
		})
	}
}

/// A URL whose scheme, host and port may be used.
#[derive(Debug)]
pub(super) struct Target {
	pub(super) url: Url,
	pub(super) host: Host<String>,
	pub(super) port: u16,
	pub(super) tls: bool,
}

impl Target {
	/// Reads and checks a URL; a relative one starts from `base`.
	pub(super) fn parse(text: &str, base: Option<&Url>, rules: Rules) -> Result<Self, HttpError> {
		if text.len() > MAX_URL_CHARS {
			return Err(HttpError::Url("it is too long"));
		}
		let url = Url::options().base_url(base).parse(text).map_err(|_| HttpError::Url("it is malformed"))?;
		let tls = match url.scheme() {
			"https" => true,
			"http" if rules.loopback => false,
			_ => return Err(HttpError::Url("its scheme is not https")),
		};
		if !url.username().is_empty() || url.password().is_some() {
			return Err(HttpError::Url("it contains a user name or password"));
		}
		let host = url.host().ok_or(HttpError::Url("it has no host"))?.to_owned();
		let port = url.port_or_known_default().ok_or(HttpError::Url("it has no port"))?;
		if port != 443 && !rules.any_port {
			return Err(HttpError::Url("its port is not 443"));
		}
		Ok(Self { url, host, port, tls })
	}

	/// The addresses to connect to, each of them allowed. A host of which any address is not allowed is refused as a whole:
	/// nobody's public server has a private address too.
	pub(super) async fn addresses(
		&self,
		resolver: &dyn Resolve,
		rules: Rules,
	) -> Result<Vec<SocketAddr>, HttpError> {
		let found = match &self.host {
			Host::Ipv4(address) => vec![IpAddr::V4(*address)],
			Host::Ipv6(address) => vec![IpAddr::V6(*address)],
			Host::Domain(name) => resolver.resolve(name).await.map_err(HttpError::Resolve)?,
		};
		for address in &found {
			self.check(*address, rules)?;
		}
		if found.is_empty() {
			return Err(HttpError::Resolve(io::Error::from(io::ErrorKind::NotFound)));
		}
		Ok(found.into_iter().take(MAX_ADDRESSES).map(|address| SocketAddr::new(address, self.port)).collect())
	}

	fn check(&self, address: IpAddr, rules: Rules) -> Result<(), HttpError> {
		if address.is_loopback() && rules.loopback {
			return Ok(());
		}
		if let Some(reason) = not_public(address) {
			return Err(HttpError::Address { address, reason });
		}
		if self.tls {
			Ok(())
		} else {
			Err(HttpError::Url("its scheme is not https"))
		}
	}

	/// The header `Host`.
	pub(super) fn authority(&self) -> String {
		match self.url.port() {
			Some(port) => format!("{}:{port}", self.host),
			None => self.host.to_string(),
		}
	}

	/// Path and query, without the fragment.
	pub(super) fn path(&self) -> String {
		match self.url.query() {
			Some(query) => format!("{}?{query}", self.url.path()),
			None => self.url.path().to_owned(),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const LOOPBACK: Rules = Rules { any_port: true, loopback: true };

	#[test]
	fn only_plain_https_urls_are_taken() {
		for (text, error) in [
			("http://example.com/", "its scheme is not https"),
			("ftp://example.com/", "its scheme is not https"),
			("file:///etc/passwd", "its scheme is not https"),
			("gopher://example.com/", "its scheme is not https"),
			("https://example.com:8443/", "its port is not 443"),
			("https://example.com:22/", "its port is not 443"),
			("https://user@example.com/", "it contains a user name or password"),
			("https://:secret@example.com/", "it contains a user name or password"),
			("https://example.com@10.0.0.1/", "it contains a user name or password"),
			("https://", "it is malformed"),
			("//example.com/", "it is malformed"),
			("nonsense", "it is malformed"),
			("https://exa mple.com/", "it is malformed"),
		] {
			let refused = Target::parse(text, None, Rules::default()).unwrap_err().to_string();
			assert!(refused.contains(error), "{text}: {refused}");
		}
		let long = format!("https://example.com/{}", "x".repeat(MAX_URL_CHARS));
		assert!(Target::parse(&long, None, Rules::default()).is_err());
		let target = Target::parse("https://example.com:443/a/b?c#d", None, Rules::default()).unwrap();
		assert_eq!((target.path().as_str(), target.authority().as_str()), ("/a/b?c", "example.com"));
	}

	#[tokio::test]
	async fn an_address_is_recognised_however_it_is_written() {
		for host in [
			"127.0.0.1",
			"127.1",
			"0x7f.0.0.1",
			"0177.0.0.1",
			"2130706433",
			"0x7f000001",
			"%31%32%37.0.0.1",
			"127.0.0.1.",
			"[::1]",
			"[0:0::0:1]",
			"[::ffff:127.0.0.1]",
			"[::ffff:7f00:1]",
			"[64:ff9b::7f00:1]",
			"[2002:7f00:1::]",
			"10.1",
			"0",
			"169.254.169.254",
			"１２７.0.0.1",
		] {
			let target = Target::parse(&format!("https://{host}/"), None, Rules::default()).unwrap();
			let refused = target.addresses(&SystemResolver, Rules::default()).await;
			assert!(matches!(refused, Err(HttpError::Address { .. })), "{host}: {refused:?}");
		}
	}

	/// A resolver of two names.
	struct Names;

	impl Resolve for Names {
		fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
			let found: &[&str] = match host {
				"public.example" => &["93.184.215.14", "2606:4700::1"],
				"mixed.example" => &["93.184.215.14", "192.168.1.1"],
				_ => &[],
			};
			let found = found.iter().map(|text| text.parse().unwrap()).collect();
			Box::pin(std::future::ready(Ok(found)))
		}
	}

	#[tokio::test]
	async fn one_private_address_spoils_the_host() {
		let rules = Rules::default();
		let addresses = |name: &str| {
			let target = Target::parse(&format!("https://{name}.example/"), None, rules).unwrap();
			async move { target.addresses(&Names, rules).await }
		};
		assert_eq!(addresses("public").await.unwrap().len(), 2);
		assert!(matches!(addresses("mixed").await, Err(HttpError::Address { .. })));
		assert!(matches!(addresses("none").await, Err(HttpError::Resolve(_))));
	}

	#[tokio::test]
	async fn without_tls_only_loopback_is_reached_even_in_development() {
		let plain = Target::parse("http://93.184.215.14/", None, LOOPBACK).unwrap();
		assert!(matches!(plain.addresses(&Names, LOOPBACK).await, Err(HttpError::Url(_))));
		let plain = Target::parse("http://127.0.0.1/", None, LOOPBACK).unwrap();
		assert!(plain.addresses(&Names, LOOPBACK).await.is_ok());
		let private = Target::parse("https://10.0.0.1/", None, LOOPBACK).unwrap();
		assert!(private.addresses(&Names, LOOPBACK).await.is_err(), "loopback is not all that is private");
	}

	proptest! {
		#[test]
		fn any_text_is_a_checked_url_or_refused(text in ".{0,60}", tail in "[a-z0-9.:@/?#%\\[\\]-]{0,40}") {
			for text in [text, format!("https://{tail}")] {
				if let Ok(target) = Target::parse(&text, None, Rules::default()) {
					prop_assert!(target.tls && target.port == 443 && target.url.username().is_empty());
				}
			}
		}
	}
}
