//! Published vectors of JWS, JWK and HMAC. Each run asserts how many tests it executed.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};
use waxseal_core::{
    time::UnixTime,
    token::{ACCESS, Algorithm, KeySet, Profile, Refusal},
};

/// Tests of `json_web_signature` whose verdict is wrong in the file, see `SOURCE.md`; all other differences are in algorithms.
const WRONGLY_INVALID: [u64; 2] = [367, 370];
const WRONGLY_VALID: [u64; 2] = [372, 373];

#[test]
fn wycheproof_json_web_signature() {
    let file = include_str!("../vectors/token/json_web_signature_test.json");
    let accepts = |id| WRONGLY_INVALID.contains(&id);
    let rejects = |id| WRONGLY_VALID.contains(&id);
    assert_eq!(run_jose(file, accepts, rejects), Ran { executed: 401, accepted: 12 });
}

#[test]
fn wycheproof_json_web_key() {
    let file = include_str!("../vectors/token/json_web_key_test.json");
    assert_eq!(run_jose(file, |_| false, |_| false), Ran { executed: 26, accepted: 4 });
}

#[test]
fn wycheproof_json_web_crypto() {
    let file = include_str!("../vectors/token/json_web_crypto_test.json");
    assert_eq!(run_jose(file, |_| false, |_| false), Ran { executed: 83, accepted: 3 });
}

#[test]
fn wycheproof_json_web_encryption() {
    let file = include_str!("../vectors/token/json_web_encryption_test.json");
    assert_eq!(run_jose(file, |_| false, |_| false), Ran { executed: 139, accepted: 0 });
}

#[derive(Debug, PartialEq)]
struct Ran {
    executed: usize,
    accepted: usize,
}

fn run_jose(file: &str, accepts_anyway: impl Fn(u64) -> bool, rejects_anyway: impl Fn(u64) -> bool) -> Ran {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut ran = Ran { executed: 0, accepted: 0 };
    for group in file["testGroups"].as_array().unwrap() {
        let key = ["private", "public"].into_iter().map(|name| &group[name]).find(|key| !key.is_null()).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let token = match (&test["jws"], &test["jwe"]) {
                (Value::String(token), _) | (_, Value::String(token)) => token.clone(),
                (json, other) => if json.is_null() { other } else { json }.to_string(),
            };
            let valid = test["result"] == "valid" && test["jwe"].is_null() && is_supported(key);
            let expected = (valid || accepts_anyway(id)) && !rejects_anyway(id);
            let got = KeySet::from_jwks(&key.to_string()).map_err(|error| error.code()).and_then(|keys| {
                let payload = keys.verify_signature(&token).map_err(Refusal::code);
                assert_eq!(jwt_verdict(&keys, &token), payload.clone().err(), "tcId {id}: with claims checks");
                payload
            });
            assert_eq!(got.is_ok(), expected, "tcId {id}, {}: {got:?}", test["comment"]);
            ran.executed += 1;
            ran.accepted += usize::from(got.is_ok());
        }
    }
    assert_eq!(file["numberOfTests"], ran.executed);
    ran
}

/// Whether the tests of this key use an algorithm that is supported; all others must be rejected.
fn is_supported(key: &Value) -> bool {
    let is_known = |key: &Value| key["alg"].as_str().is_some_and(|alg| Algorithm::from_name(alg).is_some());
    key["keys"].as_array().map_or(is_known(key), |keys| keys.iter().all(is_known))
}

/// The refusal of [`KeySet::verify`], claims left out: the payloads are none.
fn jwt_verdict(keys: &KeySet, token: &str) -> Option<&'static str> {
    let profile = Profile { issuer: "joe", audience: None, leeway: 0, typ: ACCESS };
    let refusal = keys.verify(token, &profile, UnixTime::from_secs(1_300_000_000)).unwrap_err();
    (refusal != Refusal::BadClaimsJson).then_some(refusal.code())
}

#[test]
fn rfc_7515_and_8037_tokens() {
    let file: Value = serde_json::from_str(include_str!("../vectors/token/rfc7515_rfc8037_jws.json")).unwrap();
    let mut verdicts = Vec::new();
    for test in file["tests"].as_array().unwrap() {
        let mut key = if test["key"].is_null() { file["tests"][0]["key"].clone() } else { test["key"].clone() };
        // These keys name no algorithm; ours must.
        key["alg"] = if test["key"].is_null() { json!("HS256") } else { test["alg"].clone() };
        let keys = KeySet::from_jwks(&key.to_string()).unwrap();
        let verdict = keys.verify_signature(test["jws"].as_str().unwrap()).map(|_| ()).map_err(Refusal::code);
        verdicts.push((test["id"].as_str().unwrap().to_owned(), verdict));
    }
    let expected = [
        ("rfc7515-A.1", Ok(())),
        ("rfc7515-A.3", Ok(())),
        ("rfc7515-A.5", Err("algorithm_not_allowed")),
        ("rfc8037-A.4", Ok(())),
    ];
    assert_eq!(verdicts, expected.map(|(id, verdict)| (id.to_owned(), verdict)));
}

#[test]
fn rfc_7515_a1_claims() {
    let file: Value = serde_json::from_str(include_str!("../vectors/token/rfc7515_rfc8037_jws.json")).unwrap();
    let mut key = file["tests"][0]["key"].clone();
    key["alg"] = json!("HS256");
    let keys = KeySet::from_jwks(&key.to_string()).unwrap();
    let token = file["tests"][0]["jws"].as_str().unwrap();
    let profile = Profile { issuer: "joe", audience: None, leeway: 0, typ: ACCESS };
    let refusal = |secs| keys.verify(token, &profile, UnixTime::from_secs(secs)).unwrap_err();
    // The token has no `sub`, which is the last thing that is looked at.
    assert_eq!(refusal(1_300_819_379), Refusal::BadSubject);
    assert_eq!(refusal(1_300_819_380), Refusal::Expired);
}

#[test]
fn rfc_4231_hmac() {
    let file: Value = serde_json::from_str(include_str!("../vectors/token/rfc4231_hmac.json")).unwrap();
    let mut executed = 0;
    for test in file["tests"].as_array().unwrap() {
        let (key, data) = (hex(&test["key_hex"]), hex(&test["data_hex"]));
        let tags = [tag::<Hmac<Sha256>>(&key, &data), tag::<Hmac<Sha384>>(&key, &data), tag::<Hmac<Sha512>>(&key, &data)];
        for (name, tag) in ["hmac_sha256_hex", "hmac_sha384_hex", "hmac_sha512_hex"].into_iter().zip(tags) {
            let expected = hex(&test[name]);
            assert!(expected.len() >= 16);
            assert_eq!(tag[..expected.len()], expected, "case {}, {name}", test["case"]);
            executed += 1;
        }
    }
    assert_eq!(executed, 21);
}

#[test]
fn wycheproof_hmac() {
    run_hmac(include_str!("../vectors/token/hmac_sha256_test.json"), tag::<Hmac<Sha256>>);
    run_hmac(include_str!("../vectors/token/hmac_sha384_test.json"), tag::<Hmac<Sha384>>);
    run_hmac(include_str!("../vectors/token/hmac_sha512_test.json"), tag::<Hmac<Sha512>>);
}

#[track_caller]
fn run_hmac(file: &str, tag: impl Fn(&[u8], &[u8]) -> Vec<u8>) {
    let file: Value = serde_json::from_str(file).unwrap();
    let (mut executed, mut valid) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let octets = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let holds = tag(&hex(&test["key"]), &hex(&test["msg"]))[..octets] == hex(&test["tag"]);
            assert_eq!(holds, test["result"] == "valid", "tcId {}", test["tcId"]);
            executed += 1;
            valid += usize::from(holds);
        }
    }
    assert_eq!((executed, valid), (174, 66));
}

fn tag<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}
