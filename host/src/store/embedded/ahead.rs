//! What the log has and redb lacks: every read puts it over what redb has, until redb takes it in.

use super::log::{Log, LoggedWrite};
use crate::store::{
    Revision,
    cache::{Entry, Known},
    start_of,
};
use core::ops::Bound;
use std::{collections::BTreeMap, sync::Arc};
use waxseal_core::{
    seam::{Range, RecordKey, Write},
    time::UnixTime,
};

/// Records by their keys, and where they lead to. Bounded by the log, which holds them too.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    records: BTreeMap<RecordKey, Known>,
    revision: Option<Revision>,
}

impl Ahead {
    /// What `log` has beyond `synced`, where redb is.
    pub(super) fn of(log: &Log, synced: Revision) -> Self {
        let mut ahead = Self::default();
        for batch in log.after(synced) {
            for LoggedWrite { revision, key, expires, value } in batch.writes() {
                let known = known(revision, expires, value);
                ahead.records.insert(RecordKey::from_stored(key.to_owned()), known);
            }
            ahead.revision = Some(batch.last());
        }
        ahead
    }

    /// Puts a write at `revision` over what is there.
    pub(super) fn write(&mut self, revision: Revision, Write { key, value, expires, .. }: &Write) {
        self.records.insert(key.clone(), known(revision, *expires, value.as_deref()));
        self.revision = Some(revision);
    }

    /// Puts `later` over what is there.
    pub(super) fn extend(&mut self, later: Self) {
        self.records.extend(later.records);
        self.revision = later.revision.or(self.revision);
    }

    /// What it says of `key`; `None` where redb has the last word.
    pub(super) fn find(&self, key: &RecordKey) -> Option<&Known> {
        self.records.get(key)
    }

    /// What it says of the records of `range`, in key order.
    pub(super) fn within(&self, range: &Range) -> Vec<(RecordKey, Known)> {
        let records = self.records.range((start_of(range), Bound::Unbounded));
        let within = records.take_while(|(key, _)| key.as_str().starts_with(&range.prefix));
        within.map(|(key, known)| (key.clone(), known.clone())).collect()
    }

    /// All that it says, in key order.
    pub(super) fn records(&self) -> impl Iterator<Item = (&RecordKey, &Known)> {
        self.records.iter()
    }

    /// The revision of its last write; `None` while redb has everything.
    pub(super) const fn revision(&self) -> Option<Revision> {
        self.revision
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.revision.is_none()
    }
}

fn known(revision: Revision, expires: Option<UnixTime>, value: Option<&[u8]>) -> Known {
    match value {
        Some(value) => Known::Present(Arc::new(Entry { version: revision.into(), expires, value: value.into() })),
        None => Known::Absent,
    }
}
