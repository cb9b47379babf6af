//! The smallest world around core: records in a map, a clock and randomness that the test owns.

use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};
use waxseal_core::{
    password,
    seam::{
        Answer, Ask, Call, Commit, Derivation, Done, Entropy, Expect, Moment, Peer, Pending, Record, RecordKey, Request,
        Step,
    },
    seam::{Version, World, begin},
    settings::Settings,
    time::UnixTime,
    token::{Key as SigningKey, KeyRole, KeySet},
    vault::Vault,
};
use zeroize::Zeroizing;

/// 2031-05-06T07:08:09Z, where every test begins.
pub const START: UnixTime = UnixTime::from_secs(1_935_990_489);

/// Core with everything it needs. Two of them that are asked the same give the same answers, octet for octet.
pub struct Memory {
    world: Arc<World>,
    now: UnixTime,
    calls: u64,
    revision: u64,
    records: BTreeMap<RecordKey, Stored>,
}

struct Stored {
    record: Record,
    expires: Option<UnixTime>,
}

impl Memory {
    /// An empty store under these settings, with one signing key of the algorithm that they name.
    pub fn new(settings: Settings) -> Self {
        let key = SigningKey::generate("k1", settings.signing_algorithm, &[7; 64]).unwrap();
        let keys = KeySet::new([(key, KeyRole::Sign)]).unwrap();
        let world = Arc::new(World { settings, vault: Vault::new([9; 32], keys) });
        Self { world, now: START, calls: 0, revision: 0, records: BTreeMap::new() }
    }

    /// The clock.
    pub fn now(&self) -> UnixTime {
        self.now
    }

    /// Moves the clock on.
    pub fn advance(&mut self, secs: u64) {
        self.now = self.now.plus_secs(secs);
    }

    /// A call at this moment, with randomness of its own.
    pub fn call(&mut self, peer: Peer, request: Request) -> Arc<Call> {
        self.calls += 1;
        let entropy = Entropy::new(Sha256::digest(self.calls.to_be_bytes()).into());
        let moment = Moment { now: self.now, entropy: Some(entropy), peer, ..Moment::default() };
        Arc::new(Call { request, moment, world: self.world.clone() })
    }

    /// Plays a call to its end: reads, derives, commits, starts over after a lost race.
    pub fn play(&mut self, call: &Arc<Call>) -> Done {
        loop {
            let done = self.finish(begin(call.clone()));
            if self.commit(&done.commit) {
                return done;
            }
        }
    }

    /// Answers all questions up to the end, without committing.
    pub fn finish(&self, mut step: Step) -> Done {
        loop {
            match step {
                Step::Ask(pending) => step = self.resume(pending),
                Step::Done(done) => return done,
            }
        }
    }

    /// Answers one question from what stands in the store now.
    pub fn resume(&self, pending: Pending) -> Step {
        let answer = self.answer(pending.ask());
        pending.resume(answer)
    }

    /// Writes everything, or nothing and answers false when a record is not as the operation has read it.
    pub fn commit(&mut self, commit: &Commit) -> bool {
        let version = |key: &RecordKey| self.live(key).map_or(Version::ABSENT, |record| record.version);
        let holds = commit.checks.iter().all(|check| version(&check.key) == check.version)
            && commit.writes.iter().all(|write| match write.expect {
                Expect::Version(expected) => version(&write.key) == expected,
                Expect::Any => true,
            });
        if !holds {
            return false;
        }
        if !commit.is_empty() {
            self.revision += 1;
        }
        for write in &commit.writes {
            match &write.value {
                Some(value) => {
                    let record = Record { version: Version(self.revision), value: value.clone() };
                    self.records.insert(write.key.clone(), Stored { record, expires: write.expires });
                }
                None => drop(self.records.remove(&write.key)),
            }
        }
        true
    }

    fn answer(&self, ask: &Ask) -> Answer {
        let range = |range: &waxseal_core::seam::Range| {
            self.records
                .keys()
                .filter(|key| key.as_str().starts_with(&range.prefix) && key.as_str() > range.after.as_str())
                .filter_map(|key| Some((key.clone(), self.live(key)?.clone())))
                .take(range.limit as usize)
                .collect()
        };
        Answer {
            records: ask.keys.iter().map(|key| self.live(key).cloned()).collect(),
            ranges: ask.ranges.iter().map(range).collect(),
            derived: ask.derive.as_ref().map(derive),
        }
    }

    fn live(&self, key: &RecordKey) -> Option<&Record> {
        let stored = self.records.get(key)?;
        stored.expires.is_none_or(|expires| self.now < expires).then_some(&stored.record)
    }
}

/// Derives, and remembers it: many scenarios begin alike.
fn derive(derivation: &Derivation) -> Zeroizing<Vec<u8>> {
    type Question = (password::Scheme, Vec<u8>, Vec<u8>);
    static KNOWN: LazyLock<Mutex<HashMap<String, Vec<u8>>>> = LazyLock::new(Mutex::default);
    let question: Question = (derivation.scheme, derivation.salt.clone(), derivation.password.to_vec());
    let question = format!("{question:?}");
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bits) = known().get(&question) {
        return Zeroizing::new(bits.clone());
    }
    let bits = password::derive(derivation, &mut password::Memory::default()).unwrap();
    known().insert(question, bits.to_vec());
    bits
}
