//! Requests whose body a driver could not read, so that there is no call to answer.

use super::{Call, Method, Op, Response, known::Known};
use crate::dialect;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unread {
    /// It is larger than the driver takes.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// It was broken off, or cannot be told apart from what follows it.
    Incomplete,
    /// It is not what its `Content-Encoding` says.
    Undecodable,
    /// Its `Content-Encoding` is not one that the driver decodes.
    UnknownEncoding,
    /// It has more than one `Content-Type` ([`has_two_types`]).
    TwoTypes,
}

impl Unread {
    /// The status (RFC 9110, 15.5).
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::Incomplete | Self::Undecodable | Self::TwoTypes => 400,
            Self::UnknownEncoding => 415,
        }
    }

    /// The reason phrase of the status, in snake case.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "content_too_large",
            Self::TooSlow => "request_timeout",
            Self::Incomplete | Self::Undecodable | Self::TwoTypes => "bad_request",
            Self::UnknownEncoding => "unsupported_media_type",
        }
    }

    /// What is wrong.
    pub const fn text(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body did not come in time",
            Self::Incomplete => "the body was broken off or is malformed",
            Self::Undecodable => "the body is not what its Content-Encoding says",
            Self::TwoTypes => "there is more than one Content-Type",
            Self::UnknownEncoding => "the Content-Encoding of a body can be gzip or none",
        }
    }
}

/// What a driver answers to a request whose body it could not read, in the dialect of the call, which has no body. Nothing has changed.
pub fn unread(call: &Call, why: Unread) -> Response {
    let known = Known::default();
    let mut response = dialect::unread(&Op::new(call, &known), why);
    if call.request.method == Method::Head {
        response.body.clear();
    }
    response
}

/// Whether the values of `Content-Type` name more than one type for a body: in several lines, or in one into which something on the way
/// has joined them (RFC 9110, 5.3). A type may have a comma in a quoted string only (RFC 9110, 5.6.4).
pub fn has_two_types<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> bool {
    values.next().is_some_and(is_list) || values.next().is_some()
}

/// Whether a comma stands outside quoted strings. A quoted string without an end is not one.
fn is_list(value: &[u8]) -> bool {
    let mut octets = value.iter();
    let (mut quoted, mut comma) = (false, false);
    while let Some(octet) = octets.next() {
        match octet {
            b',' if quoted => comma = true,
            b',' => return true,
            b'"' => (quoted, comma) = (!quoted, false),
            b'\\' if quoted => drop(octets.next()),
            _ => {}
        }
    }
    comma
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestWorld, request};
    use alloc::format;

    #[test]
    fn a_refusal_is_stored_nowhere_and_says_which_packing_is_read() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().dialects.openshift = false;
        for path in ["/v1/users", "/broker/rest/user", "/_security/role", "/auth/revoke", "/admin/users"] {
            let is_there = !path.starts_with("/broker") && !path.starts_with("/admin");
            for why in [Unread::TooLarge, Unread::UnknownEncoding] {
                let response = world.unread(request(&format!("POST {path}"), ""), why);
                let status = if is_there { why.status() } else { 404 };
                assert_eq!((response.status, response.body.is_empty()), (status, !is_there), "{path}");
                assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
                assert_eq!(response.header("accept-encoding"), (status == 415).then_some("gzip"), "{path}");
            }
        }
        let head = world.unread(request("HEAD /v1/users", ""), Unread::TooLarge);
        assert_eq!((head.status, head.body.len()), (413, 0));
    }

    #[test]
    fn a_list_of_types_is_more_than_one() {
        let check = |values: &[&str], expected| {
            assert_eq!(has_two_types(values.iter().map(|value| value.as_bytes())), expected, "{values:?}");
        };
        check(&[], false);
        check(&[""], false);
        check(&["application/json; charset=utf-8"], false);
        check(&["application/json", "application/json"], true);
        check(&["", ""], true);
        check(&["application/json;a=b, text/plain"], true);
        check(&["application/json,"], true);
        check(&[r#"application/json;a="b,c""#], false);
        check(&[r#"application/json;a="b\",\\";d="e,f""#], false);
        check(&[r#"application/json;a="b", text/plain"#], true);
        check(&[r#"application/json;a="b\\", text/plain"#], true);
        check(&[r#"application/json;a="b, text/plain"#], true);
        check(&[r#"application/json;a="b,c";d=""#], false);
        check(&[r#"application/json;a=\", text/plain"#], true);
    }
}
