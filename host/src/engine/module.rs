//! Core as a component, run by wasmtime: a fresh instance for each request, bounded in time and memory.
//!
//! A fresh instance costs a few microseconds, because its pages come from a pool, stay mapped between requests and are reset to the
//! component's image; nothing of one request is there for the next. An instance is given up while its call waits for a password
//! derivation, or for its turn to read much: core is a function, so a new instance is brought to the same point by replaying the
//! answers, and a flood of logins holds no instances.

mod code;
mod convert;
mod exports;
mod patience;

pub use code::{Code, CodeError};

use super::{
    compile,
    run::{Fault, Prefetched, Run, Turn, Wait, is_long},
};
use convert::keyed;
use core::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};
use exports::{Export, Exports, Function};
use patience::Patience;
use std::{sync::Arc, thread};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{self, InstancePre, Linker},
};
use waxseal_core::{
    seam::{Answer, Ask, Call, Request},
    time::UnixTime,
};
use zeroize::Zeroizing;

#[allow(
    clippy::pedantic,
    clippy::std_instead_of_core,
    clippy::alloc_instead_of_core,
    dead_code,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated from engine.wit, of which the types are used"
)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wasm/wit",
        world: "engine",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

use bindings::exports::waxseal::engine::rules as wit;

/// The component, as it was built together with this server. It imports nothing.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm"));

/// What instances may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instances at once; further requests wait for one. Default 256.
    pub instances: NonZeroU32,
    /// Memory of one instance, in bytes. Default 256 MiB: what the list of 100,000 users takes. It is given back at the end of
    /// the request, and only as many instances grow as there are threads to run them.
    pub memory: usize,
    /// Ticks of 50 ms that a single step may take, not counting the time in which its thread had to wait for a core. Default 20.
    pub ticks_per_step: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const INSTANCES: NonZeroU32 = NonZeroU32::new(256).expect("256 is not zero");
        Self { instances: INSTANCES, memory: 256 << 20, ticks_per_step: compile::TICKS_PER_STEP }
    }
}

/// A component, ready to make instances.
#[derive(Clone)]
pub struct Module {
    shared: Arc<Shared>,
}

struct Shared {
    ground: Arc<Ground>,
    pre: InstancePre<Patience>,
    exports: Exports,
}

/// What the modules of one server have in common, one after the other.
struct Ground {
    engine: Engine,
    limits: Limits,
    /// One place fewer than there are: the last is for a module that is being made ready.
    free: Arc<Semaphore>,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    instances: AtomicU64,
    faults: AtomicU64,
}

/// What a module has done, for metrics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Instances that are in use now.
    pub running: u64,
    /// Instances made.
    pub instances: u64,
    /// Calls that ended in a trap, at a bound, or with a malformed answer.
    pub faults: u64,
}

impl Module {
    /// Loads `code` and starts the clock that bounds its calls.
    ///
    /// # Errors
    /// When this machine cannot run it: the CPU lacks a feature, addresses cannot be reserved, a thread is refused, the code was
    /// compiled by another version of wasmtime or does not have the functions of `engine.wit`.
    pub fn load(code: &Code, limits: Limits) -> wasmtime::Result<Self> {
        let mut config = compile::shared();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
        let engine = Engine::new(&config)?;
        tick(&engine)?;
        let free = Arc::new(Semaphore::new(limits.instances.get() as usize));
        Self::on(Arc::new(Ground { engine, limits, free, counters: Counters::default() }), code)
    }

    /// Loads `code` in the place of this one: under the same limits, counted together with it. Calls that have begun here end here.
    ///
    /// # Errors
    /// As [`Module::load`].
    pub fn successor(&self, code: &Code) -> wasmtime::Result<Self> {
        Self::on(Arc::clone(&self.shared.ground), code)
    }

    fn on(ground: Arc<Ground>, code: &Code) -> wasmtime::Result<Self> {
        let component = code.component(&ground.engine)?;
        // The linker stays empty: a component with an import would not get past this line.
        let pre = Linker::new(&ground.engine).instantiate_pre(&component)?;
        let exports = Exports::find(&component, &pre)?;
        Ok(Self { shared: Arc::new(Shared { ground, pre, exports }) })
    }

    /// An instance that checks tokens against `world`, again and again.
    ///
    /// # Errors
    /// [`Fault::Exhausted`] at once when all instances are in use; any other when the component does not take the world.
    pub fn verifier(&self, world: &[u8]) -> Result<Verifier, Fault> {
        let permit = Arc::clone(&self.shared.ground.free).try_acquire_owned();
        let permit = permit.map_err(|_| Fault::Exhausted)?;
        self.watch(|| {
            let mut instance = self.shared.instance(Some(permit))?;
            if instance.load(world)? { Ok(Verifier { instance }) } else { Err(Fault::Malformed("answer to its world")) }
        })
    }

    /// Whether it reads `world`. To be asked by one caller at a time, as it takes the place that is kept for that.
    ///
    /// # Errors
    /// [`Fault`], when it does not get that far.
    pub(super) fn reads(&self, world: &[u8]) -> Result<bool, Fault> {
        self.watch(|| self.shared.instance(None)?.load(world))
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        let Ground { limits, free, counters, .. } = &*self.shared.ground;
        Stats {
            running: u64::from(limits.instances.get()) - free.available_permits() as u64,
            instances: counters.instances.load(Ordering::Relaxed),
            faults: counters.faults.load(Ordering::Relaxed),
        }
    }

    /// The component under `world` (from [`World::to_bytes`](waxseal_core::seam::World::to_bytes)).
    pub(crate) fn over(&self, world: Arc<Zeroizing<Vec<u8>>>) -> Over {
        Over { module: self.clone(), world }
    }

    /// Counts a fault.
    fn watch<T>(&self, act: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        act().inspect_err(|_| {
            self.shared.ground.counters.faults.fetch_add(1, Ordering::Relaxed);
        })
    }
}

fn pool(limits: Limits) -> PoolingAllocationConfig {
    let count = limits.instances.get() + 1;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count)
        .total_core_instances(count)
        .total_memories(count)
        .total_tables(count)
        .max_memory_size(limits.memory)
        .max_unused_warm_slots(count)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(KEEP_RESIDENT)
        // The next request finds the memory that was used last, which is in the cache; in larger batches the slots would take turns.
        .decommit_batch_size(1);
    pool
}

/// Bytes of an instance that are reset by copying rather than by returning pages to the system. Where the system tells which pages were
/// written (Linux 6.7), only these are.
const KEEP_RESIDENT: usize = 128 << 10;

/// Ticks for as long as the engine lives.
fn tick(engine: &Engine) -> wasmtime::Result<()> {
    let weak = engine.weak();
    let ticking = move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(compile::TICK);
        }
    };
    thread::Builder::new().name("epoch".into()).spawn(ticking)?;
    Ok(())
}

impl Shared {
    fn instance(self: &Arc<Self>, permit: Option<OwnedSemaphorePermit>) -> Result<Instance, Fault> {
        let Ground { engine, limits, counters, .. } = &*self.ground;
        let mut store = patience::store(engine, limits.ticks_per_step);
        let instance = self.pre.instantiate(&mut store)?;
        counters.instances.fetch_add(1, Ordering::Relaxed);
        Ok(Instance { store, instance, shared: Arc::clone(self), _permit: permit })
    }
}

/// One instance; its place in the pool is free again when it is dropped.
struct Instance {
    store: Store<Patience>,
    instance: component::Instance,
    shared: Arc<Shared>,
    // Dropped after the store, so that the place is free before another request may take it.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Instance {
    /// Calls a function of the component, with the time of one step ahead of it.
    fn call<F: Function>(
        &mut self,
        function: impl FnOnce(&Exports) -> &Export<F>,
        parameters: F::Parameters<'_>,
    ) -> Result<F::Results, Fault> {
        let Self { store, instance, shared, .. } = self;
        patience::begin_step(store, shared.ground.limits.ticks_per_step);
        function(&shared.exports).call(instance, store, parameters)
    }

    fn begin(&mut self, call: &Call, prefetched: &Prefetched, world: &[u8]) -> Result<wit::Step, Fault> {
        let Call { request: Request { method, path, query, headers, body }, moment, .. } = call;
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = wit::Request { method: method.as_str(), path, query, headers: &headers, body };
        let prefetched: Vec<_> =
            prefetched.iter().map(|(key, record)| (key.as_str(), record.as_ref().map(Into::into))).collect();
        let (step,) = self.call(|exports| &exports.begin, (request, moment.into(), world, prefetched.as_slice()))?;
        Ok(step)
    }

    fn resume(&mut self, answer: &Answer) -> Result<wit::Step, Fault> {
        let Answer { records, ranges, derived } = answer;
        let records: Vec<_> = records.iter().map(|record| record.as_ref().map(Into::into)).collect();
        let ranges: Vec<Vec<_>> = ranges.iter().map(|range| range.iter().map(keyed).collect()).collect();
        let ranges: Vec<_> = ranges.iter().map(Vec::as_slice).collect();
        let derived = derived.as_ref().map(|bits| bits.as_slice());
        let answer = wit::Answer { records: &records, ranges: &ranges, derived };
        let (step,) = self.call(|exports| &exports.resume, (answer,))?;
        Ok(step)
    }

    fn load(&mut self, world: &[u8]) -> Result<bool, Fault> {
        let (taken,) = self.call(|exports| &exports.load, (world,))?;
        Ok(taken)
    }
}

/// An instance that checks tokens against one world. To be dropped after a [`Fault`].
pub struct Verifier {
    instance: Instance,
}

impl Verifier {
    /// Checks signature, times and profile of an access token; revocation is not its business.
    ///
    /// # Errors
    /// A [`Fault`] outside, which counts as refused (security E2); inside, the stable code of the refusal.
    pub fn verify(&mut self, token: &str, now: UnixTime) -> Result<Result<(), String>, Fault> {
        let (verdict,) = self.instance.call(|exports| &exports.verify, (token, now.as_millis()))?;
        Ok(verdict)
    }
}

/// The component under one world.
#[derive(Clone)]
pub(crate) struct Over {
    module: Module,
    world: Arc<Zeroizing<Vec<u8>>>,
}

/// A call between two steps.
pub(crate) struct Waiting {
    over: Over,
    so_far: SoFar,
    ask: Ask,
    instance: Option<Instance>,
}

/// What has gone into a call, for a replay.
struct SoFar {
    call: Arc<Call>,
    prefetched: Prefetched,
    answers: Vec<Answer>,
}

impl Run for Over {
    type Wait = Waiting;

    async fn begin(&self, call: &Arc<Call>, prefetched: Prefetched) -> Result<Turn<Waiting>, Fault> {
        let permit = self.permit().await?;
        self.module.watch(|| {
            let mut instance = self.module.shared.instance(Some(permit))?;
            let step = instance.begin(call, &prefetched, &self.world)?;
            self.turn(SoFar { call: Arc::clone(call), prefetched, answers: Vec::new() }, instance, step)
        })
    }
}

impl Over {
    async fn permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        // Nobody closes the semaphore.
        Arc::clone(&self.module.shared.ground.free).acquire_owned().await.map_err(|_| Fault::Exhausted)
    }

    fn turn(&self, so_far: SoFar, instance: Instance, step: wit::Step) -> Result<Turn<Waiting>, Fault> {
        match step {
            wit::Step::Done(done) => Ok(Turn::Done(done.try_into()?)),
            wit::Step::Ask(ask) => {
                let ask = Ask::from(ask);
                // A derivation may wait for seconds, and so may a long step for its turn; an instance must not.
                let waits = ask.derive.is_some() || is_long(&ask);
                let instance = (!waits).then_some(instance);
                Ok(Turn::Ask(Waiting { over: self.clone(), so_far, ask, instance }))
            }
        }
    }
}

impl Wait for Waiting {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    async fn resume(self, answer: Answer) -> Result<Turn<Self>, Fault> {
        let Self { over, mut so_far, ask, instance } = self;
        let kept = match instance {
            Some(instance) => Ok(instance),
            None => Err(over.permit().await?),
        };
        over.module.watch(|| {
            let mut instance = kept.or_else(|permit| over.replay(permit, &so_far, &ask))?;
            let step = instance.resume(&answer)?;
            so_far.answers.push(answer);
            over.turn(so_far, instance, step)
        })
    }
}

impl Over {
    /// A fresh instance at the point where the call asked for `ask`.
    fn replay(&self, permit: OwnedSemaphorePermit, so_far: &SoFar, ask: &Ask) -> Result<Instance, Fault> {
        let SoFar { call, prefetched, answers } = so_far;
        let mut instance = self.module.shared.instance(Some(permit))?;
        let mut step = instance.begin(call, prefetched, &self.world)?;
        for answer in answers {
            step = instance.resume(answer)?;
        }
        match step {
            wit::Step::Ask(again) => (Ask::from(again) == *ask).then_some(instance).ok_or(Fault::Malformed("replay")),
            wit::Step::Done(_) => Err(Fault::Malformed("replay")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_imports_nothing() {
        let module = Module::load(&Code::built_in(), Limits::default()).unwrap();
        let known = module.shared.pre.component().component_type();
        let engine = &module.shared.ground.engine;
        assert_eq!((known.imports(engine).len(), known.exports(engine).len()), (0, 1));
    }
}
