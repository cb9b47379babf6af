//! Reads a body within its limits.

use super::Limits;
use core::sync::atomic::{AtomicUsize, Ordering};
use http_body_util::BodyExt;
use hyper::{
    StatusCode,
    body::{Body, Bytes, Incoming},
};
use std::{error::Error, io};

/// How much of a body that is too large is still read, so that the connection may go on.
const DRAIN: usize = 256 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BodyError {
    pub(super) status: StatusCode,
    /// Whether the body has been left unread or cannot be, so that the connection has to end.
    pub(super) close: bool,
}

/// The whole body. `held` counts the octets of all bodies that are still being read.
pub(super) async fn read(mut body: Incoming, limits: &Limits, held: &AtomicUsize) -> Result<Vec<u8>, BodyError> {
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.body + DRAIN {
        return Err(too_large(true));
    }
    let mut whole = Vec::new();
    let mut length = 0_usize;
    let mut share = Share { held, octets: 0 };
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_else(|_trailers| Bytes::new()),
            Err(error) => return Err(unreadable(&error)),
        };
        length = length.saturating_add(data.len());
        if length > limits.body {
            whole = Vec::new();
            share.give_back();
            if length > limits.body + DRAIN {
                return Err(too_large(true));
            }
            continue;
        }
        if body.is_end_stream() && whole.is_empty() {
            return Ok(data.into());
        }
        if !share.take(data.len(), limits.bodies) {
            return Err(BodyError { status: StatusCode::SERVICE_UNAVAILABLE, close: true });
        }
        if whole.capacity() == 0 {
            whole.reserve_exact(announced.min(limits.body).max(data.len()));
        }
        whole.extend_from_slice(&data);
    }
    if length > limits.body { Err(too_large(false)) } else { Ok(whole) }
}

fn too_large(close: bool) -> BodyError {
    BodyError { status: StatusCode::PAYLOAD_TOO_LARGE, close }
}

/// Too slow is 408; anything else that ends a body early is its sender's fault too.
fn unreadable(error: &hyper::Error) -> BodyError {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    let status = if cause == Some(io::ErrorKind::TimedOut) { StatusCode::REQUEST_TIMEOUT } else { StatusCode::BAD_REQUEST };
    BodyError { status, close: true }
}

/// What one body has taken of the octets all bodies may hold together.
struct Share<'a> {
    held: &'a AtomicUsize,
    octets: usize,
}

impl Share<'_> {
    fn take(&mut self, octets: usize, limit: usize) -> bool {
        self.octets += octets;
        self.held.fetch_add(octets, Ordering::Relaxed) + octets <= limit
    }

    fn give_back(&mut self) {
        self.held.fetch_sub(self.octets, Ordering::Relaxed);
        self.octets = 0;
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}
