//! Numbers that are too large for a number: `expires_in` may be however large and is never an error (contract section 4).

use alloc::string::String;

/// The longest number that is left as it is; no type here holds one so long.
const LONGEST: usize = 300;

/// `json` with every number that is very long or has an exponent put in quotes, which these parameters may be sent in anyway; but not
/// one in the place of a name, which would become good JSON by it.
pub(super) fn quoted(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 16);
    let mut rest = json;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' => text(rest),
            '-' | '0'..='9' => {
                rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len())
            }
            other => other.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        let is_name = || behind.trim_start().starts_with(':');
        let is_huge = is_number(token) && (token.len() > LONGEST || token.contains(['e', 'E'])) && !is_name();
        for part in if is_huge { ["\"", token, "\""] } else { ["", token, ""] } {
            out.push_str(part);
        }
        rest = behind;
    }
    out
}

/// The length of the string at the start of `json`, with its quotes.
fn text(json: &str) -> usize {
    let mut escaped = false;
    let end = json.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |(at, _)| at + 1)
}

/// Whether this is a number (RFC 8259, 6), so that nothing else becomes good by being quoted.
fn is_number(token: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (token, None),
    };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
    let no_zero = whole == "0" || !whole.starts_with('0');
    digits(whole) && no_zero && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn only_huge_numbers_are_quoted() {
        let nines = "9".repeat(400);
        for (json, expected) in [
            (format!(r#"{{"a":{nines}}}"#), format!(r#"{{"a":"{nines}"}}"#)),
            (format!(r"[-{nines}, 1]"), format!(r#"["-{nines}", 1]"#)),
            (r#"{"a":1e400,"b":1.5E-7}"#.into(), r#"{"a":"1e400","b":"1.5E-7"}"#.into()),
        ] {
            assert_eq!(quoted(&json), expected);
        }
        let zeros = "0".repeat(400);
        for same in [
            r#"{"a":12,"b":-1.5,"c":"1e9","d\"1e9":"ä\\"}"#,
            r#"{"a":"1e9"#,
            "{\"a\":1e}",
            "{\"a\":01e5}",
            "1-1e5",
            "{1e5:0}",
            "{\"a\":1,1e400 \n: 2}",
            &zeros,
        ] {
            assert_eq!(quoted(same), same);
        }
    }
}
