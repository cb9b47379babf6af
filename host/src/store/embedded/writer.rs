//! The one thread that writes.
//!
//! It takes the commits that are waiting, applies them in order within one transaction of redb, each checked against what the ones
//! before it have written, puts all that hold into the log with one sync (a group commit), answers them, and only then commits
//! the transaction, which touches no disk any more. Who begins to read from redb meanwhile waits, see
//! [`super::Shared::begin_read`].
//!
//! Without a log, redb syncs first, and the answers come last.

use super::{
    Ahead, Shared, View,
    log::Batch,
    revision,
    tables::{Tables, TablesError},
};
use crate::store::{Committed, Revision, StoreError};
use core::time::Duration;
use redb::Durability;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Instant,
};
use tokio::sync::oneshot;
use waxseal_core::seam::{Commit, Key};

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) enum Job {
    Commit(Commit, Answer<Committed>),
    Tidy(Answer<usize>),
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    jobs: Receiver<Job>,
    /// Something was committed since the file was sealed.
    unsealed: bool,
    purge_at: Instant,
    /// When the horizon of the clock was last written.
    marked: Instant,
}

/// Commits that are written together, and who waits for them.
#[derive(Default)]
struct Group {
    commits: Vec<Commit>,
    waiting: Vec<Answer<Committed>>,
    /// One for each commit, in order, once they have been checked.
    verdicts: Vec<Result<Committed, StoreError>>,
}

impl Group {
    /// The commits that change something beyond `before`, each with its revision.
    fn changes(&self, before: Revision) -> impl Iterator<Item = (Revision, &Commit)> {
        self.commits.iter().zip(&self.verdicts).filter_map(move |(commit, verdict)| match verdict {
            Ok(Committed::At(revision)) if !commit.is_empty() && *revision > before => Some((*revision, commit)),
            _ => None,
        })
    }

    /// Tells everybody what came of his commit.
    fn answer(&mut self) {
        for (to, verdict) in self.waiting.drain(..).zip(&self.verdicts) {
            // A caller that has gone does not want to know.
            let _ = to.send(verdict.clone());
        }
    }

    /// Tells everybody who still waits that nothing came of it.
    fn refuse(&mut self, error: &StoreError) {
        for to in self.waiting.drain(..) {
            let _ = to.send(Err(error.clone()));
        }
    }
}

/// What a transaction does besides commits.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
struct Upkeep {
    /// Drops expired records, a step of them.
    purge: bool,
    /// Leaves the file whole without its log.
    seal: bool,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, jobs: Receiver<Job>) -> Self {
        let now = Instant::now();
        // Before that when it is idle.
        Self { shared, jobs, unsealed: true, purge_at: now + PURGE_EVERY, marked: now }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(&mut self) {
        loop {
            let busy = self.unsealed || self.purge_at <= Instant::now();
            let patience = if busy { SEAL_AFTER } else { PURGE_EVERY };
            self.shared.clock.tick();
            match self.jobs.recv_timeout(patience) {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => drop(self.tidy()),
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
            self.unsealed |= self.marked.elapsed() >= MARK_EVERY;
        }
    }

    fn take(&mut self, first: Job) {
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Commit(commit, answer) => {
                    group.commits.push(commit);
                    group.waiting.push(answer);
                }
                Job::Tidy(answer) => {
                    // A caller that has gone does not want to know.
                    let _ = answer.send(self.tidy());
                }
            }
            next = if group.commits.len() < GROUP { self.jobs.try_recv().ok() } else { None };
        }
        if group.commits.is_empty() {
            return;
        }
        if let Err(error) = self.write(&mut group, Upkeep::default()) {
            group.refuse(&error);
        }
        if Instant::now() >= self.purge_at {
            // On its own, as it is in no log. What fails here is tried again later.
            if self.write(&mut Group::default(), Upkeep { purge: true, seal: false }).is_err() {
                self.purge_at = Instant::now() + PURGE_EVERY;
            }
        }
    }

    /// Leaves everything in the store's file, so that it is whole without its log, and the horizon where it is now, unless that was
    /// done a moment ago. What fails here only makes the next start know less, or find it in the log.
    fn close(&mut self) {
        if self.marked.elapsed() >= PURGE_EVERY || !self.shared.log().is_empty() {
            self.unsealed = true;
            drop(self.tidy());
        }
    }

    /// What is left for quiet moments: purges, and seals the file. Returns how many records were purged.
    fn tidy(&mut self) -> Result<usize, StoreError> {
        self.write(&mut Group::default(), Upkeep { purge: true, seal: self.unsealed })
    }

    /// One transaction. Whoever is answered that his commit holds finds it on disk and published. Returns how many records were purged.
    fn write(&mut self, group: &mut Group, upkeep: Upkeep) -> Result<usize, StoreError> {
        let shared = Arc::clone(&self.shared);
        shared.intact()?;
        if !shared.view.load().writable || shared.is_behind() {
            if group.commits.is_empty() {
                // The disk is tried again when there is something to write.
                (self.unsealed, self.purge_at) = (false, Instant::now() + PURGE_EVERY);
                return Ok(0);
            }
            shared.reopen()?;
        }
        let view = shared.view.load_full();
        let before = shared.journal.revision();
        let (mut purged, mut ahead) = (0, None);
        let transact = || self.transact(&shared, &view, group, before, upkeep, &mut purged, &mut ahead);
        let error = match catch_unwind(AssertUnwindSafe(transact)) {
            Ok(Ok(written)) => {
                if written {
                    (self.unsealed, self.marked) = (!shared.log().is_empty(), Instant::now());
                    if ahead.is_none() {
                        self.publish(group, before);
                    }
                }
                group.answer();
                return Ok(purged);
            }
            Ok(Err(error)) => super::explain(&shared.medium, &shared.path, error),
            Err(_) => StoreError::Unavailable("its writer has panicked".into()),
        };
        let last = group.changes(before).last().map(|(revision, _)| revision);
        match (self.after_failure(&view, last, error), ahead) {
            (Ok(()), ahead) => {
                (self.unsealed, self.marked) = (!shared.log().is_empty(), Instant::now());
                if ahead.is_none() {
                    self.publish(group, before);
                }
                group.answer();
                Ok(purged)
            }
            // Everybody has been told that it holds, as it does in the log: nobody may read what was before.
            (Err(_), Some(_ahead)) => {
                shared.fall_behind();
                Ok(purged)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Applies everything and commits; `false` if there was nothing to. Fills `ahead` when the log has what redb still lacks, and
    /// everybody has been answered.
    #[expect(
        clippy::too_many_arguments,
        reason = "what it leaves behind when it fails or panics is the caller's to look at"
    )]
    fn transact<'s>(
        &mut self,
        shared: &'s Shared,
        view: &Arc<View>,
        group: &mut Group,
        before: Revision,
        upkeep: Upkeep,
        purged: &mut usize,
        ahead: &mut Option<Ahead<'s>>,
    ) -> Result<bool, TablesError> {
        shared.clock.tick();
        let (now, horizon) = (shared.clock.now(), shared.clock.horizon());
        // Whoever replaces the view waits, and finds in the log what is committed here.
        let _turn = shared.turn();
        if !Arc::ptr_eq(&shared.view.load(), view) {
            return Err(redb::Error::Io(io::Error::other("superseded by a newer view")).into());
        }
        let mut transaction = view.database.begin_write()?;
        let mut tables = Tables::open(&transaction)?;
        let Group { commits, verdicts, .. } = group;
        let (mut latest, mut batch) = (before, Batch::new(before, horizon));
        for commit in &*commits {
            let next = if commit.is_empty() { latest } else { Revision(latest.0 + 1) };
            let verdict = match tables.apply(commit, next, now) {
                Ok(committed) => Ok(committed),
                // Found by the checks, before anything was written: the matter of this commit only.
                Err(error @ TablesError::Damaged(_)) => Err(super::explain(&shared.medium, &shared.path, error)),
                Err(error) => return Err(error),
            };
            if verdict == Ok(Committed::At(next)) {
                latest = next;
                commit.writes.iter().for_each(|write| batch.add(next, write));
            }
            verdicts.push(verdict);
        }
        if upkeep.purge {
            // What is dropped here must stay expired, also for a process that comes later: hence the horizon, which goes to disk
            // together with the loss.
            *purged = tables.purge(horizon, PURGE_STEP)?;
            // A full step means that more is due: the next transaction goes on with it.
            if *purged < PURGE_STEP {
                self.purge_at = Instant::now() + PURGE_EVERY;
            }
        }
        if latest > before {
            tables.set_revision(latest)?;
        }
        let something = latest > before || *purged > 0 || upkeep.seal;
        if something {
            tables.set_horizon(horizon)?;
        }
        drop(tables);
        if !something {
            transaction.abort()?;
            return Ok(false);
        }
        let logged = upkeep == Upkeep::default() && self.log(batch);
        if logged {
            transaction.set_durability(Durability::None).map_err(redb::Error::from)?;
            *ahead = Some(shared.run_ahead());
            self.publish(group, before);
            group.answer();
            #[cfg(test)]
            if shared.refuses.swap(false, core::sync::atomic::Ordering::Relaxed) {
                return Err(redb::Error::Io(io::Error::other("on purpose")).into());
            }
        } else {
            transaction.set_quick_repair(true);
        }
        transaction.commit()?;
        if !logged {
            shared.log().clear();
        }
        Ok(true)
    }

    /// Whether the batch is on disk now.
    fn log(&self, batch: Batch) -> bool {
        self.shared.log().append(batch).unwrap_or_else(|error| {
            tracing::warn!(%error, "the store's log has failed: every commit is written to the store itself until it recovers");
            false
        })
    }

    /// Finds out whether the commits up to `last` are on disk after all; gives the error back if not.
    fn after_failure(&self, view: &Arc<View>, last: Option<Revision>, error: StoreError) -> Result<(), StoreError> {
        self.shared.replace(view)?;
        // What a session starts from was synced, so what it shows is there to stay.
        let found = revision(&self.shared.view.load().database);
        let found = found.map_err(|error| super::explain(&self.shared.medium, &self.shared.path, error))?;
        if last.is_some_and(|last| found >= last) { Ok(()) } else { Err(error) }
    }

    /// Makes a batch known in the one order that keeps every cache current: whoever reads it now gets it, if need be after a wait;
    /// then cached values go; then watchers are told. The caller acknowledges last.
    fn publish(&self, group: &Group, before: Revision) {
        let keys = |commit: &Commit| commit.writes.iter().map(|write| write.key.clone()).collect::<Arc<[Key]>>();
        let told: Vec<_> = group.changes(before).map(|(revision, commit)| (revision, keys(commit))).collect();
        self.shared.records.forget(told.iter().flat_map(|(_, keys)| keys.iter()));
        self.shared.journal.tell(told);
    }
}

/// How many commits one transaction takes at the most, for the sake of those that come after.
const GROUP: usize = 256;

/// How many expired records one transaction purges at the most.
const PURGE_STEP: usize = 256;

/// How often it is looked for expired records.
const PURGE_EVERY: Duration = Duration::from_secs(5);

/// How often the horizon of the clock is written when nothing else is.
const MARK_EVERY: Duration = Duration::from_mins(5);

/// How long the writer waits for more before it seals the file.
const SEAL_AFTER: Duration = Duration::from_millis(50);
