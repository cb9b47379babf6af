//! The world in force: settings and opened signing keys, swapped as a whole.

use super::run::Fault;
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::sync::Arc;
use tokio::sync::Mutex;
use waxseal_core::{
    record::key::SIGNING_KEYS,
    seam::{Range, RecordKey, World},
    settings::Settings,
    time::UnixTime,
    vault::Vault,
};
use zeroize::Zeroizing;

/// A world in both forms.
pub(super) struct Shaped {
    /// For native calls.
    pub(super) world: Arc<World>,
    /// For the component.
    pub(super) bytes: Arc<Zeroizing<Vec<u8>>>,
}

impl Shaped {
    fn new(settings: Settings, vault: Vault) -> Result<Self, WorldError> {
        let world = World { settings, vault }.keyed();
        let bytes = Arc::new(world.to_bytes().ok_or(WorldError::Unreadable)?);
        Ok(Self { world: Arc::new(world), bytes })
    }
}

/// Why there is no world.
#[derive(Debug)]
pub enum WorldError {
    /// The signing keys cannot be read from the store.
    Store(StoreError),
    /// A signing key cannot be opened: it is damaged or was sealed under another root secret.
    Unreadable,
    /// The module does not read the settings and keys that it would run under; with the reason if there is one.
    Foreign(Option<Fault>),
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the signing keys cannot be read: {error}"),
            Self::Unreadable => f.write_str(
                "a signing key cannot be opened: it is damaged, or `root.key` is not the one that it was sealed under; put the right \
                 root.key back, or bring a backup back into an empty directory (`waxseal restore`)",
            ),
            Self::Foreign(None) => f.write_str("the module does not understand the settings and keys of this build"),
            Self::Foreign(Some(fault)) => write!(f, "the module does not run: {fault}"),
        }
    }
}

impl core::error::Error for WorldError {}

/// The world in force and what makes the next one.
pub(super) struct Worlds {
    root: Zeroizing<[u8; 32]>,
    current: ArcSwap<Shaped>,
    /// The settings for the next world. Locked while one is made, so that a slow reader of older keys cannot come last.
    settings: Mutex<Settings>,
    /// The last attempt to read the keys failed, so what is in force may be out of date.
    stale: AtomicBool,
    /// When the one in force was made, in milliseconds: keys whose time had passed then are not in it.
    made: AtomicU64,
    /// How many worlds there have been.
    count: AtomicU64,
}

impl Worlds {
    /// The first world, from the keys in `store`.
    pub(super) async fn open(
        root: Zeroizing<[u8; 32]>,
        settings: Settings,
        store: &dyn Store,
        now: UnixTime,
    ) -> Result<Self, WorldError> {
        let first = Shaped::new(settings.clone(), vault(&root, store, now).await?)?;
        let current = ArcSwap::from_pointee(first);
        Ok(Self {
            root,
            current,
            settings: Mutex::new(settings),
            stale: AtomicBool::new(false),
            made: AtomicU64::new(now.as_millis()),
            count: AtomicU64::new(0),
        })
    }

    /// Whether the world is made from this record.
    pub(super) fn depend_on(key: &RecordKey) -> bool {
        key.as_str().starts_with(SIGNING_KEYS)
    }

    /// The world in force. Fails closed: after a failed [`Worlds::reload`] it tries again first. Makes it anew if the clock was ahead
    /// when it was made.
    pub(super) async fn current(&self, store: &dyn Store, now: UnixTime) -> Result<Arc<Shaped>, WorldError> {
        if self.is_outdated(now) {
            let settings = self.settings.lock().await;
            // Another request may have made it while this one waited; if each made it again, it would stay stale for as long as more
            // come.
            if self.is_outdated(now) {
                self.make(&settings, store, now).await?;
            }
        }
        Ok(self.current.load_full())
    }

    fn is_outdated(&self, now: UnixTime) -> bool {
        // A key verifies for a minute after its last token has ended, so a smaller difference does not matter.
        let is_from_ahead = now.plus_secs(60).as_millis() < self.made.load(Ordering::Acquire);
        is_from_ahead || self.stale.load(Ordering::Acquire)
    }

    /// Whether `shaped` is still the world in force; not while that is uncertain.
    pub(super) fn is_in_force(&self, shaped: &Arc<Shaped>) -> bool {
        !self.stale.load(Ordering::Acquire) && Arc::ptr_eq(&self.current.load(), shaped)
    }

    /// The latest world that there was, in force or not: for the words of a refusal.
    pub(super) fn latest(&self) -> Arc<Shaped> {
        self.current.load_full()
    }

    /// Which world is in force: another number for each; `None` while that is uncertain.
    pub(super) fn mark(&self) -> Option<u64> {
        (!self.stale.load(Ordering::Acquire)).then(|| self.count.load(Ordering::Acquire))
    }

    /// Reads the keys again; the world they make is in force when this returns.
    pub(super) async fn reload(&self, store: &dyn Store, now: UnixTime) -> Result<(), WorldError> {
        let settings = self.settings.lock().await;
        self.make(&settings, store, now).await
    }

    /// Puts other settings in force, with the keys as they are now. Before any request is answered under them, `with` gets the world; if it
    /// fails, nothing changes.
    pub(super) async fn set_settings(
        &self,
        new: Settings,
        store: &dyn Store,
        now: UnixTime,
        with: impl FnOnce(&Shaped) -> Result<(), WorldError>,
    ) -> Result<(), WorldError> {
        let mut settings = self.settings.lock().await;
        self.make_with(&new, store, now, with).await?;
        *settings = new;
        Ok(())
    }

    async fn make(&self, settings: &Settings, store: &dyn Store, now: UnixTime) -> Result<(), WorldError> {
        self.make_with(settings, store, now, |_| Ok(())).await
    }

    async fn make_with(
        &self,
        settings: &Settings,
        store: &dyn Store,
        now: UnixTime,
        with: impl FnOnce(&Shaped) -> Result<(), WorldError>,
    ) -> Result<(), WorldError> {
        // Stale until it is made, also if this ends early.
        self.stale.store(true, Ordering::Release);
        let made = Shaped::new(settings.clone(), vault(&self.root, store, now).await?)?;
        with(&made)?;
        self.current.store(Arc::new(made));
        self.made.store(now.as_millis(), Ordering::Release);
        self.count.fetch_add(1, Ordering::Release);
        self.stale.store(false, Ordering::Release);
        Ok(())
    }
}

async fn vault(root: &[u8; 32], store: &dyn Store, now: UnixTime) -> Result<Vault, WorldError> {
    let range = Range { prefix: SIGNING_KEYS.into(), after: String::new(), limit: u32::MAX };
    let records = store.range(&range).await.map_err(WorldError::Store)?;
    Vault::open(*root, records.iter().map(|(_, record)| record.value.as_slice()), now).map_err(|_| WorldError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        store::{Committed, Memory, Reply, Revision, Watch},
    };
    use core::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };
    use waxseal_core::seam::{Commit, Record};

    /// Counts how often keys are read.
    struct Counted(Memory, AtomicU64);

    impl Store for Counted {
        fn get(&self, keys: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>> {
            self.0.get(keys)
        }

        fn range(&self, range: &Range) -> Reply<'_, Vec<(RecordKey, Record)>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.range(range)
        }

        fn commit(&self, commit: Commit) -> Reply<'_, Committed> {
            self.0.commit(commit)
        }

        fn watch(&self, after: Revision) -> Watch {
            self.0.watch(after)
        }

        fn revision(&self) -> Revision {
            self.0.revision()
        }
    }

    /// Otherwise one change of keys under load would keep the server at reading them, once for each request that came meanwhile.
    #[tokio::test]
    async fn whoever_has_waited_for_a_world_makes_no_other() {
        let now = UnixTime::from_secs(1_800_000_000);
        let store = Counted(Memory::new(Arc::new(Clock::stopped_at(now))), AtomicU64::new(0));
        let worlds = Worlds::open(Zeroizing::new([9; 32]), Settings::default(), &store, now).await.unwrap();
        worlds.stale.store(true, Ordering::Release);
        let held = worlds.settings.lock().await;
        let (mut one, mut other) = (pin!(worlds.current(&store, now)), pin!(worlds.current(&store, now)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(one.as_mut().poll(&mut context).is_pending() && other.as_mut().poll(&mut context).is_pending());
        drop(held);
        assert!(one.await.is_ok() && other.await.is_ok());
        assert_eq!((store.1.load(Ordering::Relaxed), worlds.mark()), (2, Some(1)));
    }

    /// It may lack keys whose time had passed by that clock.
    #[tokio::test]
    async fn a_world_of_a_clock_that_was_ahead_is_made_anew() {
        let (now, ahead) = (UnixTime::from_secs(1_800_000_000), UnixTime::from_secs(1_800_000_100));
        let store = Counted(Memory::new(Arc::new(Clock::stopped_at(now))), AtomicU64::new(0));
        let worlds = Worlds::open(Zeroizing::new([9; 32]), Settings::default(), &store, ahead).await.unwrap();
        for (now, count) in [(ahead, 0), (now.plus_secs(40), 0), (now, 1), (now, 1), (ahead, 1), (now, 1)] {
            assert!(worlds.current(&store, now).await.is_ok());
            assert_eq!((worlds.mark(), store.1.load(Ordering::Relaxed)), (Some(count), count + 1));
        }
        worlds.reload(&store, ahead).await.unwrap();
        assert!(worlds.current(&store, now).await.is_ok());
        assert_eq!(worlds.mark(), Some(3));
    }
}
