//! What is wrong with a configuration.

use core::fmt;

/// One thing that is wrong, in one line: which setting and where it stands, what was found, what is allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem(String);

impl Problem {
    /// A problem in the words given; control characters in it are escaped, so that it stays one line.
    pub(super) fn new(text: impl fmt::Display) -> Self {
        let text = text.to_string();
        let escape = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
        Self(text.chars().map(escape).collect())
    }

    /// A value that is not allowed.
    pub(super) fn value(path: &str, origin: &dyn fmt::Display, found: &str, allowed: &dyn fmt::Display) -> Self {
        Self::new(format_args!("{path} ({origin}): found `{}`, allowed is {allowed}", shorten(found)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Problem {}

/// Enough of a value to recognise it.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
