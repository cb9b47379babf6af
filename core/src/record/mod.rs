//! What is stored: one type per kind of record, its key and its encoding.
//!
//! Every value starts with one octet, the format version of its kind, followed by the `postcard` encoding of the type of that
//! version. A new version keeps the old type and says in [`Stored::migrate`] how it becomes the new one; records are rewritten
//! in the new form whenever they change.

mod attempts;
mod authorization;
mod cluster;
pub mod key;
mod pair;
mod schemes;
mod signing_key;
mod user;

pub use attempts::{Attempts, Lock, Seen};
pub use authorization::{Authorization, AuthorizationAt, RevokedEverything, Scope, SshKey, SshKeys};
pub use cluster::Cluster;
pub use pair::{Pair, PairId, PairOf};
pub use schemes::Schemes;
pub use signing_key::{KeyState, SigningKey};
pub use user::{Admins, LastUid, Role, Uid, User};

use crate::{
    refusal::Refusal,
    seam::{Key, Op, Record, Stop},
    time::UnixTime,
};
use alloc::vec::Vec;
use serde::{Serialize, de::DeserializeOwned};

/// A kind of record.
pub trait Stored: Serialize + DeserializeOwned {
    /// The format version this code writes.
    const VERSION: u8;

    /// Reads a value of an older format version.
    fn migrate(_version: u8, _body: &[u8]) -> Option<Self> {
        None
    }

    /// The stored form.
    fn encode(&self) -> Vec<u8> {
        // Serialising to a growing vector fails only for types without a length, and no record holds one.
        postcard::to_extend(self, alloc::vec![Self::VERSION]).unwrap_or_default()
    }

    /// From the stored form.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when it is of an unknown version, damaged, or followed by anything.
    fn decode(value: &[u8]) -> Result<Self, Refusal> {
        let (version, body) = value.split_first().ok_or(Refusal::BadRecord)?;
        if *version != Self::VERSION {
            return Self::migrate(*version, body).ok_or(Refusal::BadRecord);
        }
        match postcard::take_from_bytes(body) {
            Ok((decoded, [])) => Ok(decoded),
            _ => Err(Refusal::BadRecord),
        }
    }

    /// From a record as it was read.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`], see [`Stored::decode`].
    fn of(record: &Record) -> Result<Self, Refusal> {
        Self::decode(&record.value)
    }
}

/// Reading and writing typed records.
impl Op<'_> {
    /// The record of type `T` under `key`, `None` if there is none.
    ///
    /// # Errors
    /// [`Stop::Need`] until it has been read; [`Refusal::BadRecord`] when it cannot be decoded.
    pub(crate) fn load<T: Stored>(&self, key: &Key) -> Result<Option<T>, Stop> {
        Ok(self.read(key)?.map(T::of).transpose()?)
    }

    /// Stores a record without expiry.
    pub(crate) fn store<T: Stored>(&self, key: Key, record: &T) {
        self.put(key, record.encode(), None);
    }

    /// Stores a record that the store may drop at `expires`.
    pub(crate) fn store_until<T: Stored>(&self, key: Key, record: &T, expires: UnixTime) {
        self.put(key, record.encode(), Some(expires));
    }
}
