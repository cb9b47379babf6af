//! One-command building, running and testing.
fn main() {}
