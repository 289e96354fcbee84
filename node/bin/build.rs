//! Puts the commit into `--version`.
//!
//! Cargo compiles a package again when its build script ran. So this one belongs to a package that holds
//! nothing else, and a commit costs a link instead of compiling the node.

use std::process::Command;

fn main() {
	substrate_build_script_utils::generate_cargo_keys();
	substrate_build_script_utils::rerun_if_git_head_changed();
	// The two below are read above, but not watched: the commit that a build without Git is given, and HEAD
	// while it names no branch.
	println!("cargo:rerun-if-env-changed=SUBSTRATE_CLI_GIT_COMMIT_HASH");
	if let Some(head) = git_head() {
		println!("cargo:rerun-if-changed={head}");
	}
}

/// Path of the file `HEAD`; none outside a Git checkout.
fn git_head() -> Option<String> {
	let output = Command::new("git").args(["rev-parse", "--git-path", "HEAD"]).output().ok()?;
	let path = String::from_utf8(output.stdout).ok()?;
	output.status.success().then(|| path.trim().to_owned())
}
