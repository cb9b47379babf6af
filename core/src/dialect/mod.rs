//! The dialects, and who answers which route.
//!
//! A dialect knows paths, statuses and bodies; the rules stand in [`crate::engine`]. No dialect imports another.

mod admin;
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

/// The dialect a request is written in, as tokens and the audit trail name it.
pub(crate) fn name(request: &Request) -> &'static str {
    Dialect::of(request).name()
}

/// Answers a request in the dialect its path belongs to.
pub(crate) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let dialects = &op.settings.dialects;
    match Dialect::of(op.request) {
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
    match Dialect::of(op.request) {
        Dialect::Redis => redis::refuse(op, refusal),
        Dialect::Openshift => openshift::refuse(op, refusal),
        Dialect::Elasticsearch => elasticsearch::refuse(op, refusal),
        Dialect::Gateway => gateway::refuse(op, refusal),
        Dialect::Admin => admin::refuse(op, refusal),
    }
}

#[derive(Clone, Copy)]
enum Dialect {
    Redis,
    Openshift,
    Elasticsearch,
    Gateway,
    Admin,
}

impl Dialect {
    /// By the first segment of the path; what belongs to nobody else is Elasticsearch's, whose routes start at `/`.
    fn of(request: &Request) -> Self {
        match request.path.split('/').nth(1) {
            Some("v1") => Self::Redis,
            Some("broker") => Self::Openshift,
            Some("auth" | ".well-known") => Self::Gateway,
            Some("admin") => Self::Admin,
            _ => Self::Elasticsearch,
        }
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
