//! Published vectors of the password derivations, through [`derive`].
#![expect(clippy::unwrap_used, reason = "a vector that cannot be read must fail its test")]

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use serde_json::Value;
use waxseal_core::{
    password::{Derived, Hash, List, Memory, Scheme, SchemeError, derive, prepare},
    seam::Derivation,
};

#[test]
fn wycheproof_pbkdf2() {
    let file: Value = serde_json::from_str(include_str!("../vectors/password/pbkdf2_hmacsha256_test.json")).unwrap();
    let (mut computed, mut refused) = (0, 0);
    for test in file["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap()) {
        assert_eq!(test["result"], "valid");
        let iterations = number(&test["iterationCount"]);
        let derivation = Derivation {
            scheme: Scheme::Pbkdf2Sha256 { iterations },
            salt: hex(&test["salt"]),
            password: hex(&test["password"]).into(),
        };
        let expected = hex(&test["dk"]);
        match derive(&derivation, &mut Memory::default()) {
            Ok(output) => {
                let shorter = output.len().min(expected.len());
                assert_eq!(output[..shorter], expected[..shorter], "tcId {}", test["tcId"]);
                computed += 1;
            }
            Err(error) => {
                assert_eq!(error, SchemeError::Iterations { iterations });
                assert!(iterations < 1000);
                refused += 1;
            }
        }
    }
    assert_eq!((computed, refused), (59, 1));
}

#[test]
fn stored_argon2id_texts() {
    let file = rfc9106();
    let tests = file["made_here"]["tests"].as_array().unwrap();
    let mut memory = Memory::default();
    for test in tests {
        let text = test["phc"].as_str().unwrap();
        let hash: Hash = text.parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert_eq!(hash.salt(), test["salt_ascii"].as_str().unwrap().as_bytes());
        let scheme = hash.scheme();
        let (memory_kib, passes, lanes) = (&test["memory_kib"], &test["iterations"], &test["lanes"]);
        assert_eq!(scheme, Scheme::Argon2id { memory: number(memory_kib), passes: number(passes), lanes: number(lanes) });

        let password = test["password_utf8"].as_str().unwrap();
        let mut position = |password: &str| {
            let salt = hash.salt().to_vec();
            let output = derive(&Derivation { scheme, salt, password: prepare(password).unwrap() }, &mut memory).unwrap();
            let position = List::new(hash.clone()).position(&[Derived::new(scheme, &output).unwrap()]);
            (output.to_vec(), position)
        };
        assert_eq!(position(password), (hex(&test["tag_hex"]), Some(0)));
        assert_eq!(position(&password.to_uppercase()).1, None);
    }
    assert_eq!(tests.len(), 3);
}

/// The vector of the RFC has a secret and associated data, which we never use: it checks the library below [`derive`].
#[test]
fn rfc_9106_argon2id() {
    let file = rfc9106();
    let [password, salt, secret, data] =
        ["password_hex", "salt_hex", "secret_hex", "associated_data_hex"].map(|name| hex(&file[name]));
    let params = ParamsBuilder::new()
        .m_cost(number(&file["memory_kib"]))
        .t_cost(number(&file["iterations"]))
        .p_cost(number(&file["lanes"]))
        .data(AssociatedData::new(&data).unwrap())
        .build()
        .unwrap();
    let argon2 = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&password, &salt, &mut tag).unwrap();
    assert_eq!(tag.to_vec(), hex(&file["tags_hex"]["argon2id"]));
}

fn rfc9106() -> Value {
    serde_json::from_str(include_str!("../vectors/password/rfc9106_argon2.json")).unwrap()
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    assert_eq!(digits.len() % 2, 0);
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
