//! An operation in progress, as the rules see it.

use super::{
    Ask, Call, Check, Commit, Derivation, Done, Event, Expect, Moment, Range, Record, RecordKey, Request, Response,
    Version, Write,
    known::{Decided, Known},
};
use crate::{
    record::{Stored, Uid},
    refusal::Refusal,
    settings::Settings,
    sorted::{Sorted, in_order},
    time::UnixTime,
    token::{self, Verified},
    vault::Vault,
};
use alloc::{boxed::Box, vec::Vec};
use core::cell::RefCell;

/// Why an operation left before its end.
#[derive(Debug)]
pub enum Stop {
    /// A value has not been read yet; what is missing stands in the [`Ask`].
    Need,
    /// The request is refused; only [`Op::keep`] writes go in. The dialect words the answer.
    Refuse(Refusal),
    /// Like [`Stop::Refuse`], with the answer already worded. Boxed, as every `?` moves a stop.
    Answer(Box<Response>),
}

impl Stop {
    /// A refusal with this answer.
    pub fn answer(response: Response) -> Self {
        Self::Answer(Box::new(response))
    }
}

impl<R: Into<Refusal>> From<R> for Stop {
    fn from(refusal: R) -> Self {
        Self::Refuse(refusal.into())
    }
}

/// One run of an operation: the call, what is known so far, and what the run has decided.
///
/// Reads answer from what is known or leave with [`Stop::Need`]. Ask for everything a round can need together, by
/// [`Op::want`] before the first `?`.
pub struct Op<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// When, by whom, with which randomness.
    pub moment: &'a Moment,
    /// What the operator has configured.
    pub settings: &'a Settings,
    /// Root secret and signing keys.
    pub vault: &'a Vault,
    known: &'a Known,
    ask: RefCell<Ask>,
    draft: RefCell<Draft>,
    verified: RefCell<Option<Decided>>,
}

#[derive(Default)]
struct Draft {
    changes: Sorted<RecordKey, Write>,
    kept: Sorted<RecordKey, Write>,
    /// Each with whether it is kept even if the operation is refused.
    events: Vec<(Event, bool)>,
    token_refusal: Option<&'static str>,
    caller: Option<Uid>,
}

impl<'a> Op<'a> {
    pub(super) fn new(call: &'a Call, known: &'a Known) -> Self {
        Self {
            request: &call.request,
            moment: &call.moment,
            settings: &call.world.settings,
            vault: &call.world.vault,
            known,
            ask: RefCell::default(),
            draft: RefCell::default(),
            verified: RefCell::default(),
        }
    }

    /// The driver's clock.
    pub fn now(&self) -> UnixTime {
        self.moment.now
    }

    /// Says that these records will be read, so that one round fetches them together. Many are best given in the order of their keys.
    pub fn want<'k>(&self, keys: impl IntoIterator<Item = &'k RecordKey>) {
        let mut ask = self.ask.borrow_mut();
        for key in keys {
            if self.known.record(key).is_none()
                && let Err(at) = ask.keys.binary_search(key)
            {
                ask.keys.insert(at, key.clone());
            }
        }
    }

    /// The record under `key`, `None` if there is none.
    ///
    /// # Errors
    /// [`Stop::Need`] until the driver has answered.
    pub fn read(&self, key: &RecordKey) -> Result<Option<&'a Record>, Stop> {
        self.known.record(key).ok_or_else(|| {
            self.want([key]);
            Stop::Need
        })
    }

    /// The record of type `T` under `key`, `None` if there is none: as this operation has written it, if it has, else as it was read.
    ///
    /// # Errors
    /// [`Stop::Need`] until it has been read; [`Refusal::BadRecord`] when it cannot be decoded.
    pub(crate) fn load<T: Stored>(&self, key: &RecordKey) -> Result<Option<T>, Stop> {
        let read = self.read(key)?;
        let record = self.written(key, |value| value.map(T::decode)).unwrap_or_else(|| read.map(T::of));
        Ok(record.transpose()?)
    }

    /// Shows what this operation has written to a record so far, `None` where it has deleted it; gives `None` if it has done neither.
    fn written<T>(&self, key: &RecordKey, show: impl FnOnce(Option<&[u8]>) -> T) -> Option<T> {
        let draft = self.draft.borrow();
        let write = draft.changes.get(key).or_else(|| draft.kept.get(key))?;
        Some(show(write.value.as_deref()))
    }

    /// The records of `range` in key order, as they were read, whatever this operation has written. They are not preconditions of the
    /// commit: read a record by its key to make it one.
    ///
    /// # Errors
    /// [`Stop::Need`] until the driver has answered.
    pub fn range(&self, range: &Range) -> Result<&'a [(RecordKey, Record)], Stop> {
        self.known.range(range).ok_or_else(|| {
            let mut ask = self.ask.borrow_mut();
            if !ask.ranges.contains(range) {
                ask.ranges.push(range.clone());
            }
            Stop::Need
        })
    }

    /// What `verify` says of `token`. It is pure, so a replay does not run it again. The verdict is kept under the token alone, so
    /// there must be only one `verify`, that of [`crate::engine`].
    ///
    /// # Errors
    /// Those of `verify`.
    pub(crate) fn verified(
        &self,
        token: &str,
        verify: impl FnOnce() -> Result<Verified, token::Refusal>,
    ) -> Result<Verified, token::Refusal> {
        if let Some((_, decided)) = self.known.verified.as_ref().filter(|(known, _)| known == token) {
            return decided.clone();
        }
        let decided = verify();
        self.verified.replace(Some((token.into(), decided.clone())));
        decided
    }

    /// The 32 octets derived from a password. Comes after the last read that decides whether the password is good, so that no
    /// outcome saves or adds a derivation; what an operation needs after a good login may still be read.
    ///
    /// # Errors
    /// [`Stop::Need`] until the driver has computed it.
    pub fn derive(&self, derivation: Derivation) -> Result<&'a [u8], Stop> {
        self.known.derived(&derivation).ok_or_else(|| {
            self.ask.borrow_mut().derive = Some(derivation);
            Stop::Need
        })
    }

    /// Writes a record, provided it is as it was read ([`Expect::Any`] if this operation has not read it). Dropped when the
    /// operation is refused. A later write to the same key replaces an earlier one.
    pub fn put(&self, key: RecordKey, value: Vec<u8>, expires: Option<UnixTime>) {
        self.change(key, Some(value), expires);
    }

    /// Stores a record without expiry.
    pub(crate) fn store<T: Stored>(&self, key: RecordKey, record: &T) {
        self.put(key, record.encode(), None);
    }

    /// Stores a record that the store may drop at `expires`.
    pub(crate) fn store_until<T: Stored>(&self, key: RecordKey, record: &T, expires: UnixTime) {
        self.put(key, record.encode(), Some(expires));
    }

    /// Like [`Op::put`], for a record that was read as part of a range: provided it is still the one that was `seen` there.
    pub fn replace(&self, key: RecordKey, seen: &Record, value: Vec<u8>, expires: Option<UnixTime>) {
        let write = Write { expect: Expect::Version(seen.version), key, value: Some(value), expires };
        self.draft.borrow_mut().changes.insert(write.key.clone(), write);
    }

    /// Writes a record that must not be there yet, without reading it: one that is there loses the race. Dropped when the
    /// operation is refused.
    pub fn put_new(&self, key: RecordKey, value: Vec<u8>) {
        let write = Write { key, expect: Expect::Version(Version::ABSENT), value: Some(value), expires: None };
        self.draft.borrow_mut().changes.insert(write.key.clone(), write);
    }

    /// Deletes a record under the same condition as [`Op::put`].
    pub fn remove(&self, key: RecordKey) {
        self.change(key, None, None);
    }

    /// Like [`Op::put`], but goes in even when the operation is refused: for failure counters. A [`Op::put`] to the same key takes precedence
    /// where the operation succeeds, whichever came first.
    pub fn keep(&self, key: RecordKey, value: Option<Vec<u8>>, expires: Option<UnixTime>) {
        let write = Write { expect: Expect::Any, key, value, expires };
        self.draft.borrow_mut().kept.insert(write.key.clone(), write);
    }

    /// Adds a line to the audit trail about a change. Dropped with it when the operation is refused.
    pub fn event(&self, event: Event) {
        self.draft.borrow_mut().events.push((event, false));
    }

    /// Like [`Op::event`], but goes in even when the operation is refused: for refusals, and for what [`Op::keep`] writes.
    pub fn keep_event(&self, event: Event) {
        self.draft.borrow_mut().events.push((event, true));
    }

    /// Notes who asks, once the credentials are found to be good.
    pub fn note_caller(&self, uid: Uid) {
        self.draft.borrow_mut().caller = Some(uid);
    }

    /// Who asks, as far as is known.
    pub fn caller(&self) -> Option<Uid> {
        self.draft.borrow().caller
    }

    /// Notes for the log that a token is not good, and which check says so (security T10). The first of a request counts;
    /// refusals for other reasons are ignored.
    pub fn note_token(&self, refusal: &Refusal) {
        if refusal.is_token() {
            self.draft.borrow_mut().token_refusal.get_or_insert(refusal.code());
        }
    }

    fn change(&self, key: RecordKey, value: Option<Vec<u8>>, expires: Option<UnixTime>) {
        let write = Write { expect: Expect::Any, key, value, expires };
        self.draft.borrow_mut().changes.insert(write.key.clone(), write);
    }

    /// What is missing; and what was decided of a token, if anything was.
    pub(super) fn into_ask(self) -> (Ask, Option<Decided>) {
        (self.ask.into_inner(), self.verified.into_inner())
    }

    /// Drops what the operation wanted to change, and its audit lines about that; what it wanted to keep stays.
    pub(super) fn drop_changes(&self) {
        let mut draft = self.draft.borrow_mut();
        draft.changes.clear();
        draft.events.retain(|(_, is_kept)| *is_kept);
    }

    /// What the driver gets besides the response.
    pub(super) fn into_done(self, response: Response) -> Done {
        let draft = self.draft.into_inner();
        let mut writes = draft.kept;
        writes.extend(draft.changes.into_vec());
        // Only now, as a record may be read after it was written.
        for (key, write) in writes.as_mut_slice() {
            if let (Expect::Any, Some(version)) = (write.expect, self.known.version(key)) {
                write.expect = Expect::Version(version);
            }
        }
        let writes = writes;
        let checks = if writes.as_slice().is_empty() {
            Vec::new()
        } else {
            let only_read = self.known.versions().filter(|(key, _)| writes.get(key).is_none());
            let checks = only_read.map(|(key, version)| Check { key: key.clone(), version }).collect();
            in_order(checks, |one: &Check, other| one.key.cmp(&other.key))
        };
        let commit = Commit { checks, writes: writes.into_vec().into_iter().map(|(_, write)| write).collect() };
        let events = draft.events.into_iter().map(|(event, _)| event).collect();
        Done { response, commit, events, token_refusal: draft.token_refusal }
    }
}
