//! Base64url without padding (RFC 4648, 5), canonical only: one text for one run of octets (security T4).
//!
//! Own code, as this is the largest part of a verification after the hash, and as it is the smallest there is.

use super::Refusal;
use alloc::{string::String, vec, vec::Vec};

/// Octets that are encoded at once, and their characters.
const OCTETS: usize = 24;
const CHARS: usize = 32;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// For each character at each place of a quad, its share of the three octets (the first one lowest), or [`INVALID`].
const SHARES: [[u32; 256]; 4] = {
    let mut shares = [[INVALID; 256]; 4];
    let mut value = 0;
    while value < 64 {
        let char = ALPHABET[value as usize] as usize;
        shares[0][char] = value << 2;
        shares[1][char] = value >> 4 | (value & 15) << 12;
        shares[2][char] = value >> 2 << 8 | (value & 3) << 22;
        shares[3][char] = value << 16;
        value += 1;
    }
    shares
};

/// A bit that no share of three octets has.
const INVALID: u32 = 1 << 24;

/// Decodes `text`, refusing padding, whitespace and set spare bits.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![0; decoded_len(text.len())];
    decode_into(text, &mut out)?;
    Ok(out)
}

/// Appends the text for `octets`.
pub(super) fn append(octets: &[u8], out: &mut Vec<u8>) {
    let (chunks, rest) = octets.as_chunks();
    for chunk in chunks {
        out.extend_from_slice(&encode_chunk(chunk));
    }
    if !rest.is_empty() {
        let mut last = [0; OCTETS];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        out.extend_from_slice(encode_chunk(&last).get(..encoded_len(rest.len())).unwrap_or_default());
    }
}

/// The text for `octets`.
pub(crate) fn encode(octets: &[u8]) -> String {
    let mut out = Vec::with_capacity(encoded_len(octets.len()));
    append(octets, &mut out);
    into_text(out)
}

/// The text for the first `length` octets of `tag`, behind which it has zeros; and zeros behind it.
pub(super) fn encode_tag(tag: &[u8; 64], length: usize) -> [u8; TAG_CHARS] {
    let mut octets = [0; TAG_CHARS / CHARS * OCTETS];
    octets[..64].copy_from_slice(tag);
    let mut chars = [0; TAG_CHARS];
    let chunks = octets.as_chunks().0.iter().take(length.div_ceil(OCTETS));
    chars.as_chunks_mut().0.iter_mut().zip(chunks).for_each(|(to, from)| *to = encode_chunk(from));
    chars.get_mut(encoded_len(length)..).unwrap_or_default().fill(0);
    chars
}

/// How many characters [`encode_tag`] makes.
pub(super) const TAG_CHARS: usize = 96;

/// The text that is in `out`; what [`append`] appends is ASCII.
pub(super) fn into_text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_default()
}

/// How many octets a text of `len` characters stands for.
pub(super) const fn decoded_len(len: usize) -> usize {
    len / 4 * 3 + len % 4 * 3 / 4
}

/// How many characters stand for `len` octets.
pub(super) const fn encoded_len(len: usize) -> usize {
    len / 3 * 4 + (len % 3 * 4).div_ceil(3)
}

/// `out` has [`decoded_len`] octets.
fn decode_into(text: &str, out: &mut [u8]) -> Result<(), Refusal> {
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let (octets, rest_octets) = out.as_chunks_mut::<6>();
    // Collected instead of tested at each character: a good text takes no branch, and a bad one is rare.
    let mut seen = 0;
    for (chars, octets) in chunks.iter().zip(octets) {
        *octets = decode_chunk(*chars, &mut seen);
    }
    let canonical = rest.is_empty() || {
        let mut last = [b'A'; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let last = decode_chunk(last, &mut seen);
        rest_octets.iter_mut().zip(last).for_each(|(to, from)| *to = from);
        // One character alone stands for nothing; what the last one holds beyond whole octets must be zero.
        rest.len() % 4 != 1 && last.get(rest_octets.len()).is_none_or(|&spare| spare == 0)
    };
    if seen & INVALID == 0 && canonical { Ok(()) } else { Err(Refusal::BadBase64) }
}

#[inline]
fn decode_chunk(chars: [u8; 8], seen: &mut u32) -> [u8; 6] {
    let [a, b, c, d, back @ ..] = chars;
    let (front, back) = (decode_quad([a, b, c, d]), decode_quad(back));
    *seen |= front | back;
    let [octets @ .., _, _] = (u64::from(front) | u64::from(back) << 24).to_le_bytes();
    octets
}

#[inline]
fn decode_quad([a, b, c, d]: [u8; 4]) -> u32 {
    let share = |place: usize, char: u8| SHARES[place][usize::from(char)];
    share(0, a) | share(1, b) | share(2, c) | share(3, d)
}

/// Without a table, in a shape that compilers turn into vector instructions.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline)]
fn encode_chunk(octets: &[u8; OCTETS]) -> [u8; CHARS] {
    let eight_from =
        |start: usize| octets.get(start..).and_then(<[u8]>::first_chunk).map_or(0, |eight| u64::from_be_bytes(*eight));
    // Six octets each.
    let runs = [eight_from(0) >> 16, eight_from(6) >> 16, eight_from(12) >> 16, eight_from(16) & 0xffff_ffff_ffff];
    let mut chars = [0; CHARS];
    for (run, values) in runs.into_iter().zip(chars.as_chunks_mut().0) {
        // The front half goes to the low end at each step, as the first character comes lowest.
        let run = run >> 24 | (run & 0x00ff_ffff) << 32;
        let run = (run >> 12 & 0x0000_0fff_0000_0fff) | (run & 0x0000_0fff_0000_0fff) << 16;
        let run = (run >> 6 & 0x003f_003f_003f_003f) | (run & 0x003f_003f_003f_003f) << 8;
        *values = run.to_le_bytes();
    }
    for char in &mut chars {
        *char = to_char(*char);
    }
    chars
}

/// The character of a value below 64.
#[cfg(feature = "small")]
fn to_char(value: u8) -> u8 {
    ALPHABET[usize::from(value & 63)]
}

/// The character of a value below 64.
#[cfg(not(feature = "small"))]
#[inline]
fn to_char(value: u8) -> u8 {
    let from = |first: u8, step: u8| if value.cast_signed() >= first.cast_signed() { step } else { 0 };
    value
        .wrapping_add(b'A')
        .wrapping_add(from(26, b'a' - 26 - b'A'))
        .wrapping_add(from(52, b'0'.wrapping_sub(52).wrapping_sub(b'a' - 26)))
        .wrapping_add(from(62, b'-'.wrapping_sub(62).wrapping_sub(b'0'.wrapping_sub(52))))
        .wrapping_add(from(63, (b'_' - 63).wrapping_sub(b'-'.wrapping_sub(62))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as PEER};
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, octets: Option<&[u8]>) {
        assert_eq!(decode(text).ok().as_deref(), octets, "{text}");
    }

    #[test]
    fn rfc_4648_examples() {
        check("", Some(b""));
        check("Zg", Some(b"f"));
        check("Zm8", Some(b"fo"));
        check("Zm9v", Some(b"foo"));
        check("Zm9vYmFy", Some(b"foobar"));
        check("-_-_", Some(&[0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn only_the_canonical_text_is_taken() {
        check("Zg==", None);
        check("Zg=", None);
        check("Zm9v\n", None);
        check(" Zm9v", None);
        check("Zm 9v", None);
        check("+/+/", None);
        check("Zh", None);
        check("Zm9", None);
        check("Z", None);
        check("Zm9vZ", None);
        check("Zm9\u{e9}", None);
    }

    #[test]
    fn a_tag_and_its_zeros() {
        for length in 0..=64 {
            let mut tag = [0; 64];
            for (place, octet) in (150..).zip(&mut tag[..length]) {
                *octet = place;
            }
            let text = encode(&tag[..length]);
            let chars = encode_tag(&tag, length);
            assert_eq!(chars[..text.len()], *text.as_bytes());
            assert!(chars[text.len()..].iter().all(|&char| char == 0));
        }
    }

    #[test]
    fn each_octet_as_a_character() {
        for octet in 0..=255 {
            // At the start, behind a whole chunk, and as the last character.
            for at in [0, 33, 35] {
                let mut text = vec![b'A'; 36];
                text[at] = octet;
                let Ok(text) = String::from_utf8(text) else { continue };
                assert_eq!(decode(&text).ok(), PEER.decode(&text).ok(), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn encodes_like_the_peer_and_back(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = encode(&octets);
            prop_assert_eq!(text.len(), encoded_len(octets.len()));
            prop_assert_eq!(decoded_len(text.len()), octets.len());
            prop_assert_eq!(&text, &PEER.encode(&octets));
            prop_assert_eq!(decode(&text), Ok(octets));
        }

        #[test]
        fn decodes_like_the_peer(text in "[A-Za-z0-9_=+/ -]{0,100}|[A-Za-z0-9_-]{0,100}|\\PC{0,50}") {
            prop_assert_eq!(decode(&text).ok(), PEER.decode(&text).ok());
        }

        #[test]
        fn one_text_for_one_run_of_octets(octets in prop::collection::vec(any::<u8>(), 1..70), at: usize, char: u8) {
            let mut text = encode(&octets).into_bytes();
            let at = at % text.len();
            prop_assume!(text[at] != char);
            text[at] = char;
            let Ok(text) = String::from_utf8(text) else { return Ok(()) };
            prop_assert!(decode(&text) != Ok(octets), "{}", format!("{text} is another text for the same octets"));
        }
    }
}
