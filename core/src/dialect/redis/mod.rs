//! The Redis Enterprise Software dialect: `/v1/…` (contract/redis.md).
//!
//! Order of checks (contract section 2): path, method; credentials in the header; body; right to act on the target; the
//! target exists; `old_password`; the rule of the operation.

mod body;
mod caller;
mod cluster;
mod error;
mod password;
mod roles;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod users;

use crate::{
    refusal::Refusal,
    seam::{Method, Op, Request, Response, Stop},
};
use serde::Serialize;

pub(super) use error::{refuse, unread};

/// The media type of every body.
const JSON: &str = "application/json";

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let Some(resource) = Resource::of(&op.request.path) else { return Ok(error::not_found()) };
    let method = match &op.request.method {
        Method::Options => return Ok(allow(200, resource)),
        // What GET answers; the driver leaves the body away.
        Method::Head => &Method::Get,
        method => method,
    };
    match (resource, method) {
        (Resource::Authorize, Method::Post) => token::authorize(op),
        (Resource::Refresh, Method::Post) => token::refresh(op),
        (Resource::Password, Method::Put) => password::replace(op),
        (Resource::Password, Method::Post) => password::add(op),
        (Resource::Password, Method::Delete) => password::delete(op),
        (Resource::Users, Method::Get) => users::list(op),
        (Resource::Users, Method::Post) => users::create(op),
        (Resource::User(uid), Method::Get) => users::show(op, uid),
        (Resource::User(uid), Method::Put) => users::change(op, uid),
        (Resource::User(uid), Method::Delete) => users::delete(op, uid),
        (Resource::OwnRole, Method::Get) => roles::own(op),
        (Resource::Permissions(role), Method::Get) => roles::permissions(op, role),
        (Resource::Roles, Method::Get) => roles::list(op),
        (Resource::Role(uid), Method::Get) => roles::show(op, uid),
        (Resource::Cluster, Method::Get) => cluster::show(op),
        (Resource::Cluster, Method::Put) => cluster::change(op),
        (Resource::Policy, Method::Get) => cluster::show_policy(op),
        (Resource::Policy, Method::Put) => cluster::change_policy(op),
        (Resource::HashingAlgorithm, Method::Patch) => cluster::change_hashing(op),
        _ => Ok(allow(405, resource)),
    }
}

/// Whether a request without an `Authorization` header states name and password in its body.
pub(super) fn is_login_by_body(request: &Request) -> bool {
    request.path == "/v1/users/password"
        && matches!(request.method, Method::Put | Method::Post | Method::Delete)
        && !request.body.is_empty()
}

/// What a path names.
#[derive(Clone, Copy)]
enum Resource<'a> {
    Authorize,
    Refresh,
    Password,
    Users,
    User(&'a str),
    OwnRole,
    Permissions(Option<&'a str>),
    Roles,
    Role(&'a str),
    Cluster,
    Policy,
    HashingAlgorithm,
}

impl<'a> Resource<'a> {
    /// `None` for a path that names nothing. A trailing slash names nothing.
    fn of(path: &'a str) -> Option<Self> {
        let mut segments = path.strip_prefix("/v1/")?.split('/');
        let resource = match (segments.next()?, segments.next(), segments.next()) {
            ("users", None, _) => Self::Users,
            ("users", Some("authorize"), None) => Self::Authorize,
            ("users", Some("refresh_jwt"), None) => Self::Refresh,
            ("users", Some("password"), None) => Self::Password,
            ("users", Some("role"), None) => Self::OwnRole,
            ("users", Some("permissions"), role) if role != Some("") => Self::Permissions(role),
            ("users", Some(uid), None) if !uid.is_empty() => Self::User(uid),
            ("roles", None, _) => Self::Roles,
            ("roles", Some(uid), None) if !uid.is_empty() => Self::Role(uid),
            ("cluster", None, _) => Self::Cluster,
            ("cluster", Some("policy"), None) => Self::Policy,
            ("cluster", Some("change_password_hashing_algorithm"), None) => Self::HashingAlgorithm,
            _ => return None,
        };
        segments.next().is_none().then_some(resource)
    }

    /// The methods it has, for `Allow`.
    const fn methods(self) -> &'static str {
        match self {
            Self::Authorize | Self::Refresh => "POST, OPTIONS",
            Self::Password => "PUT, POST, DELETE, OPTIONS",
            Self::Users => "GET, HEAD, POST, OPTIONS",
            Self::User(_) => "GET, HEAD, PUT, DELETE, OPTIONS",
            Self::OwnRole | Self::Permissions(_) | Self::Roles | Self::Role(_) => "GET, HEAD, OPTIONS",
            Self::Cluster | Self::Policy => "GET, HEAD, PUT, OPTIONS",
            Self::HashingAlgorithm => "PATCH, OPTIONS",
        }
    }
}

/// 200 with a body.
fn json(body: &impl Serialize) -> Result<Response, Stop> {
    Ok(Response::new(200, JSON, serde_json::to_vec(body).map_err(|_| Refusal::BadRecord)?))
}

fn allow(status: u16, resource: Resource<'_>) -> Response {
    let response = if status == 405 { error::method_not_allowed() } else { Response::empty(status) };
    response.with_header("allow", resource.methods())
}
