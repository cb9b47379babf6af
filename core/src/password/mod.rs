//! Passwords: how they are prepared, derived, stored, listed, and which new ones are taken.
//!
//! ```text
//!   text ── Policy::check ── prepare ── Derivation ──▶ Derived ──▶ Hash ──▶ List
//!           (new ones only)   (NFC)     (the driver)   (32 octets)  (PHC)    (one user)
//! ```
//!
//! A text is prepared the same way when it is set and when it is tried. The costly part lies between [`prepare()`] and
//! [`Derived`] and belongs to the driver, which may use
//! `derive` (a feature of this crate).

mod blocklist;
#[cfg(feature = "derive")]
mod derive;
mod hash;
mod list;
mod lower;
mod nfc;
mod policy;
mod prepare;
mod refusal;
mod scheme;

#[cfg(feature = "derive")]
pub use derive::{Memory, derive};
pub use hash::{Derived, Hash, HashError};
pub use list::List;
pub use policy::{Policy, Who};
pub use prepare::prepare;
pub use refusal::Refusal;
pub use scheme::{Scheme, SchemeError};
