//! What the modules for tokens have in common: a buffer for texts, where a result takes the place of the question, and what a verifier
//! is told before its first token.

use core::cell::RefCell;
use waxseal_core::token::{KeyError, Profile};

extern crate alloc;
use alloc::string::String;

/// What the buffer holds: four times what a token may have, so that text of as many UTF-16 units always fits.
#[cfg(not(feature = "edge"))]
const ROOM: usize = 4 * waxseal_core::token::MAX_TOKEN;
/// What the buffer holds: a snapshot. What does not fit is too long for one.
#[cfg(feature = "edge")]
const ROOM: usize = waxseal_core::token::MAX_SNAPSHOT;

/// Apart from all else, as zeros alone take no room in the module.
pub(crate) static BUFFER: Alone<[u8; ROOM]> = Alone(RefCell::new([0; ROOM]));

/// What one thread shares with itself.
pub(crate) struct Alone<T>(pub(crate) RefCell<T>);

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

/// The length of `octets`, which are then at the start of the buffer. It holds every result; otherwise the instance stops.
pub(crate) fn put(buffer: &mut [u8], octets: &[u8]) -> i32 {
    let Some(to) = buffer.get_mut(..octets.len()) else { core::arch::wasm32::unreachable() };
    to.copy_from_slice(octets);
    i32::try_from(octets.len()).unwrap_or_default()
}

/// A negative number for a refusal: -1 minus the length of its code, which is then in the buffer.
pub(crate) fn refused(buffer: &mut [u8], code: &str) -> i32 {
    -1 - put(buffer, code.as_bytes())
}

/// The text in the first `len` octets.
pub(crate) fn text(buffer: &[u8], len: usize) -> Option<&str> {
    buffer.get(..len).and_then(|octets| str::from_utf8(octets).ok())
}

/// What a verifier expects of tokens.
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) typ: String,
    pub(crate) leeway: u32,
    audience: Option<String>,
}

impl Expected {
    pub(crate) fn profile(&self) -> Profile<'_> {
        let Self { issuer, typ, leeway, audience } = self;
        Profile { issuer, audience: audience.as_deref(), leeway: *leeway, typ }
    }
}

/// What has not been read yet of a statement. Numbers have two octets, the lower first; texts and octets come behind their length.
pub(crate) struct Rest<'b>(pub(crate) &'b [u8]);

impl<'b> Rest<'b> {
    pub(crate) fn number(&mut self) -> Result<usize, KeyError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(KeyError::BadBytes)?;
        self.0 = rest;
        Ok(u16::from_le_bytes(*number).into())
    }

    pub(crate) fn octets(&mut self) -> Result<&'b [u8], KeyError> {
        let (octets, rest) = self.number().and_then(|length| self.0.split_at_checked(length).ok_or(KeyError::BadBytes))?;
        self.0 = rest;
        Ok(octets)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, KeyError> {
        str::from_utf8(self.octets()?).map_err(|_| KeyError::BadBytes)
    }

    /// Issuer, `typ`, leeway, whether there is an audience and which: what every statement begins with.
    pub(crate) fn expected(&mut self) -> Result<Expected, KeyError> {
        let (issuer, typ, leeway) = (self.text()?.into(), self.text()?.into(), self.number()?);
        let audience = if self.number()? == 0 { None } else { Some(self.text()?.into()) };
        let leeway = u32::try_from(leeway).map_err(|_| KeyError::BadBytes)?;
        Ok(Expected { issuer, typ, leeway, audience })
    }
}
