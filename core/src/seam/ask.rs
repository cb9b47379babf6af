//! What an operation still needs, and what the driver answers.

use crate::password::Scheme;
use alloc::{string::String, vec::Vec};
use zeroize::Zeroizing;

/// The name of a record: printable ASCII with `/` between its parts, at most 512 octets. Made by [`crate::record::key`] only.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordKey(pub(crate) String);

impl RecordKey {
    /// A key as a driver got it back from its store.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text under which a store keeps the record.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The store's revision at which a record was last written; rises with every commit. [`Version::ABSENT`] when there is none.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(pub u64);

impl Version {
    /// The version of a record that does not exist.
    pub const ABSENT: Self = Self(0);
}

/// A stored value and its version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// When the store last wrote it; never [`Version::ABSENT`].
    pub version: Version,
    /// The encoded value, see [`crate::record`].
    pub value: Vec<u8>,
}

/// All live records whose key starts with `prefix` and comes after `after` (exclusive), in key order, at most `limit`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Range {
    /// What the keys start with.
    pub prefix: String,
    /// The last key already seen; empty to start at the beginning.
    pub after: String,
    /// How many records at the most; at least 1.
    pub limit: u32,
}

impl Range {
    /// After which key the next page begins, once `page` was read; `None` if it was the last.
    pub(crate) fn next_after(&self, page: &[(RecordKey, Record)]) -> Option<String> {
        let (last, _) = page.last()?;
        (page.len() >= self.limit as usize).then(|| last.as_str().into())
    }
}

/// A costly password derivation, to be computed by the driver (natively, queued and capped) or by [`crate::password::derive`].
#[derive(Clone, Eq, PartialEq)]
pub struct Derivation {
    /// Algorithm and cost.
    pub scheme: Scheme,
    /// The salt of the user, or a stand-in for a user who does not exist.
    pub salt: Vec<u8>,
    /// The password after normalisation. Cleared on drop.
    pub password: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for Derivation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Derivation").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// What is missing before the operation can go on. A driver is never handed an empty one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ask {
    /// Records to read.
    pub keys: Vec<RecordKey>,
    /// Ranges to read.
    pub ranges: Vec<Range>,
    /// At most one derivation to compute.
    pub derive: Option<Derivation>,
}

impl Ask {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty() && self.derive.is_none()
    }
}

/// The values for one [`Ask`], each list in the order of the question.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// One entry for each key asked; `None` for a record that does not exist or has expired.
    pub records: Vec<Option<Record>>,
    /// One list for each range asked.
    pub ranges: Vec<Vec<(RecordKey, Record)>>,
    /// 32 octets when a derivation was asked.
    pub derived: Option<Zeroizing<Vec<u8>>>,
}
