//! The server's clock: the system's, which tests may move and stop, and never before the horizon (`host/src/horizon.rs`).

use crate::horizon::Horizon;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use waxseal_core::time::UnixTime;

/// The only place of the server that reads the time of day.
#[derive(Debug)]
pub struct Clock {
    /// What is added to the system's time, in milliseconds, while the clock runs.
    offset: AtomicI64,
    /// Where the clock stands; [`RUNNING`] while it does not.
    stopped: AtomicI64,
    /// What [`Clock::now_in_order`] has told last: the time, times 2^16, plus its number.
    ordered: AtomicU64,
    horizon: Horizon,
}

/// No time: a clock that stands is at 0 or later.
const RUNNING: i64 = i64::MIN;

const ORDER_BITS: u32 = 16;
const MOST_ORDERED: u64 = (1 << ORDER_BITS) - 1;

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self {
            offset: AtomicI64::new(0),
            stopped: AtomicI64::new(RUNNING),
            ordered: AtomicU64::new(0),
            horizon: Horizon::new(),
        }
    }

    /// A clock that stands at `time` until it is [moved](Self::advance).
    pub fn stopped_at(time: UnixTime) -> Self {
        Self { stopped: AtomicI64::new(millis(time)), ..Self::system() }
    }

    /// The time now, never before the horizon. Before 1970 and after the range of the type it stays at the nearest end.
    pub fn now(&self) -> UnixTime {
        self.told().max(self.horizon.at())
    }

    /// The time now, and how often this was told before within its millisecond, up to what a number holds. Of two that are told one after
    /// the other, the later is never before the earlier, unless the clock is set back.
    pub fn now_in_order(&self) -> (UnixTime, u16) {
        let mut told = 0;
        let next = |last: u64| {
            // Read between looking at what was told last and telling this: so no other thread has told a later time meanwhile.
            let now = self.now().as_millis();
            told = if last >> ORDER_BITS == now {
                last + u64::from(last & MOST_ORDERED != MOST_ORDERED)
            } else {
                now << ORDER_BITS
            };
            Some(told)
        };
        // Acquire and release, for the clock is not to be read before.
        let _ = self.ordered.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        (UnixTime::from_millis(told >> ORDER_BITS), u16::try_from(told & MOST_ORDERED).unwrap_or(u16::MAX))
    }

    /// How far time has surely come: what has ended by then has ended for good. The epoch while none is [held](Self::hold).
    pub fn horizon(&self) -> UnixTime {
        self.horizon.at()
    }

    /// Never tells a time before the horizon from now on: before `mark`, where an earlier process has left it, or before now
    /// if there was none.
    pub fn hold(&self, mark: Option<UnixTime>) {
        self.horizon.hold(mark, self.told());
    }

    /// Moves the horizon on. To be called every few seconds.
    pub fn tick(&self) {
        self.horizon.tick((self.stopped.load(Ordering::Relaxed) == RUNNING).then(|| self.told()));
    }

    /// How many seconds the system's clock is behind the horizon; 0 where all is well.
    pub fn secs_behind(&self) -> u64 {
        self.horizon().secs_since(self.told())
    }

    /// Moves the clock by `millis`: forward, as time does; or back if negative, as somebody who sets it wrong would, but not before 1970.
    pub fn advance(&self, millis: i64) {
        self.shift(millis);
        self.horizon.move_on(u64::try_from(millis).unwrap_or(0), self.told());
    }

    /// Moves the clock to `time`, even back, and the horizon with it. Only for tests, as what has ended since may live again; a clock
    /// that is set back by mistake is simulated by [`Clock::advance`].
    pub fn set(&self, time: UnixTime) {
        let passed = time.as_millis().saturating_sub(self.told().as_millis());
        self.horizon.come_back(time);
        let at = millis(time);
        if self.stopped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |was| (was != RUNNING).then_some(at)).is_err() {
            self.run_from(at);
        }
        self.horizon.move_on(passed, self.told());
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
            self.run_from(at);
            self.stopped.store(RUNNING, Ordering::Relaxed);
        }
    }

    /// Has the clock say `at` now, and run on from there, once it runs.
    fn run_from(&self, at: i64) {
        let system = i64::try_from(since_epoch_millis()).unwrap_or(i64::MAX);
        self.offset.store(at.saturating_sub(system), Ordering::Relaxed);
    }

    /// Goes on from the horizon where the clock is behind it: for tests that have moved the clock of an earlier process.
    pub fn resume(&self) {
        self.shift(millis(self.now()).saturating_sub(millis(self.told())));
    }

    /// Makes the clock wrong by `millis`, though no time has passed.
    pub(crate) fn shift(&self, millis: i64) {
        let stopped = |at: i64| (at != RUNNING).then(|| at.saturating_add(millis).max(0));
        if self.stopped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, stopped).is_err() {
            let moved = |offset: i64| Some(offset.saturating_add(millis));
            let _ = self.offset.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
        }
    }

    /// What the clock says, right or wrong.
    fn told(&self) -> UnixTime {
        UnixTime::from_millis(match self.stopped.load(Ordering::Relaxed) {
            RUNNING => since_epoch_millis().saturating_add_signed(self.offset.load(Ordering::Relaxed)),
            at => at.unsigned_abs(),
        })
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

    const HOUR: i64 = 3_600_000;
    const YEAR: i64 = 365 * 24 * HOUR;
    const START: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn held() -> Clock {
        let clock = Clock::stopped_at(START);
        clock.hold(None);
        clock
    }

    #[test]
    fn what_is_asked_within_a_millisecond_is_told_in_order() {
        let clock = Clock::stopped_at(UnixTime::from_millis(1_700_000_000_123));
        let order = || clock.now_in_order().1;
        assert_eq!([order(), order(), order()], [0, 1, 2]);
        for _ in 0..70_000 {
            order();
        }
        assert_eq!(order(), u16::MAX, "it does not begin again");
        clock.advance(1);
        assert_eq!(clock.now_in_order(), (UnixTime::from_millis(1_700_000_000_124), 0));
        assert_eq!(clock.now_in_order().1, 1);
        clock.advance(-1_000);
        assert_eq!(clock.now_in_order(), (UnixTime::from_millis(1_699_999_999_124), 0), "it was set back");
    }

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

    #[test]
    fn set_back_it_stands_and_then_goes_on() {
        for back in [2 * HOUR, YEAR, i64::MAX] {
            let clock = held();
            clock.advance(10 * HOUR);
            let reached = clock.now();
            clock.advance(-back);
            assert_eq!((clock.now(), clock.horizon()), (reached, reached));
            clock.advance(HOUR);
            assert_eq!(clock.now(), reached.plus_secs(1_800));
        }
    }

    #[test]
    fn it_has_caught_up_after_twice_the_difference() {
        let clock = held();
        clock.advance(-HOUR);
        assert_eq!(clock.secs_behind(), 3_600);
        (0..7_200).for_each(|_| clock.advance(1_000));
        assert_eq!((clock.secs_behind(), clock.now()), (0, START.plus_secs(3_600)));
    }

    #[test]
    fn set_ahead_and_corrected_at_once_it_is_as_before() {
        let clock = held();
        clock.shift(YEAR);
        assert_eq!((clock.now(), clock.horizon()), (START.plus_secs(365 * 86_400), START));
        clock.shift(-YEAR);
        assert_eq!(clock.now(), START);
    }

    #[test]
    fn what_an_earlier_process_has_left_counts() {
        let clock = Clock::stopped_at(START);
        clock.hold(Some(START.plus_secs(60)));
        assert_eq!(clock.now(), START.plus_secs(60));
        clock.hold(Some(START));
        assert_eq!(clock.horizon(), START.plus_secs(60));
    }

    #[test]
    fn a_moved_clock_is_resumed_at_its_full_pace() {
        let clock = Clock::stopped_at(START);
        clock.hold(Some(START.plus_secs(86_400)));
        clock.resume();
        assert_eq!((clock.secs_behind(), clock.now()), (0, START.plus_secs(86_400)));
        clock.advance(60_000);
        assert_eq!(clock.now(), START.plus_secs(86_460));
    }

    #[test]
    fn tests_may_set_any_time() {
        let clock = Clock::system();
        clock.hold(None);
        for time in [UnixTime::from_millis(1_000), START, UnixTime::from_millis(1_000)] {
            clock.set(time);
            assert!(clock.now() >= time && clock.now() < time.plus_secs(60), "{}", clock.now());
            // From beyond all times, too.
            clock.advance(i64::MAX);
        }
    }

    #[test]
    fn a_tick_follows_the_system() {
        let clock = Clock::system();
        clock.hold(None);
        let held = clock.horizon();
        std::thread::sleep(core::time::Duration::from_millis(120));
        clock.tick();
        assert!(clock.horizon() > held && clock.horizon() <= clock.now());
    }

    #[test]
    fn no_extreme_panics() {
        let clock = Clock::stopped_at(UnixTime::from_millis(u64::MAX));
        clock.hold(Some(UnixTime::from_millis(u64::MAX)));
        for millis in [i64::MAX, i64::MIN, 1, -1] {
            clock.advance(millis);
            clock.set(UnixTime::from_millis(0));
            clock.set(UnixTime::from_millis(u64::MAX));
            clock.resume();
            clock.tick();
        }
        assert_eq!(clock.now(), UnixTime::from_millis(i64::MAX.unsigned_abs()));
    }
}
