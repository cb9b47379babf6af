//! Tokens for JavaScript: one set of keys and one profile per instance. Numbers cross the border; texts lie in one buffer, where a
//! result takes the place of the question.

use crate::heap;
use core::{cell::RefCell, panic::PanicInfo};
use waxseal_core::{
    time::UnixTime,
    token::{Algorithm, Key, KeyError, KeySet, MAX_TOKEN, Profile, Refusal, Role},
};

extern crate alloc;
use alloc::{string::String, vec::Vec};

/// What the buffer holds, four times what a token may have, so that text of as many UTF-16 units always fits: a token of [`MAX_TOKEN`] octets, or the claims of a new one, or the keys.
const ROOM: usize = 4 * MAX_TOKEN;

/// No keys have been taken, or none that signs.
const NOT_LOADED: i32 = -1000;

// Apart from each other, as zeros alone take no room in the module.
static BUFFER: Alone<[u8; ROOM]> = Alone(RefCell::new([0; ROOM]));
static LOADED: Alone<Option<Loaded>> = Alone(RefCell::new(None));

struct Loaded {
    keys: KeySet,
    issuer: String,
    audience: Option<String>,
    leeway: u32,
    typ: String,
}

/// What one thread shares with itself.
struct Alone<T>(RefCell<T>);

// SAFETY: the module is built without the `atomics` feature, so its instance has one thread.
#[expect(unsafe_code, reason = "a static needs it; there is one thread")]
unsafe impl<T> Sync for Alone<T> {}

/// Where the buffer is.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn buffer() -> *mut u8 {
    BUFFER.0.borrow_mut().as_mut_ptr()
}

/// How many octets the buffer holds.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn room() -> usize {
    ROOM
}

/// Takes keys and profile, once, from the first `len` octets: issuer, `typ`, leeway, whether there is an audience and which, how
/// many keys and each of them (role, `kid`, algorithm, whether its secret is base64url text, secret), how many names of unusable ones
/// and these; see [`Rest`]. 0, or the length of the code of a [`KeyError`], which is then in the buffer.
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
        Err(error) => put(buffer, error.code().as_bytes()),
    };
    heap::keep();
    end
}

fn read(bytes: &[u8]) -> Result<Loaded, KeyError> {
    let mut rest = Rest(bytes);
    let (issuer, typ, leeway) = (rest.text()?.into(), rest.text()?.into(), rest.number()?);
    let audience = if rest.number()? == 0 { None } else { Some(rest.text()?.into()) };
    let (mut keys, mut unusable) = (Vec::new(), Vec::new());
    for _ in 0..rest.number()? {
        let role = if rest.number()? == 0 { Role::Sign } else { Role::Verify };
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
    let leeway = u32::try_from(leeway).map_err(|_| KeyError::BadBytes)?;
    Ok(Loaded { keys: KeySet::with_unusable(keys, unusable)?, issuer, audience, leeway, typ })
}

/// What has not been read yet. Numbers have two octets, the lower first; texts and octets come behind their length.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn number(&mut self) -> Result<usize, KeyError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(KeyError::BadBytes)?;
        self.0 = rest;
        Ok(u16::from_le_bytes(*number).into())
    }

    fn octets(&mut self) -> Result<&'b [u8], KeyError> {
        let (octets, rest) = self.number().and_then(|length| self.0.split_at_checked(length).ok_or(KeyError::BadBytes))?;
        self.0 = rest;
        Ok(octets)
    }

    fn text(&mut self) -> Result<&'b str, KeyError> {
        str::from_utf8(self.octets()?).map_err(|_| KeyError::BadBytes)
    }
}

/// Decides the token in the first `len` octets. The length of its claims, which are then in the buffer as they were signed; or
/// a negative number: [`NOT_LOADED`], or -1 minus the place of the reason in [`Refusal::ALL`].
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn verify(len: usize, now_millis: f64) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), LOADED.0.borrow());
    let Some(Loaded { keys, issuer, audience, leeway, typ }) = loaded.as_ref() else { return NOT_LOADED };
    let Some(token) = buffer.get(..len).and_then(|octets| str::from_utf8(octets).ok()) else {
        return refused(Refusal::Malformed);
    };
    let profile = Profile { issuer, audience: audience.as_deref(), leeway: *leeway, typ };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, NaN becomes 0")]
    let now = UnixTime::from_millis(now_millis as u64);
    match keys.verify(token, &profile, now) {
        Ok(verified) => put(buffer, verified.claims_json().as_bytes()),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> i32 {
    -1 - i32::try_from(refusal.place()).unwrap_or_default()
}

/// Signs the claims in the first `len` octets. The length of the token, which is then in the buffer; or a negative number:
/// [`NOT_LOADED`], or as [`verify`] for a token that every verifier would refuse as too long.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn sign(len: usize) -> i32 {
    let (buffer, loaded) = (&mut *BUFFER.0.borrow_mut(), LOADED.0.borrow());
    let claims = buffer.get(..len).and_then(|octets| str::from_utf8(octets).ok());
    let (Some(Loaded { keys, typ, .. }), Some(claims)) = (loaded.as_ref(), claims) else { return NOT_LOADED };
    match keys.sign(typ, claims, UnixTime::default()) {
        Ok(token) if token.len() <= MAX_TOKEN => put(buffer, token.as_bytes()),
        Ok(_) => refused(Refusal::TooLong),
        Err(_) => NOT_LOADED,
    }
}

/// Puts the code of the reason at `place` of [`Refusal::ALL`] into the buffer; its length, or a negative number behind the last.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn reason(place: usize) -> i32 {
    Refusal::ALL.get(place).map_or(-1, |refusal| put(&mut *BUFFER.0.borrow_mut(), refusal.code().as_bytes()))
}

/// The length of `octets`, which are then at the start of the buffer.
fn put(buffer: &mut [u8], octets: &[u8]) -> i32 {
    let Some(to) = buffer.get_mut(..octets.len()) else { return refused(Refusal::TooLong) };
    to.copy_from_slice(octets);
    i32::try_from(octets.len()).unwrap_or_default()
}

/// Whatever went wrong, the instance stops here and is thrown away.
#[panic_handler]
fn stop(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
