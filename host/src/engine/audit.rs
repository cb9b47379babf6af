//! Where audit records go.

use crate::request_id::RequestId;
use core::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};
use std::sync::Arc;
use waxseal_core::{seam::Event, time::UnixTime};

/// What the engine adds to the events of one request (security L1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Occasion {
    /// When the request came in, by the engine's clock.
    pub time: UnixTime,
    /// Who sent it, after trusted proxies have been taken off; `None` from within the process or the owner's socket.
    pub source: Option<IpAddr>,
    /// Which request it is; all its events share it.
    pub request: RequestId,
}

/// Takes audit records. The engine hands over each event once its commit holds and before the response is sent.
pub trait Audit: Send + Sync {
    /// Records the events of one request, in order. Never empty. Must not block on the network.
    fn record(&self, occasion: Occasion, events: &[Event]);

    /// To be asked before each change, whose events are recorded once it holds. `None` once nothing can be recorded any more: then the
    /// change may not be made.
    fn due(&self) -> Option<Due> {
        Some(Due::default())
    }

    /// Whether records are being written. While they are not, as on a full disk, nothing may be done that is to be recorded (security L1).
    fn takes_records(&self) -> bool {
        true
    }

    /// Takes note that a token was not good, and of the code of the check that failed (security T10). No audit record, as anybody can
    /// cause any number of them: implementations count them all, and log some.
    fn token_refused(&self, _: Occasion, _: &'static str) {}
}

/// A change that is being made. Counted until it is [`settled`](Self::settled), and for ever if it is dropped before: then it may hold
/// without a record, as its request was cut off, or its commit has failed.
#[derive(Debug, Default)]
#[must_use]
pub struct Due(Option<Arc<AtomicU64>>);

impl Due {
    /// Counted by `count`.
    pub(crate) fn counted(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Some(Arc::clone(count)))
    }

    /// Its events are recorded, or it was not made.
    pub fn settled(self) {
        if let Some(count) = self.0 {
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Records nothing: for tests and tools that have no trail.
impl Audit for () {
    fn record(&self, _: Occasion, _: &[Event]) {}
}
