//! From the text a person entered to the octets that are hashed.

use super::Refusal;
use alloc::{string::String, vec::Vec};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The octets to hash for `text`: its Unicode normalisation form C in UTF-8, the same when a password is set and when it is
/// tried (security P2). Nothing is cut, trimmed or folded. Cleared on drop.
///
/// # Errors
/// [`Refusal::Empty`] and, above 1024 octets after normalisation, [`Refusal::TooLarge`]. To a login both are wrong passwords
/// like any other, which cost one derivation (security P6).
pub fn prepare(text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut normal = normalise(text)?;
    Ok(Zeroizing::new(core::mem::take(&mut *normal).into_bytes()))
}

/// [`prepare`], still as text.
pub(super) fn normalise(text: &str) -> Result<Zeroizing<String>, Refusal> {
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    // Room for all of it from the start: growing would leave uncleared copies behind.
    let mut normal = Zeroizing::new(String::with_capacity(MAX_OCTETS));
    for c in text.nfc() {
        if normal.len() + c.len_utf8() > MAX_OCTETS {
            return Err(Refusal::TooLarge { max: MAX_OCTETS_U16 });
        }
        normal.push(c);
    }
    Ok(normal)
}

const MAX_OCTETS_U16: u16 = 1024;
const MAX_OCTETS: usize = MAX_OCTETS_U16 as usize;
