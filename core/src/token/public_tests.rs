//! Keys in two parts: published vectors of the primitives and of RFC 8037, what is no key, and what must never be mixed up.

use super::*;
use crate::{
    lifetime::{Bounds, Manner},
    testing::damaged,
    time::UnixTime,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const PROFILE: Profile<'_> = Profile { issuer: "waxseal", audience: None, leeway: 0, typ: ACCESS };
const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Ed25519, Algorithm::Es256];

fn key(kid: &str, algorithm: Algorithm) -> Key {
    Key::generate(kid, algorithm, &[7; 64]).unwrap()
}

/// The same key without its private part.
fn public_only(key: &Key) -> Key {
    let (kid, algorithm, octets) = (key.kid(), key.algorithm(), key.public().unwrap());
    if kid.is_empty() { Key::nameless(algorithm, octets) } else { Key::new(kid, algorithm, octets) }.unwrap()
}

fn new_claims() -> NewClaims<'static> {
    NewClaims {
        issuer: "waxseal",
        audience: None,
        typ: ACCESS,
        uid: "1042",
        dialect: "redis",
        generation: 3,
        jti: [0xfb; 16],
        issued: NOW,
        lifetime: Bounds::new(1, 300, 3600, Manner::Refuse).unwrap().unasked(),
    }
}

fn verdict(keys: &KeySet, token: &str) -> Result<(), &'static str> {
    let verdict = keys.verify(token, &PROFILE, NOW).map(drop).map_err(Refusal::code);
    // However the set came to be.
    let again = KeySet::from_bytes(&keys.to_bytes()).unwrap();
    assert_eq!(again.verify(token, &PROFILE, NOW).map(drop).map_err(Refusal::code), verdict);
    verdict
}

fn hex(text: &Value) -> Vec<u8> {
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_str().unwrap().as_bytes().chunks(2).map(octet).collect()
}

/// Every verdict of a Wycheproof file over signatures; returns how many tests there were and how many held.
fn run_wycheproof(file: &str, algorithm: Algorithm, public: impl Fn(&Value) -> Vec<u8>) -> (usize, usize) {
    let file: Value = serde_json::from_str(file).unwrap();
    let (mut executed, mut accepted) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let verifier = public::Verifier::new(algorithm, &public(&group["publicKey"])).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let holds = verifier.holds(&hex(&test["msg"]), &hex(&test["sig"]));
            assert_eq!(holds, test["result"] == "valid", "tcId {}, {}", test["tcId"], test["comment"]);
            executed += 1;
            accepted += usize::from(holds);
        }
    }
    assert_eq!(file["numberOfTests"], executed);
    (executed, accepted)
}

#[test]
fn keys_of_unwanted_algorithms_stay_by_name() {
    let keys = || {
        KeySet::new([(key("a", Algorithm::EdDsa), KeyRole::Sign), (key("b", Algorithm::Es256), KeyRole::Verify)]).unwrap()
    };
    let token = keys().issue(&new_claims()).unwrap();
    assert_eq!(verdict(&keys().without(&[Algorithm::Es256]), &token), Ok(()));
    assert_eq!(verdict(&keys().without(&[Algorithm::EdDsa]), &token), Err("key_not_for_verify"));
    assert_eq!(verdict(&keys().without(&ALGORITHMS), &token), Err("key_not_for_verify"));
}

#[test]
fn wycheproof_ed25519() {
    let file = include_str!("../../../tests/vectors/token/ed25519_test.json");
    assert_eq!(run_wycheproof(file, Algorithm::EdDsa, |key| hex(&key["pk"])), (151, 88));
}

#[test]
fn wycheproof_ecdsa_p256() {
    let file = include_str!("../../../tests/vectors/token/ecdsa_secp256r1_sha256_p1363_test.json");
    let public = |key: &Value| hex(&key["uncompressed"]).split_off(1);
    assert_eq!(run_wycheproof(file, Algorithm::Es256, public), (262, 173));
}

/// The keys and the token of RFC 8037, A.1 to A.5, and the key of RFC 7515, A.3.
#[test]
fn rfc_8037_keys_and_signature() {
    let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/token/rfc7515_rfc8037_jws.json")).unwrap();
    let mut signed = 0;
    for test in file["tests"].as_array().unwrap() {
        let Some(algorithm) = test["alg"].as_str().and_then(Algorithm::from_name).filter(|known| !known.is_symmetric())
        else {
            continue;
        };
        let mut jwk = test["key"].clone();
        jwk["alg"] = algorithm.name().into();
        let [Jwk::Usable(key)] = &Jwk::read(&jwk.to_string()).unwrap()[..] else { panic!("{jwk}") };
        let (token, header) = (test["jws"].as_str().unwrap(), test["jws"].as_str().unwrap().rsplit_once('.').unwrap().0);
        let keys = KeySet::new([(public_only(key), KeyRole::Verify)]).unwrap();
        keys.verify_signature(token).unwrap();
        let mut again = Vec::from(header);
        key.sign(&mut again).unwrap();
        let again = base64url::into_text(again);
        keys.verify_signature(&again).unwrap();
        // Ed25519 has one signature for a key and a message.
        assert!(algorithm == Algorithm::Es256 || again == token);
        signed += 1;
    }
    assert_eq!(signed, 2);
}

/// RFC 6979, A.2.5, the message "sample" with SHA-256.
#[test]
fn es256_signs_after_rfc_6979() {
    let private = hex(&"C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721".into());
    let octets = public::from_private(Algorithm::Es256, &private).unwrap();
    let signature = public::sign(Algorithm::Es256, &octets, b"sample").unwrap();
    let expected = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
                    F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    assert_eq!(signature.to_vec(), hex(&expected.into()));
}

#[test]
fn an_issued_token_holds_with_the_public_key_alone() {
    for algorithm in ALGORITHMS {
        let signer = key("k1", algorithm);
        let keys = KeySet::new([(signer.clone(), KeyRole::Sign)]).unwrap();
        let token = keys.issue(&new_claims()).unwrap();
        assert_eq!(keys.issue(&new_claims()).unwrap(), token, "{algorithm}: signing is not pure");
        let public = KeySet::new([(public_only(&signer), KeyRole::Verify)]).unwrap();
        assert_eq!((verdict(&keys, &token), verdict(&public, &token)), (Ok(()), Ok(())), "{algorithm}");
        let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
        let expected = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"k1"}}"#);
        assert_eq!(core::str::from_utf8(&header).unwrap(), expected);
        assert_eq!(public.issue(&new_claims()), Err(crate::refusal::Refusal::NoSigningKey));
        let signs = KeySet::new([(public_only(&signer), KeyRole::Sign)]).map(drop);
        assert_eq!(signs, Err(KeyError::PublicSigner), "{algorithm}");
    }
}

#[test]
fn signatures_of_public_keys() {
    for algorithm in ALGORITHMS {
        let keys = KeySet::new([(key("k1", algorithm), KeyRole::Sign)]).unwrap();
        let token = keys.issue(&new_claims()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let octets = base64url::decode(signature).unwrap();
        let (first, second) = octets.split_at(32);
        let with = |first: &[u8], second: &[u8]| base64url::encode(&[first, second].concat());
        for other in [
            String::new(),
            "AAAA".into(),
            signature[..84].into(),
            format!("{signature}AA"),
            base64url::encode(&[0; 64]),
            base64url::encode(&[0xff; 64]),
            with(&[0; 32], second),
            with(first, &[0; 32]),
            with(first, &[0xff; 32]),
            with(second, first),
        ] {
            let refused = verdict(&keys, &format!("{signed}.{other}"));
            assert!(matches!(refused, Err("bad_signature")), "{algorithm}, {other}: {refused:?}");
        }
    }
}

/// RFC 8032, 5.1.7: adding the order of the group to S gives another text for the same signature, which must not hold.
#[test]
fn an_ed25519_scalar_above_the_order_is_refused() {
    const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let octets = key("k", Algorithm::EdDsa);
    let signature = public::sign(Algorithm::EdDsa, octets.octets(), b"message").unwrap();
    let verifier = public::Verifier::new(Algorithm::EdDsa, octets.octets()).unwrap();
    assert!(verifier.holds(b"message", &signature));
    let (mut raised, mut carry) = (signature, 0);
    for (octet, order) in raised[32..].iter_mut().zip(hex(&ORDER.into())) {
        let sum = u16::from(*octet) + u16::from(order) + carry;
        (*octet, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
    assert!(!verifier.holds(b"message", &raised));
}

/// The points of small order, and an encoding that is not the one of its point (RFC 8032, 5.1.3): under such a key anything would
/// hold, or one token would have two keys.
#[test]
fn weak_and_odd_points_are_no_keys() {
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        // 3 and 4 above the prime: points of the large group, but for being written so.
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        // On no point at all.
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        let made = Key::new("k", Algorithm::EdDsa, &hex(&point.into())).map(drop);
        assert_eq!(made, Err(KeyError::BadKey(Algorithm::EdDsa)), "{point}");
    }
    let good = key("k", Algorithm::Es256);
    let (x, y) = good.public().unwrap().split_at(32);
    for point in [[y, x].concat(), [x, x].concat(), [[0; 32]; 2].concat(), [[0xff; 32]; 2].concat()] {
        let made = Key::new("k", Algorithm::Es256, &point).map(drop);
        assert_eq!(made, Err(KeyError::BadKey(Algorithm::Es256)), "{point:?}");
    }
}

#[test]
fn private_keys_that_are_not_taken() {
    for algorithm in ALGORITHMS {
        let bad = |octets: &[u8]| assert_eq!(Key::new("k", algorithm, octets).map(drop), Err(KeyError::BadKey(algorithm)));
        let (one, other) = (key("a", algorithm), Key::generate("b", algorithm, &[8; 64]).unwrap());
        // A private part beside the public part of another.
        bad(&[one.private().unwrap(), other.public().unwrap()].concat());
        bad(&one.octets()[..one.octets().len() - 1]);
        bad(&[one.octets(), &[0]].concat());
        assert_eq!(Key::new("k", algorithm, &[7; 31]).map(drop), Err(KeyError::ShortSecret { algorithm, octets: 31 }));
    }
    // Zero, the order of the group and what is above it are no private keys of P-256.
    let order = hex(&"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".into());
    for private in [[0; 32].to_vec(), order, [0xff; 32].to_vec()] {
        assert!(public::from_private(Algorithm::Es256, &private).is_none());
        let mut random = [1; 64];
        random[..32].copy_from_slice(&private);
        let made = Key::generate("k", Algorithm::Es256, &random).unwrap();
        assert_eq!(made.private(), Some([1; 32].as_slice()), "the second half counts then");
    }
    assert_eq!(Key::generate("k", Algorithm::Es256, &[0; 64]).map(drop), Err(KeyError::BadKey(Algorithm::Es256)));
}

/// Whoever has the public key, which is everybody, must not be able to make a token with it (RFC 8725, 2.1, 3.1).
#[test]
fn a_public_key_is_no_secret() {
    for algorithm in ALGORITHMS {
        let signer = key("k1", algorithm);
        let keys = KeySet::new([(signer.clone(), KeyRole::Sign)]).unwrap();
        let token = keys.issue(&new_claims()).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let jwk = Jwk::write_public(&signer).unwrap();
        let mut secrets: Vec<Vec<u8>> = [signer.public().unwrap(), jwk.as_bytes()].map(Vec::from).into();
        secrets.push(base64url::encode(signer.public().unwrap()).into_bytes());
        for secret in secrets {
            for hmac in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
                let secret = secret.iter().copied().cycle().take(secret.len().max(64)).collect::<Vec<_>>();
                let forger = Key::new("k1", hmac, &secret).unwrap();
                for alg in [hmac.name(), algorithm.name(), "none", "None", ""] {
                    let header = base64url::encode(format!(r#"{{"alg":"{alg}","kid":"k1"}}"#).as_bytes());
                    let mut forged = format!("{header}.{payload}").into_bytes();
                    forger.sign(&mut forged).unwrap();
                    let refused = verdict(&keys, &base64url::into_text(forged));
                    assert!(refused.is_err(), "{algorithm}, {hmac}, {alg}");
                }
            }
        }
    }
}

#[test]
fn a_key_is_for_its_algorithm_only() {
    for algorithm in ALGORITHMS {
        let signer = key("k1", algorithm);
        let keys = KeySet::new([(signer.clone(), KeyRole::Sign)]).unwrap();
        let payload = base64url::encode(br#"{"iss":"waxseal","sub":"1","exp":1800000001}"#);
        for alg in Algorithm::ALL.iter().map(|known| known.name()).chain(["none", "NONE", "eddsa", "RS256"]) {
            let header = base64url::encode(format!(r#"{{"alg":"{alg}","kid":"k1"}}"#).as_bytes());
            let mut token = format!("{header}.{payload}").into_bytes();
            signer.sign(&mut token).unwrap();
            let expected = match Algorithm::from_name(alg) {
                Some(same) if same == algorithm => Ok(()),
                Some(_) => Err("wrong_algorithm"),
                None => Err("algorithm_not_allowed"),
            };
            assert_eq!(verdict(&keys, &base64url::into_text(token)), expected, "{algorithm}, {alg}");
        }
    }
}

#[test]
fn secrets_and_public_keys_make_no_set() {
    let secret = || Key::new("s", Algorithm::Hs256, &[7; 32]).unwrap();
    for algorithm in ALGORITHMS {
        let keys = [(secret(), KeyRole::Verify), (key("p", algorithm), KeyRole::Verify)];
        assert_eq!(KeySet::new(keys).map(drop), Err(KeyError::MixedSet));
        let jwks =
            format!(r#"{{"keys":[{},{}]}}"#, *Jwk::write(&secret()), Jwk::write_public(&key("p", algorithm)).unwrap());
        assert_eq!(KeySet::from_jwks(&jwks).map(drop), Err(KeyError::MixedSet));
    }
    let kinds = ALGORITHMS.map(|algorithm| (key(algorithm.name(), algorithm), KeyRole::Verify));
    assert!(KeySet::new(kinds).is_ok());
}

#[test]
fn one_key_signs_at_a_time() {
    let (then, before) = (UnixTime::from_secs(100), UnixTime::from_millis(99_999));
    let set = |roles: &[KeyRole]| {
        let keys = roles.iter().enumerate().map(|(index, role)| (key(&index.to_string(), Algorithm::EdDsa), *role));
        KeySet::new(keys)
    };
    let keys = set(&[KeyRole::SignUntil(then), KeyRole::SignFrom(then), KeyRole::Verify]).unwrap();
    let signer = |now| keys.signer(now).map(Key::kid).unwrap_or_default().to_string();
    assert_eq!((signer(before), signer(then), signer(NOW)), ("0".into(), "1".into(), "1".into()));
    for roles in [
        [KeyRole::Sign, KeyRole::SignFrom(then)],
        [KeyRole::SignUntil(then), KeyRole::SignFrom(before)],
        [KeyRole::SignUntil(then), KeyRole::SignUntil(before)],
        [KeyRole::SignFrom(then), KeyRole::SignFrom(before)],
    ] {
        assert_eq!(set(&roles).map(drop), Err(KeyError::ManySigners), "{roles:?}");
    }
    assert!(set(&[KeyRole::SignUntil(before), KeyRole::SignFrom(then)]).unwrap().signer(before).is_none());
}

#[test]
fn a_public_jwk_holds_nothing_private() {
    for algorithm in ALGORITHMS {
        let signer = key("a\"b", algorithm);
        let (kty, crv) = algorithm.key_type();
        let mut expected = json!({
            "kty": kty, "crv": crv, "kid": "a\"b", "alg": algorithm.name(), "use": "sig",
            "x": base64url::encode(&signer.public().unwrap()[..32]),
        });
        if algorithm == Algorithm::Es256 {
            expected["y"] = base64url::encode(&signer.public().unwrap()[32..]).into();
        }
        let written = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(written(&Jwk::write_public(&signer).unwrap()), expected);
        assert_eq!(Jwk::write_public(&public_only(&signer)), Jwk::write_public(&signer));
        expected["d"] = base64url::encode(&[7; 32]).into();
        assert_eq!(written(&Jwk::write(&signer)), expected);
        for text in [Jwk::write(&signer).to_string(), Jwk::write_public(&signer).unwrap()] {
            let [Jwk::Usable(again)] = &Jwk::read(&text).unwrap()[..] else { panic!("{text}") };
            assert_eq!((again.public(), again.can_sign()), (signer.public(), text.contains("\"d\"")));
        }
    }
    assert_eq!(Jwk::write_public(&Key::new("k", Algorithm::Hs256, &[7; 32]).unwrap()), None);
}

#[test]
fn public_json_web_keys() {
    let good = |algorithm: Algorithm| serde_json::from_str::<Value>(&Jwk::write(&key("k", algorithm))).unwrap();
    let check = |jwk: &Value, expected: &str| {
        let code = match Jwk::read(&jwk.to_string()) {
            Ok(read) if matches!(read[..], [Jwk::Usable(_)]) => "usable",
            Ok(_) => "unusable",
            Err(error) => error.code(),
        };
        assert_eq!(code, expected, "{jwk}");
    };
    let short = base64url::encode(&[7; 31]);
    for algorithm in ALGORITHMS {
        check(&good(algorithm), "usable");
        for (name, value, expected) in [
            ("use", json!("enc"), "unusable"),
            ("key_ops", json!(["sign"]), "unusable"),
            ("key_ops", json!(["sign", "verify"]), "usable"),
            ("kty", json!("oct"), "unusable"),
            ("kty", json!("RSA"), "unusable"),
            ("crv", json!("Ed448"), "unusable"),
            ("crv", json!("P-384"), "unusable"),
            ("crv", json!("X25519"), "unusable"),
            ("crv", json!(1), "bad_jwk"),
            ("alg", json!("ES384"), "unusable"),
            ("alg", json!("HS256"), "unusable"),
            ("alg", json!("ECDH-ES"), "unusable"),
            ("x", json!(short), "bad_key"),
            ("x", json!(format!("AA{short}")), "bad_key"),
            ("x", json!("*"), "bad_jwk"),
            ("x", json!(7), "bad_jwk"),
            ("d", json!(short), "bad_key"),
            ("d", json!(base64url::encode(&[8; 32])), "bad_key"),
        ] {
            let mut jwk = good(algorithm);
            jwk[name] = value;
            check(&jwk, expected);
        }
        for (name, expected) in [("x", "bad_jwk"), ("alg", "unusable"), ("crv", "unusable"), ("d", "usable")] {
            let mut jwk = good(algorithm);
            jwk.as_object_mut().unwrap().remove(name);
            check(&jwk, expected);
        }
    }
    let mut jwk = good(Algorithm::Es256);
    jwk.as_object_mut().unwrap().remove("y");
    check(&jwk, "bad_jwk");
    jwk["y"] = jwk["x"].clone();
    check(&jwk, "bad_key");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a key is made of, its tokens hold, with the public part alone, and no changed one does.
    #[test]
    fn no_changed_token_of_a_public_key_holds(random: [u8; 32], which in 0..3_usize, at: usize, octet in "[\\x00-\\x7f]", kind in 0..3) {
        let algorithm = ALGORITHMS[which];
        let mut seed = [1; 64];
        seed[..32].copy_from_slice(&random);
        let signer = Key::generate("k1", algorithm, &seed).unwrap();
        let token = KeySet::new([(signer.clone(), KeyRole::Sign)]).unwrap().issue(&new_claims()).unwrap();
        let keys = KeySet::new([(public_only(&signer), KeyRole::Verify)]).unwrap();
        prop_assert_eq!(verdict(&keys, &token), Ok(()));
        let changed = damaged(&token, at, kind, &octet);
        prop_assume!(changed != token);
        prop_assert!(verdict(&keys, &changed).is_err());
    }

    /// Octets are a key or not, and never a panic; what is a key has one form.
    #[test]
    fn any_octets_are_a_key_or_not(octets in proptest::collection::vec(any::<u8>(), 0..100), which in 0..3_usize) {
        if let Ok(key) = Key::new("k", ALGORITHMS[which], &octets) {
            prop_assert_eq!(key.octets(), &octets[..]);
        }
        if let Ok(key) = Key::unkeyed("k", ALGORITHMS[which], &octets) {
            prop_assert!(key.check("a.b", &base64url::encode(&[1; 64])).is_err());
        }
    }
}
