//! The tables of the embedded store, and what is done to them within one transaction.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `records` | the record's key | version (8 octets), expiry in ms (8; all ones for none), CRC-32 of key and all else (4), value |
//! | `expiry` | expiry in ms, the record's key | nothing |
//! | `meta` | `format`, `revision`, `horizon` (of the clock in ms), `log` (the store's number in it) | a number |
//!
//! Numbers in `records` are big-endian. redb sums its pages too, but looks at the sums only when it recovers.

use super::{ahead::Ahead, expiry};
use crate::store::{
    Revision,
    cache::{Entry, Known},
};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use waxseal_core::{
    seam::{Range, Record, RecordKey, Version},
    time::UnixTime,
};

/// The layout described above. 1 was the same without a log, which a program that knows only 1 would leave out.
pub(super) const FORMAT: u64 = 2;

const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
const EXPIRY: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("expiry");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Why the tables could not be used.
#[derive(Debug)]
pub(super) enum TablesError {
    /// redb or the medium failed.
    Redb(redb::Error),
    /// The tables do not hold what they should.
    Damaged(String),
    /// A newer format.
    Newer(u64),
}

impl<E: Into<redb::Error>> From<E> for TablesError {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

/// One consistent state, to read from.
pub(super) struct Snapshot {
    records: redb::ReadOnlyTable<&'static str, &'static [u8]>,
    meta: redb::ReadOnlyTable<&'static str, u64>,
}

impl Snapshot {
    pub(super) fn new(transaction: &ReadTransaction) -> Result<Self, TablesError> {
        Ok(Self { records: transaction.open_table(RECORDS)?, meta: transaction.open_table(META)? })
    }

    /// Whether a store of this program is in there; redb's own tables do not tell.
    pub(super) fn check_format(transaction: &ReadTransaction) -> Result<(), TablesError> {
        let meta = match transaction.open_table(META) {
            Err(redb::TableError::Storage(error)) => return Err(error.into()),
            Err(_) => return Err(TablesError::Damaged("it is a database, but not a store of waxseal".into())),
            Ok(meta) => meta,
        };
        match meta.get("format")?.map(|format| format.value()) {
            Some(1..=FORMAT) => Ok(()),
            Some(newer) if newer > FORMAT => Err(TablesError::Newer(newer)),
            _ => Err(TablesError::Damaged("its format number is missing".into())),
        }?;
        transaction.open_table(EXPIRY)?;
        Self::new(transaction)?.revision().map(drop)
    }

    pub(super) fn revision(&self) -> Result<Revision, TablesError> {
        let revision = self.meta.get("revision")?.map(|revision| Revision(revision.value()));
        revision.ok_or_else(|| TablesError::Damaged("its revision is missing".into()))
    }

    /// How far time had come, see [`crate::horizon`]; `None` in a store that was never sealed.
    pub(super) fn horizon(&self) -> Result<Option<UnixTime>, TablesError> {
        Ok(self.meta.get("horizon")?.map(|millis| UnixTime::from_millis(millis.value())))
    }

    /// The store's number in its log; `None` in a store that never had one.
    pub(super) fn log(&self) -> Result<Option<u64>, TablesError> {
        Ok(self.meta.get("log")?.map(|number| number.value()))
    }

    /// The record under `key`, live or not.
    pub(super) fn entry(&self, key: &RecordKey) -> Result<Option<Entry>, TablesError> {
        self.records.get(key.as_str())?.map(|stored| decode(key.as_str(), stored.value())).transpose()
    }

    /// The live records of `range`, with `ahead` over what the tables have of it.
    pub(super) fn range(
        &self,
        range: &Range,
        ahead: &[(RecordKey, Known)],
        now: UnixTime,
    ) -> Result<Vec<(RecordKey, Record)>, TablesError> {
        let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        let wanted = |key: &str| key.starts_with(&range.prefix);
        let ahead = ahead.iter().map(|(key, known)| (key, known));
        self.walk(range.after.as_str().max(&range.prefix), wanted, ahead, |key, entry| {
            if key != range.after && entry.is_live(now) {
                let record = Record { version: entry.version, value: entry.value };
                found.push((RecordKey::from_stored(key.to_owned()), record));
            }
            Ok::<_, TablesError>(found.len() < limit)
        })?;
        Ok(found)
    }

    /// Shows every record, live or not, in key order to `visit`, with `ahead` over what the tables have, until it says `false`.
    pub(super) fn each<E: From<TablesError>>(
        &self,
        ahead: &Ahead,
        visit: impl FnMut(&str, Entry) -> Result<bool, E>,
    ) -> Result<(), E> {
        let Some(seen) = self.walk("", |_| true, ahead.records(), visit)? else { return Ok(()) };
        match self.records.len().map_err(TablesError::from)? {
            expected if expected == seen => Ok(()),
            expected => Err(TablesError::Damaged(format!("{seen} records of {expected} are left")).into()),
        }
    }

    /// Shows the records from `start` on, as long as they are `wanted`, until `visit` says `false`. How many of them the tables have;
    /// `None` if it said so.
    fn walk<'a, E: From<TablesError>>(
        &self,
        start: &str,
        wanted: impl Fn(&str) -> bool,
        ahead: impl Iterator<Item = (&'a RecordKey, &'a Known)>,
        mut visit: impl FnMut(&str, Entry) -> Result<bool, E>,
    ) -> Result<Option<u64>, E> {
        let (mut seen, mut ahead) = (0, ahead.peekable());
        for stored in self.records.range(start..).map_err(TablesError::from)? {
            let (key, stored) = stored.map_err(TablesError::from)?;
            let key = key.value();
            if !wanted(key) {
                break;
            }
            seen += 1;
            while let Some((earlier, known)) = ahead.next_if(|(ahead, _)| ahead.as_str() < key) {
                if let Some(entry) = known.entry()
                    && !visit(earlier.as_str(), entry.clone())?
                {
                    return Ok(None);
                }
            }
            let entry = match ahead.next_if(|(ahead, _)| ahead.as_str() == key) {
                Some((_, known)) => known.entry().cloned(),
                None => Some(decode(key, stored.value())?),
            };
            if let Some(entry) = entry
                && !visit(key, entry)?
            {
                return Ok(None);
            }
        }
        for (key, known) in ahead {
            if let Some(entry) = known.entry()
                && !visit(key.as_str(), entry.clone())?
            {
                return Ok(None);
            }
        }
        Ok(Some(seen))
    }
}

/// The tables within a write transaction.
pub(super) struct Tables<'t> {
    records: Table<'t, &'static str, &'static [u8]>,
    expiry: Table<'t, (u64, &'static str), ()>,
    meta: Table<'t, &'static str, u64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TablesError> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            expiry: transaction.open_table(EXPIRY)?,
            meta: transaction.open_table(META)?,
        })
    }

    /// Makes the tables of a new store.
    pub(super) fn create(transaction: &'t WriteTransaction) -> Result<Self, TablesError> {
        let mut tables = Self::open(transaction)?;
        tables.set_revision(Revision(0))?;
        Ok(tables)
    }

    /// Says that the store has a log, and its number in there.
    pub(super) fn set_log(&mut self, number: u64) -> Result<(), TablesError> {
        self.meta.insert("format", FORMAT)?;
        self.meta.insert("log", number)?;
        Ok(())
    }

    pub(super) fn set_revision(&mut self, revision: Revision) -> Result<(), TablesError> {
        self.meta.insert("revision", revision.0)?;
        Ok(())
    }

    pub(super) fn set_horizon(&mut self, horizon: UnixTime) -> Result<(), TablesError> {
        self.meta.insert("horizon", horizon.as_millis())?;
        Ok(())
    }

    /// Takes in what the log has beyond the tables.
    pub(super) fn take_in(&mut self, ahead: &Ahead) -> Result<(), TablesError> {
        for (key, known) in ahead.records() {
            match known.entry() {
                Some(Entry { version, expires, value }) => self.put(key.as_str(), *version, *expires, value)?,
                None => self.remove(key.as_str())?,
            }
        }
        Ok(())
    }

    pub(super) fn put(
        &mut self,
        key: &str,
        version: Version,
        expires: Option<UnixTime>,
        value: &[u8],
    ) -> Result<(), TablesError> {
        let stored = encode(key, version, expires, value);
        let old = self.records.insert(key, stored.as_slice())?.and_then(|old| expiry_of(old.value()));
        let new = expires.map(UnixTime::as_millis);
        if old != new {
            if let Some(old) = old {
                self.expiry.remove((old, key))?;
            }
            if let Some(new) = new {
                self.expiry.insert((new, key), ())?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), TablesError> {
        if let Some(expires) = self.records.remove(key)?.and_then(|old| expiry_of(old.value())) {
            self.expiry.remove((expires, key))?;
        }
        Ok(())
    }

    /// Deletes at most `limit` records that have expired before `horizon`, longest ago first; returns the keys that it looked at.
    pub(super) fn purge(&mut self, horizon: UnixTime, limit: usize) -> Result<Vec<RecordKey>, TablesError> {
        let mut due: Vec<(u64, String)> = Vec::new();
        for entry in self.expiry.range(..=(horizon.as_millis(), ""))?.take(limit) {
            let entry = entry?.0;
            let (expires, key) = entry.value();
            due.push((expires, key.to_owned()));
        }
        // The bound above leaves out what expires in this very millisecond; it is purged in the next.
        for (expires, key) in &due {
            self.expiry.remove((*expires, key.as_str()))?;
            let same = |stored: &[u8]| expiry_of(stored) == Some(*expires);
            if self.records.get(key.as_str())?.is_some_and(|stored| same(stored.value())) {
                self.records.remove(key.as_str())?;
            }
        }
        Ok(due.into_iter().map(|(_, key)| RecordKey::from_stored(key)).collect())
    }
}

const HEAD: usize = 20;

fn encode(key: &str, version: Version, expires: Option<UnixTime>, value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(HEAD + value.len());
    stored.extend(version.0.to_be_bytes());
    stored.extend(expiry::to_octets(expires));
    stored.extend(sum(key, &stored, value).to_be_bytes());
    stored.extend(value);
    stored
}

fn decode(key: &str, stored: &[u8]) -> Result<Entry, TablesError> {
    let parts = stored.split_first_chunk::<8>().and_then(|(version, rest)| {
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (crc, value) = rest.split_first_chunk::<4>()?;
        (sum(key, &stored[..16], value) == u32::from_be_bytes(*crc)).then_some((version, expires, value))
    });
    let Some((version, expires, value)) = parts else {
        return Err(TablesError::Damaged(format!("the checksum of record `{}` does not fit", key.escape_debug())));
    };
    Ok(Entry {
        version: Version(u64::from_be_bytes(*version)),
        expires: expiry::from_octets(*expires),
        value: value.to_vec(),
    })
}

/// When the record expires, in milliseconds.
fn expiry_of(stored: &[u8]) -> Option<u64> {
    expiry::from_octets(*stored.get(8..)?.first_chunk()?).map(UnixTime::as_millis)
}

fn sum(key: &str, head: &[u8], value: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key.as_bytes());
    crc.update(head);
    crc.update(value);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_stored() {
        for expires in [None, Some(UnixTime::from_millis(0)), Some(UnixTime::from_millis(1_234))] {
            let stored = encode("user/a", Version(7), expires, b"value");
            let entry = decode("user/a", &stored).unwrap();
            assert_eq!(entry, Entry { version: Version(7), expires, value: b"value".to_vec() });
        }
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let stored = encode("user/a", Version(7), None, b"value");
        assert!(decode("user/b", &stored).is_err());
        for bit in 0..stored.len() * 8 {
            let mut changed = stored.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(decode("user/a", &changed).is_err(), "bit {bit}");
        }
        for len in 0..stored.len() {
            assert!(decode("user/a", &stored[..len]).is_err(), "length {len}");
        }
    }
}
