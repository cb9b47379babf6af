//! Text in commands that somebody copies into a shell.

use core::fmt::Display;

/// Text as one word of a shell command (POSIX.1-2024, 2.2.2).
pub(crate) fn word(text: impl Display) -> String {
    let text = text.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_word_is_one_for_a_shell_too() {
        for text in ["ada@example.com", "/var/lib/waxseal", "", "a b", "$(id)", "it's", "a\nb", "caf\u{e9}", "~", "`x`\\!"]
        {
            let out = Command::new("sh").args(["-c", &format!("printf %s {}", word(text))]).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), text);
        }
        assert_eq!([word("/var/lib"), word("a b"), word("it's")], ["/var/lib", "'a b'", r"'it'\''s'"]);
    }
}
