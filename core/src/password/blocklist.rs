//! The most common passwords that are long enough for the `nist` policy.
//!
//! Each is known by the first four octets of its SHA-256, which take less than a third of the room that the texts would on their way to a
//! browser. One other password in a million is mistaken for one of them.

use alloc::string::String;
use core::iter;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Whether `folded`, a password in lower case, is on the list.
pub(super) fn contains(folded: &[char]) -> bool {
    let text: Zeroizing<String> = Zeroizing::new(folded.iter().collect());
    let digest = Sha256::digest(text.as_str());
    starts().any(|start| digest.starts_with(&start.to_be_bytes()))
}

/// The starts of the digests, in order: of each the difference from the one before, as a Rice code.
fn starts() -> impl Iterator<Item = u32> {
    let mut bits = COMMON.iter().flat_map(|octet| (0..8).rev().map(move |place| octet >> place & 1));
    let mut start = 0;
    iter::from_fn(move || {
        // The ones that fill the last octet are followed by nothing.
        let mut difference: u32 = bits.by_ref().take_while(|bit| *bit == 1).map(u32::from).sum();
        for _ in 0..REMAINDER {
            difference = difference << 1 | u32::from(bits.next()?);
        }
        start += difference;
        Some(start)
    })
}

/// What [`starts`] reads; see `core/data/SOURCE.md`.
const COMMON: &[u8] = include_bytes!("../../data/common_passwords.bin");

/// Bits of a difference that are written as they are. The others are so many ones as they say, and a zero.
const REMAINDER: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// One a line, ASCII, in lower case, in octet order.
    const LIST: &str = include_str!("../../data/common_passwords.txt");

    fn check(password: &str, expected: bool) {
        assert_eq!(contains(&password.chars().collect::<Vec<_>>()), expected, "`{password}`");
    }

    #[test]
    fn the_list_is_long_and_in_lower_case() {
        let lines: Vec<_> = LIST.lines().collect();
        assert!(lines.len() >= 3_000, "{} lines", lines.len());
        let start = |line| Sha256::digest(line).first_chunk().copied().map(u32::from_be_bytes).unwrap();
        let mut digests: Vec<u32> = lines.iter().map(start).collect();
        digests.sort_unstable();
        let (mut bits, mut last) = (Vec::new(), 0);
        for digest in digests {
            let difference = digest - last;
            bits.extend((0..difference >> REMAINDER).map(|_| 1));
            bits.push(0);
            bits.extend((0..REMAINDER).rev().map(|place| difference >> place & 1));
            last = digest;
        }
        bits.resize(bits.len().next_multiple_of(8), 1);
        let octets = bits.chunks(8).map(|bits| bits.iter().fold(0, |octet, bit| octet << 1 | bit));
        let table: Vec<u8> = octets.map(|octet| u8::try_from(octet).unwrap()).collect();
        assert!(table == COMMON, "common_passwords.bin is not that of common_passwords.txt");
        assert!(lines.is_sorted_by(|one, next| one < next));
        for line in lines {
            assert!(line.len() >= 15 && line.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "`{line}`");
            assert_eq!(line, line.to_lowercase());
        }
    }

    #[test]
    fn every_line_is_found_and_nothing_else() {
        // All that is looked through; a look costs some milliseconds without optimisation.
        assert_eq!(starts().count(), LIST.lines().count());
        let (first, last) = (LIST.lines().take(20), LIST.lines().rev().take(20));
        for line in first.chain(last).chain(LIST.lines().step_by(50)) {
            check(line, true);
            check(line.get(1..).unwrap(), LIST.lines().any(|other| other == &line[1..]));
            check(&(String::from(line) + "\n"), false);
        }
        check("", false);
        check("\n", false);
        check("~~~~~~~~~~~~~~~~~~~~~", false);
        check("passwordpassword", true);
        check("passwordpassw\u{f6}rd", false);
    }
}
