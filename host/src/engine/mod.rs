//! Runs core: asks the store and the derivation pool for what a call lacks, commits what it decides, answers.
//!
//! ```text
//!   request ─▶ Engine::answer ─▶ drive ⇄ native or module (core's steps)
//!                                  │⇄ store: read, commit         (a lost race starts the call over)
//!                                  │⇄ kdf: derive                (a call that states a password stands back as a whole)
//!                                  ╰─▶ audit, then the response
//! ```
//!
//! INVARIANT: a response leaves only after its commit holds and its events are handed to the audit trail.

#[cfg(test)]
mod at_rest_tests;
mod audit; // where events go
mod compile; // what compiling and running the component agree on
mod drive; // the loop between core and the world
mod execution; // which way core is run
mod logins; // calls that check a password stand back
mod module; // core as a component
mod names; // texts of a component that live for ever
mod native; // core as a part of the binary
mod places; // how many calls may take long at once
mod prefetch; // what a request will ask for
mod run; // what native and module have in common
#[cfg(test)]
mod tests;
mod worlds; // settings and signing keys in force

pub use audit::{Audit, Due, Occasion};
pub use execution::Execution;
pub use module::{COMPONENT, Code, CodeError, Limits, Module, Stats, Verifier};
pub use run::Fault;
pub use worlds::WorldError;

use crate::{
    clock::Clock,
    kdf,
    logging::RateLimit,
    request_id::RequestId,
    store::{Change, Revision, Store},
};
use arc_swap::ArcSwap;
use core::{cell::RefCell, fmt, num::NonZeroUsize};
use drive::{Driver, Failure};
use logins::Logins;
use places::Places;
use prefetch::Prefetch;
use std::{
    io,
    sync::{Arc, OnceLock},
    thread,
};
use tokio::sync::RwLock;
use waxseal_core::{
    dialect::{checks_password, is_asked_often},
    seam::{self, Call, Entropy, Moment, Peer, Request, Response, Unread},
    settings::Settings,
};
use worlds::{Shaped, Worlds};
use zeroize::{Zeroize, Zeroizing};

/// Which requests run which way. All answers are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Choice {
    /// `/auth/verify`, `/auth/envoy` and `/auth/introspect`, which a reverse proxy may call for every request of its own. Default native.
    pub hot: Execution,
    /// Everything else. Default module.
    pub api: Execution,
}

impl Default for Choice {
    fn default() -> Self {
        Self { hot: Execution::Native, api: Execution::Module }
    }
}

/// What an engine is made of.
pub struct Parts {
    /// Users, keys, revocations.
    pub store: Arc<dyn Store>,
    /// Computes password derivations.
    pub kdf: Arc<kdf::Pool>,
    /// Takes the audit records.
    pub audit: Arc<dyn Audit>,
    /// Tells the time.
    pub clock: Arc<Clock>,
    /// What the operator has configured.
    pub settings: Settings,
    /// The secret outside the store, under which signing keys are sealed.
    pub root: Zeroizing<[u8; 32]>,
    /// Which requests run which way.
    pub choice: Choice,
    /// Bounds of the component's instances.
    pub limits: Limits,
}

/// The engine behind every route. Cheap to clone; clones are one engine.
#[derive(Clone)]
pub struct Engine {
    driver: Arc<Driver>,
    modules: Modules,
    limits: Limits,
    logins: Arc<Logins>,
}

/// The rules in force, to be looked at. Cheap to clone, and keeps no store open.
#[derive(Clone)]
pub struct Modules {
    rules: Arc<ArcSwap<Rules>>,
    /// The first module that was needed: all others run on its ground.
    first: Arc<OnceLock<Module>>,
}

impl Modules {
    /// The SHA-256 of the module in force; `None` while the rules are those of this binary.
    pub fn other(&self) -> Option<[u8; 32]> {
        self.rules.load().sha256
    }

    /// What the modules have done, all together; `None` while none was needed.
    pub fn stats(&self) -> Option<Stats> {
        self.first.get().map(Module::stats)
    }
}

/// Which rules are run, and which way: from [`Engine::prepare`], for [`Engine::set`].
pub struct Rules {
    hot: Runner,
    api: Runner,
    module: Option<Module>,
    /// Of a module that did not come with this binary.
    sha256: Option<[u8; 32]>,
}

impl Rules {
    fn new(
        choice: Choice,
        sha256: Option<[u8; 32]>,
        load: impl FnOnce() -> wasmtime::Result<Module>,
    ) -> wasmtime::Result<Self> {
        let needed = [choice.hot, choice.api].contains(&Execution::Module);
        let module = needed.then(load).transpose()?;
        let runner = |execution| match (execution, &module) {
            (Execution::Module, Some(module)) => Runner::Module(module.clone()),
            _ => Runner::Native,
        };
        Ok(Self { hot: runner(choice.hot), api: runner(choice.api), module, sha256 })
    }
}

/// A state of settings, keys and store; see [`Engine::mark`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    world: u64,
    revision: Revision,
}

#[cfg(test)]
impl Mark {
    pub(crate) const fn new(world: u64, revision: u64) -> Self {
        Self { world, revision: Revision(revision) }
    }
}

/// An [`Execution`], ready to run.
#[derive(Clone)]
enum Runner {
    Native,
    Module(Module),
}

impl Runner {
    async fn drive(&self, driver: &Driver, call: &Arc<Call>, occasion: Occasion) -> Result<Response, Failure> {
        match self {
            Self::Native => driver.drive(|_| native::Native, call, occasion).await,
            Self::Module(module) => driver.drive(|shaped| module.over(Arc::clone(&shaped.bytes)), call, occasion).await,
        }
    }
}

/// Why an engine does not start.
#[derive(Debug)]
pub enum StartError {
    /// The signing keys cannot be had.
    World(WorldError),
    /// The component cannot be run on this machine.
    Module(wasmtime::Error),
    /// The system refuses a thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World(error) => error.fmt(f),
            Self::Module(error) => write!(f, "the component cannot be run here: {error:#}"),
            Self::Thread(error) => write!(f, "cannot start a thread: {error}"),
        }
    }
}

impl core::error::Error for StartError {}

impl Engine {
    /// An engine over the keys in its store.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts { store, kdf, audit, clock, settings, root, choice, limits } = parts;
        let worlds = Worlds::open(root, settings, &*store, clock.now()).await.map_err(StartError::World)?;
        let rules = Rules::new(choice, None, || Module::load(&Code::built_in(), limits)).map_err(StartError::Module)?;
        let first = Arc::new(rules.module.clone().map_or_else(OnceLock::new, OnceLock::from));
        let modules = Modules { rules: Arc::new(ArcSwap::from_pointee(rules)), first };
        let long = Places::new(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
        let committing = RwLock::default();
        let logins = Arc::new(Logins::start(kdf.steady()).map_err(StartError::Thread)?);
        let driver = Driver { store, kdf, audit, clock, worlds, prefetch: Prefetch::new(), long, committing };
        Ok(Self { driver: Arc::new(driver), modules, limits, logins })
    }

    /// Answers one request. What the request changes is stored, and its events are with the audit trail, before this returns. When the
    /// server cannot do its part, the answer is 503 with `Retry-After`, and nothing has been allowed. Must be driven to its end, even
    /// if nobody waits for it any more: otherwise what it has begun to change may be stored without its events.
    pub async fn answer(&self, request: Request, peer: Peer) -> Response {
        let Driver { kdf, clock, worlds, .. } = &*self.driver;
        let (now, order) = clock.now_in_order();
        let entropy = entropy();
        // The one the client sees, if a server has given it one.
        let id = RequestId::present().unwrap_or_else(|| drawn_id(entropy.as_ref()));
        let occasion = Occasion { time: now, source: peer.address, request: id };
        let is_hot = is_asked_often(&request.path);
        let rules = self.modules.rules.load_full();
        let runner = if is_hot { &rules.hot } else { &rules.api };
        let moment = Moment { now, order, entropy, peer };
        let call = Arc::new(Call { request, moment, world: Arc::clone(&worlds.latest().world) });
        let driven = if checks_password(&call.request) {
            // Under a flood of logins it is the refusals that take time from other requests, so they are given before core is asked.
            match kdf.admit(call.moment.peer.address) {
                Ok(()) => {
                    let (runner, driver, call) = (runner.clone(), Arc::clone(&self.driver), Arc::clone(&call));
                    let login = async move { runner.drive(&driver, &call, occasion).await };
                    self.logins.drive(login).await
                }
                Err(busy) => Err(Failure::Kdf(busy)),
            }
        } else {
            runner.drive(&self.driver, &call, occasion).await
        };
        driven.unwrap_or_else(|failure| {
            say(&failure);
            seam::unavailable(&call, retry_after(&failure))
        })
    }

    /// What `request` is answered with when nothing can be done for it now: 503 with `Retry-After`, in the words of its dialect.
    pub fn unavailable(&self, request: Request, peer: Peer) -> Response {
        seam::unavailable(&self.at_once(request, peer), 1)
    }

    /// What `request`, given without its body, is answered with when that could not be read, in the words of its dialect.
    pub fn unread(&self, request: Request, peer: Peer, why: Unread) -> Response {
        seam::unread(&self.at_once(request, peer), why)
    }

    /// A call for which nothing is read or drawn.
    fn at_once(&self, request: Request, peer: Peer) -> Call {
        let moment = Moment { now: self.driver.clock.now(), peer, ..Moment::default() };
        Call { request, moment, world: Arc::clone(&self.driver.worlds.latest().world) }
    }

    /// What every answer follows from besides its request and the time: while it is the same, the same request has the same
    /// answer. `None` while the signing keys cannot be read.
    ///
    /// A commit changes it before the commit is acknowledged, and so does a change of settings or keys.
    pub fn mark(&self) -> Option<Mark> {
        let world = self.driver.worlds.mark()?;
        Some(Mark { world, revision: self.driver.store.revision() })
    }

    /// Notes that a request was answered elsewhere: while there are such requests, derivations leave a core for them.
    pub fn give_way(&self) {
        self.driver.kdf.give_way();
    }

    /// Reads the signing keys again, after something other than a request of this engine has changed them.
    ///
    /// # Errors
    /// [`WorldError`]; until it is gone, every request is answered with 503.
    pub async fn reload_keys(&self) -> Result<(), WorldError> {
        self.driver.worlds.reload(&*self.driver.store, self.driver.clock.now()).await
    }

    /// Follows the store and reads the signing keys again whenever somebody else has changed them; ends with the store. To be
    /// spawned once, where the store is shared with other processes or written past the engine: the server's is not, so that only tests do.
    pub async fn follow(self) {
        let store = &self.driver.store;
        let mut watch = store.watch(store.revision());
        while let Some(change) = watch.next().await {
            let keys = match change {
                Change::Written { keys, .. } => keys.iter().any(Worlds::depend_on),
                Change::Lost { .. } => true,
            };
            if keys && let Err(error) = self.reload_keys().await {
                tracing::error!(%error, "the signing keys were changed and cannot be read; nothing is answered until they can");
            }
        }
    }

    /// Makes other rules ready: `code`, or without it those of this binary, run as `choice` says. Nothing changes yet.
    ///
    /// # Errors
    /// The code cannot be run here: [`Module::load`].
    pub fn prepare(&self, code: Option<&Code>, choice: Choice) -> wasmtime::Result<Rules> {
        let built_in = Code::built_in();
        let load = || {
            let code = code.unwrap_or(&built_in);
            let Some(first) = self.modules.first.get() else {
                let module = Module::load(code, self.limits)?;
                let _ = self.modules.first.set(module.clone());
                return Ok(module);
            };
            first.successor(code)
        };
        Rules::new(choice, code.map(Code::sha256), load)
    }

    /// Puts other settings in force, and other rules if there are any, for all requests that come after. Requests that have begun end
    /// under the rules they began with, and start over under the settings if they are not about to commit. To be called by one caller at
    /// a time.
    ///
    /// # Errors
    /// [`WorldError`]; the settings and rules in force stay.
    pub async fn set(&self, settings: Settings, rules: Option<Rules>) -> Result<(), WorldError> {
        let Driver { store, clock, worlds, .. } = &*self.driver;
        let rules = rules.map_or_else(|| self.modules.rules.load_full(), Arc::new);
        let put = |shaped: &Shaped| {
            if let Some(module) = &rules.module {
                match module.reads(&shaped.bytes) {
                    Ok(true) => {}
                    Ok(false) => return Err(WorldError::Foreign(None)),
                    Err(fault) => return Err(WorldError::Foreign(Some(fault))),
                }
            }
            self.modules.rules.store(rules);
            Ok(())
        };
        worlds.set_settings(settings, &**store, clock.now(), put).await
    }

    /// The rules in force, to be looked at.
    pub const fn modules(&self) -> &Modules {
        &self.modules
    }
}

/// Tells the log of a failure, within bounds: a flood of requests can cause any number of them.
fn say(failure: &Failure) {
    static BUSY: RateLimit = RateLimit::new();
    static OTHER: RateLimit = RateLimit::new();
    if let Failure::Kdf(kdf::Error::Busy { .. }) | Failure::Crowded = failure {
        if let Some(unsaid) = BUSY.admit() {
            tracing::warn!(%failure, unsaid, "a request could not be answered");
        }
    } else if let Some(unsaid) = OTHER.admit() {
        tracing::error!(%failure, unsaid, "a request could not be answered");
    }
}

/// 256 bits from the system's generator; `None` when it fails, and then nothing is issued.
///
/// It is asked for enough for many calls at once, because asking costs more than most requests need for anything else. What has been
/// handed out is wiped.
fn entropy() -> Option<Entropy> {
    const SEEDS: usize = 32;
    thread_local!(static DRAWN: RefCell<Zeroizing<Vec<[u8; 32]>>> = RefCell::default());
    DRAWN.with_borrow_mut(|seeds| {
        if seeds.is_empty() {
            let mut drawn = Zeroizing::new([[0; 32]; SEEDS]);
            getrandom::fill(drawn.as_flattened_mut()).ok()?;
            seeds.extend_from_slice(drawn.as_slice());
        }
        let seed = seeds.last_mut()?;
        let entropy = Entropy::new(*seed);
        seed.zeroize();
        seeds.pop();
        Some(entropy)
    })
}

fn drawn_id(entropy: Option<&Entropy>) -> RequestId {
    entropy.map_or(RequestId::NONE, |entropy| u64::from_be_bytes(entropy.draw("request id")).into())
}

fn retry_after(failure: &Failure) -> u32 {
    match failure {
        Failure::Kdf(kdf::Error::Busy { retry_after }) => *retry_after,
        _ => 1,
    }
}
