//! A Millrace node.
fn main() {}
