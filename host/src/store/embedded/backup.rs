//! Backups: all live records of one moment in one plain file.
//!
//! ```text
//! "waxseal backup 1\n"                                17 octets
//! revision                                             u64
//! horizon of the clock in ms                           u64
//! for each record, in key order:
//!   length of the key (at least 1), of the value       u16, u32
//!   version, expiry in ms (all ones for none)          u64, u64
//!   key, value
//! 0, number of records                                 u16, u64
//! SHA-256 of everything above                          32 octets
//! ```
//! Numbers are big-endian. The file holds what the store holds, password hashes too, and nothing that the store does not.

use super::{
    FILE_NAME,
    ahead::Ahead,
    expiry,
    file::{self, Fresh},
    log,
    tables::{Snapshot, Tables, TablesError},
};
use crate::{
    files::hashing::Hashing,
    store::{Revision, StoreError, cache::Entry},
};
use redb::ReadableDatabase;
use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use waxseal_core::{seam::Version, time::UnixTime};

const MAGIC: &[u8; 17] = b"waxseal backup 1\n";

/// Writes what is live at `horizon`, in `snapshot` with `ahead` over it, to `to`. The outer error is the store's, the inner one the
/// backup's.
pub(super) fn write(
    (snapshot, ahead): (&Snapshot, &Ahead),
    horizon: UnixTime,
    to: &Path,
) -> Result<Result<Revision, StoreError>, TablesError> {
    let draft = draft(to);
    let written = write_draft((snapshot, ahead), horizon, &draft).and_then(|revision| {
        file::rename(&draft, to)?;
        Ok(revision)
    });
    written.map(Ok).or_else(|stop| {
        // At worst it stays, under a name that says what it is.
        let _ = fs::remove_file(&draft);
        match stop {
            Stop::Store(error) => Err(error),
            Stop::File(error) => Ok(Err(file::trouble(to, &error))),
        }
    })
}

/// What `to` is called while it is not complete.
pub(super) fn draft(to: &Path) -> PathBuf {
    let mut draft = OsString::from(to);
    draft.push(".partial");
    draft.into()
}

enum Stop {
    Store(TablesError),
    File(io::Error),
}

impl From<TablesError> for Stop {
    fn from(error: TablesError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

fn write_draft((snapshot, ahead): (&Snapshot, &Ahead), horizon: UnixTime, draft: &Path) -> Result<Revision, Stop> {
    let _ = fs::remove_file(draft);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let mut out = Hashing::new(BufWriter::new(file));
    let revision = snapshot.revision()?;
    let revision = ahead.revision().unwrap_or(revision);
    out.write_all(MAGIC)?;
    out.write_all(&revision.0.to_be_bytes())?;
    out.write_all(&horizon.as_millis().to_be_bytes())?;
    let mut count = 0_u64;
    snapshot.each(ahead, |key, entry| {
        if entry.is_live(horizon) {
            write_entry(&mut out, key, &entry)?;
            count += 1;
        }
        Ok::<_, Stop>(true)
    })?;
    out.write_all(&0_u16.to_be_bytes())?;
    out.write_all(&count.to_be_bytes())?;
    let (mut out, sum) = out.finish();
    out.write_all(&sum)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(revision)
}

fn write_entry(out: &mut impl Write, key: &str, entry: &Entry) -> io::Result<()> {
    let too_long = |_| io::Error::from(io::ErrorKind::FileTooLarge);
    out.write_all(&u16::try_from(key.len()).map_err(too_long)?.to_be_bytes())?;
    out.write_all(&u32::try_from(entry.value.len()).map_err(too_long)?.to_be_bytes())?;
    out.write_all(&entry.version.0.to_be_bytes())?;
    out.write_all(&expiry::to_octets(entry.expires))?;
    out.write_all(key.as_bytes())?;
    out.write_all(&entry.value)
}

/// Makes a store in `data`, where there is none yet and no log of one, from `backup`, which is the whole or a part of the file `from`.
pub(super) fn restore(backup: impl Read, from: &Path, data: &Path) -> Result<Revision, StoreError> {
    let store = data.join(FILE_NAME);
    for there in [store.with_extension(super::LOG_EXTENSION), store] {
        match there.try_exists() {
            Ok(false) => {}
            Ok(true) => return Err(StoreError::Occupied(there)),
            Err(error) => return Err(file::trouble(&there, &error)),
        }
    }
    let fresh = Fresh::create(data)?;
    let filled = fill(&fresh, backup).map_err(|stop| match stop {
        Bad::Backup(reason) => StoreError::BadBackup { path: from.into(), reason: reason.into() },
        Bad::Read(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            StoreError::BadBackup { path: from.into(), reason: "it is cut short".into() }
        }
        Bad::Read(error) => file::trouble(from, &error),
        Bad::Store(error) => super::explain(&fresh.medium, &data.join(FILE_NAME), error),
    });
    match filled {
        Ok((revision, number)) => {
            // Keeps the lock: a server that starts meanwhile would make a log of its own.
            let _held = Arc::clone(&fresh.medium);
            fresh.publish()?;
            let store = data.join(FILE_NAME);
            let log = store.with_extension(super::LOG_EXTENSION);
            begin_log(&log, number).map(|()| revision).inspect_err(|_| {
                // They would be in the way of the next try.
                for made in [log, store] {
                    let _ = fs::remove_file(made);
                }
            })
        }
        Err(error) => {
            fresh.discard();
            Err(error)
        }
    }
}

/// Makes the log of the store with this number, without a batch: a store whose log is missing or strange passes for one that may lack
/// something, and this one lacks nothing.
fn begin_log(path: &Path, number: u64) -> Result<(), StoreError> {
    let (medium, _) = file::log(path)?;
    log::prepare(&*medium, number).map_err(|error| file::trouble(path, &error))
}

enum Bad {
    Backup(&'static str),
    Read(io::Error),
    Store(TablesError),
}

impl<E: Into<TablesError>> From<E> for Bad {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

/// Writes the records into a new store as they come; it gets its name only if they were the right ones. Returns its number in its log, too.
fn fill(fresh: &Fresh, backup: impl Read) -> Result<(Revision, u64), Bad> {
    let database = super::create_database(&fresh.medium)?.database;
    let transaction = database.begin_write()?;
    let mut tables = Tables::open(&transaction)?;
    let mut input = Hashing::new(BufReader::new(backup));
    if input.octets::<17>()? != *MAGIC {
        return Err(Bad::Backup("it is no backup of a format known here"));
    }
    let revision = Revision(input.number()?);
    let horizon = UnixTime::from_millis(input.number()?);
    let (mut count, mut last) = (0_u64, String::new());
    loop {
        let key_len = u16::from_be_bytes(input.octets()?);
        if key_len == 0 {
            break;
        }
        let value_len = u32::from_be_bytes(input.octets()?);
        let (version, expires) = (Version(input.number()?), expiry::from_octets(input.octets()?));
        let key = String::from_utf8(input.long(key_len.into())?).map_err(|_| Bad::Backup("a key is not text"))?;
        let value = input.long(value_len)?;
        if key <= last || version > revision.into() {
            return Err(Bad::Backup("its records are out of order"));
        }
        tables.put(&key, version, expires, &value)?;
        (count, last) = (count + 1, key);
    }
    if input.number()? != count {
        return Err(Bad::Backup("records are missing"));
    }
    let (mut input, sum) = input.finish();
    let mut expected = [0; 32];
    input.read_exact(&mut expected).map_err(Bad::Read)?;
    if sum != expected {
        return Err(Bad::Backup("its checksum does not fit"));
    }
    if input.read(&mut [0]).map_err(Bad::Read)? != 0 {
        return Err(Bad::Backup("something follows its end"));
    }
    tables.set_revision(revision)?;
    tables.set_horizon(horizon)?;
    drop(tables);
    transaction.commit()?;
    let number = Snapshot::new(&database.begin_read()?)?.log()?;
    let number = number.ok_or_else(|| TablesError::Damaged("its number is missing".into())).map_err(Bad::Store)?;
    Ok((revision, number))
}

impl<T: Read> Hashing<T> {
    fn octets<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let mut octets = [0; N];
        self.read_exact(&mut octets).map_err(Bad::Read)?;
        Ok(octets)
    }

    fn number(&mut self) -> Result<u64, Bad> {
        self.octets().map(u64::from_be_bytes)
    }

    /// Grows with what is there, not with what a damaged length says.
    fn long(&mut self, len: u32) -> Result<Vec<u8>, Bad> {
        let mut bytes = Vec::new();
        let read = self.by_ref().take(len.into()).read_to_end(&mut bytes).map_err(Bad::Read)?;
        if u32::try_from(read) != Ok(len) {
            return Err(Bad::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Embedded, LOG_STRANGE};
    use crate::store::{
        Store,
        conforms::{put, show, writes},
    };
    use std::{fs, sync::Arc};

    /// It lacks nothing; what its log loses later is told all the same.
    #[test]
    fn a_restored_store_has_a_log_that_can_be_missed() {
        let home = tempfile::tempdir().unwrap();
        let [data, backup, new] = ["data", "backup", "new"].map(|name| home.path().join(name));
        let store = Embedded::open(&data, Arc::default()).unwrap();
        store.commit(writes([put("a", "1")])).wait().unwrap();
        store.backup(&backup).unwrap();
        Embedded::restore(fs::File::open(&backup).unwrap(), &backup, &new).unwrap();
        let doubts = || Embedded::look(&new, Arc::default()).unwrap().doubts().to_vec();
        assert!(doubts().is_empty(), "{:?}", doubts());
        let log = fs::read(new.join("store.log")).unwrap();
        fs::write(new.join("store.log"), "").unwrap();
        assert_eq!(doubts(), [LOG_STRANGE]);
        fs::write(new.join("store.log"), log).unwrap();
        let restored = Embedded::open(&new, Arc::default()).unwrap();
        assert!(restored.doubts().is_empty());
        restored.commit(writes([put("b", "2")])).wait().unwrap();
        assert_eq!(show(&restored, &["a", "b"]), "a@1=1 b@2=2");
    }
}
