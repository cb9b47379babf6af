//! The server's clock: the system's, with an offset that tests may move.

use core::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use waxseal_core::time::UnixTime;

/// The only place of the server that reads the time of day.
#[derive(Debug, Default)]
pub struct Clock {
    offset_millis: AtomicI64,
    fixed: bool,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `time` until it is [moved](Self::advance).
    pub fn stopped_at(time: UnixTime) -> Self {
        Self { offset_millis: AtomicI64::new(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)), fixed: true }
    }

    /// The time now. Before 1970 and after the range of the type it stays at the nearest end.
    pub fn now(&self) -> UnixTime {
        let base = if self.fixed { 0 } else { since_epoch_millis() };
        UnixTime::from_millis(base.saturating_add_signed(self.offset_millis.load(Ordering::Relaxed)))
    }

    /// Moves the clock by `millis`, back if negative.
    pub fn advance(&self, millis: i64) {
        let moved = |offset: i64| Some(offset.saturating_add(millis));
        let _ = self.offset_millis.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }
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
}
