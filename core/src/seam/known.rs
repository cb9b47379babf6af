//! What has been read so far in one operation.

use super::{Answer, Ask, Derivation, Range, Record, RecordKey, Version};
use crate::{
    sorted::Sorted,
    token::{Refusal, Verified},
};
use alloc::{string::String, vec::Vec};
use core::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Everything the driver has answered to this operation.
#[derive(Debug, Default)]
pub(super) struct Known {
    records: Sorted<RecordKey, Option<Record>>,
    ranges: Vec<(Range, Vec<(RecordKey, Record)>)>,
    derived: Vec<(Derivation, Zeroizing<Vec<u8>>)>,
    prefetched: Vec<Prefetched>,
    /// A token of the request and what its signature, times and profile decide: the same in every replay.
    pub(super) verified: Option<Decided>,
}

/// A record that the driver has read before it was asked to.
#[derive(Debug)]
struct Prefetched {
    key: RecordKey,
    record: Option<Record>,
    /// Whether the operation has asked for it; until then it counts for nothing. Atomic only so that a call may move between threads.
    asked: AtomicBool,
}

impl Prefetched {
    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// A token, and what was decided of it.
pub(super) type Decided = (String, Result<Verified, Refusal>);

impl Known {
    /// What the driver has read ahead.
    pub(super) fn prefetched(records: Vec<(RecordKey, Option<Record>)>) -> Self {
        let prefetched = records.into_iter().map(|(key, record)| Prefetched { key, record, asked: AtomicBool::new(false) });
        Self { prefetched: prefetched.collect(), ..Self::default() }
    }

    /// What the operation asks for: `None` while it has not been read, `Some(None)` when there is none.
    #[expect(clippy::option_option, reason = "not read and not there are two things")]
    pub(super) fn record(&self, key: &RecordKey) -> Option<Option<&Record>> {
        let prefetched = || {
            let prefetched = self.prefetched.iter().find(|prefetched| prefetched.key == *key)?;
            prefetched.asked.store(true, Ordering::Relaxed);
            Some(prefetched.record.as_ref())
        };
        self.records.get(key).map(Option::as_ref).or_else(prefetched)
    }

    pub(super) fn range(&self, range: &Range) -> Option<&[(RecordKey, Record)]> {
        self.ranges.iter().find(|(known, _)| known == range).map(|(_, records)| records.as_slice())
    }

    pub(super) fn derived(&self, derivation: &Derivation) -> Option<&[u8]> {
        self.derived.iter().find(|(known, _)| known == derivation).map(|(_, bits)| bits.as_slice())
    }

    /// Every record asked for so far with its version, in no order.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&RecordKey, Version)> {
        let prefetched = self.prefetched.iter().filter(|prefetched| prefetched.is_asked());
        let prefetched = prefetched.map(|prefetched| (&prefetched.key, &prefetched.record));
        let read = self.records.as_slice().iter().map(|(key, record)| (key, record));
        read.chain(prefetched).map(|(key, record)| (key, version(record.as_ref())))
    }

    /// The version of a record that was asked for.
    pub(super) fn version(&self, key: &RecordKey) -> Option<Version> {
        let prefetched = || self.prefetched.iter().find(|prefetched| prefetched.key == *key && prefetched.is_asked());
        let record = self.records.get(key).or_else(|| Some(&prefetched()?.record))?;
        Some(version(record.as_ref()))
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

fn version(record: Option<&Record>) -> Version {
    record.map_or(Version::ABSENT, |record| record.version)
}
