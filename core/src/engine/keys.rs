//! Signing keys: the first one, rotation, retirement, import.

use super::audit;
use crate::{
    record::{KeyState, SigningKey, Stored, key},
    refusal::Refusal,
    seam::{Op, Range, Stop},
    time::UnixTime,
    token::{Algorithm, Key},
};
use alloc::{string::String, vec::Vec};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use core::fmt::Display;
use zeroize::Zeroizing;

/// How many keys a server may hold at once.
pub(crate) const MAX_KEYS: u32 = 64;

/// All signing keys, each read as a condition of the commit.
pub(crate) fn keys(op: &Op<'_>) -> Result<Vec<SigningKey>, Stop> {
    let range = Range { prefix: key::SIGNING_KEYS.into(), after: String::new(), limit: MAX_KEYS };
    let listed = op.range(&range)?;
    op.want(listed.iter().map(|(key, _)| key));
    let mut keys = Vec::new();
    for (key, _) in listed {
        keys.extend(op.load::<SigningKey>(key)?);
    }
    Ok(keys)
}

/// Makes a key that signs from now on. The one that signed before verifies until the last token it signed has expired
/// (security T18); within this server the new key is known to every verifier before it signs its first token, as both happen
/// in one commit.
///
/// # Errors
/// [`Refusal::NoEntropy`]; [`Refusal::TooManyKeys`] when there are [`MAX_KEYS`] that still verify.
pub(crate) fn rotate_key(op: &Op<'_>, actor: &dyn Display, algorithm: Algorithm) -> Result<SigningKey, Stop> {
    if drop_expired(op)? >= MAX_KEYS as usize {
        return Err(Refusal::TooManyKeys.into());
    }
    let new = seal(op, &generate(op, algorithm)?, KeyState::Signs)?;
    retire_signer(op)?;
    write(op, &new)?;
    audit(op, "key.rotate", actor, &new.kid, None);
    Ok(new)
}

/// Makes the first key; does nothing if there is one.
///
/// # Errors
/// [`Refusal::NoEntropy`].
pub(crate) fn bootstrap_key(op: &Op<'_>, actor: &dyn Display) -> Result<(), Stop> {
    if keys(op)?.iter().all(|key| key.state != KeyState::Signs) {
        rotate_key(op, actor, Algorithm::Hs256)?;
    }
    Ok(())
}

/// Removes a key; its tokens end at once. `false` if there is no such key or it is the one that signs.
pub(crate) fn retire_key(op: &Op<'_>, actor: &dyn Display, kid: &str) -> Result<bool, Stop> {
    let known = op.load::<SigningKey>(&key::signing_key(kid))?;
    if known.is_none_or(|key| key.state == KeyState::Signs) {
        return Ok(false);
    }
    op.remove(key::signing_key(kid));
    audit(op, "key.retire", actor, &kid, None);
    Ok(true)
}

/// How an import went.
pub(crate) enum Imported {
    /// The keys are in.
    Done,
    /// A key with this `kid` exists already.
    KidTaken(String),
    /// There would be more than [`MAX_KEYS`].
    TooMany,
}

/// Takes keys in that were made elsewhere; with `sign`, the first of them signs from now on.
pub(crate) fn import_keys(op: &Op<'_>, actor: &dyn Display, new: &[Key], sign: bool) -> Result<Imported, Stop> {
    let known = keys(op)?;
    if drop_expired(op)? + new.len() > MAX_KEYS as usize {
        return Ok(Imported::TooMany);
    }
    if let Some(taken) = new.iter().find(|new| known.iter().any(|known| known.kid == new.kid())) {
        return Ok(Imported::KidTaken(taken.kid().into()));
    }
    if sign {
        retire_signer(op)?;
    }
    for (index, new) in new.iter().enumerate() {
        let state = if sign && index == 0 { KeyState::Signs } else { KeyState::Verifies { until: None } };
        let record = seal(op, new, state)?;
        write(op, &record)?;
        audit(op, "key.import", actor, &record.kid, None);
    }
    Ok(Imported::Done)
}

/// Removes keys whose last token has expired; returns how many are left.
fn drop_expired(op: &Op<'_>) -> Result<usize, Stop> {
    let keys = keys(op)?;
    let (mut expired, known) = (0, keys.len());
    for key in keys {
        if matches!(key.state, KeyState::Verifies { until: Some(until) } if until <= op.now()) {
            op.remove(key::signing_key(&key.kid));
            expired += 1;
        }
    }
    Ok(known - expired)
}

/// The key that signs only verifies from now on, until the longest-lived token it may have signed has expired.
fn retire_signer(op: &Op<'_>) -> Result<(), Stop> {
    for mut signer in keys(op)? {
        if signer.state == KeyState::Signs {
            signer.state = KeyState::Verifies { until: Some(last_expiry(op)) };
            op.store(key::signing_key(&signer.kid), &signer);
        }
    }
    Ok(())
}

/// When the last token expires that could be issued now, leeway included.
pub(crate) fn last_expiry(op: &Op<'_>) -> UnixTime {
    let settings = op.settings;
    let longest = u64::from(settings.redis.ttl.max().max(settings.elasticsearch.token_timeout));
    op.now().plus_secs(longest + u64::from(settings.leeway) + 1)
}

/// A key of random octets under a random name.
fn generate(op: &Op<'_>, algorithm: Algorithm) -> Result<Key, Stop> {
    let mut random = Zeroizing::new([0; 64]);
    let (first, second) = random.split_at_mut(32);
    first.copy_from_slice(&*Zeroizing::new(op.moment.draw::<32>("key secret 1")?));
    second.copy_from_slice(&*Zeroizing::new(op.moment.draw::<32>("key secret 2")?));
    let kid = URL_SAFE_NO_PAD.encode(op.moment.draw::<12>("kid")?);
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
