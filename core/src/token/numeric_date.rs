//! `NumericDate` (RFC 7519, 2): seconds since the epoch as any JSON number, read without floating point.

use super::digits;

/// The time that a JSON number of seconds stands for, in milliseconds; parts of a millisecond are rounded towards the future.
/// Comparing whole milliseconds against it then gives the same verdict as comparing against the exact number.
///
/// `None` when it is 10^15 seconds or more from the epoch, some 31 million years. `number` is a number by the JSON grammar.
pub(super) fn millis(number: &str) -> Option<i64> {
    if number.len() > 15 {
        return exact(number);
    }
    let mut seconds = 0;
    let mut rest = number.as_bytes();
    if !cfg!(feature = "small")
        && let Some((eight, behind)) = rest.split_first_chunk()
        && digits::are_eight(*eight)
    {
        seconds = digits::join(*eight).cast_signed();
        rest = behind;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return exact(number);
        }
        seconds = seconds * 10 + i64::from(digit);
    }
    Some(seconds * 1000)
}

/// Any number by the grammar: its digits are `0.d1 d2 d3…` times ten to the `point`. In plain loops, as this is the rare path of
/// a module whose size counts.
#[cold]
fn exact(number: &str) -> Option<i64> {
    let bytes = number.as_bytes();
    let position = |wanted: u8| bytes.iter().position(|byte| byte.eq_ignore_ascii_case(&wanted));
    let end = position(b'e').unwrap_or(bytes.len());
    let negative = bytes.first() == Some(&b'-');
    let mantissa = bytes.get(usize::from(negative)..end)?;
    let whole = position(b'.').unwrap_or(end) - usize::from(negative);
    let exponent = bytes.get(end + 1..).map_or(0, signed);
    let mut point = i64::try_from(whole).ok()? + 3 + exponent;
    let (mut millis, mut places, mut rest) = (0_i64, 0_i64, false);
    for digit in mantissa.iter().filter(|byte| **byte != b'.').map(|byte| byte & 0x0f) {
        if digit == 0 && places == 0 {
            point -= 1;
        } else if point > 18 {
            return None;
        } else {
            if places < point {
                millis = millis * 10 + i64::from(digit);
            } else {
                rest |= digit != 0;
            }
            places += 1;
        }
    }
    if places == 0 {
        return Some(0);
    }
    while places < point {
        millis *= 10;
        places += 1;
    }
    Some(if negative { -millis } else { millis + i64::from(rest) })
}

/// An integer of any length with an optional sign. What is farther from zero than any token has digits comes out as `FAR`.
fn signed(text: &[u8]) -> i64 {
    /// Ten times as much is still an `i64`.
    const FAR: i64 = 1_000_000_000_000_000;
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let sum = digits.fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit & 0x0f)).min(FAR));
    if text.first() == Some(&b'-') { -sum } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: &str, expected: impl Into<Option<i64>>) {
        assert_eq!(millis(number), expected.into(), "{number}");
    }

    #[test]
    fn integers() {
        check("0", 0);
        check("-0", 0);
        check("1300819380", 1_300_819_380_000);
        check("-5", -5000);
        check("999999999999999", 999_999_999_999_999_000);
        check("1000000000000000", None);
        check("-1000000000000000", None);
        check("18446744073709551616", None);
    }

    #[test]
    fn fractions_round_towards_the_future() {
        check("12.5", 12_500);
        check("12.0000", 12_000);
        check("12.0001", 12_001);
        check("12.9999", 13_000);
        check("-12.0001", -12_000);
        check("0.0004", 1);
        check("-0.9999", -999);
        check("0.00000000000000000000000000000000000000000000001", 1);
    }

    #[test]
    fn exponents() {
        check("1e3", 1_000_000);
        check("1E+3", 1_000_000);
        check("1.5e-1", 150);
        check("130081938e1", 1_300_819_380_000);
        check("0.0013e12", 1_300_000_000_000);
        check("1e14", 100_000_000_000_000_000);
        check("1e15", None);
        check("1e400", None);
        check("-1e400", None);
        check("1e99999999999999999999999999", None);
        check("1e-99999999999999999999999999", 1);
        check("0e99999999999999999999999999", 0);
        check("-1e-99999999999999999999999999", 0);
        check("1e0000000000000000000000000000003", 1_000_000);
    }

    #[test]
    fn long_digits_that_an_exponent_takes_back() {
        let zeros = "0".repeat(5000);
        check(&alloc::format!("1{zeros}e-5000"), 1000);
        check(&alloc::format!("0.{zeros}1e5001"), 1000);
        check(&alloc::format!("1{zeros}"), None);
    }
}
