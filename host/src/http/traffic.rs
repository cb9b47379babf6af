//! Counts requests without looking anything up: what can be counted has its place from the start.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter},
    registry::Unit,
};
use waxseal_core::dialect::{Dialect, is_verification};

/// Who answers a request, by its path: the label `route` of the metrics and of the log, where no path may stand because a
/// path may hold a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    /// `/auth/verify` and `/auth/envoy`, which never wait behind anything else.
    Verify,
    Gateway,
    Redis,
    Openshift,
    /// With `/`, also where that is answered with the page.
    Elasticsearch,
    Admin,
    /// Health, metrics, clock, documents.
    Host,
    /// The other files of the page, and what is not there.
    Other,
}

const ROUTES: [Route; 8] = [
    Route::Verify,
    Route::Gateway,
    Route::Redis,
    Route::Openshift,
    Route::Elasticsearch,
    Route::Admin,
    Route::Host,
    Route::Other,
];

impl Route {
    /// Whether the server itself may answer a path of this class: a dialect's need not be compared with all of the server's own.
    pub(crate) const fn may_be_own(self) -> bool {
        match self {
            // The page is at `/`.
            Self::Elasticsearch | Self::Admin | Self::Host | Self::Other => true,
            Self::Verify | Self::Gateway | Self::Redis | Self::Openshift => false,
        }
    }

    /// The class of a path.
    pub(crate) fn of(path: &str) -> Self {
        match Dialect::of(path) {
            Some(Dialect::Gateway) if is_verification(path) => Self::Verify,
            Some(Dialect::Gateway) => Self::Gateway,
            Some(Dialect::Redis) => Self::Redis,
            Some(Dialect::Openshift) => Self::Openshift,
            Some(Dialect::Elasticsearch) => Self::Elasticsearch,
            Some(Dialect::Admin) => Self::Admin,
            None => match path.split('/').nth(1) {
                Some("healthz" | "readyz" | "metrics" | "openapi" | "testing") => Self::Host,
                _ => Self::Other,
            },
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Gateway => "gateway",
            Self::Redis => "redis",
            Self::Openshift => "openshift",
            Self::Elasticsearch => "elasticsearch",
            Self::Admin => "admin",
            Self::Host => "host",
            Self::Other => "other",
        }
    }
}

/// Statuses that are counted apart; every other one counts as `other`.
const STATUSES: [(u16, &str); 22] = [
    (200, "200"),
    (201, "201"),
    (204, "204"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (413, "413"),
    (414, "414"),
    (415, "415"),
    (422, "422"),
    (429, "429"),
    (431, "431"),
    (500, "500"),
    (503, "503"),
    (505, "505"),
    (0, "other"),
];

/// Upper ends of the buckets of the latency histogram, with their labels in seconds.
const BUCKETS: [(Duration, f64); 12] = [
    (Duration::from_micros(50), 0.000_05),
    (Duration::from_micros(100), 0.000_1),
    (Duration::from_micros(250), 0.000_25),
    (Duration::from_micros(500), 0.000_5),
    (Duration::from_millis(1), 0.001),
    (Duration::from_millis(5), 0.005),
    (Duration::from_millis(25), 0.025),
    (Duration::from_millis(50), 0.05),
    (Duration::from_millis(100), 0.1),
    (Duration::from_millis(500), 0.5),
    (Duration::from_millis(2500), 2.5),
    (Duration::MAX, f64::INFINITY),
];

/// Requests answered, by route and status, and how long that took, by route.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    routes: [PerRoute; ROUTES.len()],
}

#[derive(Debug, Default)]
struct PerRoute {
    statuses: [AtomicU64; STATUSES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    nanos: AtomicU64,
}

impl Traffic {
    /// Counts one request.
    pub(crate) fn count(&self, route: Route, status: u16, took: Duration) {
        let Some(counters) = self.routes.get(route as usize) else { return };
        let known = STATUSES.iter().position(|(code, _)| *code == status).unwrap_or(STATUSES.len() - 1);
        let bucket = BUCKETS.iter().position(|(end, _)| took <= *end).unwrap_or(BUCKETS.len() - 1);
        let raise = |counter: Option<&AtomicU64>, by| counter.map(|counter| counter.fetch_add(by, Ordering::Relaxed));
        raise(counters.statuses.get(known), 1);
        raise(counters.buckets.get(bucket), 1);
        raise(Some(&counters.nanos), u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Collector for Traffic {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut requests =
            encoder.encode_descriptor("requests", "Requests by route and status", None, MetricType::Counter)?;
        for (route, counters) in ROUTES.iter().zip(&self.routes) {
            for ((_, status), count) in STATUSES.iter().zip(&counters.statuses) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("route", route.as_str()), ("status", *status)];
                    ConstCounter::new(count).encode(requests.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Time from the head of a request to its answer";
        let mut seconds = encoder.encode_descriptor("request", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (route, counters) in ROUTES.iter().zip(&self.routes) {
            let buckets: Vec<(f64, u64)> = BUCKETS
                .iter()
                .zip(&counters.buckets)
                .map(|((_, end), count)| (*end, count.load(Ordering::Relaxed)))
                .collect();
            let count = buckets.iter().map(|(_, count)| count).sum();
            if count > 0 {
                let sum = Duration::from_nanos(counters.nanos.load(Ordering::Relaxed)).as_secs_f64();
                let labels = [("route", route.as_str())];
                seconds.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::documents;

    #[track_caller]
    fn check(path: &str, route: Route) {
        assert_eq!(Route::of(path), route);
    }

    #[test]
    fn a_path_has_a_route() {
        check("/auth/verify", Route::Verify);
        check("/auth/verify/", Route::Verify);
        check("/auth/envoy/v1/users", Route::Verify);
        check("/auth/verifying", Route::Gateway);
        check("/auth/introspect", Route::Gateway);
        check("/v1/users/authorize", Route::Redis);
        check("/v10", Route::Other);
        check("/broker/rest/api", Route::Openshift);
        check("/_security/_authenticate", Route::Elasticsearch);
        check("/", Route::Elasticsearch);
        check("/_cluster/health", Route::Elasticsearch);
        check("/oauth2/token", Route::Other);
        check("/.well-known/jwks.json", Route::Gateway);
        check("/healthz", Route::Host);
        check("/openapi/redis.json", Route::Host);
        check("/admin/keys", Route::Admin);
        check("", Route::Other);
        check("*", Route::Other);
    }

    #[test]
    fn every_route_has_its_own_counters() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert_eq!(*route as usize, at);
        }
    }

    #[test]
    fn every_status_that_is_documented_is_counted_apart() {
        for file in documents::FILES {
            let document: serde_json::Value = serde_json::from_slice(file.content).unwrap();
            let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
            for (method, operation) in operations {
                for status in operation["responses"].as_object().into_iter().flat_map(|responses| responses.keys()) {
                    assert!(STATUSES.iter().any(|(_, label)| label == status), "{status} of {method}");
                }
            }
        }
    }
}
