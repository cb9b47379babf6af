//! Tokens that ended before their time.

use super::Stored;
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};

/// A token is revoked: it is refused while this record exists. Until then it must, so that no clock set back revives the token
/// (security T16).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Revoked(pub UnixTime);

impl Stored for Revoked {
    const VERSION: u8 = 1;
}
