//! Signing keys: the first one, rotation, retirement, import.

use super::{audit, authorization::revoke_everything, pair::end_all_pairs};
use crate::{
    record::{Count, Ended, KeyState, SigningKey, Stored, key},
    refusal::Refusal,
    seam::{Op, Range, Stop},
    time::UnixTime,
    token::{Algorithm, Key, base64url},
};
use alloc::{string::String, vec::Vec};
use core::fmt::Display;
use zeroize::Zeroizing;

/// How many keys a server may hold at once.
pub const MAX_KEYS: u32 = 64;

/// The signing keys, without those that had expired when others were added.
pub(crate) fn keys(op: &Op<'_>) -> Result<Vec<SigningKey>, Stop> {
    let stored = stored(op)?;
    Ok(stored.iter().filter(|key| !is_gone(op, key, &stored)).cloned().collect())
}

/// All that are stored, each read as a condition of the commit. One that is added meanwhile is no such condition: see [`changing`].
fn stored(op: &Op<'_>) -> Result<Vec<SigningKey>, Stop> {
    let range = Range { prefix: key::SIGNING_KEYS.into(), after: String::new(), limit: MAX_KEYS };
    let listed = op.range(&range)?;
    op.want(listed.iter().map(|(key, _)| key));
    let mut keys = Vec::new();
    for (key, _) in listed {
        keys.extend(op.load::<SigningKey>(key)?);
    }
    Ok(keys)
}

/// What a rotation asks for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rotation {
    /// How the new key signs; none: as the one that signs now.
    pub(crate) algorithm: Option<Algorithm>,
    /// Every other key goes at once, and every token: access tokens with their keys, authorizations and refresh tokens too.
    /// Needed to change between shared secrets and public keys, which are never in use together (security T3).
    pub(crate) end_tokens: bool,
    /// A public key signs at once instead of being published first: verifiers elsewhere refuse its tokens until they have read it.
    pub(crate) at_once: bool,
}

/// Why no other key was made or promoted.
pub(crate) enum NotRotated {
    /// It would be of another kind than those that verify.
    OtherKind,
    /// A key is published already and signs from this time on.
    Pending(UnixTime),
}

/// Makes a key that signs: a secret at once, a public key when it has been published for [`key_lead`]. The one that signed before
/// verifies until the last token it signed has expired (security T18). Within this server a new key is known to every verifier
/// before it signs its first token, as it is in force when its commit is answered.
///
/// # Errors
/// [`Refusal::NoEntropy`]; [`Refusal::TooManyKeys`] when there are [`MAX_KEYS`] that still verify.
///
/// [`key_lead`]: crate::settings::Gateway::key_lead
pub(crate) fn rotate_key(
    op: &Op<'_>,
    actor: &dyn Display,
    rotation: Rotation,
) -> Result<Result<SigningKey, NotRotated>, Stop> {
    let known = changing(op, 1)?;
    let signer = known.iter().find(|key| key.state.signs_at(op.now()));
    let usual = signer.map_or(op.settings.signing_algorithm, |key| key.algorithm);
    let algorithm = rotation.algorithm.unwrap_or(usual);
    // One that verifiers have read already is better than one that nobody knows.
    let waits = |key: &&SigningKey| {
        matches!(key.state, KeyState::Follows { from } if op.now() < from) && key.algorithm == algorithm
    };
    let promoted = known.iter().filter(|_| rotation.at_once && !rotation.end_tokens).find(waits);
    let state = if rotation.end_tokens {
        // Also those whose time has passed, as the clock may be wrong.
        for key in &stored(op)? {
            op.remove(key::signing_key(&key.kid));
            audit(op, "key.retire", actor, &key.kid);
        }
        // The tokens that no key has signed.
        revoke_everything(op, actor)?;
        end_all_pairs(op)?;
        KeyState::Signs
    } else if is_other_kind(&known, algorithm) {
        return Ok(Err(NotRotated::OtherKind));
    } else if promoted.is_none() && known.len() >= MAX_KEYS as usize {
        return Err(Refusal::TooManyKeys.into());
    } else {
        match succeed(op, &known, algorithm, rotation.at_once, promoted) {
            Ok(state) => state,
            Err(from) => return Ok(Err(NotRotated::Pending(from))),
        }
    };
    let new = match promoted {
        Some(known) => SigningKey { state, ..known.clone() },
        None => seal(op, &generate(op, algorithm)?, state)?,
    };
    write(op, &new)?;
    audit(op, "key.rotate", actor, &new.kid);
    Ok(Ok(new))
}

/// Makes the first key; does nothing if there is one that signs or will.
///
/// # Errors
/// [`Refusal::NoEntropy`].
pub(crate) fn bootstrap_key(op: &Op<'_>, actor: &dyn Display) -> Result<(), Stop> {
    guard(op)?;
    let known = keys(op)?;
    if known.iter().any(|key| is_needed(op, key)) {
        return Ok(());
    }
    // Keys that were imported before stay, and this one is of their kind.
    let algorithm = known.first().map_or(op.settings.signing_algorithm, |key| key.algorithm);
    let rotation = Rotation { algorithm: Some(algorithm), at_once: true, ..Rotation::default() };
    rotate_key(op, actor, rotation)?.map(drop).map_err(|_| Refusal::NoSigningKey.into())
}

/// Why a key was not retired.
pub(crate) enum NotRetired {
    /// There is no such key.
    Unknown,
    /// The key signs, or will.
    Needed,
}

/// Removes a key that is not needed; its tokens end at once.
pub(crate) fn retire_key(op: &Op<'_>, actor: &dyn Display, kid: &str) -> Result<Result<(), NotRetired>, Stop> {
    let Some(known) = op.load::<SigningKey>(&key::signing_key(kid))? else { return Ok(Err(NotRetired::Unknown)) };
    if is_needed(op, &known) {
        return Ok(Err(NotRetired::Needed));
    }
    op.remove(key::signing_key(kid));
    audit(op, "key.retire", actor, &kid);
    Ok(Ok(()))
}

/// Whether a key signs, or will.
fn is_needed(op: &Op<'_>, key: &SigningKey) -> bool {
    key.state.signs_at(op.now()) || matches!(key.state, KeyState::Follows { .. })
}

/// Why keys were not imported.
pub(crate) enum NotImported {
    /// A key with this `kid` exists already.
    KidTaken(String),
    /// There would be more than [`MAX_KEYS`].
    TooMany,
    /// Shared secrets and public keys would be in use together.
    OtherKind,
    /// The key that is to sign has no private part.
    CannotSign,
    /// A key is published already and signs from this time on.
    Pending(UnixTime),
}

/// Takes keys in that were made elsewhere; with `sign`, the first of them signs as after a rotation.
pub(crate) fn import_keys(
    op: &Op<'_>,
    actor: &dyn Display,
    new: &[Key],
    sign: bool,
) -> Result<Result<(), NotImported>, Stop> {
    guard(op)?;
    let every = keys(op)?;
    let known = changing(op, new.len())?;
    if known.len() + new.len() > MAX_KEYS as usize {
        return Ok(Err(NotImported::TooMany));
    }
    if let Some(taken) = new.iter().find(|new| every.iter().any(|known| known.kid == new.kid())) {
        return Ok(Err(NotImported::KidTaken(taken.kid().into())));
    }
    let Some(first) = new.first() else { return Ok(Ok(())) };
    let kind = first.algorithm().is_symmetric();
    if is_other_kind(&known, first.algorithm()) || new.iter().any(|new| new.algorithm().is_symmetric() != kind) {
        return Ok(Err(NotImported::OtherKind));
    }
    let mut signs = None;
    if sign {
        if !first.can_sign() {
            return Ok(Err(NotImported::CannotSign));
        }
        match succeed(op, &known, first.algorithm(), false, None) {
            Ok(state) => signs = Some(state),
            Err(from) => return Ok(Err(NotImported::Pending(from))),
        }
    }
    for new in new {
        let record = seal(op, new, signs.take().unwrap_or(KeyState::Verifies { until: None }))?;
        write(op, &record)?;
        audit(op, "key.import", actor, &record.kid);
    }
    Ok(Ok(()))
}

fn is_other_kind(known: &[SigningKey], algorithm: Algorithm) -> bool {
    known.iter().any(|known| known.algorithm.is_symmetric() != algorithm.is_symmetric())
}

/// How often keys were added. To be called by whoever decides by them, before they are read: nobody else can add one from here on.
fn guard(op: &Op<'_>) -> Result<Count, Stop> {
    Ok(op.load(&key::key_changes())?.unwrap_or_default())
}

/// The keys whose last token has not expired, for whoever adds `more`: nobody else can meanwhile. The others are removed a day later, at
/// once only where there is no room for `more`: a clock that is ahead must not take a key with it.
fn changing(op: &Op<'_>, more: usize) -> Result<Vec<SigningKey>, Stop> {
    let Count(changes) = guard(op)?;
    op.store(key::key_changes(), &Count(changes.wrapping_add(1)));
    let stored = stored(op)?;
    let is_full = stored.len() + more > MAX_KEYS as usize;
    let (live, expired): (Vec<_>, Vec<_>) = stored.iter().partition(|key| !has_expired(op, key));
    for known in expired {
        let name = key::signing_key(&known.kid);
        if is_full {
            op.remove(name);
        } else if !is_gone(op, known, &stored) {
            op.store_until(name, known, Ended::until(op.now()));
        }
    }
    Ok(live.into_iter().cloned().collect())
}

fn has_expired(op: &Op<'_>, key: &SigningKey) -> bool {
    key.state.until().is_some_and(|until| until <= op.now())
}

/// Whether the last token of `key` had expired when one of the others was added.
fn is_gone(op: &Op<'_>, key: &SigningKey, others: &[SigningKey]) -> bool {
    let came_since = |until| others.iter().any(|other| until <= other.created && other.created <= op.now());
    has_expired(op, key) && key.state.until().is_some_and(came_since)
}

/// Retires the key that signs, and returns the state of its successor. A secret is known to nobody else, so that it signs at
/// once; a public key is published first, unless there is no key that could sign meanwhile. A key that waits to sign is removed,
/// unless it is the successor.
///
/// # Errors
/// The time from which another successor signs, for which this one would have to wait.
fn succeed(
    op: &Op<'_>,
    known: &[SigningKey],
    algorithm: Algorithm,
    at_once: bool,
    promoted: Option<&SigningKey>,
) -> Result<KeyState, UnixTime> {
    let now = op.now();
    let has_signer = known.iter().any(|key| key.state.signs_at(now));
    let lead = if algorithm.is_symmetric() || at_once || !has_signer { 0 } else { op.settings.gateway.key_lead };
    let from = now.plus_secs(lead.into());
    let pending = known.iter().find_map(|key| match key.state {
        KeyState::Follows { from } if now < from => Some((key, from)),
        _ => None,
    });
    match pending {
        Some((_, from)) if lead > 0 => return Err(from),
        // It has signed nothing yet.
        Some((key, _)) if promoted.is_none_or(|promoted| promoted.kid != key.kid) => {
            op.remove(key::signing_key(&key.kid));
        }
        _ => {}
    }
    for key in known {
        let state = match key.state {
            KeyState::Leaves { at, until } if at <= now => KeyState::Verifies { until: Some(until) },
            state if !state.signs_at(now) => continue,
            _ if lead > 0 => KeyState::Leaves { at: from, until: Ended::until(from) },
            _ => KeyState::Verifies { until: Some(Ended::until(now)) },
        };
        op.store(key::signing_key(&key.kid), &SigningKey { state, ..key.clone() });
    }
    Ok(if lead > 0 { KeyState::Follows { from } } else { KeyState::Signs })
}

/// A key of random octets under a random name.
fn generate(op: &Op<'_>, algorithm: Algorithm) -> Result<Key, Stop> {
    let mut random = Zeroizing::new([0; 64]);
    let (first, second) = random.split_at_mut(32);
    first.copy_from_slice(&*Zeroizing::new(op.moment.draw::<32>("key secret 1")?));
    second.copy_from_slice(&*Zeroizing::new(op.moment.draw::<32>("key secret 2")?));
    let kid = base64url::encode(&op.moment.draw::<12>("kid")?);
    Ok(Key::generate(&kid, algorithm, &random).map_err(|_| Refusal::NoEntropy)?)
}

fn seal(op: &Op<'_>, key: &Key, state: KeyState) -> Result<SigningKey, Stop> {
    let kid = key.kid();
    let nonce = op.moment.draw::<24>(&alloc::format!("seal {kid}"))?;
    let sealed = op.vault.seal(kid, key.octets(), nonce)?;
    Ok(SigningKey { kid: kid.into(), algorithm: key.algorithm(), state, created: op.now(), sealed })
}

fn write(op: &Op<'_>, record: &SigningKey) -> Result<(), Stop> {
    let key = key::signing_key(&record.kid);
    op.read(&key)?;
    op.put(key, record.encode(), None);
    Ok(())
}
