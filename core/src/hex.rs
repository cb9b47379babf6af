//! Hexadecimal digits, in lower case.

use alloc::string::String;

/// The digits of `octets`.
pub(crate) fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(2 * octets.len());
    append(octets, &mut text);
    text
}

/// Appends the digits of `octets`.
pub(crate) fn append(octets: &[u8], text: &mut String) {
    for octet in octets {
        text.extend([digit(octet >> 4), digit(octet & 15)].map(char::from));
    }
}

/// The digit of a value below 16.
pub(crate) const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' - 10 + value }
}
