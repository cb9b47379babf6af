//! The Elasticsearch dialect: tokens, users and roles under `/_security` and `/_xpack/security`, and the few routes its clients
//! need (contract/elasticsearch.md).
//!
//! Order of checks: path, method; credentials in the header; body; right to act; the target exists; the rule of the operation.

mod answer;
mod body;
mod caller;
mod error;
mod info;
mod invalidate;
mod password;
mod roles;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod users;
#[cfg(test)]
mod users_tests;

use crate::seam::{Method, Op, Request, Response, Stop};

pub(super) use error::{refuse, unread};

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let path = op.request.path.as_str();
    let Some(resource) = Resource::of(path) else { return Ok(error::no_handler(op)) };
    let method = match &op.request.method {
        // What GET answers; the driver leaves the body away.
        Method::Head => &Method::Get,
        method => method,
    };
    match (resource, method) {
        (Resource::Root, Method::Get) => info::banner(op),
        (Resource::Health, Method::Get) => info::health(op),
        (Resource::Authenticate, Method::Get) => info::authenticate(op),
        (Resource::Token(prefix), Method::Post) => token::create(op, prefix),
        (Resource::Token(prefix), Method::Delete) => invalidate::invalidate(op, prefix),
        (Resource::Users, Method::Get) => users::list(op),
        (Resource::User(_, names), Method::Get) => users::show(op, names),
        (Resource::User(prefix, name), Method::Put | Method::Post) => users::put(op, prefix, name),
        (Resource::User(_, name), Method::Delete) => users::delete(op, name),
        (Resource::Enabled(name, enabled), Method::Put | Method::Post) => users::enable(op, name, enabled),
        (Resource::Password(name), Method::Put | Method::Post) => password::change(op, name),
        (Resource::Roles, Method::Get) => roles::list(op),
        (Resource::Role(names), Method::Get) => roles::show(op, names),
        (Resource::Role(name), Method::Put | Method::Post) => roles::put(op, name),
        (Resource::Role(name), Method::Delete) => roles::delete(op, name),
        (resource, _) => Ok(error::wrong_method(op, resource.methods())),
    }
}

/// Whether a request without an `Authorization` header states name and password in its body: a password grant of the older prefix.
/// An escape may stand for any letter of it.
pub(super) fn is_login_by_body(request: &Request) -> bool {
    let mentions = |text: &[u8]| request.body.windows(text.len()).any(|octets| octets == text);
    trimmed(&request.path) == "/_xpack/security/oauth2/token"
        && request.method == Method::Post
        && (mentions(b"\"password\"") || mentions(b"\\"))
}

/// A path without a slash at its end, which means the same to the product. A name that was left empty stays empty: it never means all.
/// Users and roles may themselves be called `user` or `role`.
fn trimmed(path: &str) -> &str {
    let named_next = ["/", "security/user", "security/role"];
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() && !named_next.iter().any(|end| rest.ends_with(end)) => rest,
        _ => path,
    }
}

/// What the path starts with, which chooses the form of the answers (contract section 2).
#[derive(Clone, Copy, PartialEq)]
enum Prefix {
    /// `/_xpack`: as in 6.6 to 6.8.
    Xpack,
    /// `/_security`: as in 8.x.
    Security,
}

/// What a path names. Names are still percent-encoded.
#[derive(Clone, Copy)]
enum Resource<'a> {
    Root,
    Health,
    Authenticate,
    Token(Prefix),
    Users,
    User(Prefix, &'a str),
    /// Of a user, or of the caller.
    Password(Option<&'a str>),
    Enabled(&'a str, bool),
    Roles,
    Role(&'a str),
}

impl<'a> Resource<'a> {
    /// `None` for a path that names nothing.
    fn of(path: &'a str) -> Option<Self> {
        let path = trimmed(path);
        match path {
            "/" => return Some(Self::Root),
            "/_cluster/health" => return Some(Self::Health),
            _ => {}
        }
        let (prefix, rest) = match path.strip_prefix("/_security/") {
            Some(rest) => (Prefix::Security, rest),
            None => (Prefix::Xpack, path.strip_prefix("/_xpack/security/")?),
        };
        let mut segments = rest.split('/');
        let resource = match (segments.next()?, segments.next(), segments.next()) {
            ("_authenticate", None, _) => Self::Authenticate,
            ("oauth2", Some("token"), None) => Self::Token(prefix),
            ("user", None, _) => Self::Users,
            ("user", Some("_password"), None) => Self::Password(None),
            // What the product has here and this server does not. A user of such a name is reached by escaping it.
            ("user", Some("" | "_privileges" | "_has_privileges" | "_query"), _) | ("role", Some("" | "_query"), _) => {
                return None;
            }
            ("user", Some(name), None) => Self::User(prefix, name),
            ("user", Some(name), Some("_password")) => Self::Password(Some(name)),
            ("user", Some(name), Some("_enable")) => Self::Enabled(name, true),
            ("user", Some(name), Some("_disable")) => Self::Enabled(name, false),
            ("role", None, _) => Self::Roles,
            ("role", Some(name), None) => Self::Role(name),
            _ => return None,
        };
        segments.next().is_none().then_some(resource)
    }

    /// The methods it has, for `Allow`.
    const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Root | Self::Health | Self::Authenticate | Self::Users | Self::Roles => &["GET", "HEAD"],
            Self::Token(_) => &["POST", "DELETE"],
            Self::User(..) | Self::Role(_) => &["GET", "HEAD", "PUT", "POST", "DELETE"],
            Self::Password(_) | Self::Enabled(..) => &["PUT", "POST"],
        }
    }
}
