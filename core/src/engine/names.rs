//! What names and e-mail addresses may look like (contract/redis.md section 7).

/// The longest name or address, in octets.
const MAX: usize = 255;

/// What [`valid_name`] asks for, in words.
pub(crate) const NAME_RULE: &str =
    "1 to 255 printable ASCII characters without \" & < >, neither the first nor the last of them a blank";

/// The name of a user: as [`valid_role_name`], with no blank at its ends. Proxies strip blanks there from the header that hands
/// a name on, which would make one user into another. No other character that cannot be seen is printable ASCII.
pub(crate) fn valid_name(name: &str) -> bool {
    valid_role_name(name) && !has_blank_ends(name)
}

/// Whether a name begins or ends with a blank, as names stored by an earlier build may.
pub(crate) fn has_blank_ends(name: &str) -> bool {
    name.starts_with(' ') || name.ends_with(' ')
}

/// Whether `name` reads like a uid, as in `12`, or like `uid:12` or `name:12`, by which commands are told which of the two is meant. So
/// do the two prefixes alone, and the empty name, which nobody has.
pub(crate) fn is_like_uid(name: &str) -> bool {
    let digits = name.strip_prefix("uid:").or_else(|| name.strip_prefix("name:")).unwrap_or(name);
    digits.bytes().all(|octet| octet.is_ascii_digit())
}

/// What [`valid_role_name`] asks for, in words.
pub(crate) const ROLE_NAME_RULE: &str = "1 to 255 printable ASCII characters without \" & < >";

/// Whether a role may have this name, as [`ROLE_NAME_RULE`] says.
pub(crate) fn valid_role_name(name: &str) -> bool {
    let allowed = |octet: u8| matches!(octet, b' '..=b'~') && !b"\"&<>".contains(&octet);
    (1..=MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// `[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+`, at most 255 octets.
pub(crate) fn valid_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let Some((label, rest)) = domain.split_once('.') else { return false };
    let all = |text: &str, extra: &[u8]| {
        !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || extra.contains(&octet))
    };
    email.len() <= MAX && all(local, b"_.+-") && all(label, b"-") && all(rest, b"-.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["a", "Ann Example", "a:b", "~!", &"x".repeat(255)] {
            assert!(valid_name(name), "{name}");
        }
        for name in ["", "a\"b", "a&b", "<a", "a>", "é", "a\n", &"x".repeat(256)] {
            assert!(!valid_name(name), "{name}");
            assert!(!valid_role_name(name), "{name}");
        }
    }

    #[test]
    fn the_name_of_a_user_has_no_blank_at_its_ends() {
        for name in [" ", " a", "a ", " a ", "  a", "a  "] {
            assert!(!valid_name(name) && has_blank_ends(name), "{name:?}");
            assert!(valid_role_name(name), "{name:?}");
        }
        // What else cannot be seen is not taken anywhere.
        for space in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|c| c.is_whitespace() && *c != ' ') {
            assert!(!valid_role_name(&alloc::format!("a{space}")), "{space:?}");
        }
        for unseen in ['\0', '\u{7f}', '\u{ad}', '\u{200b}', '\u{2060}', '\u{feff}', '\u{3164}', '\u{2800}', '\u{e0020}'] {
            assert!(!valid_role_name(&alloc::format!("{unseen}a")), "{unseen:?}");
        }
    }

    #[test]
    fn emails() {
        for email in ["a@b.c", "a.b+c_d-e@x-y.co.uk"] {
            assert!(valid_email(email), "{email}");
        }
        for email in ["", "a", "a@b", "@b.c", "a@.c", "a@b.", "a@b c.d", "a@b@c.d", "é@b.c"] {
            assert!(!valid_email(email), "{email}");
        }
    }
}
