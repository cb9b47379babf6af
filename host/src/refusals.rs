//! Tokens that were not good: each is counted, some are said.
//!
//! Callers learn "invalid" and nothing else; why stands here (security T10). Anybody can send any number of bad tokens, so the
//! log gets a bounded number of lines a second, and the next line says how many it did not get.

use crate::{engine::Occasion, http::RequestId};
use core::sync::atomic::{AtomicU64, Ordering};
use prometheus_client::metrics::{counter::Counter, family::Family};
use waxseal_core::time::UnixTime;

/// Counts refusals of tokens by reason, and logs them within bounds.
#[derive(Default)]
pub struct TokenRefusals {
    counts: Family<[(&'static str, &'static str); 1], Counter>,
    window: Window,
}

impl TokenRefusals {
    /// What the metrics show.
    pub(crate) fn counts(&self) -> Family<[(&'static str, &'static str); 1], Counter> {
        self.counts.clone()
    }

    /// Takes note of one refusal. `reason` is a code of core's, so that their number is bounded.
    pub fn note(&self, occasion: Occasion, reason: &'static str) {
        self.counts.get_or_create(&[("reason", reason)]).inc();
        if let Some(unsaid) = self.window.admit(occasion.time) {
            let request = RequestId::present().unwrap_or_else(|| occasion.request.into());
            let source = occasion.source.map(tracing::field::display);
            tracing::info!(%request, source, reason, unsaid, "token refused");
        }
    }
}

/// Lets [`LINES`] through in each second.
#[derive(Default)]
struct Window {
    /// The second, times 2^16, and how many asked within it, which stops at the most that fits.
    asked: AtomicU64,
    unsaid: AtomicU64,
}

impl Window {
    /// How many were turned away since the last that was let through; `None` for one that is turned away.
    fn admit(&self, now: UnixTime) -> Option<u64> {
        let second = now.as_secs() << COUNT_BITS;
        let next = |asked: u64| {
            let same = asked >> COUNT_BITS == second >> COUNT_BITS;
            Some(if same { asked + u64::from(asked & MOST < MOST) } else { second | 1 })
        };
        // Relaxed: the numbers guard nothing but themselves.
        let before = self.asked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|same| same);
        let earlier = if before >> COUNT_BITS == second >> COUNT_BITS { before & MOST } else { 0 };
        if earlier < LINES {
            return Some(self.unsaid.swap(0, Ordering::Relaxed));
        }
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// Log lines a second: enough to see what is going on, and at 200 octets a line 170 MB a day at the very most.
const LINES: u64 = 10;
const COUNT_BITS: u32 = 16;
const MOST: u64 = (1 << COUNT_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_bad_tokens_gets_ten_lines_a_second_and_is_counted_whole() {
        let refusals = TokenRefusals::default();
        let at = |secs: u64| UnixTime::from_secs(1_000_000 + secs);
        let admitted = |secs, times: u64| (0..times).filter_map(|_| refusals.window.admit(at(secs))).collect::<Vec<_>>();
        assert_eq!(admitted(0, 3), [0; 3]);
        assert_eq!(admitted(0, 100_000), [0; 7]);
        let next = admitted(1, 100);
        assert_eq!(next, [&[99_993][..], &[0; 9]].concat());
        // A clock that is set back begins anew as well.
        assert_eq!(admitted(0, 100).len(), 10);

        let occasion = Occasion { time: at(5), source: None, request: 7 };
        (0..1000).for_each(|_| refusals.note(occasion, "bad_signature"));
        assert_eq!(refusals.counts().get_or_create(&[("reason", "bad_signature")]).get(), 1000);
    }
}
