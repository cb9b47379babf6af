//! `/auth/verify`, `/auth/envoy`: may this request pass, and whose is it?
//!
//! The hottest path there is. It derives nothing, so a password does not work here, and after the signature it asks the store
//! once.

use super::live::{Live, live};
use crate::{
    engine::{self, Credentials},
    record::Scope,
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use alloc::{
    format,
    string::{String, ToString},
};

/// Says whose token it is in headers that a proxy can hand on.
///
/// # Errors
/// [`Refusal::NoCredentials`] without a token, [`Refusal::is_token`] with one that is not good.
pub(super) fn verify(op: &Op<'_>, status: u16) -> Result<Response, Stop> {
    let Credentials::Token(token) = Credentials::with_jwt(op.request) else { return Err(Refusal::NoCredentials.into()) };
    let live = live(op, &token)?;
    let role = live.role();
    let Live { user, dialect, scopes, expires, .. } = live;
    let mut response = Response::empty(status)
        .with_header("x-auth-user", header_name(user.name))
        .with_header("x-auth-uid", user.uid.to_string())
        .with_header("x-auth-role", role.as_str());
    if !user.email.is_empty() {
        response = response.with_header("x-auth-email", user.email);
    }
    if let Some(scopes) = scopes {
        response = response.with_header("x-auth-scopes", Scope::join(&scopes));
    }
    Ok(response
        .with_header("x-auth-dialect", dialect)
        .with_header("x-auth-expires", expires.as_secs().to_string())
        .with_header("cache-control", "no-store"))
}

/// The name as the header says it. One that begins or ends with a blank, which only an earlier build has let in, stands in
/// quotation marks, which no name has: proxies strip blanks, and what is left could be another user.
fn header_name(name: String) -> String {
    if engine::has_blank_ends(&name) { format!("\"{name}\"") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Stored, Uid, User, key},
        seam::{Method, Request},
        testing::{TestWorld, basic, json, request},
    };

    fn world() -> TestWorld {
        TestWorld::with_admin("admin password")
    }

    fn token(world: &mut TestWorld) -> String {
        world.token("admin", "admin password")
    }

    /// A store that is restored from an older copy gives the uid of a user whom it does not know any more to somebody else.
    #[test]
    fn a_token_is_never_another_users_who_has_the_number_later() {
        let mut world = world();
        let copy = world.clone();
        let create =
            |name: &str| request("POST /admin/users", &format!(r#"{{"name": "{name}", "password": "{name}{name}"}}"#));
        assert_eq!(world.local(create("bob")).status, 201);
        let token = world.token("bob", "bobbob");
        let verify = asking("GET /auth/verify", &format!("Bearer {token}"));
        let answer = world.call(verify.clone());
        let mut copy = copy;
        copy.advance(30);
        assert_eq!(copy.local(create("carol")).status, 201);
        let own = copy.token("carol", "carolcarol");
        let hers = copy.call(asking("GET /auth/verify", &format!("Bearer {own}")));
        assert_eq!((answer.status, hers.status), (204, 204));
        assert_eq!(answer.header("x-auth-uid"), hers.header("x-auth-uid"));
        assert_eq!(copy.call(verify).status, 401);
    }

    fn asking(line: &str, authorization: &str) -> Request {
        request(line, "").with_header("authorization", authorization)
    }

    #[track_caller]
    fn check(response: &Response, status: u16, challenge: Option<&str>) {
        assert_eq!((response.status, response.header("www-authenticate")), (status, challenge));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert!(response.body.is_empty());
    }

    const NONE: Option<&str> = Some("Bearer realm=\"waxseal\"");
    const INVALID: Option<&str> = Some("Bearer realm=\"waxseal\", error=\"invalid_token\"");

    #[test]
    fn a_good_token_passes_and_says_whose_it_is() {
        let mut world = world();
        let token = token(&mut world);
        let response = world.call(asking("GET /auth/verify", &format!("Bearer {token}")));
        check(&response, 204, None);
        let expires = (world.now().as_secs() + 300).to_string();
        for (name, value) in [
            ("x-auth-user", Some("admin")),
            ("x-auth-uid", Some("1")),
            ("x-auth-role", Some("admin")),
            ("x-auth-email", None),
            ("x-auth-dialect", Some("redis")),
            ("x-auth-scopes", None),
            ("x-auth-expires", Some(expires.as_str())),
        ] {
            assert_eq!(response.header(name), value, "{name}");
        }
    }

    #[test]
    fn the_address_is_said_if_there_is_one() {
        let mut world = world();
        world.local(request("POST /admin/users", r#"{"name": "ann", "email": "ann@example.com", "password": "pw"}"#));
        let token = world.token("ann", "pw");
        let response = world.call(asking("GET /auth/verify", &format!("JWT {token}")));
        assert_eq!(response.header("x-auth-email"), Some("ann@example.com"));
        assert_eq!(response.header("x-auth-role"), Some("db_viewer"));
    }

    #[test]
    fn a_name_with_blanks_at_its_ends_is_nobody_elses() {
        let mut world = world();
        for (name, said) in [("admin ", "\"admin \""), (" admin", "\" admin\""), ("ad min", "ad min")] {
            let token = token(&mut world);
            let user = world.stored::<User>(&key::user(Uid::new(1).unwrap())).unwrap();
            world.put(key::user(user.uid), User { name: name.into(), ..user.clone() }.encode());
            let response = world.call(asking("GET /auth/verify", &format!("Bearer {token}")));
            assert_eq!(response.header("x-auth-user"), Some(said));
            world.put(key::user(user.uid), user.encode());
        }
    }

    #[test]
    fn every_route_and_method_of_a_proxy_passes() {
        let mut world = world();
        let token = format!("Bearer {}", token(&mut world));
        for (line, status) in [
            ("GET /auth/verify", 204),
            ("HEAD /auth/verify", 204),
            ("DELETE /auth/verify/", 204),
            ("PROPFIND /auth/verify/any/path?x=y", 204),
            ("POST /auth/envoy", 200),
            ("PATCH /auth/envoy/v1/users", 200),
            ("OPTIONS /auth/verify", 204),
            ("TRACE /auth/verify/x", 405),
            ("CONNECT /auth/envoy", 405),
            ("GET /auth/verifyx", 404),
            ("GET /auth", 404),
            ("GET /auth/", 404),
            ("GET /auth/%76erify", 404),
        ] {
            let response = world.call(asking(line, &token));
            assert_eq!(response.status, status, "{line}");
            assert_eq!(response.header("allow").is_some(), status == 405, "{line}");
            assert_eq!(response.header("x-auth-user").is_some(), status < 300, "{line}");
        }
    }

    #[test]
    fn it_costs_one_question_and_changes_nothing() {
        let mut world = world();
        let token = token(&mut world);
        world.events.clear();
        world.call(asking("GET /auth/verify", &format!("Bearer {token}")));
        assert_eq!((world.cost.rounds, world.cost.reads), (1, 2));
        assert_eq!((world.cost.derivations, world.cost.commits, world.events.len()), (0, 0, 0));
        world.call(asking("GET /auth/verify", "Bearer a.b.c"));
        assert_eq!(world.cost.rounds, 0);
        // What tokens of Elasticsearch end with besides.
        let grant = r#"{"grant_type": "password", "username": "admin", "password": "admin password"}"#;
        let granted = json(&world.call(request("POST /_xpack/security/oauth2/token", grant)));
        let token = granted["access_token"].as_str().unwrap();
        assert_eq!(world.call(asking("GET /auth/verify", &format!("Bearer {token}"))).status, 204);
        assert_eq!((world.cost.rounds, world.cost.reads), (1, 6));
    }

    #[test]
    fn without_a_token_there_is_a_challenge() {
        let mut world = world();
        check(&world.call(request("GET /auth/verify", "")), 401, NONE);
        check(&world.call(asking("GET /auth/verify", &basic("admin", "admin password"))), 401, NONE);
        assert_eq!(world.cost.derivations, 0);
        check(&world.call(asking("GET /auth/verify", "Digest x")), 401, NONE);
        let token = format!("Bearer {}", token(&mut world));
        let twice = asking("GET /auth/verify", &token).with_header("authorization", &token);
        check(&world.call(twice), 401, NONE);
        let query = Request::new(Method::Get, &format!("/auth/verify?access_token={token}"));
        check(&world.call(query), 401, NONE);
    }

    /// A good token is refused after `change`, and nobody learns why.
    #[track_caller]
    fn check_ended(change: impl FnOnce(&mut TestWorld)) {
        let mut world = world();
        world.local(request("POST /admin/users", r#"{"name": "other", "role": "admin", "password": "pw"}"#));
        let token = format!("Bearer {}", token(&mut world));
        check(&world.call(asking("GET /auth/verify", &token)), 204, None);
        change(&mut world);
        check(&world.call(asking("GET /auth/verify", &token)), 401, INVALID);
    }

    #[test]
    fn a_token_ends() {
        check_ended(|world| world.advance(300));
        for line in ["POST /admin/users/1/disable", "POST /admin/users/1/logout", "DELETE /admin/users/admin"] {
            check_ended(|world| drop(world.local(request(line, ""))));
        }
        check_ended(|world| drop(world.local(request("PUT /admin/users/1/password", r#"{"password": "new"}"#))));
        check_ended(|world| world.settings_mut().issuer = "another".into());
        check_ended(|world| {
            for line in ["POST /admin/keys/rotate", "POST /admin/keys/test/retire"] {
                assert!(world.local(request(line, "")).status < 300);
            }
        });
    }

    #[test]
    fn a_token_survives_what_does_not_concern_it() {
        let mut world = world();
        let token = format!("Bearer {}", token(&mut world));
        world.advance(299);
        world.local(request("POST /admin/keys/rotate", ""));
        world.local(request("POST /admin/users/1/password", r#"{"password": "one more"}"#));
        check(&world.call(asking("GET /auth/verify", &token)), 204, None);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let mut world = world();
        let token = token(&mut world);
        for other in [&token[..token.len() - 1], "a.b.c", "abc", &"0".repeat(64), &"a".repeat(9000)] {
            check(&world.call(asking("GET /auth/verify", &format!("Bearer {other}"))), 401, INVALID);
        }
    }
}
