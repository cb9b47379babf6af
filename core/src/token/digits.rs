//! Decimal digits, eight at a time within one register.

use alloc::vec::Vec;

/// One more than [`split`] takes.
const EIGHT: u64 = 100_000_000;
const ONES: u64 = u64::from_le_bytes([1; 8]);
const ZEROS: u64 = ONES * b'0' as u64;

/// Appends `number` in decimal.
pub(super) fn append(number: u64, out: &mut Vec<u8>) {
    if number < EIGHT {
        let digits = split(number);
        // The last digit stays, even of a zero.
        let zeros = (digits | 1 << 56).trailing_zeros() as usize / 8;
        out.extend_from_slice((digits | ZEROS).to_le_bytes().get(zeros..).unwrap_or_default());
    } else {
        append(number / EIGHT, out);
        out.extend_from_slice(&(split(number % EIGHT) | ZEROS).to_le_bytes());
    }
}

/// Whether all of these are digits.
pub(super) const fn are_eight(octets: [u8; 8]) -> bool {
    let word = u64::from_le_bytes(octets);
    // A digit keeps its high half when six is added; what carries into the next octet was no digit.
    let high = ONES * 0xf0;
    word & high == ZEROS && word.wrapping_add(ONES * 6) & high == ZEROS
}

/// The number that eight digits stand for: pairs, fours and eights are put together side by side.
pub(super) const fn join(octets: [u8; 8]) -> u64 {
    let ones = u64::from_le_bytes(octets) & (ONES * 15);
    let pairs = ones.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// The digits of a number below 10^8, an octet each, the first one lowest. Halves of halves are split side by side:
/// `n * 10486 >> 20` is `n / 100` below 10^4, and `n * 103 >> 10` is `n / 10` below 10^2.
const fn split(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - tens * 10) << 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    #[test]
    fn numbers_are_written_in_decimal() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let samples = powers.flat_map(|power| [power - 1, power, power + 1, power / 7 * 6]);
        for number in samples.chain(0..20_000).chain([99_999_999, 12_345_678, u64::MAX]) {
            let mut out = Vec::new();
            append(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn eight_digits_and_nothing_else_are_read_at_once() {
        for number in (0..20_000).chain([99_999_999, 12_345_678, 87_654_321, 90_000_000]) {
            let digits: [u8; 8] = format!("{number:08}").into_bytes().try_into().unwrap();
            assert!(are_eight(digits), "{number}");
            assert_eq!(join(digits), number);
        }
        for place in 0..8 {
            for octet in 0..=255 {
                for digit in [b'0', b'9'] {
                    let mut octets = [digit; 8];
                    octets[place] = octet;
                    assert_eq!(are_eight(octets), octet.is_ascii_digit(), "{octets:?}");
                }
            }
        }
    }
}
