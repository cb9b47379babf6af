//! Signing keys at rest.

use super::Stored;
use crate::{time::UnixTime, token::Algorithm};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum KeyState {
    /// Signs new tokens; exactly one key does.
    Signs,
    /// Verifies tokens that it signed before; dropped at `until`.
    Verifies {
        /// When its last token has expired; none: until an administrator retires it.
        until: Option<UnixTime>,
    },
}

/// A signing key; its secret is sealed under the root secret, which lies outside the store.
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
    /// The secret as sealed by [`crate::vault::Vault::seal`], bound to `kid`.
    pub sealed: Vec<u8>,
}

impl Stored for SigningKey {
    const VERSION: u8 = 1;
}
