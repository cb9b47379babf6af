//! What the log is told while the disk takes nothing: when that begins and when it ends, however many commits fail meanwhile. Each
//! failed login is one, so strangers decide how many there are; a disk that fails now and then does not fill the log either.

use crate::{logging::RateLimit, store::StoreError};
use core::sync::atomic::{AtomicBool, Ordering};
use std::io;

#[derive(Debug, Default)]
pub(super) struct Outage {
    /// The log has been told of the present one.
    said: AtomicBool,
    begun: RateLimit,
    blind: RateLimit,
    unlogged: RateLimit,
}

impl Outage {
    /// Commits are refused now. For whoever has the turn, as [`Self::end`].
    pub(super) fn begin(&self) {
        if !self.said.load(Ordering::Relaxed)
            && let Some(unsaid) = self.begun.admit()
        {
            self.said.store(true, Ordering::Relaxed);
            tracing::error!(unsaid, "the disk has failed the store: reads go on, commits are refused until it recovers");
        }
    }

    /// A commit is on disk.
    pub(super) fn end(&self) {
        if self.said.swap(false, Ordering::Relaxed) {
            tracing::info!("the store takes commits again");
        }
    }

    /// Not even reads go on.
    pub(super) fn blind(&self, error: &StoreError) {
        if let Some(unsaid) = self.blind.admit() {
            tracing::error!(%error, unsaid, "the store can neither be written nor read");
        }
    }

    /// The store's log has failed.
    pub(super) fn unlogged(&self, error: &io::Error) {
        if let Some(unsaid) = self.unlogged.admit() {
            tracing::warn!(
                %error,
                unsaid,
                "the store's log has failed: every commit is written to the store itself until it recovers"
            );
        }
    }
}
