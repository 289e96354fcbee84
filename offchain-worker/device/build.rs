//! Lets everything that depends on this crate link on machines without a CUDA driver.
//!
//! `cuda-driver-sys` asks the linker for `libcuda`, although this crate takes only types and compile-time checks from
//! it and finds the functions at run time. An empty archive of that name satisfies the linker. Where there is a real
//! `libcuda.so` it may be found instead; nothing refers to it, so it is not recorded as needed either.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
	let folder = PathBuf::from(env::var("OUT_DIR")?);
	fs::write(folder.join("libcuda.a"), "!<arch>\n")?;
	println!("cargo:rustc-link-search=native={}", folder.display());
	println!("cargo:rerun-if-changed=build.rs");
	Ok(())
}
