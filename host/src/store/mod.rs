//! Where the server keeps its records: versioned, written in all-or-nothing commits, watched by revision.
//!
//! The public interface is: the trait [`Store`], the embedded default [`Embedded`], and [`Memory`] for tests and benchmarks.
//!
//! INVARIANT: once a commit is acknowledged, every read that starts later sees it, through whatever cache.
//! INVARIANT: a commit that was refused is never seen, neither whole nor in part.

mod cache;
#[cfg(test)]
mod conforms;
mod embedded;
mod error;
mod journal;
mod measured;
mod memory;
mod reply;

pub use embedded::{Embedded, LostFile};
pub use error::StoreError;
pub use journal::{Change, Watch};
pub use measured::Measured;
pub use memory::Memory;
pub use reply::Reply;

use core::ops::Bound;
use waxseal_core::seam::{Commit, Range, Record, RecordKey, Version};

/// The number of a commit; rises with every one. The versions of the records are revisions.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Revision(pub u64);

impl From<Revision> for Version {
    fn from(revision: Revision) -> Self {
        Self(revision.0)
    }
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Committed {
    /// It holds, durably, and the records written are at this revision. A commit without writes stays at the present one.
    At(Revision),
    /// A check or an expectation did not hold; nothing was written. The caller starts over with fresh reads.
    Conflict,
}

/// A store of versioned records. Few verbs, so that a distributed engine fits behind them.
///
/// A record past its expiry reads as absent and counts as absent in checks; it is purged later, never earlier.
pub trait Store: Send + Sync + 'static {
    /// The records under `keys`, in their order; `None` where there is none. Not a snapshot: each record is the newest under its own
    /// key; what has to hold together is made to by the checks of the commit.
    ///
    /// An implementation that has the answer at hand returns [`Reply::Ready`], which costs no allocation to await.
    fn get(&self, keys: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>>;

    /// The live records of `range`, in key order, from one snapshot.
    fn range(&self, range: &Range) -> Reply<'_, Vec<(RecordKey, Record)>>;

    /// Checks every condition, then writes everything: all or nothing, synced to disk before the answer.
    ///
    /// Starts at the call, not at the first poll; dropping the reply does not undo it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] and [`StoreError::Full`] promise that nothing was written. After [`StoreError::Unavailable`] this
    /// process shows nothing of the commit for now; once it has recovered, or another has opened the store, it may turn out to hold.
    fn commit(&self, commit: Commit) -> Reply<'_, Committed>;

    /// The changes later than `after`, as they are acknowledged.
    fn watch(&self, after: Revision) -> Watch;

    /// The revision of the newest commit.
    fn revision(&self) -> Revision;
}

/// Where among the keys a page of `range` begins.
fn start_of(Range { prefix, after, .. }: &Range) -> Bound<RecordKey> {
    if after < prefix {
        Bound::Included(RecordKey::from_stored(prefix.clone()))
    } else {
        Bound::Excluded(RecordKey::from_stored(after.clone()))
    }
}
