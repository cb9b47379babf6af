//! Refusals as these routes word them.

use super::Route;
use crate::{
    refusal::Refusal,
    seam::{Op, Response},
};
use alloc::string::ToString;

/// The challenge to who has shown no token.
const BEARER: &str = "Bearer realm=\"waxseal\"";
/// The challenge to who has shown a token that is not good (RFC 6750, 3.1).
const BEARER_INVALID: &str = "Bearer realm=\"waxseal\", error=\"invalid_token\"";

/// Words a refusal. Which check failed is not said (security T10).
pub(in crate::dialect) fn refuse(op: &Op<'_>, refusal: &Refusal) -> Response {
    let response = match refusal {
        Refusal::NotAllowed => Response::empty(403),
        Refusal::Throttled { retry_after } => Response::empty(429).with_header("retry-after", retry_after.to_string()),
        Refusal::NoEntropy | Refusal::NoSigningKey | Refusal::BadRecord => {
            Response::empty(503).with_header("retry-after", "1")
        }
        refusal => unauthorized(op, refusal),
    };
    response.with_header("cache-control", "no-store")
}

fn unauthorized(_op: &Op<'_>, refusal: &Refusal) -> Response {
    let challenge = if refusal.is_token() { BEARER_INVALID } else { BEARER };
    Response::empty(401).with_header("www-authenticate", challenge)
}
