//! Prefetching: what a request will ask for, from what the same request has asked for before.
//!
//! A call asks in rounds: whose token it is, then that user, then what is wanted of them. Each round enters the component once
//! more and replays the rules. Most requests come again, with the same credentials for the same path, and ask for the same
//! records; so these are read ahead, as they stand at that moment, and handed in at the start. A wrong guess costs a read and
//! changes nothing ([`begin_prefetched`](waxseal_core::seam::begin_prefetched)).
//!
//! What is kept are names of records, under a keyed hash of the request; neither tokens nor values.

use core::{
    hash::BuildHasher,
    sync::atomic::{AtomicU32, Ordering},
};
use quick_cache::sync::Cache;
use std::{collections::hash_map::RandomState, sync::Arc};
use waxseal_core::seam::{RecordKey, Request};

/// How many requests are remembered, at a few hundred octets each.
const REMEMBERED: usize = 1024;
/// How many records are read ahead for one request at the most.
const MOST: usize = 16;
/// How many calls may ask for more than was prefetched for their request before it is learnt anew.
const SHORT: u32 = 64;

pub(super) struct Prefetch {
    memory: Cache<u64, Arc<Memory>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Memory {
    keys: Vec<RecordKey>,
    /// Whether two calls have agreed on it. What one call alone has asked for may be named after a number drawn for that call.
    settled: bool,
    /// How many calls have asked for more.
    short: AtomicU32,
}

/// What is prefetched for one call, and what it asks for besides.
pub(super) struct Reads {
    request: u64,
    memory: Option<Arc<Memory>>,
    asked: Vec<RecordKey>,
}

impl Prefetch {
    pub(super) fn new() -> Self {
        Self { memory: Cache::new(REMEMBERED), hasher: RandomState::new() }
    }

    /// What is prefetched for `request`.
    pub(super) fn look(&self, request: &Request) -> Reads {
        let authorization = request.headers.iter().filter(|(name, _)| name == "authorization").map(|(_, value)| value);
        let request = (request.method.as_str(), &request.path, &request.query, authorization.collect::<Vec<_>>());
        let request = self.hasher.hash_one(request);
        Reads { request, memory: self.memory.get(&request), asked: Vec::new() }
    }

    /// Learns from what a call that has come to its end has asked for.
    pub(super) fn learn(&self, reads: Reads) {
        let Reads { request, memory, mut asked } = reads;
        let keep = |keys, settled| {
            self.memory.insert(request, Arc::new(Memory { keys, settled, short: AtomicU32::new(0) }));
        };
        match memory {
            None if !asked.is_empty() => keep(asked, false),
            Some(memory) if !memory.settled => {
                asked.retain(|key| memory.keys.contains(key));
                asked.truncate(MOST);
                keep(asked, true);
            }
            Some(memory) if !asked.is_empty() && memory.short.fetch_add(1, Ordering::Relaxed) >= SHORT => {
                drop(self.memory.remove(&request));
            }
            _ => {}
        }
    }
}

impl Reads {
    /// What to read ahead.
    pub(super) fn keys(&self) -> &[RecordKey] {
        self.memory.as_ref().filter(|memory| memory.settled).map_or(&[], |memory| &memory.keys)
    }

    /// Notes that the call asks for `keys`.
    pub(super) fn note(&mut self, keys: &[RecordKey]) {
        // A call that asks for very much is not prefetched at all.
        let room = (4 * MOST).saturating_sub(self.asked.len());
        self.asked.extend(keys.iter().take(room).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_core::seam::Method;

    fn request(path: &str, authorization: &str) -> Request {
        Request::new(Method::Get, path).with_header("authorization", authorization)
    }

    fn keys(names: &[&str]) -> Vec<RecordKey> {
        names.iter().map(|name| RecordKey::from_stored((*name).into())).collect()
    }

    /// A call that asks for these besides what was prefetched for it, which is returned.
    fn call(prefetch: &Prefetch, request: &Request, asks: &[&str]) -> Vec<RecordKey> {
        let mut reads = prefetch.look(request);
        let prefetched = reads.keys().to_vec();
        let asks: Vec<_> = keys(asks).into_iter().filter(|key| !prefetched.contains(key)).collect();
        asks.chunks(1).for_each(|round| reads.note(round));
        prefetch.learn(reads);
        prefetched
    }

    #[test]
    fn what_two_calls_have_asked_for_is_foreseen() {
        let (prefetch, request) = (Prefetch::new(), request("/a", "Bearer b"));
        assert_eq!(call(&prefetch, &request, &["user", "by chance 1"]), []);
        assert_eq!(call(&prefetch, &request, &["user", "by chance 2"]), []);
        for n in 3..10 {
            assert_eq!(call(&prefetch, &request, &["user", &format!("by chance {n}")]), keys(&["user"]));
        }
    }

    #[test]
    fn another_path_query_or_credential_is_another_request() {
        let prefetch = Prefetch::new();
        let known = request("/a", "Bearer b");
        call(&prefetch, &known, &["user"]);
        call(&prefetch, &known, &["user"]);
        assert_eq!(call(&prefetch, &known, &["user"]), keys(&["user"]));
        let queried = Request { query: "q".into(), ..request("/a", "Bearer b") };
        let posted = Request { method: Method::Post, ..request("/a", "Bearer b") };
        for other in [request("/b", "Bearer b"), request("/a", "Bearer c"), queried, posted] {
            assert_eq!(call(&prefetch, &other, &["user"]), []);
        }
    }

    #[test]
    fn what_has_changed_is_learnt_anew() {
        let (prefetch, request) = (Prefetch::new(), request("/a", "Bearer b"));
        for _ in 0..3 {
            call(&prefetch, &request, &["old"]);
        }
        for _ in 0..SHORT + 4 {
            call(&prefetch, &request, &["new"]);
        }
        assert_eq!(call(&prefetch, &request, &["new"]), keys(&["new"]));
    }

    #[test]
    fn no_more_is_read_ahead_than_a_few_records() {
        let (prefetch, request) = (Prefetch::new(), request("/a", "Bearer b"));
        let many: Vec<_> = (0..1000).map(|n| format!("key/{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        call(&prefetch, &request, &many);
        call(&prefetch, &request, &many);
        assert_eq!(call(&prefetch, &request, &many).len(), MOST);
        for n in 0..10 * REMEMBERED {
            call(&prefetch, &Request::new(Method::Get, &format!("/{n}")), &["user"]);
        }
        assert!(prefetch.memory.len() <= REMEMBERED);
    }
}
