//! What comes out at the end: the response and what makes it true.

use super::{Event, RecordKey, Response, Version};
use crate::time::UnixTime;
use alloc::vec::Vec;

/// The end of an operation. The driver commits first and sends the response only when the commit holds.
#[derive(Debug)]
pub struct Done {
    /// What the client gets.
    pub response: Response,
    /// What has to be stored before the response may be sent; empty for a plain read.
    pub commit: Commit,
    /// What goes to the audit trail once the commit holds.
    pub events: Vec<Event>,
    /// Why a token that was shown or asked about is not good: the stable code of the first check that failed. For the log;
    /// the response says no more than "invalid" (security T10).
    pub token_refusal: Option<&'static str>,
}

/// Writes that go in together or not at all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Commit {
    /// Records that were read and must not have changed.
    pub checks: Vec<Check>,
    /// What is written.
    pub writes: Vec<Write>,
}

impl Commit {
    /// Whether nothing is written, so that there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// A record that was only read and must still be at this version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// Which record.
    pub key: RecordKey,
    /// The version it was read at; [`Version::ABSENT`] if it did not exist.
    pub version: Version,
}

/// One conditional write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// Which record.
    pub key: RecordKey,
    /// What must hold for it.
    pub expect: Expect,
    /// The new value; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// When the store may drop the record; core checks times in the value as well.
    pub expires: Option<UnixTime>,
}

/// The condition of a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expect {
    /// The record must be at this version ([`Version::ABSENT`]: must not exist).
    Version(Version),
    /// Whatever stands there is replaced; for facts where the last writer may win.
    Any,
}
