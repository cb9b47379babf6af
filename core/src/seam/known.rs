//! What has been read so far in one operation.

use super::{Answer, Ask, Derivation, Key, Range, Record, Version};
use crate::{
    sorted::Sorted,
    token::{Refusal, Verified},
};
use alloc::{string::String, vec::Vec};
use zeroize::Zeroizing;

/// Everything the driver has answered to this operation.
#[derive(Debug, Default)]
pub(super) struct Known {
    records: Sorted<Key, Option<Record>>,
    ranges: Vec<(Range, Vec<(Key, Record)>)>,
    derived: Vec<(Derivation, Zeroizing<Vec<u8>>)>,
    /// A token of the request and what its signature, times and profile decide: the same in every replay.
    pub(super) verified: Option<Decided>,
}

/// A token, and what was decided of it.
pub(super) type Decided = (String, Result<Verified, Refusal>);

impl Known {
    /// `None` while it has not been read, `Some(None)` when there is none.
    #[expect(clippy::option_option, reason = "not read and not there are two things")]
    pub(super) fn record(&self, key: &Key) -> Option<Option<&Record>> {
        self.records.get(key).map(Option::as_ref)
    }

    pub(super) fn range(&self, range: &Range) -> Option<&[(Key, Record)]> {
        self.ranges.iter().find(|(known, _)| known == range).map(|(_, records)| records.as_slice())
    }

    pub(super) fn derived(&self, derivation: &Derivation) -> Option<&[u8]> {
        self.derived.iter().find(|(known, _)| known == derivation).map(|(_, bits)| bits.as_slice())
    }

    /// Every record read so far with its version, in key order.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&Key, Version)> {
        let version = |record: &Option<Record>| record.as_ref().map_or(Version::ABSENT, |record| record.version);
        self.records.as_slice().iter().map(move |(key, record)| (key, version(record)))
    }

    pub(super) fn version(&self, key: &Key) -> Option<Version> {
        self.record(key).map(|record| record.map_or(Version::ABSENT, |r| r.version))
    }

    /// Takes the answer to `ask` in; `None` when it does not fit the question.
    pub(super) fn learn(&mut self, ask: Ask, answer: Answer) -> Option<()> {
        if ask.keys.len() != answer.records.len()
            || ask.ranges.len() != answer.ranges.len()
            || ask.derive.is_some() != answer.derived.is_some()
        {
            return None;
        }
        self.records.extend(ask.keys.into_iter().zip(answer.records));
        self.ranges.extend(ask.ranges.into_iter().zip(answer.ranges));
        self.derived.extend(ask.derive.into_iter().zip(answer.derived));
        Some(())
    }
}
