//! The JavaScript face of core: the steps of a call, and the world they are taken in.
//!
//! Errors that a caller can cause are thrown as `[code, sentence]`. Whatever else is thrown is a trap; the instance must then be
//! given up.

mod engine;
mod fault;
mod shapes;
mod step;

pub use engine::{Engine, entropy};
pub use step::Step;
