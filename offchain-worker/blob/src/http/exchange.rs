//! One request and its response, over a connection of its own.

use super::{target::Target, HttpError, Pulled, Puller};
use crate::{Progress, Root};
use http_body_util::{BodyExt, Empty};
use hyper::{
	body::{Body, Bytes, Incoming},
	client::conn::http1,
	header::{self, HeaderValue},
	Request, Response,
};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::{
	io::{AsyncRead, AsyncWrite},
	net::TcpStream,
	task::JoinSet,
};
use tokio_rustls::rustls::pki_types::ServerName;
use url::Host;

/// Most bytes of a response's head, and of one read.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

/// A response whose body was not read yet.
pub(super) struct Exchange<'a> {
	puller: &'a Puller,
	response: Response<Incoming>,
	/// The task that moves bytes for hyper; it ends with the exchange.
	_connection: JoinSet<()>,
}

impl<'a> Exchange<'a> {
	/// Resolves, checks, connects, and asks.
	pub(super) async fn start(puller: &'a Puller, target: &Target) -> Result<Self, HttpError> {
		let rules = puller.config.rules;
		let addresses = puller.unstalled(target.addresses(&*puller.config.resolver, rules)).await?;
		let mut failure = io::Error::from(io::ErrorKind::NotFound);
		for address in addresses {
			// The connection goes to the address that was checked: the name is not looked up again.
			let connect = async { TcpStream::connect(address).await.map_err(HttpError::Connect) };
			match puller.unstalled(connect).await {
				Ok(stream) => return Self::ask(puller, target, stream).await,
				Err(HttpError::Connect(error)) => failure = error,
				Err(HttpError::Stalled(_)) => failure = io::Error::from(io::ErrorKind::TimedOut),
				Err(error) => return Err(error),
			}
		}
		Err(HttpError::Connect(failure))
	}

	async fn ask(puller: &'a Puller, target: &Target, stream: TcpStream) -> Result<Self, HttpError> {
		if !target.tls {
			return Self::ask_over(puller, target, stream).await;
		}
		let name = server_name(&target.host)?;
		let handshake = async { puller.tls.connect(name, stream).await.map_err(HttpError::Connect) };
		let stream = puller.unstalled(handshake).await?;
		Self::ask_over(puller, target, stream).await
	}

	async fn ask_over(
		puller: &'a Puller,
		target: &Target,
		stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
	) -> Result<Self, HttpError> {
		let request = request(target)?;
		let mut builder = http1::Builder::new();
		builder.max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
		let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
		let mut task = JoinSet::new();
		task.spawn(async move {
			// Its error reaches the response or the body, too.
			let _ = connection.await;
		});
		let response = puller.unstalled(async { Ok(sender.send_request(request).await?) }).await?;
		Ok(Self { puller, response, _connection: task })
	}

	/// Where the response leads instead; `None` if it is the blob.
	pub(super) fn redirect(&self) -> Result<Option<&str>, HttpError> {
		match self.response.status().as_u16() {
			200 => Ok(None),
			301 | 302 | 303 | 307 | 308 => {
				let location = self.response.headers().get(header::LOCATION);
				let text = location.and_then(|value| value.to_str().ok());
				text.map(Some).ok_or(HttpError::Url("the redirect names none"))
			}
			status => Err(HttpError::Status(status)),
		}
	}

	/// Writes the body to the disk, and keeps it if its hash is `root`.
	pub(super) async fn save(
		self,
		root: Root,
		cap: u64,
		progress: &mut impl FnMut(Progress),
	) -> Result<Pulled, HttpError> {
		let Self { puller, response, _connection } = self;
		if !is_plain(response.headers().get_all(header::CONTENT_ENCODING).iter()) {
			return Err(HttpError::Encoded);
		}
		let mut body = response.into_body();
		let total = body.size_hint().exact();
		if total.is_some_and(|bytes| bytes > cap) {
			return Err(HttpError::TooLarge { cap });
		}
		let saving = puller.folder.start(root)?;
		let mut bytes = 0u64;
		while let Some(piece) = puller.unstalled(async { Ok(body.frame().await.transpose()?) }).await? {
			let Ok(data) = piece.into_data() else { continue };
			bytes = bytes.saturating_add(data.len() as u64);
			if bytes > cap {
				return Err(HttpError::TooLarge { cap });
			}
			if !saving.write(data).await {
				// The disk has failed; `finish` tells how.
				break;
			}
			progress(Progress { bytes, total });
		}
		saving.finish().await
	}
}

/// Whether a body is sent as it is.
fn is_plain<'a>(mut encodings: impl Iterator<Item = &'a HeaderValue>) -> bool {
	encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn request(target: &Target) -> Result<Request<Empty<Bytes>>, HttpError> {
	let request = Request::get(target.path())
		.header(header::HOST, target.authority())
		.header(header::ACCEPT_ENCODING, "identity")
		.header(header::CONNECTION, "close")
		.header(header::USER_AGENT, concat!("millrace/", env!("CARGO_PKG_VERSION")))
		.body(Empty::new());
	request.map_err(|_| HttpError::Url("it is malformed"))
}

fn server_name(host: &Host<String>) -> Result<ServerName<'static>, HttpError> {
	match host {
		Host::Domain(name) => {
			ServerName::try_from(name.clone()).map_err(|_| HttpError::Url("its host is malformed"))
		}
		Host::Ipv4(address) => Ok(std::net::IpAddr::V4(*address).into()),
		Host::Ipv6(address) => Ok(std::net::IpAddr::V6(*address).into()),
	}
}
