//! The one loop between core and the world, whichever way core is run.

use super::{
    audit::{Audit, Occasion},
    places::{Place, Places},
    prefetch::Prefetch,
    run::{Fault, Run, Turn, Wait, is_long},
    worlds::{Shaped, WorldError, Worlds},
};
use crate::{
    clock::Clock,
    kdf,
    store::{Committed, Store, StoreError},
};
use core::{fmt, mem, net::IpAddr, time::Duration};
use std::sync::Arc;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{RwLock, RwLockWriteGuard},
    task::block_in_place,
};
use waxseal_core::seam::{Answer, Ask, Call, Derivation, Done, Record, RecordKey, Response};

/// How often a call is started before the server gives up. Starting over is cheap, as derivations are kept. `wasm/js/lib/waxseal.js` has
/// the same number, and the same longest pause.
const MOST_STARTS: u32 = 16;
/// How many races a call loses before it runs alone, while nobody else may commit. So whoever keeps changing a record cannot keep
/// others from it, least of all an administrator who wants to disable that user.
const RACES: u32 = 4;
/// The longest pause before starting over.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// What calls are driven with.
pub(super) struct Driver {
    pub(super) store: Arc<dyn Store>,
    pub(super) kdf: Arc<kdf::Pool>,
    pub(super) audit: Arc<dyn Audit>,
    pub(super) clock: Arc<Clock>,
    pub(super) worlds: Worlds,
    pub(super) prefetch: Prefetch,
    /// Where calls that take long wait.
    pub(super) long: Places,
    /// Read-locked by all while they commit; write-locked, from its start on, by a call that has lost too many races and runs alone, and
    /// by one that changes the keys, until the world that they make is in force.
    pub(super) committing: RwLock<()>,
}

/// What a call has waited for, and keeps when it starts over.
#[derive(Default)]
struct Kept<'d> {
    derived: Vec<(Derivation, kdf::Bits)>,
    /// Its place among the calls that take long.
    place: Option<Place<'d>>,
}

/// Why a call came to no end of its own. After [`Failure::Store`] or [`Failure::World`] its commit may hold, or not; otherwise nothing was
/// changed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Core could not be run.
    Fault(Fault),
    /// A record could not be read or a commit failed. After a failed commit it is unknown whether it holds.
    Store(StoreError),
    /// A derivation could not be had.
    Kdf(kdf::Error),
    /// Other requests changed the same records again and again.
    Contended,
    /// Too many long requests of its source have a place or wait for one.
    Crowded,
    /// The signing keys cannot be read: before the call, or after it has changed them, which is stored.
    World(WorldError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Kdf(error) => error.fmt(f),
            Self::Contended => f.write_str("other requests keep changing the same records"),
            Self::Crowded => f.write_str("too many requests of one source that take long are waiting"),
            Self::World(error) => error.fmt(f),
        }
    }
}

impl Driver {
    /// Drives `call` to its end and commits what it decided; then the response may be sent. Dropping the future before that may leave a
    /// commit that holds, without its events.
    ///
    /// Each start is under the world that is in force then, through what `under` makes of it, whatever the world of `call` is.
    pub(super) async fn drive<R: Run>(
        &self,
        under: impl Fn(&Shaped) -> R,
        call: &Arc<Call>,
        occasion: Occasion,
    ) -> Result<Response, Failure> {
        let mut kept = Kept::default();
        let mut call = Arc::clone(call);
        for start in 0..MOST_STARTS {
            let mut alone = None;
            if start < RACES {
                pause(start).await;
            } else {
                alone = Some(self.committing.write().await);
            }
            let mut is_late = false;
            let (shaped, done) = loop {
                let moment = self.clock.now_in_order();
                let shaped = self.worlds.current(&*self.store, moment.0).await.map_err(Failure::World)?;
                if is_late || !Arc::ptr_eq(&call.world, &shaped.world) {
                    call = Arc::new(call.at(moment, Arc::clone(&shaped.world)));
                }
                if let Some(done) = self.run(&under(&shaped), &call, &mut kept, &mut alone).await? {
                    break (shaped, done);
                }
                is_late = true;
            };
            if kept.derived.is_empty() {
                self.kdf.give_way();
            }
            let is_nothing = done.commit.is_empty() && done.events.is_empty();
            if !is_nothing && !self.audit.takes_records() {
                return Err(Failure::Store(StoreError::Unavailable("the audit trail takes no records".into())));
            }
            if done.commit.is_empty() {
                // Also what is only told or issued is to follow from the keys as they are now.
                if !self.worlds.is_in_force(&shaped) {
                    continue;
                }
                self.record(occasion, &done);
                return Ok(done.response);
            }
            if let Some(response) = self.settle(&shaped, done, occasion, alone).await? {
                return Ok(response);
            }
        }
        Err(Failure::Contended)
    }

    /// One run from the start to an end. The call is no longer `alone` once it has to wait for something long, such as a derivation.
    /// `None` when the clock is in another second after a derivation: then everything is to be looked at again as it is now, and a
    /// token that is issued begins its life now. That costs a read, as the derivation is kept.
    async fn run<'d, R: Run>(
        &'d self,
        run: &R,
        call: &Arc<Call>,
        kept: &mut Kept<'d>,
        alone: &mut Option<RwLockWriteGuard<'_, ()>>,
    ) -> Result<Option<Done>, Failure> {
        let mut reads = self.prefetch.look(&call.request);
        let prefetched = match reads.keys() {
            [] => Vec::new(),
            keys => keys.iter().cloned().zip(self.store.get(keys).await.map_err(Failure::Store)?).collect(),
        };
        let mut turn = run.begin(call, prefetched).await.map_err(Failure::Fault)?;
        loop {
            match turn {
                Turn::Done(done) => {
                    self.prefetch.learn(reads);
                    return Ok(Some(done));
                }
                Turn::Ask(wait) => {
                    reads.note(&wait.ask().keys);
                    let is_long = is_long(wait.ask());
                    let known = kept.derived.len();
                    let bits = match &wait.ask().derive {
                        Some(derivation) => {
                            Some(self.derive(derivation, call.moment.peer.address, &mut kept.derived, alone).await?)
                        }
                        None => None,
                    };
                    if kept.derived.len() > known && self.clock.now().as_secs() != call.moment.now.as_secs() {
                        return Ok(None);
                    }
                    let step = async {
                        let (records, ranges) = self.read(wait.ask()).await?;
                        wait.resume(Answer { records, ranges, derived: bits }).await.map_err(Failure::Fault)
                    };
                    if is_long && kept.place.is_none() && !call.moment.peer.local {
                        // The place is kept until the call ends: what it has read stays in memory as long, and when it starts over, it
                        // need not wait again and stays alone. The owner waits for no stranger.
                        *alone = None;
                        kept.place = Some(self.long.take(call.moment.peer.address).await.ok_or(Failure::Crowded)?);
                    }
                    turn = if is_long { aside(step).await? } else { step.await? };
                }
            }
        }
    }

    async fn read(&self, ask: &Ask) -> Result<(Vec<Option<Record>>, Vec<Vec<(RecordKey, Record)>>), Failure> {
        let records =
            if ask.keys.is_empty() { Vec::new() } else { self.store.get(&ask.keys).await.map_err(Failure::Store)? };
        let mut ranges = Vec::with_capacity(ask.ranges.len());
        for range in &ask.ranges {
            ranges.push(self.store.range(range).await.map_err(Failure::Store)?);
        }
        Ok((records, ranges))
    }

    /// Computes a derivation once per request, however often the call is started.
    async fn derive(
        &self,
        derivation: &Derivation,
        source: Option<IpAddr>,
        known: &mut Vec<(Derivation, kdf::Bits)>,
        alone: &mut Option<RwLockWriteGuard<'_, ()>>,
    ) -> Result<kdf::Bits, Failure> {
        if let Some((_, bits)) = known.iter().find(|(known, _)| known == derivation) {
            return Ok(bits.clone());
        }
        *alone = None;
        let bits = self.kdf.derive(derivation.clone(), source).await.map_err(Failure::Kdf)?;
        known.push((derivation.clone(), bits.clone()));
        Ok(bits)
    }

    /// Commits, and does what follows from that. `None` when the race was lost, or when `shaped`, under which the call was run, is no
    /// longer in force: its keys are no records that core reads, so that the store cannot tell.
    ///
    /// INVARIANT: from a commit that changes keys until the world that they make is in force, nobody else commits. So what was decided
    /// under a key that has ended is not committed once that end is acknowledged.
    async fn settle(
        &self,
        shaped: &Arc<Shaped>,
        mut done: Done,
        occasion: Occasion,
        mut alone: Option<RwLockWriteGuard<'_, ()>>,
    ) -> Result<Option<Response>, Failure> {
        let commit = mem::take(&mut done.commit);
        let keys = commit.writes.iter().any(|write| Worlds::depend_on(&write.key));
        if keys && alone.is_none() {
            alone = Some(self.committing.write().await);
        }
        let _shared = if alone.is_some() { None } else { Some(self.committing.read().await) };
        if !self.worlds.is_in_force(shaped) {
            return Ok(None);
        }
        let due = self.audit.due().ok_or_else(|| StoreError::Unavailable("the audit trail is closed".into()));
        let due = due.map_err(Failure::Store)?;
        let committed = self.store.commit(commit).await;
        if let Ok(Committed::At(_)) = committed {
            self.record(occasion, &done);
        }
        // After any other failure the change may turn out to hold, and stays due.
        if matches!(committed, Ok(_) | Err(StoreError::Busy | StoreError::Full)) {
            due.settled();
        }
        if committed.map_err(Failure::Store)? == Committed::Conflict {
            return Ok(None);
        }
        if keys {
            self.worlds.reload(&*self.store, self.clock.now()).await.map_err(Failure::World)?;
        }
        Ok(Some(done.response))
    }

    /// Hands the audit trail what it is to know of a request that has ended.
    fn record(&self, occasion: Occasion, done: &Done) {
        if !done.events.is_empty() {
            self.audit.record(occasion, &done.events);
        }
        if let Some(reason) = done.token_refusal {
            self.audit.token_refused(occasion, reason);
        }
    }
}

/// Does work that may take long on a thread that nobody else needs, so that short requests do not wait for it.
async fn aside<T>(work: impl Future<Output = T> + Send) -> T {
    let runtime = Handle::current();
    match runtime.runtime_flavor() {
        RuntimeFlavor::CurrentThread => work.await,
        _ => block_in_place(|| runtime.block_on(work)),
    }
}

/// Waits before the `start`-th start: at random, and longer each time, so that calls that have collided do not collide again.
async fn pause(start: u32) {
    if start > 0 {
        let most = Duration::from_millis(1 << start.min(16)).min(LONGEST_PAUSE);
        let share = getrandom::u32().unwrap_or(u32::MAX);
        tokio::time::sleep(most.mul_f64(f64::from(share) / f64::from(u32::MAX))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The driver for JavaScript gives up when this one does.
    #[test]
    fn the_package_has_the_same_patience() {
        let text = include_str!("../../../wasm/js/lib/waxseal.js");
        let number = |name: &str| -> u64 {
            text.lines().find_map(|line| line.strip_prefix(&format!("const {name} = "))).unwrap().parse().unwrap()
        };
        assert_eq!(number("MOST_STARTS"), u64::from(MOST_STARTS));
        assert_eq!(u128::from(number("LONGEST_PAUSE_MILLIS")), LONGEST_PAUSE.as_millis());
    }
}
