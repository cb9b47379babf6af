//! The most common passwords that are long enough for the `nist` policy.

use core::cmp::Ordering;

/// Whether `folded`, a password in lower case, is on the list. A binary search in the text of the list; allocates nothing.
pub(super) fn contains(folded: &[char]) -> bool {
    let mut rest = COMMON.as_bytes();
    while !rest.is_empty() {
        let (before, line, after) = middle_line(rest);
        match line.iter().map(|octet| char::from(*octet)).cmp(folded.iter().copied()) {
            Ordering::Less => rest = after,
            Ordering::Equal => return true,
            Ordering::Greater => rest = before,
        }
    }
    false
}

/// The line in the middle of `lines`, and what stands before and after it.
fn middle_line(lines: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (low, high) = lines.split_at(lines.len() / 2);
    let start = low.iter().rposition(|octet| *octet == b'\n').map_or(0, |newline| newline + 1);
    let end = low.len() + high.iter().position(|octet| *octet == b'\n').unwrap_or(high.len());
    let (before, rest) = lines.split_at(start);
    let (line, after) = rest.split_at(end - start);
    (before, line, after.get(1..).unwrap_or_default())
}

/// One a line, ASCII, in lower case, in octet order; see `core/data/SOURCE.md`.
const COMMON: &str = include_str!("../../data/common_passwords.txt");
