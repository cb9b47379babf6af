//! Lower case. The table of the standard library, packed as those of normalisation are, is a fifth of what it is there. The tests hold
//! it to the library.

use super::nfc::{char_at, entry, rows};
use alloc::vec::Vec;
use core::iter;

/// Characters beyond ASCII that lower case changes, and the one (then the second is 0) or two that they become; in order.
const LOWER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lower"));

/// Turns characters into lower case.
pub(super) struct Lower(Vec<[u32; 3]>);

impl Lower {
    /// For the characters of `text`, however they are normalised.
    pub(super) fn of(text: &str) -> Self {
        Self(if text.is_ascii() { Vec::new() } else { rows(LOWER) })
    }

    /// What `c` becomes.
    pub(super) fn case(&self, c: char) -> impl Iterator<Item = char> + use<> {
        let (one, other) = match entry(&self.0, c) {
            Some(&[_, one, other]) => (char_at(one), Some(other).filter(|code| *code != 0).map(char_at)),
            None => (c.to_ascii_lowercase(), None),
        };
        iter::once(one).chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_library() {
        let (none, all) = (Lower::of("ascii"), Lower::of("\u{e4}"));
        for c in char::MIN..=char::MAX {
            assert!(all.case(c).eq(c.to_lowercase()), "{c:?}");
            assert!(!c.is_ascii() || none.case(c).eq(c.to_lowercase()), "{c:?}");
        }
    }
}
