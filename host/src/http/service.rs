//! Answers one request: the server's own routes in [`own`](super::own), everything else from [`Backend`].

use super::{
    Backend, Limits,
    body::{self, Bodies, Why},
    convert::{self, HttpResponse, closing, from_core, not_allowed, plain, unavailable},
    documents,
    forwarded::Proxies,
    page::Page,
    reload::Reload,
    response_cache::{self, ResponseCache},
    traffic::Route,
    unsent::Unsent,
};
use crate::{
    clock::Clock,
    logging::RateLimit,
    metrics::Metrics,
    request_id::{RequestId, RequestIds},
    source_limit::{SourceLimit, SourcePermit},
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
use hyper::{
    Method, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderName, HeaderValue},
    http::{request::Parts, uri::Uri},
};
use std::{panic::catch_unwind, sync::Arc, time::Instant};
use tokio::{sync::watch, task::yield_now, time::timeout};
use waxseal_core::{
    dialect::is_snapshot,
    seam::{Peer, Response, Unread, has_two_types},
};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The methods core answers; any other has no meaning here.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Over which listener a request came, and from whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
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
    pub(crate) backend: Arc<A>,
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
    pub(super) setup: Setup<A>,
    pub(super) documents: Page,
    response_cache: ResponseCache,
    /// Log lines about answers with 5xx.
    errors: RateLimit,
    /// Whether the server is to end. Whoever must be waited for holds a receiver.
    pub(crate) stop: watch::Sender<bool>,
    ids: RequestIds,
    in_flight: Arc<AtomicUsize>,
    /// Who has how many of these.
    in_flight_of: Arc<SourceLimit>,
    pub(super) bodies: Bodies,
    unsent: Unsent,
}

impl<A: Backend> Service<A> {
    pub(crate) fn new(setup: Setup<A>) -> Self {
        let (stop, _) = watch::channel(false);
        let documents = Page::new(documents::FILES);
        let in_flight = setup.limits.in_flight;
        Self {
            setup,
            documents,
            response_cache: ResponseCache::new(),
            errors: RateLimit::new(),
            stop,
            ids: RequestIds::new(),
            in_flight: Arc::default(),
            in_flight_of: SourceLimit::of_many(in_flight),
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
        arrival: Arrival,
        request: hyper::Request<Incoming>,
    ) -> Result<HttpResponse, Infallible> {
        let began = Instant::now();
        let id = self.ids.next();
        let route = Route::of(request.uri().path());
        let method = request.method().clone();
        let mut response = caught(self.respond(arrival, id, route, request)).await.unwrap_or_else(|| self.panicked());
        if arrival.entrance == Entrance::Operations {
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
                    source = arrival.address.map(tracing::field::display),
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

    pub(super) fn panicked(&self) -> HttpResponse {
        self.setup.metrics.panics.inc();
        unavailable()
    }

    async fn respond(
        &self,
        arrival: Arrival,
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
        if (route.may_be_own() || arrival.entrance == Entrance::Operations)
            && let Some(own) = self.own(arrival, &parts)
        {
            return self.answer_own(own, &parts, body).await;
        }
        if has_two_types(parts.headers.get_all(header::CONTENT_TYPE).iter().map(HeaderValue::as_bytes)) {
            return self.unread(arrival, &parts, Unread::TwoTypes);
        }
        if route == Route::Verify
            && let Some(mark) = self.setup.backend.mark()
            && let Some(asked) = response_cache::asked(&parts, &body)
        {
            let now = self.setup.clock.now();
            if let Some(answer) = self.response_cache.find(&asked, mark, now) {
                self.setup.backend.given_again();
                return answer;
            }
            let answer = self.ask(arrival, id, route, &parts, body).await;
            self.response_cache.keep(asked, mark, now, &answer);
            return answer;
        }
        self.ask(arrival, id, route, &parts, body).await
    }

    /// Lets core answer.
    async fn ask(&self, arrival: Arrival, id: RequestId, route: Route, parts: &Parts, body: Incoming) -> HttpResponse {
        let (limits, peer) = (&self.setup.limits, self.peer(arrival, parts));
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
                    Why::Busy => self.overloaded(arrival, parts),
                    Why::Unread(why) => self.unread(arrival, parts, why),
                };
                return if error.close { closing(response) } else { response };
            }
        };
        // Not while the body is awaited: whoever sends none would hold a place of those who do. Strangers never keep the owner waiting.
        let slot = match (route, arrival.entrance) {
            (Route::Verify, _) | (_, Entrance::Admin) => None,
            _ => match self.slot(peer.address) {
                Some(slot) => Some(slot),
                None => return self.overloaded(arrival, parts),
            },
        };
        let to = match peer.address {
            _ if is_snapshot(parts.uri.path()) => To::Everybody,
            None => To::Owner,
            Some(address) => To::Source(address),
        };
        let request = convert::to_core(parts, body);
        let backend = Arc::clone(&self.setup.backend);
        let answering = id.around(async move {
            let _slot = slot;
            backend.answer(request, peer).await
        });
        let mut answering = Box::pin(answering);
        match poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await {
            Poll::Ready(response) => {
                let response = self.outgoing(to, response).unwrap_or_else(|| self.overloaded(arrival, parts));
                // Other requests that have come meanwhile are answered first, and then all responses are written, one after the other:
                // the code of each part stays in the cache, and a client on the same machine is woken once rather than for each
                // response.
                yield_now().await;
                response
            }
            Poll::Pending => match self.wait(answering).await {
                Ok(response) => self.outgoing(to, response).unwrap_or_else(|| self.overloaded(arrival, parts)),
                Err(Unanswered::Late) => closing(self.overloaded(arrival, parts)),
                Err(Unanswered::Panicked) => self.panicked(),
            },
        }
    }

    /// A place among the requests that are being answered; `None` when all, or all that `source` may have, are taken.
    fn slot(&self, source: Option<IpAddr>) -> Option<(SourcePermit, Slot)> {
        // The share first: whoever has too many takes no place, not even for a moment.
        let share = self.in_flight_of.take(source)?;
        Some((share, Slot::take(&self.in_flight, self.setup.limits.in_flight)?))
    }

    /// The answer to a request for which there is no room or time now.
    fn overloaded(&self, arrival: Arrival, parts: &Parts) -> HttpResponse {
        let request = convert::to_core(parts, Vec::new());
        let mut response = self.setup.backend.unavailable(request, self.peer(arrival, parts));
        let body = mem::take(&mut response.body);
        from_core(response, body.into())
    }

    /// The answer to a request whose body could not be read.
    fn unread(&self, arrival: Arrival, parts: &Parts, why: Unread) -> HttpResponse {
        let request = convert::to_core(parts, Vec::new());
        let mut response = self.setup.backend.unread(request, self.peer(arrival, parts), why);
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

    pub(super) fn peer(&self, arrival: Arrival, parts: &Parts) -> Peer {
        match arrival.address {
            None => Peer { local: true, ..Peer::default() },
            Some(address) => {
                let client = self.setup.proxies.client(address, arrival.tls, &parts.headers);
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
