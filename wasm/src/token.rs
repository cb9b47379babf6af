//! Tokens for JavaScript: one set of keys and one profile per instance.

use crate::{
    border::{Alone, BUFFER, Expected, Rest, put, refused, text},
    heap,
    millis::time,
};
use core::{cell::RefCell, panic::PanicInfo};
use waxseal_core::{
    time::UnixTime,
    token::{Algorithm, Key, KeyError, KeyRole, KeySet, MAX_TOKEN},
};

extern crate alloc;
use alloc::vec::Vec;

/// No keys have been taken, or none that signs.
const NOT_LOADED: &str = "no_signing_key";

static LOADED: Alone<Option<Loaded>> = Alone(RefCell::new(None));

struct Loaded {
    keys: KeySet,
    expected: Expected,
}

/// Takes profile and keys, once, from the first `len` octets: what [`Rest::expected`] reads, how many keys and each of them (role,
/// `kid`, algorithm, whether its secret is base64url text, secret), how many names of unusable ones and those. 0, or as [`refused`]
/// for the code of a [`KeyError`].
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn load(len: usize) -> i32 {
    let buffer = &mut *BUFFER.0.borrow_mut();
    let read = read(buffer.get(..len).unwrap_or_default());
    // It holds secrets.
    buffer.fill(0);
    let end = match read {
        Ok(read) => {
            *LOADED.0.borrow_mut() = Some(read);
            0
        }
        Err(error) => refused(buffer, error.code()),
    };
    heap::keep();
    end
}

fn read(bytes: &[u8]) -> Result<Loaded, KeyError> {
    let mut rest = Rest(bytes);
    let expected = rest.expected()?;
    let (mut keys, mut unusable) = (Vec::new(), Vec::new());
    for _ in 0..rest.number()? {
        let role = if rest.number()? == 0 { KeyRole::Sign } else { KeyRole::Verify };
        let (kid, algorithm, is_text) = (rest.text()?, rest.number()?, rest.number()? != 0);
        let algorithm = *Algorithm::ALL.get(algorithm).ok_or(KeyError::BadBytes)?;
        let key = if is_text {
            Key::from_k(kid, algorithm, rest.text()?)
        } else if kid.is_empty() {
            Key::nameless(algorithm, rest.octets()?)
        } else {
            Key::new(kid, algorithm, rest.octets()?)
        };
        keys.push((key?, role));
    }
    for _ in 0..rest.number()? {
        unusable.push(rest.text()?.into());
    }
    Ok(Loaded { keys: KeySet::with_unusable(keys, unusable)?, expected })
}

/// Decides the token in the first `len` octets. The length of its claims, which are then in the buffer as they were signed; or as
/// [`refused`].
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn verify(len: usize, now_millis: f64) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), LOADED.0.borrow());
    let Some(Loaded { keys, expected }) = loaded.as_ref() else { return refused(buffer, NOT_LOADED) };
    let token = text(buffer, len).unwrap_or_default();
    match keys.verify(token, &expected.profile(), time(now_millis)) {
        Ok(verified) => put(buffer, verified.claims_json().as_bytes()),
        Err(refusal) => refused(buffer, refusal.code()),
    }
}

/// Signs the claims in the first `len` octets. The length of the token, which is then in the buffer; or as [`refused`], also for a
/// token that every verifier would refuse as too long.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn sign(len: usize) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), LOADED.0.borrow());
    let signed = loaded
        .as_ref()
        .zip(text(buffer, len))
        .map(|(Loaded { keys, expected }, claims)| keys.sign(&expected.typ, claims, UnixTime::default()));
    match signed {
        Some(Ok(token)) if token.len() <= MAX_TOKEN => put(buffer, token.as_bytes()),
        Some(Ok(_)) => refused(buffer, "too_long"),
        _ => refused(buffer, NOT_LOADED),
    }
}

/// Whatever went wrong, the instance stops here and is thrown away.
#[panic_handler]
fn stop(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
