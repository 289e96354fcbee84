//! Drives a fetch over a network.

use crate::{AskError, Fetch, FetchError, Progress, Question, Step};
use futures::{
	future::Either,
	stream::{FuturesUnordered, StreamExt},
};
use std::{
	fmt,
	future::Future,
	time::{Duration, Instant},
};

/// A network that carries requests to peers.
pub trait Ask<P> {
	/// Sends a request and waits for the answer. Dropping the future gives the request up.
	fn ask(&self, peer: P, request: Vec<u8>) -> impl Future<Output = Result<Vec<u8>, AskError>> + Send;
}

/// Fetches until the blob is whole or nobody is left. A request without answer after `timeout` has failed. `progress` is told
/// each time that something has come.
///
/// Dropping the future stops the fetch; what is on the disk stays for another time. The disk's work is done on tokio's threads
/// for that.
///
/// # Errors
///
/// Those of [`Fetch::next`] and [`Fetch::on_answer`].
pub async fn drive<P, A>(
	mut fetch: Fetch<P>,
	network: &A,
	timeout: Duration,
	mut progress: impl FnMut(Progress),
) -> Result<Fetch<P>, FetchError<P>>
where
	P: Clone + fmt::Debug + Eq + Send + 'static,
	A: Ask<P>,
{
	let mut flights = FuturesUnordered::new();
	loop {
		let until = match fetch.next(Instant::now())? {
			Step::Ask(Question { id, peer, request }) => {
				flights.push(async move {
					let answer = tokio::time::timeout(timeout, network.ask(peer, request)).await;
					(id, answer.unwrap_or(Err(AskError::TimedOut)))
				});
				continue;
			}
			Step::Wait(until) => until,
			Step::Done => return Ok(fetch),
		};
		let pause = match until {
			Some(until) => Either::Left(tokio::time::sleep_until(until.into())),
			None => Either::Right(std::future::pending()),
		};
		let (id, answer) = tokio::select! {
			Some(answered) = flights.next() => answered,
			() = pause => continue,
		};
		fetch = on_disk_thread(fetch, id, answer).await?;
		progress(fetch.progress());
	}
}

/// Hands an answer in where it may block.
async fn on_disk_thread<P: Clone + fmt::Debug + Eq + Send + 'static>(
	mut fetch: Fetch<P>,
	id: u64,
	answer: Result<Vec<u8>, AskError>,
) -> Result<Fetch<P>, FetchError<P>> {
	let work = move || fetch.on_answer(id, answer, Instant::now()).map(|()| fetch);
	match tokio::task::spawn_blocking(work).await {
		Ok(result) => result,
		Err(failure) => match failure.try_into_panic() {
			Ok(panic) => std::panic::resume_unwind(panic),
			// The runtime is going down, and this future with it.
			Err(_) => std::future::pending().await,
		},
	}
}
