//! Thin faces of `waxseal-core`: a WIT component for native hosts, and modules for JavaScript.
//!
//! All of them only convert types; every rule stands in core. Each is a feature and built alone: `component`, `js` (the engine,
//! through wasm-bindgen), `kdf` (password derivations) and `token` (checking and signing tokens), where only numbers cross
//! the border and texts lie in a fixed buffer.
#![cfg_attr(all(feature = "token", target_arch = "wasm32"), no_std)]

#[cfg(feature = "component")]
mod component;
#[cfg(all(any(feature = "component", feature = "token"), target_arch = "wasm32"))]
mod heap;
#[cfg(feature = "js")]
pub mod js;
#[cfg(all(feature = "kdf", target_arch = "wasm32"))]
mod kdf;
#[cfg(all(feature = "token", target_arch = "wasm32"))]
mod token;
