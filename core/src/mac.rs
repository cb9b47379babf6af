//! HMAC over secrets that are no keys of tokens: what is derived from the root secret and drawn from a call's randomness.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA-256 of `parts`, one behind the other.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 2)")]
pub(crate) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, 4.3, whose key HMAC fills up with zeros anyway.
    #[test]
    fn a_known_answer_however_it_is_split() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let known = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00,
            0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(hmac_sha256(&key, &[b"what do ya want for nothing?"]), known);
        assert_eq!(hmac_sha256(&key, &[b"what do ya", b"", b" want for nothing?"]), known);
    }
}
