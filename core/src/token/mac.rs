//! HMAC (RFC 2104) with a key that has been taken in once: a message then costs its own blocks and one more.
//!
//! Own code around the compression functions of `sha2`. The general `hmac` keeps, copies and clears a buffer beside each state, which
//! takes about as long as hashing a block, and its three hashes would be a quarter of the module for JavaScript.

use super::Algorithm;
use alloc::boxed::Box;
use core::slice;
use sha2::block_api::{compress256, compress512};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The longest tag, in octets: that of SHA-512.
pub(super) const MAX_TAG: usize = 64;

/// The tag of a message: as many octets as the algorithm's are, then zeros.
pub(super) type Tag = [u8; MAX_TAG];

/// A MAC that has taken in its key.
#[derive(Clone)]
pub(super) enum Mac {
    Sha256(Keyed<u32, 64>),
    Sha512(Box<Keyed<u64, 128>>),
}

impl Mac {
    pub(super) fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        let long = |start| Self::Sha512(Keyed::new(start, algorithm, secret).into());
        match algorithm {
            Algorithm::Hs256 => Self::Sha256(Keyed::new(SHA512.map(first_half), algorithm, secret)),
            Algorithm::Hs384 => long(SHA384),
            Algorithm::Hs512 => long(SHA512),
        }
    }

    pub(super) fn tag(&self, message: &[u8]) -> Tag {
        match self {
            Self::Sha256(keyed) => keyed.tag(message),
            Self::Sha512(keyed) => keyed.tag(message),
        }
    }
}

fn first_half(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What hashes start from (FIPS 180-4, 5.3): of the square roots of primes, the first 64 bits behind the point. Those of SHA-256 are
/// the first 32 bits of the same roots as SHA-512 has.
const SHA512: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
const SHA384: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];

/// The two states behind the padded key. Who knows them can sign, so they are cleared on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Keyed<W: Word<BLOCK>, const BLOCK: usize> {
    inner: [W; 8],
    outer: [W; 8],
    #[zeroize(skip)]
    tag: usize,
}

impl<W: Word<BLOCK>, const BLOCK: usize> Keyed<W, BLOCK> {
    fn new(start: [W; 8], algorithm: Algorithm, secret: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; BLOCK]);
        let hashed;
        let short = if secret.len() > BLOCK {
            hashed = Zeroizing::new(hash(start, 0, secret));
            hashed.get(..algorithm.tag()).unwrap_or_default()
        } else {
            secret
        };
        key.iter_mut().zip(short).for_each(|(to, from)| *to = *from);
        let mut padded = |pad: u8| {
            let mut state = start;
            key.iter_mut().for_each(|octet| *octet ^= pad);
            W::compress(&mut state, slice::from_ref(&*key));
            state
        };
        // The second pad takes the first one off.
        Self { inner: padded(0x36), outer: padded(0x36 ^ 0x5c), tag: algorithm.tag() }
    }

    fn tag(&self, message: &[u8]) -> Tag {
        let inner = hash(self.inner, BLOCK, message);
        let mut tag = hash(self.outer, BLOCK, inner.get(..self.tag).unwrap_or_default());
        tag.get_mut(self.tag..).unwrap_or_default().fill(0);
        tag
    }
}

/// The hash of `message` behind `before` octets, whole blocks that `state` has taken in (FIPS 180-4, 5.1 and 6).
fn hash<W: Word<BLOCK>, const BLOCK: usize>(mut state: [W; 8], before: usize, message: &[u8]) -> Tag {
    let (blocks, rest) = message.as_chunks();
    W::compress(&mut state, blocks);
    let mut last = [[0; BLOCK]; 2];
    if let Some((start, [end, ..])) = last.as_flattened_mut().split_at_mut_checked(rest.len()) {
        start.copy_from_slice(rest);
        *end = 0x80;
    }
    // Behind the one bit comes the length, in an eighth of a block. No message is so long that its upper half is needed.
    let used = if rest.len() < BLOCK - BLOCK / 8 { 1 } else { 2 };
    let last = last.get_mut(..used).unwrap_or_default();
    if let Some(bits) = last.as_flattened_mut().last_chunk_mut() {
        *bits = (8 * (before + message.len()) as u64).to_be_bytes();
    }
    W::compress(&mut state, last);
    W::octets(&state)
}

/// What a hash reckons with.
pub(super) trait Word<const BLOCK: usize>: Copy + Zeroize {
    fn compress(state: &mut [Self; 8], blocks: &[[u8; BLOCK]]);
    fn octets(state: &[Self; 8]) -> Tag;
}

impl Word<64> for u32 {
    fn compress(state: &mut [Self; 8], blocks: &[[u8; 64]]) {
        compress256(state, blocks);
    }

    fn octets(state: &[Self; 8]) -> Tag {
        let mut tag = [0; MAX_TAG];
        tag.as_chunks_mut().0.iter_mut().zip(state).for_each(|(to, word)| *to = word.to_be_bytes());
        tag
    }
}

impl Word<128> for u64 {
    fn compress(state: &mut [Self; 8], blocks: &[[u8; 128]]) {
        compress512(state, blocks);
    }

    fn octets(state: &[Self; 8]) -> Tag {
        let mut tag = [0; MAX_TAG];
        tag.as_chunks_mut().0.iter_mut().zip(state).for_each(|(to, word)| *to = word.to_be_bytes());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use hmac::{Hmac, KeyInit};
    use proptest::prelude::*;
    use sha2::{Sha256, Sha384, Sha512};

    fn peer<M: KeyInit + hmac::Mac>(secret: &[u8], message: &[u8]) -> Tag {
        let mut mac = <M as KeyInit>::new_from_slice(secret).unwrap();
        mac.update(message);
        let mut tag = [0; MAX_TAG];
        tag.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        tag
    }

    #[track_caller]
    fn check(secret: &[u8], message: &[u8]) {
        for (algorithm, expected) in [
            (Algorithm::Hs256, peer::<Hmac<Sha256>>(secret, message)),
            (Algorithm::Hs384, peer::<Hmac<Sha384>>(secret, message)),
            (Algorithm::Hs512, peer::<Hmac<Sha512>>(secret, message)),
        ] {
            assert_eq!(Mac::new(algorithm, secret).tag(message), expected, "{algorithm}");
        }
    }

    #[test]
    fn every_length_around_the_ends_of_blocks() {
        for length in 0..300 {
            check(b"an example secret", &vec![0xa5; length]);
            check(&vec![0x5a; length], b"a message");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_peer(secret in prop::collection::vec(any::<u8>(), 0..300), message in prop::collection::vec(any::<u8>(), 0..1000)) {
            check(&secret, &message);
        }
    }
}
