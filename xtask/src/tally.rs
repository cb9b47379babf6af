//! Counting what test binaries report.

use std::ops::AddAssign;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// The counts of one line of output, if it has any.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        Self::of_libtest(line).or_else(|| Self::of_node(line))
    }

    /// One of the lines with which node's runner ends: `# pass 3`, `# fail 0`, …
    fn of_node(line: &str) -> Option<Self> {
        let (what, count) = line.strip_prefix("# ")?.split_once(' ')?;
        let count = count.parse().ok()?;
        Some(match what {
            "pass" => Self { passed: count, ..Self::default() },
            "fail" | "cancelled" => Self { failed: count, ..Self::default() },
            "skipped" | "todo" => Self { skipped: count, ..Self::default() },
            _ => return None,
        })
    }

    /// A binary's last line: `test result: ok. 3 passed; 0 failed; …`.
    fn of_libtest(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?;
        let count = |what: &str| {
            let part = counts.split(['.', ';']).find_map(|part| part.trim().strip_suffix(what))?;
            part.trim().parse().ok()
        };
        Some(Self { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

/// `3 passed, 0 failed`
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(u64, u64, u64)>) {
        let got = Tally::of_line(line).map(|tally| (tally.passed, tally.failed, tally.skipped));
        assert_eq!(got, expected);
    }

    #[test]
    fn last_lines_are_counted() {
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
            Some((12, 0, 1)),
        );
        check("test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", Some((7, 2, 0)));
    }

    #[test]
    fn nodes_last_lines_are_counted() {
        check("# pass 16", Some((16, 0, 0)));
        check("# fail 2", Some((0, 2, 0)));
        check("# cancelled 1", Some((0, 1, 0)));
        check("# skipped 3", Some((0, 0, 3)));
        check("# suites 2", None);
        check("# Subtest: pass 3", None);
    }

    #[test]
    fn other_lines_are_not() {
        check("test tally::tests::other_lines_are_not ... ok", None);
        check("running 12 tests", None);
        check("test result: ok.", None);
    }

    #[test]
    fn the_closing_line_names_skipped_tests_only_if_there_are_any() {
        let mut all = Tally { passed: 1, failed: 0, skipped: 0 };
        assert_eq!(all.to_string(), "1 passed, 0 failed");
        all += Tally { passed: 2, failed: 1, skipped: 4 };
        assert_eq!(all.to_string(), "3 passed, 1 failed, 4 skipped");
    }
}
