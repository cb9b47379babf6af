//! Thin faces of `waxseal-core`: a WIT component for native hosts, and modules for JavaScript.
//!
//! All of them only convert types; every rule stands in core. Each is a feature and built alone: `component`, `js` (the engine,
//! through wasm-bindgen), `kdf` (password derivations; numbers and fixed buffers only).

#[cfg(feature = "component")]
mod component;
#[cfg(all(feature = "component", target_arch = "wasm32"))]
mod heap;
#[cfg(feature = "js")]
pub mod js;
#[cfg(all(feature = "kdf", target_arch = "wasm32"))]
mod kdf;
