//! What becomes of commits that go to disk together, before anything does: each is checked against what the ones before it write.

use super::{
    Shared, View,
    ahead::Ahead,
    log::Batch,
    open::explain,
    tables::{Snapshot, TablesError},
};
use crate::store::{Committed, Revision, StoreError, cache::Known};
use redb::ReadableDatabase;
use std::sync::Arc;
use waxseal_core::{
    seam::{Commit, Expect, RecordKey, Version},
    time::UnixTime,
};

/// Commits that were decided.
pub(super) struct Group {
    /// One for each commit, in order.
    pub(super) answers: Vec<Result<Committed, StoreError>>,
    /// What those write that hold, for the log.
    pub(super) batch: Batch,
    /// The same for readers.
    pub(super) ahead: Ahead,
    /// Which records each of them writes.
    pub(super) told: Vec<(Revision, Arc<[RecordKey]>)>,
}

impl Group {
    /// Decides `commits`, which follow `before`, as everything stands at `now`.
    ///
    /// # Errors
    /// When the state cannot be read. A damaged record among those that are checked is the matter of its commit only.
    pub(super) fn decide(
        (shared, view): (&Shared, &View),
        commits: &[Commit],
        before: Revision,
        (now, horizon): (UnixTime, UnixTime),
    ) -> Result<Self, TablesError> {
        let answers = Vec::with_capacity(commits.len());
        let batch = Batch::new(before, horizon);
        let mut group = Self { answers, batch, ahead: Ahead::default(), told: Vec::new() };
        let mut state = State { shared, view, snapshot: None, now };
        let mut latest = before;
        for commit in commits {
            let answer = match state.holds(commit, &group.ahead) {
                Ok(false) => Ok(Committed::Conflict),
                Ok(true) if commit.is_empty() => Ok(Committed::At(latest)),
                Ok(true) => {
                    latest = Revision(latest.0 + 1);
                    for write in &commit.writes {
                        group.batch.add(latest, write);
                        group.ahead.write(latest, write);
                    }
                    group.told.push((latest, commit.writes.iter().map(|write| write.key.clone()).collect()));
                    Ok(Committed::At(latest))
                }
                Err(error @ TablesError::Damaged(_)) => Err(explain(&shared.medium, &shared.path, error)),
                Err(error) => return Err(error),
            };
            group.answers.push(answer);
        }
        Ok(group)
    }
}

/// Everything as it stands before the group.
struct State<'s> {
    shared: &'s Shared,
    view: &'s View,
    /// Opened only if neither cache nor log know a record.
    snapshot: Option<Snapshot>,
    now: UnixTime,
}

impl State<'_> {
    /// Whether every condition of `commit` holds, with `first` over everything.
    fn holds(&mut self, commit: &Commit, first: &Ahead) -> Result<bool, TablesError> {
        let checks = commit.checks.iter().map(|check| (&check.key, check.version));
        let expected = commit.writes.iter().filter_map(|write| match write.expect {
            Expect::Version(version) => Some((&write.key, version)),
            Expect::Any => None,
        });
        for (key, version) in checks.chain(expected) {
            if self.version(key, first)? != version {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn version(&mut self, key: &RecordKey, first: &Ahead) -> Result<Version, TablesError> {
        let known = match first.find(key) {
            Some(known) => known.clone(),
            None => self.known(key)?,
        };
        Ok(known.entry().filter(|entry| entry.is_live(self.now)).map_or(Version::ABSENT, |entry| entry.version))
    }

    fn known(&mut self, key: &RecordKey) -> Result<Known, TablesError> {
        // Whoever decides is the only one who changes anything, so the cache is current.
        if let Some(known) = self.shared.records.find(key) {
            return Ok(known);
        }
        if let Some(known) = self.shared.ahead().find(key) {
            return Ok(known.clone());
        }
        let snapshot = match self.snapshot.take() {
            Some(snapshot) => snapshot,
            None => Snapshot::new(&self.view.database.begin_read()?)?,
        };
        Ok(self.snapshot.insert(snapshot).entry(key)?.into())
    }
}
