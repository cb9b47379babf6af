//! The Elasticsearch dialect: tokens under `/_security` and `/_xpack/security`, and the few routes its clients need
//! (contract/elasticsearch.md).

mod answer;
mod body;
mod caller;
mod error;
mod info;
mod invalidate;
#[cfg(test)]
mod tests;
mod token;

use crate::seam::{Method, Op, Response, Stop};

pub(super) use error::refuse;

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let path = op.request.path.as_str();
    let Some(resource) = Resource::of(path) else { return Ok(error::no_handler(op)) };
    match (resource, &op.request.method) {
        (Resource::Root, Method::Get | Method::Head) => info::banner(op),
        (Resource::Health, Method::Get | Method::Head) => info::health(op),
        (Resource::Authenticate, Method::Get | Method::Head) => info::authenticate(op),
        (Resource::Token(family), Method::Post) => token::create(op, family),
        (Resource::Token(family), Method::Delete) => invalidate::invalidate(op, family),
        (resource, _) => Ok(error::wrong_method(op, resource.methods())),
    }
}

/// The form of the answers, chosen by the path (contract section 2).
#[derive(Clone, Copy, PartialEq)]
enum Family {
    /// `/_xpack`: as in 6.6 to 6.8.
    Xpack,
    /// `/_security`: as in 8.x.
    Security,
}

#[derive(Clone, Copy)]
enum Resource {
    Root,
    Health,
    Authenticate,
    Token(Family),
}

impl Resource {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Root,
            "/_cluster/health" => Self::Health,
            "/_security/_authenticate" | "/_xpack/security/_authenticate" => Self::Authenticate,
            "/_security/oauth2/token" => Self::Token(Family::Security),
            "/_xpack/security/oauth2/token" => Self::Token(Family::Xpack),
            _ => return None,
        })
    }

    const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Token(_) => &["POST", "DELETE"],
            Self::Root => &["GET", "HEAD"],
            Self::Health | Self::Authenticate => &["GET"],
        }
    }
}
