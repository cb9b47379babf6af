//! Tokens for JavaScript, checked with public keys and a revocation snapshot (security E3): one verifier per instance.

use crate::{
    border::{Alone, BUFFER, Expected, Rest, put, refused, text},
    millis::time,
};
use core::cell::RefCell;
use waxseal_core::token::{Algorithm, EdgeVerifier, KeyError, KeySet, Snapshot, Stale};

/// No keys have been taken.
const NOT_LOADED: &str = "no_keys";

static LOADED: Alone<Option<Loaded>> = Alone(RefCell::new(None));

struct Loaded {
    verifier: EdgeVerifier,
    expected: Expected,
}

/// Takes profile and keys from the first `len` octets: what [`Rest::expected`] reads; whether tokens are refused without a snapshot that
/// is young enough; whether the octets of [`keys`] follow. If not, there follow the number of algorithms that no key may be for, these,
/// and a JWK set as text. When it is called again, the keys replace the previous ones and the snapshot stays. 0, or as [`refused`] for
/// the code of a [`KeyError`], and then nothing has changed.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn load(len: usize) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), &mut *LOADED.0.borrow_mut());
    match read(buffer.get(..len).unwrap_or_default(), loaded) {
        Ok(()) => 0,
        Err(error) => refused(buffer, error.code()),
    }
}

fn read(bytes: &[u8], loaded: &mut Option<Loaded>) -> Result<(), KeyError> {
    let mut rest = Rest(bytes);
    let expected = rest.expected()?;
    let stale = if rest.number()? == 0 { Stale::Accept } else { Stale::Refuse };
    let mut gone = Vec::new();
    let keys = if rest.number()? == 0 {
        let algorithm = |place: usize| Algorithm::ALL.get(place).copied().ok_or(KeyError::BadBytes);
        let unwanted: Vec<_> = (0..rest.number()?).map(|_| algorithm(rest.number()?)).collect::<Result<_, _>>()?;
        let set = str::from_utf8(rest.0).map_err(|_| KeyError::BadBytes)?;
        KeySet::from_jwks(set)?.without(&unwanted)
    } else {
        while let kid @ [_, ..] = rest.octets()? {
            gone.push(str::from_utf8(kid).map_err(|_| KeyError::BadBytes)?.into());
        }
        KeySet::from_bytes(rest.0)?.keyed()
    };
    let verifier = match loaded {
        Some(Loaded { verifier, .. }) => {
            verifier.set_keys(keys)?;
            verifier
        }
        None => &mut loaded.insert(Loaded { verifier: EdgeVerifier::new(keys, stale)?, expected }).verifier,
    };
    verifier.drop_for_good(gone);
    Ok(())
}

/// Takes the revocation snapshot in the first `len` octets. 0, or as [`refused`].
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn take(len: usize, now_millis: f64) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), &mut *LOADED.0.borrow_mut());
    let Some(Loaded { verifier, expected }) = loaded else { return refused(buffer, NOT_LOADED) };
    let snapshot = text(buffer, len).unwrap_or_default();
    match verifier.take(snapshot, &expected.issuer, expected.leeway, time(now_millis)) {
        Ok(()) => 0,
        Err(error) => refused(buffer, error.code()),
    }
}

/// Decides the token in the first `len` octets. The length of its claims, which are then in the buffer as they were signed; or as
/// [`refused`].
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn verify(len: usize, now_millis: f64) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), LOADED.0.borrow());
    let Some(Loaded { verifier, expected }) = loaded.as_ref() else { return refused(buffer, NOT_LOADED) };
    let token = text(buffer, len).unwrap_or_default();
    match verifier.verify(token, &expected.profile(), time(now_millis)) {
        Ok(verified) => put(buffer, verified.claims_json().as_bytes()),
        Err(refusal) => refused(buffer, refusal.code()),
    }
}

/// Puts the names of keys that are gone for good and the keys that are left into the buffer, for [`load`] in another instance; their
/// length.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn keys() -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), LOADED.0.borrow());
    let Some(Loaded { verifier, .. }) = loaded.as_ref() else { return refused(buffer, NOT_LOADED) };
    let mut told = Vec::new();
    // An empty name ends them.
    for kid in verifier.dropped().iter().map(String::as_str).chain([""]) {
        told.extend_from_slice(&u16::try_from(kid.len()).unwrap_or_default().to_le_bytes());
        told.extend_from_slice(kid.as_bytes());
    }
    told.extend_from_slice(&verifier.keys().to_bytes());
    put(buffer, &told)
}

/// The number of the snapshot that is held, or -1.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn number() -> f64 {
    of_held(Snapshot::number)
}

/// The time at which the snapshot that is held becomes too old, in milliseconds since the epoch; or -1.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn expires() -> f64 {
    of_held(|held| held.expires().as_millis())
}

#[expect(clippy::cast_precision_loss, reason = "both are below 2^53, or times that nobody sees")]
fn of_held(what: impl Fn(&Snapshot) -> u64) -> f64 {
    let loaded = LOADED.0.borrow();
    loaded.as_ref().and_then(|loaded| loaded.verifier.held()).map_or(-1.0, |held| what(held) as f64)
}
