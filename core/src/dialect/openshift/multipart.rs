//! Bodies of `multipart/form-data` (RFC 7578): names and values of their parts; files count as plain values.

use crate::dialect::form::MAX_PAIRS;
use alloc::{format, vec::Vec};

/// Name and value of each part; `None` when the body is not what its content type says, or has more parts than a form has pairs.
pub(super) fn parts<'b>(content_type: &str, body: &'b [u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))?;
    let delimiter = format!("--{boundary}");
    let first = body.strip_prefix(delimiter.as_bytes());
    let delimiter = format!("\r\n--{boundary}");
    // Before the first delimiter there may be a preamble, and blanks behind each (RFC 2046, 5.1.1).
    let behind = |text: &'b [u8]| text.get(find(text, delimiter.as_bytes())? + delimiter.len()..);
    let mut rest = first.or_else(|| behind(body))?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        if parts.len() == MAX_PAIRS {
            return None;
        }
        let blanks = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let part = rest.get(blanks..)?.strip_prefix(b"\r\n")?;
        let end = find(part, delimiter.as_bytes())?;
        let (part, after) = part.split_at(end);
        parts.push(read(part)?);
        rest = after.get(delimiter.len()..)?;
    }
}

/// Splits a part into the name its header gives and its content.
fn read(part: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let end = find(part, b"\r\n\r\n")?;
    let (head, content) = part.split_at(end);
    let head = core::str::from_utf8(head).ok()?;
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    Some((parameter(disposition, "name")?.as_bytes().to_vec(), content.get(4..)?.to_vec()))
}

/// The value of a header's parameter, without its quotes.
fn parameter<'h>(header: &'h str, wanted: &str) -> Option<&'h str> {
    let mut quoted = false;
    let unquoted_semicolon = |c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    };
    header.split(unquoted_semicolon).skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x\"";

    #[test]
    fn reads_names_and_values() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"scope\"\r\n\r\nread\r\n--x\r\ncontent-disposition: form-data; name=note\r\n\r\n\r\n--x--\r\n";
        let parts = parts(TYPE, body).unwrap();
        assert_eq!(parts, [(b"scope".to_vec(), b"read".to_vec()), (b"note".to_vec(), b"".to_vec())]);
    }

    #[test]
    fn a_name_within_quotes_is_none() {
        let body = b"--x\r\nContent-Disposition: form-data; filename=\"; name=scope\"; name=\"note\"\r\n\r\na\r\n--x--\r\n";
        assert_eq!(parts(TYPE, body).unwrap(), [(b"note".to_vec(), b"a".to_vec())]);
    }

    #[test]
    fn takes_a_preamble_and_blanks_behind_a_delimiter() {
        for body in ["pre\r\n--x\r\n", "\r\n--x\r\n", "--x \t\r\n"] {
            let body = format!(
                "{body}Content-Disposition: form-data; name=a\r\n\r\nb\r\n--x  \r\nContent-Disposition: form-data; name=c\r\n\r\nd\r\n--x--\r\n"
            );
            let read = parts(TYPE, body.as_bytes()).unwrap();
            assert_eq!(read, [(b"a".to_vec(), b"b".to_vec()), (b"c".to_vec(), b"d".to_vec())], "{body}");
        }
    }

    #[test]
    fn refuses_what_is_cut_or_unnamed() {
        for body in
            ["", "--y--", "--x", "--x\r\n\r\nread\r\n--x--", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nread"]
        {
            assert_eq!(parts(TYPE, body.as_bytes()), None, "{body}");
        }
        assert_eq!(parts("multipart/form-data", b"--x--"), None);
    }

    #[test]
    fn parts_are_as_many_as_the_pairs_of_a_form() {
        let many = |count| format!("{}--x--", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".repeat(count));
        assert_eq!(parts(TYPE, many(MAX_PAIRS).as_bytes()).unwrap().len(), MAX_PAIRS);
        assert_eq!(parts(TYPE, many(MAX_PAIRS + 1).as_bytes()), None);
    }
}
