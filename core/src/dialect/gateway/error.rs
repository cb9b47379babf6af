//! Refusals as these routes word them.

use super::Route;
use crate::{
    dialect::CROSS_SITE,
    refusal::Refusal,
    seam::{Op, Response, Stop, Unread},
};
use alloc::{format, string::ToString};

/// The challenge to whoever has shown no token.
const BEARER: &str = "Bearer realm=\"waxseal\"";
/// The challenge to whoever has shown a token that is not good (RFC 6750, 3.1).
const BEARER_INVALID: &str = "Bearer realm=\"waxseal\", error=\"invalid_token\"";
/// The challenge to whoever has shown a token that may not do this (RFC 6750, 3.1).
const BEARER_LESSER: &str = "Bearer realm=\"waxseal\", error=\"insufficient_scope\"";
/// The challenge where a password works too.
const BASIC: &str = "Basic realm=\"waxseal\", charset=\"UTF-8\"";

/// Words that the body could not be read.
pub(in crate::dialect) fn unread(why: Unread) -> Response {
    error(why.status(), "invalid_request", why.text())
}

/// Words a refusal. Which check failed is not said (security T10).
pub(in crate::dialect) fn refuse(op: &Op<'_>, refusal: &Refusal) -> Response {
    if let Some(response) = super::published::refuse(refusal) {
        return response.with_header("cache-control", "no-store");
    }
    if let Some(retry_after) = refusal.retry_after() {
        return Response::empty(503)
            .with_header("retry-after", retry_after.to_string())
            .with_header("cache-control", "no-store");
    }
    let response = match refusal {
        Refusal::CrossSite => error(403, "access_denied", CROSS_SITE),
        Refusal::NotAllowed => error(403, "insufficient_scope", "the token of the caller has not the scope for this")
            .with_header("www-authenticate", BEARER_LESSER),
        Refusal::Throttled { retry_after } => Response::empty(429).with_header("retry-after", retry_after.to_string()),
        Refusal::NoCredentials
        | Refusal::BadCredentials
        | Refusal::PasswordExpired
        | Refusal::Token(_)
        | Refusal::TokenRevoked
        | Refusal::TokenEnded
        | Refusal::TokenUserGone
        | Refusal::TokenForeign
        | Refusal::RevocationsStale
        // What no route here comes to, or has been answered above.
        | Refusal::Lifetime(_)
        | Refusal::Password(_)
        | Refusal::UserNotFound
        | Refusal::NameTaken
        | Refusal::EmailTaken
        | Refusal::LastAdmin
        | Refusal::TooManyKeys
        | Refusal::TooManyRoles
        | Refusal::NoPublicKey
        | Refusal::TooManyRevocations
        | Refusal::NoEntropy
        | Refusal::NoSigningKey
        | Refusal::Unavailable { .. }
        | Refusal::BadRecord => unauthorized(op, refusal),
    };
    response.with_header("cache-control", "no-store")
}

fn unauthorized(op: &Op<'_>, refusal: &Refusal) -> Response {
    let challenge = if refusal.is_token() { BEARER_INVALID } else { BEARER };
    if Route::of(&op.request.path).is_some_and(Route::has_caller) {
        return error(401, "invalid_client", "missing or wrong credentials")
            .with_header("www-authenticate", BASIC)
            .with_header("www-authenticate", challenge);
    }
    Response::empty(401).with_header("www-authenticate", challenge)
}

/// Ends the request with 400 (RFC 6749, 5.2); `why` has nothing to escape.
pub(super) fn bad_request<T>(why: &'static str) -> Result<T, Stop> {
    Err(Stop::answer(error(400, "invalid_request", why).with_header("cache-control", "no-store")))
}

pub(super) fn error(status: u16, code: &'static str, why: &'static str) -> Response {
    let body = format!("{{\"error\":\"{code}\",\"error_description\":\"{why}\"}}");
    Response::new(status, "application/json", body)
}
