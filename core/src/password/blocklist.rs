//! The most common passwords that are long enough for the `nist` policy.
//!
//! Each is stored as the first four octets of its SHA-256, which take a third of the room that the texts would on their way to a browser.
//! One other password in a million is mistaken for one of them.

use alloc::string::String;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Whether `folded`, a password in lower case, is on the list.
pub(super) fn contains(folded: &[char]) -> bool {
    let text: Zeroizing<String> = Zeroizing::new(folded.iter().collect());
    let digest = Sha256::digest(text.as_str());
    let (first, rest) = digest.split_at(1);
    let (counts, digests) = COMMON.split_at(256);
    let (before, from) = counts.split_at(first[0].into());
    let start = before.iter().map(|count| usize::from(*count)).sum();
    let count = from.first().map_or(0, |count| usize::from(*count));
    digests.chunks_exact(3).skip(start).take(count).any(|digest| rest.starts_with(digest))
}

/// How many digests begin with each octet, and the three octets that follow it in each, in order; see `core/data/SOURCE.md`.
const COMMON: &[u8] = include_bytes!("../../data/common_passwords.bin");

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
        let mut digests: Vec<_> = lines.iter().map(Sha256::digest).collect();
        digests.sort_unstable();
        let counts = (0..=u8::MAX).map(|first| digests.iter().filter(|digest| digest[0] == first).count());
        let mut table: Vec<u8> = counts.map(|count| u8::try_from(count).unwrap()).collect();
        table.extend(digests.iter().flat_map(|digest| &digest[1..4]));
        assert!(table == COMMON, "common_passwords.bin is not that of common_passwords.txt");
        assert!(lines.is_sorted_by(|one, next| one < next));
        for line in lines {
            assert!(line.len() >= 15 && line.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "`{line}`");
            assert_eq!(line, line.to_lowercase());
        }
    }

    #[test]
    fn every_line_is_found_and_nothing_else() {
        for line in LIST.lines() {
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
