//! The error forms of this dialect (contract sections 4, 7 and 8).

use super::answer::json;
use crate::{
    dialect::CROSS_SITE,
    engine::{self, MAX_ROLES},
    refusal::Refusal,
    seam::{Op, Response, Unread},
};
use alloc::{
    format,
    string::{String, ToString},
    vec,
};
use core::fmt::Write;
use serde_json::{Map, Value, json as value};

/// The challenge for Basic; `realm` as the product names it.
const BASIC: &str = "Basic realm=\"security\", charset=\"UTF-8\"";
const BEARER: &str = "Bearer realm=\"security\"";
const EXPIRED: &str = "Bearer realm=\"security\", error=\"invalid_token\", error_description=\"The access token expired\"";

/// An error in the product's own form; `challenges` stand in the headers and again in the body.
pub(super) fn error(op: &Op<'_>, status: u16, kind: &str, reason: &str, challenges: &[&str]) -> Response {
    let mut cause = Map::new();
    cause.insert("type".into(), kind.into());
    cause.insert("reason".into(), reason.into());
    match challenges {
        [] => {}
        [one] => _ = cause.insert("header".into(), value!({ "WWW-Authenticate": one })),
        several => _ = cause.insert("header".into(), value!({ "WWW-Authenticate": several })),
    }
    let mut error = cause.clone();
    error.insert("root_cause".into(), Value::Array(vec![Value::Object(cause)]));
    let response = json(op, status, &value!({ "error": error, "status": status }));
    challenges.iter().fold(response, |response, challenge| response.with_header("www-authenticate", *challenge))
}

/// An error that the request decided, in the form of RFC 6749 section 5.2.
pub(super) fn oauth(op: &Op<'_>, error: &str, description: &str) -> Response {
    json(op, 400, &value!({ "error": error, "error_description": description }))
}

/// All findings about a request as one numbered text.
pub(super) fn findings(found: &[String]) -> String {
    let mut text = String::from("Validation Failed: ");
    // Writing to a string does not fail.
    for (number, finding) in (1..).zip(found) {
        let _ = write!(text, "{number}: {finding};");
    }
    text
}

/// 401 for missing or wrong credentials, with the reason the product gives.
pub(super) fn unauthorized(op: &Op<'_>, reason: &str) -> Response {
    error(op, 401, "security_exception", reason, &[BASIC, BEARER])
}

/// 401 for a token that has ended, whichever way.
pub(super) fn token_expired(op: &Op<'_>) -> Response {
    error(op, 401, "security_exception", "token expired", &[EXPIRED])
}

/// 403.
pub(super) fn forbidden(op: &Op<'_>, action: &str, user: &str) -> Response {
    let reason = format!("action [{action}] is unauthorized for user [{user}]");
    error(op, 403, "security_exception", &reason, &[])
}

/// A path that names nothing.
pub(super) fn no_handler(op: &Op<'_>) -> Response {
    let text = format!("no handler found for uri [{}] and method [{}]", uri(op), op.request.method.as_str());
    json(op, 400, &value!({ "error": text }))
}

/// A path that names something, with a method it does not have.
pub(super) fn wrong_method(op: &Op<'_>, allowed: &[&str]) -> Response {
    let text = format!(
        "Incorrect HTTP method for uri [{}] and method [{}], allowed: [{}]",
        uri(op),
        op.request.method.as_str(),
        allowed.join(", ")
    );
    json(op, 405, &value!({ "error": text, "status": 405 })).with_header("allow", allowed.join(","))
}

/// The part of the request target that answers repeat: not the query, in which somebody may have put a secret (security H2), and nothing
/// that may be a token (security L2).
pub(super) fn uri(op: &Op<'_>) -> String {
    engine::path_as_sent(op)
}

/// Words that the body could not be read.
pub(in crate::dialect) fn unread(op: &Op<'_>, why: Unread) -> Response {
    error(op, why.status(), "illegal_argument_exception", why.text(), &[])
}

/// Words a refusal of the engine.
pub(in crate::dialect) fn refuse(op: &Op<'_>, refusal: &Refusal) -> Response {
    if let Some(retry_after) = refusal.retry_after() {
        return error(op, 503, "unavailable_exception", "the server cannot answer this now", &[])
            .with_header("retry-after", retry_after.to_string());
    }
    match refusal {
        Refusal::Throttled { retry_after } => {
            error(op, 429, "security_exception", "too many failed attempts, try again later", &[])
                .with_header("retry-after", retry_after.to_string())
        }
        Refusal::TokenRevoked
        | Refusal::TokenEnded
        | Refusal::TokenUserGone
        | Refusal::Token(crate::token::Refusal::Expired) => token_expired(op),
        Refusal::Token(_) | Refusal::TokenForeign | Refusal::RevocationsStale => unauthorized(
            op,
            "unable to authenticate with provided credentials and anonymous access is not allowed for this request",
        ),
        Refusal::Password(refusal) => {
            error(op, 400, "action_request_validation_exception", &findings(&[refusal.to_string()]), &[])
        }
        Refusal::NameTaken => {
            error(op, 409, "resource_already_exists_exception", "another user has this name as e-mail address", &[])
        }
        Refusal::EmailTaken => {
            error(op, 409, "resource_already_exists_exception", "another user goes by this e-mail address", &[])
        }
        Refusal::LastAdmin => {
            let reason = "the last superuser can neither be deleted nor disabled nor lose the role";
            error(op, 400, "illegal_argument_exception", reason, &[])
        }
        Refusal::TooManyRoles => {
            let reason = format!("there are {MAX_ROLES} roles: delete one first");
            error(op, 400, "illegal_argument_exception", &reason, &[])
        }
        Refusal::CrossSite => error(op, 403, "security_exception", CROSS_SITE, &[]),
        Refusal::NotAllowed => error(op, 403, "security_exception", "action is unauthorized", &[]),
        // From `Lifetime` on: what no route of this dialect comes to, or has been answered above.
        Refusal::NoCredentials
        | Refusal::BadCredentials
        | Refusal::PasswordExpired
        | Refusal::Lifetime(_)
        | Refusal::UserNotFound
        | Refusal::TooManyKeys
        | Refusal::NoPublicKey
        | Refusal::TooManyRevocations
        | Refusal::NoEntropy
        | Refusal::NoSigningKey
        | Refusal::Unavailable { .. }
        | Refusal::BadRecord => {
            unauthorized(op, &format!("missing authentication credentials for REST request [{}]", uri(op)))
        }
    }
}
