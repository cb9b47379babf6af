//! The routes of the server itself: health, metrics, documents, the page, the clock of a test, and what the owner's socket has besides.

use super::{
    Backend,
    body::Why,
    convert::{HttpResponse, closing, not_allowed, plain, unavailable},
    service::{Arrival, Entrance, Service},
    traffic::Route,
};
use crate::text::json;
use core::net::IpAddr;
use http_body_util::Full;
use hyper::{
    Method, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    http::{request::Parts, uri::Authority},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{path::PathBuf, sync::Arc};
use waxseal_core::time::UnixTime;

/// Who answers a request that is the server's own.
pub(super) enum Own {
    /// It is answered.
    Answer(HttpResponse),
    Clock,
    Backup,
    Astray,
    Reload,
}

impl<A: Backend> Service<A> {
    /// Who answers, if the request is the server's own to answer.
    pub(super) fn own(&self, arrival: Arrival, parts: &Parts) -> Option<Own> {
        let path = parts.uri.path();
        let loopback = arrival.address.is_none_or(|address| address.to_canonical().is_loopback());
        // Also behind a proxy on this machine: `loopback` alone would be true of the proxy.
        let nearby = || loopback && self.peer(arrival, parts).address.is_none_or(|address| address.is_loopback());
        Some(Own::Answer(match path {
            "/healthz" => reading(parts, || plain(StatusCode::OK, "ok\n")),
            "/readyz" => reading(parts, || self.ready()),
            "/metrics" if self.shows_metrics(arrival, loopback, parts) => reading(parts, || self.render_metrics()),
            "/metrics" => plain(StatusCode::NOT_FOUND, ""),
            _ if arrival.entrance == Entrance::Operations => plain(StatusCode::NOT_FOUND, ""),
            "/testing/clock" if self.setup.testing && nearby() && names_this_machine(parts) => return Some(Own::Clock),
            "/admin/backup" if arrival.entrance == Entrance::Admin => return Some(Own::Backup),
            "/admin/astray" if arrival.entrance == Entrance::Admin => return Some(Own::Astray),
            "/admin/reload" if arrival.entrance == Entrance::Admin => return Some(Own::Reload),
            _ if path.starts_with("/openapi/") => {
                reading(parts, || self.documents.answer(parts).unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "")))
            }
            _ if Route::of(path) == Route::Admin && arrival.entrance != Entrance::Admin => plain(StatusCode::NOT_FOUND, ""),
            _ => self.setup.page.answer(parts)?,
        }))
    }

    /// Answers such a request.
    pub(super) async fn answer_own(&self, own: Own, parts: &Parts, body: Incoming) -> HttpResponse {
        match own {
            Own::Answer(response) => response,
            Own::Clock => self.clock(parts, body).await,
            Own::Backup => self.backup(parts, body).await,
            Own::Astray => self.astray(parts).await,
            Own::Reload => self.reload(parts).await,
        }
    }

    fn ready(&self) -> HttpResponse {
        if *self.stop.borrow() {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        match self.setup.backend.ready() {
            Ok(()) => plain(StatusCode::OK, "ready\n"),
            Err(why) => {
                tracing::warn!(why, "not ready");
                plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        }
    }

    fn shows_metrics(&self, arrival: Arrival, loopback: bool, parts: &Parts) -> bool {
        match arrival.entrance {
            Entrance::Operations | Entrance::Admin => true,
            // A proxy on this machine would make every client a loopback peer.
            Entrance::Main => {
                let direct = loopback && self.setup.proxies.trusted.is_empty() && !is_forwarded(parts);
                self.setup.main_metrics && direct && names_this_machine(parts)
            }
        }
    }

    fn render_metrics(&self) -> HttpResponse {
        let mut out = hyper::Response::new(Full::new(Bytes::from(self.setup.metrics.render())));
        let media = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        out.headers_mut().insert(header::CONTENT_TYPE, media);
        out
    }

    /// Shows the clock, moves it, stops it or lets it run.
    async fn clock(&self, parts: &Parts, body: Incoming) -> HttpResponse {
        const NEEDED: &str = "one of `advance_secs`, `now_millis` and `stopped` is needed\n";
        let clock = &self.setup.clock;
        match parts.method {
            Method::GET | Method::HEAD => {}
            Method::PUT => match self.read_json::<Move>(body, NEEDED).await {
                Ok(Move { advance_secs: Some(secs), now_millis: None, stopped: None }) => {
                    clock.advance(secs.saturating_mul(1000));
                }
                Ok(Move { advance_secs: None, now_millis: Some(millis), stopped: None }) => {
                    clock.set(UnixTime::from_millis(millis));
                }
                Ok(Move { advance_secs: None, now_millis: None, stopped: Some(true) }) => clock.stop(),
                Ok(Move { advance_secs: None, now_millis: None, stopped: Some(false) }) => clock.run(),
                Ok(_) => return plain(StatusCode::BAD_REQUEST, NEEDED),
                Err(response) => return response,
            },
            _ => return not_allowed("GET, HEAD, PUT"),
        }
        let now = clock.now();
        json(StatusCode::OK, &serde_json::json!({ "now_millis": now.as_millis(), "time": now.to_string() }))
    }

    /// Copies the store while it runs.
    async fn backup(&self, parts: &Parts, body: Incoming) -> HttpResponse {
        if parts.method != Method::POST {
            return not_allowed("POST");
        }
        let to = match self.read_json::<Backup>(body, "`to` is needed, and nothing else\n").await {
            Ok(Backup { to }) if to.is_absolute() => to,
            Ok(_) => return plain(StatusCode::BAD_REQUEST, "`to` must be an absolute path\n"),
            Err(response) => return response,
        };
        let backend = Arc::clone(&self.setup.backend);
        match tokio::task::spawn_blocking(move || backend.backup(&to).map_err(|error| error.to_string())).await {
            Ok(Ok(())) => json(StatusCode::OK, &serde_json::json!({})),
            Ok(Err(error)) => json(StatusCode::INTERNAL_SERVER_ERROR, &serde_json::json!({ "error": error })),
            Err(_) => self.panicked(),
        }
    }

    async fn astray(&self, parts: &Parts) -> HttpResponse {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return not_allowed("GET, HEAD");
        }
        let backend = Arc::clone(&self.setup.backend);
        match tokio::task::spawn_blocking(move || backend.astray()).await {
            Ok(astray) => json(StatusCode::OK, &serde_json::json!(astray)),
            Err(_) => self.panicked(),
        }
    }

    async fn reload(&self, parts: &Parts) -> HttpResponse {
        if parts.method != Method::POST {
            return not_allowed("POST");
        }
        let reload = Arc::clone(&self.setup.reload);
        // To its end, whether or not the client stays.
        match tokio::spawn(async move { reload.run().await }).await {
            Ok(told) => {
                let status = if told.error.is_none() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
                json(status, &serde_json::json!(told))
            }
            Err(_) => self.panicked(),
        }
    }

    /// The body; whoever sends something else is told what is `needed`.
    async fn read_json<T: DeserializeOwned>(&self, body: Incoming, needed: &'static str) -> Result<T, HttpResponse> {
        // The body is the owner's, or comes from whoever moves the clock for a test.
        let body = self.bodies.read(body, &self.setup.limits, None).await.map_err(|error| {
            let response = match error.why {
                Why::Busy => unavailable(),
                Why::Unread(why) => {
                    let status = StatusCode::from_u16(why.status()).unwrap_or(StatusCode::BAD_REQUEST);
                    json(status, &serde_json::json!({ "error": why.text() }))
                }
            };
            if error.close { closing(response) } else { response }
        })?;
        json::object(&body).ok_or_else(|| plain(StatusCode::BAD_REQUEST, needed))
    }
}

/// The body of `PUT /testing/clock`; exactly one member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_secs: Option<i64>,
    now_millis: Option<u64>,
    stopped: Option<bool>,
}

/// The body of `POST /admin/backup`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    to: PathBuf,
}

/// Whether the client calls this machine by an address, or by a name without a dot such as `localhost`. A page in a browser on this
/// machine does not, if its owner has only pointed a domain name here.
fn names_this_machine(parts: &Parts) -> bool {
    let authority = match (parts.uri.authority(), parts.headers.get(header::HOST)) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => host.to_str().ok().and_then(|host| host.parse().ok()),
        (None, None) => return true,
    };
    authority.is_some_and(|authority: Authority| {
        let name = authority.host();
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        !name.contains('.') || address.parse::<IpAddr>().is_ok()
    })
}

/// Whether a proxy says that it passes the request on.
fn is_forwarded(parts: &Parts) -> bool {
    ["forwarded", "x-forwarded-for", "via"].iter().any(|name| parts.headers.contains_key(*name))
}

fn reading(parts: &Parts, answer: impl FnOnce() -> HttpResponse) -> HttpResponse {
    match parts.method {
        Method::GET | Method::HEAD => answer(),
        _ => not_allowed("GET, HEAD"),
    }
}

fn json(status: StatusCode, value: &serde_json::Value) -> HttpResponse {
    let mut out = hyper::Response::new(Full::new(Bytes::from(value.to_string())));
    *out.status_mut() = status;
    out.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    out
}
