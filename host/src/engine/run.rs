//! What the native and the component engine have in common.

use core::fmt;
use std::sync::Arc;
use waxseal_core::seam::{Answer, Ask, Call, Done, Record, RecordKey};

/// Runs calls, one step after the other.
pub(crate) trait Run: Sync {
    /// A call between two steps.
    type Wait: Wait;

    /// Starts a call, with what was read ahead for it.
    fn begin(
        &self,
        call: &Arc<Call>,
        prefetched: Prefetched,
    ) -> impl Future<Output = Result<Turn<Self::Wait>, Fault>> + Send;
}

/// Records, read before they were asked for; `None` for those that do not exist.
pub(crate) type Prefetched = Vec<(RecordKey, Option<Record>)>;

/// A call that waits for an answer.
pub(crate) trait Wait: Sized + Send + Sync {
    /// What is missing.
    fn ask(&self) -> &Ask;

    /// Goes on with the answer; the question is used up.
    fn resume(self, answer: Answer) -> impl Future<Output = Result<Turn<Self>, Fault>> + Send;
}

/// Where a call stands.
pub(crate) enum Turn<W> {
    /// Values are missing.
    Ask(W),
    /// The end.
    Done(Done),
}

/// Whether so much may be read for it that the step with the answer takes more than a moment.
pub(super) fn is_long(ask: &Ask) -> bool {
    /// A range of so many records is nothing.
    const FEW: u32 = 64;
    ask.ranges.iter().any(|range| range.limit > FEW)
}

/// A call could not be run to its end. Always a defect or an overload of the server, never the fault of the request's sender
/// alone; the request is refused and changes nothing (security E2, S5).
#[derive(Debug)]
pub enum Fault {
    /// The component trapped, ran out of memory or out of time; its instance is gone.
    Trapped(wasmtime::Error),
    /// The component answered what core never answers.
    Malformed(&'static str),
    /// Native code of core panicked.
    Panicked,
    /// All instances are in use.
    Exhausted,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The root cause only: contexts name addresses of the module.
            Self::Trapped(error) => write!(f, "the component trapped: {}", error.root_cause()),
            Self::Malformed(what) => write!(f, "the component answered a malformed {what}"),
            Self::Panicked => f.write_str("core panicked"),
            Self::Exhausted => f.write_str("all instances of the component are in use"),
        }
    }
}

impl core::error::Error for Fault {}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trapped(error)
    }
}
