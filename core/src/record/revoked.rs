//! Tokens that ended before their time.

use super::{Stored, from_version_1};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};

/// A token is revoked: it is refused while this record exists. The record must exist until then, so that no clock set back revives the
/// token (security T16).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Revoked {
    /// Until when this record must exist.
    pub until: UnixTime,
    /// Whether no verifier elsewhere could accept the token: it was revoked while there were no public keys, and a set of those never has
    /// a secret beside them. Version 1 did not say, and each of its tokens counts as one that could be accepted.
    pub only_here: bool,
}

impl Stored for Revoked {
    const VERSION: u8 = 2;

    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        from_version_1(version, body)
    }
}
