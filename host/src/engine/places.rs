//! Places for calls that take long: as many as there are cores, and of those who wait for one only so many from one source, so that
//! nobody alone keeps the others waiting (security H4).

use crate::source::site;
use core::{net::IpAddr, num::NonZeroUsize};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many calls of one source may have a place or wait for one.
const OF_ONE: usize = 8;

#[derive(Debug)]
pub(super) struct Places {
    free: Semaphore,
    by_source: Mutex<HashMap<IpAddr, usize>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'p> {
    _permit: Option<SemaphorePermit<'p>>,
    _counted: Option<Counted<'p>>,
}

#[derive(Debug)]
struct Counted<'p> {
    places: &'p Places,
    source: IpAddr,
}

impl Places {
    pub(super) fn new(number: NonZeroUsize) -> Self {
        Self { free: Semaphore::new(number.get()), by_source: Mutex::default() }
    }

    /// Waits for a place; `None` at once when too many of this source have one or wait for one.
    pub(super) async fn take(&self, source: Option<IpAddr>) -> Option<Place<'_>> {
        let counted = match source {
            Some(source) => Some(self.count(site(source))?),
            None => None,
        };
        // Nobody closes the semaphore.
        Some(Place { _permit: self.free.acquire().await.ok(), _counted: counted })
    }

    fn count(&self, source: IpAddr) -> Option<Counted<'_>> {
        let mut by_source = self.lock();
        let count = by_source.entry(source).or_default();
        if *count >= OF_ONE {
            return None;
        }
        *count += 1;
        drop(by_source);
        Some(Counted { places: self, source })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut by_source = self.places.lock();
        let left = by_source.get(&self.source).map_or(0, |count| count - 1);
        if left == 0 {
            by_source.remove(&self.source);
        } else {
            by_source.insert(self.source, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        pin::pin,
        task::{Context, Waker},
    };

    #[test]
    fn one_source_waits_with_so_many_calls_and_no_more() {
        let places = Places::new(NonZeroUsize::MIN);
        let mut cx = Context::from_waker(Waker::noop());
        let source = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let mut take = |source| {
            let mut taken = Box::pin(places.take(source));
            let first = taken.as_mut().poll(&mut cx);
            (taken, first)
        };
        let mut all: Vec<_> = (0..OF_ONE).map(|_| take(source(1))).collect();
        assert!(matches!(all[0].1, core::task::Poll::Ready(Some(_))), "there is one place");
        assert!(all[1..].iter().all(|(_, first)| first.is_pending()));
        assert!(matches!(take(source(1)).1, core::task::Poll::Ready(None)));
        all.push(take(source(2)));
        all.push(take(None));
        assert!(all[OF_ONE..].iter().all(|(_, first)| first.is_pending()), "others wait for their turn");
        drop(all);
        assert!(places.lock().is_empty());
        let mut again = pin!(places.take(source(1)));
        assert!(again.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
