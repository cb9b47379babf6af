//! The dialects, and who answers which route.
//!
//! A dialect knows paths, statuses and bodies; the rules stand in [`crate::engine`]. No dialect imports another.

mod admin;
mod cross_site;
mod elasticsearch;
mod form;
mod gateway;
mod json;
mod openshift;
mod redis;

use crate::{
    refusal::Refusal,
    seam::{Op, Request, Response, Stop, Unread, has_two_types},
    token::dialect,
};

pub use gateway::{is_asked_often, is_snapshot, is_verification};

/// Whether `request` states a password where one is checked, in its `Authorization` header (RFC 7617) or, without that header, in its body:
/// it then costs a derivation, unless something else is wrong with it or its source has failed too often.
pub fn checks_password(request: &Request) -> bool {
    let dialect = Dialect::of(&request.path);
    if request.header_values("authorization").next().is_none() {
        return match dialect {
            Some(Dialect::Redis) => redis::is_login_by_body(request),
            Some(Dialect::Elasticsearch) => elasticsearch::is_login_by_body(request),
            _ => false,
        };
    }
    let is_basic =
        |value: &[u8]| value.trim_ascii_start().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "));
    request.header_values("authorization").any(is_basic)
        && match dialect {
            Some(Dialect::Redis | Dialect::Elasticsearch) => true,
            Some(Dialect::Openshift) => !openshift::is_for_everybody(request),
            Some(Dialect::Gateway) => gateway::has_caller(&request.path),
            Some(Dialect::Admin) | None => false,
        }
}

/// The dialect a request is written in, as tokens and the audit trail name it.
pub(crate) fn name(request: &Request) -> &'static str {
    Dialect::answering(request).name()
}

/// The text for whoever is refused as [`Refusal::CrossSite`].
const CROSS_SITE: &str = "a web page of another site had this request sent";

/// The media type that a header names, without its parameters. Capitals do not count.
fn media_type(header: &str) -> &str {
    header.split(';').next().unwrap_or_default().trim()
}

/// Answers a request in the dialect its path belongs to.
pub(crate) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    // A proxy in front may have gone by the other type.
    if has_two_types(op.request.header_values("content-type")) {
        return Ok(unread(op, Unread::TwoTypes));
    }
    let dialect = Dialect::answering(op.request);
    // For others `/admin` does not exist, whoever had them ask.
    let is_there = dialect != Dialect::Admin || op.moment.peer.local;
    if is_there && cross_site::is(op.request, op.moment) {
        return Err(Refusal::CrossSite.into());
    }
    let dialects = &op.settings.dialects;
    match dialect {
        Dialect::Redis if dialects.redis => redis::answer(op),
        Dialect::Openshift if dialects.openshift => openshift::answer(op),
        Dialect::Elasticsearch if dialects.elasticsearch => elasticsearch::answer(op),
        Dialect::Gateway => gateway::answer(op),
        Dialect::Admin if is_there => admin::answer(op),
        _ => Ok(Response::empty(404)),
    }
}

/// Words a refusal in the dialect of the request.
pub(crate) fn refuse(op: &Op<'_>, refusal: &Refusal) -> Response {
    match Dialect::answering(op.request) {
        Dialect::Redis => redis::refuse(op, refusal),
        Dialect::Openshift => openshift::refuse(op, refusal),
        Dialect::Elasticsearch => elasticsearch::refuse(op, refusal),
        Dialect::Gateway => gateway::refuse(op, refusal),
        Dialect::Admin => admin::refuse(op, refusal),
    }
}

/// Words that the body of a request could not be read, in the dialect of the request.
pub(crate) fn unread(op: &Op<'_>, why: Unread) -> Response {
    let dialects = &op.settings.dialects;
    let mut response = match Dialect::answering(op.request) {
        Dialect::Redis if dialects.redis => redis::unread(why),
        Dialect::Openshift if dialects.openshift => openshift::unread(op, why),
        Dialect::Elasticsearch if dialects.elasticsearch => elasticsearch::unread(op, why),
        Dialect::Gateway => gateway::unread(why),
        Dialect::Admin if op.moment.peer.local => admin::unread(why),
        _ => Response::empty(404),
    };
    if response.header("cache-control").is_none() {
        response = response.with_header("cache-control", "no-store");
    }
    if response.status == 415 {
        response = response.with_header("accept-encoding", "gzip");
    }
    response
}

/// Who answers a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// `/v1/…`
    Redis,
    /// `/broker/…`
    Openshift,
    /// `/`, `/_security/…`, `/_xpack/…`, `/_cluster/…`
    Elasticsearch,
    /// `/auth/…`, `/.well-known/…`
    Gateway,
    /// `/admin/…`
    Admin,
}

impl Dialect {
    /// Whose path this is, by its first segment; `None` if it is nobody's.
    pub fn of(path: &str) -> Option<Self> {
        match path.split('/').nth(1)? {
            // Under another prefix or none the dialect has no path, and says so itself. `/users/_search` is of an index of that name.
            "v1" | "V1" | "v2" => Some(Self::Redis),
            "users" if !path.contains("/_") => Some(Self::Redis),
            "broker" => Some(Self::Openshift),
            "_security" | "_xpack" | "_cluster" => Some(Self::Elasticsearch),
            "auth" | ".well-known" => Some(Self::Gateway),
            "admin" => Some(Self::Admin),
            _ => (path == "/").then_some(Self::Elasticsearch),
        }
    }

    /// Who answers `request`. A path that is nobody's is Elasticsearch's, whose routes start at `/`.
    fn answering(request: &Request) -> Self {
        Self::of(&request.path).unwrap_or(Self::Elasticsearch)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Redis => dialect::REDIS,
            Self::Openshift => dialect::OPENSHIFT,
            Self::Elasticsearch => dialect::ELASTICSEARCH,
            Self::Gateway => "gateway",
            Self::Admin => "admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::Method;

    #[test]
    fn a_password_is_checked_where_somebody_is_asked_for() {
        let check = |path: &str, header: &str| {
            checks_password(&Request::new(Method::Get, path).with_header("authorization", header))
        };
        for path in ["/v1/users", "/broker/rest/user", "/_security/oauth2/token", "/auth/introspect", "/auth/revoke"] {
            assert!(check(path, "Basic YTpi") && check(path, "bASIC YTpi") && check(path, "\tBasic YTpi"), "{path}");
            assert!(!check(path, "Bearer a") && !check(path, "Basic") && !check(path, ""), "{path}");
        }
        let open = ["/auth/verify", "/auth/envoy/a", "/auth/revocations", "/.well-known/jwks.json"];
        let api = ["/broker/rest/api", "/broker/rest/api/", "/broker/rest/api.json", "/broker/rest/api.json/"];
        for path in open.into_iter().chain(api).chain(["/admin/users", "/other"]) {
            assert!(!check(path, "Basic YTpi"), "{path}");
        }
    }

    #[test]
    fn a_password_in_a_body_is_checked_where_the_body_says_who_asks() {
        let request = |method, path: &str, body: &str| Request::new(method, path).with_body(body);
        let (list, token) = ("/v1/users/password", "/_xpack/security/oauth2/token");
        let grant = r#"{"grant_type":"password","username":"a","password":"b"}"#;
        for method in [Method::Put, Method::Post, Method::Delete] {
            assert!(checks_password(&request(method.clone(), list, "{}")));
            assert!(!checks_password(&request(method.clone(), list, "")));
            assert!(!checks_password(&request(method, list, "{}").with_header("authorization", "Bearer a")));
        }
        assert!(checks_password(&request(Method::Post, token, grant)));
        let escaped = r#"{"grant_type":"\u0070assword","username":"a","\u0070assword":"b"}"#;
        assert!(checks_password(&request(Method::Post, token, escaped)));
        for (method, path, body) in [
            (Method::Get, list, "{}"),
            (Method::Post, "/v1/users", "{}"),
            (Method::Get, token, grant),
            (Method::Post, token, r#"{"grant_type":"refresh_token"}"#),
            (Method::Post, "/_security/oauth2/token", grant),
            (Method::Post, "/auth/revoke", "token=a"),
        ] {
            assert!(!checks_password(&request(method, path, body)), "{path} {body}");
        }
    }
}
