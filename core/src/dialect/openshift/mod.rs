//! The openshift dialect.

use crate::{
    refusal::Refusal,
    seam::{Op, Response, Stop},
};

/// Answers a request of this dialect.
pub(super) fn answer(_op: &Op<'_>) -> Result<Response, Stop> {
    Ok(Response::empty(404))
}

/// Words a refusal.
pub(super) fn refuse(_op: &Op<'_>, _refusal: &Refusal) -> Response {
    Response::empty(401)
}
