//! Administration, for the owner of the process only: the command line and the setup of a new server.
//!
//! The driver says who that is (`Peer::local`); for everybody else these routes do not exist. Bodies are JSON objects, in which a
//! member that nobody asked for is an error; errors are `{"error": code, "message": text}`.
//!
//! A `{who}` is a uid if it consists of digits, else a name or an e-mail address, percent-encoded. Where a name consists of digits too,
//! `uid:12` and `name:12` say which is meant.

mod body;
mod bootstrap;
mod error;
mod keys;
mod password;
mod schemes;
mod status;
mod tokens;
mod user;
mod users;

use super::form;
use crate::{
    engine,
    record::{Uid, User},
    refusal::Refusal,
    seam::{Method, Op, Response, Stop},
};
use alloc::{string::String, vec::Vec};
use core::ops::Deref;
use serde::Serialize;

pub(super) use error::{refuse, unread};

/// The media type of every body.
const JSON: &str = "application/json";
/// The name in the audit trail of whoever does what is done here.
const ACTOR: &str = "local";

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let segments: Result<Vec<String>, _> = op.request.path.split('/').skip(2).map(form::segment).collect();
    let segments = segments.unwrap_or_default();
    let Some(resource) = Resource::of(&segments) else {
        return error::refused(404, "not_found", "there is no such resource");
    };
    let method = match &op.request.method {
        // What GET answers; the driver leaves the body away.
        Method::Head => &Method::Get,
        method => method,
    };
    match (resource, method) {
        (Resource::Bootstrap, Method::Post) => bootstrap::bootstrap(op),
        (Resource::Status, Method::Get) => status::show(op),
        (Resource::Users, Method::Get) => users::list(op),
        (Resource::Users, Method::Post) => users::create(op),
        (Resource::User(who), Method::Get) => users::show(op, who),
        (Resource::User(who), Method::Patch) => users::amend(op, who),
        (Resource::User(who), Method::Delete) => users::delete(op, who),
        (Resource::Password(who), Method::Put) => password::replace(op, who),
        (Resource::Password(who), Method::Post) => password::add(op, who),
        (Resource::Change(who, change), Method::Post) => users::change(op, who, change),
        (Resource::Keys, Method::Get) => keys::list(op),
        (Resource::KeyRotation, Method::Post) => keys::rotate(op),
        (Resource::KeyRetirement(kid), Method::Post) => keys::retire(op, kid),
        (Resource::KeyExport, Method::Get) => keys::export(op),
        (Resource::KeyImport, Method::Post) => keys::import(op),
        (Resource::Tokens, Method::Post) => tokens::issue(op),
        (Resource::TokenExplanation, Method::Post) => tokens::explain(op),
        (Resource::TokenRevocation, Method::Post) => tokens::revoke(op),
        (Resource::AuthorizationRevocation, Method::Post) => tokens::revoke_authorizations(op),
        (Resource::SchemePruning, Method::Post) => schemes::prune(op),
        _ => Ok(error::error(405, "method_not_allowed", "this resource does not have this method")
            .with_header("allow", resource.methods())),
    }
}

/// What a path names.
#[derive(Clone, Copy)]
enum Resource<'a> {
    Bootstrap,
    Status,
    Users,
    User(&'a str),
    Password(&'a str),
    Change(&'a str, users::Change),
    Keys,
    KeyRotation,
    KeyRetirement(&'a str),
    KeyExport,
    KeyImport,
    Tokens,
    TokenExplanation,
    TokenRevocation,
    AuthorizationRevocation,
    SchemePruning,
}

impl<'a> Resource<'a> {
    /// `None` for a path that names nothing. A trailing slash names nothing.
    fn of(segments: &'a [String]) -> Option<Self> {
        let mut texts = segments.iter().map(Deref::deref);
        let resource = match (texts.next()?, texts.next(), texts.next()) {
            ("bootstrap", None, _) => Self::Bootstrap,
            ("status", None, _) => Self::Status,
            ("users", None, _) => Self::Users,
            ("users", Some(who), None) if !who.is_empty() => Self::User(who),
            ("users", Some(who), Some("password")) => Self::Password(who),
            ("users", Some(who), Some(change)) => Self::Change(who, users::Change::parse(change)?),
            ("keys", None, _) => Self::Keys,
            ("keys", Some("rotate"), None) => Self::KeyRotation,
            ("keys", Some("export"), None) => Self::KeyExport,
            ("keys", Some("import"), None) => Self::KeyImport,
            ("keys", Some(kid), Some("retire")) => Self::KeyRetirement(kid),
            ("tokens", None, _) => Self::Tokens,
            ("tokens", Some("explain"), None) => Self::TokenExplanation,
            ("tokens", Some("revoke"), None) => Self::TokenRevocation,
            ("authorizations", Some("revoke"), None) => Self::AuthorizationRevocation,
            ("schemes", Some("prune"), None) => Self::SchemePruning,
            _ => return None,
        };
        texts.next().is_none().then_some(resource)
    }

    /// The methods it has, for `Allow`.
    const fn methods(self) -> &'static str {
        match self {
            Self::Status | Self::Keys | Self::KeyExport => "GET, HEAD",
            Self::Users => "GET, HEAD, POST",
            Self::User(_) => "GET, HEAD, PATCH, DELETE",
            Self::Password(_) => "PUT, POST",
            Self::Bootstrap
            | Self::Change(..)
            | Self::KeyRotation
            | Self::KeyRetirement(_)
            | Self::KeyImport
            | Self::Tokens
            | Self::TokenExplanation
            | Self::TokenRevocation
            | Self::AuthorizationRevocation
            | Self::SchemePruning => "POST",
        }
    }
}

/// The user whom a path or a body names. Digits are a uid, or after `uid:`; after `name:` they are a name, and nothing else is taken
/// apart.
///
/// # Errors
/// [`Refusal::UserNotFound`]; 409 for bare digits that are one's uid and another's name.
fn target(op: &Op<'_>, who: &str) -> Result<User, Stop> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let of_uid = |uid: &str| Uid::parse(uid).map_or(Ok(None), |uid| engine::user(op, uid));
    let user = match who.split_once(':').unwrap_or_default() {
        ("uid", uid) if is_number(uid) => of_uid(uid)?,
        ("name", name) if is_number(name) => engine::find_user(op, name)?,
        _ if is_number(who) => {
            let user = of_uid(who)?;
            let uid = user.as_ref().map(|user| user.uid);
            if uid.is_some() && engine::find_user(op, who)?.is_some_and(|named| uid != Some(named.uid)) {
                return error::refused(409, "ambiguous_user", "it is a uid and a name: put `uid:` or `name:` before it");
            }
            user
        }
        _ => engine::find_user(op, who)?,
    };
    user.ok_or(Stop::Refuse(Refusal::UserNotFound))
}

/// An answer that nobody should keep.
fn json(status: u16, body: &impl Serialize) -> Result<Response, Stop> {
    let body = serde_json::to_vec(body).map_err(|_| Refusal::BadRecord)?;
    Ok(Response::new(status, JSON, body).with_header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use crate::{
        seam::Method,
        testing::{TestWorld, json, request},
    };
    use alloc::{format, string::String};
    use serde_json::Value;

    /// A server with the administrator `admin`, uid 1, and `ann`, uid 2.
    pub(super) fn world() -> TestWorld {
        let mut world = TestWorld::with_admin("admin password");
        let ann = r#"{"name": "ann", "email": "ann@example.com", "password": "ann password"}"#;
        assert_eq!(world.local(request("POST /admin/users", ann)).status, 201);
        world.audited();
        world
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(super) fn done(world: &mut TestWorld, line: &str, body: &str, status: u16) -> Value {
        let response = world.local(request(line, body));
        assert_eq!(response.status, status, "{line} {body}: {}", String::from_utf8_lossy(&response.body));
        // It may hold a token or a key.
        assert!(status > 201 || response.header("cache-control") == Some("no-store"), "{line} {body}");
        if status == 204 { Value::Null } else { json(&response) }
    }

    /// Refused with this status and code, and nothing is changed.
    #[track_caller]
    pub(super) fn refused(world: &mut TestWorld, line: &str, body: &str, status: u16, code: &str) {
        let answer = done(world, line, body, status);
        assert_eq!(answer["error"], code, "{line} {body}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty() && !text.ends_with('.')), "{answer}");
        assert_eq!(world.cost.commits, 0, "{line} {body}");
    }

    const ROUTES: [(&str, &str); 20] = [
        ("bootstrap", "POST"),
        ("status", "GET, HEAD"),
        ("users", "GET, HEAD, POST"),
        ("users/1", "GET, HEAD, PATCH, DELETE"),
        ("users/1/password", "PUT, POST"),
        ("users/1/unlock", "POST"),
        ("users/1/disable", "POST"),
        ("users/1/enable", "POST"),
        ("users/1/logout", "POST"),
        ("keys", "GET, HEAD"),
        ("keys/rotate", "POST"),
        ("keys/export", "GET, HEAD"),
        ("keys/import", "POST"),
        ("keys/k/retire", "POST"),
        ("tokens", "POST"),
        ("tokens/explain", "POST"),
        ("tokens/revoke", "POST"),
        ("authorizations/revoke", "POST"),
        ("schemes/prune", "POST"),
        ("users/a%2Fb", "GET, HEAD, PATCH, DELETE"),
    ];

    #[test]
    fn nobody_reaches_these_routes_from_outside() {
        let mut world = world();
        for (path, _) in ROUTES {
            for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
                let plain = request(&format!("{method} /admin/{path}"), "");
                for request in [plain.clone().with_header("origin", "http://elsewhere.example"), plain] {
                    let response = world.call(request);
                    assert_eq!((response.status, response.body.len(), world.cost.rounds), (404, 0, 0), "{method} {path}");
                }
            }
        }
    }

    #[test]
    fn a_wrong_method_is_answered_with_the_right_ones() {
        let mut world = world();
        for (path, methods) in ROUTES {
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
                if !methods.split(", ").any(|known| known == method) {
                    let response = world.local(request(&format!("{method} /admin/{path}"), ""));
                    assert_eq!((response.status, response.header("allow")), (405, Some(methods)), "{method} {path}");
                    assert_eq!(json(&response)["error"], "method_not_allowed");
                }
            }
        }
    }

    #[test]
    fn what_is_no_resource_is_404() {
        let mut world = world();
        for path in ["", "/", "/user", "/users/", "/users/1/", "/users//unlock", "/users/1/promote", "/users/1/unlock/x"] {
            refused(
                &mut world,
                &format!("POST /admin{path}"),
                "",
                404,
                if path == "/users//unlock" { "user_not_found" } else { "not_found" },
            );
        }
        for path in ["/users/%", "/users/%ff", "/users/%zz/unlock", "/keys/x", "/keys/x/y", "/tokens/", "/%75sers/1"] {
            let status = if path == "/%75sers/1" { 200 } else { 404 };
            assert_eq!(world.local(request(&format!("GET /admin{path}"), "")).status, status, "{path}");
        }
    }

    #[test]
    fn bodies_are_strict() {
        let mut world = world();
        for (path, _) in ROUTES.into_iter().filter(|(path, methods)| methods.contains("POST") && *path != "status") {
            let line = format!("{} /admin/{path}", Method::Post.as_str());
            for (body, code) in [
                ("{", "malformed_json"),
                ("{} {}", "malformed_json"),
                (r#"{"name": "a", "name": "b"}"#, "malformed_json"),
                ("\u{feff}{}", "malformed_json"),
                ("[]", "not_an_object"),
                ("null", "not_an_object"),
                (r#"{"surprise": 1}"#, "unknown_member"),
            ] {
                refused(&mut world, &line, body, 400, code);
            }
        }
    }
}
