//! How far time has surely come, so that a clock set back revives nothing (security T16).
//!
//! What the server tells as the time is the later of its clock and the *horizon*, and nothing is purged from the store before
//! the horizon has passed it. So a token that has ended stays ended, and one that was revoked stays revoked, whatever is done
//! to the system's clock. The store keeps the horizon for the next process.
//!
//! ```text
//!   the clock is …           the horizon goes on …
//!   ahead of the horizon     towards it, by at most 2 s in each second of a timer that nobody can set
//!   behind the horizon       by 1 s in 2 s, until the clock has caught up
//! ```
//!
//! A clock that is set far ahead by mistake and corrected after a time T has thus carried the horizon ahead by T at the most,
//! and 2 T later nothing is left of it. Meanwhile time goes on, so lockouts end and tokens expire. Where the clock is right all
//! the time, the horizon is where the clock is.
//!
//! What this leaves open: how long a process did not run, or a machine slept, is known from the clock alone, and it may be wrong. So
//! after a stop of D the horizon is behind a right clock for D, and a clock that is set back within that time revives what has expired
//! since the stop. What was revoked stays so, as nothing is purged that the horizon has not passed.

use crate::sync;
use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{sync::Mutex, time::Instant};
use waxseal_core::time::UnixTime;

/// A time that has surely come; what ended before it has ended for good.
#[derive(Debug)]
pub(crate) struct Horizon {
    /// In milliseconds; 0 until it is held.
    at: AtomicU64,
    /// Until when time has been counted.
    counted: Mutex<Instant>,
}

impl Horizon {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { at: AtomicU64::new(0), counted: Mutex::new(Instant::now()) }
    }

    /// The epoch while none is held.
    pub(crate) fn at(&self) -> UnixTime {
        UnixTime::from_millis(self.at.load(Ordering::Acquire))
    }

    /// Holds it from now on: at `mark`, where an earlier process has left it, or at `now` if there was none.
    pub(crate) fn hold(&self, mark: Option<UnixTime>, now: UnixTime) {
        self.at.fetch_max(mark.unwrap_or(now).as_millis(), Ordering::AcqRel);
    }

    /// Counts what the timer says has passed since the last time; `clock` is `None` while the clock stands, and then none has.
    pub(crate) fn tick(&self, clock: Option<UnixTime>) {
        let mut counted = sync::lock(&self.counted);
        let passed = counted.elapsed();
        if passed < FINEST {
            return;
        }
        *counted += passed;
        if let Some(clock) = clock {
            self.move_on(passed.as_millis().try_into().unwrap_or(u64::MAX), clock);
        }
    }

    /// Counts that `passed` milliseconds have gone by, and that now it is `clock`.
    pub(crate) fn move_on(&self, passed: u64, clock: UnixTime) {
        let moved = |at: u64| (at > 0).then(|| next(at, passed, clock.as_millis()));
        let _ = self.at.fetch_update(Ordering::AcqRel, Ordering::Acquire, moved);
    }

    /// Comes back to `time`, whatever has ended since: only for tests.
    pub(crate) fn come_back(&self, time: UnixTime) {
        self.at.fetch_min(time.as_millis().max(1), Ordering::AcqRel);
    }
}

/// Where a horizon `at` is after `passed` milliseconds, when the clock says `clock`.
fn next(at: u64, passed: u64, clock: u64) -> u64 {
    if clock >= at { clock.min(at.saturating_add(passed.saturating_mul(2))) } else { at.saturating_add(passed / 2) }
}

/// Ticks that come closer together are one.
const FINEST: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000_000;
    const YEAR: u64 = 365 * 86_400_000;

    #[test]
    fn it_is_where_a_right_clock_is() {
        assert_eq!(next(START, 5_000, START + 5_000), START + 5_000);
    }

    #[test]
    fn a_jump_ahead_carries_it_no_further_than_the_jump_lasted() {
        // A minute after a jump of a year, it is a minute ahead of the truth.
        assert_eq!(next(START, 60_000, START + YEAR + 60_000), START + 120_000);
        // Corrected, the truth has caught up after two minutes more.
        let (mut at, mut truth) = (START + 120_000, START + 60_000);
        for _ in 0..120 {
            (at, truth) = (next(at, 1_000, truth + 1_000), truth + 1_000);
        }
        assert_eq!((at, truth), (START + 180_000, START + 180_000));
    }

    #[test]
    fn a_clock_set_back_holds_it_up_but_time_goes_on() {
        assert_eq!(next(START, 10_000, START - 3_600_000), START + 5_000);
        assert_eq!(next(START, 10_000, 0), START + 5_000);
    }

    #[test]
    fn no_extreme_wraps() {
        assert_eq!(next(u64::MAX, u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(next(u64::MAX, u64::MAX, 0), u64::MAX);
        assert_eq!(next(1, u64::MAX, u64::MAX), u64::MAX);
    }
}
