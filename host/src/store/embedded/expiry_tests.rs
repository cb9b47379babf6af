//! What only a store with a past can get wrong: what has expired, and the clock it was used under.

use super::Embedded;
use crate::{
    clock::Clock,
    store::{
        Store,
        conforms::{put, show, until, writes},
    },
};
use core::time::Duration;
use redb::ReadableDatabase;
use std::{path::Path, sync::Arc, thread, time::Instant};
use waxseal_core::time::UnixTime;

const START: UnixTime = UnixTime::from_secs(1_800_000_000);
const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;

#[test]
fn what_has_expired_goes_by_itself() {
    let (data, clock) = start();
    let store = open(data.path(), &clock);
    let entries = (0..600).map(|number| until(1_800_000_060, put(&format!("revoked/{number}"), "x")));
    store.commit(writes(entries.chain([put("user/1", "x")]).collect::<Vec<_>>())).wait().unwrap();
    let left = || {
        let mut left = 0;
        let count = |_: &str, _| {
            left += 1;
            Ok::<_, super::TablesError>(true)
        };
        let (ahead, snapshot) = (store.shared.ahead().clone(), &store.shared.view.load().database.begin_read().unwrap());
        super::Snapshot::new(snapshot).unwrap().each(&ahead, count).unwrap();
        left
    };
    assert_eq!(left(), 601);
    clock.advance(61_000);
    let begun = Instant::now();
    while left() > 1 {
        assert!(begun.elapsed() < Duration::from_mins(1), "{} records are left", left());
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(show(&store, &["user/1"]), "user/1@1=x");
}

/// Only the clock of a test goes back; a value that was read before would then be live again, and in the way of every commit.
#[test]
fn what_has_gone_is_not_remembered() {
    let (data, clock) = start();
    let store = with_entry(data.path(), &clock);
    assert_eq!(show(&store, &["revoked/a"]), "revoked/a@1=x");
    clock.advance(2 * 61_000);
    assert!(store.tidy().wait().unwrap() > 0);
    clock.set(START);
    assert_eq!(show(&store, &["revoked/a"]), "revoked/a");
}

/// A store with the entry that denies a token which ends a minute after [`START`].
fn with_entry(data: &Path, clock: &Arc<Clock>) -> Embedded {
    let store = open(data, clock);
    store.commit(writes([until(1_800_000_060, put("revoked/a", "x"))])).wait().unwrap();
    store
}

fn open(data: &Path, clock: &Arc<Clock>) -> Embedded {
    Embedded::open(data, Arc::clone(clock)).unwrap()
}

fn start() -> (tempfile::TempDir, Arc<Clock>) {
    (tempfile::tempdir().unwrap(), Arc::new(Clock::stopped_at(START)))
}

#[test]
fn what_was_purged_stays_expired_however_far_the_clock_is_set_back() {
    for back in [HOUR, YEAR] {
        let (data, clock) = start();
        let store = with_entry(data.path(), &clock);
        clock.advance(120_000);
        assert_eq!(store.tidy().wait().unwrap(), 1);
        clock.advance(-back);
        assert_eq!(clock.now(), START.plus_secs(120));
        drop(store);

        // Processes that start under the wrong clock.
        for _ in 0..2 {
            let clock =
                Arc::new(Clock::stopped_at(UnixTime::from_millis(START.as_millis().saturating_sub(back.unsigned_abs()))));
            let store = open(data.path(), &clock);
            assert!(clock.now() >= START.plus_secs(120), "{}", clock.now());
            assert_eq!(show(&store, &["revoked/a"]), "revoked/a");
        }
    }
}

#[test]
fn nothing_is_purged_because_a_clock_was_wrong() {
    for ahead in [HOUR, YEAR] {
        let (data, clock) = start();
        let store = with_entry(data.path(), &clock);
        clock.shift(ahead);
        assert_eq!(store.tidy().wait().unwrap(), 0);
        assert_eq!(show(&store, &["revoked/a"]), "revoked/a", "it counts as expired while the clock says so");
        clock.shift(-ahead);
        assert_eq!(show(&store, &["revoked/a"]), "revoked/a@1=x");
        assert_eq!(clock.now(), START);
        drop(store);
        assert_eq!(show(&open(data.path(), &clock), &["revoked/a"]), "revoked/a@1=x");
    }
}

#[test]
fn a_start_under_a_clock_far_ahead_leaves_no_trace() {
    let (data, clock) = start();
    drop(with_entry(data.path(), &clock));
    let wrong = Arc::new(Clock::stopped_at(START.plus_secs(365 * 86_400)));
    let store = open(data.path(), &wrong);
    assert_eq!(store.tidy().wait().unwrap(), 0);
    drop(store);
    let right = Arc::new(Clock::stopped_at(START.plus_secs(1)));
    assert_eq!(show(&open(data.path(), &right), &["revoked/a"]), "revoked/a@1=x");
    assert_eq!(right.now(), START.plus_secs(1));
}

#[test]
fn a_backup_takes_the_horizon_along() {
    let (data, clock) = start();
    let store = with_entry(data.path(), &clock);
    clock.advance(30_000);
    let (folder, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backup = folder.path().join("backup");
    store.backup(&backup).unwrap();
    Embedded::restore(std::fs::File::open(&backup).unwrap(), &backup, restored.path()).unwrap();
    let early = Arc::new(Clock::stopped_at(UnixTime::from_secs(1_000)));
    let restored = open(restored.path(), &early);
    assert_eq!(early.now(), START.plus_secs(30));
    assert_eq!(show(&restored, &["revoked/a"]), "revoked/a@1=x");
}
