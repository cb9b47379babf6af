//! Core, compiled into the server.

use super::run::{Fault, Prefetched, Run, Turn, Wait};
use core::panic::AssertUnwindSafe;
use std::{panic::catch_unwind, sync::Arc};
use waxseal_core::seam::{self, Answer, Ask, Call, Pending, Step};

/// Runs core in the server's own process, without the walls of a component.
pub(crate) struct Native;

impl Run for Native {
    type Wait = Pending;

    async fn begin(&self, call: &Arc<Call>, prefetched: Prefetched) -> Result<Turn<Pending>, Fault> {
        turn(|| seam::begin_prefetched(Arc::clone(call), prefetched))
    }
}

impl Wait for Pending {
    fn ask(&self) -> &Ask {
        Self::ask(self)
    }

    async fn resume(self, answer: Answer) -> Result<Turn<Self>, Fault> {
        turn(|| Self::resume(self, answer))
    }
}

/// Core is written not to panic; should it all the same, one request ends and nothing else (security S5).
fn turn(step: impl FnOnce() -> Step) -> Result<Turn<Pending>, Fault> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Step::Ask(pending)) => Ok(Turn::Ask(pending)),
        Ok(Step::Done(done)) => Ok(Turn::Done(done)),
        Err(_) => Err(Fault::Panicked),
    }
}
