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
    seam::{Op, Request, Response, Stop},
    token::dialect,
};

pub use gateway::is_verification;

/// Whether a request states a password in its `Authorization` header (RFC 7617), which costs a derivation unless something else is
/// wrong with it. In a body there may be one too.
pub fn offers_password(request: &Request) -> bool {
    request
        .header_values("authorization")
        .any(|value| value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic ")))
}

/// The dialect a request is written in, as tokens and the audit trail name it.
pub(crate) fn name(request: &Request) -> &'static str {
    Dialect::answering(request).name()
}

/// What whoever is refused as [`Refusal::CrossSite`] reads.
const CROSS_SITE: &str = "a web page of another site had this request sent";

/// Answers a request in the dialect its path belongs to.
pub(crate) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    if cross_site::is(op.request, op.moment) {
        return Err(Refusal::CrossSite.into());
    }
    let dialects = &op.settings.dialects;
    match Dialect::answering(op.request) {
        Dialect::Redis if dialects.redis => redis::answer(op),
        Dialect::Openshift if dialects.openshift => openshift::answer(op),
        Dialect::Elasticsearch if dialects.elasticsearch => elasticsearch::answer(op),
        Dialect::Gateway => gateway::answer(op),
        Dialect::Admin if op.moment.peer.local => admin::answer(op),
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
            "v1" => Some(Self::Redis),
            "broker" => Some(Self::Openshift),
            "_security" | "_xpack" | "_cluster" => Some(Self::Elasticsearch),
            "auth" | ".well-known" => Some(Self::Gateway),
            "admin" => Some(Self::Admin),
            _ => (path == "/").then_some(Self::Elasticsearch),
        }
    }

    /// Who answers `request`. What is nobody's is Elasticsearch's, whose routes start at `/`.
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
