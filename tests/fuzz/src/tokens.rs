//! Tokens and keys.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::de::IgnoredAny;
use std::sync::LazyLock;
use waxseal_core::{
    time::UnixTime,
    token::{ACCESS, Algorithm, EdgeVerifier, Key, KeyRole, KeySet, Profile, REVOCATIONS, Stale},
};

const NOW: UnixTime = UnixTime::from_secs(1_935_990_489);
const PROFILE: Profile<'_> = Profile { issuer: "waxseal", audience: None, leeway: 0, typ: ACCESS };

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = Key::new("k1", Algorithm::Hs256, &[7; 32]).unwrap();
    KeySet::new([(key, KeyRole::Sign)]).unwrap()
});

static PUBLIC_KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = Key::generate("k1", Algorithm::EdDsa, &[7; 64]).unwrap();
    KeySet::new([(key, KeyRole::Sign)]).unwrap()
});

/// A token as it was sent. Nothing that was not signed holds.
pub(crate) fn token(data: &[u8]) {
    let Ok(token) = core::str::from_utf8(data) else { return };
    assert!(KEYS.verify(token, &PROFILE, NOW).is_err(), "a forged token holds");
    let _ = KEYS.verify_signature(token);
    let _ = serde_json::to_string(&KEYS.explain(token, &PROFILE, NOW));
}

/// Header and claims behind a right signature: up to the first LF, and from there on.
pub(crate) fn claims(data: &[u8]) {
    let (header, claims) = data.split_at(data.iter().position(|octet| *octet == b'\n').unwrap_or(0));
    let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(claims));
    let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature(signed.as_bytes())));
    if let Ok(verified) = KEYS.verify(&token, &PROFILE, NOW) {
        assert!(verified.expires() > NOW);
        // What holds is strict JSON to everybody else, too.
        if let Some(peer) = read(claims) {
            assert_eq!(peer["iss"], "waxseal");
            assert!(peer["exp"].is_number());
        }
        if let Some(peer) = read(header) {
            assert_eq!(peer["alg"], "HS256");
        }
    }
}

/// Strict JSON as a peer reads it; `None` if there is a number that it does not hold, such as 1e999, which nobody asks about.
fn read(octets: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice::<IgnoredAny>(octets).unwrap();
    serde_json::from_slice(octets).ok()
}

/// HMAC-SHA-256 under the key above.
fn signature(text: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let pad = |octet: u8| {
        let mut block = [octet; 64];
        block[..32].iter_mut().for_each(|octet| *octet ^= 7);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// What stands in a revocation snapshot, behind a right signature and without one.
pub(crate) fn snapshot(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let mut verifier = EdgeVerifier::new(PUBLIC_KEYS.clone(), Stale::Refuse).unwrap();
    assert!(verifier.take(text, "waxseal", 0, NOW).is_err(), "a forged snapshot is taken");
    let signed = PUBLIC_KEYS.sign(REVOCATIONS, text, NOW).unwrap();
    if verifier.take(&signed, "waxseal", 0, NOW).is_ok() {
        // What is taken is JSON to everybody else, too.
        if let Some(peer) = read(text.as_bytes()) {
            assert_eq!(peer["iss"], "waxseal");
            assert!(peer["num"].as_u64() == verifier.held().map(|held| held.number()) && peer["tokens"].is_string());
        }
        assert!(verifier.take(&signed, "waxseal", 0, NOW).is_err(), "the same number is taken twice");
    }
    assert!(verifier.verify(&signed, &PROFILE, NOW).is_err(), "a snapshot is a token");
}

/// A key set as it is imported.
pub(crate) fn keys(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(keys) = KeySet::from_jwks(text) {
        let _ = keys.verify("a.b.c", &PROFILE, NOW);
    }
}
