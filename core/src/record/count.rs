//! Counts that rise.

use super::Stored;
use serde::{Deserialize, Serialize};

/// How often something was done that concerns everybody: revoking all authorizations, adding signing keys. Whoever does it reads this
/// and writes it, so that of two that race one starts over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Count(pub u32);

impl Stored for Count {
    const VERSION: u8 = 1;
}
