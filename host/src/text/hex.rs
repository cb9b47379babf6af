//! Digests as text: 64 hexadecimal digits in lower case.

use core::fmt::Write;

/// Any octets as digits, two for each.
pub(crate) fn text(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut digits, octet| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// The 32 octets that [`text`] has written so, and no other spelling of them.
pub(crate) fn digest(digits: &[u8]) -> Option<[u8; 32]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 64] = digits.try_into().ok()?;
    let mut octets = [0; 32];
    for (octet, [upper, lower]) in octets.iter_mut().zip(digits.as_chunks().0) {
        *octet = value(*upper)? << 4 | value(*lower)?;
    }
    Some(octets)
}

/// A digest that may be stated or not, as a setting has it.
pub(crate) mod stated {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "as serde calls it")]
    pub(crate) fn serialize<S: Serializer>(digest: &Option<[u8; 32]>, to: S) -> Result<S::Ok, S::Error> {
        digest.as_ref().map(|octets| super::text(octets)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[u8; 32]>, D::Error> {
        let stated = Option::<String>::deserialize(from)?;
        let read = |digits: String| super::digest(digits.as_bytes()).ok_or_else(|| D::Error::custom("this is no digest"));
        stated.map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling() {
        let octets: [u8; 32] = core::array::from_fn(|at| u8::try_from(at * 8).unwrap());
        let digits = text(&octets);
        assert_eq!(digest(digits.as_bytes()), Some(octets));
        for wrong in [digits.to_uppercase(), digits.replacen('0', "+", 1), digits[1..].into(), format!("{digits}0")] {
            assert_eq!(digest(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
