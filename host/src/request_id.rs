//! A number for each request, for logs, the audit trail and the `x-request-id` of the response.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

tokio::task_local! {
    /// The request that the present task is answering.
    pub(super) static PRESENT: RequestId;
}

/// The number of one request. None is taken from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestId(u64);

impl RequestId {
    /// The request that is being answered around the caller, if there is one.
    pub fn present() -> Option<Self> {
        PRESENT.try_with(|id| *id).ok()
    }

    /// `work`, as part of the request that is being answered around the caller, in whatever task it goes on.
    pub(crate) fn carry<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
        let present = Self::present();
        async move {
            match present {
                Some(id) => PRESENT.scope(id, work).await,
                None => work.await,
            }
        }
    }
}

impl From<u64> for RequestId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Where numbers come from: they start at random, so that those of two runs do not meet.
#[derive(Debug)]
pub(super) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(super) fn new() -> Self {
        // Without randomness the numbers merely begin at zero: they name requests, they guard nothing.
        Self(AtomicU64::new(getrandom::u64().unwrap_or_default()))
    }

    pub(super) fn next(&self) -> RequestId {
        RequestId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
