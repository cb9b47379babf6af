//! Errors as this API words them: `error_code`, `message` and `description`, the two texts equal (contract section 2).

use super::JSON;
use crate::{
    dialect::CROSS_SITE,
    password,
    refusal::Refusal,
    seam::{Op, Response, Stop, Unread},
};
use alloc::string::{String, ToString};
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    error_code: &'a str,
    message: &'a str,
    description: &'a str,
}

/// An error with this status, code and text.
pub(super) fn error(status: u16, code: &str, text: &str) -> Response {
    let body = Body { error_code: code, message: text, description: text };
    Response::new(status, JSON, serde_json::to_vec(&body).unwrap_or_default())
}

/// Ends the request with an error.
pub(super) fn refused<T>(status: u16, code: &str, text: &str) -> Result<T, Stop> {
    Err(Stop::answer(error(status, code, text)))
}

pub(super) fn not_found() -> Response {
    error(404, "not_found", "there is no such resource")
}

pub(super) fn method_not_allowed() -> Response {
    error(405, "method_not_allowed", "this resource does not have this method")
}

/// Wrong type, illegal value or no object.
pub(super) fn invalid<T>(text: &str) -> Result<T, Stop> {
    refused(400, "invalid_schema", text)
}

/// The caller is known and may not do this.
pub(super) fn forbidden<T>() -> Result<T, Stop> {
    Err(Refusal::NotAllowed.into())
}

/// There is no such user.
pub(super) fn no_such_user<T>() -> Result<T, Stop> {
    Err(Refusal::UserNotFound.into())
}

/// 401 with the challenge (contract section 2).
fn unauthorized(code: &str, text: &str) -> Response {
    error(401, code, text).with_header("www-authenticate", "Basic realm=\"waxseal\", charset=\"UTF-8\"")
}

/// Nobody, or somebody who has not proved their identity.
fn wrong_credentials() -> Response {
    unauthorized("unauthorized", "missing or wrong credentials")
}

/// Words that the body could not be read.
pub(in crate::dialect) fn unread(why: Unread) -> Response {
    error(why.status(), why.code(), why.text())
}

/// Words a refusal of the engine.
pub(in crate::dialect) fn refuse(_op: &Op<'_>, refusal: &Refusal) -> Response {
    if let Some(retry_after) = refusal.retry_after() {
        return error(503, "unavailable", "the server cannot answer this now")
            .with_header("retry-after", retry_after.to_string());
    }
    match refusal {
        Refusal::PasswordExpired => unauthorized("password_expired", "the password has expired and must be replaced"),
        Refusal::Throttled { retry_after } => error(429, "too_many_requests", "too many attempts, try again later")
            .with_header("retry-after", retry_after.to_string()),
        Refusal::CrossSite => error(403, "unauthorized_action", CROSS_SITE),
        Refusal::NotAllowed => error(403, "unauthorized_action", "the user may not do this"),
        Refusal::Lifetime(wrong) => error(400, "invalid_schema", &wrong.to_string()),
        Refusal::Password(refusal) => password_error(*refusal),
        Refusal::UserNotFound => error(404, "user_not_exist", "there is no such user"),
        Refusal::NameTaken => error(409, "name_already_exists", "another user has this name"),
        Refusal::EmailTaken => error(409, "email_already_exists", "another user has this e-mail address"),
        Refusal::LastAdmin => error(
            406,
            "change_last_admin_role_not_allowed",
            "the last administrator can neither be deleted nor get another role",
        ),
        Refusal::NoCredentials
        | Refusal::BadCredentials
        | Refusal::Token(_)
        | Refusal::TokenRevoked
        | Refusal::TokenEnded
        | Refusal::TokenUserGone
        | Refusal::TokenForeign
        | Refusal::RevocationsStale
        // What no route of this dialect comes to, or has been answered above.
        | Refusal::TooManyKeys
        | Refusal::TooManyRoles
        | Refusal::NoPublicKey
        | Refusal::TooManyRevocations
        | Refusal::NoEntropy
        | Refusal::NoSigningKey
        | Refusal::Unavailable { .. }
        | Refusal::BadRecord => wrong_credentials(),
    }
}

fn password_error(refusal: password::Refusal) -> Response {
    let text: String = refusal.to_string();
    let code = match refusal {
        password::Refusal::SameAsCurrent => "new_password_same_as_current",
        password::Refusal::LastPassword => "cannot_delete_last_password",
        password::Refusal::NotInList => return wrong_credentials(),
        password::Refusal::TooMany { .. } => "too_many_passwords",
        // No policy asks for it: such a text is no password, with whatever rules.
        password::Refusal::ControlCharacter => "invalid_schema",
        // With 400 all the same, as clients drop the text of a 503.
        password::Refusal::NoRoomForScheme => "unavailable",
        refusal if refusal.is_policy() => "password_not_complex",
        _ => "invalid_schema",
    };
    error(400, code, &text)
}
