//! What the suites share: a store in memory with a driver for core, the server as a child process, and a small client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this is how a test fails"
)]

pub mod client;
mod leaks;
pub mod memory;
pub mod nginx;
pub mod server;
pub mod torture;
