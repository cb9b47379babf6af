//! The log in front of redb: the commits since redb has synced last.
//!
//! Putting a redb commit on disk costs a sync of some sixteen pages here and there. A batch of commits in the log costs one sync of a
//! block or a few in a row, in a file that has its length already. So a batch goes to the log, and what the log has is kept in memory
//! for readers; once in a while redb takes in and syncs all of that at once, after which the log begins anew at its start.
//!
//! ```text
//! each batch, from a multiple of 4096 on, the rest of its last block zeros:
//!   SHA-256 of the store's number and all below, cut     16 octets
//!   length of all below                                  u32
//!   revision before it, horizon of the clock in ms       u64, u64
//!   for each write:
//!     length of the key, of the value (all ones: deleted)  u16, u32
//!     revision, expiry in ms (all ones for none)           u64, u64
//!     key, value
//! ```
//! Numbers are big-endian. A log that has never had a batch begins with one of length 0, so that it can be told from one that was
//! emptied.
//!
//! INVARIANT: the log holds a sequence of batches from its start on, each of which follows the one before it; what redb has synced ends
//! before one of them or with the last. Where that sequence ends, older batches or half a batch may lie; neither continues it. A later batch cannot
//! lie there, as none is begun before the one ahead of it is synced: if there is one, something acknowledged is damaged. Damage to the
//! last batch looks like half a batch, which was never acknowledged; [`Log::is_torn`] says that it is one of the two. Until the first
//! batch is written, an older one, or that of length 0, lies at the start: where there is neither, [`Log::is_strange`].

use super::expiry;
use crate::store::Revision;
use redb::StorageBackend;
use sha2::{Digest, Sha256};
use std::io;
use waxseal_core::{seam::Write, time::UnixTime};

/// The log of one store.
#[derive(Debug)]
pub(super) struct Log {
    medium: Box<dyn StorageBackend>,
    store: u64,
    /// What the medium holds, up to where the next batch goes.
    kept: Vec<u8>,
    /// The medium has its length and has not failed.
    ready: bool,
    torn: bool,
    strange: bool,
}

/// Commits that go to disk together.
pub(super) struct Batch {
    octets: Vec<u8>,
    /// This notation can express it.
    fits: bool,
}

/// A batch that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logged<'l> {
    /// The revision that it follows.
    pub(super) before: Revision,
    /// How far time had come.
    pub(super) horizon: UnixTime,
    writes: &'l [u8],
}

/// A write of a batch that was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LoggedWrite<'l> {
    pub(super) revision: Revision,
    pub(super) key: &'l str,
    pub(super) expires: Option<UnixTime>,
    /// `None`: deleted.
    pub(super) value: Option<&'l [u8]>,
}

impl Log {
    /// Takes what `medium` holds of the store with this number beyond `synced`, where redb is.
    ///
    /// # Errors
    /// When it cannot be read; [`io::ErrorKind::InvalidData`] when a batch is lost that others follow.
    pub(super) fn open(medium: Box<dyn StorageBackend>, store: u64, synced: Revision) -> io::Result<Self> {
        let there = usize::try_from(medium.len()?).unwrap_or(usize::MAX).min(ROOM);
        let mut kept = vec![0; there];
        medium.read(0, &mut kept)?;
        let (whole, last) = sequence(&kept, store, synced);
        let later = |at| Logged::read(&kept, at, store).is_some_and(|(batch, _)| batch.before > last);
        if (whole..there).step_by(BLOCK).any(later) {
            let lost = format!("revision {} is unreadable, and there are later ones", last.0 + 1);
            return Err(io::Error::new(io::ErrorKind::InvalidData, lost));
        }
        let torn = kept.get(whole..).is_some_and(|rest| names(rest, last) || names_another(rest, last, store));
        let strange = there < ROOM || (!torn && summed(&kept, 0, store).is_none());
        kept.truncate(whole);
        Ok(Self { medium, store, kept, ready: !strange, torn, strange })
    }

    /// Whether what was opened is no log that this store has left: it was cut, emptied or overwritten, and what it held is lost. The
    /// same is said of one that is new, or on a disk that refused it its length.
    pub(super) const fn is_strange(&self) -> bool {
        self.strange
    }

    /// Whether a batch that is not whole followed when the log was opened. A machine that stopped while writing leaves that, and then
    /// nobody was told that the batch holds; damage to the disk looks the same, and then something acknowledged is lost. A batch of
    /// which not even the beginning is there, or is zeros, is not seen.
    pub(super) const fn is_torn(&self) -> bool {
        self.torn
    }

    /// Puts `batch` on disk. `false` if there is no room for it, or it cannot be expressed: then redb has to sync.
    ///
    /// # Errors
    /// When the medium fails; from then until [`Self::clear`] it is left alone, and there is no room.
    pub(super) fn append(&mut self, batch: &Batch) -> io::Result<bool> {
        if !self.ready || self.kept.len() + batch.octets.len() > ROOM {
            return Ok(false);
        }
        let Some(mut octets) = batch.sealed(self.store).filter(|octets| self.kept.len() + octets.len() <= ROOM) else {
            return Ok(false);
        };
        let written = self.medium.write(self.kept.len() as u64, &octets).and_then(|()| self.medium.sync_data());
        self.ready = written.is_ok();
        written?;
        self.kept.append(&mut octets);
        Ok(true)
    }

    /// What redb lacks when it has synced `synced`.
    pub(super) fn after(&self, synced: Revision) -> impl Iterator<Item = Logged<'_>> {
        let mut at = 0;
        let all = core::iter::from_fn(move || {
            let (batch, end) = Logged::read(&self.kept, at, self.store)?;
            at = end;
            Some(batch)
        });
        // Older ones are there if redb has synced and the log did not begin anew for it.
        all.skip_while(move |batch| batch.before < synced)
    }

    /// Begins anew: redb has synced everything. If the medium has failed or is new, it is given its length.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        if !self.ready {
            // Wipes out a batch that was refused as the medium failed. If this fails again, redb keeps syncing every batch.
            self.ready = prepare(&*self.medium, self.store).is_ok();
        }
    }
}

/// Puts a log of this store on disk that has its length and has never had a batch.
pub(super) fn prepare(medium: &dyn StorageBackend, store: u64) -> io::Result<()> {
    let mut empty = vec![0; ROOM];
    let length = [0; 4];
    empty[..SUM].copy_from_slice(&sum(store, &length));
    medium.set_len(ROOM as u64)?;
    medium.write(0, &empty)?;
    medium.sync_data()
}

impl Batch {
    /// A batch without a write.
    pub(super) fn new(before: Revision, horizon: UnixTime) -> Self {
        let mut octets = vec![0; SUM + 4];
        octets.extend(before.0.to_be_bytes());
        octets.extend(horizon.as_millis().to_be_bytes());
        Self { octets, fits: true }
    }

    /// Adds a write that holds at `revision`.
    pub(super) fn add(&mut self, revision: Revision, Write { key, value, expires, .. }: &Write) {
        let key = key.as_str();
        let value_len = value.as_ref().map_or(Ok(DELETED), |value| u32::try_from(value.len()));
        let (Ok(key_len), Ok(value_len)) = (u16::try_from(key.len()), value_len) else {
            self.fits = false;
            return;
        };
        self.octets.extend(key_len.to_be_bytes());
        self.octets.extend(value_len.to_be_bytes());
        self.octets.extend(revision.0.to_be_bytes());
        self.octets.extend(expiry::to_octets(*expires));
        self.octets.extend(key.as_bytes());
        self.octets.extend(value.as_deref().unwrap_or_default());
    }

    /// Whole blocks; `None` if this notation cannot express it.
    fn sealed(&self, store: u64) -> Option<Vec<u8>> {
        let len = u32::try_from(self.octets.len() - SUM - 4).ok().filter(|_| self.fits)?;
        let mut octets = self.octets.clone();
        octets[SUM..SUM + 4].copy_from_slice(&len.to_be_bytes());
        let sum = sum(store, &octets[SUM..]);
        octets[..SUM].copy_from_slice(&sum);
        octets.resize(octets.len().next_multiple_of(BLOCK), 0);
        Some(octets)
    }
}

impl<'l> Logged<'l> {
    /// The batch of this store that begins at `at`, if a whole one does, and where the next one would.
    fn read(log: &'l [u8], at: usize, store: u64) -> Option<(Self, usize)> {
        let body = summed(log, at, store)?;
        let end = (at + SUM + 4 + body.len()).next_multiple_of(BLOCK);
        let (before, body) = body.split_first_chunk()?;
        let (horizon, writes) = body.split_first_chunk()?;
        let (before, horizon) = (u64::from_be_bytes(*before), u64::from_be_bytes(*horizon));
        let batch = Self { before: Revision(before), horizon: UnixTime::from_millis(horizon), writes };
        Some((batch, end))
    }

    /// The revision that it leads to.
    pub(super) fn last(&self) -> Revision {
        self.writes().last().map_or(self.before, |write| write.revision)
    }

    /// Its writes, in their order.
    pub(super) fn writes(&self) -> impl Iterator<Item = LoggedWrite<'l>> + use<'l> {
        let mut rest = self.writes;
        core::iter::from_fn(move || {
            let (key_len, after) = rest.split_first_chunk()?;
            let (value_len, after) = after.split_first_chunk()?;
            let (revision, after) = after.split_first_chunk()?;
            let (expires, after) = after.split_first_chunk()?;
            let value_len = u32::from_be_bytes(*value_len);
            let (key, after) = after.split_at_checked(u16::from_be_bytes(*key_len).into())?;
            let len = if value_len == DELETED { 0 } else { usize::try_from(value_len).ok()? };
            let (value, after) = after.split_at_checked(len)?;
            rest = after;
            Some(LoggedWrite {
                revision: Revision(u64::from_be_bytes(*revision)),
                key: core::str::from_utf8(key).ok()?,
                expires: expiry::from_octets(*expires),
                value: (value_len != DELETED).then_some(value),
            })
        })
    }
}

/// How far the sequence at the start of the log reaches, and to which revision; nowhere if what redb has `synced` is no part of it, as
/// after redb has written something past the log.
fn sequence(log: &[u8], store: u64, synced: Revision) -> (usize, Revision) {
    let (mut whole, mut last, mut meets) = (0, None, false);
    while let Some((batch, end)) = Logged::read(log, whole, store)
        && last.is_none_or(|last| batch.before == last)
    {
        meets |= batch.before == synced || batch.last() == synced;
        (whole, last) = (end, Some(batch.last()));
    }
    last.filter(|_| meets).map_or((0, synced), |last| (whole, last))
}

/// Whether the block is the beginning of a batch after `last`, whatever its sum. A block that was never written is none.
fn names(block: &[u8], last: Revision) -> bool {
    let numbers = || {
        let (len, rest) = block.get(SUM..)?.split_first_chunk()?;
        let (before, _) = rest.split_first_chunk()?;
        Some((u32::from_be_bytes(*len), u64::from_be_bytes(*before)))
    };
    numbers().is_some_and(|(len, before)| len > 0 && before == last.0)
}

/// Whether a batch after `last` begins here that is whole but for the revision that it names: without that, it looks like an older one.
fn names_another(log: &[u8], last: Revision, store: u64) -> bool {
    let mut log = log.to_vec();
    if let Some(before) = log.get_mut(SUM + 4..SUM + 12) {
        before.copy_from_slice(&last.0.to_be_bytes());
    }
    names(&log, last) && summed(&log, 0, store).is_some()
}

/// What stands behind the sum and the length at `at`, if the sum is that of this store.
fn summed(log: &[u8], at: usize, store: u64) -> Option<&[u8]> {
    let (found, summed) = log.get(at..)?.split_first_chunk::<SUM>()?;
    let (len, rest) = summed.split_first_chunk::<4>()?;
    let body = rest.get(..usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    (sum(store, &summed[..4 + body.len()]) == *found).then_some(body)
}

fn sum(store: u64, octets: &[u8]) -> [u8; SUM] {
    let mut sum = [0; SUM];
    sum.copy_from_slice(&Sha256::new_with_prefix(store.to_be_bytes()).chain_update(octets).finalize()[..SUM]);
    sum
}

/// How long the log is, and with it how much is kept in memory. When it is full redb takes it in; a longer one would make the one who
/// waits for that wait longer, and a shorter one let somebody wait more often.
const ROOM: usize = if cfg!(test) { 16 * BLOCK } else { 256 * BLOCK };

/// What disks write whole. No batch shares one with another, so a write that is cut short spoils only its own.
const BLOCK: usize = 4096;

/// Octets of a sum.
const SUM: usize = 16;

const DELETED: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conforms::{del, put, until};
    use redb::backends::InMemoryBackend;
    use std::sync::Arc;

    const STORE: u64 = 7;

    /// A backend that can be looked at from outside.
    #[derive(Clone, Debug)]
    struct Medium(Arc<InMemoryBackend>);

    impl StorageBackend for Medium {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.0.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }
    }

    impl Medium {
        fn new() -> Self {
            Self(Arc::new(InMemoryBackend::new()))
        }

        fn log(&self, store: u64, synced: u64) -> Log {
            Log::open(Box::new(self.clone()), store, Revision(synced)).unwrap()
        }

        /// A log that has its length, empty, where redb is at `synced`.
        fn ready(&self, synced: u64) -> Log {
            let mut log = self.log(STORE, synced);
            log.clear();
            log
        }
    }

    fn batch(before: u64, writes: &[(u64, Write)]) -> Batch {
        let mut batch = Batch::new(Revision(before), UnixTime::from_secs(before));
        for (revision, write) in writes {
            batch.add(Revision(*revision), write);
        }
        batch
    }

    /// Puts a batch of one commit after each of these revisions.
    fn fill(log: &mut Log, revisions: core::ops::Range<u64>) {
        for before in revisions {
            assert!(log.append(&batch(before, &[(before + 1, put("a", "1"))])).unwrap());
        }
    }

    /// `before>last` of the batches that a store which is at `synced` takes in.
    fn told(log: &Log, synced: u64) -> String {
        let told = log.after(Revision(synced)).map(|batch| format!("{}>{}", batch.before.0, batch.last().0));
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_went_in_comes_back() {
        let medium = Medium::new();
        let mut log = medium.ready(4);
        let written = batch(4, &[(5, put("a", "1")), (5, del("b")), (6, until(9, put("c", "")))]);
        assert!(log.append(&written).unwrap());
        assert!(log.append(&batch(6, &[(7, put("a", &"x".repeat(9_000)))])).unwrap());
        for log in [log, medium.log(STORE, 4)] {
            assert_eq!(told(&log, 4), "4>6 6>7");
            let first = log.after(Revision(4)).next().unwrap();
            assert_eq!(first.horizon, UnixTime::from_secs(4));
            let write = |revision, key, expires, value| LoggedWrite { revision: Revision(revision), key, expires, value };
            let expected = [
                write(5, "a", None, Some("1".as_bytes())),
                write(5, "b", None, None),
                write(6, "c", Some(UnixTime::from_secs(9)), Some("".as_bytes())),
            ];
            assert_eq!(first.writes().collect::<Vec<_>>(), expected);
            assert_eq!(told(&log, 6), "6>7");
            assert_eq!(told(&log, 7), "");
        }
    }

    #[test]
    fn only_what_follows_is_taken() {
        let medium = Medium::new();
        let mut log = medium.ready(4);
        fill(&mut log, 4..8);
        assert_eq!(told(&medium.log(STORE, 4), 4), "4>5 5>6 6>7 7>8");
        for synced in [8, 9] {
            assert_eq!(told(&medium.log(STORE, synced), synced), "", "{synced}: the start does not follow it");
        }
        assert_eq!(told(&medium.log(STORE + 1, 4), 4), "", "another store's");

        // redb has synced, and what was written before lies behind what is written now.
        log.clear();
        assert_eq!(told(&medium.log(STORE, 8), 8), "");
        assert!(log.append(&batch(8, &[(9, put("a", "1"))])).unwrap());
        assert_eq!(told(&medium.log(STORE, 8), 8), "8>9");
    }

    /// redb has synced, and the log has not begun anew for it.
    #[test]
    fn a_sequence_that_redb_has_taken_in_half_goes_on() {
        let medium = Medium::new();
        let mut log = medium.ready(4);
        fill(&mut log, 4..8);
        for (synced, expected) in [(4, "4>5 5>6 6>7 7>8"), (6, "6>7 7>8"), (7, "7>8"), (8, ""), (9, "")] {
            assert_eq!(told(&medium.log(STORE, synced), synced), expected, "{synced}");
        }
        fill(&mut medium.log(STORE, 6), 8..9);
        assert_eq!(told(&medium.log(STORE, 6), 6), "6>7 7>8 8>9");
    }

    #[test]
    fn a_spoilt_last_batch_ends_the_log_and_another_one_refuses_it() {
        let medium = Medium::new();
        let mut log = medium.ready(4);
        fill(&mut log, 4..7);
        for at in 0..SUM + 4 + 16 + 22 + 2 {
            for (block, told_or_not) in [(1, None), (2, Some("4>5 5>6"))] {
                let at = (block * BLOCK + at) as u64;
                let mut octet = [0];
                medium.read(at, &mut octet).unwrap();
                medium.write(at, &[octet[0] ^ 1]).unwrap();
                match (Log::open(Box::new(medium.clone()), STORE, Revision(4)), told_or_not) {
                    (Ok(log), Some(expected)) => {
                        assert_eq!(told(&log, 4), expected, "{at}");
                        assert!(log.is_torn(), "{at}");
                    }
                    (Err(error), None) => {
                        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{at}");
                        assert_eq!(error.to_string(), "revision 6 is unreadable, and there are later ones", "{at}");
                    }
                    (opened, _) => panic!("{at}: {opened:?}"),
                }
                medium.write(at, &octet).unwrap();
            }
        }
        assert_eq!(told(&medium.log(STORE, 4), 4), "4>5 5>6 6>7");
        let older = Log::open(Box::new(medium.clone()), STORE, Revision(3)).unwrap_err();
        assert_eq!(older.kind(), io::ErrorKind::InvalidData, "the file of the store is an older one");
    }

    #[test]
    fn a_last_batch_that_is_not_whole_is_told() {
        let medium = Medium::new();
        assert!(!medium.ready(0).is_torn() && !medium.log(STORE, 0).is_torn(), "nothing was ever written");
        let mut log = medium.ready(4);
        assert!(log.append(&batch(4, &[(5, put("a", &"x".repeat(9_000)))])).unwrap());
        fill(&mut log, 5..6);
        assert!(!medium.log(STORE, 4).is_torn(), "what is whole, and zeros behind it");
        assert!(!medium.log(STORE, 6).is_torn(), "older batches");
        medium.write(3 * BLOCK as u64 + 58, &[0xff]).unwrap();
        let log = medium.log(STORE, 4);
        assert!(log.is_torn());
        assert_eq!(told(&log, 4), "4>5");
        medium.write(3 * BLOCK as u64, &[0; BLOCK]).unwrap();
        medium.write(BLOCK as u64, &[0; BLOCK]).unwrap();
        let log = medium.log(STORE, 4);
        assert!(log.is_torn(), "only its first block was written");
        assert_eq!(told(&log, 4), "");
    }

    #[test]
    fn a_log_that_was_cut_or_emptied_is_told() {
        let medium = Medium::new();
        assert!(medium.log(STORE, 4).is_strange(), "it has no length yet");
        let mut log = medium.ready(4);
        assert!(!medium.log(STORE, 4).is_strange(), "nothing was ever written");
        assert!(medium.log(STORE + 1, 4).is_strange(), "another store's");
        fill(&mut log, 4..6);
        assert!(!medium.log(STORE, 4).is_strange());
        assert!(!medium.log(STORE, 6).is_strange(), "older batches");
        medium.set_len(ROOM as u64 - 1).unwrap();
        assert!(medium.log(STORE, 4).is_strange(), "cut");
        medium.set_len(0).unwrap();
        assert!(medium.log(STORE, 4).is_strange(), "emptied");
        medium.set_len(ROOM as u64).unwrap();
        assert!(medium.log(STORE, 4).is_strange(), "overwritten");
        // The machine has stopped while it wrote the first batch.
        let mut log = medium.ready(4);
        fill(&mut log, 4..5);
        medium.write(58, &[0xff]).unwrap();
        let log = medium.log(STORE, 4);
        assert!(log.is_torn() && !log.is_strange());
    }

    #[test]
    fn a_log_that_is_full_or_new_has_no_room() {
        let medium = Medium::new();
        let mut log = medium.log(STORE, 4);
        assert!(!log.append(&batch(4, &[(5, put("a", "1"))])).unwrap(), "it has no length yet");
        log.clear();
        fill(&mut log, 4..20);
        assert!(!log.append(&batch(20, &[(21, put("a", "1"))])).unwrap());
        assert_eq!(told(&log, 4).split(' ').count(), 16);
        log.clear();
        assert!(!log.append(&batch(20, &[(21, put("a", &"x".repeat(ROOM)))])).unwrap());
        assert!(!log.append(&batch(20, &[(21, put(&"x".repeat(1 << 16), ""))])).unwrap());
        assert!(log.append(&batch(20, &[(21, put("a", "1"))])).unwrap());
        assert_eq!(told(&medium.log(STORE, 20), 20), "20>21");
    }
}
