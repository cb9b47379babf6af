//! The whole way of a token, as tables: every reason has a case, and the order of the checks is held.

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
use serde_json::json;

const SECRET: &[u8; 64] = b"sixty-four octets of a secret that is used by these tests only!!";
const NOW: u64 = 1_800_000_000;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#;
const PROFILE: Profile<'_> = Profile { issuer: "waxseal", audience: None, leeway: 0, typ: ACCESS };
const FOR_US: Profile<'_> = Profile { audience: Some("us"), ..PROFILE };

fn key(kid: &str, algorithm: Algorithm) -> Key {
    Key::new(kid, algorithm, SECRET).unwrap()
}

fn keys() -> KeySet {
    KeySet::new([
        (key("k1", Algorithm::Hs256), KeyRole::Sign),
        (key("k2", Algorithm::Hs512), KeyRole::Verify),
        (key("k3", Algorithm::Hs384), KeyRole::Verify),
    ])
    .unwrap()
}

/// A token with a good signature over any header and payload.
fn sign(header: &str, payload: impl AsRef<[u8]>) -> String {
    sign_with(&key("any", Algorithm::Hs256), header, payload)
}

fn sign_with(key: &Key, header: &str, payload: impl AsRef<[u8]>) -> String {
    let mut token = (base64url::encode(header.as_bytes()) + "." + &base64url::encode(payload.as_ref())).into_bytes();
    key.sign(&mut token).unwrap();
    base64url::into_text(token)
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
        issued: UnixTime::from_secs(NOW),
        lifetime: Bounds::new(1, 300, 3600, Manner::Refuse).unwrap().unasked(),
    }
}

fn verdict(token: &str, profile: &Profile<'_>) -> Result<(), &'static str> {
    let result = keys().verify(token, profile, UnixTime::from_secs(NOW)).map(|_| ()).map_err(Refusal::code);
    let explanation = keys().explain(token, profile, UnixTime::from_secs(NOW));
    assert_eq!((explanation.accepted, explanation.code), (result.is_ok(), result.err()));
    result
}

#[track_caller]
fn check(token: &str, expected: Result<(), &str>) {
    assert_eq!(verdict(token, &PROFILE), expected, "{token}");
}

/// A token whose header is replaced.
#[track_caller]
fn check_header(header: &str, expected: Result<(), &str>) {
    let payload = format!(r#"{{"iss":"waxseal","sub":"1","exp":{}}}"#, NOW + 1);
    assert_eq!(verdict(&sign(header, payload), &PROFILE), expected, "{header}");
}

/// A token with these members besides a good `iss`, `sub` and `exp`.
#[track_caller]
fn check_claim(member: &str, expected: Result<(), &str>) {
    check_claims(&format!(r#"{{"iss":"waxseal","sub":"1","exp":{},{member}}}"#, NOW + 1), expected);
}

#[track_caller]
fn check_claims(claims: &str, expected: Result<(), &str>) {
    assert_eq!(verdict(&sign(HEADER, claims), &PROFILE), expected, "{claims}");
}

/// A token with this `exp` and otherwise good claims.
#[track_caller]
fn check_exp(exp: &str, expected: Result<(), &str>) {
    check_claims(&format!(r#"{{"iss":"waxseal","sub":"1","exp":{exp}}}"#), expected);
}

#[track_caller]
fn check_aud(aud: &str, expected: Result<(), &str>) {
    let claims = format!(r#"{{"iss":"waxseal","sub":"1","exp":{}{aud}}}"#, NOW + 1);
    assert_eq!(verdict(&sign(HEADER, &claims), &FOR_US), expected, "{claims}");
}

#[test]
fn an_issued_token_holds_and_says_what_it_was_given() {
    let keys = keys();
    let token = keys.issue(&new_claims()).unwrap();
    let verified = keys.verify(&token, &PROFILE, UnixTime::from_secs(NOW)).unwrap();
    assert_eq!(
        (&*verified.subject(), verified.uid().as_deref(), verified.dialect().as_deref()),
        ("1042", Some("1042"), Some("redis"))
    );
    assert_eq!((verified.jti().as_deref(), verified.generation()), (Some("-_v7-_v7-_v7-_v7-_v7-w"), Some(3)));
    assert_eq!(verified.issued(), Some(UnixTime::from_secs(NOW)));
    assert_eq!(verified.expires(), UnixTime::from_secs(NOW + 300));
    let claims: serde_json::Value = serde_json::from_str(verified.claims_json()).unwrap();
    let expected = json!({
        "iss": "waxseal", "sub": "1042", "iat": NOW, "exp": NOW + 300, "jti": "-_v7-_v7-_v7-_v7-_v7-w",
        "uid": "1042", "gen": 3, "dialect": "redis",
    });
    assert_eq!(claims, expected);
    let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
    assert_eq!(header, HEADER.as_bytes());
}

#[test]
fn an_issued_token_of_another_kind_and_audience() {
    let keys = keys();
    let token =
        keys.issue(&NewClaims { audience: Some("us"), typ: "snapshot", uid: "a\"b\u{1}é", ..new_claims() }).unwrap();
    let snapshot = Profile { typ: "snapshot", ..FOR_US };
    let verified = keys.verify(&token, &snapshot, UnixTime::from_secs(NOW)).unwrap();
    assert_eq!((&*verified.subject(), verified.uid().as_deref()), ("a\"b\u{1}é", Some("a\"b\u{1}é")));
    assert_eq!(verified.dialect().as_deref(), Some("redis"));
    assert_eq!(verdict(&token, &FOR_US), Err("wrong_typ"));
    assert_eq!(verdict(&token, &Profile { typ: "snapshot", ..PROFILE }), Err("wrong_audience"));
}

#[test]
fn a_set_without_signer_issues_nothing() {
    let keys = KeySet::new([(key("k1", Algorithm::Hs256), KeyRole::Verify)]).unwrap();
    assert_eq!(keys.issue(&new_claims()), Err(crate::refusal::Refusal::NoSigningKey));
}

#[test]
fn size_and_shape() {
    let token = keys().issue(&new_claims()).unwrap();
    check(&token, Ok(()));
    check(&"a".repeat(8193), Err("too_long"));
    check(&"a".repeat(8192), Err("malformed"));
    for text in ["", ".", "a", "a.b", &format!("{token}."), &format!(".{token}"), "a.b.c.d", "a.b.c.d.e", "{}"] {
        check(text, Err("malformed"));
    }
    check("..", Err("bad_header_json"));
    let padding = "x".repeat(8192 - 3 - sign(HEADER, r#"{"iss":"waxseal","sub":"1","exp":1800000001,"pad":""}"#).len());
    let padding = &padding[..padding.len() / 4 * 3];
    let longest = sign(HEADER, format!(r#"{{"iss":"waxseal","sub":"1","exp":1800000001,"pad":"{padding}"}}"#));
    assert!(longest.len() > 8180 && longest.len() <= MAX_TOKEN);
    check(&longest, Ok(()));
}

#[test]
fn base64url_of_each_part() {
    let token = keys().issue(&new_claims()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    check(&format!("{header}=.{payload}.{signature}"), Err("bad_base64"));
    check(&format!(" {token}"), Err("bad_base64"));
    check(&format!("{token}\n"), Err("bad_base64"));
    check(&format!("{token}="), Err("bad_base64"));
    check(&format!("{header}.{payload}.+{}", &signature[1..]), Err("bad_base64"));
    // 43 characters for 32 octets leave two spare bits in the last one.
    let last = signature.chars().last().unwrap();
    let other = char::from(if last == '9' { b'8' } else { last as u8 + 1 });
    check(&format!("{header}.{payload}.{}{other}", &signature[..42]), Err("bad_base64"));
    // A payload that is not base64url under a good signature.
    let mut bad_payload = format!("{header}.{payload}?").into_bytes();
    key("any", Algorithm::Hs256).sign(&mut bad_payload).unwrap();
    check(&base64url::into_text(bad_payload), Err("bad_base64"));
}

#[test]
fn header_json() {
    check_header(r#" { "kid" : "k1" , "alg" : "HS256" } "#, Ok(()));
    check_header(
        r#"{"alg":"HS256","kid":"k1","cty":1,"x":{"y":[null]},"jwk":{},"jku":"https://example.com","b64":true}"#,
        Ok(()),
    );
    check_header(r#"{"\u0061lg":"HS\u0032\u00356","kid":"k\u0031"}"#, Ok(()));
    for header in
        ["", "[]", "null", "{}{}", r#"{"alg":"HS256","kid":"k1","alg":"HS256"}"#, r#"{"alg":"HS256","kid":"k1"}x"#]
    {
        check_header(header, Err("bad_header_json"));
    }
    check_header(r#"{"alg":"HS256","kid":"k1","\u006bid":"k1"}"#, Err("bad_header_json"));
    check_header("\u{feff}{\"alg\":\"HS256\",\"kid\":\"k1\"}", Err("bad_header_json"));
    check(&sign(HEADER, "{}").replacen("eyJh", "_yJh", 1), Err("bad_header_json"));
}

#[test]
fn crit() {
    for crit in [r#"["exp"]"#, r#"["b64"]"#, r#"["alg"]"#, "[]", "null", "\"b64\"", "{}", "[1]"] {
        check_header(&format!(r#"{{"alg":"HS256","kid":"k1","b64":false,"crit":{crit}}}"#), Err("crit_present"));
    }
}

#[test]
fn algorithms() {
    for alg in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS1", "RS256", "es256", "eddsa", "ED25519", "Ed448",
        "PS256", "dir",
    ] {
        check_header(&format!(r#"{{"alg":"{alg}","kid":"k1"}}"#), Err("algorithm_not_allowed"));
    }
    for alg in ["null", "1", "[\"HS256\"]", "{}", "true"] {
        check_header(&format!(r#"{{"alg":{alg},"kid":"k1"}}"#), Err("algorithm_not_allowed"));
    }
    check_header(r#"{"kid":"k1"}"#, Err("algorithm_not_allowed"));
    check_header(r#"{"alg":"HS512","kid":"k1"}"#, Err("wrong_algorithm"));
    check_header(r#"{"alg":"HS256","kid":"k2"}"#, Err("wrong_algorithm"));
    let payload = format!(r#"{{"iss":"waxseal","sub":"1","exp":{}}}"#, NOW + 1);
    check(&sign_with(&key("any", Algorithm::Hs512), r#"{"alg":"HS512","kid":"k2"}"#, &payload), Ok(()));
    check(&sign_with(&key("any", Algorithm::Hs384), r#"{"alg":"HS384","kid":"k3"}"#, &payload), Ok(()));
    check(&sign_with(&key("any", Algorithm::Hs256), r#"{"alg":"HS512","kid":"k2"}"#, &payload), Err("bad_signature"));
}

#[test]
fn kids() {
    check_header(r#"{"alg":"HS256","kid":"k"}"#, Err("unknown_kid"));
    check_header(r#"{"alg":"HS256","kid":"K1"}"#, Err("unknown_kid"));
    check_header(r#"{"alg":"HS256","kid":""}"#, Err("unknown_kid"));
    check_header(r#"{"alg":"HS256"}"#, Err("missing_kid"));
    for kid in ["1", "null", "[\"k1\"]", "{}"] {
        check_header(&format!(r#"{{"alg":"HS256","kid":{kid}}}"#), Err("bad_kid"));
    }
    check_header(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(256)), Err("unknown_kid"));
    check_header(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(257)), Err("bad_kid"));
    check_header(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "\\u00e9".repeat(129)), Err("bad_kid"));
}

#[test]
fn a_sole_key_verifies_tokens_without_kid() {
    let verify = |keys: [(Key, KeyRole); 1], header| {
        let token = sign(header, "foo");
        KeySet::new(keys).unwrap().verify_signature(&token).map_err(Refusal::code)
    };
    let nameless = || [(Key::nameless(Algorithm::Hs256, SECRET).unwrap(), KeyRole::Sign)];
    assert_eq!(verify(nameless(), r#"{"alg":"HS256"}"#), Ok(b"foo".to_vec()));
    assert_eq!(verify(nameless(), r#"{"alg":"HS256","kid":""}"#), Err("unknown_kid"));
    assert_eq!(verify(nameless(), HEADER), Err("unknown_kid"));
    assert_eq!(verify([(key("k1", Algorithm::Hs256), KeyRole::Sign)], r#"{"alg":"HS256"}"#), Ok(b"foo".to_vec()));
    assert_eq!(KeySet::default().verify_signature(&sign(r#"{"alg":"HS256"}"#, "foo")), Err(Refusal::MissingKid));
    let keys = KeySet::new(nameless()).unwrap();
    keys.verify(&keys.issue(&new_claims()).unwrap(), &PROFILE, UnixTime::from_secs(NOW)).unwrap();
}

#[test]
fn signatures() {
    let token = keys().issue(&new_claims()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for other in ["", "AAAA", &signature[..40], &format!("{signature}AAA"), &"A".repeat(43), &"A".repeat(86)] {
        check(&format!("{signed}.{other}"), Err("bad_signature"));
    }
    check(&format!("{signed}.{}", sign(HEADER, "{}").rsplit_once('.').unwrap().1), Err("bad_signature"));
}

#[test]
fn claims_json() {
    check_claim(r#""x":[{"y":1,"y":2}],"z":"\ud83d\ude00","n":1e999"#, Ok(()));
    check_claims(&format!(" {{ \"iss\" : \"waxseal\" ,\n\"sub\":\"1\",\t\"exp\":{} }} ", NOW + 1), Ok(()));
    check_claim(r#""exp":1800000001"#, Err("bad_claims_json"));
    check_claim(r#""\u0065xp":1800000001"#, Err("bad_claims_json"));
    check_claim(r#""x":1,"\u0078":1"#, Err("bad_claims_json"));
    check_claim(r#""x":"\ud83d""#, Err("bad_claims_json"));
    for claims in ["", "foo", "[]", "\"a\"", "{", "{}{}", "\u{feff}{}"] {
        check_claims(claims, Err("bad_claims_json"));
    }
    check(&sign(HEADER, b"{\"iss\":\"\xff\"}"), Err("bad_claims_json"));
}

#[test]
fn kinds() {
    check_header(r#"{"alg":"HS256","kid":"k1","typ":"J\u0057T"}"#, Ok(()));
    for typ in ["\"jwt\"", "\"at+jwt\"", "\"\"", "null", "1", "[\"JWT\"]"] {
        check_header(&format!(r#"{{"alg":"HS256","kid":"k1","typ":{typ}}}"#), Err("wrong_typ"));
    }
    let other = Profile { typ: "refresh", ..PROFILE };
    let payload = format!(r#"{{"iss":"waxseal","sub":"1","exp":{}}}"#, NOW + 1);
    assert_eq!(verdict(&sign(HEADER, &payload), &other), Err("wrong_typ"));
    assert_eq!(verdict(&sign(r#"{"alg":"HS256","kid":"k1"}"#, &payload), &other), Err("wrong_typ"));
    assert_eq!(verdict(&sign(r#"{"alg":"HS256","kid":"k1","typ":"refresh"}"#, &payload), &other), Ok(()));
}

#[test]
fn expiry() {
    check_claims(r#"{"iss":"waxseal","sub":"1"}"#, Err("missing_exp"));
    for exp in ["null", "\"1800000001\"", "true", "[1800000001]", "{}", "1e400", "1e15", "18446744073709551616", "-1e99"] {
        check_exp(exp, Err("bad_exp"));
    }
    for exp in ["0", "-1", "-0", "1799999999", "1800000000", "1799999999.9999999999", "18e8", "1.8e9", "1e-400"] {
        check_exp(exp, Err("expired"));
    }
    for exp in ["1800000001", "1800000000.0000000001", "1.800000001e9", "18000000001e-1", "999999999999999"] {
        check_exp(exp, Ok(()));
    }
}

#[test]
fn not_before_and_issue() {
    for nbf in ["1800000000", "-1e3", "0.5", "1799999999.999"] {
        check_claim(&format!("\"nbf\":{nbf}"), Ok(()));
        check_claim(&format!("\"iat\":{nbf}"), Ok(()));
    }
    for nbf in ["1800000000.0001", "1800000001", "1e14"] {
        check_claim(&format!("\"nbf\":{nbf}"), Err("not_yet_valid"));
        check_claim(&format!("\"iat\":{nbf}"), Err("issued_in_future"));
    }
    for nbf in ["null", "\"1\"", "true", "[]", "{}", "1e400"] {
        check_claim(&format!("\"nbf\":{nbf}"), Err("bad_nbf"));
        check_claim(&format!("\"iat\":{nbf}"), Err("bad_iat"));
    }
}

#[test]
fn leeway() {
    let with = |leeway, member: &str| {
        let claims = format!(r#"{{"iss":"waxseal","sub":"1",{member}}}"#);
        verdict(&sign(HEADER, claims), &Profile { leeway, ..PROFILE })
    };
    assert_eq!(with(10, r#""exp":1799999991"#), Ok(()));
    assert_eq!(with(10, r#""exp":1799999990"#), Err("expired"));
    assert_eq!(with(10, r#""exp":1800000001,"nbf":1800000010"#), Ok(()));
    assert_eq!(with(10, r#""exp":1800000001,"nbf":1800000011"#), Err("not_yet_valid"));
    assert_eq!(with(10, r#""exp":1800000001,"iat":1800000010"#), Ok(()));
    assert_eq!(with(10, r#""exp":1800000001,"iat":1800000011"#), Err("issued_in_future"));
    // More than the ceiling is the ceiling.
    assert_eq!(with(u32::MAX, r#""exp":1799999941"#), Ok(()));
    assert_eq!(with(u32::MAX, r#""exp":1799999940"#), Err("expired"));
}

#[test]
fn absurd_clocks_neither_wrap_nor_panic() {
    let at = |now, member: &str| {
        let token = sign(HEADER, format!(r#"{{"iss":"waxseal","sub":"1",{member}}}"#));
        keys().verify(&token, &Profile { leeway: 60, ..PROFILE }, now).map(|_| ()).map_err(Refusal::code)
    };
    let end = UnixTime::NEVER;
    assert_eq!(at(end, r#""exp":999999999999999"#), Err("expired"));
    assert_eq!(at(UnixTime::from_millis(0), r#""exp":-999999999999999"#), Err("expired"));
    assert_eq!(at(UnixTime::from_millis(0), r#""exp":1,"nbf":-999999999999999,"iat":-999999999999999"#), Ok(()));
}

#[test]
fn issuers() {
    let claims = |iss: &str| format!(r#"{{{iss}"sub":"1","exp":{}}}"#, NOW + 1);
    check_claims(&claims(r#""iss":"wax\u0073eal","#), Ok(()));
    for iss in
        ["", r#""iss":"Waxseal","#, r#""iss":"waxseal ","#, r#""iss":"","#, r#""iss":null,"#, r#""iss":["waxseal"],"#]
    {
        check_claims(&claims(iss), Err("wrong_issuer"));
    }
}

#[test]
fn audiences() {
    check_aud(r#","aud":"us""#, Ok(()));
    check_aud(r#","aud":["them","u\u0073"]"#, Ok(()));
    check_aud(r#","aud":[ "us" , "them" ]"#, Ok(()));
    for aud in ["", r#","aud":"them""#, r#","aud":"US""#, r#","aud":[]"#, r#","aud":["them"]"#, r#","aud":"""#] {
        check_aud(aud, Err("wrong_audience"));
    }
    for aud in ["null", "1", "true", "{\"us\":1}", "[\"us\",1]", "[[\"us\"]]", "[null]"] {
        check_aud(&format!(",\"aud\":{aud}"), Err("bad_audience"));
    }
    // Nobody is expected, so whoever is named is somebody else.
    check_claim(r#""aud":"us""#, Err("wrong_audience"));
    check_claim(r#""aud":[]"#, Err("wrong_audience"));
}

#[test]
fn subjects_and_ids() {
    let claims = |sub: &str| format!(r#"{{"iss":"waxseal",{sub}"exp":{}}}"#, NOW + 1);
    for sub in ["", r#""sub":"","#, r#""sub":1,"#, r#""sub":null,"#, r#""sub":["1"],"#] {
        check_claims(&claims(sub), Err("bad_subject"));
    }
    check_claim(r#""jti":1"#, Err("bad_jti"));
    check_claim(r#""jti":null"#, Err("bad_jti"));
    for member in [
        r#""gen":"3""#,
        r#""gen":-1"#,
        r#""gen":3.0"#,
        r#""gen":4294967296"#,
        r#""gen":null"#,
        r#""uid":1"#,
        r#""dialect":[]"#,
    ] {
        check_claim(member, Err("bad_private_claim"));
    }
}

#[test]
fn escaped_strings_are_handed_out_unescaped() {
    let json = format!(r#"{{"iss":"waxseal","sub":"\u00e9\ud83d\ude00","jti":"a\/b","exp":{},"uid":"plain"}}"#, NOW + 1);
    let verified = keys().verify(&sign(HEADER, &json), &PROFILE, UnixTime::from_secs(NOW)).unwrap();
    assert_eq!(
        (&*verified.subject(), verified.jti().as_deref(), verified.uid().as_deref()),
        ("é😀", Some("a/b"), Some("plain"))
    );
    assert_eq!((verified.dialect(), verified.generation(), verified.issued()), (None, None, None));
    assert_eq!(verified.claims_json(), json);
}

#[test]
fn checks_run_in_order() {
    // Each token is wrong in everything from one step on; the first step gives the reason.
    let signed = |claims: &str| sign(r#"{"alg":"HS256","kid":"k1","typ":"x"}"#, claims);
    check(&("?.?.?.?".to_string() + &"x".repeat(8192)), Err("too_long"));
    check("?.?.?.?", Err("malformed"));
    check("?.?.?", Err("bad_base64"));
    check("AAAA.?.?", Err("bad_header_json"));
    check_header(r#"{"alg":"none","kid":1,"crit":[]}"#, Err("crit_present"));
    check_header(r#"{"alg":"none","kid":1}"#, Err("algorithm_not_allowed"));
    check_header(r#"{"alg":"HS512","kid":1}"#, Err("bad_kid"));
    check_header(r#"{"alg":"HS512","kid":"x"}"#, Err("unknown_kid"));
    check(&signed("foo"), Err("bad_claims_json"));
    check(&signed("{}"), Err("wrong_typ"));
    check_claims(r#"{"nbf":"","iat":"","sub":1}"#, Err("missing_exp"));
    check_claims(r#"{"exp":1,"nbf":"","iat":"","sub":1}"#, Err("expired"));
    check_claims(r#"{"exp":2e9,"nbf":3e9,"iat":"","sub":1}"#, Err("not_yet_valid"));
    check_claims(r#"{"exp":2e9,"iat":3e9,"sub":1}"#, Err("issued_in_future"));
    check_claims(r#"{"exp":2e9,"aud":1,"sub":1}"#, Err("wrong_issuer"));
    check_claims(r#"{"exp":2e9,"iss":"waxseal","aud":1,"sub":1}"#, Err("bad_audience"));
    check_claims(r#"{"exp":2e9,"iss":"waxseal","sub":1,"jti":1}"#, Err("bad_subject"));
    check_claims(r#"{"exp":2e9,"iss":"waxseal","sub":"1","jti":1,"gen":""}"#, Err("bad_jti"));
}

#[track_caller]
fn check_set(keys: impl IntoIterator<Item = (Key, KeyRole)>, expected: Result<(), &KeyError>) {
    assert_eq!(KeySet::new(keys).as_ref().map(|_| ()), expected);
}

#[test]
fn sets_that_are_not_taken() {
    let hs256 = |kid| key(kid, Algorithm::Hs256);
    let nameless = || Key::nameless(Algorithm::Hs256, SECRET).unwrap();
    check_set([], Ok(()));
    check_set([(hs256("a"), KeyRole::Sign), (hs256("b"), KeyRole::Verify)], Ok(()));
    check_set([(hs256("a"), KeyRole::Sign), (hs256("a"), KeyRole::Verify)], Err(&KeyError::RepeatedKid("a".into())));
    check_set([(hs256("a"), KeyRole::Sign), (hs256("b"), KeyRole::Sign)], Err(&KeyError::ManySigners));
    check_set([(hs256("a"), KeyRole::Sign), (nameless(), KeyRole::Verify)], Err(&KeyError::NamelessKey));
    check_set([(nameless(), KeyRole::Verify), (nameless(), KeyRole::Verify)], Err(&KeyError::NamelessKey));
}

/// Security T18: whoever has an old secret makes nothing with it once its time has passed, whatever the token says.
#[test]
fn nothing_holds_beyond_the_end_of_its_key() {
    let end = UnixTime::from_secs(NOW + 100);
    let set = KeySet::new([
        (key("k1", Algorithm::Hs256), KeyRole::Sign),
        (key("k2", Algorithm::Hs512).lasting(Some(end)), KeyRole::Verify),
    ]);
    let set = set.unwrap();
    let payload = json!({"iss": "waxseal", "sub": "1", "iat": NOW, "exp": NOW + 500}).to_string();
    let old = sign_with(&key("k2", Algorithm::Hs512), r#"{"alg":"HS512","typ":"JWT","kid":"k2"}"#, &payload);
    let new = sign(HEADER, &payload);
    for set in [&set, &KeySet::from_bytes(&set.to_bytes()).unwrap()] {
        let expires = |token: &str, now| set.verify(token, &PROFILE, now).map(|verified| verified.expires());
        assert_eq!(expires(&old, UnixTime::from_secs(NOW + 99)), Ok(end));
        for late in [100, 101, 499] {
            let late = UnixTime::from_secs(NOW + late);
            assert_eq!(expires(&old, late), Err(Refusal::UnknownKid));
            assert_eq!(expires(&new, late), Ok(UnixTime::from_secs(NOW + 500)));
        }
    }
}

#[test]
fn keys_that_are_not_taken() {
    let short = |algorithm, octets: usize| Key::new("k", algorithm, &SECRET[..octets]).map(|_| ());
    for (algorithm, octets) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        assert_eq!(short(algorithm, octets), Ok(()));
        assert_eq!(short(algorithm, octets - 1), Err(KeyError::ShortSecret { algorithm, octets: octets - 1 }));
        assert_eq!(short(algorithm, 0), Err(KeyError::ShortSecret { algorithm, octets: 0 }));
    }
    assert_eq!(Key::new("", Algorithm::Hs256, SECRET).map(|_| ()), Err(KeyError::BadKid));
    assert_eq!(Key::new(&"k".repeat(257), Algorithm::Hs256, SECRET).map(|_| ()), Err(KeyError::BadKid));
    assert!(Key::new(&"k".repeat(256), Algorithm::Hs256, SECRET).is_ok());
}

#[test]
fn nothing_shows_a_secret() {
    let keys = KeySet::new([(key("k1", Algorithm::Hs256), KeyRole::Sign)]).unwrap();
    let shown = format!("{keys:?} {:?}", keys.signer(UnixTime::from_secs(NOW)));
    assert_eq!(shown, r#"["k1"] Some(Key("k1", HS256))"#);
}

#[test]
fn a_set_survives_its_octets() {
    let jwks = r#"{"keys":[{"kty":"oct","alg":"A256KW","use":"enc","kid":"other","k":"AAAA"}]}"#;
    let unusable = KeySet::from_jwks(jwks).unwrap();
    for keys in [keys(), KeySet::default(), unusable] {
        let bytes = keys.to_bytes();
        let again = KeySet::from_bytes(&bytes).unwrap();
        assert_eq!(again.to_bytes(), bytes);
        for header in [HEADER, r#"{"alg":"HS256","kid":"other"}"#, r#"{"alg":"HS256"}"#] {
            let token = sign(header, "foo");
            assert_eq!(again.verify_signature(&token), keys.verify_signature(&token));
            assert_eq!(again.clone().keyed().verify_signature(&token), keys.verify_signature(&token));
        }
    }
    assert_eq!(KeySet::from_bytes(&[]).map(|_| ()), Err(KeyError::BadBytes));
    assert_eq!(KeySet::from_bytes(&[&keys().to_bytes()[..], &[0]].concat()).map(|_| ()), Err(KeyError::BadBytes));
}

#[track_caller]
fn check_jwk(members: &str, expected: Result<(), &str>) {
    let k = base64url::encode(SECRET);
    let keys = KeySet::from_jwks(&members.replace("SECRET", &format!("\"kty\":\"oct\",\"k\":\"{k}\"")));
    let verdict = keys.map_err(|error| error.code()).and_then(|keys| {
        let token = sign(r#"{"alg":"HS256","kid":"k1"}"#, "foo");
        keys.verify_signature(&token).map(|_| ()).map_err(Refusal::code)
    });
    assert_eq!(verdict, expected, "{members}");
}

#[test]
fn json_web_keys() {
    check_jwk(r#"{SECRET,"alg":"HS256","kid":"k1"}"#, Ok(()));
    check_jwk(r#"{SECRET,"alg":"HS256","kid":"k1","use":"sig","key_ops":["sign","verify"],"x":{"y":1}}"#, Ok(()));
    check_jwk(r#"{"keys":[{SECRET,"alg":"HS256","kid":"k1"},{SECRET,"alg":"HS256","kid":"k2"}]}"#, Ok(()));
    check_jwk(r#"{SECRET,"alg":"HS512","kid":"k1"}"#, Err("wrong_algorithm"));
    check_jwk(r#"{SECRET,"alg":"HS256","kid":"k2"}"#, Err("unknown_kid"));
    for members in [r#""alg":"HS256","use":"enc""#, r#""alg":"HS256","key_ops":["sign"]"#, r#""alg":"HS256","key_ops":[]"#]
    {
        check_jwk(&format!(r#"{{SECRET,"kid":"k1",{members}}}"#), Err("key_not_for_verify"));
    }
    for members in [r#""alg":"A256GCM""#, r#""alg":"hs256""#, r#""use":"sig""#] {
        check_jwk(&format!(r#"{{SECRET,"kid":"k1",{members}}}"#), Err("key_not_for_verify"));
    }
    check_jwk(r#"{"kty":"RSA","n":"AA","e":"AQAB","alg":"HS256","kid":"k1"}"#, Err("key_not_for_verify"));
    check_jwk(r#"{"keys":[{SECRET,"alg":"HS256","kid":"k1"},{"kty":"EC","kid":"k2"}]}"#, Err("mixed_key_set"));
    check_jwk(r#"{"keys":[{SECRET,"alg":"HS256","kid":"k1"},{SECRET,"kid":"k1"}]}"#, Err("repeated_kid"));
    check_jwk(r#"{"keys":[{SECRET,"alg":"HS256","kid":"k1"},{SECRET,"alg":"HS256"}]}"#, Err("nameless_key"));
    check_jwk(r#"{"kty":"oct","k":"AAAA","alg":"HS256","kid":"k1"}"#, Err("short_secret"));
    check_jwk(r#"{SECRET,"alg":"HS256","kid":""}"#, Err("bad_key_kid"));
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[{"keys":[]}]}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{SECRET,"alg":"HS256","kid":"k1","kid":"k1"}"#,
        r#"{SECRET,"alg":"HS256","kid":"k1","\u006bid":"k1"}"#,
        r#"{SECRET,"alg":1}"#,
        r#"{SECRET,"kid":1}"#,
        r#"{SECRET,"use":1}"#,
        r#"{SECRET,"key_ops":"verify"}"#,
        r#"{"kty":"oct","alg":"HS256"}"#,
        r#"{"kty":"oct","alg":"HS256","k":"AA=="}"#,
        r#"{"alg":"HS256","k":"AAAA"}"#,
        r#"{SECRET,"alg":"HS256"}x"#,
    ] {
        check_jwk(text, Err("bad_jwk"));
    }
}

#[test]
fn a_written_key_is_read_back() {
    for key in
        [key("k1", Algorithm::Hs384), key("a\"\u{1}é", Algorithm::Hs256), Key::nameless(Algorithm::Hs512, SECRET).unwrap()]
    {
        let text = Jwk::write(&key);
        let read = Jwk::read(&text).unwrap();
        let [Jwk::Usable(again)] = read.as_slice() else { panic!("{}", *text) };
        assert_eq!((again.kid(), again.algorithm(), again.octets()), (key.kid(), key.algorithm(), key.octets()));
    }
}

#[test]
fn explanations() {
    let keys = keys();
    let explain = |token: &str| serde_json::to_value(keys.explain(token, &PROFILE, UnixTime::from_secs(NOW))).unwrap();
    let token = sign(HEADER, r#"{"iss":"waxseal","sub":"1","iat":1799999000,"exp":1799999999.5}"#);
    let expected = json!({
        "accepted": false, "signed": true, "code": "expired", "sentence": "the token has expired",
        "header": {"alg": "HS256", "typ": "JWT", "kid": "k1"},
        "claims": {"iss": "waxseal", "sub": "1", "iat": 1_799_999_000, "exp": 1_799_999_999.5},
        "issued": "2027-01-15T07:43:20Z", "expires": "2027-01-15T07:59:59Z", "seconds_left": -1,
    });
    assert_eq!(explain(&token), expected);
    let none = json!({"accepted": false, "signed": false, "code": "malformed", "sentence": Refusal::Malformed.sentence()});
    assert_eq!(explain("x"), none);
    let text = explain(&sign(r#"{"alg":"none","alg":"none"}"#, b"\xff"));
    assert_eq!((&text["header"], &text["claims"]), (&json!(r#"{"alg":"none","alg":"none"}"#), &json!("\u{fffd}")));
    assert_eq!(explain(&keys.issue(&new_claims()).unwrap())["sentence"], "the token holds");
}

proptest! {
    /// No change to a token leaves it valid.
    #[test]
    fn no_changed_token_holds(at: usize, octet in "[\\x00-\\x7f]", kind in 0..3) {
        let token = keys().issue(&new_claims()).unwrap();
        let changed = damaged(&token, at, kind, &octet);
        prop_assume!(changed != token);
        prop_assert!(verdict(&changed, &PROFILE).is_err());
    }

    /// Whatever comes in, an answer comes out.
    #[test]
    fn anything_gets_a_verdict(token in "\\PC*|[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*", header in "\\PC*", claims in "\\PC*") {
        prop_assert!(verdict(&token, &PROFILE).is_err());
        prop_assert!(verdict(&sign(&header, &claims), &PROFILE).is_err());
        prop_assert!(verdict(&sign(HEADER, &claims), &PROFILE).is_err());
    }

    /// What is issued is verified, whatever the names are.
    #[test]
    fn any_names_survive(issuer: String, audience: String, uid in "\\PC+|[\\x00-\\x7f]+", dialect: String, jti: [u8; 16]) {
        let new = NewClaims { issuer: &issuer, audience: Some(&audience), uid: &uid, dialect: &dialect, jti, ..new_claims() };
        let token = keys().issue(&new).unwrap();
        prop_assume!(token.len() <= MAX_TOKEN);
        let profile = Profile { issuer: &issuer, audience: Some(&audience), ..PROFILE };
        let verified = keys().verify(&token, &profile, UnixTime::from_secs(NOW)).unwrap();
        let (subject, id, from) = (verified.subject(), verified.uid(), verified.dialect());
        prop_assert_eq!((&*subject, id.as_deref(), from.as_deref()), (&*uid, Some(&*uid), Some(&*dialect)));
    }

    /// Octets that are no set are refused, not read.
    #[test]
    fn any_octets_are_a_set_or_not(octets: Vec<u8>, at: usize, octet: u8) {
        let _ = KeySet::from_bytes(&octets);
        let mut octets = keys().to_bytes();
        let at = at % octets.len();
        octets[at] = octet;
        let _ = KeySet::from_bytes(&octets);
    }
}
