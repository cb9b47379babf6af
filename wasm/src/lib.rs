//! Two thin faces of `waxseal-core`: a WIT component for native hosts and a wasm-bindgen package for JavaScript.
//!
//! Both only convert types; every rule stands in core.

#[cfg(feature = "component")]
mod component;
#[cfg(all(feature = "component", target_arch = "wasm32"))]
mod heap;
#[cfg(feature = "js")]
pub mod js;
