//! Settings of the native server, as plain data.

use crate::{
    engine::Execution,
    http::{Forwarding, Limits, Network},
    logging::LogFormat,
    text::hex,
};
use core::{net::SocketAddr, time::Duration};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the native server; those of the rules stand in [`waxseal_core::settings::Settings`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Sockets, TLS, limits.
    pub server: Server,
    /// What is logged, and how.
    pub log: Log,
    /// Which engine answers, and how passwords are derived.
    pub engine: Engine,
}

/// Sockets, TLS, limits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where the server listens. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// A further address that answers metrics and health.
    pub operations: Option<SocketAddr>,
    /// PEM file with the certificate and its intermediates; TLS is on when this and `tls_key` are set.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub tls_key: Option<PathBuf>,
    /// PEM file with the authorities, from one of which every client must show a certificate.
    pub tls_client_ca: Option<PathBuf>,
    /// Allows plain HTTP also where others than this machine can reach it (security H6).
    pub allow_plain_http: bool,
    /// Address ranges of proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Which headers these proxies write.
    pub forwarding: Forwarding,
    /// Whether `GET /` shows the page to a browser.
    pub page: bool,
    /// Open connections.
    pub max_connections: u32,
    /// Requests being answered at once.
    pub max_in_flight: u32,
    /// Octets of request line and headers (security H4).
    pub head_bytes: u32,
    /// Octets of a body (security H4).
    pub body_bytes: u32,
    /// Seconds within which a request's head must have arrived (security H4).
    pub head_secs: u32,
    /// Seconds from there to the end of the body, and then to the end of the answer, with a second more for each 4 KiB of it (security
    /// H4).
    pub request_secs: u32,
    /// Seconds a connection may be open without a request.
    pub idle_secs: u32,
    /// Seconds that requests in progress have to end when the server stops.
    pub drain_secs: u32,
}

impl Default for Server {
    fn default() -> Self {
        let limits = Limits::default();
        let number = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
        let secs = |limit: Duration| u32::try_from(limit.as_secs()).unwrap_or(u32::MAX);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            operations: None,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            allow_plain_http: false,
            trusted_proxies: Vec::new(),
            forwarding: Forwarding::XForwarded,
            page: true,
            max_connections: number(limits.connections),
            max_in_flight: number(limits.in_flight),
            head_bytes: number(limits.head),
            body_bytes: number(limits.body),
            head_secs: secs(limits.head_time),
            request_secs: secs(limits.request_time),
            idle_secs: secs(limits.idle_time),
            drain_secs: secs(limits.drain_time),
        }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The shape of the records.
    pub format: LogFormat,
    /// Levels, in the syntax of `tracing`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: "info".into() }
    }
}

/// Which engine answers, and how passwords are derived.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// What answers `/auth/verify`, `/auth/envoy` and `/auth/introspect`.
    pub hot: Execution,
    /// What answers everything else.
    pub api: Execution,
    /// A module to run in the place of the one in this binary; then everything is answered by it.
    pub module: Option<PathBuf>,
    /// The SHA-256 of that file, which is stated in hexadecimal digits.
    #[serde(with = "hex::stated")]
    pub module_sha256: Option<[u8; 32]>,
    /// Instances of the module at once.
    pub instances: u32,
    /// Password derivations at once; 0 is one per core.
    pub kdf_workers: u32,
    /// Password derivations that may wait; 0 is 64 per worker.
    pub kdf_queue: u32,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            hot: Execution::Native,
            api: Execution::Module,
            module: None,
            module_sha256: None,
            instances: 256,
            kdf_workers: 0,
            kdf_queue: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Host;
    use crate::{
        engine::{self, Choice},
        logging::LogOptions,
    };

    /// They are stated once more in this file, as the configuration is also compiled without what it configures (`tests/fuzz`).
    #[test]
    fn defaults_are_those_of_what_is_set() {
        let Host { log, engine, .. } = Host::default();
        let usual = LogOptions::default();
        assert_eq!((log.format, log.filter), (usual.format, usual.filter));
        assert_eq!(Choice { hot: engine.hot, api: engine.api }, Choice::default());
        assert_eq!(engine.instances, engine::Limits::default().instances.get());
    }
}
