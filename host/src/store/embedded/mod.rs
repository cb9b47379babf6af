//! The embedded default: a redb file and its log, a thread that commits in groups, and a cache in front.
//!
//! ```text
//!   commit ──▶ queue ──▶ writer ──▶ log, synced
//!                          │          │
//!                          │          ▼ then
//!   get ──▶ cache ──miss──────▶ what the log has ahead ──▶ redb
//!             ▲            │          │                      ▲
//!             │            │          └── sealed now and then ┘
//!             └─ forget, then tell, then acknowledge
//! ```
//!
//! Durability: a commit is acknowledged when its batch is synced in the [`log`]. From then on readers find it in what the log has
//! [`ahead`] of redb; redb takes all of that in at once, when the writer has been idle for a moment, when the log is full, and when
//! records are purged. That *seals* the file (one transaction with redb's quick repair, and two syncs), and the log begins anew. A start
//! after a kill scans nothing: it reads the log. Without a log, as on a disk that has no room for one, redb seals every batch.
//!
//! Damage: files up to 16 MiB are verified whole when they are opened. Larger ones are opened at once and every record is
//! verified in the background; [`Embedded::damaged`] tells. Each record carries a checksum that every read compares.

mod ahead;
mod backup;
mod expiry;
#[cfg(test)]
mod expiry_tests;
mod file;
mod group;
mod log;
mod medium;
mod names;
mod open;
mod outage;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub use names::LostFile;

use self::{
    ahead::Ahead,
    file::Fresh,
    log::Log,
    medium::Medium,
    names::Names,
    open::{Opened, create_database, explain, give_log, open_database, open_existing, revision, unpanicked},
    outage::Outage,
    tables::{Snapshot, TablesError},
    writer::{Job, Writer},
};
use super::{
    Committed, Reply, Revision, Store, StoreError, Watch,
    cache::{Entry, Known, Records},
    journal::Journal,
};
use crate::{clock::Clock, sync};
use core::sync::atomic::{AtomicBool, Ordering};
use redb::{Database, ReadTransaction, ReadableDatabase, StorageBackend};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::{oneshot, watch};
use waxseal_core::seam::{Commit, Range, Record, RecordKey};

/// A store in one file of a data directory, open in one process at a time.
pub struct Embedded {
    shared: Arc<Shared>,
    queue: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Embedded {
    /// Opens the store in the directory `data`; makes both where there is none yet. Only the owner may read the file.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it open; [`StoreError::Corrupt`] and [`StoreError::Newer`] when there is
    /// something that cannot be read: it is left untouched, and no new store is put in its place.
    pub fn open(data: &Path, clock: Arc<Clock>) -> Result<Self, StoreError> {
        let path = data.join(FILE_NAME);
        let (medium, database) = if let Some(medium) = file::existing(&path)? {
            let database = open_existing(&medium, &path, true)?;
            (medium, database)
        } else {
            let fresh = Fresh::create(data)?;
            let medium = Arc::clone(&fresh.medium);
            let database = create_database(&medium).map_err(|error| explain(&medium, &path, error))?;
            fresh.publish()?;
            (medium, database)
        };
        // Not before the store is locked.
        let (log, log_missing) = file::log(&path.with_extension(LOG_EXTENSION))?;
        let files = Files { path, medium, database, log, log_missing, access: Access::Change };
        let (shared, log) = Shared::new(files, clock)?;
        for doubt in &shared.doubts {
            tracing::warn!(doubt, "the store may lack something");
        }
        Self::start(shared, log)
    }

    /// Opens the store that is in the directory `data` to look at it: nothing on the disk changes, and no commit is taken.
    ///
    /// # Errors
    /// As [`Embedded::open`]; [`StoreError::Unavailable`] where there is no store.
    pub fn look(data: &Path, clock: Arc<Clock>) -> Result<Self, StoreError> {
        let path = data.join(FILE_NAME);
        let there = file::existing_as_it_is(&path)?;
        let medium = there.ok_or_else(|| StoreError::Unavailable("there is none".into()))?;
        let database = open_existing(&medium, &path, false)?;
        let (log, log_missing) = file::copy_of_log(&path.with_extension(LOG_EXTENSION))?;
        let files = Files { path, medium, database, log, log_missing, access: Access::Look };
        let (shared, _) = Shared::new(files, clock)?;
        Ok(Self { shared: Arc::new(shared), queue: None, threads: Vec::new() })
    }

    /// What the latest changes may have suffered before the store was opened, in words for the operator.
    pub fn doubts(&self) -> &[&'static str] {
        &self.shared.doubts
    }

    /// Opens the store on `backend`, which is locked if it can be, and its log on another; makes one if the first is empty.
    #[cfg(test)]
    pub(crate) fn with_backends(
        backend: impl StorageBackend,
        log: impl StorageBackend,
        clock: Arc<Clock>,
    ) -> Result<Self, StoreError> {
        let (shared, log) = Shared::on_backends(backend, log, clock)?;
        Self::start(shared, log)
    }

    /// Which of its files is not found under its name any more.
    pub fn lost(&self) -> Option<LostFile> {
        self.shared.names.lost()
    }

    /// Writes all live records, from one moment, to the new file `to`, which takes the place of an older one only when it is
    /// complete. Commits go on meanwhile. Blocks for as long as it takes to write the file.
    pub fn backup(&self, to: &Path) -> Result<Revision, StoreError> {
        // What has expired since the horizon is still there, and goes along: it may not be missed before the horizon has passed.
        let horizon = self.shared.clock.horizon();
        let write = |transaction: &ReadTransaction, ahead: Ahead| {
            backup::write((&Snapshot::new(transaction)?, &ahead), horizon, to)
        };
        self.shared.read(Ahead::clone, write)?
    }

    /// Where the backup `to` is while it is not complete.
    pub fn draft_of_backup(to: &Path) -> PathBuf {
        backup::draft(to)
    }

    /// Makes a store in `data`, where there is none, from `backup`, which is what [`Embedded::backup`] wrote, to its end; errors name
    /// the file `from`. A damaged backup is refused whole.
    pub fn restore(backup: impl io::Read, from: &Path, data: &Path) -> Result<Revision, StoreError> {
        backup::restore(backup, from, data)
    }

    /// Does what the writer otherwise does when it is idle: purges expired records, a bounded number, and seals the file. Returns how
    /// many were due.
    #[cfg(test)]
    pub(crate) fn tidy(&self) -> Reply<'_, usize> {
        let (answer, reply) = oneshot::channel();
        self.send(Job::Tidy(answer), reply)
    }

    /// Whether no damage has been found in the file so far.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], as every call from then on.
    pub fn intact(&self) -> Result<(), StoreError> {
        self.shared.intact()
    }

    /// Waits until damage is found in the file; then every call fails, and the process should end with this error.
    pub async fn damaged(&self) -> StoreError {
        let mut damage = self.shared.damage.subscribe();
        let found = damage.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        match found {
            Some(error) => error,
            // The sender lives as long as `self`.
            None => core::future::pending().await,
        }
    }

    fn start(shared: Shared, log: Log) -> Result<Self, StoreError> {
        let shared = Arc::new(shared);
        let (queue, jobs) = sync_channel(QUEUE);
        let mut threads = Vec::with_capacity(2);
        let mut spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.into()).spawn(run);
            thread.map(|thread| threads.push(thread)).map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        let mut writer = Writer::new(Arc::clone(&shared), log, jobs);
        spawn("store-writer", Box::new(move || writer.run()))?;
        if !shared.verified {
            let shared = Arc::clone(&shared);
            spawn("store-verify", Box::new(move || shared.verify()))?;
        }
        Ok(Self { shared, queue: Some(queue), threads })
    }

    fn send<T: Send + 'static>(&self, job: Job, reply: oneshot::Receiver<Result<T, StoreError>>) -> Reply<'_, T> {
        match self.queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Reply::pending(async { reply.await.unwrap_or_else(|_| Err(closed())) }),
            Some(Err(TrySendError::Full(_))) => Reply::ready(Err(StoreError::Busy)),
            Some(Err(TrySendError::Disconnected(_))) | None => Reply::ready(Err(closed())),
        }
    }
}

impl Store for Embedded {
    /// Reads what the cache does not hold from the file, on the calling thread: a few microseconds while the file is in the
    /// system's page cache, which a file of this size is.
    fn get(&self, keys: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>> {
        Reply::ready(self.shared.get(keys))
    }

    fn range(&self, range: &Range) -> Reply<'_, Vec<(RecordKey, Record)>> {
        let now = self.shared.clock.now();
        let read = |transaction: &ReadTransaction, ahead: Vec<_>| Snapshot::new(transaction)?.range(range, &ahead, now);
        Reply::ready(self.shared.read(|ahead| ahead.within(range), read))
    }

    fn commit(&self, commit: Commit) -> Reply<'_, Committed> {
        let (answer, reply) = oneshot::channel();
        self.send(Job::Commit(commit, answer), reply)
    }

    fn watch(&self, after: Revision) -> Watch {
        self.shared.journal.watch(after)
    }

    fn revision(&self) -> Revision {
        self.shared.journal.revision()
    }
}

impl Drop for Embedded {
    /// Finishes the commits that are waiting, then closes the file.
    fn drop(&mut self) {
        self.queue = None;
        self.shared.closing.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that has panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// What the threads share.
struct Shared {
    medium: Arc<Medium>,
    /// What the log has and redb lacks.
    ///
    /// INVARIANT: only the writer changes it: it puts in what the log has on disk, and takes out what redb has synced.
    ahead: RwLock<Ahead>,
    /// Empty when the medium is no file.
    path: PathBuf,
    names: Names,
    clock: Arc<Clock>,
    view: arc_swap::ArcSwap<View>,
    /// Held while `view` is being replaced, and by the writer from a decision until it is told: so no commit comes in between the
    /// revision that a new view leads to and the telling of it.
    replacing: Mutex<()>,
    records: Records,
    journal: Journal,
    damage: watch::Sender<Option<StoreError>>,
    is_damaged: AtomicBool,
    verified: bool,
    doubts: Vec<&'static str>,
    outage: Outage,
    closing: AtomicBool,
}

/// redb, opened on one session of the medium.
struct View {
    database: Database,
    /// Writes reach the medium; else the disk has failed, and this is a shadow, or what is left of the last session.
    writable: AtomicBool,
}

impl View {
    fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }
}

/// The files of a store, open.
struct Files {
    path: PathBuf,
    medium: Arc<Medium>,
    database: Opened,
    log: Box<dyn StorageBackend>,
    /// The log was not there.
    log_missing: bool,
    access: Access,
}

/// What a store is opened for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Access {
    Change,
    /// Nothing on the disk changes: the database is a shadow of the file, and the log a copy.
    Look,
}

impl Shared {
    #[cfg(test)]
    fn on_backends(
        backend: impl StorageBackend,
        log: impl StorageBackend,
        clock: Arc<Clock>,
    ) -> Result<(Self, Log), StoreError> {
        let path = PathBuf::new();
        let medium = Medium::lock(Box::new(backend)).map_err(|error| file::trouble(&path, &error))?;
        let medium = medium.ok_or_else(|| StoreError::Locked(path.clone()))?;
        let database = match medium.len() {
            Ok(0) => create_database(&medium).map_err(|error| explain(&medium, &path, error))?,
            Ok(_) => open_existing(&medium, &path, true)?,
            Err(error) => return Err(file::trouble(&path, &error)),
        };
        let log = Box::new(log);
        Self::new(Files { path, medium, database, log, log_missing: false, access: Access::Change }, clock)
    }

    /// Reads what the log has and redb lacks.
    fn new(files: Files, clock: Arc<Clock>) -> Result<(Self, Log), StoreError> {
        let Files { path, medium, database, log, log_missing, access } = files;
        let Opened { database, verified } = database;
        let writable = access == Access::Change;
        let synced = || {
            let snapshot = Snapshot::new(&database.begin_read()?)?;
            // A store of an earlier build has no number, and never had a log.
            let (number, had_log) = match snapshot.log()? {
                Some(number) => (number, true),
                None => (give_log(&database)?, false),
            };
            Ok((number, had_log, snapshot.revision()?, snapshot.horizon()?))
        };
        let (number, had_log, synced, horizon) = synced().map_err(|error| explain(&medium, &path, error))?;
        let opened = Log::open(log, number, synced).map_err(|error| redb::Error::Io(error).into());
        let mut log = opened.map_err(|error| explain(&medium, &path.with_extension(LOG_EXTENSION), error))?;
        let ahead = Ahead::of(&log, synced);
        let horizon = log.after(synced).last().map(|batch| batch.horizon).max(horizon);
        let revision = ahead.revision().unwrap_or(synced);
        let strange = had_log && synced > Revision(0) && !log_missing && log.is_strange();
        let missed = had_log && synced > Revision(0) && log_missing;
        let doubts = [(missed, LOG_MISSING), (strange, LOG_STRANGE), (log.is_torn() && !strange, LOG_TORN)];
        let doubts = doubts.into_iter().filter_map(|(doubtful, words)| doubtful.then_some(words)).collect();
        if writable && ahead.is_empty() {
            log.clear();
        }
        clock.hold(horizon);
        let shared = Self {
            medium,
            ahead: RwLock::new(ahead),
            names: Names::of(&path),
            path,
            clock,
            view: arc_swap::ArcSwap::from_pointee(View { database, writable: writable.into() }),
            replacing: Mutex::default(),
            records: Records::with_budget(RECORD_CACHE),
            journal: Journal::starting_at(revision),
            damage: watch::Sender::new(None),
            is_damaged: AtomicBool::new(false),
            verified,
            doubts,
            outage: Outage::default(),
            closing: AtomicBool::new(false),
        };
        Ok((shared, log))
    }

    fn get(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        self.intact()?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            match self.records.find(key) {
                Some(known) => found.push(self.live(&known)),
                None => return self.get_missing(keys, found),
            }
        }
        Ok(found)
    }

    #[cold]
    fn get_missing(&self, keys: &[RecordKey], mut found: Vec<Option<Record>>) -> Result<Vec<Option<Record>>, StoreError> {
        let missing = &keys[found.len()..];
        let generation = self.records.generation();
        let ahead = |ahead: &Ahead| missing.iter().map(|key| ahead.find(key).cloned()).collect();
        let read = |transaction: &ReadTransaction, ahead: Vec<_>| {
            if ahead.iter().all(Option::is_some) {
                return Ok(ahead.into_iter().flatten().collect());
            }
            let snapshot = Snapshot::new(transaction)?;
            let both = missing.iter().zip(ahead);
            both.map(|(key, ahead)| ahead.map_or_else(|| Ok(snapshot.entry(key)?.into()), Ok))
                .collect::<Result<Vec<_>, _>>()
        };
        for (key, known) in missing.iter().zip(self.read(ahead, read)?) {
            found.push(self.live(&known));
            self.records.keep(generation, key, known);
        }
        Ok(found)
    }

    fn live(&self, known: &Known) -> Option<Record> {
        let live = |entry: &&Entry| entry.expires.is_none() || entry.is_live(self.clock.now());
        known.entry().filter(live).map(Entry::to_record)
    }

    /// Reads redb's newest state, with what was `picked` of the log's part at the same moment; once more if the disk fails the first
    /// time.
    fn read<P, T>(
        &self,
        picked: impl Fn(&Ahead) -> P,
        read: impl Fn(&ReadTransaction, P) -> Result<T, TablesError>,
    ) -> Result<T, StoreError> {
        self.intact()?;
        let mut failure = None;
        for _ in 0..2 {
            // Held until all is had: then it is of one moment, or redb has the same as was picked.
            let ahead = self.ahead();
            let view = self.view.load_full();
            let picked = picked(&ahead);
            let begun = view.database.begin_read();
            drop(ahead);
            let attempt = || read(&begun?, picked);
            match attempt() {
                Ok(answer) => return Ok(answer),
                Err(TablesError::Redb(error)) if !matches!(error, redb::Error::Corrupted(_)) => {
                    failure = Some(explain(&self.medium, &self.path, error.into()));
                    self.replace(&view)?;
                }
                Err(error) => return Err(explain(&self.medium, &self.path, error)),
            }
        }
        Err(failure.unwrap_or_else(closed))
    }

    fn ahead(&self) -> RwLockReadGuard<'_, Ahead> {
        sync::read(&self.ahead)
    }

    /// Opens a shadow of the medium in the place of `broken`, unless somebody has already replaced it.
    fn replace(&self, broken: &Arc<View>) -> Result<(), StoreError> {
        let _turn = self.turn();
        if Arc::ptr_eq(&self.view.load(), broken) { self.renew(false) } else { Ok(()) }
    }

    /// Tries to get from a shadow back to the medium. For the writer, when it has the turn.
    fn reopen(&self) -> Result<(), StoreError> {
        self.renew(true).inspect_err(|_| {
            // The attempt has ended the shadow that reads came from.
            if let Err(error) = self.renew(false) {
                self.outage.blind(&error);
            }
        })
    }

    /// To replace the view, or to change what is in it.
    fn turn(&self) -> MutexGuard<'_, ()> {
        sync::lock(&self.replacing)
    }

    /// Opens the medium again, or a shadow of it. For whoever has the turn.
    fn renew(&self, writable: bool) -> Result<(), StoreError> {
        let opened = open_database(&self.medium, writable, false).and_then(|database| Ok((revision(&database)?, database)));
        let (revision, database) = opened.map_err(|error| {
            // The attempt has ended the session of the view that stays: nothing may be promised before there is another.
            self.view.load().writable.store(false, Ordering::Release);
            explain(&self.medium, &self.path, error)
        })?;
        if !writable {
            self.outage.begin();
        }
        self.view.store(Arc::new(View { database, writable: writable.into() }));
        // What was read under the old view is not kept, and what was told may not hold.
        self.records.forget_all();
        self.journal.forget(revision.max(self.journal.revision()));
        Ok(())
    }

    /// Reads every record once; for files too large to do so before the start.
    fn verify(&self) {
        let view = self.view.load_full();
        let read = || {
            let snapshot = Snapshot::new(&view.database.begin_read()?)?;
            snapshot.each(&Ahead::default(), |_, _| Ok::<_, TablesError>(!self.closing.load(Ordering::Relaxed)))
        };
        // An I/O error is the matter of whoever reads next.
        if let Err(error @ (TablesError::Damaged(_) | TablesError::Redb(redb::Error::Corrupted(_)))) = unpanicked(read) {
            let error = explain(&self.medium, &self.path, error);
            tracing::error!(%error, "the store is damaged");
            self.damage.send_modify(|damage| {
                *damage = Some(error);
                self.is_damaged.store(true, Ordering::Release);
            });
        }
    }

    fn intact(&self) -> Result<(), StoreError> {
        if self.is_damaged.load(Ordering::Acquire) {
            return Err(self.damage.borrow().clone().unwrap_or_else(closed));
        }
        Ok(())
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".into())
}

/// The file within the data directory.
const FILE_NAME: &str = "store.redb";

/// What its log has in the place of `redb`.
const LOG_EXTENSION: &str = "log";

const LOG_MISSING: &str = "the store's log, store.log, is missing: if the server was not stopped in order, changes that were \
                           acknowledged right before are lost; bring store.log back if you have it, or look them over";

const LOG_STRANGE: &str = "the store's log, store.log, was cut, emptied or overwritten: it is a part of the store, not a log to be \
                           rotated. If the server was not stopped in order, changes that were acknowledged right before are lost; \
                           bring store.log back if you have it, or look them over";

const LOG_TORN: &str = "the last batch of the store's log is not whole: it was being written when the machine stopped, or the disk has \
                        damaged it; in the latter case changes that were acknowledged right before the stop are lost";

/// Commits that may wait; beyond it [`StoreError::Busy`].
const QUEUE: usize = 1024;

/// The cache of records in front of it, in octets.
const RECORD_CACHE: usize = 4 << 20;
