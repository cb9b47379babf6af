//! Places for calls that take long: as many as there are cores. One source may have or wait for only so many of them, so that nobody
//! alone keeps the others waiting (security H4).

use crate::source_limit::{SourceLimit, SourcePermit};
use core::{net::IpAddr, num::NonZeroUsize};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many calls of one source may have a place or wait for one.
const OF_ONE: usize = 8;

#[derive(Debug)]
pub(super) struct Places {
    free: Semaphore,
    limit: Arc<SourceLimit>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'p> {
    _permit: Option<SemaphorePermit<'p>>,
    _of_source: SourcePermit,
}

impl Places {
    pub(super) fn new(number: NonZeroUsize) -> Self {
        Self { free: Semaphore::new(number.get()), limit: SourceLimit::of(OF_ONE) }
    }

    /// Waits for a place; `None` at once when too many of this source have one or wait for one.
    pub(super) async fn take(&self, source: Option<IpAddr>) -> Option<Place<'_>> {
        let permit = self.limit.take(source)?;
        // Nobody closes the semaphore.
        Some(Place { _permit: self.free.acquire().await.ok(), _of_source: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        pin::pin,
        task::{Context, Poll, Waker},
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
        assert!(matches!(all[0].1, Poll::Ready(Some(_))), "there is one place");
        assert!(all[1..].iter().all(|(_, first)| first.is_pending()));
        assert!(matches!(take(source(1)).1, Poll::Ready(None)));
        all.push(take(source(2)));
        all.push(take(None));
        assert!(all[OF_ONE..].iter().all(|(_, first)| first.is_pending()), "others wait for their turn");
        drop(all);
        let mut again = pin!(places.take(source(1)));
        let again = again.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(again, Poll::Ready(Some(_))), "who has waited may again");
    }
}
