//! Octets that clients have the server hold: of bodies that are still being read, and of answers that are still being sent.
//!
//! A client need not go on sending, nor read. So there is a bound on all that is held together, of which one source takes a quarter at
//! most: nobody alone keeps the others out (security H4).

use crate::{source::site, sync};
use core::net::IpAddr;
use std::{collections::HashMap, sync::Mutex};

/// Into how many parts the bound is divided.
const PARTS: usize = 4;

/// Who holds how much.
#[derive(Debug, Default)]
pub(super) struct MemoryBudget(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

impl MemoryBudget {
    /// Counts `octets` more for `source` until they are given back; `false` when that is beyond `limit` for all together, or beyond the
    /// source's part of it. A source that holds nothing yet may exceed its part, and the limit if nobody else holds anything either.
    pub(super) fn take(&self, source: IpAddr, octets: usize, limit: usize) -> bool {
        let source = site(source);
        let mut counts = sync::lock(&self.0);
        let own = counts.by_source.get(&source).copied().unwrap_or_default();
        let fits = |taken: usize, limit: usize| taken == 0 || taken.saturating_add(octets) <= limit;
        if !fits(counts.total, limit) || !fits(own, limit / PARTS) {
            return false;
        }
        counts.total += octets;
        counts.by_source.insert(source, own + octets);
        true
    }

    /// Counts `octets` of `source` no more.
    pub(super) fn give_back(&self, source: IpAddr, octets: usize) {
        let source = site(source);
        let mut counts = sync::lock(&self.0);
        counts.total = counts.total.saturating_sub(octets);
        let left = counts.by_source.get(&source).map_or(0, |own| own.saturating_sub(octets));
        if left == 0 {
            counts.by_source.remove(&source);
        } else {
            counts.by_source.insert(source, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_takes_a_quarter_and_all_no_more_than_the_bound() {
        let held = MemoryBudget::default();
        let source = |last: u8| IpAddr::from([192, 0, 2, last]);
        let take = |last, octets| held.take(source(last), octets, 1024);
        assert!((0..4).all(|_| take(1, 64)));
        assert!(!take(1, 1) && !held.take("::ffff:192.0.2.1".parse().unwrap(), 1, 1024));
        for last in 2..5 {
            assert!((0..4).all(|_| take(last, 64)));
        }
        assert!(!take(5, 64), "nobody else then");
        held.give_back(source(1), 64);
        assert!(!take(5, 65) && take(5, 64) && !take(1, 64));
        for (last, octets) in [(1, 192), (2, 256), (3, 256), (4, 256), (5, 64)] {
            held.give_back(source(last), octets);
        }
        assert!(
            sync::lock(&held.0).by_source.is_empty() && sync::lock(&held.0).total == 0,
            "who holds nothing is not remembered"
        );
        assert!(take(1, 4096), "however much");
        assert!(!take(1, 1) && !take(2, 1));
    }
}
