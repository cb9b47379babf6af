//! The engine's JavaScript face in a service worker.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, missing_docs, reason = "this is how a test fails")]

mod steps;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_service_worker);
