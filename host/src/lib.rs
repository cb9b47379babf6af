//! The native server of Waxseal.

pub mod clock;
pub mod engine;
pub mod kdf;
