//! The one thread that writes.
//!
//! It takes the commits that are waiting, applies them in order within one transaction, each checked against what the ones
//! before it have written, and answers all of them after the one sync: a group commit.

use super::{
    Shared, View,
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
    #[cfg(test)]
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
    /// When the files were last looked for under their names.
    looked: Instant,
}

/// What a transaction did.
#[derive(Default)]
pub(super) struct Outcome {
    /// One for each commit, in order.
    answers: Vec<Result<Committed, StoreError>>,
    purged: Vec<Key>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, jobs: Receiver<Job>) -> Self {
        let now = Instant::now();
        Self { shared, jobs, unsealed: true, purge_at: now, marked: now, looked: now }
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
            if self.looked.elapsed() >= LOOK_EVERY {
                self.looked = Instant::now();
                self.shared.names.look();
            }
        }
    }

    fn take(&mut self, first: Job) {
        let (mut commits, mut answers) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Commit(commit, answer) => {
                    commits.push(commit);
                    answers.push(answer);
                }
                #[cfg(test)]
                Job::Tidy(answer) => {
                    // A caller that has gone does not want to know.
                    let _ = answer.send(self.tidy());
                }
            }
            next = if commits.len() < GROUP { self.jobs.try_recv().ok() } else { None };
        }
        if commits.is_empty() {
            return;
        }
        match self.write(&commits, false) {
            Ok(outcome) => {
                for (answer, to) in outcome.answers.into_iter().zip(answers) {
                    let _ = to.send(answer);
                }
            }
            Err(error) => {
                for to in answers {
                    let _ = to.send(Err(error.clone()));
                }
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
        self.purge_at = Instant::now();
        Ok(self.write(&[], self.unsealed)?.purged.len())
    }

    /// One transaction; what it reports is on disk and published.
    pub(super) fn write(&mut self, commits: &[Commit], seal: bool) -> Result<Outcome, StoreError> {
        self.shared.intact()?;
        if !self.shared.view.load().writable {
            if commits.is_empty() {
                // The disk is tried again when there is something to write.
                (self.unsealed, self.purge_at) = (false, Instant::now() + PURGE_EVERY);
                return Ok(Outcome::default());
            }
            self.shared.reopen()?;
        }
        let view = self.shared.view.load_full();
        let before = self.shared.journal.revision();
        let mut outcome = Outcome::default();
        let attempt = catch_unwind(AssertUnwindSafe(|| self.transact(&view, commits, before, seal, &mut outcome)));
        let last = outcome.answers.iter().rev().find_map(|answer| match answer {
            Ok(Committed::At(revision)) => Some(*revision),
            _ => None,
        });
        let written = match attempt {
            Ok(Ok(written)) => written,
            Ok(Err(error)) => {
                let error = super::explain(&self.shared.medium, &self.shared.path, error);
                self.after_failure(&view, last.filter(|last| *last > before), error)?
            }
            Err(_) => {
                let error = StoreError::Unavailable("its writer has panicked".into());
                self.after_failure(&view, last.filter(|last| *last > before), error)?
            }
        };
        if written {
            self.unsealed = !self.shared.log().is_empty();
            self.marked = Instant::now();
            self.publish(commits, &outcome, before);
        }
        Ok(outcome)
    }

    /// Applies everything and commits; `false` if there was nothing to.
    fn transact(
        &mut self,
        view: &Arc<View>,
        commits: &[Commit],
        before: Revision,
        seal: bool,
        outcome: &mut Outcome,
    ) -> Result<bool, TablesError> {
        let clock = &self.shared.clock;
        clock.tick();
        let (now, horizon) = (clock.now(), clock.horizon());
        // Whoever replaces the view waits, and finds in the log what is committed here.
        let _turn = self.shared.turn();
        if !Arc::ptr_eq(&self.shared.view.load(), view) {
            return Err(redb::Error::Io(io::Error::other("superseded by a newer view")).into());
        }
        let mut transaction = view.database.begin_write()?;
        let mut tables = Tables::open(&transaction)?;
        let mut batch = Batch::new(before, horizon);
        let mut latest = before;
        for commit in commits {
            let next = if commit.is_empty() { latest } else { Revision(latest.0 + 1) };
            let answer = match tables.apply(commit, next, now) {
                Ok(committed) => Ok(committed),
                // Found by the checks, before anything was written: the matter of this commit only.
                Err(error @ TablesError::Damaged(_)) => Err(super::explain(&self.shared.medium, &self.shared.path, error)),
                Err(error) => return Err(error),
            };
            if let Ok(Committed::At(revision)) = answer {
                latest = revision;
                commit.writes.iter().for_each(|write| batch.add(revision, write));
            }
            outcome.answers.push(answer);
        }
        if Instant::now() >= self.purge_at {
            // What is dropped here must stay expired, also for a process that comes later: hence the horizon, which goes to disk
            // together with the loss.
            outcome.purged = tables.purge(horizon, PURGE_STEP)?;
            // A full step means that more is due: the next transaction goes on with it.
            if outcome.purged.len() < PURGE_STEP {
                self.purge_at = Instant::now() + PURGE_EVERY;
            }
        }
        if latest > before {
            tables.set_revision(latest)?;
        }
        let something = latest > before || !outcome.purged.is_empty() || seal;
        if something {
            tables.set_horizon(horizon)?;
        }
        drop(tables);
        if !something {
            transaction.abort()?;
            return Ok(false);
        }
        // A purge is in no log.
        let logged = outcome.purged.is_empty() && !seal && self.log(batch);
        if logged {
            transaction.set_durability(Durability::None).map_err(redb::Error::from)?;
        } else {
            transaction.set_quick_repair(true);
        }
        transaction.commit()?;
        if !logged {
            self.shared.log().clear();
        }
        self.shared.outage.end();
        Ok(true)
    }

    /// Whether the batch is on disk now.
    fn log(&self, batch: Batch) -> bool {
        self.shared.log().append(batch).unwrap_or_else(|error| {
            self.shared.outage.unlogged(&error);
            false
        })
    }

    /// Finds out whether the commits up to `last` are on disk after all; gives the error back if not.
    fn after_failure(&self, view: &Arc<View>, last: Option<Revision>, error: StoreError) -> Result<bool, StoreError> {
        self.shared.replace(view)?;
        // What a session starts from was synced, so what it shows is there to stay.
        let found = revision(&self.shared.view.load().database);
        let found = found.map_err(|error| super::explain(&self.shared.medium, &self.shared.path, error))?;
        if last.is_some_and(|last| found >= last) { Ok(true) } else { Err(error) }
    }

    /// Makes a batch known in the one order that keeps every cache current: it is readable already; then cached values go;
    /// then watchers are told. The caller acknowledges last.
    fn publish(&self, commits: &[Commit], outcome: &Outcome, before: Revision) {
        let held = commits.iter().zip(&outcome.answers).filter_map(|(commit, answer)| match answer {
            Ok(Committed::At(revision)) if !commit.is_empty() && *revision > before => Some((*revision, commit)),
            _ => None,
        });
        let keys = |commit: &Commit| commit.writes.iter().map(|write| write.key.clone()).collect::<Arc<[Key]>>();
        let told: Vec<_> = held.map(|(revision, commit)| (revision, keys(commit))).collect();
        // What was purged is live to nobody, unless the clock of a test goes back behind it.
        self.shared.records.forget(told.iter().flat_map(|(_, keys)| keys.iter()).chain(&outcome.purged));
        self.shared.journal.tell(told);
    }
}

/// How many commits one transaction takes at the most, for the sake of those that come after.
const GROUP: usize = 256;

/// How many expired records one transaction purges at the most.
const PURGE_STEP: usize = 256;

/// How often expired records are looked for.
const PURGE_EVERY: Duration = Duration::from_secs(5);

/// How often the horizon of the clock is written when nothing else is.
const MARK_EVERY: Duration = Duration::from_mins(5);

/// How often the files are looked for under their names.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// How long the writer waits for more before it seals the file.
const SEAL_AFTER: Duration = Duration::from_millis(50);
