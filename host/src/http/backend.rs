//! What the sockets need from the engine.

use crate::engine::Mark;
use core::future::Future;
use serde::{Deserialize, Serialize};
use std::{io, path::Path};
use waxseal_core::seam::{Peer, Request, Response, Unread};

/// What reading the configuration again has led to, in words for the operator.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reloaded {
    /// What is in force and was not before.
    pub in_force: Vec<String>,
    /// Settings that differ from those that the server was started with, and wait for a restart.
    pub waiting: Vec<String>,
    /// What the next start would not take.
    pub warnings: Vec<String>,
    /// What is wrong with the rest, which stays as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What is wrong around the running server: what the next start would miss, as it was deleted or replaced meanwhile, in words for the
/// operator; and the time.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Astray {
    /// Of the root key.
    pub root_key: Option<String>,
    /// Of the store.
    pub store: Option<String>,
    /// Of the log of the store alone, which a restart makes anew.
    pub store_log: Option<String>,
    /// By how many seconds the system's clock is behind what the store has seen.
    pub clock_secs_behind: u64,
}

/// The engine, as the sockets see it.
pub trait Backend: Send + Sync + 'static {
    /// Answers one request. Once it has waited for something it runs in a task of its own, so that a client that hangs up
    /// does not cut it short.
    fn answer(&self, request: Request, peer: Peer) -> impl Future<Output = Response> + Send;

    /// What `request` is answered with when it cannot be served now, such as one too many; at once, and cheap.
    fn unavailable(&self, _request: Request, _peer: Peer) -> Response {
        Response::empty(503).with_header("retry-after", "1")
    }

    /// What `request`, given without its body, is answered with when the body could not be read; at once, and cheap.
    fn unread(&self, _request: Request, _peer: Peer, why: Unread) -> Response {
        Response::empty(why.status())
    }

    /// What answers follow from besides request and time; `None` when that cannot be said, and then none is kept.
    fn mark(&self) -> Option<Mark> {
        None
    }

    /// Notes that an answer was given again without asking the engine.
    fn given_again(&self) {}

    /// Whether requests can be answered: the engine is loaded and the store can be read. A disk that takes no changes leaves the server
    /// ready, as it verifies tokens all the same. Asked by `GET /readyz`; cheap.
    ///
    /// # Errors
    /// What is missing, in words for the operator.
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    /// Waits until nothing can be answered any more, for which it gives the reason; the server then ends.
    fn broken(&self) -> impl Future<Output = String> + Send {
        core::future::pending()
    }

    /// Writes a consistent copy of the store to the new file `to`, with mode 0600. May block.
    ///
    /// # Errors
    /// When the copy cannot be written; nothing is left behind then.
    fn backup(&self, to: &Path) -> io::Result<()>;

    /// Looks at the files that are in use. May block.
    fn astray(&self) -> Astray {
        Astray::default()
    }

    /// Reads the configuration again and applies what may change while running. May block.
    ///
    /// # Errors
    /// What is wrong with it, in words for the operator; everything stays as it was then.
    fn reload(&self) -> Result<Reloaded, String> {
        Ok(Reloaded::default())
    }
}
