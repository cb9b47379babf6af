//! How a store is opened: redb's file first, then what the log has beyond it.

use super::{
    file,
    medium::Medium,
    tables::{Snapshot, Tables, TablesError},
};
use crate::store::{Revision, StoreError};
use redb::{Database, ReadableDatabase};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

pub(super) fn open_database(medium: &Arc<Medium>, writable: bool, verify: bool) -> Result<Database, TablesError> {
    let session = if writable { medium.direct() } else { medium.shadow() }.map_err(redb::Error::Io)?;
    unpanicked(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(PAGE_CACHE).set_check_integrity_on_open(verify);
        Ok(builder.create_with_backend(session)?)
    })
}

/// A database, and whether all of it was looked at.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) verified: bool,
}

pub(super) fn create_database(medium: &Arc<Medium>) -> Result<Opened, TablesError> {
    let database = open_database(medium, true, false)?;
    let transaction = database.begin_write()?;
    drop(Tables::create(&transaction)?);
    transaction.commit()?;
    give_log(&database)?;
    Ok(Opened { database, verified: true })
}

/// Unless `writable`, the medium stays as it is, and what recovery has to write is kept in memory.
pub(super) fn open_existing(medium: &Arc<Medium>, path: &Path, writable: bool) -> Result<Opened, StoreError> {
    let len = medium.len().map_err(|error| file::trouble(path, &error))?;
    if len == 0 {
        return Err(StoreError::Corrupt { path: path.into(), reason: "it is empty".into() });
    }
    let verified = len <= VERIFIED_AT_OPEN;
    let opened = open_database(medium, writable, verified).and_then(|database| {
        unpanicked(|| Snapshot::check_format(&database.begin_read()?))?;
        Ok(Opened { database, verified })
    });
    opened.map_err(|error| explain(medium, path, error))
}

/// Numbers the store, so that no other one's log is taken for its own.
pub(super) fn give_log(database: &Database) -> Result<u64, TablesError> {
    let number = getrandom::u64().map_err(|error| redb::Error::Io(io::Error::other(error)))?;
    let transaction = database.begin_write()?;
    Tables::open(&transaction)?.set_log(number)?;
    transaction.commit()?;
    Ok(number)
}

pub(super) fn revision(database: &Database) -> Result<Revision, TablesError> {
    Snapshot::new(&database.begin_read()?)?.revision()
}

/// Runs `run`, and makes an error of a panic, which a damaged file can cause in redb.
pub(super) fn unpanicked<T>(run: impl FnOnce() -> Result<T, TablesError>) -> Result<T, TablesError> {
    // Whatever `run` has touched is dropped by the caller when this fails.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(TablesError::Damaged("its pages do not fit together".into())))
}

pub(super) fn explain(medium: &Medium, path: &Path, error: TablesError) -> StoreError {
    let corrupt = |reason: String| StoreError::Corrupt { path: path.into(), reason };
    let failure = medium.take_failure();
    match error {
        TablesError::Damaged(reason) | TablesError::Redb(redb::Error::Corrupted(reason)) => corrupt(reason),
        TablesError::Newer(format) => StoreError::Newer { path: path.into(), format },
        TablesError::Redb(redb::Error::UpgradeRequired(version)) => {
            corrupt(format!("it has the unknown file format {version}"))
        }
        TablesError::Redb(redb::Error::Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData => corrupt(error.to_string()),
            io::ErrorKind::UnexpectedEof => corrupt("it is cut short".into()),
            _ => file::trouble(path, &error),
        },
        TablesError::Redb(other) => match failure {
            Some((kind, text)) => file::trouble(path, &io::Error::new(kind, text)),
            None => StoreError::Unavailable(other.to_string()),
        },
    }
}

/// redb's cache of pages, in octets.
const PAGE_CACHE: usize = 8 << 20;

/// How large a file may be to be verified before it is used: about 1 ms for each MB.
const VERIFIED_AT_OPEN: u64 = 16 << 20;
