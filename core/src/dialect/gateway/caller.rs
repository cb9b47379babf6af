//! Who asks about a token, and about which.

use super::{error::bad_request, live::live};
use crate::{
    dialect::form::{self, Form},
    engine::{self, Credentials, Expired},
    record::User,
    refusal::Refusal,
    seam::{Op, Stop},
};
use alloc::{format, string::String};
use zeroize::Zeroizing;

/// The user who asks, by password or by a token that may do everything its owner may.
///
/// # Errors
/// 401; 403 for a token of lesser scope.
pub(super) fn caller(op: &Op<'_>) -> Result<User, Stop> {
    match Credentials::with_jwt(op.request) {
        Credentials::None => Err(Refusal::NoCredentials.into()),
        Credentials::Malformed => Err(Refusal::BadCredentials.into()),
        Credentials::Basic { login, password } => {
            let (login, password) = form_decoded(&login, &password).unwrap_or((login, password));
            let user = engine::login(op, &login, &password, Expired::Refused)?.user;
            op.note_caller(user.uid);
            Ok(user)
        }
        Credentials::Token(token) => {
            let live = live(op, &token)?;
            op.note_caller(live.user.uid);
            if live.is_limited() { Err(Refusal::NotAllowed.into()) } else { Ok(live.user) }
        }
    }
}

/// Name and password as they were before the client encoded them as a form does (RFC 6749, 2.3.1), which OAuth clients do before they put
/// them together for Basic, and others do not. `None` if that was not done, as far as can be told: no octet is escaped, or one stands
/// unescaped that every form escapes.
fn form_decoded(login: &str, password: &str) -> Option<(String, Zeroizing<String>)> {
    let pair = Zeroizing::new(format!("{login}={password}"));
    let is_left = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.!~*'()+%=".contains(&octet);
    if !pair.contains('%') || pair.matches('=').count() > 1 || !pair.bytes().all(is_left) {
        return None;
    }
    let form = Form::parse(pair.as_bytes()).ok()?;
    let (login, password) = form.pairs().next()?;
    let clean = !login.chars().chain(password.chars()).any(char::is_control);
    clean.then(|| (login.into(), Zeroizing::new(password.into())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_oauth_clients_encode_is_decoded() {
        for (login, password, expected) in [
            ("ann", "Wx7%2Dvtda9u4", Some(("ann", "Wx7-vtda9u4"))),
            ("ann%40example.com", "first+tea%2C+then+work", Some(("ann@example.com", "first tea, then work"))),
            ("ann", "caf%C3%A9", Some(("ann", "café"))),
            ("ann", "plain", None),
            // As likely with a plus in it as with a blank that was encoded.
            ("ann", "a+b", None),
            ("ann", "a%20b", Some(("ann", "a b"))),
            ("ann", "100%", None),
            ("ann", "50%25 of it", None),
            ("ann", "a%2Db/c", None),
            ("ann", "a%2Db=c", None),
            ("ann", "a%0Ab", None),
            ("ann", "a%FFb", None),
            ("", "a%2Db", Some(("", "a-b"))),
        ] {
            let found = form_decoded(login, password);
            let found = found.as_ref().map(|(login, password)| (login.as_str(), password.as_str()));
            assert_eq!(found, expected, "{login} {password}");
        }
    }
}
