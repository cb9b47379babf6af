//! A store that lives as long as the process.

use super::{Committed, Reply, Revision, Store, Watch, journal::Journal, start_of};
use crate::{clock::Clock, sync};
use core::ops::Bound;
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};
use waxseal_core::{
    seam::{Commit, Expect, Range, Record, RecordKey, Version},
    time::UnixTime,
};

/// Records in memory, for tests and for trying things out: gone when it is dropped.
pub struct Memory {
    records: RwLock<BTreeMap<RecordKey, Kept>>,
    journal: Journal,
    clock: Arc<Clock>,
}

struct Kept {
    record: Record,
    expires: Option<UnixTime>,
}

impl Memory {
    /// An empty store that judges expiry by `clock`.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { records: RwLock::default(), journal: Journal::starting_at(Revision(0)), clock }
    }

    fn commit_now(&self, commit: Commit) -> Committed {
        let now = self.clock.now();
        let mut records = sync::write(&self.records);
        let version = |key: &RecordKey| {
            records.get(key).filter(|kept| kept.is_live(now)).map_or(Version::ABSENT, |kept| kept.record.version)
        };
        let checks_hold = commit.checks.iter().all(|check| version(&check.key) == check.version);
        let writes_fit = commit.writes.iter().all(|write| match write.expect {
            Expect::Version(expected) => version(&write.key) == expected,
            Expect::Any => true,
        });
        if !checks_hold || !writes_fit {
            return Committed::Conflict;
        }
        if commit.is_empty() {
            return Committed::At(self.journal.revision());
        }
        let revision = Revision(self.journal.revision().0 + 1);
        let keys = commit.writes.iter().map(|write| write.key.clone()).collect();
        for write in commit.writes {
            match write.value {
                Some(value) => {
                    let record = Record { version: revision.into(), value };
                    records.insert(write.key, Kept { record, expires: write.expires });
                }
                None => drop(records.remove(&write.key)),
            }
        }
        // Before the lock is given back, so that nobody sees the records at a revision not yet told.
        self.journal.tell([(revision, keys)]);
        Committed::At(revision)
    }
}

impl Store for Memory {
    fn get(&self, keys: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>> {
        let now = self.clock.now();
        let records = sync::read(&self.records);
        let live = |key| records.get(key).filter(|kept| kept.is_live(now)).map(|kept| kept.record.clone());
        Reply::ready(Ok(keys.iter().map(live).collect()))
    }

    fn range(&self, range: &Range) -> Reply<'_, Vec<(RecordKey, Record)>> {
        let now = self.clock.now();
        let records = sync::read(&self.records);
        let found = records
            .range((start_of(range), Bound::Unbounded))
            .take_while(|(key, _)| key.as_str().starts_with(&range.prefix))
            .filter(|(_, kept)| kept.is_live(now))
            .take(usize::try_from(range.limit).unwrap_or(usize::MAX))
            .map(|(key, kept)| (key.clone(), kept.record.clone()));
        Reply::ready(Ok(found.collect()))
    }

    fn commit(&self, commit: Commit) -> Reply<'_, Committed> {
        Reply::ready(Ok(self.commit_now(commit)))
    }

    fn watch(&self, after: Revision) -> Watch {
        self.journal.watch(after)
    }

    fn revision(&self) -> Revision {
        self.journal.revision()
    }
}

impl Kept {
    fn is_live(&self, now: UnixTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}
