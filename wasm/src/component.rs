//! The WIT face of core, `wit/engine.wit`: converts types and keeps the state of one call between its steps.

#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_core,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated from wit/engine.wit"
)]
mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "engine", generate_all });

    export!(Component with_types_in self);

    use super::Component;
}

use bindings::exports::waxseal::engine::rules::{self as wit, Guest};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{
    process::abort,
    sync::{Arc, Mutex, PoisonError},
};
use waxseal_core::{
    password::Scheme,
    seam::{
        self, Answer, Call, Done, Entropy, Expect, Method, Moment, Outcome, Peer, Pending, Range, Record, RecordKey,
        Version, World,
    },
    time::UnixTime,
};
use zeroize::Zeroizing;

struct Component;

/// The call that waits for an answer.
static PENDING: Mutex<Option<Pending>> = Mutex::new(None);
/// What [`Guest::load`] has kept.
static LOADED: Mutex<Option<World>> = Mutex::new(None);

impl Guest for Component {
    fn begin(
        request: wit::Request,
        moment: wit::Moment,
        world: Vec<u8>,
        prefetched: Vec<(String, Option<wit::Stored>)>,
    ) -> wit::Step {
        let world = Zeroizing::new(world);
        // Host and component were built from different sources: a defect, so refuse by a trap and change nothing.
        let Some(world) = World::from_bytes(&world) else { abort() };
        let call = Call { request: request.into(), moment: moment.into(), world: Arc::new(world) };
        let prefetched = prefetched.into_iter().map(|(key, record)| (RecordKey::from_stored(key), record.map(Into::into)));
        step(seam::begin_prefetched(Arc::new(call), prefetched.collect()))
    }

    fn resume(answer: wit::Answer) -> wit::Step {
        match put(&PENDING, None) {
            Some(pending) => step(pending.resume(answer.into())),
            None => abort(),
        }
    }

    fn load(world: Vec<u8>) -> bool {
        let world = World::from_bytes(&Zeroizing::new(world)).map(World::keyed);
        let good = world.is_some();
        put(&LOADED, world);
        #[cfg(target_arch = "wasm32")]
        crate::heap::keep();
        good
    }

    fn verify(token: String, now_millis: u64) -> Result<(), String> {
        let loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(world) = loaded.as_ref() else { return Err("not_loaded".into()) };
        world.verify(&token, UnixTime::from_millis(now_millis)).map(drop).map_err(|refusal| refusal.code().into())
    }
}

/// Puts `new` in and returns what was there.
fn put<T>(place: &Mutex<Option<T>>, new: Option<T>) -> Option<T> {
    core::mem::replace(&mut *place.lock().unwrap_or_else(PoisonError::into_inner), new)
}

fn step(step: seam::Step) -> wit::Step {
    match step {
        seam::Step::Ask(pending) => {
            let ask = pending.ask().into();
            put(&PENDING, Some(pending));
            wit::Step::Ask(ask)
        }
        seam::Step::Done(done) => wit::Step::Done(done.into()),
    }
}

impl From<wit::Request> for seam::Request {
    fn from(wit::Request { method, path, query, headers, body }: wit::Request) -> Self {
        Self { method: Method::parse(&method), path, query, headers, body }
    }
}

impl From<wit::Moment> for Moment {
    fn from(wit::Moment { now_millis, order, entropy, peer }: wit::Moment) -> Self {
        Self { now: UnixTime::from_millis(now_millis), order, entropy: entropy.map(octets), peer: peer.into() }
    }
}

fn octets((a, b, c, d): (u64, u64, u64, u64)) -> Entropy {
    let mut octets = [0; 32];
    for (to, from) in octets.chunks_exact_mut(8).zip([a, b, c, d]) {
        to.copy_from_slice(&from.to_be_bytes());
    }
    Entropy::new(octets)
}

impl From<wit::Peer> for Peer {
    fn from(wit::Peer { address, local, secure, host }: wit::Peer) -> Self {
        Self { address: address.map(Into::into), local, secure, host }
    }
}

impl From<wit::Address> for IpAddr {
    fn from(address: wit::Address) -> Self {
        match address {
            wit::Address::V4(bits) => Ipv4Addr::from_bits(bits).into(),
            wit::Address::V6((upper, lower)) => Ipv6Addr::from_bits(u128::from(upper) << 64 | u128::from(lower)).into(),
        }
    }
}

impl From<wit::Answer> for Answer {
    fn from(wit::Answer { records, ranges, derived }: wit::Answer) -> Self {
        let keyed = |(key, stored): (String, wit::Stored)| (RecordKey::from_stored(key), stored.into());
        Self {
            records: records.into_iter().map(|record| record.map(Into::into)).collect(),
            ranges: ranges.into_iter().map(|range| range.into_iter().map(keyed).collect()).collect(),
            derived: derived.map(Zeroizing::new),
        }
    }
}

impl From<wit::Stored> for Record {
    fn from(wit::Stored { version, value }: wit::Stored) -> Self {
        Self { version: Version(version), value }
    }
}

impl From<&seam::Ask> for wit::Ask {
    fn from(seam::Ask { keys, ranges, derive }: &seam::Ask) -> Self {
        Self {
            keys: keys.iter().map(|key| key.as_str().into()).collect(),
            ranges: ranges.iter().map(Into::into).collect(),
            derive: derive.as_ref().map(Into::into),
        }
    }
}

impl From<&Range> for wit::Range {
    fn from(Range { prefix, after, limit }: &Range) -> Self {
        Self { prefix: prefix.clone(), after: after.clone(), limit: *limit }
    }
}

impl From<&seam::Derivation> for wit::Derivation {
    fn from(seam::Derivation { scheme, salt, password }: &seam::Derivation) -> Self {
        Self { scheme: (*scheme).into(), salt: salt.clone(), password: password.to_vec() }
    }
}

impl From<Scheme> for wit::Scheme {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Argon2id { memory, passes, lanes } => Self::Argon2id(wit::Argon2id { memory, passes, lanes }),
            Scheme::Pbkdf2Sha256 { iterations } => Self::Pbkdf2Sha256(iterations),
        }
    }
}

impl From<Done> for wit::Done {
    fn from(Done { response, commit, events, token_refusal }: Done) -> Self {
        Self {
            response: response.into(),
            commit: commit.into(),
            events: events.into_iter().map(Into::into).collect(),
            token_refusal: token_refusal.map(Into::into),
        }
    }
}

impl From<seam::Response> for wit::Response {
    fn from(seam::Response { status, headers, body }: seam::Response) -> Self {
        Self { status, headers: headers.into_iter().map(|(name, value)| (name.into(), value)).collect(), body }
    }
}

impl From<seam::Commit> for wit::Commit {
    fn from(seam::Commit { checks, writes }: seam::Commit) -> Self {
        let check = |seam::Check { key, version }: seam::Check| wit::Check { key: key.as_str().into(), version: version.0 };
        Self { checks: checks.into_iter().map(check).collect(), writes: writes.into_iter().map(Into::into).collect() }
    }
}

impl From<seam::Write> for wit::Write {
    fn from(seam::Write { key, expect, value, expires }: seam::Write) -> Self {
        let expect = match expect {
            Expect::Version(version) => Some(version.0),
            Expect::Any => None,
        };
        Self { key: key.as_str().into(), expect, value, expires_millis: expires.map(UnixTime::as_millis) }
    }
}

impl From<seam::Event> for wit::Event {
    fn from(seam::Event { action, actor, subject, detail, outcome, reason, dialect }: seam::Event) -> Self {
        let refused = match outcome {
            Outcome::Success => false,
            Outcome::Refused => true,
        };
        Self { action: action.into(), actor, subject, detail, refused, reason: reason.into(), dialect: dialect.into() }
    }
}
