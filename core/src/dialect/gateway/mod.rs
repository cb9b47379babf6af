//! For what stands between clients and services: reverse proxies ask whether a request may pass, services ask what a token says.
//!
//! | route | who asks | source |
//! |---|---|---|
//! | `/auth/verify` | proxies that take any 2xx: nginx, Traefik, Caddy | their manuals |
//! | `/auth/envoy` | Envoy, which takes 200 only | its `ext_authz` filter |
//! | `/auth/introspect` | services | RFC 7662 |
//! | `/auth/revoke` | services, owners | RFC 7009 |
//! | `/auth/revocations` | verifiers elsewhere | [`crate::token::Snapshot`] |
//! | `/.well-known/jwks.json` | verifiers elsewhere | RFC 7517 |

mod caller;
mod error;
mod introspect;
mod live;
mod published;
mod revoke;
mod verify;

use crate::seam::{Method, Op, Response, Stop};

pub(super) use error::{refuse, unread};

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let Some(route) = Route::of(&op.request.path) else { return Ok(Response::empty(404)) };
    if !route.takes(&op.request.method) {
        return Ok(Response::empty(405).with_header("allow", route.methods()));
    }
    match route {
        Route::Verify => verify::verify(op, 204),
        Route::Envoy => verify::verify(op, 200),
        Route::Introspect => introspect::introspect(op),
        Route::Revoke => revoke::revoke(op),
        Route::Revocations => published::revocations(op),
        Route::Keys => Ok(published::keys(op)),
    }
}

/// Whether `path` is where proxies ask if a request may pass: `/auth/verify` or `/auth/envoy`, and whatever they append to it. The
/// answer follows from one of the two and the `Authorization` header, never from what is appended.
pub fn is_verification(path: &str) -> bool {
    Route::of(path).is_some_and(Route::is_verification)
}

/// Whether `path` is one that services and proxies ask at for every request of their own: [`is_verification`] and introspection.
pub fn is_asked_often(path: &str) -> bool {
    Route::of(path).is_some_and(|route| route.is_verification() || route == Route::Introspect)
}

/// Whether revocation snapshots are given out at `path`: one text, which may be long, for everybody.
pub fn is_snapshot(path: &str) -> bool {
    Route::of(path) == Some(Route::Revocations)
}

/// Whether callers have to prove at `path` who they are.
pub(super) fn has_caller(path: &str) -> bool {
    Route::of(path).is_some_and(Route::has_caller)
}

/// What a path names.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Route {
    Verify,
    Envoy,
    Introspect,
    Revoke,
    Revocations,
    Keys,
}

impl Route {
    /// Proxies may append the path that the client asked for to the two that are theirs.
    fn of(path: &str) -> Option<Self> {
        if path == "/.well-known/jwks.json" {
            return Some(Self::Keys);
        }
        match path.strip_prefix("/auth/")? {
            "introspect" => Some(Self::Introspect),
            "revoke" => Some(Self::Revoke),
            "revocations" => Some(Self::Revocations),
            path => match path.split('/').next()? {
                "verify" => Some(Self::Verify),
                "envoy" => Some(Self::Envoy),
                _ => None,
            },
        }
    }

    /// Whether a proxy asks here about a request of its client, of whatever method that is.
    const fn is_verification(self) -> bool {
        matches!(self, Self::Verify | Self::Envoy)
    }

    /// Whether callers have to prove who they are before anything else is looked at.
    const fn has_caller(self) -> bool {
        matches!(self, Self::Introspect | Self::Revoke)
    }

    /// Proxies hand the method of the client on, so checking takes every one that has a meaning to a resource;
    /// a question for `OPTIONS` without a token gets its 401 like any other.
    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Verify | Self::Envoy => !matches!(method.as_str(), "TRACE" | "CONNECT"),
            Self::Introspect | Self::Revoke => *method == Method::Post,
            Self::Revocations | Self::Keys => matches!(method, Method::Get | Method::Head),
        }
    }

    /// The methods it has, for `Allow`.
    const fn methods(self) -> &'static str {
        match self {
            Self::Verify | Self::Envoy => "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
            Self::Introspect | Self::Revoke => "POST",
            Self::Revocations | Self::Keys => "GET, HEAD",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        record::{Stored, key},
        seam::Request,
        testing::{TestWorld, basic, json, request},
    };
    use alloc::{
        format,
        string::{String, ToString},
        vec::Vec,
    };
    use serde_json::Value;

    /// `admin`, `ann` (`db_viewer`) and `bob` (`cluster_viewer`); everybody's password is the name, doubled.
    fn world() -> TestWorld {
        let mut world = TestWorld::with_admin("adminadmin");
        for (name, role) in [("ann", "db_viewer"), ("bob", "cluster_viewer")] {
            let body = format!(r#"{{"name": "{name}", "role": "{role}", "password": "{name}{name}"}}"#);
            assert_eq!(world.local(request("POST /admin/users", &body)).status, 201);
        }
        world.audited();
        world
    }

    fn by(name: &str) -> String {
        basic(name, &format!("{name}{name}"))
    }

    fn form(path: &str, authorization: &str, body: &str) -> Request {
        request(&format!("POST {path}"), "")
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_header("authorization", authorization)
            .with_body(body)
    }

    fn redis(world: &mut TestWorld, name: &str) -> String {
        world.token(name, &format!("{name}{name}"))
    }

    fn openshift(world: &mut TestWorld, name: &str, scope: &str) -> String {
        let body = format!(r#"{{"scope": "{scope}"}}"#);
        let response = world.call(
            request("POST /broker/rest/user/authorizations", &body)
                .with_header("accept", "application/json")
                .with_header("authorization", &by(name)),
        );
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        body["data"]["token"].as_str().unwrap().into()
    }

    /// Access token and refresh token.
    fn elasticsearch(world: &mut TestWorld, name: &str) -> (String, String) {
        let body = format!(r#"{{"grant_type": "password", "username": "{name}", "password": "{name}{name}"}}"#);
        let response = world.call(request("POST /_xpack/security/oauth2/token", &body));
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_string();
        (text("access_token"), text("refresh_token"))
    }

    fn introspect(world: &mut TestWorld, authorization: &str, token: &str) -> Value {
        let response = world.call(form("/auth/introspect", authorization, &format!("token={token}")));
        assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
        json(&response)
    }

    #[track_caller]
    fn check_inactive(world: &mut TestWorld, authorization: &str, token: &str) {
        let response = world.call(form("/auth/introspect", authorization, &format!("token={token}")));
        assert_eq!((response.status, response.body.as_slice()), (200, b"{\"active\":false}".as_slice()));
    }

    #[track_caller]
    fn check_alive(world: &mut TestWorld, token: &str, alive: bool) {
        let request = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        assert_eq!(world.call(request).status, if alive { 204 } else { 401 });
    }

    #[test]
    fn a_path_says_what_it_is_asked_for() {
        for (path, often, snapshot) in [
            ("/auth/verify", true, false),
            ("/auth/envoy/v1/users", true, false),
            ("/auth/introspect", true, false),
            ("/auth/introspect/", false, false),
            ("/auth/revoke", false, false),
            ("/auth/revocations", false, true),
            ("/auth/revocations/", false, false),
            ("/.well-known/jwks.json", false, false),
            ("/v1/users", false, false),
        ] {
            assert_eq!((super::is_asked_often(path), super::is_snapshot(path)), (often, snapshot), "{path}");
        }
    }

    #[test]
    fn introspection_says_what_a_token_says() {
        let mut world = world();
        world.settings_mut().audience = Some("clients".into());
        let token = redis(&mut world, "ann");
        let now = world.now().as_secs();
        world.advance(10);
        let mut body = introspect(&mut world, &by("admin"), &token);
        assert_eq!(body["jti"].take().as_str().map(str::len), Some(22));
        let expected = serde_json::json!({
            "active": true, "sub": "2", "username": "ann", "iss": "waxseal", "aud": "clients", "iat": now, "exp": now + 300,
            "jti": null, "token_type": "Bearer", "uid": 2, "role": "db_viewer", "dialect": "redis",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn tokens_of_every_dialect_are_seen() {
        let mut world = world();
        let token = openshift(&mut world, "ann", "userinfo");
        let body = introspect(&mut world, &by("admin"), &token);
        assert_eq!(
            (&body["dialect"], &body["scope"], &body["sub"]),
            (&"openshift".into(), &"userinfo".into(), &"2".into())
        );
        let request = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        let response = world.call(request);
        assert_eq!((response.status, response.header("x-auth-scopes")), (204, Some("userinfo")));
        assert_eq!((world.cost.rounds, world.cost.derivations), (2, 0));

        let (access, refresh) = elasticsearch(&mut world, "ann");
        assert_eq!(introspect(&mut world, &by("admin"), &access)["dialect"], "elasticsearch");
        check_inactive(&mut world, &by("admin"), &refresh);
        check_alive(&mut world, &refresh, false);
    }

    #[test]
    fn others_see_their_own_tokens_only() {
        let mut world = world();
        let (anns, bobs) = (redis(&mut world, "ann"), redis(&mut world, "bob"));
        assert_eq!(introspect(&mut world, &by("ann"), &anns)["username"], "ann");
        check_inactive(&mut world, &by("ann"), &bobs);
        assert_eq!(introspect(&mut world, &by("bob"), &anns)["username"], "ann");
        assert_eq!(introspect(&mut world, &format!("Bearer {bobs}"), &anns)["username"], "ann");
        check_inactive(&mut world, &format!("Bearer {anns}"), &bobs);
        world.settings_mut().gateway.introspection_roles = Vec::new();
        check_inactive(&mut world, &by("admin"), &anns);
    }

    #[test]
    fn a_token_that_is_not_good_is_inactive_and_nothing_else() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        for other in ["x", "a.b.c", &token[1..], &"0".repeat(64), &"a".repeat(9000)] {
            check_inactive(&mut world, &by("admin"), other);
        }
        world.local(request("POST /admin/users/ann/logout", ""));
        check_inactive(&mut world, &by("admin"), &token);
        let token = redis(&mut world, "ann");
        world.advance(300);
        check_inactive(&mut world, &by("admin"), &token);
    }

    /// Whoever asks learns that it is not good, and the log says why (security T10).
    #[test]
    fn the_log_is_told_why_a_token_is_not_good() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        check_alive(&mut world, &token, true);
        assert_eq!(world.token_refusal, None);
        world.local(request("POST /admin/users/ann/logout", ""));
        check_inactive(&mut world, &by("admin"), &token);
        assert_eq!(world.token_refusal, Some("ended"));
        check_alive(&mut world, &token, false);
        assert_eq!(world.token_refusal, Some("ended"));
        revoke(&mut world, &by("admin"), &"0".repeat(64));
        assert_eq!(world.token_refusal, Some("revoked"));
        revoke(&mut world, &by("admin"), "x");
        assert_eq!(world.token_refusal, Some("malformed"));
        // A refresh token is one as well.
        let (_, refresh) = elasticsearch(&mut world, "ann");
        revoke(&mut world, &by("ann"), &refresh);
        assert_eq!(world.token_refusal, None);
    }

    #[test]
    fn a_caller_must_prove_who_he_is() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        let body = format!("token={token}");
        for path in ["/auth/introspect", "/auth/revoke"] {
            let check = |world: &mut TestWorld, request: Request, bearer: &str| {
                let response = world.call(request);
                let challenges: Vec<_> = response.headers.iter().filter(|(name, _)| *name == "www-authenticate").collect();
                assert_eq!((response.status, &json(&response)["error"]), (401, &"invalid_client".into()));
                assert_eq!(challenges[0].1, "Basic realm=\"waxseal\", charset=\"UTF-8\"");
                assert_eq!(challenges[1].1, bearer);
            };
            let none = "Bearer realm=\"waxseal\"";
            let invalid = "Bearer realm=\"waxseal\", error=\"invalid_token\"";
            check(&mut world, request(&format!("POST {path}"), ""), none);
            check(&mut world, form(path, &basic("ann", "wrong"), &body), none);
            check(&mut world, form(path, &basic("nobody", "wrong"), &body), none);
            check(&mut world, form(path, "Digest x", &body), none);
            check(&mut world, form(path, "Bearer a.b.c", &body), invalid);
            // Wrong credentials come before a wrong body.
            check(&mut world, form(path, &basic("ann", "wrong"), ""), none);
        }
        check_alive(&mut world, &token, true);
    }

    #[test]
    fn a_token_of_lesser_scope_asks_nothing() {
        let mut world = world();
        let token = redis(&mut world, "bob");
        for (scope, status) in [("session", 200), ("read", 403), ("userinfo", 403)] {
            let own = openshift(&mut world, "bob", scope);
            for path in ["/auth/introspect", "/auth/revoke"] {
                let response = world.call(form(path, &format!("Bearer {own}"), &format!("token={token}x")));
                assert_eq!(response.status, status, "{scope} {path}");
                // RFC 6750, 3.1.
                let lesser = "Bearer realm=\"waxseal\", error=\"insufficient_scope\"";
                assert_eq!(response.header("www-authenticate"), (status == 403).then_some(lesser), "{scope} {path}");
            }
        }
    }

    #[test]
    fn wrong_requests_are_400() {
        let mut world = world();
        for path in ["/auth/introspect", "/auth/revoke"] {
            for body in
                ["", "token=", "tok=x", "token=x&token=y", "token=x&token=x", "token=%zz", "token=x&a=1&a=2", "token=\n"]
            {
                let response = world.call(form(path, &by("ann"), body));
                assert_eq!((response.status, &json(&response)["error"]), (400, &"invalid_request".into()), "{body}");
            }
            let as_json = request(&format!("POST {path}"), r#"{"token": "x"}"#).with_header("authorization", &by("ann"));
            assert_eq!(world.call(as_json).status, 400);
            let hint = form(path, &by("ann"), "token_type_hint=access_token&token=x&unknown=1");
            assert_eq!(world.call(hint).status, 200);
            for (line, status) in [("GET", 405), ("PUT", 405), ("OPTIONS", 405)] {
                let response = world.call(request(&format!("{line} {path}"), ""));
                assert_eq!((response.status, response.header("allow")), (status, Some("POST")));
            }
            assert_eq!(world.call(form(&format!("{path}/"), &by("ann"), "token=x")).status, 404);
        }
    }

    #[test]
    fn a_password_is_derived_once_and_only_after_all_reads() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        introspect(&mut world, &by("admin"), &token);
        assert_eq!((world.cost.derivations, world.cost.rounds), (1, 4));
        introspect(&mut world, &format!("Bearer {token}"), &token);
        assert_eq!((world.cost.derivations, world.cost.rounds, world.cost.commits), (0, 1, 0));
    }

    fn revoke(world: &mut TestWorld, authorization: &str, token: &str) {
        let response = world.call(form("/auth/revoke", authorization, &format!("token={token}")));
        assert_eq!((response.status, response.body.len()), (200, 0));
    }

    #[test]
    fn owners_and_administrators_revoke() {
        let mut world = world();
        for caller in ["ann", "admin"] {
            let (signed, stored) = (redis(&mut world, "ann"), openshift(&mut world, "ann", "session"));
            let (access, _) = elasticsearch(&mut world, "ann");
            let other = redis(&mut world, "ann");
            for token in [signed, stored, access] {
                world.audited();
                revoke(&mut world, &by(caller), &token);
                assert_eq!(world.audited(), ["login", "token.revoke"]);
                check_alive(&mut world, &token, false);
                revoke(&mut world, &by(caller), &token);
                assert_eq!(world.audited(), ["login"]);
            }
            check_alive(&mut world, &other, true);
        }
    }

    /// The clock can be set right, a setting can change back, and a verifier elsewhere can have more leeway.
    #[test]
    fn a_token_that_is_not_good_now_can_be_ended() {
        type Change = fn(&mut TestWorld);
        let changes: [(Change, Change); 4] = [
            (|world| world.set(crate::time::UnixTime::from_secs(1_800_000_000)), |world| world.advance(86_400)),
            (|world| world.settings_mut().issuer = "other".into(), |world| world.settings_mut().issuer = "waxseal".into()),
            (|world| world.settings_mut().audience = Some("other".into()), |world| world.settings_mut().audience = None),
            (|_| {}, |world| world.settings_mut().leeway = 60),
        ];
        for (case, (there, back)) in changes.into_iter().enumerate() {
            for (way, dialect) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
                let mut world = world();
                if case == 0 {
                    world.advance(86_400);
                }
                let token = if dialect == 0 { redis(&mut world, "ann") } else { elasticsearch(&mut world, "ann").0 };
                if case == 3 {
                    world.advance(if dialect == 0 { 359 } else { 1259 });
                }
                there(&mut world);
                check_alive(&mut world, &token, false);
                world.audited();
                match way {
                    0 => revoke(&mut world, &by("ann"), &token),
                    1 => {
                        let body = format!(r#"{{"token": "{token}"}}"#);
                        assert_eq!(json(&world.local(request("POST /admin/tokens/revoke", &body)))["revoked"], true);
                    }
                    _ => revoke(&mut world, &by("bob"), &token),
                }
                let told = if way == 2 { "token.revoke not_allowed" } else { "token.revoke" };
                assert_eq!(world.audited().pop().as_deref(), Some(told), "{case} {way} {dialect}");
                check_inactive(&mut world, &by("ann"), &token);
                back(&mut world);
                check_alive(&mut world, &token, way == 2);
            }
        }
    }

    /// No verifier accepts it any more, whatever its leeway.
    #[test]
    fn a_token_that_is_over_everywhere_is_not_entered() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        world.advance(360);
        revoke(&mut world, &by("ann"), &token);
        let told = world.local(request("POST /admin/tokens/revoke", &format!(r#"{{"token": "{token}"}}"#)));
        assert_eq!(json(&told)["code"], "expired");
        assert_eq!(world.count("revoked/"), 0);
    }

    #[test]
    fn nobody_else_revokes() {
        let mut world = world();
        let tokens =
            [redis(&mut world, "ann"), openshift(&mut world, "ann", "session"), elasticsearch(&mut world, "ann").0];
        for token in &tokens {
            world.audited();
            revoke(&mut world, &by("bob"), token);
            assert_eq!(world.audited(), ["login", "token.revoke not_allowed"]);
            check_alive(&mut world, token, true);
        }
    }

    #[test]
    fn a_refresh_token_ends_with_all_that_came_of_its_login() {
        let mut world = world();
        let ((access, refresh), (other, _)) = (elasticsearch(&mut world, "ann"), elasticsearch(&mut world, "ann"));
        revoke(&mut world, &by("bob"), &refresh);
        check_alive(&mut world, &access, true);
        revoke(&mut world, &by("ann"), &refresh);
        check_alive(&mut world, &access, false);
        check_alive(&mut world, &other, true);
        let body = format!(r#"{{"grant_type": "refresh_token", "refresh_token": "{refresh}"}}"#);
        let again = request("POST /_security/oauth2/token", &body).with_header("authorization", &by("ann"));
        assert_eq!(world.call(again).status, 400);
    }

    #[test]
    fn a_token_may_end_itself() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        revoke(&mut world, &format!("Bearer {token}"), &token);
        check_alive(&mut world, &token, false);
    }

    #[test]
    fn a_revocation_outlasts_the_token() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        let id = introspect(&mut world, &by("ann"), &token)["jti"].as_str().unwrap().to_string();
        revoke(&mut world, &by("ann"), &token);
        world.settings_mut().leeway = 60;
        for (later, known) in [(0, true), (300, true), (59, true), (1, false)] {
            world.advance(later);
            assert_eq!(world.stored::<crate::record::Revoked>(&key::revoked(&id)).is_some(), known, "{later} s later");
            check_alive(&mut world, &token, false);
        }
    }

    #[test]
    fn two_revocations_at_once_are_both_answered() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        let request = form("/auth/revoke", &by("ann"), &format!("token={token}"));
        let first = world.race(request, |world| revoke(world, &by("admin"), &token));
        assert_eq!(first.status, 200);
        check_alive(&mut world, &token, false);
    }

    #[test]
    fn a_damaged_record_opens_nothing() {
        let mut world = world();
        let token = redis(&mut world, "ann");
        world.put(key::user(crate::record::Uid::new(2).unwrap()), [0].into());
        let request = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        assert_eq!(world.call(request).status, 503);
        assert_eq!(world.call(form("/auth/introspect", &by("admin"), &format!("token={token}"))).status, 503);
        assert!(crate::record::User::decode(&[0]).is_err());
    }
}
