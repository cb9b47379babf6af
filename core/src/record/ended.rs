//! Users whose tokens have ended, for those who check tokens without the users' records.

use super::{Stored, Uid, User, key};
use crate::{seam::Op, time::UnixTime, token};
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
    const LONGEST: u64 = 86_400 + token::MAX_LEEWAY as u64 + 1;

    /// When every token has expired that could have been issued before `now`.
    pub fn until(now: UnixTime) -> UnixTime {
        now.plus_secs(Self::LONGEST)
    }
}

impl Stored for Ended {
    const VERSION: u8 = 1;
}

/// Ending tokens. There is no other way, so that the record of it is never forgotten.
impl User {
    /// Ends all tokens of this user, who is stored by the caller.
    pub(crate) fn end_tokens(&mut self, op: &Op<'_>) {
        self.generation = self.generation.saturating_add(1);
        self.remember_end(op);
    }

    /// Ends all tokens of this user, and authorizations that would outlive a replaced password list.
    pub(crate) fn log_out(&mut self, op: &Op<'_>) {
        self.end_tokens(op);
        self.session_epoch = self.session_epoch.saturating_add(1);
    }

    /// Lets a user in again, or no longer; the latter ends all tokens.
    pub(crate) fn set_disabled(&mut self, op: &Op<'_>, disabled: bool) {
        self.disabled = disabled;
        if disabled { self.log_out(op) } else { self.remember_end(op) }
    }

    fn remember_end(&self, op: &Op<'_>) {
        let generation = if self.disabled { Ended::GONE } else { self.generation };
        op.store_until(key::ended(self.uid), &Ended { uid: self.uid, generation }, Ended::until(op.now()));
    }

    /// Ends all tokens of this user, who is being deleted.
    pub(crate) fn end_for_good(&self, op: &Op<'_>) {
        let ended = Ended { uid: self.uid, generation: Ended::GONE };
        op.store_until(key::ended(self.uid), &ended, Ended::until(op.now()));
    }
}
