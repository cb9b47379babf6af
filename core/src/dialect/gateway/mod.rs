//! For what stands between clients and services: reverse proxies ask whether a request may pass, services ask what a token says.
//!
//! | route | who asks | source |
//! |---|---|---|
//! | `/auth/verify` | proxies that take any 2xx: nginx, Traefik, Caddy | their manuals |
//! | `/auth/envoy` | Envoy, which takes 200 only | its `ext_authz` filter |
//! | `/auth/introspect` | services | RFC 7662 |
//! | `/auth/revoke` | services, owners | RFC 7009 |

mod error;
mod verify;

use crate::seam::{Method, Op, Response, Stop};

pub(super) use error::refuse;

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let Some(route) = Route::of(&op.request.path) else { return Ok(Response::empty(404)) };
    if !route.takes(&op.request.method) {
        return Ok(Response::empty(405).with_header("allow", route.methods()));
    }
    match route {
        Route::Verify => verify::verify(op, 204),
        Route::Envoy => verify::verify(op, 200),
    }
}

/// What a path names. Proxies may append the path that the client asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Route {
    Verify,
    Envoy,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        let (first, rest) = match path.strip_prefix("/auth/")?.split_once('/') {
            Some((first, _)) => (first, true),
            None => (path.strip_prefix("/auth/")?, false),
        };
        match (first, rest) {
            ("verify", _) => Some(Self::Verify),
            ("envoy", _) => Some(Self::Envoy),
            _ => None,
        }
    }

    /// Proxies hand the method of the client on, so checking takes every one that has a meaning to a resource.
    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Verify | Self::Envoy => !matches!(method.as_str(), "OPTIONS" | "TRACE" | "CONNECT"),
        }
    }

    /// The methods it has, for `Allow`.
    const fn methods(self) -> &'static str {
        match self {
            Self::Verify | Self::Envoy => "GET, HEAD, POST, PUT, PATCH, DELETE",
        }
    }
}
