//! Revocation snapshots: what is taken and what is not, and that tokens and snapshots never pass for each other.

use super::*;
use crate::{
    lifetime::{Bounds, Manner},
    record::{Ended, Uid, key},
    refusal,
    testing::damaged,
    time::UnixTime,
};
use alloc::{format, string::String, vec::Vec};
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000;
const PROFILE: Profile<'_> = Profile { issuer: "waxseal", audience: None, leeway: 0, typ: ACCESS };

fn now() -> UnixTime {
    UnixTime::from_secs(NOW)
}

fn key(kid: &str) -> Key {
    let seed = [kid.as_bytes()[0]; 64];
    Key::generate(kid, Algorithm::EdDsa, &seed).unwrap()
}

fn issuer_keys(kids: &[&str]) -> KeySet {
    let role = |index| if index == 0 { KeyRole::Sign } else { KeyRole::Verify };
    KeySet::new(kids.iter().enumerate().map(|(index, kid)| (key(kid), role(index)))).unwrap()
}

fn public_keys(kids: &[&str]) -> KeySet {
    let public = |kid: &&str| Key::new(kid, Algorithm::EdDsa, key(kid).public().unwrap()).unwrap();
    KeySet::new(kids.iter().map(|kid| (public(kid), KeyRole::Verify))).unwrap()
}

fn new(number: u64) -> NewSnapshot<'static> {
    NewSnapshot::new("waxseal", number, now(), 600)
}

fn snapshot(number: u64) -> String {
    issuer_keys(&["a"]).sign_snapshot(new(number)).unwrap()
}

fn edge(stale: Stale) -> EdgeVerifier {
    EdgeVerifier::new(public_keys(&["a", "b"]), stale).unwrap()
}

fn token_of(kid: &str, uid: u32, generation: u32, dialect: &str, jti: u8, issued: u64) -> String {
    let new = NewClaims {
        issuer: "waxseal",
        audience: None,
        typ: ACCESS,
        uid: &format!("{uid}"),
        dialect,
        generation,
        jti: [jti; 16],
        issued: UnixTime::from_secs(issued),
        lifetime: Bounds::new(1, 3600, 3600, Manner::Refuse).unwrap().unasked(),
    };
    issuer_keys(&[kid]).issue(&new).unwrap()
}

fn token() -> String {
    token_of("a", 7, 3, "redis", 1, NOW)
}

fn verdict(edge: &EdgeVerifier, token: &str, at: u64) -> Result<(), &'static str> {
    edge.verify(token, &PROFILE, UnixTime::from_secs(at)).map(drop).map_err(|refusal| refusal.code())
}

/// A document with a good signature over any header and payload.
fn signed(header: &str, payload: impl AsRef<[u8]>) -> String {
    let mut text = format!("{}.", base64url::encode(header.as_bytes())).into_bytes();
    base64url::append(payload.as_ref(), &mut text);
    key("a").sign(&mut text).unwrap();
    base64url::into_text(text)
}

const HEADER: &str = r#"{"alg":"EdDSA","typ":"revocations+jwt","kid":"a"}"#;
const GOOD: &str =
    r#"{"iss":"waxseal","iat":1800000000,"exp":1800000600,"num":5,"keys":["a"],"tokens":"","users":"","pairs":""}"#;

#[track_caller]
fn check_text(text: &str, expected: Result<u64, &str>) {
    let mut edge = edge(Stale::Refuse);
    let taken = edge.take(text, "waxseal", 0, now()).map(|()| edge.held().unwrap().number());
    assert_eq!(taken.map_err(SnapshotError::code), expected, "{text}");
    assert_eq!(edge.held().is_some(), expected.is_ok());
}

#[track_caller]
fn check_payload(payload: &str, expected: Result<u64, &str>) {
    check_text(&signed(HEADER, payload), expected);
}

#[test]
fn what_is_signed_is_what_is_written_down() {
    let mut snapshot = new(5);
    snapshot.revoke(&key::revoked("an id"));
    snapshot.end(Ended { uid: Uid::new(258).unwrap(), generation: 3 });
    snapshot.end(Ended { uid: Uid::new(7).unwrap(), generation: Ended::GONE });
    snapshot.end_pairs(None, UnixTime::from_millis(1_799_999_999_999));
    let text = issuer_keys(&["a", "b"]).sign_snapshot(snapshot).unwrap();
    let parts: Vec<_> = text.split('.').map(|part| String::from_utf8(base64url::decode(part).unwrap())).collect();
    assert_eq!(parts[0].as_deref(), Ok(HEADER));
    // The start of the SHA-256 of `an id`; users 7 and 258; everybody, and the second.
    let expected = r#"{"iss":"waxseal","iat":1800000000,"exp":1800000600,"num":5,"keys":["a","b"],"tokens":"DIGEST","users":"AAAAB_____8AAAECAAAAAw","pairs":"AAAAAAAAAABrSdH_"}"#;
    let digest = base64url::encode(&<sha2::Sha256 as sha2::Digest>::digest("an id")[..12]);
    assert_eq!(parts[1].as_deref(), Ok(expected.replace("DIGEST", &digest).as_str()));
    check_text(&text, Ok(5));
}

/// As `docs/keys.md` tells those who write a verifier of their own.
#[test]
fn an_entry_is_made_as_written_down() {
    use sha2::{Digest, Sha256};
    let long = "j".repeat(65);
    for (jti, as_it_is) in
        [("", true), ("a b~", true), (&long[..64], true), (&*long, false), ("#", false), ("\u{e9}", false)]
    {
        let name = if as_it_is { jti.into() } else { format!("#{}", base64url::encode(&Sha256::digest(jti))) };
        let mut snapshot = new(5);
        snapshot.revoke(&key::revoked(jti));
        let text = issuer_keys(&["a"]).sign_snapshot(snapshot).unwrap();
        let payload = String::from_utf8(base64url::decode(text.split('.').nth(1).unwrap()).unwrap()).unwrap();
        let expected = format!("\"tokens\":\"{}\"", base64url::encode(&Sha256::digest(name)[..12]));
        assert!(payload.contains(&expected), "{jti}: {payload}");
    }
}

#[test]
fn numbers_rise() {
    let mut edge = edge(Stale::Refuse);
    let mut take = |number| edge.take(&snapshot(number), "waxseal", 0, now()).map_err(SnapshotError::code);
    assert_eq!(take(5), Ok(()));
    assert_eq!(take(5), Err("not_newer"));
    assert_eq!(take(4), Err("not_newer"));
    assert_eq!(take(1 << 53), Ok(()));
    assert_eq!(take(6), Err("not_newer"));
}

#[test]
fn a_snapshot_ages() {
    let mut refusing = edge(Stale::Refuse);
    assert_eq!(verdict(&refusing, &token(), NOW), Err("revocations_stale"), "there is none yet");
    refusing.take(&snapshot(1), "waxseal", 0, now()).unwrap();
    assert_eq!(verdict(&refusing, &token(), NOW + 599), Ok(()));
    assert_eq!(verdict(&refusing, &token(), NOW + 600), Err("revocations_stale"));
    let with_leeway = refusing.verify(&token(), &Profile { leeway: 60, ..PROFILE }, UnixTime::from_secs(NOW + 659));
    assert!(with_leeway.is_ok());
    // What is wrong anyway is refused for that.
    assert_eq!(verdict(&refusing, &token(), NOW + 3600), Err("expired"));
    let late = refusing.take(&snapshot(2), "waxseal", 0, UnixTime::from_secs(NOW + 600));
    assert_eq!(late, Err(SnapshotError::Refused(Refusal::Expired)));
    let early = refusing.take(&snapshot(2), "waxseal", 0, UnixTime::from_secs(NOW - 1));
    assert_eq!(early, Err(SnapshotError::Refused(Refusal::IssuedInFuture)));
    assert_eq!(refusing.take(&snapshot(2), "waxseal", 1, UnixTime::from_secs(NOW - 1)), Ok(()));

    // A clock that was set back does not tell how old the snapshot is; the token was issued before.
    let older = token_of("a", 7, 3, "redis", 3, NOW - 900);
    for (at, expected) in [(NOW - 600, Err("revocations_stale")), (NOW - 1, Err("revocations_stale")), (NOW, Ok(()))] {
        let mut refusing = edge(Stale::Refuse);
        refusing.take(&snapshot(1), "waxseal", 0, now()).unwrap();
        assert_eq!(verdict(&refusing, &older, at), expected, "{at}");
    }

    let mut accepting = edge(Stale::Accept);
    assert_eq!(verdict(&accepting, &token(), NOW), Ok(()));
    let mut revoking = new(1);
    revoking.revoke(&key::revoked(&base64url::encode(&[1; 16])));
    accepting.take(&issuer_keys(&["a"]).sign_snapshot(revoking).unwrap(), "waxseal", 0, now()).unwrap();
    // What it knows it goes by, however old.
    assert_eq!(verdict(&accepting, &token(), NOW + 3000), Err("revoked"));
    assert_eq!(verdict(&accepting, &token_of("a", 7, 3, "redis", 2, NOW), NOW + 3000), Ok(()));
}

#[test]
fn reasons_are_the_issuers() {
    let mut snapshot = new(1);
    snapshot.revoke(&key::revoked(&base64url::encode(&[1; 16])));
    snapshot.end(Ended { uid: Uid::new(8).unwrap(), generation: 3 });
    snapshot.end(Ended { uid: Uid::new(9).unwrap(), generation: Ended::GONE });
    snapshot.end_pairs(Uid::new(7), UnixTime::from_millis(NOW * 1000 - 9_500));
    let mut edge = edge(Stale::Refuse);
    edge.take(&issuer_keys(&["a"]).sign_snapshot(snapshot).unwrap(), "waxseal", 0, now()).unwrap();
    let check = |uid, generation, dialect, jti, issued, expected| {
        assert_eq!(verdict(&edge, &token_of("a", uid, generation, dialect, jti, issued), NOW), expected);
    };
    check(7, 0, "redis", 2, NOW, Ok(()));
    check(7, 0, "redis", 1, NOW, Err("revoked"));
    check(8, 3, "redis", 2, NOW, Ok(()));
    check(8, 2, "redis", 2, NOW, Err("ended"));
    check(9, u32::MAX - 1, "redis", 2, NOW, Err("user_gone"));
    check(9, 1, "redis", 1, NOW, Err("user_gone"));
    check(7, 0, "elasticsearch", 2, NOW - 10, Err("revoked"));
    check(7, 0, "elasticsearch", 2, NOW - 9, Ok(()));
    check(7, 0, "redis", 2, NOW - 10, Ok(()));
    check(6, 0, "elasticsearch", 2, NOW - 10, Ok(()));
    for (claims, expected) in [
        (r#""uid":"7","gen":0"#, "foreign"),
        (r#""jti":"x","gen":0"#, "user_gone"),
        (r#""jti":"x","gen":0,"uid":"07""#, "user_gone"),
        (r#""jti":"x","uid":"7""#, "ended"),
    ] {
        let claims = format!(r#"{{"iss":"waxseal","sub":"7","exp":1800000001,{claims}}}"#);
        assert_eq!(verdict(&edge, &signed(r#"{"alg":"EdDSA","kid":"a"}"#, claims), NOW), Err(expected));
    }
}

#[test]
fn everybodys_elasticsearch_tokens_end_together() {
    let mut snapshot = new(1);
    snapshot.end_pairs(None, now());
    let mut edge = edge(Stale::Refuse);
    edge.take(&issuer_keys(&["a"]).sign_snapshot(snapshot).unwrap(), "waxseal", 0, now()).unwrap();
    for uid in [1, 7, u32::MAX] {
        assert_eq!(verdict(&edge, &token_of("a", uid, 0, "elasticsearch", 2, NOW), NOW), Err("revoked"));
        assert_eq!(verdict(&edge, &token_of("a", uid, 0, "redis", 2, NOW), NOW), Ok(()));
    }
}

#[test]
fn a_token_is_no_snapshot_and_a_snapshot_no_token() {
    check_text(&token(), Err("wrong_typ"));
    for header in
        [r#"{"alg":"EdDSA","kid":"a"}"#, r#"{"alg":"EdDSA","kid":"a","typ":"JWT"}"#, r#"{"alg":"EdDSA","kid":"a","typ":1}"#]
    {
        check_text(&signed(header, GOOD), Err("wrong_typ"));
    }
    let mut edge = edge(Stale::Accept);
    edge.take(&snapshot(1), "waxseal", 0, now()).unwrap();
    assert_eq!(verdict(&edge, &snapshot(1), NOW), Err("wrong_typ"));
    // Not even when it has everything that a token has.
    let both = GOOD.replace("{\"iss\"", "{\"sub\":\"7\",\"uid\":\"7\",\"gen\":3,\"jti\":\"x\",\"iss\"");
    check_payload(&both, Ok(5));
    assert_eq!(verdict(&edge, &signed(HEADER, both), NOW), Err("wrong_typ"));
}

#[test]
fn snapshots_that_are_not_taken() {
    check_payload(GOOD, Ok(5));
    let good = signed(HEADER, GOOD);
    let (unsigned, signature) = good.rsplit_once('.').unwrap();
    check_text(unsigned, Err("malformed"));
    check_text(&format!("{unsigned}."), Err("bad_signature"));
    check_text(&format!("{unsigned}.{}", base64url::encode(&[0; 64])), Err("bad_signature"));
    check_text(&format!("{unsigned}.{}", &signature[..84]), Err("bad_signature"));
    check_text("", Err("malformed"));
    check_text(&"a".repeat(MAX_SNAPSHOT + 1), Err("too_long"));
    check_text(&"a".repeat(MAX_SNAPSHOT), Err("malformed"));
    check_text(&signed(r#"{"alg":"none","typ":"revocations+jwt","kid":"a"}"#, GOOD), Err("algorithm_not_allowed"));
    check_text(&signed(r#"{"alg":"EdDSA","typ":"revocations+jwt","kid":"c"}"#, GOOD), Err("unknown_kid"));
    check_text(&signed(r#"{"alg":"EdDSA","typ":"revocations+jwt","kid":"b"}"#, GOOD), Err("bad_signature"));
    check_text(&signed(r#"{"alg":"EdDSA","typ":"revocations+jwt","kid":"a","crit":[]}"#, GOOD), Err("crit_present"));
    for (from, to, code) in [
        ("\"waxseal\"", "\"other\"", "wrong_issuer"),
        ("\"iss\":\"waxseal\",", "", "wrong_issuer"),
        ("\"exp\":1800000600,", "", "missing_exp"),
        ("1800000600", "1800000000", "expired"),
        ("1800000600", "\"1800000600\"", "bad_exp"),
        ("\"iat\":1800000000,", "", "bad_iat"),
        ("1800000000", "1800000001", "issued_in_future"),
        ("1800000000", "null", "bad_iat"),
        ("\"num\":5,", "", "bad_lists"),
        ("\"num\":5", "\"num\":-5", "bad_lists"),
        ("\"num\":5", "\"num\":5.0", "bad_lists"),
        ("\"num\":5", "\"num\":\"5\"", "bad_lists"),
        ("\"num\":5", "\"num\":9007199254740993", "bad_lists"),
        ("[\"a\"]", "[1]", "bad_lists"),
        ("[\"a\"]", "\"a\"", "bad_lists"),
        ("\"keys\":[\"a\"],", "", "bad_lists"),
        ("\"tokens\":\"\"", "\"tokens\":\"AAAA\"", "bad_lists"),
        ("\"tokens\":\"\"", "\"tokens\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "bad_lists"),
        ("\"users\":\"\"", "\"users\":\"AAAAAAAAAAE=\"", "bad_lists"),
        ("\"users\":\"\"", "\"users\":\"AAAAAgAAAAAAAAABAAAAAA\"", "bad_lists"),
        ("\"pairs\":\"\"", "\"pairs\":\"*\"", "bad_lists"),
        ("\"pairs\":\"\"", "\"pairs\":1", "bad_claims_json"),
        (",\"pairs\":\"\"", "", "bad_claims_json"),
        ("\"tokens\":\"\",", "\"tokens\":\"\", ", "bad_claims_json"),
        ("\"tokens\":\"\",\"users\":\"\"", "\"users\":\"\",\"tokens\":\"\"", "bad_claims_json"),
        ("\"num\":5", "\"num\":5,\"num\":5", "bad_claims_json"),
        ("\"num\":5", "\"num\":5,\"token\\u0073\":\"\"", "bad_claims_json"),
        ("\"num\":5", "\"num\":5,\"users\":\"\"", "bad_claims_json"),
        ("\"num\":5", "\"x\":{\"y\":1,\"tokens\":\"\",\"users\":\"\",\"pairs\":\"\"},\"num\":5", "bad_claims_json"),
        ("\"\"}", "\"\"}x", "bad_claims_json"),
        ("\"\"}", "\"\",\"more\":1}", "bad_claims_json"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        check_payload(&GOOD.replacen(from, to, 1), Err(code));
    }
    check_payload(&GOOD.replacen("\"num\":5", "\"x\":\",\\\"tokens\\\":\\\"\",\"num\":5", 1), Ok(5));
    check_text(&signed(HEADER, b"\xff"), Err("bad_claims_json"));
}

#[test]
fn secrets_make_and_take_no_snapshot() {
    let secret = || Key::new("a", Algorithm::Hs256, &[7; 32]).unwrap();
    let keys = KeySet::new([(secret(), KeyRole::Sign)]).unwrap();
    assert_eq!(keys.sign_snapshot(new(1)), Err(refusal::Refusal::NoPublicKey));
    assert_eq!(KeySet::default().sign_snapshot(new(1)), Err(refusal::Refusal::NoSigningKey));
    assert_eq!(public_keys(&["a"]).sign_snapshot(new(1)), Err(refusal::Refusal::NoSigningKey));
    let forged = keys.sign(REVOCATIONS, GOOD, now()).unwrap();
    let read = Snapshot::read(&forged, &keys, "waxseal", 0, now()).map(drop);
    assert_eq!(read, Err(SnapshotError::Refused(Refusal::KeyNotForVerify)));
    assert_eq!(EdgeVerifier::new(keys, Stale::Refuse).map(drop), Err(KeyError::MixedSet));
}

#[test]
fn a_snapshot_leaves_nothing_out() {
    let fill = |count: u32| {
        let mut snapshot = new(1);
        for uid in 1..=count {
            snapshot.end(Ended { uid: Uid::new(uid).unwrap(), generation: 1 });
        }
        issuer_keys(&["a"]).sign_snapshot(snapshot).map(drop)
    };
    assert_eq!(fill(NewSnapshot::ENOUGH - 1), Ok(()));
    assert_eq!(fill(NewSnapshot::ENOUGH), Err(refusal::Refusal::TooManyRevocations));
}

#[test]
fn a_retired_key_is_gone_for_good() {
    let by = |signers: &[&str], number| issuer_keys(signers).sign_snapshot(new(number)).unwrap();
    let old = token_of("a", 7, 0, "redis", 1, NOW);
    let new = token_of("b", 7, 0, "redis", 1, NOW);
    let mut edge = edge(Stale::Refuse);
    // A snapshot of the time before `b`: it is not known yet, and may still sign the next snapshot.
    edge.take(&by(&["a"], 1), "waxseal", 0, now()).unwrap();
    assert_eq!((verdict(&edge, &old, NOW), verdict(&edge, &new, NOW)), (Ok(()), Err("unknown_kid")));
    edge.take(&by(&["b", "a"], 2), "waxseal", 0, now()).unwrap();
    assert_eq!((verdict(&edge, &old, NOW), verdict(&edge, &new, NOW)), (Ok(()), Ok(())));
    edge.take(&by(&["b"], 3), "waxseal", 0, now()).unwrap();
    assert_eq!((verdict(&edge, &old, NOW), verdict(&edge, &new, NOW)), (Err("unknown_kid"), Ok(())));
    let revived = edge.take(&by(&["a"], 4), "waxseal", 0, now());
    assert_eq!(revived, Err(SnapshotError::Refused(Refusal::UnknownKid)));
    assert_eq!(edge.keys().iter().map(|(key, _)| key.kid()).collect::<Vec<_>>(), ["b"]);
    // Other keys do not make it forget its number.
    edge.set_keys(public_keys(&["c", "b"])).unwrap();
    assert_eq!(edge.take(&by(&["b"], 3), "waxseal", 0, now()), Err(SnapshotError::NotNewer));
    assert_eq!(edge.take(&by(&["c"], 4), "waxseal", 0, now()), Ok(()));
    // A cache may hold a key set of before.
    edge.set_keys(public_keys(&["a", "b", "c"])).unwrap();
    assert_eq!(edge.take(&by(&["a"], 5), "waxseal", 0, now()), Err(SnapshotError::Refused(Refusal::UnknownKid)));
    // Also one that was no longer among the keys when a snapshot dropped it.
    edge.take(&by(&["c", "b"], 5), "waxseal", 0, now()).unwrap();
    edge.set_keys(public_keys(&["c"])).unwrap();
    edge.take(&by(&["c"], 6), "waxseal", 0, now()).unwrap();
    edge.set_keys(public_keys(&["b", "c"])).unwrap();
    assert_eq!(edge.take(&by(&["b"], 7), "waxseal", 0, now()), Err(SnapshotError::Refused(Refusal::UnknownKid)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No change to a snapshot leaves it good.
    #[test]
    fn no_changed_snapshot_is_taken(at: usize, octet in "[\\x00-\\x7f]", kind in 0..3) {
        let text = snapshot(5);
        let changed = damaged(&text, at, kind, &octet);
        prop_assume!(changed != text);
        prop_assert!(edge(Stale::Refuse).take(&changed, "waxseal", 0, now()).is_err());
    }

    /// Whatever is signed, an answer comes out.
    #[test]
    fn any_signed_payload_gets_a_verdict(payload in "\\PC*", inside in "\\PC*") {
        let mut edge = edge(Stale::Refuse);
        let _ = edge.take(&signed(HEADER, &payload), "waxseal", 0, now());
        for name in ["tokens", "users", "pairs"] {
            let text = GOOD.replace(&format!("\"{name}\":\"\""), &format!("\"{name}\":\"{inside}\""));
            let _ = edge.take(&signed(HEADER, text), "waxseal", 0, now());
        }
    }

    /// Of any users and tokens, exactly those that were entered are found.
    #[test]
    fn what_is_entered_is_found(users in proptest::collection::btree_map(1..200_u32, 0..5_u32, 0..60), tokens in proptest::collection::btree_set(0..60_u8, 0..60)) {
        let mut snapshot = new(1);
        for (uid, generation) in &users {
            snapshot.end(Ended { uid: Uid::new(*uid).unwrap(), generation: *generation });
        }
        for jti in &tokens {
            snapshot.revoke(&key::revoked(&base64url::encode(&[*jti; 16])));
        }
        let mut edge = edge(Stale::Refuse);
        edge.take(&issuer_keys(&["a"]).sign_snapshot(snapshot).unwrap(), "waxseal", 0, now()).unwrap();
        for uid in [1, 5, 50, 100, 199, 200] {
            for (generation, jti) in [(0, 60), (2, 61), (4, 3), (5, 59)] {
                let expected = match users.get(&uid) {
                    _ if tokens.contains(&jti) => Err("revoked"),
                    Some(oldest) if generation < *oldest => Err("ended"),
                    _ => Ok(()),
                };
                prop_assert_eq!(verdict(&edge, &token_of("a", uid, generation, "redis", jti, NOW), NOW), expected);
            }
        }
    }
}
