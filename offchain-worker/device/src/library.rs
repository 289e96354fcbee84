//! What the two driver libraries have in common.

/// The dynamic linker's own words, which name the file or the dependency that is missing.
pub(crate) fn dynamic_linker_text(error: &libloading::Error) -> String {
	std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
