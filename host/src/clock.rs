//! The server's clock: the system's, which tests may move and stop.

use core::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use waxseal_core::time::UnixTime;

/// The only place of the server that reads the time of day.
#[derive(Debug)]
pub struct Clock {
    /// What is added to the system's time, in milliseconds, while the clock runs.
    offset: AtomicI64,
    /// Where the clock stands; [`RUNNING`] while it does not.
    stopped: AtomicI64,
}

/// No time: a clock that stands is at 0 or later.
const RUNNING: i64 = i64::MIN;

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self { offset: AtomicI64::new(0), stopped: AtomicI64::new(RUNNING) }
    }

    /// A clock that stands at `time` until it is [moved](Self::advance).
    pub fn stopped_at(time: UnixTime) -> Self {
        Self { offset: AtomicI64::new(0), stopped: AtomicI64::new(millis(time)) }
    }

    /// The time now. Before 1970 and after the range of the type it stays at the nearest end.
    pub fn now(&self) -> UnixTime {
        match self.stopped.load(Ordering::Relaxed) {
            RUNNING => {
                UnixTime::from_millis(since_epoch_millis().saturating_add_signed(self.offset.load(Ordering::Relaxed)))
            }
            at => UnixTime::from_millis(at.unsigned_abs()),
        }
    }

    /// Moves the clock by `millis`, back if negative, but not before 1970.
    pub fn advance(&self, millis: i64) {
        let stopped = |at: i64| (at != RUNNING).then(|| at.saturating_add(millis).max(0));
        if self.stopped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, stopped).is_err() {
            let moved = |offset: i64| Some(offset.saturating_add(millis));
            let _ = self.offset.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
        }
    }

    /// Lets the clock stand where it is. Does nothing to one that stands.
    pub fn stop(&self) {
        let now = millis(self.now());
        let _ = self.stopped.compare_exchange(RUNNING, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Lets the clock run on from where it stands. Does nothing to one that runs.
    pub fn run(&self) {
        let at = self.stopped.load(Ordering::Relaxed);
        if at != RUNNING {
            let system = i64::try_from(since_epoch_millis()).unwrap_or(i64::MAX);
            self.offset.store(at.saturating_sub(system), Ordering::Relaxed);
            self.stopped.store(RUNNING, Ordering::Relaxed);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

fn millis(time: UnixTime) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn since_epoch_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_told() {
        let clock = Clock::stopped_at(UnixTime::from_secs(1_000));
        assert_eq!(clock.now(), UnixTime::from_secs(1_000));
        clock.advance(2_500);
        assert_eq!(clock.now(), UnixTime::from_millis(1_002_500));
        clock.advance(i64::MIN);
        assert_eq!(clock.now(), UnixTime::from_millis(0));
    }

    #[test]
    fn the_system_clock_is_offset() {
        let clock = Clock::system();
        let before = clock.now();
        clock.advance(86_400_000);
        assert!(clock.now().secs_since(before) >= 86_400);
    }

    #[test]
    fn a_clock_runs_on_from_where_it_stood() {
        let clock = Clock::system();
        clock.stop();
        let stood = clock.now();
        clock.advance(3_600_000);
        assert_eq!(clock.now().as_millis() - stood.as_millis(), 3_600_000);
        clock.run();
        let ahead = clock.now().as_millis() - stood.as_millis();
        assert!((3_600_000..3_660_000).contains(&ahead), "{ahead} ms");
    }
}
