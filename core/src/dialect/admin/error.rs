//! Errors as these routes word them: `{"error": code, "message": text}`.

use super::JSON;
use crate::{
    refusal::Refusal,
    seam::{Op, Response, Stop, Unread},
};
use alloc::string::ToString;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
}

/// An error with this status, code and text.
pub(super) fn error(status: u16, code: &str, text: &str) -> Response {
    let body = Body { error: code, message: text };
    Response::new(status, JSON, serde_json::to_vec(&body).unwrap_or_default())
}

/// Ends the request with an error.
pub(super) fn refused<T>(status: u16, code: &str, text: &str) -> Result<T, Stop> {
    Err(Stop::answer(error(status, code, text)))
}

/// Words that the body could not be read.
pub(in crate::dialect) fn unread(why: Unread) -> Response {
    error(why.status(), why.code(), why.text())
}

/// Words a refusal of the engine, under its own code.
pub(in crate::dialect) fn refuse(_op: &Op<'_>, refusal: &Refusal) -> Response {
    let error = |status, text: &str| error(status, refusal.code(), text);
    match refusal {
        Refusal::UserNotFound => error(404, "there is no such user"),
        Refusal::NameTaken => error(409, "another user goes by this name"),
        Refusal::EmailTaken => error(409, "another user goes by this e-mail address"),
        Refusal::LastAdmin => error(409, "the last administrator cannot be taken away"),
        Refusal::Password(refusal) => error(400, &refusal.to_string()),
        Refusal::Lifetime(wrong) => error(400, &wrong.to_string()),
        Refusal::NoSigningKey => error(409, "there is no key that signs"),
        Refusal::TooManyKeys => error(409, "there are too many keys: retire some first"),
        Refusal::NoEntropy => error(503, "there is no source of randomness"),
        Refusal::Unavailable { .. } => error(503, "the server cannot answer this now"),
        Refusal::BadRecord => error(503, "a stored record cannot be read"),
        // Nobody logs in here, no token is a credential, and what else there is is asked for elsewhere.
        Refusal::NoCredentials
        | Refusal::BadCredentials
        | Refusal::PasswordExpired
        | Refusal::Token(_)
        | Refusal::TokenRevoked
        | Refusal::TokenEnded
        | Refusal::TokenUserGone
        | Refusal::TokenForeign
        | Refusal::Throttled { .. }
        | Refusal::CrossSite
        | Refusal::NotAllowed
        | Refusal::NoPublicKey
        | Refusal::TooManyRevocations
        | Refusal::RevocationsStale
        | Refusal::TooManyRoles => error(403, "not allowed"),
    }
}
