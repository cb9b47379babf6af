//! The records of the trail as lines, each chained to the one before.

use crate::text::{harmless, hex};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io;
use waxseal_core::seam::Event;

/// A place in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) n: u64,
    pub(super) hash: Hash,
}

pub(super) type Hash = [u8; 32];

impl Link {
    pub(super) const START: Self = Self { n: 0, hash: [0; 32] };

    /// The line of the next record, with its LF, and its place.
    pub(super) fn append(self, record: &Record<'_>) -> io::Result<(Vec<u8>, Self)> {
        let n = self.n + 1;
        let mut line = harmless(&serde_json::to_string(&Numbered { n, record })?).into_owned().into_bytes();
        line.pop();
        let hash = digest(&[&self.hash, &line]);
        line.extend_from_slice(HASH);
        line.extend_from_slice(hex::text(&hash).as_bytes());
        line.extend_from_slice(b"\"}\n");
        Ok((line, Self { n, hash }))
    }
}

/// What stands between a record and its hash.
const HASH: &[u8] = b",\"hash\":\"";

#[derive(Serialize)]
struct Numbered<'a> {
    n: u64,
    #[serde(flatten)]
    record: &'a Record<'a>,
}

/// One record. Whatever a user sent, it is one line, without what would act on a terminal or deceive a reader.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Record<'a> {
    Event {
        time: String,
        request: String,
        source: Option<IpAddr>,
        #[serde(flatten)]
        event: &'a Event,
    },
    /// The file was opened; `prev` is the hash that the chain goes on from.
    Open { time: String, action: &'static str, prev: String },
    /// What wrote the records before it was not stopped in order: the last of them may never have got here.
    Unclean { time: String, action: &'static str },
    /// The head was missing when the file was opened: whether records were cut off before this one, nobody can tell.
    Headless { time: String, action: &'static str },
    /// What stands between the last record and this one was torn by a crash; its digest and length.
    Repair { time: String, action: &'static str, torn: String, octets: usize },
    /// So many records before this one were lost.
    Lost { time: String, action: &'static str, count: u64 },
}

pub(super) const OPEN: &str = "audit.open";
pub(super) const UNCLEAN: &str = "audit.unclean";
pub(super) const HEADLESS: &str = "audit.headless";
pub(super) const REPAIR: &str = "audit.repair";
pub(super) const LOST: &str = "audit.lost";

/// A line that looks like a record.
pub(super) struct Line<'a> {
    /// What the hash covers besides the one before.
    pub(super) content: &'a [u8],
    pub(super) hash: Hash,
    pub(super) fields: Fields,
}

/// What a check needs to know of a record.
#[derive(Deserialize)]
pub(super) struct Fields {
    pub(super) n: u64,
    pub(super) action: String,
    #[serde(default)]
    pub(super) prev: String,
    #[serde(default)]
    pub(super) torn: String,
    #[serde(default)]
    pub(super) count: u64,
}

impl<'a> Line<'a> {
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let json = line.strip_suffix(b"\n")?;
        let (content, rest) = json.split_at_checked(json.len().checked_sub(HASH.len() + 64 + 2)?)?;
        let hash = hex::digest(rest.strip_prefix(HASH)?.strip_suffix(b"\"}")?)?;
        Some(Self { content, hash, fields: serde_json::from_slice(json).ok()? })
    }

    pub(super) fn link(&self) -> Link {
        Link { n: self.fields.n, hash: self.hash }
    }
}

pub(super) fn digest(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}
