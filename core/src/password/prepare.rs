//! From the text a person entered to the octets that are hashed.

use super::{Refusal, nfc};
use alloc::{string::String, vec::Vec};
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
    nfc::each(text, &mut |c| {
        if normal.len() + c.len_utf8() > MAX_OCTETS {
            return Err(Refusal::TooLarge { max: MAX_OCTETS_U16 });
        }
        normal.push(c);
        Ok(())
    })?;
    Ok(normal)
}

const MAX_OCTETS_U16: u16 = 1024;
const MAX_OCTETS: usize = MAX_OCTETS_U16 as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        assert_eq!(
            prepare(text).map(|octets| octets.to_vec()).map_err(Refusal::code),
            expected.map(|s| s.as_bytes().to_vec())
        );
    }

    #[test]
    fn composed_and_decomposed_text_are_one_password() {
        check("caf\u{e9}", Ok("caf\u{e9}"));
        check("cafe\u{301}", Ok("caf\u{e9}"));
        check("\u{212b}", Ok("\u{c5}"));
        check("\u{1112}\u{1161}\u{11ab}", Ok("\u{d55c}"));
    }

    #[test]
    fn nothing_is_cut_trimmed_or_folded() {
        for text in [" ", " a ", "A", "\u{fb01}", "\u{ff21}", "\u{a0}", "\t", "a\0b", "\u{df}"] {
            check(text, Ok(text));
        }
        let long = "x".repeat(72);
        assert_ne!(prepare(&(long.clone() + "a")), prepare(&(long + "b")));
    }

    #[test]
    fn size_is_bounded_after_normalisation() {
        check("", Err("password_empty"));
        check(&"x".repeat(1024), Ok(&"x".repeat(1024)));
        check(&"x".repeat(1025), Err("password_too_large"));
        // 512 pairs of three octets become 512 characters of two.
        check(&"e\u{301}".repeat(512), Ok(&"\u{e9}".repeat(512)));
        check(&"e\u{301}".repeat(513), Err("password_too_large"));
        // Three octets become six.
        check(&"\u{958}".repeat(171), Err("password_too_large"));
    }

    #[test]
    fn the_octets_never_move() {
        assert_eq!(normalise(&"\u{e9}".repeat(512)).unwrap().capacity(), MAX_OCTETS);
    }
}
