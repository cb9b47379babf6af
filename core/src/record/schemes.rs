//! Which password schemes are in use.

use super::Stored;
use crate::password::Scheme;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Schemes that some stored hash has or had, the configured one among them once a hash with it was made. Every login computes one
/// derivation for each and for the configured one, so that its cost tells nothing about the user (security P6); therefore at most
/// [`Schemes::MAX`].
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Schemes(pub Vec<Scheme>);

impl Schemes {
    /// How many schemes may be recorded. The configured one comes on top where there is no room for it; then no hash is made with it.
    pub const MAX: usize = 3;
}

impl Stored for Schemes {
    const VERSION: u8 = 1;
}
