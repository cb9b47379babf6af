//! Failed logins, locks and last logins.

use super::{Stored, from_version_1};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};

/// Failed logins in a row, of one account, one source, or one account from one source.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Attempts {
    /// Failures in a row.
    pub failures: u32,
    /// When the last of them was; for a source, when the window began.
    pub since: UnixTime,
    /// Refused until then.
    pub until: UnixTime,
    /// [`super::User::lock_epoch`] at that time.
    pub epoch: u32,
    /// When the account last logged in from this source: a source its owner uses is not bound by the ceiling over all sources.
    pub succeeded: UnixTime,
    /// Of one account from one source: failures since that login, over all locks.
    pub total: u32,
}

impl Stored for Attempts {
    const VERSION: u8 = 2;

    /// Version 1 had no total.
    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        from_version_1(version, body)
    }
}

/// A user is locked, at least for one source.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Until then.
    pub until: UnixTime,
    /// [`super::User::lock_epoch`] at that time.
    pub epoch: u32,
    /// Since when.
    pub since: UnixTime,
}

impl Lock {
    /// When it ends; `None` if only an administrator ends it.
    pub fn ends(&self) -> Option<UnixTime> {
        Some(self.until).filter(|until| *until < UnixTime::NEVER)
    }
}

impl Stored for Lock {
    const VERSION: u8 = 2;

    /// Version 1 did not say since when.
    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        from_version_1(version, body)
    }
}

/// When a user last logged in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Seen(pub UnixTime);

impl Stored for Seen {
    const VERSION: u8 = 1;
}
