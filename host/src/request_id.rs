//! A number for each request, for logs, the audit trail and the `x-request-id` of the response.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

tokio::task_local! {
    /// The request that the present task is answering.
    static PRESENT: RequestId;
}

/// The number of one request. None is taken from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestId(u64);

impl RequestId {
    /// Of what no request has brought about.
    pub(crate) const NONE: Self = Self(0);

    /// The request that is being answered around the caller, if there is one.
    pub fn present() -> Option<Self> {
        PRESENT.try_with(|id| *id).ok()
    }

    /// `work`, as the answering of this request.
    pub(crate) fn around<T>(self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        PRESENT.scope(self, work)
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
pub(crate) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(crate) fn new() -> Self {
        // Without randomness the numbers merely begin at zero: they name requests, they guard nothing.
        Self(AtomicU64::new(getrandom::u64().unwrap_or_default()))
    }

    pub(crate) fn next(&self) -> RequestId {
        RequestId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
