//! A registry of one image, without encryption.

use super::archive::{digest, Archive};
use std::{
	io::{BufRead, BufReader, Write},
	net::{TcpListener, TcpStream},
	thread,
};

/// Starts a registry on a port of its own, which serves these blobs as long as the test runs. Returns its host and port.
pub(crate) fn serve(archive: &Archive) -> String {
	let blobs = archive.blobs();
	let listener = TcpListener::bind("127.0.0.1:0").unwrap();
	let host = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
	thread::spawn(move || {
		for stream in listener.incoming().flatten() {
			let blobs = blobs.clone();
			// Podman closes connections when it likes.
			thread::spawn(move || answer(stream, &blobs).unwrap_or_default());
		}
	});
	host
}

fn answer(stream: TcpStream, blobs: &[(String, Vec<u8>)]) -> std::io::Result<()> {
	let mut lines = BufReader::new(stream.try_clone()?).lines();
	let request = lines.next().unwrap_or(Ok(String::new()))?;
	while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
	let path = request.split_whitespace().nth(1).unwrap_or_default();
	let found = blobs.iter().find(|(name, _)| path.ends_with(name));
	let kind = if path.contains("/manifests/") {
		"application/vnd.oci.image.manifest.v1+json"
	} else {
		"application/octet-stream"
	};
	let (status, body) = match found {
		Some((_, bytes)) => ("200 OK", bytes.as_slice()),
		None if path == "/v2/" => ("200 OK", b"{}".as_slice()),
		None => ("404 Not Found", b"{}".as_slice()),
	};
	let length = body.len();
	let named = digest(body);
	let mut stream = stream;
	write!(
		stream,
		"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
		 Docker-Content-Digest: {named}\r\nConnection: close\r\n\r\n"
	)?;
	if request.starts_with("HEAD") {
		return Ok(());
	}
	stream.write_all(body)
}
