//! What names and e-mail addresses may look like (contract/redis.md section 7).

/// The longest name or address, in octets.
const MAX: usize = 255;

/// 1 to 255 printable ASCII characters without `"`, `&`, `<`, `>`.
pub(crate) fn valid_name(name: &str) -> bool {
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
