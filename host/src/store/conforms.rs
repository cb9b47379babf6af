//! The suite every store has to pass.

use super::{Change, Committed, Embedded, Memory, Revision, Store, StoreError};
use crate::clock::Clock;
use redb::backends::InMemoryBackend;
use std::{sync::Arc, thread};
use waxseal_core::{
    seam::{Check, Commit, Expect, Range, RecordKey, Version, Write},
    time::UnixTime,
};

const START: UnixTime = UnixTime::from_secs(1_000);

/// Runs `suite` on a new store of each kind, with a clock that stands at [`START`].
fn conforms(suite: impl Fn(&dyn Store, &Clock)) {
    let clock = Arc::new(Clock::stopped_at(START));
    suite(&Memory::new(Arc::clone(&clock)), &clock);
    let clock = Arc::new(Clock::stopped_at(START));
    suite(&on_backends(&clock), &clock);
}

fn on_backends(clock: &Arc<Clock>) -> Embedded {
    Embedded::with_backends(InMemoryBackend::new(), InMemoryBackend::new(), Arc::clone(clock)).unwrap()
}

pub(super) fn key(name: &str) -> RecordKey {
    RecordKey::from_stored(name.to_owned())
}

/// Writes `value` whatever stands there.
pub(super) fn put(name: &str, value: &str) -> Write {
    Write { key: key(name), expect: Expect::Any, value: Some(value.into()), expires: None }
}

pub(super) fn del(name: &str) -> Write {
    Write { value: None, ..put(name, "") }
}

pub(super) fn at(version: u64, write: Write) -> Write {
    Write { expect: Expect::Version(Version(version)), ..write }
}

pub(super) fn until(secs: u64, write: Write) -> Write {
    Write { expires: Some(UnixTime::from_secs(secs)), ..write }
}

pub(super) fn writes(writes: impl Into<Vec<Write>>) -> Commit {
    Commit { checks: Vec::new(), writes: writes.into() }
}

fn with_check(name: &str, version: u64, write: Write) -> Commit {
    Commit { checks: vec![Check { key: key(name), version: Version(version) }], writes: vec![write] }
}

/// `name@version=value` of the live records under `names`, `name` alone for one that is not there.
pub(super) fn show(store: &dyn Store, names: &[&str]) -> String {
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    let records = store.get(&keys).wait().unwrap();
    let shown = names.iter().zip(records).map(|(name, record)| match record {
        Some(record) => format!("{name}@{}={}", record.version.0, String::from_utf8(record.value).unwrap()),
        None => (*name).to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn committed(store: &dyn Store, commit: Commit) -> Option<u64> {
    match store.commit(commit).wait().unwrap() {
        Committed::At(revision) => Some(revision.0),
        Committed::Conflict => None,
    }
}

/// Commits to a store that holds `a@1=1`, `b@2=2` and, expired, `c@3`; compares outcome and content.
#[track_caller]
fn check(commit: &Commit, revision: Option<u64>, content: &str) {
    conforms(|store, clock| {
        for write in [put("a", "1"), put("b", "2"), until(1_001, put("c", "3"))] {
            store.commit(writes([write])).wait().unwrap();
        }
        clock.advance(1_000);
        assert_eq!(committed(store, commit.clone()), revision);
        // Twice: from the disk, then from the cache.
        for _ in 0..2 {
            assert_eq!(show(store, &["a", "b", "c", "d"]), content);
        }
        assert_eq!(store.revision(), Revision(revision.unwrap_or(3)));
    });
}

const UNCHANGED: &str = "a@1=1 b@2=2 c d";

#[test]
fn a_write_goes_in_only_while_its_expectation_holds() {
    check(&writes([put("a", "x")]), Some(4), "a@4=x b@2=2 c d");
    check(&writes([at(1, put("a", "x"))]), Some(4), "a@4=x b@2=2 c d");
    check(&writes([at(2, put("a", "x"))]), None, UNCHANGED);
    check(&writes([at(0, put("a", "x"))]), None, UNCHANGED);
    check(&writes([at(0, put("d", "x"))]), Some(4), "a@1=1 b@2=2 c d@4=x");
    check(&writes([at(1, put("d", "x"))]), None, UNCHANGED);
    check(&writes([put("d", "x")]), Some(4), "a@1=1 b@2=2 c d@4=x");
}

#[test]
fn a_deletion_is_a_write() {
    check(&writes([at(1, del("a"))]), Some(4), "a b@2=2 c d");
    check(&writes([at(2, del("a"))]), None, UNCHANGED);
    check(&writes([del("d")]), Some(4), UNCHANGED);
    check(&writes([at(0, del("d"))]), Some(4), UNCHANGED);
}

#[test]
fn an_expired_record_counts_as_absent() {
    check(&writes([at(3, put("c", "x"))]), None, UNCHANGED);
    check(&writes([at(0, put("c", "x"))]), Some(4), "a@1=1 b@2=2 c@4=x d");
    check(&with_check("c", 3, put("d", "x")), None, UNCHANGED);
    check(&with_check("c", 0, put("d", "x")), Some(4), "a@1=1 b@2=2 c d@4=x");
    check(&writes([until(2_000, put("d", "x"))]), Some(4), "a@1=1 b@2=2 c d@4=x");
    check(&writes([until(1_001, put("d", "x"))]), Some(4), UNCHANGED);
    check(&writes([until(1_001, put("a", "x"))]), Some(4), "a b@2=2 c d");
}

#[test]
fn a_check_must_hold_for_any_write_to_go_in() {
    check(&with_check("b", 2, put("a", "x")), Some(4), "a@4=x b@2=2 c d");
    check(&with_check("b", 1, put("a", "x")), None, UNCHANGED);
    check(&with_check("b", 0, put("a", "x")), None, UNCHANGED);
    check(&with_check("d", 0, put("a", "x")), Some(4), "a@4=x b@2=2 c d");
    check(&with_check("d", 1, put("a", "x")), None, UNCHANGED);
}

#[test]
fn a_commit_is_all_or_nothing() {
    check(&writes([put("a", "x"), at(2, del("b")), at(0, put("d", "y"))]), Some(4), "a@4=x b c d@4=y");
    check(&writes([put("a", "x"), at(1, del("b")), at(0, put("d", "y"))]), None, UNCHANGED);
    check(&writes([put("d", "y"), at(0, put("a", "x"))]), None, UNCHANGED);
}

#[test]
fn a_commit_without_writes_stays_at_the_revision() {
    check(&writes([]), Some(3), UNCHANGED);
    check(&Commit { writes: vec![], ..with_check("a", 1, put("a", "x")) }, Some(3), UNCHANGED);
    check(&Commit { writes: vec![], ..with_check("a", 2, put("a", "x")) }, None, UNCHANGED);
}

#[test]
fn ranges_are_by_prefix_after_a_key_and_limited() {
    conforms(|store, clock| {
        let names = ["t/a", "t/b", "t/c", "t/d", "t0", "s/z", "u"];
        let mut all: Vec<_> = names.iter().map(|name| put(name, name)).collect();
        all.push(until(1_001, put("t/bb", "gone")));
        store.commit(writes(all)).wait().unwrap();
        clock.advance(1_000);
        let check = |prefix: &str, after: &str, limit, expected: &[&str]| {
            let range = Range { prefix: prefix.into(), after: after.into(), limit };
            let found = store.range(&range).wait().unwrap();
            let names: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(names, expected, "{range:?}");
            assert!(
                found.iter().all(|(key, record)| record.value == key.as_str().as_bytes() && record.version == Version(1))
            );
        };
        check("t/", "", 10, &["t/a", "t/b", "t/c", "t/d"]);
        check("t/", "", 3, &["t/a", "t/b", "t/c"]);
        check("t/", "t/b", 10, &["t/c", "t/d"]);
        check("t/", "t/bc", 10, &["t/c", "t/d"]);
        check("t/", "t/d", 10, &[]);
        check("t/", "s", 1, &["t/a"]);
        check("t/", "u", 10, &[]);
        check("", "t/d", 10, &["t0", "u"]);
        check("v", "", 10, &[]);
    });
}

#[test]
fn a_record_is_there_until_it_expires_and_not_longer() {
    conforms(|store, clock| {
        store.commit(writes([until(1_001, put("a", "x"))])).wait().unwrap();
        clock.advance(999);
        assert_eq!(show(store, &["a"]), "a@1=x");
        clock.advance(1);
        assert_eq!(show(store, &["a"]), "a");
    });
}

#[test]
fn a_watch_tells_every_commit_and_no_refusal() {
    conforms(|store, _| {
        let mut watch = store.watch(store.revision());
        store.commit(writes([put("a", "1"), put("b", "1")])).wait().unwrap();
        store.commit(writes([at(0, put("a", "2"))])).wait().unwrap();
        store.commit(writes([del("a")])).wait().unwrap();
        let written = |revision, names: &[&str]| {
            Some(Change::Written { revision: Revision(revision), keys: names.iter().map(|name| key(name)).collect() })
        };
        assert_eq!(watch.try_next(), written(1, &["a", "b"]));
        assert_eq!(watch.try_next(), written(2, &["a"]));
        assert_eq!(watch.try_next(), None);
    });
}

#[test]
fn no_update_is_lost_among_threads() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 50;
    conforms(|store, _| {
        let increment = || {
            for _ in 0..ROUNDS {
                loop {
                    let record = store.get(&[key("n")]).wait().unwrap().remove(0);
                    let (version, n) = record.map_or((0, 0), |record| {
                        (record.version.0, String::from_utf8(record.value).unwrap().parse::<u64>().unwrap())
                    });
                    if committed(store, writes([at(version, put("n", &(n + 1).to_string()))])).is_some() {
                        break;
                    }
                }
            }
        };
        thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(increment))));
        let total = THREADS * ROUNDS;
        assert_eq!(show(store, &["n"]), format!("n@{total}={total}"));
    });
}

/// One thread writes ever higher numbers, others read: nobody may see less than what was acknowledged before it looked.
#[test]
fn what_was_acknowledged_is_seen_by_every_later_read() {
    use core::sync::atomic::{AtomicU64, Ordering};
    const LAST: u64 = 400;
    conforms(|store, _| {
        let acknowledged = AtomicU64::new(0);
        let value = || -> u64 {
            let record = store.get(&[key("n"), key("other")]).wait().unwrap().remove(0);
            record.map_or(0, |record| String::from_utf8(record.value).unwrap().parse().unwrap())
        };
        let read = || loop {
            let floor = acknowledged.load(Ordering::SeqCst);
            let seen = value();
            assert!(seen >= floor, "{seen} after {floor} was acknowledged");
            if floor == LAST {
                break;
            }
        };
        thread::scope(|scope| {
            scope.spawn(read);
            scope.spawn(read);
            for n in 1..=LAST {
                store.commit(writes([put("n", &n.to_string())])).wait().unwrap();
                acknowledged.store(n, Ordering::SeqCst);
            }
        });
    });
}

#[test]
fn a_reply_is_a_future_of_a_size_for_the_stack() {
    assert!(size_of::<super::Reply<'static, Vec<u8>>>() <= 64);
    assert_eq!(super::Reply::<u8>::ready(Err(StoreError::Busy)).wait(), Err(StoreError::Busy));
    assert_eq!(super::Reply::pending(async { Ok(7) }).wait(), Ok(7));
}
