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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn check(password: &str, expected: bool) {
        assert_eq!(contains(&password.chars().collect::<Vec<_>>()), expected, "`{password}`");
    }

    #[test]
    fn the_list_is_as_the_search_needs_it() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.len() >= 3_000, "{} lines", lines.len());
        assert!(COMMON.len() < 80 * 1024 && COMMON.ends_with('\n'));
        assert!(lines.is_sorted_by(|one, next| one < next));
        for line in lines {
            assert!(line.len() >= 15 && line.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "`{line}`");
            assert_eq!(line, line.to_lowercase());
        }
    }

    #[test]
    fn every_line_is_found_and_nothing_else() {
        for line in COMMON.lines() {
            check(line, true);
            check(line.get(1..).unwrap(), COMMON.lines().any(|other| other == &line[1..]));
            check(&(alloc::string::String::from(line) + "\n"), false);
        }
        check("", false);
        check("\n", false);
        check("~~~~~~~~~~~~~~~~~~~~~", false);
        check("passwordpassword", true);
        check("passwordpassw\u{f6}rd", false);
    }
}
