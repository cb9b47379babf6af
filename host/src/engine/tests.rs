//! The engine against staged worlds: both ways of running core, lost races, failing stores, bounds of the component.

use super::{
    Audit, Choice, Code, Due, Engine, Execution, Fault, Limits, Module, Occasion, Parts,
    drive::{Driver, Failure},
    logins,
    native::Native,
    places::Places,
    prefetch::Prefetch,
    run::{Prefetched, Run, Turn, Wait},
    worlds::Worlds,
};
use crate::{
    clock::Clock,
    kdf,
    request_id::RequestId,
    store::{Committed, Memory, Reply, Revision, Store, StoreError, Watch},
};
use core::{
    mem,
    num::{NonZeroU32, NonZeroUsize},
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, mpsc},
    thread,
};
use waxseal_core::{
    lifetime::{Bounds, Manner},
    password::{Derived, Hash, List, Scheme},
    record::{self, Admins, Authorization, AuthorizationAt, LastUid, Stored, Uid, User, key},
    seam::{
        Answer, Ask, Call, Commit, Derivation, Done, Entropy, Event, Expect, Method, Moment, Outcome, Peer, Range, Record,
        RecordKey, Request, Response, Version, World, Write,
    },
    settings::Settings,
    time::UnixTime,
    token::{self, Algorithm, KeyRole, KeySet, NewClaims},
    vault::Vault,
};
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const CHEAP: Scheme = Scheme::Argon2id { memory: 64, passes: 1, lanes: 1 };

/// A store in memory, and what befalls the next reads and commits.
struct Staged {
    memory: Memory,
    fates: Mutex<VecDeque<Fate>>,
    commits: AtomicU32,
    unreadable: bool,
    /// The threads that have read, and how far they stand back.
    readers: Mutex<Vec<(Option<String>, i32)>>,
    /// Called at each commit.
    watch: Mutex<Option<Box<dyn FnMut() + Send>>>,
    /// Called at each range that is read.
    listed: Mutex<Option<Box<dyn FnMut() + Send>>>,
    hold: Mutex<Option<Hold>>,
}

/// The first read of a record whose key begins like this says so and waits until it is told to go on.
struct Hold {
    start: &'static str,
    reached: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
}

#[derive(Clone, Copy)]
enum Fate {
    Lose,
    Fail,
}

fn staged(fates: &[Fate]) -> Staged {
    let memory = Memory::new(Arc::new(Clock::stopped_at(NOW)));
    let fates = Mutex::new(fates.iter().copied().collect());
    let (commits, unreadable) = (AtomicU32::new(0), false);
    let (watch, listed, hold) = Default::default();
    Staged { memory, fates, commits, unreadable, readers: Mutex::default(), watch, listed, hold }
}

impl Staged {
    fn put(&self, key: &str, value: Option<&[u8]>) {
        let key = RecordKey::from_stored(key.into());
        let write = Write { key, expect: Expect::Any, value: value.map(Into::into), expires: None };
        self.memory.commit(Commit { checks: Vec::new(), writes: vec![write] }).wait().unwrap();
    }
}

impl Store for Staged {
    fn get(&self, keys: &[RecordKey]) -> Reply<'_, Vec<Option<Record>>> {
        let name = thread::current().name().map(Into::into);
        self.readers.lock().unwrap().push((name, rustix::process::getpriority_process(None).unwrap()));
        let held = self.hold.lock().unwrap().take_if(|hold| keys.iter().any(|key| key.as_str().starts_with(hold.start)));
        if let Some(Hold { reached, go, .. }) = held {
            reached.send(()).unwrap();
            go.recv().unwrap();
        }
        if self.unreadable { Reply::ready(Err(broken())) } else { self.memory.get(keys) }
    }

    fn range(&self, range: &Range) -> Reply<'_, Vec<(RecordKey, Record)>> {
        self.listed.lock().unwrap().iter_mut().for_each(|listed| listed());
        self.memory.range(range)
    }

    fn commit(&self, commit: Commit) -> Reply<'_, Committed> {
        self.watch.lock().unwrap().iter_mut().for_each(|watch| watch());
        match self.fates.lock().unwrap().pop_front() {
            Some(Fate::Lose) => Reply::ready(Ok(Committed::Conflict)),
            Some(Fate::Fail) => Reply::ready(Err(broken())),
            None => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.memory.commit(commit)
            }
        }
    }

    fn watch(&self, after: Revision) -> Watch {
        self.memory.watch(after)
    }

    fn revision(&self) -> Revision {
        self.memory.revision()
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("staged".into())
}

/// Events, how many changes are due, and whether it is closed.
#[derive(Default)]
struct Trail(Mutex<Vec<Event>>, Arc<AtomicU64>, AtomicBool);

impl Audit for Trail {
    fn record(&self, _: Occasion, events: &[Event]) {
        self.0.lock().unwrap().extend_from_slice(events);
    }

    fn due(&self) -> Option<Due> {
        (!self.2.load(Ordering::Relaxed)).then(|| Due::counted(&self.1))
    }
}

fn vault() -> Vault {
    let key = token::Key::new("k1", Algorithm::Hs256, &[7; 32]).unwrap();
    Vault::new([9; 32], KeySet::new([(key, KeyRole::Sign)]).unwrap())
}

fn world() -> World {
    World { settings: Settings::default(), vault: vault() }
}

fn call(request: Request) -> Arc<Call> {
    let peer = Peer { address: Some([127, 0, 0, 1].into()), local: true, secure: true, host: Some("h:1".into()) };
    let moment = Moment { now: NOW, order: 3, entropy: Some(Entropy::new([3; 32])), peer };
    Arc::new(Call { request, moment, world: Arc::new(world()) })
}

// Both ways of running core.

/// Everything a call asks, and its end, when it runs over `records`.
async fn transcript(run: &impl Run, call: &Arc<Call>, prefetched: Prefetched, records: &Staged) -> (Vec<Ask>, Done) {
    let mut asks = Vec::new();
    let mut turn = run.begin(call, prefetched).await.unwrap();
    loop {
        match turn {
            Turn::Done(done) => return (asks, done),
            Turn::Ask(wait) => {
                let ask = wait.ask().clone();
                turn = wait.resume(answer(&ask, records)).await.unwrap();
                asks.push(ask);
            }
        }
    }
}

fn answer(ask: &Ask, records: &Staged) -> Answer {
    Answer {
        records: records.get(&ask.keys).wait().unwrap(),
        ranges: ask.ranges.iter().map(|range| records.range(range).wait().unwrap()).collect(),
        derived: ask.derive.as_ref().map(|derivation| Zeroizing::new(bits(&derivation.password))),
    }
}

/// Stands for a derivation: depends on the password and costs nothing.
fn bits(password: &[u8]) -> Vec<u8> {
    password.iter().copied().cycle().take(32).collect()
}

/// An administrator `admin` with the password `correct horse`, uid 1.
fn seed(records: &Staged) {
    let (uid, salt) = (Uid::new(1).unwrap(), [5; 16]);
    let derived = Derived::new(Scheme::default(), &bits(b"correct horse")).unwrap();
    let user = User {
        uid,
        id: [1; 12],
        name: "admin".into(),
        email: "admin@example.com".into(),
        role: record::Role::Admin,
        email_alerts: false,
        passwords: List::new(Hash::new(&salt, &derived).unwrap()),
        salt,
        password_issued: NOW,
        generation: 0,
        session_epoch: 0,
        lock_epoch: 0,
        disabled: false,
        created: NOW,
    };
    records.put(key::user(uid).as_str(), Some(&user.encode()));
    records.put(key::name("admin").as_str(), Some(&uid.encode()));
    records.put(key::email("admin@example.com").as_str(), Some(&uid.encode()));
    records.put(key::last_uid().as_str(), Some(&LastUid(1).encode()));
    records.put(key::admins().as_str(), Some(&Admins(vec![uid]).encode()));
}

/// Requests of every kind, each over what the former ones have left; a new route costs a line.
fn requests() -> Vec<Request> {
    const ADMIN: &str = "Basic YWRtaW46Y29ycmVjdCBob3JzZQ==";
    const WRONG: &str = "Basic YWRtaW46d3JvbmcgaG9yc2U=";
    let bearer = format!("Bearer {}", issue(300));
    let request = |method: &str, path: &str, authorization: &str, body: &str| {
        let request = Request::new(Method::parse(method), path).with_header("host", "localhost:9443");
        let request = match authorization {
            "" => request,
            _ => request.with_header("authorization", authorization),
        };
        match body.as_bytes().first() {
            None => request,
            Some(b'{' | b'[' | b'"') => request.with_header("content-type", "application/json").with_body(body),
            Some(_) => request.with_header("content-type", "application/x-www-form-urlencoded").with_body(body),
        }
    };
    let deep = "[".repeat(60_000);
    let long = "x".repeat(65_536);
    vec![
        request("GET", "/", "", ""),
        request("GET", "/", ADMIN, ""),
        request("GET", "/nowhere", "", ""),
        request("BREW", "/v1/users/1%00", &bearer, ""),
        request("GET", "/auth/verify", "", ""),
        request("GET", "/auth/verify", &bearer, ""),
        request("GET", "/auth/verify", WRONG, ""),
        request("POST", "/auth/introspect", &bearer, &format!("token={}", issue(300))),
        request("POST", "/v1/users/authorize", "", r#"{"username":"admin","password":"wrong horse"}"#),
        request("POST", "/v1/users/authorize", "", r#"{"username":"admin","password":"correct horse"}"#),
        request("POST", "/v1/users/authorize", "", r#"{"username":"nobody","password":"correct horse","ttl":1}"#),
        request("POST", "/v1/users/authorize", "", "{"),
        request("POST", "/v1/users/authorize", "", &deep),
        request("POST", "/v1/users/authorize", "", &long),
        request("POST", "/v1/users/refresh_jwt", &bearer, ""),
        request("GET", "/v1/users", ADMIN, ""),
        request("GET", "/v1/users", WRONG, ""),
        request(
            "POST",
            "/v1/users",
            ADMIN,
            r#"{"name":"ann","email":"ann@example.com","password":"p","role":"db_viewer"}"#,
        ),
        request("PUT", "/v1/users/2", ADMIN, r#"{"role":"admin"}"#),
        request("GET", "/v1/users/2", ADMIN, ""),
        request("POST", "/v1/users/password", ADMIN, r#"{"username":"ann","old_password":"p","new_password":"q"}"#),
        request("PUT", "/v1/users/password", ADMIN, r#"{"username":"ann","old_password":"p","new_password":"r"}"#),
        request("DELETE", "/v1/users/password", ADMIN, r#"{"username":"ann","old_password":"r"}"#),
        request("DELETE", "/v1/users/2", ADMIN, ""),
        request("GET", "/v1/cluster", ADMIN, ""),
        request("GET", "/v1/roles", ADMIN, ""),
        request("GET", "/broker/rest/api", "", ""),
        request("GET", "/broker/rest/user", ADMIN, ""),
        request("POST", "/broker/rest/user/authorizations", ADMIN, "scope=session&note=a"),
        request("GET", "/broker/rest/user/authorizations", ADMIN, ""),
        request("POST", "/_security/oauth2/token", ADMIN, r#"{"grant_type":"client_credentials"}"#),
        request(
            "POST",
            "/_xpack/security/oauth2/token",
            "",
            r#"{"grant_type":"password","username":"admin","password":"correct horse"}"#,
        ),
        request("DELETE", "/_security/oauth2/token", ADMIN, r#"{"username":"admin"}"#),
        request("GET", "/admin/keys", "", ""),
    ]
}

#[tokio::test]
async fn native_and_component_decide_alike() {
    let module = Module::load(&Code::built_in(), Limits::default()).unwrap();
    let over = module.over(Arc::new(world().to_bytes().unwrap()));
    let records = staged(&[]);
    seed(&records);
    let (mut good, mut commits, mut derivations) = (0, 0, 0);
    for request in requests() {
        let name = format!("{request:?}");
        let (native_asks, native) = transcript(&Native, &call(request.clone()), Vec::new(), &records).await;
        let (module_asks, module) = transcript(&over, &call(request.clone()), Vec::new(), &records).await;
        assert_eq!(native_asks, module_asks, "{name}: questions");
        let keys: Vec<_> = native_asks.iter().flat_map(|ask| ask.keys.clone()).collect();
        let ahead = keys.iter().cloned().zip(records.get(&keys).wait().unwrap()).collect();
        let (more, ahead) = transcript(&over, &call(request), ahead, &records).await;
        assert!(more.iter().all(|ask| ask.keys.is_empty()), "{name}: read ahead and asked for all the same");
        for (other, what) in [(module, "component"), (ahead, "component, with records read ahead")] {
            assert!(native.response == other.response, "{name}, {what}: {:?} and {:?}", native.response, other.response);
            assert_eq!(native.commit, other.commit, "{name}, {what}: commit");
            assert_eq!(native.events, other.events, "{name}, {what}: events");
        }
        assert!(native.response.status < 500, "{name}: no input yields a 5xx");
        good += u32::from(native.response.status < 300);
        commits += u32::from(!native.commit.is_empty());
        derivations += native_asks.iter().filter(|ask| ask.derive.is_some()).count();
        assert!(matches!(records.memory.commit(native.commit).wait(), Ok(Committed::At(_))), "{name}: fits its reads");
    }
    assert_eq!((module.stats().faults, module.stats().running), (0, 0));
    assert!(good >= 12 && commits >= 8 && derivations >= 8, "the table goes deep: {good} {commits} {derivations}");
}

/// The longest lists there are: the component has room for them, and answers as core does natively. How long it takes is not tested, as
/// that depends on what else the machine does.
#[tokio::test]
async fn long_lists_fit_into_an_instance() {
    const USERS: u32 = 100_000;
    const AUTHORIZATIONS: u32 = 2000;
    let records = staged(&[]);
    seed(&records);
    let admin = records.memory.get(&[key::user(Uid::new(1).unwrap())]).wait().unwrap().remove(0).unwrap();
    let admin = User::of(&admin).unwrap();
    let write = |key, value| Write { key, expect: Expect::Any, value: Some(value), expires: None };
    let mut writes = Vec::new();
    for uid in (2..=USERS).filter_map(Uid::new) {
        let name = format!("user-{uid}");
        let email = format!("{name}@example.com");
        writes.push(write(key::user(uid), User { uid, name, email, ..admin.clone() }.encode()));
        writes.push(write(key::seen(uid), record::Seen(NOW).encode()));
    }
    for number in 0..AUTHORIZATIONS {
        let mut id = [0; 12];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let authorization = Authorization {
            id,
            secret: [7; 32],
            uid: admin.uid,
            scopes: vec![record::Scope::Session],
            note: Some("RHC/1.38.7 (from a-machine on x86_64-linux)".into()),
            created: NOW,
            expires: NOW.plus_secs(1000),
            generation: 0,
            session_epoch: 0,
            era: 0,
        };
        let at = AuthorizationAt { uid: admin.uid, created: NOW, id };
        writes.push(write(key::authorization(&at), authorization.encode()));
    }
    records.memory.commit(Commit { checks: Vec::new(), writes }).wait().unwrap();

    let limits = Limits { ticks_per_step: 10 * Limits::default().ticks_per_step, ..Limits::default() };
    let module = Module::load(&Code::built_in(), limits).unwrap();
    let over = module.over(Arc::new(world().to_bytes().unwrap()));
    for (path, count) in [("/v1/users", USERS), ("/broker/rest/user/authorizations", AUTHORIZATIONS)] {
        let request = Request::new(Method::Get, path)
            .with_header("host", "localhost:9443")
            .with_header("authorization", "Basic YWRtaW46Y29ycmVjdCBob3JzZQ==");
        let (_, native) = transcript(&Native, &call(request.clone()), Vec::new(), &records).await;
        let (_, module) = transcript(&over, &call(request), Vec::new(), &records).await;
        assert_eq!(module.response.status, 200, "{path}");
        assert!(native.response == module.response, "{path}");
        let body: serde_json::Value = serde_json::from_slice(&module.response.body).unwrap();
        let listed = body.as_array().or(body["data"].as_array()).map(Vec::len);
        assert_eq!(listed, Some(count as usize), "{path}");
    }
}

#[test]
fn no_seed_is_handed_out_twice() {
    let seeds = || (0..100).map(|_| *super::entropy().unwrap().as_bytes()).collect::<Vec<_>>();
    let others = std::thread::spawn(seeds);
    let all: std::collections::HashSet<_> = seeds().into_iter().chain(others.join().unwrap()).collect();
    assert_eq!(all.len(), 200);
    assert!(!all.contains(&[0; 32]));
}

fn issue(seconds: u32) -> String {
    let settings = Settings::default();
    let lifetime = Bounds::new(1, seconds, seconds, Manner::Refuse).unwrap().unasked();
    let new = NewClaims {
        issuer: &settings.issuer,
        audience: None,
        typ: token::ACCESS,
        uid: "1",
        dialect: "redis",
        generation: 0,
        jti: [5; 16],
        issued: NOW,
        lifetime,
    };
    vault().keys().issue(&new).unwrap()
}

#[test]
fn a_reused_instance_verifies_as_core_does_and_does_not_leak() {
    let world = world();
    let module = Module::load(&Code::built_in(), Limits { memory: 1 << 20, ..Limits::default() }).unwrap();
    let mut verifier = module.verifier(&world.to_bytes().unwrap()).unwrap();
    let good = issue(300);
    let long = format!("{good}{}", "A".repeat(9_000));
    let tokens = [good.as_str(), &good[..good.len() - 1], "", "a.b.c", &long, "ä.ö.ü"];
    let times = [NOW, NOW.plus_secs(299), NOW.plus_secs(300), UnixTime::from_secs(1)];
    // A megabyte holds nine of each token's allocations a few times only, unless they are reclaimed.
    for _ in 0..200 {
        for token in tokens {
            for now in times {
                let expected = world.verify(token, now).map(drop).map_err(|refusal| refusal.code().to_owned());
                assert_eq!(verifier.verify(token, now).unwrap(), expected, "`{token}` at {now}");
            }
        }
    }
}

// Bounds of the component.

#[tokio::test]
async fn a_trap_ends_one_call_only() {
    let module = Module::load(&Code::built_in(), Limits { instances: NonZeroU32::MIN, ..Limits::default() }).unwrap();
    let request = || call(Request::new(Method::Get, "/nowhere"));
    let bad = module.over(Arc::new(Zeroizing::new(b"not a world".to_vec())));
    let good = module.over(Arc::new(world().to_bytes().unwrap()));
    for faults in 1..4 {
        assert!(matches!(bad.begin(&request(), Vec::new()).await, Err(Fault::Trapped(_))));
        assert_eq!(module.stats().faults, faults);
        assert!(
            matches!(good.begin(&request(), Vec::new()).await, Ok(Turn::Done(_))),
            "the only place in the pool is free again"
        );
    }
    assert!(module.verifier(b"not a world").is_err());
}

#[tokio::test]
async fn a_step_is_bounded_in_time() {
    let module = Module::load(&Code::built_in(), Limits { ticks_per_step: 0, ..Limits::default() }).unwrap();
    let over = module.over(Arc::new(world().to_bytes().unwrap()));
    let Err(Fault::Trapped(error)) = over.begin(&call(Request::new(Method::Get, "/")), Vec::new()).await else {
        panic!("it ended")
    };
    assert_eq!(error.downcast_ref::<wasmtime::Trap>(), Some(&wasmtime::Trap::Interrupt));
}

#[tokio::test]
async fn an_instance_is_bounded_in_memory() {
    let module = Module::load(&Code::built_in(), Limits { memory: 4 << 20, ..Limits::default() }).unwrap();
    let over = module.over(Arc::new(world().to_bytes().unwrap()));
    let request = |octets| call(Request::new(Method::Post, "/nowhere").with_body(vec![b' '; octets]));
    assert!(over.begin(&request(1 << 20), Vec::new()).await.is_ok());
    assert!(matches!(over.begin(&request(8 << 20), Vec::new()).await, Err(Fault::Trapped(_))));
    assert!(over.begin(&request(1 << 20), Vec::new()).await.is_ok());
}

#[test]
fn instances_are_bounded_in_number() {
    let module = Module::load(&Code::built_in(), Limits { instances: NonZeroU32::MIN, ..Limits::default() }).unwrap();
    let bytes = world().to_bytes().unwrap();
    let first = module.verifier(&bytes).unwrap();
    assert_eq!(module.stats().running, 1);
    assert!(matches!(module.verifier(&bytes), Err(Fault::Exhausted)));
    drop(first);
    assert!(module.verifier(&bytes).is_ok());
}

// The loop.

/// Core that asks for one derivation and then wants one write.
#[derive(Default)]
struct Scripted {
    starts: AtomicU32,
    /// The moment of the last start.
    secs: AtomicU64,
    /// How many records it asks for beside.
    many: u32,
    /// Writes this record in place of `user/1`.
    writes: Option<&'static str>,
}

struct Asking(Ask);

impl Run for &Scripted {
    type Wait = Asking;

    async fn begin(&self, call: &Arc<Call>, _: Prefetched) -> Result<Turn<Asking>, Fault> {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.secs.store(call.moment.now.as_secs(), Ordering::Relaxed);
        let password = Zeroizing::new(b"correct horse".to_vec());
        Ok(Turn::Ask(Asking(Ask {
            keys: vec![RecordKey::from_stored(self.writes.unwrap_or("user/1").into())],
            ranges: vec![Range { prefix: "user/".into(), after: String::new(), limit: self.many.max(1) }],
            derive: Some(Derivation { scheme: CHEAP, salt: vec![0; 16], password }),
        })))
    }
}

impl Wait for Asking {
    fn ask(&self) -> &Ask {
        &self.0
    }

    async fn resume(self, answer: Answer) -> Result<Turn<Self>, Fault> {
        let key = self.0.keys[0].clone();
        let version = answer.records[0].as_ref().map_or(Version::ABSENT, |record| record.version);
        let value = answer.derived.map(|bits| bits.to_vec());
        let write = Write { key, expect: Expect::Version(version), value, expires: None };
        let event = Event {
            action: "login",
            actor: "a".into(),
            subject: "b".into(),
            detail: String::new(),
            outcome: Outcome::Success,
            reason: "",
            dialect: "redis",
        };
        let commit = Commit { checks: Vec::new(), writes: vec![write] };
        Ok(Turn::Done(Done { response: Response::empty(200), commit, events: vec![event], token_refusal: None }))
    }
}

struct Stage {
    store: Arc<Staged>,
    trail: Arc<Trail>,
    driver: Arc<Driver>,
}

async fn stage(store: Staged) -> Stage {
    let (store, trail) = (Arc::new(store), Arc::new(Trail::default()));
    let limits = kdf::Limits { workers: NonZeroUsize::MIN, steady: NonZeroUsize::MIN, queue: 8 };
    let root = Zeroizing::new([9; 32]);
    let worlds = Worlds::open(root, Settings::default(), &*store, NOW).await.unwrap();
    let driver = Arc::new(Driver {
        store: Arc::clone(&store) as _,
        kdf: Arc::new(kdf::Pool::start(limits, CHEAP).unwrap()),
        audit: Arc::clone(&trail) as _,
        clock: Arc::new(Clock::stopped_at(NOW)),
        worlds,
        prefetch: Prefetch::new(),
        long: Places::new(NonZeroUsize::MIN),
        committing: tokio::sync::RwLock::default(),
    });
    Stage { store, trail, driver }
}

/// A call under the world of this driver.
fn asked(driver: &Driver) -> Arc<Call> {
    let Call { request, moment, .. } = Arc::into_inner(call(Request::new(Method::Post, "/"))).unwrap();
    Arc::new(Call { request, moment, world: Arc::clone(&driver.worlds.latest().world) })
}

/// Drives the script over a store with these fates; how it ended, and starts, derivations, commits and events.
async fn drive(fates: &[Fate]) -> (Result<u16, Failure>, [u64; 4]) {
    let Stage { store, trail, driver } = stage(staged(fates)).await;
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let script = Scripted::default();
    let ended = driver.drive(|_| &script, &asked(&driver), occasion).await;
    let (commits, events) = (u64::from(store.commits.load(Ordering::Relaxed)), trail.0.lock().unwrap().len() as u64);
    let starts = u64::from(script.starts.load(Ordering::Relaxed));
    (ended.map(|response| response.status), [starts, driver.kdf.stats().done, commits, events])
}

#[tokio::test]
async fn commits_once_and_records_its_events() {
    let (ended, counts) = drive(&[]).await;
    assert_eq!((ended.unwrap(), counts), (200, [1, 1, 1, 1]));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_due_until_its_events_are_recorded() {
    // Whether a commit holds that has failed is not known.
    for (fates, left) in [(&[][..], 0), (&[Fate::Lose], 0), (&[Fate::Fail], 1)] {
        let Stage { store, trail, driver } = stage(staged(fates)).await;
        let (seen, due) = (Arc::new(AtomicU64::new(0)), Arc::clone(&trail.1));
        let largest = Arc::clone(&seen);
        let watch = move || {
            largest.fetch_max(due.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        *store.watch.lock().unwrap() = Some(Box::new(watch));
        let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
        let (script, call) = (Scripted::default(), asked(&driver));
        let run = || driver.drive(|_| &script, &call, occasion);
        drop(run().await);
        assert_eq!((seen.load(Ordering::Relaxed), trail.1.load(Ordering::Relaxed)), (1, left));
        trail.2.store(true, Ordering::Relaxed);
        let commits = store.commits.load(Ordering::Relaxed);
        assert!(matches!(run().await, Err(Failure::Store(StoreError::Unavailable(_)))), "nothing can be recorded");
        assert_eq!(store.commits.load(Ordering::Relaxed), commits);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_race_starts_over_without_deriving_again() {
    let (ended, counts) = drive(&[Fate::Lose]).await;
    assert_eq!((ended.unwrap(), counts), (200, [2, 1, 1, 1]));
    let (ended, counts) = drive(&[Fate::Lose; 15]).await;
    assert_eq!((ended.unwrap(), counts), (200, [16, 1, 1, 1]));
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_many_lost_races() {
    let (ended, counts) = drive(&[Fate::Lose; 16]).await;
    assert!(matches!(ended, Err(Failure::Contended)));
    assert_eq!(counts, [16, 1, 0, 0]);
}

/// A login may wait for seconds until its password is derived; the life of its token begins when it is issued.
#[tokio::test]
async fn what_has_waited_for_a_derivation_is_issued_as_of_now() {
    let Stage { driver, store, .. } = stage(staged(&[])).await;
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let script = Scripted::default();
    driver.clock.advance(3_000);
    let ended = driver.drive(|_| &script, &asked(&driver), occasion).await;
    assert_eq!(ended.unwrap().status, 200);
    assert_eq!(script.secs.load(Ordering::Relaxed), NOW.as_secs() + 3);
    let counts = [u64::from(script.starts.load(Ordering::Relaxed)), driver.kdf.stats().done];
    assert_eq!((counts, store.commits.load(Ordering::Relaxed)), ([2, 1], 1));
}

/// Whoever keeps committing beside a call cannot keep it from its end: from its fifth start on, it commits alone.
#[tokio::test]
async fn who_has_lost_too_often_goes_alone() {
    let Stage { driver, store, .. } = stage(staged(&[Fate::Lose; 5])).await;
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let held = driver.committing.read().await;
    let script = Scripted::default();
    let asked = asked(&driver);
    let mut ended = Box::pin(driver.drive(|_| &script, &asked, occasion));
    let waited = tokio::time::timeout(Duration::from_secs(2), ended.as_mut()).await;
    assert!(waited.is_err(), "it waits for those who commit now");
    assert_eq!(script.starts.load(Ordering::Relaxed), 4);
    drop(held);
    assert_eq!(ended.await.unwrap().status, 200);
    assert_eq!((script.starts.load(Ordering::Relaxed), store.commits.load(Ordering::Relaxed)), (6, 1));
}

/// Once it has its place among those who read much, and its derivation, there is nothing left that it would have to wait for.
#[tokio::test]
async fn who_reads_much_goes_alone_too() {
    let Stage { driver, store, .. } = stage(staged(&[Fate::Lose; 5])).await;
    let alone = Arc::new(Mutex::new(Vec::new()));
    let watch = (Arc::clone(&driver), Arc::clone(&alone));
    let look = move || watch.1.lock().unwrap().push(watch.0.committing.try_read().is_err());
    *store.watch.lock().unwrap() = Some(Box::new(look));
    let script = Scripted { many: 1000, ..Scripted::default() };
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let ended = driver.drive(|_| &script, &asked(&driver), occasion).await;
    assert_eq!(ended.unwrap().status, 200);
    assert_eq!(*alone.lock().unwrap(), [false, false, false, false, true, true]);
}

/// Otherwise what was decided under a key could be committed after the end of that key is acknowledged.
#[tokio::test]
async fn whoever_changes_keys_commits_alone_until_they_are_in_force() {
    let Stage { driver, store, .. } = stage(staged(&[])).await;
    let alone = Arc::new(Mutex::new(Vec::new()));
    let look = || {
        let (driver, alone) = (Arc::clone(&driver), Arc::clone(&alone));
        Box::new(move || alone.lock().unwrap().push(driver.committing.try_read().is_err()))
    };
    *store.watch.lock().unwrap() = Some(look());
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let (script, of_keys) = (Scripted::default(), Scripted { writes: Some("key/k1"), ..Scripted::default() });
    assert_eq!(driver.drive(|_| &script, &asked(&driver), occasion).await.unwrap().status, 200);
    *store.listed.lock().unwrap() = Some(look());
    // What it writes is no key.
    assert!(matches!(driver.drive(|_| &of_keys, &asked(&driver), occasion).await, Err(Failure::World(_))));
    // The list that it asks for itself; its commit; the keys.
    assert_eq!(*alone.lock().unwrap(), [false, false, true, true]);
    assert!(matches!(driver.drive(|_| &script, &asked(&driver), occasion).await, Err(Failure::World(_))));
    assert_eq!(store.commits.load(Ordering::Relaxed), 2, "nobody commits while the keys are unknown");
}

/// It cannot commit under a world that is no longer in force, and what it has derived is kept.
#[tokio::test]
async fn a_call_starts_over_when_the_world_has_changed() {
    let Stage { driver, store, .. } = stage(staged(&[])).await;
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let script = Scripted::default();
    let asked = asked(&driver);
    let held = driver.committing.write().await;
    let mut ended = Box::pin(driver.drive(|_| &script, &asked, occasion));
    assert!(tokio::time::timeout(Duration::from_millis(200), ended.as_mut()).await.is_err());
    driver.worlds.reload(&*driver.store, NOW).await.unwrap();
    drop(held);
    assert_eq!(ended.await.unwrap().status, 200);
    let counts = [u64::from(script.starts.load(Ordering::Relaxed)), driver.kdf.stats().done];
    assert_eq!((counts, store.commits.load(Ordering::Relaxed)), ([2, 1], 1));
}

#[tokio::test]
async fn a_failed_commit_is_no_answer() {
    let (ended, counts) = drive(&[Fate::Fail]).await;
    assert!(matches!(ended, Err(Failure::Store(_))));
    assert_eq!(counts, [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_failed_read_is_no_answer() {
    let Stage { driver, .. } = stage(Staged { unreadable: true, ..staged(&[]) }).await;
    let occasion = Occasion { time: NOW, source: None, request: RequestId::from(1) };
    let script = Scripted::default();
    let ended = driver.drive(|_| &script, &asked(&driver), occasion).await;
    assert!(matches!(ended, Err(Failure::Store(_))));
}

// The whole engine.

async fn engine(store: &Arc<Staged>, choice: Choice) -> Engine {
    engine_with(store, choice, 8, Arc::new(())).await
}

/// An engine in which so many derivations may wait.
async fn engine_with_room(store: &Arc<Staged>, choice: Choice, queue: usize) -> Engine {
    engine_with(store, choice, queue, Arc::new(())).await
}

async fn engine_with(store: &Arc<Staged>, choice: Choice, queue: usize, audit: Arc<dyn Audit>) -> Engine {
    let limits = kdf::Limits { workers: NonZeroUsize::MIN, steady: NonZeroUsize::MIN, queue };
    let parts = Parts {
        store: Arc::clone(store) as _,
        kdf: Arc::new(kdf::Pool::start(limits, CHEAP).unwrap()),
        audit,
        clock: Arc::new(Clock::stopped_at(NOW)),
        settings: Settings::default(),
        root: Zeroizing::new([9; 32]),
        choice,
        limits: Limits::default(),
    };
    Engine::start(parts).await.unwrap()
}

/// On a disk that is full.
struct Full;

impl Audit for Full {
    fn record(&self, _: Occasion, events: &[Event]) {
        panic!("{events:?} cannot be recorded");
    }

    fn takes_records(&self) -> bool {
        false
    }
}

/// Security L1; also what changes nothing, such as a token that is refreshed, and what is refused, as only a right guess may be.
#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    const RIGHT: &str = "Basic YWRtaW46Y29ycmVjdCBob3JzZQ==";
    const WRONG: &str = "Basic YWRtaW46d3JvbmcgaG9yc2U=";
    let store = Arc::new(staged(&[]));
    let native = Choice { hot: Execution::Native, api: Execution::Native };
    let token = {
        let engine = engine(&store, native).await;
        let first = r#"{"name": "admin", "password": "correct horse"}"#;
        let first =
            Request::new(Method::Post, "/admin/bootstrap").with_header("content-type", "application/json").with_body(first);
        assert_eq!(engine.answer(first, Peer { local: true, ..Peer::default() }).await.status, 201);
        let login = engine.answer(authorize(RIGHT), Peer::default()).await;
        serde_json::from_slice::<serde_json::Value>(&login.body).unwrap()["access_token"].as_str().unwrap().to_owned()
    };
    let bearing = |method, path, body: &str| {
        let request = Request::new(method, path).with_header("authorization", &format!("Bearer {token}"));
        request.with_header("content-type", "application/json").with_body(body)
    };
    let engine = engine_with(&store, native, 8, Arc::new(Full)).await;
    for (request, status) in [
        (authorize(RIGHT), 503),
        (authorize(WRONG), 503),
        (bearing(Method::Post, "/v1/users/refresh_jwt", ""), 503),
        (bearing(Method::Put, "/v1/users/password", r#"{"new_password": "correct horse"}"#), 503),
        (bearing(Method::Put, "/v1/users/password", r#"{"new_password": "another horse"}"#), 503),
        (bearing(Method::Get, "/auth/verify", ""), 204),
        (bearing(Method::Get, "/v1/users/1", ""), 200),
    ] {
        let line = format!("{:?} {}", request.method, request.path);
        assert_eq!(engine.answer(request, Peer::default()).await.status, status, "{line}");
    }
}

fn authorize(basic: &str) -> Request {
    Request::new(Method::Post, "/v1/users/authorize").with_header("authorization", basic)
}

#[tokio::test]
async fn answers_the_same_whatever_is_chosen() {
    let store = Arc::new(staged(&[]));
    let native = engine(&store, Choice { hot: Execution::Native, api: Execution::Native }).await;
    let module = engine(&store, Choice { hot: Execution::Module, api: Execution::Module }).await;
    for path in ["/auth/verify", "/nowhere"] {
        let request = || Request::new(Method::Get, path);
        let (first, second) =
            (native.answer(request(), Peer::default()).await, module.answer(request(), Peer::default()).await);
        assert!(first == second, "{path}: {first:?} and {second:?}");
    }
    assert_eq!(native.modules().stats(), None);
    assert_eq!(module.modules().stats().unwrap().instances, 2);
}

#[tokio::test]
async fn the_hot_routes_have_their_own_choice() {
    let engine = engine(&Arc::new(staged(&[])), Choice::default()).await;
    engine.answer(Request::new(Method::Get, "/auth/verify"), Peer::default()).await;
    engine.answer(Request::new(Method::Post, "/auth/introspect"), Peer::default()).await;
    assert_eq!(engine.modules().stats().unwrap().instances, 0);
    engine.answer(Request::new(Method::Get, "/v1/users"), Peer::default()).await;
    assert_eq!(engine.modules().stats().unwrap().instances, 1);
}

#[tokio::test]
async fn other_rules_answer_once_they_are_put_in_force() {
    let engine = engine(&Arc::new(staged(&[])), Choice::default()).await;
    let verified_by_module = async || {
        let instances = || engine.modules().stats().unwrap().instances;
        let before = instances();
        engine.answer(Request::new(Method::Get, "/auth/verify"), Peer::default()).await;
        instances() - before
    };
    let rules = engine.prepare(Some(&Code::built_in()), Choice { hot: Execution::Module, api: Execution::Module }).unwrap();
    assert_eq!(verified_by_module().await, 0);
    let mark = engine.mark();
    engine.set(Settings::default(), Some(rules)).await.unwrap();
    assert_eq!(verified_by_module().await, 1);
    assert_ne!(engine.mark(), mark, "what was answered before may be answered otherwise now");
    let mark = engine.mark();
    engine.set(Settings { leeway: 1, ..Settings::default() }, None).await.unwrap();
    assert_eq!(verified_by_module().await, 1, "other settings are no other rules");
    assert_ne!(engine.mark(), mark);
}

/// Otherwise the refusals of a flood of logins would take the time of those who ask for little.
#[tokio::test]
async fn without_room_for_a_derivation_a_login_costs_nothing() {
    let engine = engine_with_room(&Arc::new(staged(&[])), Choice::default(), 0).await;
    let stranger = || Peer { address: Some([192, 0, 2, 1].into()), ..Peer::default() };
    let instances = || engine.modules().stats().unwrap().instances;
    let ask = |method, path, header: &'static str| {
        engine.answer(Request::new(method, path).with_header("authorization", header), stranger())
    };
    for path in ["/v1/users/authorize", "/auth/introspect"] {
        let refused = ask(Method::Post, path, "Basic YTpi").await;
        assert_eq!((refused.status, refused.header("retry-after"), instances()), (503, Some("1"), 0), "{path}");
    }
    let change = r#"{"username":"a","old_password":"b","new_password":"c"}"#;
    let by_body = Request::new(Method::Put, "/v1/users/password").with_body(change);
    assert_eq!((engine.answer(by_body, stranger()).await.status, instances()), (503, 0));
    assert_eq!(ask(Method::Get, "/auth/verify", "Basic YTpi").await.status, 401, "no derivation is needed to refuse it");
    assert_eq!(ask(Method::Get, "/v1/users/1", "Bearer a.b.c").await.status, 401);
    assert_eq!(ask(Method::Get, "/broker/rest/api", "Basic YTpi").await.status, 200, "everybody may read it");
    assert_eq!(instances(), 2);
}

/// Otherwise a token check would wait for the steps of a login under way, once in a hundred times under a flood of them.
#[tokio::test]
async fn logins_stand_back() {
    let store = Arc::new(staged(&[]));
    let engine = engine(&store, Choice::default()).await;
    let readers = async |header: &'static str| {
        mem::take(&mut *store.readers.lock().unwrap());
        let request = Request::new(Method::Get, "/broker/rest/user").with_header("authorization", header);
        assert_eq!(engine.answer(request, Peer::default()).await.status, 401);
        mem::take(&mut *store.readers.lock().unwrap())
    };
    let logins = readers("Basic YTpi").await;
    let others =
        readers(concat!("Bearer ", "0123456789abcdef", "0123456789abcdef", "0123456789abcdef", "0123456789abcdef")).await;
    assert!(!logins.is_empty() && logins.iter().all(|(name, _)| name.as_deref() == Some(logins::THREAD)), "{logins:?}");
    assert!(!others.is_empty() && others.iter().all(|(name, _)| name.as_deref() != Some(logins::THREAD)), "{others:?}");
    if cfg!(target_os = "linux") {
        let nice = |readers: &[(_, i32)]| readers.iter().map(|(_, nice)| *nice).max();
        assert!(nice(&logins) > nice(&others), "{logins:?}, {others:?}");
    }
}

/// A call waits for derivations and loses races; meanwhile its token, or the key it would sign with, may have ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_has_begun_before_the_keys_ended_commits_nothing_under_them() {
    const ADMIN: &str = "Basic YWRtaW46YWRtaW4gcGFzc3dvcmQ=";
    for kind in [Execution::Native, Execution::Module] {
        let store = Arc::new(staged(&[]));
        let engine = engine(&store, Choice { hot: kind, api: kind }).await;
        let ask = |method, path: &str, authorization: &str, body: &str| {
            let request = Request::new(method, path).with_header("content-type", "application/json").with_body(body);
            let request = match authorization {
                "" => request,
                _ => request.with_header("authorization", authorization),
            };
            let (engine, peer) = (engine.clone(), Peer { local: authorization.is_empty(), ..Peer::default() });
            async move { engine.answer(request, peer).await }
        };
        let first = r#"{"name":"admin","password":"admin password"}"#;
        assert_eq!(ask(Method::Post, "/admin/bootstrap", "", first).await.status, 201);
        let token = |response: Response| {
            let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            format!("Bearer {}", body["access_token"].as_str().unwrap())
        };
        let mut bearer = token(ask(Method::Post, "/v1/users/authorize", ADMIN, "{}").await);
        // Rotates while a request waits at a record.
        let meanwhile = async |begun, start, rotation| {
            let ((reached, at), (told, go)) = (mpsc::channel(), mpsc::channel());
            *store.hold.lock().unwrap() = Some(Hold { start, reached, go });
            let begun = tokio::spawn(begun);
            tokio::task::block_in_place(|| at.recv_timeout(Duration::from_secs(20))).unwrap();
            assert_eq!(ask(Method::Post, "/admin/keys/rotate", "", rotation).await.status, 201);
            told.send(()).unwrap();
            begun.await.unwrap()
        };

        let evil = r#"{"name":"evil","password":"evil password","role":"admin"}"#;
        let create = |bearer: &str| ask(Method::Post, "/v1/users", bearer, evil);
        let ends = r#"{"end_tokens":true}"#;
        assert_eq!(meanwhile(create(&bearer), "name/evil", ends).await.status, 401, "{kind:?}");
        assert!(store.memory.get(&[key::name("evil")]).wait().unwrap()[0].is_none(), "{kind:?}");

        let login = ask(Method::Post, "/v1/users/authorize", ADMIN, "{}");
        bearer = token(meanwhile(login, "tries/account/", ends).await);
        assert_eq!(ask(Method::Get, "/auth/verify", &bearer, "").await.status, 204, "{kind:?}: it is of the new key");

        assert_eq!(meanwhile(create(&bearer), "name/evil", "{}").await.status, 200, "{kind:?}: nothing has ended");
    }
}

#[tokio::test]
async fn without_its_keys_it_refuses_until_they_are_back() {
    let store = Arc::new(staged(&[]));
    let engine = engine(&store, Choice::default()).await;
    let ask = || engine.answer(Request::new(Method::Get, "/nowhere"), Peer::default());
    assert_ne!(ask().await.status, 503);

    store.put("key/k1", Some(b"damaged"));
    assert!(engine.reload_keys().await.is_err());
    let refused = ask().await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));

    store.put("key/k1", None);
    assert_ne!(ask().await.status, 503);
}
