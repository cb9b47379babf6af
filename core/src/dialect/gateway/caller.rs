//! Who asks about a token, and about which.

use super::{error::bad_request, live::live};
use crate::{
    dialect::form::{self, Form},
    engine::{self, Credentials},
    record::{Scope, User},
    refusal::Refusal,
    seam::{Op, Stop},
};
use alloc::string::String;
use zeroize::Zeroizing;

/// The user who asks, by password or by a token that may do everything its owner may.
///
/// # Errors
/// 401; 403 for a token of lesser scope.
pub(super) fn caller(op: &Op<'_>) -> Result<User, Stop> {
    match Credentials::with_jwt(op.request) {
        Credentials::None => Err(Refusal::NoCredentials.into()),
        Credentials::Malformed => Err(Refusal::BadCredentials.into()),
        Credentials::Basic { login, password } => match engine::login(op, &login, &password)? {
            login if login.expired => Err(Refusal::PasswordExpired.into()),
            login => Ok(login.user),
        },
        Credentials::Token(token) => {
            let live = live(op, &token)?;
            let full = |scopes: &str| scopes.split(' ').any(|scope| scope == Scope::Session.as_str());
            if live.scopes.as_deref().is_none_or(full) { Ok(live.user) } else { Err(Refusal::NotAllowed.into()) }
        }
    }
}

/// The `token` of the form in the body (RFC 7662, 2.1; RFC 7009, 2.1). A hint is not needed, and unknown names do not matter.
///
/// # Errors
/// 400 `invalid_request`.
pub(super) fn token(op: &Op<'_>) -> Result<Zeroizing<String>, Stop> {
    if !form::is_form(op.request) {
        return bad_request("the body is not application/x-www-form-urlencoded");
    }
    let Ok(form) = Form::parse(&op.request.body) else { return bad_request("the body is not a form") };
    if form.repeats() {
        return bad_request("a parameter is repeated");
    }
    match form.one("token") {
        Ok(Some(token)) if !token.is_empty() => Ok(Zeroizing::new(token.into())),
        _ => bad_request("the parameter token is missing"),
    }
}
