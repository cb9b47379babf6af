//! HMAC with a key that has been taken in once: a message then costs its own blocks and one more.
//!
//! The state of a key is kept without the buffer that `hmac`'s own type has beside it, which would be copied and cleared for each
//! message.

use super::Algorithm;
use alloc::boxed::Box;
use hmac::{
    EagerHash, KeyInit,
    block_api::HmacCore,
    digest::{
        Output,
        block_api::{Buffer, FixedOutputCore, UpdateCore},
    },
};
use sha2::{Sha256, Sha384, Sha512};

/// The longest tag, in octets: that of SHA-512.
pub(super) const MAX_TAG: usize = 64;

/// The tag of a message: as many octets as the algorithm's are, then zeros.
pub(super) type Tag = [u8; MAX_TAG];

/// A MAC that has taken in its key; cleared on drop.
#[derive(Clone)]
pub(super) enum Mac {
    Sha256(HmacCore<Sha256>),
    Sha384(Box<HmacCore<Sha384>>),
    Sha512(Box<HmacCore<Sha512>>),
}

impl Mac {
    /// The MAC of a secret. `algorithm` is symmetric.
    pub(super) fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        match algorithm {
            Algorithm::Hs384 => Self::Sha384(keyed::<Sha384>(secret).into()),
            Algorithm::Hs512 => Self::Sha512(keyed::<Sha512>(secret).into()),
            #[cfg(not(feature = "public-keys"))]
            Algorithm::Hs256 => Self::Sha256(keyed(secret)),
            // The others are never asked for.
            #[cfg(feature = "public-keys")]
            Algorithm::Hs256 | Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Ed25519 => Self::Sha256(keyed(secret)),
        }
    }

    pub(super) fn tag(&self, message: &[u8]) -> Tag {
        match self {
            Self::Sha256(core) => tag(core.clone(), message),
            Self::Sha384(core) => tag(core.as_ref().clone(), message),
            Self::Sha512(core) => tag(core.as_ref().clone(), message),
        }
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 2)")]
fn keyed<D: EagerHash>(secret: &[u8]) -> HmacCore<D> {
    HmacCore::new_from_slice(secret).expect("a key of any length")
}

fn tag<D: EagerHash>(mut core: HmacCore<D>, message: &[u8]) -> Tag {
    let (mut buffer, mut out) = (Buffer::<HmacCore<D>>::default(), Output::<HmacCore<D>>::default());
    buffer.digest_blocks(message, |blocks| core.update_blocks(blocks));
    core.finalize_fixed_core(&mut buffer, &mut out);
    let mut tag = [0; MAX_TAG];
    tag.iter_mut().zip(&out).for_each(|(to, from)| *to = *from);
    tag
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
