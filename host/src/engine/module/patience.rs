//! How long a step of the component may take.
//!
//! Epochs count the time that passes, and a thread may have run for little of it: those that check passwords stand back, so that beside
//! a flood of token checks they get a tenth of a core. So only half of a step's time is counted as it passes, and the other half by
//! what the thread has spent of the processor. An endless step ends after the whole of it where nothing else runs, and a good one that
//! has to wait for its core still comes to its end.

use super::compile;
use core::time::Duration;
use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Engine, Store, UpdateDeadline};

/// What an instance remembers of the step it is at.
#[derive(Default)]
pub(super) struct Patience {
    /// What the step may take of the processor after the first look.
    left: Duration,
    /// What its thread had spent of the processor at the first look.
    spent: Option<Duration>,
}

/// A store for one instance, whose steps may take so many ticks each.
pub(super) fn store(engine: &Engine, ticks: u64) -> Store<Patience> {
    let mut store = Store::new(engine, Patience::default());
    store.epoch_deadline_callback(|mut store| Ok(store.data_mut().at_deadline(spent())));
    begin_step(&mut store, ticks);
    store
}

/// Gives the step that is about to begin so many ticks.
pub(super) fn begin_step(store: &mut Store<Patience>, ticks: u64) {
    let given = ticks.div_ceil(2);
    *store.data_mut() = Patience { left: compile::TICK * u32::try_from(ticks - given).unwrap_or(u32::MAX), spent: None };
    store.set_epoch_deadline(given);
}

impl Patience {
    fn at_deadline(&mut self, now: Duration) -> UpdateDeadline {
        let since = *self.spent.get_or_insert(now);
        if now.saturating_sub(since) < self.left { UpdateDeadline::Continue(1) } else { UpdateDeadline::Interrupt }
    }
}

/// The processor time that this thread has spent.
fn spent() -> Duration {
    // Both parts are never negative.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_given_what_its_thread_spends() {
        let millis = Duration::from_millis;
        let mut patience = Patience { left: millis(500), spent: None };
        for (now, goes_on) in [(7_000, true), (7_000, true), (7_010, true), (7_499, true), (7_500, false)] {
            let next = patience.at_deadline(millis(now));
            assert_eq!(matches!(next, UpdateDeadline::Continue(1)), goes_on, "{now}");
        }
        let mut none = Patience::default();
        assert!(matches!(none.at_deadline(millis(7)), UpdateDeadline::Interrupt));
    }

    #[test]
    fn what_a_thread_spends_is_counted() {
        let before = spent();
        let began = std::time::Instant::now();
        std::thread::sleep(Duration::from_millis(50));
        assert!(spent() < before + began.elapsed(), "sleeping costs nothing");
        let sleeping = spent();
        let busy = std::time::Instant::now();
        while spent() == sleeping {
            assert!(busy.elapsed() < Duration::from_secs(30), "working costs something");
        }
    }
}
