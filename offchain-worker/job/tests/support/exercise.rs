//! What is tried with bytes that may be a plan, by the fuzzer and by the test that reads what it found.

use millrace_job::{ContainerPlan, Document, Limits, Plan};

/// Reads a plan of either kind; whoever reads only one kind must come to the same.
pub(crate) fn read(bytes: &[u8]) -> Option<Document> {
	let found = Document::parse(bytes);
	let kernel = Plan::parse(bytes);
	match &found {
		Ok(Document::Kernel(plan)) => {
			assert_eq!(kernel.as_ref(), Ok(plan));
			assert_eq!(plan.check(&Limits::MAX), Ok(()));
			assert!(plan.output_bytes() <= plan.buffer_bytes());
			let _ = plan.check(&Limits { buffer_bytes: 1, ..Limits::MAX });
		}
		Ok(Document::Container(plan)) => {
			assert!(kernel.is_err());
			assert_eq!(ContainerPlan::check(plan), Ok(()));
		}
		Err(error) => {
			assert!(kernel.is_err());
			assert!(error.to_string().len() < 2_000, "the document is not repeated in its error");
		}
	}
	let document = found.ok()?;
	let mut blobs = document.blobs();
	let named = blobs.len();
	blobs.sort_unstable();
	blobs.dedup();
	assert_eq!(blobs.len(), named, "no blob is named twice");
	Some(document)
}
