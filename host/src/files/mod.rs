//! Files, with what the standard library leaves to its callers.

pub(crate) mod entry; // how the name of a file gets on disk
pub(crate) mod hashing; // the sum over what is written or read
pub(crate) mod regular; // opens what may be something else than a file
pub(crate) mod write; // makes new ones, whole and for their owner only
