//! Users whose tokens have ended, for those who check tokens without the users' records.

use super::{Stored, Uid};
use crate::{settings::MAX_TOKEN_LIFE, time::UnixTime, token};
use serde::{Deserialize, Serialize};

/// Tokens of one user have ended: those of an older generation than this one. The record is there while such a token could not
/// have expired by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Whose tokens.
    pub uid: Uid,
    /// The oldest generation that is good; [`Ended::GONE`] if none is.
    pub generation: u32,
}

impl Ended {
    /// The user is deleted or disabled.
    pub const GONE: u32 = u32::MAX;
    /// The longest life of any token under any configuration, in seconds, and what a verifier may add to it.
    const LONGEST: u64 = MAX_TOKEN_LIFE as u64 + token::MAX_LEEWAY as u64 + 1;

    /// When every token has expired that could have been issued before `now`.
    pub fn until(now: UnixTime) -> UnixTime {
        now.plus_secs(Self::LONGEST)
    }
}

impl Stored for Ended {
    const VERSION: u8 = 1;
}
