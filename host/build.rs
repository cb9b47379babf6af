//! Builds the component and compiles it ahead of time.
fn main() {}
