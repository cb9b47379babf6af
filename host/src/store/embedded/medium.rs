//! What lies between redb and the disk, so that a failing disk costs writes but neither reads nor truth.
//!
//! After the first I/O error redb refuses everything, reads too, until it is opened again; and opening writes. So each opening
//! of redb gets a [`Session`] of its own on the one medium, of one of two kinds:
//!
//! - *direct*: reads and writes go to the medium;
//! - *shadow*: reads come from the medium, writes stay in memory. redb can recover and serve reads while the disk takes none.
//!
//! INVARIANT: only the newest session touches the medium; every other one fails from the moment a newer one begins.
//! INVARIANT: a session starts at the newest header that was synced whole. redb publishes a commit by its header, so a commit
//! whose sync has failed is taken back, whether or not its bytes have reached the disk.

use crate::sync;
use core::ops::Bound;
use redb::{BackendError, StorageBackend};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard},
};

/// The file, or whatever stands for it.
#[derive(Debug)]
pub(super) struct Medium {
    backend: Box<dyn StorageBackend>,
    /// The number of the newest session.
    newest: RwLock<u64>,
    header: Mutex<Header>,
    /// What the medium said last when it failed, as redb does not always pass it on.
    failure: Mutex<Option<(io::ErrorKind, String)>>,
}

#[derive(Debug)]
struct Header {
    written: [u8; HEADER],
    synced: [u8; HEADER],
}

/// What one opening of redb sees.
#[derive(Debug)]
pub(super) struct Session {
    medium: Arc<Medium>,
    number: u64,
    shadow: Option<Mutex<Shadow>>,
}

/// Blocks that differ from the medium.
#[derive(Debug)]
struct Shadow {
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
    len: u64,
}

impl Medium {
    /// Takes the medium over and locks it against other processes, where it can be locked; `None` if another one has it.
    pub(super) fn lock(backend: Box<dyn StorageBackend>) -> io::Result<Option<Arc<Self>>> {
        match backend.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
            Ok(true) | Err(BackendError::Unsupported) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let mut header = [0; HEADER];
        if backend.len()? >= HEADER as u64 {
            backend.read(0, &mut header)?;
        }
        let header = Mutex::new(Header { written: header, synced: header });
        Ok(Some(Arc::new(Self { backend, newest: RwLock::new(0), header, failure: Mutex::default() })))
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    /// Begins a session that writes to the medium, after taking back what the last one has not synced.
    pub(super) fn direct(self: &Arc<Self>) -> io::Result<Session> {
        let mut newest = sync::write(&self.newest);
        *newest += 1;
        let mut header = self.header();
        if header.written != header.synced {
            self.backend.write(0, &header.synced)?;
            header.written = header.synced;
        }
        Ok(Session { medium: Arc::clone(self), number: *newest, shadow: None })
    }

    /// Begins a session that leaves the medium as it is.
    pub(super) fn shadow(self: &Arc<Self>) -> io::Result<Session> {
        let mut newest = sync::write(&self.newest);
        *newest += 1;
        let mut shadow = Shadow { blocks: BTreeMap::new(), len: self.backend.len()? };
        shadow.write(0, &self.header().synced, &*self.backend)?;
        Ok(Session { medium: Arc::clone(self), number: *newest, shadow: Some(Mutex::new(shadow)) })
    }

    /// What the medium said when it failed last.
    pub(super) fn take_failure(&self) -> Option<(io::ErrorKind, String)> {
        sync::lock(&self.failure).take()
    }

    fn header(&self) -> MutexGuard<'_, Header> {
        sync::lock(&self.header)
    }

    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            *sync::lock(&self.failure) = Some((error.kind(), error.to_string()));
        }
        result
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        // Gives the lock back. There is nobody left to tell of an error.
        let _ = self.backend.close();
    }
}

impl Session {
    /// Holds off the next session until the access is over.
    fn enter(&self) -> io::Result<RwLockReadGuard<'_, u64>> {
        let newest = sync::read(&self.medium.newest);
        if *newest == self.number { Ok(newest) } else { Err(io::Error::other("superseded by a newer session")) }
    }
}

impl StorageBackend for Session {
    fn len(&self) -> io::Result<u64> {
        let _turn = self.enter()?;
        match &self.shadow {
            Some(shadow) => Ok(sync::lock(shadow).len),
            None => self.medium.noted(self.medium.backend.len()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let _turn = self.enter()?;
        self.medium.noted(match &self.shadow {
            Some(shadow) => sync::lock(shadow).read(offset, out, &*self.medium.backend),
            None => self.medium.backend.read(offset, out),
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let _turn = self.enter()?;
        match &self.shadow {
            Some(shadow) => sync::lock(shadow).len = len,
            None => self.medium.noted(self.medium.backend.set_len(len))?,
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let _turn = self.enter()?;
        if self.shadow.is_none() {
            // Taken before the sync: what is written during it may miss it.
            let written = self.medium.header().written;
            self.medium.noted(self.medium.backend.sync_data())?;
            self.medium.header().synced = written;
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let _turn = self.enter()?;
        if let Some(shadow) = &self.shadow {
            return sync::lock(shadow).write(offset, data, &*self.medium.backend);
        }
        if let Ok(start @ 0..HEADER) = usize::try_from(offset) {
            // Before the write, as a failing one may have gone half way.
            self.medium.header().written[start..].iter_mut().zip(data).for_each(|(to, from)| *to = *from);
        }
        self.medium.noted(self.medium.backend.write(offset, data))
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        // The medium is locked as a whole, for longer than any session.
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

impl Shadow {
    fn read(&self, offset: u64, out: &mut [u8], below: &dyn StorageBackend) -> io::Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read_below(offset, out, below)?;
        for (start, piece) in pieces(offset, out.len()) {
            if let Some(block) = self.blocks.get(&start) {
                let (within, place) = piece.places(offset);
                out[place].copy_from_slice(&block[within]);
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, data: &[u8], below: &dyn StorageBackend) -> io::Result<()> {
        for (start, piece) in pieces(offset, data.len()) {
            let block = match self.blocks.entry(start) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let mut block = Box::new([0; BLOCK]);
                    read_below(start, &mut *block, below)?;
                    new.insert(block)
                }
            };
            let (within, place) = piece.places(offset);
            block[within].copy_from_slice(&data[place]);
        }
        self.len = self.len.max(offset + data.len() as u64);
        Ok(())
    }
}

/// Reads what the medium has, and zeros behind its end.
fn read_below(offset: u64, out: &mut [u8], below: &dyn StorageBackend) -> io::Result<()> {
    let there = usize::try_from(below.len()?.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
    let (stored, beyond) = out.split_at_mut(there);
    beyond.fill(0);
    if stored.is_empty() { Ok(()) } else { below.read(offset, stored) }
}

/// The part of one block that an access covers, as offsets into the medium.
struct Piece {
    block: u64,
    from: u64,
    to: u64,
}

impl Piece {
    /// Where the piece is within its block, and within an access that begins at `offset`.
    #[expect(clippy::cast_possible_truncation, reason = "both are within a buffer in memory")]
    fn places(&self, offset: u64) -> (core::ops::Range<usize>, core::ops::Range<usize>) {
        let relative = |base: u64| (self.from - base) as usize..(self.to - base) as usize;
        (relative(self.block), relative(offset))
    }
}

/// The blocks that `len` octets from `offset` touch.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, Piece)> {
    let end = offset + len as u64;
    let first = offset - offset % BLOCK as u64;
    (first..end).step_by(BLOCK).map(move |block| {
        let piece = Piece { block, from: block.max(offset), to: (block + BLOCK as u64).min(end) };
        (block, piece)
    })
}

/// As much of the file's start as redb writes when it publishes a commit: magic, flags and both commit slots.
const HEADER: usize = 320;

/// The grain of a shadow; redb's page size.
const BLOCK: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    fn medium(content: &[u8]) -> Arc<Medium> {
        let backend = InMemoryBackend::new();
        backend.set_len(content.len() as u64).unwrap();
        backend.write(0, content).unwrap();
        Medium::lock(Box::new(backend)).unwrap().unwrap()
    }

    fn read(session: &Session, offset: u64, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        session.read(offset, &mut out).unwrap();
        out
    }

    #[test]
    fn a_shadow_shows_its_writes_and_keeps_them() {
        let medium = medium(&[7; 10_000]);
        let shadow = medium.shadow().unwrap();
        shadow.write(4_000, &[1; 5_000]).unwrap();
        shadow.set_len(12_000).unwrap();
        shadow.write(11_999, &[2]).unwrap();
        assert_eq!(read(&shadow, 3_999, 3), [7, 1, 1]);
        assert_eq!(read(&shadow, 8_999, 2), [1, 7]);
        assert_eq!(read(&shadow, 9_999, 2), [7, 0]);
        assert_eq!(read(&shadow, 11_998, 2), [0, 2]);
        assert!(shadow.read(11_999, &mut [0; 2]).is_err());
        let direct = medium.direct().unwrap();
        assert_eq!(read(&direct, 0, 10_000), [7; 10_000]);
    }

    #[test]
    fn only_the_newest_session_works() {
        let medium = medium(&[7; 1_000]);
        let first = medium.direct().unwrap();
        let shadow = medium.shadow().unwrap();
        assert!(first.write(0, &[1]).is_err());
        assert!(first.sync_data().is_err());
        let second = medium.direct().unwrap();
        assert!(shadow.read(0, &mut [0]).is_err());
        assert!(shadow.len().is_err());
        second.write(0, &[1]).unwrap();
        assert_eq!(read(&second, 0, 2), [1, 7]);
    }

    #[test]
    fn a_header_that_was_not_synced_is_taken_back() {
        let medium = medium(&[7; 1_000]);
        let first = medium.direct().unwrap();
        first.write(0, &[1; 400]).unwrap();
        first.sync_data().unwrap();
        first.write(9, &[2; 5]).unwrap();
        assert_eq!(read(&medium.shadow().unwrap(), 8, 7), [1; 7]);
        assert_eq!(read(&medium.direct().unwrap(), 8, 7), [1; 7]);
    }
}
