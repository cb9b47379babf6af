//! Drives the calls that check a password, on threads that stand back as those of the derivations do.
//!
//! Besides its derivation, a login takes a good part of a millisecond of a thread: two instances, their answers, a commit. On the
//! threads that answer everything else, under a flood of logins, that was what one token check in a hundred waited for.

use crate::process;
use core::num::NonZeroUsize;
use std::{io, panic::resume_unwind};
use tokio::runtime::{Builder, Handle, Runtime};

#[derive(Debug)]
pub(super) struct Logins {
    threads: Handle,
    /// Taken only on drop, which also ends what still runs there.
    runtime: Option<Runtime>,
}

impl Logins {
    /// Starts so many threads.
    ///
    /// # Errors
    /// When the system refuses one.
    pub(super) fn start(number: NonZeroUsize) -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        threads.worker_threads(number.get()).thread_name(THREAD).on_thread_start(process::step_back).enable_time();
        let runtime = threads.build()?;
        Ok(Self { threads: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Drives `login` there to its end, even if nobody waits for it any more. Panics if it panics.
    pub(super) async fn drive<T: Send + 'static>(&self, login: impl Future<Output = T> + Send + 'static) -> T {
        let ended = self.threads.spawn(login).await;
        // The error is a panic: nobody cancels the task, and whoever waits here keeps the threads alive.
        ended.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }
}

impl Drop for Logins {
    fn drop(&mut self) {
        // Does not wait for the threads, as not everybody who drops this may block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the threads are called.
pub(super) const THREAD: &str = "login";
