//! Text: as others write it, and as it is written for others.

mod harmless; // made harmless: for a terminal, for the audit trail
pub(crate) mod hex; // digests
pub(crate) mod json; // objects
pub(crate) mod shell; // words

pub(crate) use harmless::{harmless, is_deceptive};
