//! Answers one request: the server's own routes here, everything else from [`Answer`].

use super::{
    Answer, Limits,
    body::{self, Bodies, Why},
    convert::{self, HttpResponse, closing, from_core, plain, unavailable},
    documents,
    forwarded::Proxies,
    page::Page,
    reload::Reload,
    standing::{self, Standing},
    traffic::Route,
    unsent::Unsent,
};
use crate::{
    clock::Clock,
    json,
    logging::Ration,
    metrics::Metrics,
    request_id::{RequestId, RequestIds},
    shares::{Share, Shares},
};
use core::{
    convert::Infallible,
    future::poll_fn,
    mem,
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};
use http_body_util::Full;
use hyper::{
    Method, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderName, HeaderValue},
    http::{
        request::Parts,
        uri::{Authority, Uri},
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{panic::catch_unwind, path::PathBuf, sync::Arc, time::Instant};
use tokio::{sync::watch, task::yield_now, time::timeout};
use waxseal_core::{
    dialect::is_snapshot,
    seam::{Peer, Response, Unread, has_two_types},
    time::UnixTime,
};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The methods core answers; any other has no meaning here.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Over which listener a request came, and from whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) entrance: Entrance,
    /// The other end of the connection; `None` on the administration socket.
    pub(crate) address: Option<IpAddr>,
    pub(crate) tls: bool,
}

/// The listeners.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Entrance {
    Main,
    /// Health and metrics only.
    Operations,
    /// The owner's socket.
    Admin,
}

/// What a [`Service`] is made of.
pub(crate) struct Setup<A> {
    pub(crate) answer: Arc<A>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) proxies: Proxies,
    pub(crate) page: Page,
    /// Whether the clock may be moved.
    pub(crate) testing: bool,
    /// Whether metrics are answered on the main listener, to loopback peers.
    pub(crate) main_metrics: bool,
    pub(crate) reload: Arc<Reload>,
}

/// What all connections share.
pub(crate) struct Service<A> {
    setup: Setup<A>,
    documents: Page,
    standing: Standing,
    /// Log lines about answers with 5xx.
    errors: Ration,
    /// Whether the server is to end. Whoever must be waited for holds a receiver.
    pub(crate) stop: watch::Sender<bool>,
    ids: RequestIds,
    in_flight: Arc<AtomicUsize>,
    /// Who has how many of these.
    in_flight_of: Arc<Shares>,
    bodies: Bodies,
    unsent: Unsent,
}

impl<A: Answer> Service<A> {
    pub(crate) fn new(setup: Setup<A>) -> Self {
        let (stop, _) = watch::channel(false);
        let documents = Page::new(documents::FILES);
        let in_flight = setup.limits.in_flight;
        Self {
            setup,
            documents,
            standing: Standing::new(),
            errors: Ration::new(),
            stop,
            ids: RequestIds::new(),
            in_flight: Arc::default(),
            in_flight_of: Shares::of_many(in_flight),
            bodies: Bodies::new(),
            unsent: Unsent::default(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.setup.limits
    }

    /// Whether `address` is a proxy that is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.setup.proxies.trusts(address)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.setup.metrics
    }

    /// Answers one request, whatever happens.
    pub(super) async fn serve(
        self: Arc<Self>,
        origin: Origin,
        request: hyper::Request<Incoming>,
    ) -> Result<HttpResponse, Infallible> {
        let began = Instant::now();
        let id = self.ids.next();
        let route = Route::of(request.uri().path());
        let method = request.method().clone();
        let mut response = caught(self.respond(origin, id, route, request)).await.unwrap_or_else(|| self.panicked());
        if origin.entrance == Entrance::Operations {
            // There are few places: whoever stayed in one would keep out those who ask whether the server is well.
            response = closing(response);
        }
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(id.to_string())) {
            response.headers_mut().insert(&REQUEST_ID, value);
        }
        let took = began.elapsed();
        let status = response.status();
        self.setup.metrics.traffic.count(route, status.as_u16(), took);
        // Neither path nor query: they may hold a token (security L2).
        macro_rules! record {
            ($level:ident $(, $unsaid:ident)?) => {
                tracing::$level!(
                    request = %id,
                    source = origin.address.map(tracing::field::display),
                    method = known(&method),
                    route = route.as_str(),
                    status = status.as_u16(),
                    micros = took.as_micros(),
                    $($unsaid,)?
                    "answered"
                )
            };
        }
        if status.is_server_error() {
            if let Some(unsaid) = self.errors.admit() {
                record!(warn, unsaid);
            }
        } else {
            record!(debug);
        }
        Ok(response)
    }

    fn panicked(&self) -> HttpResponse {
        self.setup.metrics.panics.inc();
        unavailable()
    }

    async fn respond(
        &self,
        origin: Origin,
        id: RequestId,
        route: Route,
        request: hyper::Request<Incoming>,
    ) -> HttpResponse {
        let limits = &self.setup.limits;
        let (parts, body) = request.into_parts();
        if octets(&parts.uri) > limits.target {
            return closing(plain(StatusCode::URI_TOO_LONG, ""));
        }
        if parts.headers.len() > limits.headers {
            return closing(plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ""));
        }
        // It names no path that anybody could answer for.
        if parts.method == Method::CONNECT {
            return not_allowed(METHODS);
        }
        if matches!(route, Route::Host | Route::Admin | Route::Other | Route::Elasticsearch)
            || origin.entrance == Entrance::Operations
        {
            match self.own(origin, &parts) {
                Own::Answer(response) => return response,
                Own::Clock => return self.clock(&parts, body).await,
                Own::Backup => return self.backup(&parts, body).await,
                Own::Astray => return self.astray(&parts).await,
                Own::Reload => return self.reload(&parts).await,
                Own::No => {}
            }
        }
        if has_two_types(parts.headers.get_all(header::CONTENT_TYPE).iter().map(HeaderValue::as_bytes)) {
            return self.unread(origin, &parts, Unread::TwoTypes);
        }
        if route == Route::Verify
            && let Some(mark) = self.setup.answer.mark()
            && let Some(asked) = standing::asked(&parts, &body)
        {
            let now = self.setup.clock.now();
            if let Some(answer) = self.standing.find(&asked, mark, now) {
                self.setup.answer.given_again();
                return answer;
            }
            let answer = self.ask(origin, id, route, &parts, body).await;
            self.standing.keep(asked, mark, now, &answer);
            return answer;
        }
        self.ask(origin, id, route, &parts, body).await
    }

    /// Whether a request is the server's own to answer.
    fn own(&self, origin: Origin, parts: &Parts) -> Own {
        let path = parts.uri.path();
        let loopback = origin.address.is_none_or(|address| address.to_canonical().is_loopback());
        // Also behind a proxy on this machine: `loopback` alone would be true of the proxy.
        let nearby = || loopback && self.peer(origin, parts).address.is_none_or(|address| address.is_loopback());
        Own::Answer(match path {
            "/healthz" => reading(parts, || plain(StatusCode::OK, "ok\n")),
            "/readyz" => reading(parts, || self.ready()),
            "/metrics" if self.shows_metrics(origin, loopback, parts) => reading(parts, || self.render_metrics()),
            "/metrics" => plain(StatusCode::NOT_FOUND, ""),
            _ if origin.entrance == Entrance::Operations => plain(StatusCode::NOT_FOUND, ""),
            "/testing/clock" if self.setup.testing && nearby() && names_this_machine(parts) => return Own::Clock,
            "/admin/backup" if origin.entrance == Entrance::Admin => return Own::Backup,
            "/admin/astray" if origin.entrance == Entrance::Admin => return Own::Astray,
            "/admin/reload" if origin.entrance == Entrance::Admin => return Own::Reload,
            _ if path.starts_with("/openapi/") => {
                reading(parts, || self.documents.answer(parts).unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "")))
            }
            _ if Route::of(path) == Route::Admin && origin.entrance != Entrance::Admin => plain(StatusCode::NOT_FOUND, ""),
            _ => match self.setup.page.answer(parts) {
                Some(response) => response,
                None => return Own::No,
            },
        })
    }

    fn ready(&self) -> HttpResponse {
        if *self.stop.borrow() {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        match self.setup.answer.ready() {
            Ok(()) => plain(StatusCode::OK, "ready\n"),
            Err(why) => {
                tracing::warn!(why, "not ready");
                plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        }
    }

    fn shows_metrics(&self, origin: Origin, loopback: bool, parts: &Parts) -> bool {
        match origin.entrance {
            Entrance::Operations | Entrance::Admin => true,
            // A proxy on this machine would make every client a loopback peer.
            Entrance::Main => {
                let direct = loopback && self.setup.proxies.trusted.is_empty();
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
        let clock = &self.setup.clock;
        match parts.method {
            Method::GET | Method::HEAD => {}
            Method::PUT => match self.read_json::<Move>(body).await {
                Ok(Move { advance_secs: Some(secs), now_millis: None, stopped: None }) => {
                    clock.advance(secs.saturating_mul(1000));
                }
                Ok(Move { advance_secs: None, now_millis: Some(millis), stopped: None }) => {
                    clock.set(UnixTime::from_millis(millis));
                }
                Ok(Move { advance_secs: None, now_millis: None, stopped: Some(true) }) => clock.stop(),
                Ok(Move { advance_secs: None, now_millis: None, stopped: Some(false) }) => clock.run(),
                Ok(_) => {
                    return plain(StatusCode::BAD_REQUEST, "one of `advance_secs`, `now_millis` and `stopped` is needed\n");
                }
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
        let to = match self.read_json::<Backup>(body).await {
            Ok(Backup { to }) if to.is_absolute() => to,
            Ok(_) => return plain(StatusCode::BAD_REQUEST, "`to` must be an absolute path\n"),
            Err(response) => return response,
        };
        let answer = Arc::clone(&self.setup.answer);
        match tokio::task::spawn_blocking(move || answer.backup(&to).map_err(|error| error.to_string())).await {
            Ok(Ok(())) => json(StatusCode::OK, &serde_json::json!({})),
            Ok(Err(error)) => json(StatusCode::INTERNAL_SERVER_ERROR, &serde_json::json!({ "error": error })),
            Err(_) => self.panicked(),
        }
    }

    async fn astray(&self, parts: &Parts) -> HttpResponse {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return not_allowed("GET, HEAD");
        }
        let answer = Arc::clone(&self.setup.answer);
        match tokio::task::spawn_blocking(move || answer.astray()).await {
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

    async fn read_json<T: DeserializeOwned>(&self, body: Incoming) -> Result<T, HttpResponse> {
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
        json::object(&body).ok_or_else(|| plain(StatusCode::BAD_REQUEST, "the body is not what this route takes\n"))
    }

    /// Lets core answer.
    async fn ask(&self, origin: Origin, id: RequestId, route: Route, parts: &Parts, body: Incoming) -> HttpResponse {
        let (limits, peer) = (&self.setup.limits, self.peer(origin, parts));
        let read = async {
            // Whoever asks about a token has nothing to say in a body.
            match route {
                Route::Verify => body::skip(body, limits).await.map(|()| Vec::new()),
                _ => self.bodies.decoded(&parts.headers, body, limits, peer.address).await,
            }
        };
        let body = match read.await {
            Ok(body) => body,
            Err(error) => {
                let response = match error.why {
                    Why::Busy => self.overloaded(origin, parts),
                    Why::Unread(why) => self.unread(origin, parts, why),
                };
                return if error.close { closing(response) } else { response };
            }
        };
        // Not while the body is awaited: whoever sends none would hold a place of those who do. Strangers never keep the owner waiting.
        let slot = match (route, origin.entrance) {
            (Route::Verify, _) | (_, Entrance::Admin) => None,
            _ => match self.slot(peer.address) {
                Some(slot) => Some(slot),
                None => return self.overloaded(origin, parts),
            },
        };
        let to = match peer.address {
            _ if is_snapshot(parts.uri.path()) => To::Everybody,
            None => To::Owner,
            Some(address) => To::Source(address),
        };
        let request = convert::to_core(parts, body);
        let answer = Arc::clone(&self.setup.answer);
        let answering = id.around(async move {
            let _slot = slot;
            answer.answer(request, peer).await
        });
        let mut answering = Box::pin(answering);
        match poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await {
            Poll::Ready(response) => {
                let response = self.outgoing(to, response).unwrap_or_else(|| self.overloaded(origin, parts));
                // Other requests that have come meanwhile are answered first, and then all responses are written, one after the other:
                // the code of each part stays in the cache, and a client on the same machine is woken once rather than for each
                // response.
                yield_now().await;
                response
            }
            Poll::Pending => match self.wait(answering).await {
                Ok(response) => self.outgoing(to, response).unwrap_or_else(|| self.overloaded(origin, parts)),
                Err(Unanswered::Late) => closing(self.overloaded(origin, parts)),
                Err(Unanswered::Panicked) => self.panicked(),
            },
        }
    }

    /// A place among the requests that are being answered; `None` when all, or all that `source` may have, are taken.
    fn slot(&self, source: Option<IpAddr>) -> Option<(Option<Share>, Slot)> {
        // The share first: whoever has too many takes no place, not even for a moment.
        let share = match source {
            Some(source) => Some(self.in_flight_of.take(source)?),
            None => None,
        };
        Some((share, Slot::take(&self.in_flight, self.setup.limits.in_flight)?))
    }

    /// The answer to a request for which there is no room or time now.
    fn overloaded(&self, origin: Origin, parts: &Parts) -> HttpResponse {
        let request = convert::to_core(parts, Vec::new());
        let mut response = self.setup.answer.unavailable(request, self.peer(origin, parts));
        let body = mem::take(&mut response.body);
        from_core(response, body.into())
    }

    /// The answer to a request whose body could not be read.
    fn unread(&self, origin: Origin, parts: &Parts, why: Unread) -> HttpResponse {
        let request = convert::to_core(parts, Vec::new());
        let mut response = self.setup.answer.unread(request, self.peer(origin, parts), why);
        let body = mem::take(&mut response.body);
        from_core(response, body.into())
    }

    /// The response; `None` when too much is being sent already to clients that do not read: this one has to come again.
    fn outgoing(&self, to: To, mut response: Response) -> Option<HttpResponse> {
        let body = mem::take(&mut response.body);
        let body = match to {
            // The owner is not bound by what strangers do.
            To::Owner => Some(body.into()),
            To::Everybody => Some(self.unsent.publish(body)),
            To::Source(source) => self.unsent.take(body, source, self.setup.limits.bodies),
        };
        body.map(|body| from_core(response, body))
    }

    /// An answer that has to wait goes on in a task of its own: once begun it ends, whether or not the client stays.
    async fn wait(
        &self,
        answering: Pin<Box<impl Future<Output = Response> + Send + 'static>>,
    ) -> Result<Response, Unanswered> {
        let alive = self.stop.subscribe();
        let task = tokio::spawn(async move {
            let response = answering.await;
            drop(alive);
            response
        });
        match timeout(self.setup.limits.request_time, task).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err(Unanswered::Panicked),
            Err(_) => Err(Unanswered::Late),
        }
    }

    fn peer(&self, origin: Origin, parts: &Parts) -> Peer {
        match origin.address {
            None => Peer { local: true, ..Peer::default() },
            Some(address) => {
                let client = self.setup.proxies.client(address, origin.tls, &parts.headers);
                Peer { address: Some(client.address), local: false, secure: client.secure, host: client.host }
            }
        }
    }
}

/// Why there is no response.
enum Unanswered {
    Late,
    Panicked,
}

/// Whom a response is for.
#[derive(Clone, Copy)]
enum To {
    /// Who asks over the administration socket.
    Owner,
    /// All get the same.
    Everybody,
    Source(IpAddr),
}

/// Who answers a request that is not plainly core's.
enum Own {
    Answer(HttpResponse),
    Clock,
    Backup,
    Astray,
    Reload,
    No,
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

/// One of the requests that are being answered.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(taken: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let slot = Self(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::Relaxed) < limit).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `None` if the future panicked.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// How long the target of a request is.
fn octets(target: &Uri) -> usize {
    let scheme = target.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let host = target.authority().map_or(0, |host| host.as_str().len());
    scheme + host + target.path_and_query().map_or(0, |path| path.as_str().len())
}

/// A method as it may stand in a log.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::TRACE
        | Method::CONNECT => method.as_str(),
        _ => "other",
    }
}

/// Whether the client calls this machine by an address, or by a name without a dot such as `localhost`. A page in a browser on this
/// machine does not, if its owner has only pointed his domain name here.
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

fn reading(parts: &Parts, answer: impl FnOnce() -> HttpResponse) -> HttpResponse {
    match parts.method {
        Method::GET | Method::HEAD => answer(),
        _ => not_allowed("GET, HEAD"),
    }
}

fn not_allowed(allow: &'static str) -> HttpResponse {
    let mut out = plain(StatusCode::METHOD_NOT_ALLOWED, "");
    out.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    out
}

fn json(status: StatusCode, value: &serde_json::Value) -> HttpResponse {
    let mut out = hyper::Response::new(Full::new(Bytes::from(value.to_string())));
    *out.status_mut() = status;
    out.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    out
}
