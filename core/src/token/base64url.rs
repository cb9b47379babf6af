//! Base64url without padding (RFC 4648, 5), canonical only: one text for one run of octets (security T4).

use super::Refusal;
use alloc::{string::String, vec, vec::Vec};
use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const STRICT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// Decodes `text`, refusing padding, whitespace and set spare bits.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![0; decoded_len(text.len())];
    let len = STRICT.decode_slice(text, &mut out).map_err(|_| Refusal::BadBase64)?;
    out.truncate(len);
    Ok(out)
}

/// Decodes `text` into `out`, which must be as long as what comes out.
pub(super) fn decode_exact(text: &str, out: &mut [u8]) -> Result<(), Refusal> {
    match STRICT.decode_slice(text, out) {
        Ok(len) if len == out.len() => Ok(()),
        _ => Err(Refusal::BadBase64),
    }
}

/// Appends the text for `octets`.
pub(super) fn append(octets: &[u8], out: &mut String) {
    STRICT.encode_string(octets, out);
}

/// The text for `octets`.
pub(super) fn encode(octets: &[u8]) -> String {
    STRICT.encode(octets)
}

/// How many octets a text of `len` characters stands for.
pub(super) const fn decoded_len(len: usize) -> usize {
    len / 4 * 3 + len % 4 * 3 / 4
}

/// How many characters stand for `len` octets.
pub(super) const fn encoded_len(len: usize) -> usize {
    len / 3 * 4 + (len % 3 * 4).div_ceil(3)
}
