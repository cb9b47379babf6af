//! Signing keys at rest.

use super::Stored;
use crate::{time::UnixTime, token::Algorithm};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum KeyState {
    /// Signs new tokens.
    Signs,
    /// Verifies tokens that it signed before; dropped at `until`.
    Verifies {
        /// When its last token has expired; none: until an administrator retires it.
        until: Option<UnixTime>,
    },
    /// Is published and verifies, and signs later: when every verifier elsewhere has read it (security T18).
    Follows {
        /// The time from which it signs.
        from: UnixTime,
    },
    /// Signs until the key that follows it does, and verifies until its last token has expired.
    Leaves {
        /// The time from which it does not sign.
        at: UnixTime,
        /// When its last token has expired.
        until: UnixTime,
    },
}

impl KeyState {
    /// Whether the key signs at `now`; of all keys one does at any time.
    pub fn signs_at(self, now: UnixTime) -> bool {
        match self {
            Self::Signs => true,
            Self::Verifies { .. } => false,
            Self::Follows { from } => from <= now,
            Self::Leaves { at, .. } => now < at,
        }
    }

    /// When the key stops verifying, as far as that is known.
    pub fn until(self) -> Option<UnixTime> {
        match self {
            Self::Signs | Self::Follows { .. } => None,
            Self::Verifies { until } => until,
            Self::Leaves { until, .. } => Some(until),
        }
    }
}

/// A signing key; its octets are sealed under the root secret, which lies outside the store.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SigningKey {
    /// The key id, unique.
    pub kid: String,
    /// The one algorithm of this key.
    pub algorithm: Algorithm,
    /// What it is for.
    pub state: KeyState,
    /// When it was made or imported.
    pub created: UnixTime,
    /// Its octets ([`crate::token::Key::octets`]) as sealed by [`crate::vault::Vault::seal`], bound to `kid`.
    pub sealed: Vec<u8>,
}

impl Stored for SigningKey {
    const VERSION: u8 = 1;
}
