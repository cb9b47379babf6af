//! Tokens that were not good: each is counted, some are logged.
//!
//! Callers learn "invalid" and nothing else; the reason is recorded here (security T10). Anybody can send any number of bad tokens, so
//! the log gets a bounded number of lines a second, and the next line says how many it did not get.

use crate::{engine::Occasion, logging::RateLimit};
use prometheus_client::metrics::{counter::Counter, family::Family};

/// Counts refusals of tokens by reason, and logs them within bounds.
#[derive(Default)]
pub struct TokenRefusals {
    counts: Family<[(&'static str, &'static str); 1], Counter>,
    rate_limit: RateLimit,
}

impl TokenRefusals {
    /// What the metrics show.
    pub(crate) fn counts(&self) -> Family<[(&'static str, &'static str); 1], Counter> {
        self.counts.clone()
    }

    /// Takes note of one refusal. `reason` is a code of core's, so that their number is bounded.
    pub fn note(&self, occasion: Occasion, reason: &'static str) {
        self.counts.get_or_create(&[("reason", reason)]).inc();
        if let Some(unsaid) = self.rate_limit.admit() {
            let source = occasion.source.map(tracing::field::display);
            tracing::info!(request = %occasion.request, source, reason, unsaid, "token refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_id::RequestId;
    use waxseal_core::time::UnixTime;

    #[test]
    fn every_refusal_is_counted() {
        let refusals = TokenRefusals::default();
        let occasion = Occasion { time: UnixTime::from_secs(1), source: None, request: RequestId::from(7) };
        (0..1000).for_each(|_| refusals.note(occasion, "bad_signature"));
        refusals.note(occasion, "expired");
        let count = |reason| refusals.counts().get_or_create(&[("reason", reason)]).get();
        assert_eq!((count("bad_signature"), count("expired")), (1000, 1));
    }
}
