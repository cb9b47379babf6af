//! The revocation snapshot that was given out last.

use super::Stored;
use crate::time::UnixTime;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// A revocation snapshot. Its number rises with each, in the order of their commits.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// Its number.
    pub number: u64,
    /// When it was made.
    pub issued: UnixTime,
    /// The key that signed it.
    pub kid: String,
    /// The issuer it names.
    pub issuer: String,
    /// The snapshot itself; empty when more was revoked than one holds.
    pub text: String,
}

impl Stored for Published {
    const VERSION: u8 = 1;
}
