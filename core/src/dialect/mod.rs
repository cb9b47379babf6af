//! The dialects, and who answers which route.

use crate::{
    refusal::Refusal,
    seam::{Op, Response, Stop},
};

/// Answers a request in the dialect its path belongs to.
pub(crate) fn answer(_op: &Op<'_>) -> Result<Response, Stop> {
    Ok(Response::empty(404))
}

/// Words a refusal in the dialect of the request.
pub(crate) fn refuse(_op: &Op<'_>, _refusal: &Refusal) -> Response {
    Response::empty(401)
}
