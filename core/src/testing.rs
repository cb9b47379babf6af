//! A world in memory for unit tests: a store, a clock, and a driver that answers what operations ask.
//!
//! It stands at the seam and does what every driver does: it reads what was asked, commits under the stated conditions and
//! starts over on a lost race. Time stands still until a test moves it, randomness is counted up, so each run is the same.
//!
//! Derivations are not Argon2 here but HMAC-SHA-256 over the password, keyed with scheme and salt: as distinct as the real
//! ones and some ten thousand times as fast. What the real ones compute is tested next to them.

use crate::{
    record::{KeyState, SigningKey, Stored, key},
    seam::{
        ACTIONS, Answer, Ask, Call, Commit, Derivation, Done, Entropy, Event, Expect, Method, Moment, Peer, Range, Record,
        RecordKey, Request, Response, Step, Unread, Version, World, Write, begin, begin_prefetched, unread,
    },
    settings::Settings,
    time::UnixTime,
    token::Algorithm,
    vault::Vault,
};
use alloc::{collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use core::net::IpAddr;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A server that exists for one test.
#[derive(Clone)]
pub(crate) struct TestWorld {
    /// What operations did so far, in order.
    pub(crate) events: Vec<Event>,
    /// What the last call cost; counts every run of it if it had to start over.
    pub(crate) cost: Cost,
    /// Why a token of the last call was not good, as the log is told.
    pub(crate) token_refusal: Option<&'static str>,
    records: BTreeMap<RecordKey, (Record, Option<UnixTime>)>,
    revision: u64,
    settings: Settings,
    now: UnixTime,
    calls: u64,
}

/// What a call has asked of its driver.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Cost {
    /// Questions asked.
    pub(crate) rounds: usize,
    /// Records read, by key or by range.
    pub(crate) reads: usize,
    /// The most records that a question for a range would have taken.
    pub(crate) longest: u32,
    /// Passwords derived.
    pub(crate) derivations: usize,
    /// Questions for records that came after a derivation, which a lost race would make anew.
    pub(crate) late: usize,
    /// Commits made.
    pub(crate) commits: usize,
}

/// The root secret of every test world.
const ROOT: [u8; 32] = [42; 32];

/// When that happens which a call is to race with.
#[derive(Clone, Copy)]
enum When {
    /// Before the answer to the question with this number, from 0.
    Question(usize),
    /// When it is about to commit for the first time.
    Commit,
}

impl TestWorld {
    /// A new server: default settings, no users, one HS256 key with `kid` `test` that signs. It is 2027-01-15T08:00:00Z.
    pub(crate) fn new() -> Self {
        let mut world = Self::unsown();
        let sealed = world.world().vault.seal("test", &[7; 32], [1; 24]).unwrap();
        let state = KeyState::Signs;
        let signing = SigningKey { kid: "test".into(), algorithm: Algorithm::Hs256, state, created: world.now, sealed };
        world.put(key::signing_key("test"), signing.encode());
        world
    }

    /// A new server without any key.
    pub(crate) fn unsown() -> Self {
        Self {
            events: Vec::new(),
            cost: Cost::default(),
            token_refusal: None,
            records: BTreeMap::new(),
            revision: 0,
            settings: Settings::default(),
            now: UnixTime::from_secs(1_800_000_000),
            calls: 0,
        }
    }

    /// A new server whose first administrator is `admin`, uid 1, with this password.
    pub(crate) fn with_admin(password: &str) -> Self {
        let mut world = Self::new();
        let body = serde_json::json!({"name": "admin", "password": password});
        assert_eq!(world.local(request("POST /admin/bootstrap", &format!("{body}"))).status, 201);
        world.events.clear();
        world
    }

    /// Answers a request that comes over the network, from 192.0.2.1.
    pub(crate) fn call(&mut self, request: Request) -> Response {
        self.call_from("192.0.2.1", request)
    }

    /// Answers a request from this address.
    pub(crate) fn call_from(&mut self, address: &str, request: Request) -> Response {
        self.run(
            Peer { address: Some(address.parse::<IpAddr>().unwrap()), ..Peer::default() },
            request,
            When::Commit,
            |_| {},
        )
    }

    /// Answers a request whose sender the driver takes for `peer`.
    pub(crate) fn call_as(&mut self, peer: Peer, request: Request) -> Response {
        self.run(peer, request, When::Commit, |_| {})
    }

    /// Answers a request that comes over the administration socket.
    pub(crate) fn local(&mut self, request: Request) -> Response {
        self.run(Peer { local: true, ..Peer::default() }, request, When::Commit, |_| {})
    }

    /// Answers a request; when it is about to commit for the first time, `meanwhile` happens, so that a race can be staged.
    pub(crate) fn race(&mut self, request: Request, meanwhile: impl FnOnce(&mut Self)) -> Response {
        self.run(Peer { address: Some([192, 0, 2, 1].into()), ..Peer::default() }, request, When::Commit, meanwhile)
    }

    /// Loses every record under `prefix`.
    pub(crate) fn forget(&mut self, prefix: &str) {
        self.records.retain(|key, _| !key.as_str().starts_with(prefix));
    }

    /// What is answered to a request whose body could not be read.
    pub(crate) fn unread(&self, request: Request, why: Unread) -> Response {
        let moment = Moment { now: self.now, ..Moment::default() };
        unread(&Call { request, moment, world: Arc::new(self.world()) }, why)
    }

    /// A token of the Redis dialect, good for 300 seconds.
    pub(crate) fn token(&mut self, name: &str, password: &str) -> String {
        let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        json(&self.call(login))["access_token"].as_str().unwrap().into()
    }

    /// Like [`TestWorld::race`], for a request that comes over the administration socket.
    pub(crate) fn race_local(&mut self, request: Request, meanwhile: impl FnOnce(&mut Self)) -> Response {
        self.run(Peer { local: true, ..Peer::default() }, request, When::Commit, meanwhile)
    }

    /// Like [`TestWorld::race`], but `meanwhile` happens before the answer to the question with this number, from 0, so that some
    /// records were read before it and some after; not at all if there are fewer questions.
    pub(crate) fn race_at(&mut self, round: usize, request: Request, meanwhile: impl FnOnce(&mut Self)) -> Response {
        self.run(
            Peer { address: Some([192, 0, 2, 1].into()), ..Peer::default() },
            request,
            When::Question(round),
            meanwhile,
        )
    }

    /// Like [`TestWorld::race_at`], for a request that comes over the administration socket.
    pub(crate) fn race_local_at(&mut self, round: usize, request: Request, meanwhile: impl FnOnce(&mut Self)) -> Response {
        self.run(Peer { local: true, ..Peer::default() }, request, When::Question(round), meanwhile)
    }

    /// Moves the clock on.
    pub(crate) fn advance(&mut self, secs: u64) {
        self.now = self.now.plus_secs(secs);
    }

    /// Moves the clock on, by less than a second.
    pub(crate) fn advance_millis(&mut self, millis: u64) {
        self.now = UnixTime::from_millis(self.now.as_millis() + millis);
    }

    /// Sets the clock, back too.
    pub(crate) fn set(&mut self, now: UnixTime) {
        self.now = now;
    }

    /// What the clock says.
    pub(crate) fn now(&self) -> UnixTime {
        self.now
    }

    /// What the next call will find configured.
    pub(crate) fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// What drivers hand in: settings and opened keys.
    pub(crate) fn world(&self) -> World {
        let sealed = self.live(key::SIGNING_KEYS);
        let vault = Vault::open(ROOT, sealed.map(|(_, record)| record.value.as_slice()), self.now).unwrap();
        World { settings: self.settings.clone(), vault }
    }

    /// What is stored under `key`.
    pub(crate) fn stored<T: Stored>(&self, key: &RecordKey) -> Option<T> {
        self.read(key).map(|record| T::of(&record).unwrap())
    }

    /// Whether `text` stands in any key or value that is stored.
    pub(crate) fn stores(&self, text: impl AsRef<[u8]>) -> bool {
        let text = text.as_ref();
        let holds = |octets: &[u8]| octets.windows(text.len()).any(|window| window == text);
        self.records.iter().any(|(key, (record, _))| holds(key.as_str().as_bytes()) || holds(&record.value))
    }

    /// How many records are stored under keys that start with `prefix`.
    pub(crate) fn count(&self, prefix: &str) -> usize {
        self.live(prefix).count()
    }

    /// Stores `value` under `key`, past every rule.
    pub(crate) fn put(&mut self, key: RecordKey, value: Vec<u8>) {
        let write = Write { key, expect: Expect::Any, value: Some(value), expires: None };
        assert!(self.commit(&Commit { checks: Vec::new(), writes: [write].into() }));
    }

    /// Who did what was written to the audit trail since the last time.
    pub(crate) fn actors(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| event.actor).collect()
    }

    /// The actions that operations wrote to the audit trail since the last time, a refused one with its reason, a change with its
    /// detail.
    pub(crate) fn audited(&mut self) -> Vec<String> {
        let line = |event: Event| {
            let Event { action, reason, detail, .. } = event;
            match (reason, detail.as_str()) {
                ("", "") => action.into(),
                ("", detail) => format!("{action}: {detail}"),
                (reason, _) => format!("{action} {reason}"),
            }
        };
        self.events.drain(..).map(line).collect()
    }

    fn run(&mut self, peer: Peer, request: Request, when: When, meanwhile: impl FnOnce(&mut Self)) -> Response {
        self.calls += 1;
        let mut meanwhile = Some(meanwhile);
        let entropy = Some(Entropy::new(Sha256::digest(self.calls.to_be_bytes()).into()));
        let moment = Moment { now: self.now, order: u16::try_from(self.calls).unwrap_or(u16::MAX), entropy, peer };
        let call = Arc::new(Call { request, moment, world: Arc::new(self.world()) });
        let mut cost = Cost::default();
        for _ in 0..8 {
            let done = match when {
                // What it reads partly before and partly after that cannot be read ahead.
                When::Question(at) if meanwhile.is_some() => {
                    self.drive_from(begin(Arc::clone(&call)), &mut cost, &mut Vec::new(), |world, question| {
                        if question == at {
                            meanwhile.take().into_iter().for_each(|meanwhile| meanwhile(world));
                        }
                    })
                }
                _ => self.drive(&call, &mut cost),
            };
            if !done.commit.is_empty() {
                cost.commits += 1;
                if let When::Commit = when {
                    meanwhile.take().into_iter().for_each(|meanwhile| meanwhile(self));
                }
            }
            if self.commit(&done.commit) {
                self.cost = cost;
                self.token_refusal = done.token_refusal;
                let named = |event: &Event| assert!(ACTIONS.contains(&event.action), "`{}` is in no list", event.action);
                done.events.iter().for_each(named);
                self.events.extend(done.events);
                return done.response;
            }
        }
        panic!("lost eight races in a row");
    }

    /// Answers what the call asks until it is done; then once more with everything read ahead, and something else besides, which
    /// must come to the same.
    fn drive(&mut self, call: &Arc<Call>, cost: &mut Cost) -> Done {
        let mut asked = Vec::new();
        let done = self.drive_from(begin(Arc::clone(call)), cost, &mut asked, |_, _| {});
        asked.push(key::last_uid());
        let prefetched = asked.iter().map(|key| (key.clone(), self.read(key))).collect();
        let ahead = begin_prefetched(Arc::clone(call), prefetched);
        let mut more = Vec::new();
        let ahead = self.drive_from(ahead, &mut Cost::default(), &mut more, |_, _| {});
        assert_eq!(more, [], "read ahead and asked for all the same");
        assert!(ahead.response == done.response, "with records read ahead: {:?}", ahead.response);
        assert_eq!(ahead.commit, done.commit, "with records read ahead");
        assert_eq!((&ahead.events, ahead.token_refusal), (&done.events, done.token_refusal), "with records read ahead");
        done
    }

    /// `before` is told the number of each question before it is answered.
    fn drive_from(
        &mut self,
        mut step: Step,
        cost: &mut Cost,
        asked: &mut Vec<RecordKey>,
        mut before: impl FnMut(&mut Self, usize),
    ) -> Done {
        let (derived, rounds) = (cost.derivations, cost.rounds);
        loop {
            match step {
                Step::Done(done) => return done,
                Step::Ask(pending) => {
                    before(self, cost.rounds - rounds);
                    cost.rounds += 1;
                    asked.extend_from_slice(&pending.ask().keys);
                    let reads = !pending.ask().keys.is_empty() || !pending.ask().ranges.is_empty();
                    cost.late += usize::from(reads && cost.derivations > derived);
                    let answer = self.answer(pending.ask(), cost);
                    step = pending.resume(answer);
                }
            }
        }
    }

    fn answer(&self, ask: &Ask, cost: &mut Cost) -> Answer {
        assert!(!ask.is_empty(), "an operation asks for nothing");
        let records: Vec<_> = ask.keys.iter().map(|key| self.read(key)).collect();
        let range = |range: &Range| -> Vec<_> {
            let later = self.live(&range.prefix).filter(|(key, _)| key.as_str() > range.after.as_str());
            let page = later.take(usize::try_from(range.limit).unwrap());
            page.map(|(key, record)| (key.clone(), record.clone())).collect()
        };
        let ranges: Vec<Vec<_>> = ask.ranges.iter().map(range).collect();
        cost.reads += records.len() + ranges.iter().map(Vec::len).sum::<usize>();
        cost.longest = ask.ranges.iter().map(|range| range.limit).fold(cost.longest, u32::max);
        cost.derivations += usize::from(ask.derive.is_some());
        Answer { records, ranges, derived: ask.derive.as_ref().map(derive) }
    }

    /// All or nothing; `false` when a condition does not hold.
    fn commit(&mut self, commit: &Commit) -> bool {
        let version = |key: &RecordKey| self.read(key).map_or(Version::ABSENT, |record| record.version);
        let fresh = commit.checks.iter().all(|check| version(&check.key) == check.version);
        let expected = commit.writes.iter().all(|write| match write.expect {
            Expect::Version(expected) => version(&write.key) == expected,
            Expect::Any => true,
        });
        if fresh && expected && !commit.is_empty() {
            self.revision += 1;
            for Write { key, value, expires, .. } in &commit.writes {
                match value {
                    Some(value) => {
                        let record = Record { version: Version(self.revision), value: value.clone() };
                        self.records.insert(key.clone(), (record, *expires));
                    }
                    None => drop(self.records.remove(key)),
                }
            }
        }
        fresh && expected
    }

    fn read(&self, key: &RecordKey) -> Option<Record> {
        let (record, expires) = self.records.get(key)?;
        expires.is_none_or(|expires| self.now < expires).then(|| record.clone())
    }

    fn live<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a RecordKey, &'a Record)> {
        self.records
            .range(RecordKey::from_stored(prefix.into())..)
            .take_while(move |(key, _)| key.as_str().starts_with(prefix))
            .filter(|(_, (_, expires))| expires.is_none_or(|expires| self.now < expires))
            .map(|(key, (record, _))| (key, record))
    }
}

/// What stands in for a real derivation.
pub(crate) fn derive(derivation: &Derivation) -> Zeroizing<Vec<u8>> {
    let Derivation { scheme, salt, password } = derivation;
    let mut mac = Hmac::<Sha256>::new_from_slice(&postcard::to_allocvec(&(scheme, salt)).unwrap()).unwrap();
    mac.update(password);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

/// An ASCII text with `octet` in the place of one of its octets, or before it, or without it, as `kind` is 0, 1 or more.
pub(crate) fn damaged(text: &str, at: usize, kind: i32, octet: &str) -> String {
    let at = at % text.len();
    let rest = if kind == 1 { at } else { at + 1 };
    format!("{}{}{}", &text[..at], if kind > 1 { "" } else { octet }, &text[rest..])
}

/// A request by its first line, such as `POST /v1/users`, with a JSON body unless it is empty.
#[track_caller]
pub(crate) fn request(line: &str, body: &str) -> Request {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::new(Method::parse(method), path);
    if body.is_empty() { request } else { request.with_header("content-type", "application/json").with_body(body) }
}

/// The body of a response as JSON.
#[track_caller]
pub(crate) fn json(response: &Response) -> serde_json::Value {
    assert_eq!(response.header("content-type"), Some("application/json"), "of {response:?}");
    serde_json::from_slice(&response.body).unwrap()
}

/// The value of an `Authorization` header with name and password.
pub(crate) fn basic(name: &str, password: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}
