//! Counters, gauges and histograms, as `GET /metrics` shows them.

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use waxseal_core::seam::{Event, Outcome};

/// Every counter of the server. All of them may be raised from anywhere; none is ever reset.
pub struct Metrics {
    /// Logins.
    pub logins: Logins,
    /// The password derivations.
    pub kdf: Kdf,
    /// The store.
    pub store: Store,
    /// Traps of the component, each of which ended one request.
    pub traps: Counter,
    /// Panics, each of which ended one request.
    pub panics: Counter,
    /// Open connections.
    pub connections: Gauge,
    /// Audit records that could not be written.
    pub audit_lost: Counter,
    registry: Registry,
}

/// Logins by how they ended.
#[derive(Clone, Default)]
pub struct Logins(Family<[(&'static str, &'static str); 1], Counter>);

impl Logins {
    /// Counts `event` if it is a login.
    pub fn count(&self, event: &Event) {
        if event.action == "login" {
            let result = match event.outcome {
                Outcome::Success => "ok",
                Outcome::Refused => event.reason,
            };
            self.0.get_or_create(&[("result", result)]).inc();
        }
    }
}

/// The queue of password derivations.
#[derive(Clone, Default)]
pub struct Kdf {
    /// Derivations that wait for a worker.
    pub queued: Gauge,
    /// Derivations that are being computed.
    pub running: Gauge,
    /// Derivations refused because the queue was full.
    pub rejected: Counter,
}

/// Commits to the store.
#[derive(Clone)]
pub struct Store {
    /// Commits that went in.
    pub commits: Counter,
    /// Commits that lost a race and were started over.
    pub conflicts: Counter,
    /// Commits that failed because the disk did.
    pub failures: Counter,
    /// Seconds from handing a commit in to its being on disk.
    pub seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("waxseal");
        let logins = Logins::default();
        registry.register("logins", "Logins by result: `ok` or the code of the refusal", logins.0.clone());
        let kdf = Kdf::default();
        registry.register("kdf_queued", "Password derivations waiting for a worker", kdf.queued.clone());
        registry.register("kdf_running", "Password derivations being computed", kdf.running.clone());
        registry.register("kdf_rejected", "Password derivations refused because the queue was full", kdf.rejected.clone());
        let store = Store {
            commits: Counter::default(),
            conflicts: Counter::default(),
            failures: Counter::default(),
            seconds: Histogram::new([0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0]),
        };
        registry.register("store_commits", "Commits that went in", store.commits.clone());
        registry.register("store_conflicts", "Commits that lost a race", store.conflicts.clone());
        registry.register("store_failures", "Commits that failed because the disk did", store.failures.clone());
        registry.register_with_unit("store_commit", "Time to commit", Unit::Seconds, store.seconds.clone());
        let (traps, panics, audit_lost) = (Counter::default(), Counter::default(), Counter::default());
        registry.register("traps", "Traps of the component, each of which ended one request", traps.clone());
        registry.register("panics", "Panics, each of which ended one request", panics.clone());
        registry.register("audit_lost", "Audit records that could not be written", audit_lost.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        registry.register("build", "What is running", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self { logins, kdf, store, traps, panics, connections, audit_lost, registry }
    }
}

impl Metrics {
    /// The OpenMetrics text.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail; a metric that fails to encode itself leaves its line out.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
