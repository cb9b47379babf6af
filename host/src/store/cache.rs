//! Records that are read again and again, kept exactly current.

use crate::sync;
use quick_cache::{Weighter, sync::Cache};
use std::sync::{Arc, RwLock};
use waxseal_core::{
    seam::{Record, RecordKey, Version},
    time::UnixTime,
};

/// A stored record with its expiry, which a record by itself does not carry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) version: Version,
    pub(super) expires: Option<UnixTime>,
    pub(super) value: Vec<u8>,
}

impl Entry {
    pub(super) fn is_live(&self, now: UnixTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    pub(super) fn to_record(&self) -> Record {
        Record { version: self.version, value: self.value.clone() }
    }
}

/// What is known of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Known {
    /// There is no record.
    Absent,
    /// There is this one, live or not.
    Present(Arc<Entry>),
}

impl Known {
    pub(super) fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Absent => None,
            Self::Present(entry) => Some(entry),
        }
    }
}

impl From<Option<Entry>> for Known {
    fn from(entry: Option<Entry>) -> Self {
        entry.map_or(Self::Absent, |entry| Self::Present(Arc::new(entry)))
    }
}

/// A bounded cache of records, and of keys under which there is none.
///
/// INVARIANT: after [`Records::forget`] has returned, nobody finds a value that was read before it was called. A reader takes
/// the [`Generation`] before it reads, and [`Records::keep`] drops what was read under an older one.
pub(super) struct Records {
    entries: Cache<RecordKey, Known, Octets>,
    generation: RwLock<Generation>,
}

/// Rises whenever something was forgotten.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Generation(u64);

impl Records {
    /// A cache of at most about `budget` octets.
    pub(super) fn with_budget(budget: usize) -> Self {
        let entries = Cache::with_weighter(budget / TYPICAL, budget as u64, Octets);
        Self { entries, generation: RwLock::new(Generation(0)) }
    }

    /// What is known of `key`, if it is known.
    pub(super) fn find(&self, key: &RecordKey) -> Option<Known> {
        self.entries.get(key)
    }

    pub(super) fn generation(&self) -> Generation {
        *sync::read(&self.generation)
    }

    /// Keeps what was read under `generation`, unless something was forgotten since.
    pub(super) fn keep(&self, generation: Generation, key: &RecordKey, known: Known) {
        // Held while inserting, so that no forgetting comes in between.
        let current = sync::read(&self.generation);
        if *current == generation {
            self.entries.insert(key.clone(), known);
        }
    }

    /// Forgets these keys. To be called when a commit is visible and before it is acknowledged.
    pub(super) fn forget<'k>(&self, keys: impl IntoIterator<Item = &'k RecordKey>) {
        let mut generation = sync::write(&self.generation);
        generation.0 += 1;
        for key in keys {
            self.entries.remove(key);
        }
    }

    pub(super) fn forget_all(&self) {
        let mut generation = sync::write(&self.generation);
        generation.0 += 1;
        self.entries.clear();
    }
}

#[derive(Clone)]
struct Octets;

impl Weighter<RecordKey, Known> for Octets {
    fn weight(&self, key: &RecordKey, known: &Known) -> u64 {
        (OVERHEAD + key.as_str().len() + known.entry().map_or(0, |entry| OVERHEAD + entry.value.len())) as u64
    }
}

/// Allocations, pointers and the cache's own bookkeeping, for a key and again for its record.
const OVERHEAD: usize = 64;

/// What an entry usually weighs; only sizes the tables.
const TYPICAL: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> RecordKey {
        RecordKey::from_stored(name.to_owned())
    }

    fn entry(version: u64) -> Known {
        Some(Entry { version: Version(version), expires: None, value: vec![0; 1_000] }).into()
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let records = Records::with_budget(1 << 20);
        let before = records.generation();
        records.forget([&key("other")]);
        records.keep(before, &key("a"), entry(1));
        assert_eq!(records.find(&key("a")), None);
        records.keep(records.generation(), &key("a"), entry(2));
        assert_eq!(records.find(&key("a")), Some(entry(2)));
        records.keep(records.generation(), &key("b"), Known::Absent);
        assert_eq!(records.find(&key("b")), Some(Known::Absent));
    }

    #[test]
    fn forgetting_is_of_the_named_keys_or_of_all() {
        let records = Records::with_budget(1 << 20);
        for name in ["a", "b"] {
            records.keep(records.generation(), &key(name), entry(1));
        }
        records.forget([&key("a")]);
        assert_eq!((records.find(&key("a")), records.find(&key("b"))), (None, Some(entry(1))));
        records.forget_all();
        assert_eq!(records.find(&key("b")), None);
    }

    #[test]
    fn the_budget_holds() {
        let records = Records::with_budget(100_000);
        for n in 0..10_000 {
            records.keep(records.generation(), &key(&format!("k/{n}")), entry(n));
        }
        assert!(records.entries.weight() <= 100_000);
        assert!(records.entries.len() > 20);
    }
}
