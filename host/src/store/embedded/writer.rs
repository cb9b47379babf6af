//! The one thread that writes.
//!
//! It takes the commits that are waiting, decides them in order, each checked against what the ones before it write, and answers all
//! of them after the one sync: a group commit.

use super::{
    Shared, View,
    ahead::Ahead,
    explain,
    group::Group,
    log::{Batch, Log},
    revision,
    tables::{Tables, TablesError},
};
use crate::{
    store::{Committed, Revision, StoreError},
    sync,
};
use core::{mem, time::Duration};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::Instant,
};
use tokio::sync::oneshot;
use waxseal_core::{
    seam::{Commit, RecordKey},
    time::UnixTime,
};

type Acknowledge<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) enum Job {
    Commit(Commit, Acknowledge<Committed>),
    #[cfg(test)]
    Tidy(Acknowledge<usize>),
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    log: Log,
    jobs: Receiver<Job>,
    /// The file is to be sealed in the next quiet moment.
    unsealed: bool,
    /// How many commits the last batch had.
    last: usize,
    purge_at: Instant,
    /// When the horizon of the clock was last written.
    marked: Instant,
    /// When the files were last looked for under their names.
    looked: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, log: Log, jobs: Receiver<Job>) -> Self {
        let now = Instant::now();
        Self { shared, log, jobs, unsealed: true, last: 0, purge_at: now, marked: now, looked: now }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(&mut self) {
        loop {
            let busy = self.unsealed || self.purge_at <= Instant::now();
            let patience = if busy { SEAL_AFTER } else { PURGE_EVERY };
            self.shared.clock.tick();
            match self.jobs.recv_timeout(patience) {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => {
                    self.last = 0;
                    drop(self.tidy());
                }
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
            self.unsealed |= self.marked.elapsed() >= MARK_EVERY;
            if self.looked.elapsed() >= LOOK_EVERY {
                self.looked = Instant::now();
                self.shared.names.look();
            }
        }
    }

    /// Where many change something at the same time, waits a little for more of them: a sync costs the same for few as for many, and
    /// the processor is what they wait for.
    fn gather(&self) {
        if self.last > FEW {
            thread::sleep(GATHERED * u32::try_from(self.last).unwrap_or(MOST).min(MOST));
        }
    }

    fn take(&mut self, first: Job) {
        self.gather();
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
        self.last = commits.len();
        match self.write(&commits) {
            Ok(decided) => {
                for (answer, to) in decided.into_iter().zip(answers) {
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
        let lacks = !self.shared.ahead().is_empty();
        if lacks && !self.shared.view.load().is_writable() {
            // The disk may have recovered since somebody has changed something last.
            let _turn = self.shared.turn();
            drop(self.shared.reopen());
        }
        if lacks || self.marked.elapsed() >= PURGE_EVERY {
            self.unsealed = true;
            drop(self.tidy());
        }
    }

    /// What is left for quiet moments: purges, and seals the file. Returns how many records were purged.
    fn tidy(&mut self) -> Result<usize, StoreError> {
        self.purge_at = Instant::now();
        let shared = Arc::clone(&self.shared);
        shared.intact()?;
        let _turn = shared.turn();
        if !shared.view.load().is_writable() {
            // The disk is tried again when there is something to write.
            (self.unsealed, self.purge_at) = (false, Instant::now() + PURGE_EVERY);
            return Ok(0);
        }
        self.seal(self.unsealed)
    }

    /// Decides commits, one answer for each; those that hold are on disk and told.
    pub(super) fn write(&mut self, commits: &[Commit]) -> Result<Vec<Result<Committed, StoreError>>, StoreError> {
        let shared = Arc::clone(&self.shared);
        shared.intact()?;
        let _turn = shared.turn();
        if shared.view.load().is_writable() {
            if self.purge_at <= Instant::now() {
                self.seal(false)?;
            }
        } else {
            shared.reopen()?;
            // Whether the disk takes anything again is seen before more is promised.
            self.seal(true)?;
        }
        shared.clock.tick();
        let (now, horizon) = (shared.clock.now(), shared.clock.horizon());
        let (view, before) = (shared.view.load_full(), shared.journal.revision());
        let decided = attempt(|| Group::decide((&shared, &view), commits, before, (now, horizon)));
        let Group { answers, batch, ahead, told } = decided.map_err(|failure| self.fail(failure))?;
        if let Some(last) = ahead.revision() {
            self.keep(&view, last, &batch, ahead)?;
            // The one order that keeps every cache current: it is readable already; then cached values go; then watchers are told.
            // The caller acknowledges last.
            shared.records.forget(told.iter().flat_map(|(_, keys)| keys.iter()));
            shared.journal.tell(told);
        }
        Ok(answers)
    }

    /// Puts what leads to `last` on disk, and makes it readable.
    fn keep(&mut self, view: &View, last: Revision, batch: &Batch, ahead: Ahead) -> Result<(), StoreError> {
        if !self.log(batch) {
            // The log is full, or has failed, or the batch is none that it can express.
            self.seal(false)?;
            if !self.log(batch) {
                return self.write_through(view, last, &ahead);
            }
        }
        sync::write(&self.shared.ahead).extend(ahead);
        (self.unsealed, self.marked) = (true, Instant::now());
        self.shared.outage.end();
        Ok(())
    }

    /// Whether the batch is on disk now.
    fn log(&mut self, batch: &Batch) -> bool {
        self.log.append(batch).unwrap_or_else(|error| {
            self.shared.outage.unlogged(&error);
            false
        })
    }

    /// Has redb take in and sync what the log has, and purges; then the log begins anew. If there is nothing to do, redb syncs all the
    /// same if it is `due`. Returns how many records were purged.
    fn seal(&mut self, due: bool) -> Result<usize, StoreError> {
        let shared = Arc::clone(&self.shared);
        let (view, revision) = (shared.view.load_full(), shared.journal.revision());
        shared.clock.tick();
        // What is dropped here must stay expired, also for a process that comes later: hence the horizon, which goes to disk together
        // with the loss.
        let horizon = shared.clock.horizon();
        let purges = self.purge_at <= Instant::now();
        let purge = |tables: &mut Tables<'_>| if purges { tables.purge(horizon, PURGE_STEP) } else { Ok(Vec::new()) };
        let sealed = attempt(|| {
            let ahead = shared.ahead();
            let sealed = sync_tables(&view, &ahead, (revision, horizon), |tables| Ok((purge(tables)?, due)))?;
            drop(ahead);
            // Readers miss nothing in between: redb has it already.
            drop(mem::take(&mut *sync::write(&shared.ahead)));
            self.log.clear();
            Ok(sealed)
        });
        let purged = match sealed.map_err(|failure| self.fail(failure))? {
            Some(purged) => {
                // What was purged is live to nobody, unless the clock of a test goes back behind it.
                shared.records.forget(&purged);
                self.marked = Instant::now();
                shared.outage.end();
                purged.len()
            }
            None => 0,
        };
        // A full step means that more is due: the next one goes on with it.
        if purges && purged < PURGE_STEP {
            self.purge_at = Instant::now() + PURGE_EVERY;
        }
        self.unsealed = false;
        Ok(purged)
    }

    /// Has redb itself take in and sync what leads to `last`, after everything else.
    fn write_through(&mut self, view: &View, last: Revision, ahead: &Ahead) -> Result<(), StoreError> {
        let horizon = self.shared.clock.horizon();
        match attempt(|| sync_tables(view, ahead, (last, horizon), |_| Ok((Vec::new(), true)))) {
            Ok(_) => self.shared.outage.end(),
            Err(failure) => {
                let error = self.fail(failure);
                // What a session starts from was synced, so what it shows is there to stay.
                let found = revision(&self.shared.view.load().database);
                if found.map_err(|error| explain(&self.shared.medium, &self.shared.path, error))? < last {
                    return Err(error);
                }
            }
        }
        self.marked = Instant::now();
        Ok(())
    }

    /// Has reads go on from a shadow; in words for whoever waits for a commit.
    fn fail(&self, failure: Failure) -> StoreError {
        let error = match failure {
            Failure::Tables(error) => explain(&self.shared.medium, &self.shared.path, error),
            Failure::Panic => StoreError::Unavailable("its writer has panicked".into()),
        };
        self.shared.renew(false).err().unwrap_or(error)
    }
}

/// Why something with redb came to no end.
enum Failure {
    Tables(TablesError),
    Panic,
}

fn attempt<T>(act: impl FnOnce() -> Result<T, TablesError>) -> Result<T, Failure> {
    // Whatever it has touched of redb is replaced when this fails.
    catch_unwind(AssertUnwindSafe(act)).map_err(|_| Failure::Panic)?.map_err(Failure::Tables)
}

/// One transaction that takes in `ahead`, which leads to `revision`, and does what `more` says, which returns what it has deleted and
/// whether the transaction is due even if all of that is nothing. When this returns, it is synced; or there was nothing to do, and it
/// is `None`.
fn sync_tables(
    view: &View,
    ahead: &Ahead,
    (revision, horizon): (Revision, UnixTime),
    more: impl FnOnce(&mut Tables<'_>) -> Result<(Vec<RecordKey>, bool), TablesError>,
) -> Result<Option<Vec<RecordKey>>, TablesError> {
    let mut transaction = view.database.begin_write()?;
    transaction.set_quick_repair(true);
    let mut tables = Tables::open(&transaction)?;
    tables.take_in(ahead)?;
    let (deleted, due) = more(&mut tables)?;
    if !due && ahead.is_empty() && deleted.is_empty() {
        drop(tables);
        transaction.abort()?;
        return Ok(None);
    }
    tables.set_revision(revision)?;
    tables.set_horizon(horizon)?;
    drop(tables);
    transaction.commit()?;
    Ok(Some(deleted))
}

/// A batch of so many comes about by chance.
const FEW: usize = 4;
/// How long the writer waits for more, for each commit that the last batch had: about what another one takes to come about.
const GATHERED: Duration = Duration::from_micros(60);
/// For how many of them it waits at the most.
const MOST: u32 = 16;

/// How many commits one batch takes at the most, for the sake of those that come after.
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
