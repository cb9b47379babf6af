//! What verifiers elsewhere go by: the public keys (RFC 7517, 5) and the revocation snapshot (security E3). Both are for everybody.

use crate::{
    engine,
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use alloc::format;

/// `GET /.well-known/jwks.json`: the public keys that verify, those included that sign later. Secrets have no public part, so with
/// HS256 the set is empty.
pub(super) fn keys(op: &Op<'_>) -> Response {
    let body = format!("{{\"keys\":[{}]}}", engine::published_keys(op).join(","));
    // Whoever keeps it for so long has read a new key before that one signs (security T18).
    let cache = match op.settings.gateway.key_lead / 2 {
        0 => "no-cache".into(),
        secs => format!("public, max-age={secs}"),
    };
    Response::new(200, "application/jwk-set+json", body).with_header("cache-control", cache)
}

/// `GET /auth/revocations`: the newest snapshot, or 304 to whoever has it already.
///
/// # Errors
/// [`Refusal::NoPublicKey`], [`Refusal::TooManyRevocations`].
#[cfg(feature = "public-keys")]
pub(super) fn revocations(op: &Op<'_>) -> Result<Response, Stop> {
    let crate::record::Published { number, text, issued, .. } = engine::snapshot(op)?;
    let tag = format!("\"{number}\"");
    let lists = op.request.header_values("if-none-match");
    let mut tags = lists.flat_map(|list| list.split(|octet| *octet == b',')).map(<[u8]>::trim_ascii);
    // A tag weakened on the way still names the same snapshot; an asterisk names any (RFC 9110, 13.1.2).
    let known = tags.any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes());
    let until = issued.plus_secs(op.settings.gateway.revocations_every.into());
    let response = if known { Response::empty(304) } else { Response::new(200, "application/jwt", text) };
    Ok(response
        .with_header("cache-control", format!("public, max-age={}", until.secs_since(op.now())))
        .with_header("etag", tag))
}

/// This build has no public keys.
#[cfg(not(feature = "public-keys"))]
pub(super) fn revocations(_: &Op<'_>) -> Result<Response, Stop> {
    Err(Refusal::NoPublicKey.into())
}

/// Words what is only refused here.
pub(super) fn refuse(refusal: &Refusal) -> Option<Response> {
    match refusal {
        Refusal::NoPublicKey => Some(super::error::error(
            409,
            refusal.code(),
            "tokens are signed with a shared secret, which nobody else can check: an operator may rotate to public keys",
        )),
        Refusal::TooManyRevocations => {
            let why = "more tokens are revoked than a snapshot holds, and none may be left out";
            Some(super::error::error(503, refusal.code(), why).with_header("retry-after", "60"))
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(feature = "public-keys")]
mod tests {
    use crate::{
        record::{Ended, Revoked, Stored, key},
        seam::{Request, Response},
        testing::{TestWorld, basic, json, request},
        time::UnixTime,
        token::{ACCESS, Algorithm, EdgeVerifier, KeySet, Profile, Stale},
    };
    use alloc::{
        format,
        string::{String, ToString},
        vec::Vec,
    };
    use proptest::prelude::*;
    use serde_json::Value;

    /// A server with public keys; `admin` and some users, whose passwords are their names, doubled.
    fn world(algorithm: Algorithm, users: &[&str]) -> TestWorld {
        let mut world = TestWorld::unsown();
        world.settings_mut().signing_algorithm = algorithm;
        let admin = r#"{"name": "admin", "password": "adminadmin"}"#;
        assert_eq!(world.local(request("POST /admin/bootstrap", admin)).status, 201);
        for name in users {
            let body = format!(r#"{{"name": "{name}", "role": "db_viewer", "password": "{name}{name}"}}"#);
            assert_eq!(world.local(request("POST /admin/users", &body)).status, 201);
        }
        world
    }

    fn revocations(world: &mut TestWorld) -> Response {
        world.call(request("GET /auth/revocations", ""))
    }

    fn text(world: &mut TestWorld) -> String {
        let response = revocations(world);
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/jwt")));
        String::from_utf8(response.body).unwrap()
    }

    fn edge(world: &mut TestWorld) -> EdgeVerifier {
        let keys = world.call(request("GET /.well-known/jwks.json", "")).body;
        EdgeVerifier::new(KeySet::from_jwks(core::str::from_utf8(&keys).unwrap()).unwrap(), Stale::Refuse).unwrap()
    }

    fn take(world: &mut TestWorld, edge: &mut EdgeVerifier) {
        let text = text(world);
        edge.take(&text, "waxseal", 0, world.now()).unwrap();
    }

    fn at_the_edge(edge: &EdgeVerifier, token: &str, now: UnixTime) -> Result<(), String> {
        let profile = Profile { issuer: "waxseal", audience: None, leeway: 0, typ: ACCESS };
        edge.verify(token, &profile, now).map(drop).map_err(|refusal| refusal.code().into())
    }

    /// What the issuer says of a token, with the reason that it tells its log.
    fn at_the_issuer(world: &mut TestWorld, token: &str) -> Result<(), String> {
        let told = json(&world.local(request("POST /admin/tokens/explain", &format!(r#"{{"token": "{token}"}}"#))));
        if told["live"] == true { Ok(()) } else { Err(told["code"].as_str().unwrap().into()) }
    }

    fn elasticsearch(world: &mut TestWorld, name: &str) -> Option<String> {
        let body = format!(r#"{{"grant_type": "password", "username": "{name}", "password": "{name}{name}"}}"#);
        let response = world.call(request("POST /_xpack/security/oauth2/token", &body));
        let body: Value = serde_json::from_slice(&response.body).ok()?;
        body["access_token"].as_str().map(Into::into)
    }

    #[test]
    fn an_edge_refuses_what_the_issuer_refuses() {
        let mut world = world(Algorithm::Es256, &["ann", "bob"]);
        let mut edge = edge(&mut world);
        let tokens = [world.token("ann", "annann"), world.token("ann", "annann"), world.token("bob", "bobbob")];
        take(&mut world, &mut edge);
        let now = world.now();
        assert!(tokens.iter().all(|token| at_the_edge(&edge, token, now).is_ok()));
        let revoke = request("POST /auth/revoke", "")
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_header("authorization", &basic("ann", "annann"))
            .with_body(format!("token={}", tokens[0]));
        assert_eq!(world.call(revoke).status, 200);
        world.local(request("POST /admin/users/bob/logout", ""));
        world.advance(5);
        take(&mut world, &mut edge);
        let now = world.now();
        let verdicts = tokens.each_ref().map(|token| at_the_edge(&edge, token, now));
        assert_eq!(verdicts, [Err("revoked".into()), Ok(()), Err("ended".into())]);
        let new = world.token("bob", "bobbob");
        assert_eq!(at_the_edge(&edge, &new, now), Ok(()));
        world.local(request("POST /admin/users/bob/disable", ""));
        world.local(request("DELETE /admin/users/ann", ""));
        world.advance(5);
        take(&mut world, &mut edge);
        for token in tokens.iter().chain([&new]) {
            assert_eq!(at_the_edge(&edge, token, world.now()), Err("user_gone".into()));
            assert_eq!(at_the_issuer(&mut world, token), Err("user_gone".into()));
        }
        world.local(request("POST /admin/users/bob/enable", ""));
        world.advance(5);
        take(&mut world, &mut edge);
        assert_eq!(at_the_edge(&edge, &new, world.now()), Err("ended".into()));
    }

    #[test]
    fn one_snapshot_serves_all_who_ask_within_a_few_seconds() {
        let mut world = world(Algorithm::EdDsa, &[]);
        let start = world.now().as_secs();
        // The number is the time, or one more than the last.
        let tag = |after: u64| format!("\"{}\"", start + after);
        let first = revocations(&mut world);
        assert_eq!((first.header("etag"), first.header("cache-control")), (Some(&*tag(0)), Some("public, max-age=5")));
        world.advance(4);
        let again = revocations(&mut world);
        assert_eq!((&again.body, again.header("cache-control")), (&first.body, Some("public, max-age=1")));
        assert_eq!((world.cost.commits, world.cost.rounds), (0, 1));
        let known = |tags: &str| request("GET /auth/revocations", "").with_header("if-none-match", tags);
        for tags in [tag(0), format!("\"7\", {}", tag(0)), format!("W/{}", tag(0)), "*".into()] {
            let response = world.call(known(&tags));
            assert_eq!((response.status, response.body.len(), response.header("etag")), (304, 0, Some(&*tag(0))));
        }
        // A list may come in several lines (RFC 9110, 5.3).
        assert_eq!(world.call(known("\"7\"").with_header("if-none-match", &tag(0))).status, 304);
        for other in [tag(0).trim_matches('"'), "\"7\"", "\"*\"", ""] {
            assert_eq!(world.call(known(other)).status, 200, "{other}");
        }
        world.advance(1);
        let next = world.call(known(&tag(0)));
        assert_eq!((next.status, next.header("etag")), (200, Some(&*tag(5))));
        assert_eq!((world.cost.commits, world.cost.derivations), (1, 0));
        // Another issuer, or another key, needs another snapshot at once.
        world.settings_mut().issuer = "other".into();
        assert_eq!(revocations(&mut world).header("etag"), Some(&*tag(6)));
        world.local(request("POST /admin/keys/rotate", r#"{"at_once": true}"#));
        assert_eq!(revocations(&mut world).header("etag"), Some(&*tag(7)));
    }

    /// Whoever has the later number has read later, also when both were made at once.
    #[test]
    fn of_two_snapshots_at_once_the_later_one_has_the_higher_number() {
        let mut world = world(Algorithm::EdDsa, &["ann"]);
        let token = world.token("ann", "annann");
        let mut edge = edge(&mut world);
        let start = world.now().as_secs();
        let late = world.race(request("GET /auth/revocations", ""), |world| {
            text(world);
            world.local(request("POST /admin/users/ann/logout", ""));
            world.advance(60);
        });
        let late = String::from_utf8(late.body).unwrap();
        let now = world.now();
        edge.take(&late, "waxseal", 60, now).unwrap();
        // The first was overtaken, so that it began anew; it may only be the same as what was made meanwhile, or newer.
        assert_eq!(edge.held().map(crate::token::Snapshot::number), Some(start));
        world.advance(5);
        take(&mut world, &mut edge);
        assert_eq!(at_the_edge(&edge, &token, world.now()), Err("ended".into()));
    }

    /// One that was made while the clock was ahead would hide what is revoked until that time has come.
    #[test]
    fn a_snapshot_of_a_time_to_come_is_made_anew() {
        let mut world = world(Algorithm::EdDsa, &["ann"]);
        let mut edge = edge(&mut world);
        let token = world.token("ann", "annann");
        let right = world.now();
        world.advance(200);
        text(&mut world);
        world.set(right);
        world.local(request("POST /admin/users/ann/logout", ""));
        take(&mut world, &mut edge);
        assert_eq!(at_the_edge(&edge, &token, right), Err("ended".into()));
    }

    #[test]
    fn with_a_shared_secret_there_is_no_snapshot() {
        let mut world = TestWorld::with_admin("adminadmin");
        let response = revocations(&mut world);
        assert_eq!((response.status, json(&response)["error"].as_str()), (409, Some("no_public_key")));
        assert_eq!((response.header("cache-control"), world.cost.rounds), (Some("no-store"), 0));
        let set = world.call(request("GET /.well-known/jwks.json", ""));
        assert_eq!((set.status, set.body.as_slice()), (200, b"{\"keys\":[]}".as_slice()));
        assert_eq!(set.header("cache-control"), Some("public, max-age=300"));
        world.settings_mut().gateway.key_lead = 0;
        let set = world.call(request("GET /.well-known/jwks.json", ""));
        assert_eq!(set.header("cache-control"), Some("no-cache"));
    }

    #[test]
    fn more_than_fits_is_no_snapshot() {
        let mut world = world(Algorithm::EdDsa, &[]);
        text(&mut world);
        for number in 0..65 {
            let until = world.now().plus_secs(100);
            world.put(key::revoked(&format!("{number}")), Revoked { until, only_here: false }.encode());
        }
        world.advance(5);
        let response = revocations(&mut world);
        assert_eq!((response.status, json(&response)["error"].as_str()), (503, Some("too_many_revocations")));
        assert_eq!((response.header("retry-after"), world.cost.commits), (Some("60"), 1));
        world.advance(4);
        assert_eq!(revocations(&mut world).status, 503);
        assert_eq!((world.cost.rounds, world.cost.commits), (1, 0), "it is found out once for all who ask");
        // What has expired does not count, even while the store still has it.
        world.advance(100);
        text(&mut world);
    }

    /// Nobody else could ever take them, and one user may have any number of them.
    #[test]
    fn what_was_revoked_under_a_secret_is_in_no_snapshot() {
        let mut world = TestWorld::with_admin("admin password");
        let admin = basic("admin", "admin password");
        for _ in 0..70 {
            let token = world.token("admin", "admin password");
            let revoke = request("POST /auth/revoke", "").with_body(format!("token={token}"));
            let revoke = revoke.with_header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(world.call(revoke.with_header("authorization", &admin)).status, 200);
        }
        let rotated = r#"{"algorithm": "EdDSA", "end_tokens": true}"#;
        assert_eq!(world.local(request("POST /admin/keys/rotate", rotated)).status, 201);
        assert_eq!(world.count("revoked/"), 70);
        assert_eq!(text(&mut world).split('.').count(), 3);
    }

    /// Whoever does so may know of one that was signed elsewhere, by a key that is to be taken over.
    #[test]
    fn what_was_revoked_under_a_secret_is_named_once_it_is_revoked_again() {
        let mut world = TestWorld::with_admin("admin password");
        let expires = world.now().as_secs() + 1_000_000;
        let revoke = |world: &mut TestWorld, body: String| {
            assert_eq!(world.local(request("POST /admin/tokens/revoke", &body)).status, 200);
            world.stored::<Revoked>(&key::revoked("some-id")).unwrap()
        };
        let before = revoke(&mut world, format!(r#"{{"jti": "some-id", "expires": {expires}}}"#));
        assert!(before.only_here);
        assert_eq!(
            world.local(request("POST /admin/keys/rotate", r#"{"algorithm": "EdDSA", "end_tokens": true}"#)).status,
            201
        );
        assert_eq!(revoke(&mut world, r#"{"jti": "some-id"}"#.into()), Revoked { only_here: false, ..before });
    }

    /// By their keys and not by a time, which may be wrong.
    #[test]
    fn everybodys_pairs_end_elsewhere_with_their_keys() {
        let mut world = world(Algorithm::EdDsa, &["ann"]);
        let right = world.now();
        let mut old = edge(&mut world);
        let before = elasticsearch(&mut world, "ann").unwrap();
        take(&mut world, &mut old);
        world.advance(18_000);
        let ahead = elasticsearch(&mut world, "ann").unwrap();
        assert_eq!(world.local(request("POST /admin/keys/rotate", r#"{"end_tokens": true}"#)).status, 201);
        world.set(right.plus_secs(10));
        let later = elasticsearch(&mut world, "ann").unwrap();
        let mut edge = edge(&mut world);
        take(&mut world, &mut edge);
        for (token, verdict) in [(&before, Err("unknown_kid".into())), (&later, Ok(()))] {
            assert_eq!(at_the_edge(&edge, token, world.now()), verdict);
            assert_eq!(at_the_issuer(&mut world, token), verdict);
        }
        world.set(right.plus_secs(18_001));
        take(&mut world, &mut edge);
        assert_eq!(at_the_edge(&edge, &ahead, world.now()), Err("unknown_kid".into()));
    }

    /// The server refuses it at once, by its family, of which verifiers elsewhere know nothing.
    #[test]
    fn what_was_granted_meanwhile_is_named_elsewhere_when_it_is_ended_again() {
        let mut world = world(Algorithm::EdDsa, &["ann"]);
        let mut edge = edge(&mut world);
        let first = elasticsearch(&mut world, "ann").unwrap();
        let end = || {
            let all = request("DELETE /_security/oauth2/token", r#"{"username": "ann"}"#);
            all.with_header("authorization", &basic("admin", "adminadmin"))
        };
        let mut meanwhile = None;
        let ended = world.race(end(), |world| {
            let alone = request("POST /_security/oauth2/token", r#"{"grant_type": "client_credentials"}"#);
            meanwhile = Some(json(&world.call(alone.with_header("authorization", &format!("Bearer {first}")))));
        });
        assert_eq!(ended.status, 200);
        let meanwhile = meanwhile.unwrap();
        let meanwhile = meanwhile["access_token"].as_str().unwrap();
        for verdict in [Ok(()), Err("revoked".into())] {
            world.advance(5);
            take(&mut world, &mut edge);
            assert_eq!(at_the_edge(&edge, &first, world.now()), Err("revoked".into()));
            assert_eq!(at_the_edge(&edge, meanwhile, world.now()), verdict);
            assert_eq!(at_the_issuer(&mut world, meanwhile), Err("revoked".into()));
            assert_eq!(world.call(end()).status, 200);
        }
    }

    #[test]
    fn one_user_cannot_fill_the_snapshot() {
        let mut world = world(Algorithm::EdDsa, &["ann", "bob"]);
        let mut edge = edge(&mut world);
        let bob = world.token("bob", "bobbob");
        let tokens: Vec<_> = (0..7).map(|_| world.token("ann", "annann")).collect();
        let revoke = |token: &str| {
            let revoke = request("POST /auth/revoke", "").with_body(format!("token={token}"));
            let revoke = revoke.with_header("content-type", "application/x-www-form-urlencoded");
            revoke.with_header("authorization", &basic("ann", "annann"))
        };
        for token in &tokens[..5] {
            assert_eq!(world.call(revoke(token)).status, 200);
            assert_eq!(world.cost.late, 0);
        }
        assert_eq!((world.count(key::REVOKED), world.count(key::ENDED)), (4, 1), "the fifth has ended all");
        assert!(world.audited().contains(&"token.revoke_all".into()));
        let later = world.token("ann", "annann");
        assert_eq!(world.call(revoke(&later)).status, 200);
        assert_eq!(world.count(key::REVOKED), 4);
        take(&mut world, &mut edge);
        let now = world.now();
        for token in tokens.iter().chain([&later]) {
            let told = at_the_issuer(&mut world, token);
            assert!(told == Err("revoked".into()) || told == Err("ended".into()), "{told:?}");
            assert_eq!(at_the_edge(&edge, token, now), told);
        }
        assert_eq!((at_the_edge(&edge, &bob, now), at_the_issuer(&mut world, &bob)), (Ok(()), Ok(())));
        // Elsewhere as well, one by one or all at once.
        for _ in 0..6 {
            let pair = elasticsearch(&mut world, "ann").unwrap();
            let end = request("DELETE /_security/oauth2/token", &format!(r#"{{"token": "{pair}"}}"#));
            assert_eq!(world.call(end.with_header("authorization", &basic("ann", "annann"))).status, 200);
            assert_eq!(at_the_issuer(&mut world, &pair), Err("ended".into()));
        }
        let pairs: Vec<_> = (0..6).map(|_| elasticsearch(&mut world, "bob").unwrap()).collect();
        let all = request("DELETE /_security/oauth2/token", r#"{"username": "bob"}"#);
        let told = json(&world.call(all.with_header("authorization", &basic("admin", "adminadmin"))));
        assert_eq!(told["invalidated_tokens"], 12);
        assert!(pairs.iter().all(|pair| at_the_issuer(&mut world, pair) == Err("revoked".into())));
        assert_eq!(at_the_issuer(&mut world, &bob), Ok(()));
        assert_eq!(world.count(key::REVOKED), 4);
        // When those have expired, single ones are ended singly again.
        world.advance(400);
        let (one, other) = (world.token("ann", "annann"), world.token("ann", "annann"));
        assert_eq!(world.call(revoke(&one)).status, 200);
        assert_eq!((at_the_issuer(&mut world, &one), at_the_issuer(&mut world, &other)), (Err("revoked".into()), Ok(())));
    }

    #[test]
    fn methods_and_neighbours_of_the_published_routes() {
        let mut world = world(Algorithm::EdDsa, &[]);
        for path in ["/auth/revocations", "/.well-known/jwks.json"] {
            assert_eq!(world.call(request(&format!("HEAD {path}"), "")).status, 200);
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                let response = world.call(request(&format!("{method} {path}"), ""));
                assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
            }
            assert_eq!(world.call(request(&format!("GET {path}/"), "")).status, 404);
        }
        for path in ["/.well-known", "/.well-known/", "/.well-known/openid-configuration"] {
            assert_eq!(world.call(request(&format!("GET {path}"), "")).status, 404, "{path}");
        }
    }

    #[test]
    fn every_way_to_end_tokens_is_remembered_until_none_could_live() {
        let mut world = world(Algorithm::EdDsa, &["ann", "bob", "eve", "joe"]);
        let admin =
            |line: &str, body: &str| request(line, body).with_header("authorization", &basic("admin", "adminadmin"));
        let next = u32::try_from(world.now().as_secs()).unwrap() + 1;
        let asked: [(Request, bool, u32); 4] = [
            (admin("PUT /v1/users/2", r#"{"password": "other"}"#), false, next),
            (request("PUT /admin/users/3/password", r#"{"password": "other"}"#), true, next),
            (request("POST /admin/users/4/disable", ""), true, Ended::GONE),
            (admin("DELETE /v1/users/5", ""), false, Ended::GONE),
        ];
        for (index, (request, local, generation)) in asked.into_iter().enumerate() {
            let uid = crate::record::Uid::new(u32::try_from(index).unwrap() + 2).unwrap();
            assert_eq!(world.stored::<Ended>(&key::ended(uid)), None);
            let response = if local { world.local(request) } else { world.call(request) };
            assert!(response.status < 300, "{uid}: {}", response.status);
            assert_eq!(world.stored::<Ended>(&key::ended(uid)), Some(Ended { uid, generation }));
        }
        // Replacing the password of somebody who is disabled lets no token live.
        world.local(request("PUT /admin/users/4/password", r#"{"password": "other"}"#));
        assert_eq!(
            world.stored::<Ended>(&key::ended(crate::record::Uid::new(4).unwrap())).unwrap().generation,
            Ended::GONE
        );
        world.advance(86_460);
        assert_eq!(world.count(key::ENDED), 4);
        world.advance(1);
        assert_eq!(world.count(key::ENDED), 0);
    }

    /// As far as the user's record tells that it was.
    #[test]
    fn what_ends_tokens_of_a_time_to_come_is_remembered_until_then() {
        let mut world = world(Algorithm::EdDsa, &["ann", "bob"]);
        let right = world.now();
        let ahead = right.plus_secs(10 * 86_400);
        world.set(ahead);
        let (ann, eve) = ("/admin/users/ann", r#"{"name": "eve", "password": "eveeve"}"#);
        assert_eq!(world.local(request(&format!("PUT {ann}/password"), r#"{"password": "annann"}"#)).status, 204);
        assert_eq!(world.local(request("POST /admin/users", eve)).status, 201);
        let tokens = [world.token("ann", "annann"), world.token("eve", "eveeve")];
        world.set(right.plus_secs(60));
        assert_eq!(world.local(request(&format!("POST {ann}/logout"), "")).status, 200);
        assert_eq!(world.local(request("DELETE /admin/users/eve", "")).status, 204);
        world.set(ahead.plus_secs(100));
        let mut edge = edge(&mut world);
        take(&mut world, &mut edge);
        for (token, why) in tokens.iter().zip(["ended", "user_gone"]) {
            assert_eq!(at_the_edge(&edge, token, world.now()), Err(why.into()));
            assert_eq!(at_the_issuer(&mut world, token), Err(why.into()));
        }
        world.set(ahead.plus_secs(86_500));
        assert_eq!(world.count(key::ENDED), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever happens to users, tokens and keys: with a fresh snapshot the edge says of every token what the issuer says.
        #[test]
        fn edge_and_issuer_agree(steps in proptest::collection::vec((0..9_u8, 0..3_usize), 1..20)) {
            const NAMES: [&str; 3] = ["ann", "bob", "eve"];
            let mut world = world(Algorithm::EdDsa, &NAMES);
            let mut edge = edge(&mut world);
            let mut tokens: Vec<String> = Vec::new();
            for (step, who) in steps {
                let name = NAMES[who];
                let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, &format!("{name}{name}")));
                match step {
                    0 | 1 => {
                        let answer: Value = serde_json::from_slice(&world.call(login).body).unwrap_or_default();
                        tokens.extend(answer["access_token"].as_str().map(ToString::to_string));
                    }
                    2 => tokens.extend(elasticsearch(&mut world, name)),
                    3 => drop(world.local(request(&format!("POST /admin/users/{name}/logout"), ""))),
                    4 => drop(world.local(request(&format!("POST /admin/users/{name}/disable"), ""))),
                    5 => drop(world.local(request(&format!("POST /admin/users/{name}/enable"), ""))),
                    6 => drop(world.local(request(&format!("DELETE /admin/users/{name}"), ""))),
                    7 => {
                        let body = format!(r#"{{"token": "{}"}}"#, tokens.last().map_or("x", String::as_str));
                        world.local(request("POST /admin/tokens/revoke", &body));
                    }
                    _ => {
                        let all = request("DELETE /_security/oauth2/token", &format!(r#"{{"username": "{name}"}}"#));
                        world.call(all.with_header("authorization", &basic("admin", "adminadmin")));
                    }
                }
                world.advance(5);
                take(&mut world, &mut edge);
                for token in &tokens {
                    prop_assert_eq!(at_the_edge(&edge, token, world.now()), at_the_issuer(&mut world, token), "after {}", step);
                }
            }
        }
    }
}
