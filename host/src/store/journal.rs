//! The latest changes of a store, for those who keep something current by them.

use super::Revision;
use crate::sync;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;
use waxseal_core::seam::RecordKey;

/// What a [`Watch`] tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A commit has written or deleted these records.
    Written {
        /// The commit's revision.
        revision: Revision,
        /// The records, each once.
        keys: Arc<[RecordKey]>,
    },
    /// Changes up to this revision are no longer told one by one: forget everything that was read from the store before.
    Lost {
        /// Where the watch goes on.
        revision: Revision,
    },
}

/// The changes of a store from a revision on, in order and without gaps. Never holds up the store: who falls too far behind is
/// told [`Change::Lost`].
#[derive(Debug)]
pub struct Watch {
    log: Arc<Mutex<Log>>,
    latest: watch::Receiver<Revision>,
    seen: Revision,
    epoch: u64,
}

impl Watch {
    /// The next change, waiting for it if need be; `None` once the store is closed. Safe to cancel.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            self.latest.mark_unchanged();
            if let Some(change) = self.try_next() {
                return Some(change);
            }
            if self.latest.changed().await.is_err() {
                return self.try_next();
            }
        }
    }

    /// The next change if there is one already.
    pub fn try_next(&mut self) -> Option<Change> {
        let log = sync::lock(&self.log);
        let change = log.after(self.seen, self.epoch)?;
        self.epoch = log.epoch;
        self.seen = match change {
            Change::Written { revision, .. } | Change::Lost { revision } => revision,
        };
        drop(log);
        Some(change)
    }
}

/// The store's side.
#[derive(Debug)]
pub(super) struct Journal {
    log: Arc<Mutex<Log>>,
    latest: watch::Sender<Revision>,
}

#[derive(Debug)]
struct Log {
    changes: VecDeque<(Revision, Arc<[RecordKey]>)>,
    /// How many keys `changes` holds, which bounds its memory.
    keys: usize,
    /// Every change after this revision is in `changes`.
    start: Revision,
    latest: Revision,
    /// Rises when the past was forgotten as a whole.
    epoch: u64,
}

impl Journal {
    pub(super) fn starting_at(revision: Revision) -> Self {
        let log = Log { changes: VecDeque::new(), keys: 0, start: revision, latest: revision, epoch: 0 };
        Self { log: Arc::new(Mutex::new(log)), latest: watch::Sender::new(revision) }
    }

    pub(super) fn revision(&self) -> Revision {
        *self.latest.borrow()
    }

    /// Tells the commits of one batch, oldest first.
    pub(super) fn tell(&self, batch: impl IntoIterator<Item = (Revision, Arc<[RecordKey]>)>) {
        let mut log = sync::lock(&self.log);
        for (revision, keys) in batch {
            log.keys += keys.len();
            log.latest = revision;
            log.changes.push_back((revision, keys));
        }
        while log.keys > KEYS_KEPT
            && let Some((revision, keys)) = log.changes.pop_front()
        {
            log.keys -= keys.len();
            log.start = revision;
        }
        // Under the lock, so that the revision never goes back.
        self.latest.send_replace(log.latest);
    }

    /// Has every watcher start over at `revision`: what was told before may no longer hold.
    pub(super) fn forget(&self, revision: Revision) {
        let mut log = sync::lock(&self.log);
        log.changes.clear();
        (log.keys, log.start, log.latest) = (0, revision, revision);
        log.epoch += 1;
        self.latest.send_replace(revision);
    }

    pub(super) fn watch(&self, after: Revision) -> Watch {
        let epoch = sync::lock(&self.log).epoch;
        Watch { log: Arc::clone(&self.log), latest: self.latest.subscribe(), seen: after, epoch }
    }
}

impl Log {
    fn after(&self, seen: Revision, epoch: u64) -> Option<Change> {
        if epoch != self.epoch || seen < self.start || seen > self.latest {
            return Some(Change::Lost { revision: self.latest });
        }
        let next = self.changes.partition_point(|(revision, _)| *revision <= seen);
        self.changes.get(next).map(|(revision, keys)| Change::Written { revision: *revision, keys: Arc::clone(keys) })
    }
}

/// About 2 MB at the most with keys of ordinary length.
const KEYS_KEPT: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Arc<[RecordKey]> {
        names.iter().map(|name| RecordKey::from_stored((*name).to_owned())).collect()
    }

    fn written(revision: u64, names: &[&str]) -> Change {
        Change::Written { revision: Revision(revision), keys: keys(names) }
    }

    fn lost(revision: u64) -> Change {
        Change::Lost { revision: Revision(revision) }
    }

    #[test]
    fn a_watch_starts_where_it_is_told_to() {
        let journal = Journal::starting_at(Revision(4));
        journal.tell([(Revision(5), keys(&["a"])), (Revision(6), keys(&["b", "c"]))]);
        let mut watch = journal.watch(Revision(5));
        assert_eq!(watch.try_next(), Some(written(6, &["b", "c"])));
        assert_eq!(watch.try_next(), None);
        assert_eq!(journal.watch(Revision(4)).try_next(), Some(written(5, &["a"])));
    }

    #[test]
    fn what_is_not_kept_is_said_to_be_lost() {
        let journal = Journal::starting_at(Revision(4));
        assert_eq!(journal.watch(Revision(3)).try_next(), Some(lost(4)));
        assert_eq!(journal.watch(Revision(9)).try_next(), Some(lost(4)));
        let mut behind = journal.watch(Revision(4));
        let many = keys(&vec!["k"; KEYS_KEPT]);
        journal.tell([(Revision(5), keys(&["a"])), (Revision(6), many)]);
        assert_eq!(behind.try_next(), Some(lost(6)));
        assert_eq!(behind.try_next(), None);
    }

    #[test]
    fn forgetting_is_told_to_those_who_had_seen_everything() {
        let journal = Journal::starting_at(Revision(4));
        let mut watch = journal.watch(Revision(4));
        journal.forget(Revision(4));
        assert_eq!(watch.try_next(), Some(lost(4)));
        assert_eq!(watch.try_next(), None);
        journal.tell([(Revision(5), keys(&["a"]))]);
        assert_eq!(watch.try_next(), Some(written(5, &["a"])));
    }

    #[tokio::test]
    async fn next_waits_and_ends_with_the_store() {
        let journal = Journal::starting_at(Revision(0));
        let mut watch = journal.watch(Revision(0));
        let (first, ()) = tokio::join!(watch.next(), async { journal.tell([(Revision(1), keys(&["a"]))]) });
        assert_eq!(first, Some(written(1, &["a"])));
        journal.tell([(Revision(2), keys(&["b"]))]);
        drop(journal);
        assert_eq!(watch.next().await, Some(written(2, &["b"])));
        assert_eq!(watch.next().await, None);
    }
}
