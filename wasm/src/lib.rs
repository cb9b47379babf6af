//! Thin faces of `waxseal-core`: a WIT component for native hosts, and modules for JavaScript.
//!
//! All of them only convert types; every rule stands in core. Each is a feature and built alone: `component`, `js` (the engine,
//! through wasm-bindgen), `kdf` (password derivations), `token` (checking and signing tokens) and `edge` (checking them with public
//! keys and a revocation snapshot). With the last three only numbers cross the border, and texts lie in a fixed buffer.
#![cfg_attr(all(feature = "token", target_arch = "wasm32"), no_std)]

#[cfg(all(any(feature = "edge", feature = "token"), target_arch = "wasm32"))]
mod border;
#[cfg(feature = "component")]
mod component;
#[cfg(all(feature = "edge", target_arch = "wasm32"))]
mod edge;
#[cfg(all(any(feature = "component", feature = "token"), target_arch = "wasm32"))]
mod heap;
#[cfg(feature = "js")]
pub mod js;
#[cfg(all(feature = "kdf", target_arch = "wasm32"))]
mod kdf;
#[cfg(any(all(any(feature = "edge", feature = "token"), target_arch = "wasm32"), feature = "js", test))]
mod millis;
#[cfg(all(feature = "token", target_arch = "wasm32"))]
mod token;
