//! Lines for the operator that are true for a long time, such as "no key": logged when they begin and rarely after that.

use crate::LOG_TARGET;
use std::time::Duration;
use tokio::time::Instant;

/// How often a line that stays true is logged.
const REPEAT: Duration = Duration::from_secs(600);

/// The current line.
#[derive(Debug, Default)]
pub(crate) struct Notice(Option<(String, Instant)>);

impl Notice {
	/// What is to be said now; `None` if all is well. Logs it if it is news, or was not said for long. Says whether it logged.
	pub(crate) fn set(&mut self, text: Option<String>) -> bool {
		let now = Instant::now();
		let said = match (&self.0, &text) {
			(Some((old, at)), Some(new)) => old == new && now.duration_since(*at) < REPEAT,
			(_, None) => true,
			(None, Some(_)) => false,
		};
		match text {
			None => self.0 = None,
			Some(text) if !said => {
				log::warn!(target: LOG_TARGET, "{text}");
				self.0 = Some((text, now));
			}
			Some(_) => {}
		}
		!said
	}

	/// The current line.
	pub(crate) fn text(&self) -> Option<&str> {
		self.0.as_ref().map(|(text, _)| text.as_str())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test(start_paused = true)]
	async fn a_line_is_logged_once_and_then_rarely() {
		let mut notice = Notice::default();
		assert!(notice.set(Some("no key".into())));
		assert!(!notice.set(Some("no key".into())));
		assert!(notice.set(Some("no device".into())));
		assert_eq!(notice.text(), Some("no device"));
		tokio::time::advance(REPEAT).await;
		assert!(notice.set(Some("no device".into())));
		assert!(!notice.set(None));
		assert_eq!(notice.text(), None);
		assert!(notice.set(Some("no device".into())));
	}
}
