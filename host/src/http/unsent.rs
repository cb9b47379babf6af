//! Large bodies of responses, counted while they are sent.
//!
//! A body takes memory until its client has read it. What everybody may read is there once, however many are reading it.

use super::memory_budget::MemoryBudget;
use crate::sync;
use core::net::IpAddr;
use hyper::body::Bytes;
use std::sync::{Arc, Mutex};

/// Smaller bodies are not counted.
const LARGE: usize = 32 << 10;
/// What is being sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsent {
    held: Arc<MemoryBudget>,
    published: Arc<Mutex<Bytes>>,
}

impl Unsent {
    /// The body, to be sent to `source`, as long as no more than `limit` octets are being sent with it; `None` if there are too many
    /// already. One may always be sent, however large.
    pub(super) fn take(&self, body: Vec<u8>, source: IpAddr, limit: usize) -> Option<Bytes> {
        if body.len() < LARGE {
            return Some(body.into());
        }
        let held = Arc::clone(&self.held);
        held.take(source, body.len(), limit).then(|| Bytes::from_owner(Counted { body, source, held }))
    }

    /// A body that everybody gets who asks: the same octets in memory as the last time if they have not changed. A small one, such as
    /// that of a refusal, takes no large one's place.
    pub(super) fn publish(&self, body: Vec<u8>) -> Bytes {
        if body.len() < LARGE {
            return body.into();
        }
        let mut published = sync::lock(&self.published);
        if *published != body {
            *published = body.into();
        }
        published.clone()
    }
}

/// One body; counted until it is dropped.
struct Counted {
    body: Vec<u8>,
    source: IpAddr,
    held: Arc<MemoryBudget>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held.give_back(self.source, self.body.len());
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
    fn large_answers_are_counted_until_they_are_sent() {
        let unsent = Unsent::default();
        let source = |last: u8| IpAddr::from([192, 0, 2, last]);
        let take = |last: u8, kib: usize| unsent.take(vec![0; kib << 10], source(last), 1 << 20);
        let mut held: Vec<_> = (0..4).map(|_| take(1, 64).unwrap()).collect();
        assert!(take(1, 64).is_none() && take(1, 31).is_some() && take(2, 64).is_some());
        held.pop();
        assert!(take(1, 64).is_some());
        drop(held);
        let larger_than_all = take(1, 2048).unwrap();
        assert!(take(1, 64).is_none() && take(2, 64).is_none());
        drop(larger_than_all);
        assert!(take(1, 64).is_some());
    }
}
