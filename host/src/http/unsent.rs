//! Large bodies of responses, counted while they are sent.
//!
//! A body takes memory until its client has read it, and a client need not read. So those that are still being sent have a bound
//! together, of which one source takes a quarter at most: nobody alone keeps others from large answers (security H4). What everybody may
//! read is there once, however many are reading it.

use crate::source::site;
use core::net::IpAddr;
use hyper::body::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Smaller bodies are not counted.
const LARGE: usize = 32 << 10;
/// Into how many shares the bound is divided.
const SHARES: usize = 4;

/// What is being sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsent {
    counts: Arc<Mutex<Counts>>,
    published: Arc<Mutex<Bytes>>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

impl Unsent {
    /// The body, to be sent to `source`, as long as no more than `limit` octets are being sent with it; `None` if there are too many
    /// already. One may always be sent, however large.
    pub(super) fn take(&self, body: Vec<u8>, source: IpAddr, limit: usize) -> Option<Bytes> {
        if body.len() < LARGE {
            return Some(body.into());
        }
        let source = site(source);
        let mut counts = self.lock();
        let own = counts.by_source.get(&source).copied().unwrap_or_default();
        let fits = |taken: usize, limit: usize| taken == 0 || taken.saturating_add(body.len()) <= limit;
        if !fits(counts.total, limit) || !fits(own, limit / SHARES) {
            return None;
        }
        counts.total += body.len();
        counts.by_source.insert(source, own + body.len());
        drop(counts);
        Some(Bytes::from_owner(Counted { body, source, unsent: self.clone() }))
    }

    /// A body that everybody gets who asks: the same octets in memory as the last time if they have not changed. A small one, such as
    /// that of a refusal, takes no large one's place.
    pub(super) fn publish(&self, body: Vec<u8>) -> Bytes {
        if body.len() < LARGE {
            return body.into();
        }
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if *published != body {
            *published = body.into();
        }
        published.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One body; counted until it is dropped.
struct Counted {
    body: Vec<u8>,
    source: IpAddr,
    unsent: Unsent,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.unsent.lock();
        counts.total = counts.total.saturating_sub(self.body.len());
        let left = counts.by_source.get(&self.source).map_or(0, |own| own.saturating_sub(self.body.len()));
        if left == 0 {
            counts.by_source.remove(&self.source);
        } else {
            counts.by_source.insert(self.source, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_there_once() {
        let unsent = Unsent::default();
        let publish = |octet, length| unsent.publish(vec![octet; length]);
        let (first, refusal, again, other) = (publish(1, LARGE), publish(0, 9), publish(1, LARGE), publish(2, LARGE));
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert_eq!((first[0], refusal[0], other[0]), (1, 0, 2));
    }

    #[test]
    fn one_source_takes_a_quarter_and_all_no_more_than_the_bound() {
        let unsent = Unsent::default();
        let source = |last: u8| IpAddr::from([192, 0, 2, last]);
        let take = |last: u8, kib: usize| unsent.take(vec![0; kib << 10], source(last), 1 << 20);
        let mut held: Vec<_> = (0..4).map(|_| take(1, 64).unwrap()).collect();
        assert!(take(1, 64).is_none() && take(1, 31).is_some());
        for last in 2..5 {
            held.extend((0..4).map(|_| take(last, 64).unwrap()));
        }
        assert!(take(5, 64).is_none(), "nobody else then");
        held.drain(..4);
        held.push(take(5, 64).unwrap());
        held.push(take(1, 64).unwrap());
        drop(held);
        assert!(unsent.lock().by_source.is_empty() && unsent.lock().total == 0);
        let larger_than_all = take(1, 2048).unwrap();
        assert!(take(1, 64).is_none() && take(2, 64).is_none());
        drop(larger_than_all);
        assert!(take(1, 64).is_some());
    }
}
