//! The `Authorization` header.

use crate::seam::Request;
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// What a request offers to prove who asks.
pub(crate) enum Credentials {
    /// No `Authorization` header.
    None,
    /// Name and password (RFC 7617).
    Basic {
        /// What stands before the first colon.
        login: String,
        /// What stands behind it.
        password: Zeroizing<String>,
    },
    /// A token, by `Bearer` (RFC 6750), or by `JWT` where that is taken.
    Token(String),
    /// A header that states neither: more than one, another scheme, bad base64, no colon, control characters.
    Malformed,
}

impl Credentials {
    /// Reads them from the header alone, never from query or body (security H1).
    pub(crate) fn of(request: &Request) -> Self {
        Self::read(request, false)
    }

    /// Like [`Credentials::of`]; `JWT` is another word for `Bearer`, as Redis Enterprise has it.
    pub(crate) fn with_jwt(request: &Request) -> Self {
        Self::read(request, true)
    }

    fn read(request: &Request, jwt: bool) -> Self {
        let mut values = request.header_values("authorization");
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(value), None) => Self::parse(value, jwt).unwrap_or(Self::Malformed),
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    fn parse(value: &[u8], jwt: bool) -> Option<Self> {
        let (scheme, rest) = core::str::from_utf8(value.trim_ascii()).ok()?.split_once(' ')?;
        let rest = rest.trim_start_matches(' ');
        if scheme.eq_ignore_ascii_case("basic") {
            let plain = Zeroizing::new(STANDARD.decode(rest).ok()?);
            let (login, password) = core::str::from_utf8(&plain).ok()?.split_once(':')?;
            let clean = !login.chars().chain(password.chars()).any(char::is_control);
            clean.then(|| Self::Basic { login: login.to_owned(), password: Zeroizing::new(password.to_owned()) })
        } else if scheme.eq_ignore_ascii_case("bearer") || (jwt && scheme.eq_ignore_ascii_case("jwt")) {
            let is_token = !rest.is_empty() && rest.bytes().all(|octet| octet.is_ascii_graphic());
            is_token.then(|| Self::Token(rest.to_string()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::Method;

    #[track_caller]
    fn check(header: &str, expected: &str) {
        let request = Request::new(Method::Get, "/").with_header("authorization", header);
        let got = match Credentials::with_jwt(&request) {
            Credentials::None => "none".into(),
            Credentials::Basic { login, password } => alloc::format!("{login}|{}", *password),
            Credentials::Token(token) => alloc::format!("token {token}"),
            Credentials::Malformed => "malformed".into(),
        };
        assert_eq!(got, expected, "{header}");
    }

    #[test]
    fn reads_what_rfc_7617_states() {
        check("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin|open sesame");
        check("Basic dGVzdDoxMjPCow==", "test|123£");
        check("basic dTphOmI6Yw==", "u|a:b:c");
        check("BASIC dTo=", "u|");
        check("Basic bm9jb2xvbg==", "malformed");
        check("Basic dTo", "malformed");
        check("Basic !", "malformed");
        check("Basic", "malformed");
        check("Basic dToH", "malformed");
        check("Basic //86YQ==", "malformed");
    }

    #[test]
    fn reads_tokens_of_both_schemes() {
        check("Bearer a.b.c", "token a.b.c");
        check("JWT a.b.c", "token a.b.c");
        check("jwt  a.b.c ", "token a.b.c");
        check("Bearer a b", "malformed");
        check("Digest x", "malformed");
        check("\tBearer a\t", "token a");
        for blank in ['\u{a0}', '\u{3000}', '\u{85}', '\u{2028}'] {
            check(&alloc::format!("{blank}Bearer a"), "malformed");
            check(&alloc::format!("Basic dTo={blank}"), "malformed");
        }
        check("", "malformed");
        let jwt = Request::new(Method::Get, "/").with_header("authorization", "JWT a.b.c");
        assert!(matches!(Credentials::of(&jwt), Credentials::Malformed));
    }

    #[test]
    fn two_headers_are_none_of_both() {
        let request = Request::new(Method::Get, "/")
            .with_header("authorization", "Bearer a")
            .with_header("authorization", "Bearer a");
        assert!(matches!(Credentials::of(&request), Credentials::Malformed));
        assert!(matches!(Credentials::of(&Request::new(Method::Get, "/")), Credentials::None));
    }
}
