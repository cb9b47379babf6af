//! Counters, gauges and histograms, as `GET /metrics` shows them.

use crate::{engine, http::traffic::Traffic, kdf, logging, refusals::TokenRefusals, text::hex};
use core::fmt;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::{Registry, Unit},
};
use std::sync::{Arc, OnceLock};
use waxseal_core::seam::{Event, Outcome};

/// Every counter of the server. All of them may be raised from anywhere; none is ever reset.
pub struct Metrics {
    /// Logins.
    pub logins: Logins,
    /// Tokens that were not good.
    pub token_refusals: TokenRefusals,
    /// Requests.
    pub(crate) traffic: Arc<Traffic>,
    /// The store.
    pub store: Store,
    /// Panics, each of which ended one request.
    pub panics: Counter,
    /// Open connections.
    pub connections: Gauge,
    /// Audit records that could not be written.
    pub audit_lost: Counter,
    kdf: Arc<Watched<kdf::Stats>>,
    module: Arc<Watched<Seen>>,
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
        let token_refusals = TokenRefusals::default();
        let help = "Tokens that were not good, by the code of the check that failed";
        registry.register("token_refusals", help, token_refusals.counts());
        let traffic = Arc::new(Traffic::default());
        registry.register_collector(Box::new(Arc::clone(&traffic)));
        let (kdf, module) = (Arc::new(Watched(OnceLock::new())), Arc::new(Watched(OnceLock::new())));
        registry.register_collector(Box::new(Arc::clone(&kdf)));
        registry.register_collector(Box::new(Arc::clone(&module)));
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
        let (panics, audit_lost) = (Counter::default(), Counter::default());
        registry.register("panics", "Panics, each of which ended one request", panics.clone());
        registry.register("audit_lost", "Audit records that could not be written", audit_lost.clone());
        registry.register_collector(Box::new(LogLost));
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        registry.register("build", "What is running", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self { logins, token_refusals, traffic, store, panics, connections, audit_lost, kdf, module, registry }
    }
}

impl Metrics {
    /// Shows the pool of password derivations, which is asked at each scrape. The first pool given stays.
    pub fn watch_kdf(&self, stats: impl Fn() -> kdf::Stats + Send + Sync + 'static) {
        let _ = self.kdf.0.set(Box::new(stats));
    }

    /// Shows the component and, while it is not the one in this binary, its SHA-256; asked at each scrape. The first given stays.
    pub fn watch_module(&self, seen: impl Fn() -> Seen + Send + Sync + 'static) {
        let _ = self.module.0.set(Box::new(seen));
    }

    /// The `OpenMetrics` text.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail; a metric that fails to encode itself leaves its line out.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

/// What modules have done, if there was any, and the SHA-256 of one that did not come with this binary.
pub type Seen = (Option<engine::Stats>, Option<[u8; 32]>);

/// What counts for itself, once it is there.
struct Watched<T>(OnceLock<Box<dyn Fn() -> T + Send + Sync>>);

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

/// Of the operational log, which is the process's.
#[derive(Debug)]
struct LogLost;

impl Collector for LogLost {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Log lines that were not written, as nobody took those before them";
        ConstCounter::new(logging::lost()).encode(encoder.encode_descriptor("log_lost", help, None, MetricType::Counter)?)
    }
}

/// Of the component.
impl Collector for Watched<Seen> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some((stats, sha256)) = self.0.get().map(|seen| seen()) else { return Ok(()) };
        if let Some(sha256) = sha256 {
            let help = "The module that answers everything instead of the one in this binary";
            let info = Info::new([("sha256", hex::text(&sha256))]);
            info.encode(encoder.encode_descriptor("module", help, None, MetricType::Info)?)?;
        }
        let Some(stats) = stats else { return Ok(()) };
        let running = ConstGauge::new(i64::try_from(stats.running).unwrap_or(i64::MAX));
        let help = "Instances of the component in use";
        running.encode(encoder.encode_descriptor("instances_running", help, None, MetricType::Gauge)?)?;
        for (name, help, value) in [
            ("instances", "Instances of the component made", stats.instances),
            (
                "traps",
                "Calls of the component that ended in a trap or at a bound, each of which ended one request",
                stats.faults,
            ),
        ] {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        Ok(())
    }
}

/// Of the pool of password derivations.
impl Collector for Watched<kdf::Stats> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(stats) = self.0.get().map(|stats| stats()) else { return Ok(()) };
        for (name, help, value) in [
            ("kdf_queued", "Password derivations waiting for a worker", stats.queued),
            ("kdf_running", "Password derivations being computed", stats.running),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        for (name, help, value) in [
            ("kdf_done", "Password derivations computed", stats.done),
            ("kdf_failed", "Password derivations that failed", stats.failed),
            ("kdf_rejected", "Password derivations refused because the queue was full", stats.rejected),
            ("kdf_cancelled", "Password derivations nobody waited for any more", stats.cancelled),
        ] {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let busy = ConstCounter::new(stats.busy.as_secs_f64());
        let help = "Time spent on password derivations";
        busy.encode(encoder.encode_descriptor("kdf_busy", help, Some(&Unit::Seconds), MetricType::Counter)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::traffic::Route;
    use core::time::Duration;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::default();
        metrics.traffic.count(Route::Verify, 200, Duration::from_micros(70));
        metrics.traffic.count(Route::Redis, 418, Duration::from_mins(1));
        metrics.watch_kdf(|| kdf::Stats { queued: 3, rejected: 4, ..kdf::Stats::default() });
        metrics.watch_module(|| (Some(engine::Stats { running: 1, faults: 2, ..engine::Stats::default() }), Some([7; 32])));
        let event = Event {
            action: "login",
            actor: "a".into(),
            subject: "a".into(),
            detail: String::new(),
            outcome: Outcome::Refused,
            reason: "bad_credentials",
            dialect: "redis",
        };
        metrics.logins.count(&event);
        metrics.logins.count(&Event { action: "token.issue", ..event });
        let text = metrics.render();
        for line in [
            "waxseal_requests_total{route=\"verify\",status=\"200\"} 1",
            "waxseal_requests_total{route=\"redis\",status=\"other\"} 1",
            "waxseal_request_seconds_bucket{le=\"0.0001\",route=\"verify\"} 1",
            "waxseal_request_seconds_bucket{le=\"+Inf\",route=\"redis\"} 1",
            "waxseal_module_info{sha256=\"0707070707070707070707070707070707070707070707070707070707070707\"} 1",
            "waxseal_instances_running 1",
            "waxseal_traps_total 2",
            "waxseal_kdf_queued 3",
            "waxseal_kdf_rejected_total 4",
            "waxseal_logins_total{result=\"bad_credentials\"} 1",
            "waxseal_build_info{version=\"0.1.0\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in:\n{text}");
        }
    }
}
