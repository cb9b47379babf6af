//! The `waxseal` binary.
fn main() {}
