//! The engine's JavaScript face in Node.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, missing_docs, reason = "this is how a test fails")]

mod steps;
