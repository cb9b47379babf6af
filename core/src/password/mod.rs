//! Passwords: schemes, stored hashes, lists and policies.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Algorithm and cost of a derivation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Scheme {
    /// Argon2id, version 0x13.
    Argon2id {
        /// KiB.
        memory: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// PBKDF2-HMAC-SHA256.
    Pbkdf2Sha256 {
        /// Iterations.
        iterations: u32,
    },
}

impl Default for Scheme {
    fn default() -> Self {
        Self::Argon2id { memory: 19_456, passes: 2, lanes: 1 }
    }
}

/// Why a password is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// Empty.
    Empty,
    /// Equal to one in the list.
    SameAsCurrent,
    /// The only one.
    LastPassword,
    /// Not in the list.
    NotInList,
}

impl Refusal {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "password_empty",
            Self::SameAsCurrent => "password_same_as_current",
            Self::LastPassword => "password_last",
            Self::NotInList => "password_not_in_list",
        }
    }
}

/// Normalises.
pub fn prepare(text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

/// A stored hash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Phc(pub String);

/// The ordered passwords of one user.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct List(Vec<String>);
