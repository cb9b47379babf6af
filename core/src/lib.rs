//! Every rule of Waxseal as one pure, stepped function.
//!
//! A [`Call`](seam::Call) goes in (a request together with what the world supplies: time, entropy, peer, settings, keys) and a
//! [`Step`](seam::Step) comes out: either an [`Ask`](seam::Ask) for records and at most one password derivation, or
//! [`Done`](seam::Done) with the response, the writes that make it true and the audit events. This crate reads no clock,
//! draws no randomness, opens no store, starts no thread and awaits nothing.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod dialect;
pub mod engine;
mod hex;
pub mod lifetime;
mod mac;
pub mod password;
pub mod record;
pub mod refusal;
pub mod seam;
pub mod settings;
mod sorted;
#[cfg(test)]
mod testing;
pub mod time;
pub mod token;
pub mod vault;
