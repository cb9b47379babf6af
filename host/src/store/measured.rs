//! A store whose commits are counted and timed.

use super::{Committed, Reply, Revision, Store, StoreError, Watch};
use crate::metrics;
use std::{sync::Arc, time::Instant};
use waxseal_core::seam::{Commit, Range, Record, RecordKey};

/// The store inside, and what becomes of the commits that go through here.
pub struct Measured<S> {
    inner: Arc<S>,
    figures: metrics::Store,
}

impl<S> Measured<S> {
    /// Puts `figures` before `inner`.
    pub fn new(inner: Arc<S>, figures: metrics::Store) -> Self {
        Self { inner, figures }
    }
}

impl<S: Store> Store for Measured<S> {
    fn get(&self, keys: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>> {
        self.inner.get(keys)
    }

    fn range(&self, range: &Range) -> Reply<'_, Vec<(RecordKey, Record)>> {
        self.inner.range(range)
    }

    fn commit(&self, commit: Commit) -> Reply<'_, Committed> {
        let begun = Instant::now();
        let committed = self.inner.commit(commit);
        Reply::pending(async move {
            let committed = committed.await;
            match &committed {
                Ok(Committed::At(_)) => {
                    self.figures.seconds.observe(begun.elapsed().as_secs_f64());
                    self.figures.commits.inc();
                }
                Ok(Committed::Conflict) => {
                    self.figures.conflicts.inc();
                }
                // The queue was full; nothing failed, and the client is told to come again.
                Err(StoreError::Busy) => {}
                Err(_) => {
                    self.figures.failures.inc();
                }
            }
            committed
        })
    }

    fn watch(&self, after: Revision) -> Watch {
        self.inner.watch(after)
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        store::{
            Memory,
            conforms::{at, put, writes},
        },
    };
    use prometheus_client::{encoding::text::encode, registry::Registry};
    use waxseal_core::time::UnixTime;

    /// Refuses every commit.
    struct Broken(StoreError);

    impl Store for Broken {
        fn get(&self, _: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>> {
            Reply::ready(Err(self.0.clone()))
        }

        fn range(&self, _: &Range) -> Reply<'_, Vec<(RecordKey, Record)>> {
            Reply::ready(Err(self.0.clone()))
        }

        fn commit(&self, _: Commit) -> Reply<'_, Committed> {
            Reply::ready(Err(self.0.clone()))
        }

        fn watch(&self, _: Revision) -> Watch {
            panic!("nobody watches it")
        }

        fn revision(&self) -> Revision {
            Revision(0)
        }
    }

    fn counted(figures: &metrics::Store) -> [u64; 3] {
        [figures.commits.get(), figures.conflicts.get(), figures.failures.get()]
    }

    /// How many commits were timed.
    fn timed(figures: &metrics::Store) -> bool {
        let mut registry = Registry::default();
        registry.register("timed", "", figures.seconds.clone());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text.contains("timed_count 1\n")
    }

    #[test]
    fn every_commit_is_counted_by_how_it_ended() {
        let figures = metrics::Metrics::default().store;
        let memory = Memory::new(Arc::new(Clock::stopped_at(UnixTime::from_secs(1_000))));
        let store = Measured::new(Arc::new(memory), figures.clone());
        assert_eq!(store.commit(writes([put("a", "1")])).wait(), Ok(Committed::At(Revision(1))));
        assert_eq!(store.commit(writes([at(7, put("a", "2"))])).wait(), Ok(Committed::Conflict));
        assert_eq!(counted(&figures), [1, 1, 0]);
        for (error, failures) in [(StoreError::Full, 1), (StoreError::Busy, 1)] {
            let store = Measured::new(Arc::new(Broken(error.clone())), figures.clone());
            assert_eq!(store.commit(writes([put("a", "1")])).wait(), Err(error));
            assert_eq!(counted(&figures), [1, 1, failures]);
        }
        assert!(timed(&figures), "only what is on disk");
    }
}
