//! Who may do what to whom, and what the audit trail says of it.

use crate::{
    password::Scheme,
    record::{Uid, User, key},
    seam::{Request, Response},
    testing::{TestWorld, basic, json, request},
};
use alloc::{format, string::String, vec::Vec};

/// `admin`, `mia` (`user_manager`), `ann` (`none`) and `eve` (`db_viewer`), uids 1 to 4; everybody's password is the name, doubled.
fn world() -> TestWorld {
    let mut world = TestWorld::with_admin("adminadmin");
    for (name, role) in [("mia", "user_manager"), ("ann", "none"), ("eve", "db_viewer")] {
        let body =
            format!(r#"{{"name": "{name}", "email": "{name}@example.com", "role": "{role}", "password": "{name}{name}"}}"#);
        assert_eq!(world.local(request("POST /admin/users", &body)).status, 201);
    }
    world.audited();
    world
}

fn by(name: &str, line: &str, body: &str) -> Request {
    request(line, body).with_header("authorization", &basic(name, &format!("{name}{name}")))
}

/// By a token of that user.
fn bearing(world: &mut TestWorld, name: &str, line: &str, body: &str) -> Response {
    let token = world.token(name, &format!("{name}{name}"));
    world.audited();
    world.call(request(line, body).with_header("authorization", &format!("Bearer {token}")))
}

#[track_caller]
fn check_login(world: &mut TestWorld, name: &str, password: &str, status: u16) {
    let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
    assert_eq!(world.call(login).status, status, "{name} {password}");
}

/// Whoever could set an administrator's password or address would be one.
#[test]
fn user_managers_may_not_change_administrators() {
    let mut world = world();
    for (line, body) in [
        ("PUT /v1/users/1", r#"{"password": "chosen"}"#),
        ("PUT /v1/users/1", r#"{"email": "mia@example.org"}"#),
        ("PUT /v1/users/1", r#"{"role": "none"}"#),
        ("PUT /v1/users/1", r#"{"email_alerts": false}"#),
        ("PUT /v1/users/4", r#"{"role": "admin"}"#),
        ("PUT /v1/users/2", r#"{"role": "admin"}"#),
        ("PUT /v1/users/password", r#"{"username": "admin", "new_password": "chosen"}"#),
        ("DELETE /v1/users/1", ""),
        ("POST /v1/users", r#"{"name": "max", "role": "admin", "password": "max"}"#),
    ] {
        // With another administrator, so that it is not for being the last one that `admin` stays.
        let mut world = world.clone();
        assert_eq!(
            world.local(request("POST /admin/users", r#"{"name": "other", "role": "admin", "password": "other"}"#)).status,
            201
        );
        assert_eq!(world.call(by("mia", line, body)).status, 403, "{line} {body}");
        let shown = json(&world.local(request("GET /admin/users/1", "")));
        assert_eq!((&shown["role"], &shown["email"]), (&"admin".into(), &"".into()), "{line} {body}");
        check_login(&mut world, "admin", "adminadmin", 200);
    }
    assert_eq!(world.call(by("mia", "PUT /v1/users/4", r#"{"password": "chosen"}"#)).status, 200);
    assert_eq!(world.call(by("mia", "DELETE /v1/users/4", "")).status, 200);
}

#[test]
fn the_policies_are_read_by_every_role_but_none() {
    let mut world = world();
    for path in ["/v1/cluster", "/v1/cluster/policy"] {
        for (name, status) in [("admin", 200), ("mia", 200), ("eve", 200), ("ann", 403)] {
            assert_eq!(world.call(by(name, &format!("GET {path}"), "")).status, status, "{name} {path}");
        }
    }
}

/// Where the old password has to be shown, a token that was found does not stand for it, by any way.
#[test]
fn a_token_alone_changes_no_password_where_the_old_one_is_required() {
    let mut world = world();
    world.settings_mut().redis.require_old_password = true;
    for (line, body) in [
        ("PUT /v1/users/3", r#"{"password": "chosen"}"#),
        ("PUT /v1/users/password", r#"{"new_password": "chosen"}"#),
        ("POST /v1/users/password", r#"{"new_password": "chosen"}"#),
    ] {
        assert_eq!(bearing(&mut world, "ann", line, body).status, 400, "{line}");
        check_login(&mut world, "ann", "chosen", 401);
    }
    let others = bearing(&mut world, "mia", "PUT /v1/users/3", r#"{"password": "chosen"}"#);
    assert_eq!(others.status, 200, "who manages users knows no password of theirs");
    assert_eq!(world.call(by("mia", "PUT /v1/users/2", r#"{"password": "other"}"#)).status, 200);
}

/// It has to be in the list (contract/redis.md section 6), whether or not its owner may log in.
#[test]
fn the_old_password_of_a_disabled_user_is_one_of_his() {
    let mut world = world();
    assert_eq!(world.local(request("POST /admin/users/ann/disable", "")).status, 200);
    world.audited();
    let locks = |world: &TestWorld| world.count(key::lock(Uid::new(3).unwrap()).as_str());
    let add = r#"{"username": "ann", "old_password": "annann", "new_password": "second"}"#;
    assert_eq!(world.call(by("admin", "POST /v1/users/password", add)).status, 200);
    assert_eq!(world.audited(), ["login", "password.prove", "password.add"]);
    let delete = r#"{"username": "ann", "old_password": "second"}"#;
    assert_eq!(world.call(by("admin", "DELETE /v1/users/password", delete)).status, 200);
    let put = r#"{"username": "ann", "old_password": "annann", "new_password": "third"}"#;
    for _ in 0..5 {
        assert_eq!(world.call(by("admin", "PUT /v1/users/password", &put.replace("annann", "second"))).status, 401);
    }
    assert_eq!(locks(&world), 1, "a wrong one counts");
    assert_eq!(world.call_from("192.0.2.7", by("admin", "PUT /v1/users/password", put)).status, 200);
    let ann: User = world.stored(&key::user(Uid::new(3).unwrap())).unwrap();
    assert!(ann.disabled);
    // As a caller, ann is as unknown as before, in both forms.
    let own = r#"{"username": "ann", "old_password": "third", "new_password": "fourth"}"#;
    assert_eq!(world.call_from("192.0.2.8", request("PUT /v1/users/password", own)).status, 401);
    check_login(&mut world, "ann", "third", 401);
}

/// What the old password has proved is not lost to what is done with it: its hash is redone as at any login (security P4).
#[test]
fn an_old_password_that_is_shown_is_hashed_anew() {
    for (name, body) in [
        ("ann", r#"{"old_password": "annann", "new_password": "chosen"}"#),
        ("admin", r#"{"username": "ann", "old_password": "annann", "new_password": "chosen"}"#),
    ] {
        let mut world = world();
        let bearer = format!("Bearer {}", world.token(name, &format!("{name}{name}")));
        let scheme = Scheme::Argon2id { memory: 65_536, passes: 3, lanes: 1 };
        world.settings_mut().passwords.scheme = scheme;
        let add = request("POST /v1/users/password", body).with_header("authorization", &bearer);
        assert_eq!(world.call(add).status, 200, "{name}");
        let ann: User = world.stored(&key::user(Uid::new(3).unwrap())).unwrap();
        assert_eq!(ann.passwords.schemes().collect::<Vec<_>>(), [scheme], "{name}");
        check_login(&mut world, "ann", "annann", 200);
        check_login(&mut world, "ann", "chosen", 200);
    }
}

/// Whoever gives only an address did not choose the name that it makes.
#[test]
fn an_address_that_is_taken_is_no_name_that_is_taken() {
    let mut world = world();
    for (line, body, code) in [
        ("POST /v1/users", r#"{"email": "ann@example.com", "password": "pw"}"#, "email_already_exists"),
        ("POST /v1/users", r#"{"email": "bob@example.com", "password": "pw"}"#, ""),
        ("POST /v1/users", r#"{"email": "bob@example.com", "password": "pw"}"#, "email_already_exists"),
        ("PUT /v1/users/5", r#"{"email": "ann@example.com"}"#, "email_already_exists"),
        ("POST /v1/users", r#"{"name": "ann@example.com", "password": "pw"}"#, "name_already_exists"),
        ("POST /v1/users", r#"{"name": "ann", "email": "new@example.com", "password": "pw"}"#, "name_already_exists"),
    ] {
        let told = json(&world.call(by("admin", line, body)));
        assert_eq!(told["error_code"].as_str().unwrap_or_default(), code, "{line} {body}");
    }
}

/// A lock ends with the password that an administrator sets, by either way, and not with one that the owner sets.
#[test]
fn a_password_set_by_another_ends_a_lock() {
    for (name, line, body, status) in [
        ("admin", "PUT /v1/users/password", r#"{"username": "ann", "new_password": "chosen"}"#, 200),
        ("admin", "PUT /v1/users/3", r#"{"password": "chosen"}"#, 200),
        ("ann", "PUT /v1/users/password", r#"{"new_password": "chosen"}"#, 401),
        ("ann", "PUT /v1/users/3", r#"{"password": "chosen"}"#, 401),
    ] {
        let mut world = world();
        for _ in 0..5 {
            check_login(&mut world, "ann", "wrong", 401);
        }
        check_login(&mut world, "ann", "annann", 401);
        // The owner comes from elsewhere.
        assert_eq!(world.call_from("192.0.2.7", by(name, line, body)).status, 200, "{name} {line}");
        check_login(&mut world, "ann", "chosen", status);
    }
}

/// Otherwise whoever has found a token would learn, guess by guess, which passwords are in a list that is full.
#[test]
fn a_full_list_tells_a_token_nothing_of_its_passwords() {
    let mut world = world();
    world.settings_mut().passwords.max_per_user = 1;
    let mut code = |guess: &str| {
        let body = format!(r#"{{"new_password": "{guess}"}}"#);
        let refused = bearing(&mut world, "ann", "POST /v1/users/password", &body);
        (refused.status, world.cost.derivations, refused.body)
    };
    let wrong = code("wrong");
    assert_eq!((wrong.0, wrong.1), (400, 0));
    assert_eq!(code("annann"), wrong);
}

/// Nor which that break the policy, as those do that are older than it: neither changes anything or is noted.
#[test]
fn a_policy_tells_a_token_nothing_of_the_passwords_that_break_it() {
    let mut world = world();
    let strict = by("admin", "PUT /v1/cluster", r#"{"password_complexity": true, "password_min_length": 12}"#);
    assert_eq!(world.call(strict).status, 200);
    for line in ["PUT /v1/users/password", "POST /v1/users/password"] {
        let mut refused = |guess: &str| {
            let body = format!(r#"{{"new_password": "{guess}"}}"#);
            let refused = bearing(&mut world, "ann", line, &body);
            (refused.status, world.cost.derivations, refused.body)
        };
        let wrong = refused("wrong");
        assert_eq!((wrong.0, wrong.1), (400, 0), "{line}");
        assert_eq!(refused("annann"), wrong, "{line}");
        let shown = world.call(by("ann", line, r#"{"new_password": "annann"}"#));
        assert_eq!(json(&shown)["error_code"], "new_password_same_as_current", "{line}");
    }
}

/// A guess that is wrong is added, and taken away again: the list never fills, and no login counts it.
#[test]
fn whoever_has_only_a_token_guesses_no_more_than_the_ceiling_and_is_told_of() {
    let mut world = world();
    world.settings_mut().throttle.account_ceiling = 5;
    let change = |world: &mut TestWorld, line: &str, password: &str| {
        let member = if line.starts_with("DELETE") { "old_password" } else { "new_password" };
        bearing(world, "ann", line, &format!(r#"{{"{member}": "{password}"}}"#))
    };
    let guess = |world: &mut TestWorld, password: &str| {
        let guessed = change(world, "POST /v1/users/password", password);
        let told = world.audited().pop().unwrap_or_default();
        if guessed.status == 200 {
            assert_eq!(change(world, "DELETE /v1/users/password", password).status, 200);
        }
        (guessed.status, told)
    };
    for n in 0..4 {
        assert_eq!(guess(&mut world, &format!("guess {n}")), (200, "password.add".into()));
    }
    assert_eq!(guess(&mut world, "annann"), (400, "password.add password_same_as_current".into()));
    assert_eq!(guess(&mut world, "annann"), (429, "password.add throttled".into()));
    assert_eq!(guess(&mut world, "guess"), (429, String::new()), "told once");
    assert_eq!(world.call(by("ann", "POST /v1/users/password", r#"{"new_password": "annann"}"#)).status, 400);
    world.advance(86_400);
    assert_eq!(guess(&mut world, "guess"), (200, "password.add".into()));
}

/// Otherwise anybody could ask for names by changes that are never made.
#[test]
fn a_password_that_is_refused_tells_of_no_name() {
    let mut world = world();
    for name in ["admin", "nobody"] {
        let body = format!(r#"{{"name": "{name}", "password": "a\u0001"}}"#);
        let refused = json(&world.call(by("ann", "PUT /v1/users/3", &body)));
        assert_eq!(refused["error_code"], "invalid_schema", "{name}");
    }
}

/// Whoever replaces a list guesses once, and whoever shows a password may add as many as there is room for.
#[test]
fn the_ceiling_of_guesses_is_for_those_who_could_guess_on() {
    let world = || {
        let mut world = world();
        world.settings_mut().throttle.account_ceiling = 2;
        world
    };
    let (mut shown, mut token_only) = (world(), world());
    for n in 0..5 {
        let add = format!(r#"{{"username": "ann", "new_password": "by admin {n}"}}"#);
        let status = if n < 2 { 200 } else { 429 };
        assert_eq!(bearing(&mut token_only, "admin", "POST /v1/users/password", &add).status, status);
        assert_eq!(shown.call(by("admin", "POST /v1/users/password", &add)).status, 200);
        let replace = format!(r#"{{"username": "ann", "new_password": "replaced {n}"}}"#);
        assert_eq!(bearing(&mut shown, "admin", "PUT /v1/users/password", &replace).status, 200);
    }
    let mut world = world();
    for n in 0..5 {
        let token = world.token("ann", if n == 0 { "annann".into() } else { format!("by himself {}", n - 1) }.as_str());
        let replace = request("PUT /v1/users/password", &format!(r#"{{"new_password": "by himself {n}"}}"#));
        let replaced = world.call(replace.with_header("authorization", &format!("Bearer {token}")));
        assert_eq!(replaced.status, 200);
    }
}

/// A thief with a token can add a password, and show that one.
#[test]
fn a_password_that_was_added_opens_no_way_to_guess_on() {
    let mut world = world();
    world.settings_mut().throttle.account_ceiling = 2;
    assert_eq!(bearing(&mut world, "ann", "POST /v1/users/password", r#"{"new_password": "thief"}"#).status, 200);
    let guess = |world: &mut TestWorld, line: &str, guess: &str| {
        let change = request(line, &format!(r#"{{"new_password": "{guess}"}}"#));
        world.call(change.with_header("authorization", &basic("ann", "thief"))).status
    };
    for n in 2..16 {
        assert_eq!(guess(&mut world, "POST /v1/users/password", &format!("filler {n}")), 200);
    }
    for n in 14..25 {
        let status = guess(&mut world, "POST /v1/users/password", "guess");
        assert_eq!(status, if n < 20 { 400 } else { 429 }, "{n}");
    }
    assert_eq!(guess(&mut world, "POST /v1/users/password", "annann"), 429);
    assert_eq!(guess(&mut world, "PUT /v1/users/password", "annann"), 429);
}

/// Right and wrong guesses count alike, and the counter is a condition of the commit, so that guesses made at once count too.
#[test]
fn an_administrator_guesses_no_more_than_the_ceiling_during_a_lock() {
    let mut world = world();
    world.settings_mut().throttle.account_ceiling = 6;
    for _ in 0..5 {
        check_login(&mut world, "ann", "wrong", 401);
    }
    let guess = |world: &mut TestWorld, old: &str| {
        let body = format!(r#"{{"username": "ann", "old_password": "{old}"}}"#);
        world.call(by("admin", "DELETE /v1/users/password", &body)).status
    };
    for _ in 0..3 {
        assert_eq!((guess(&mut world, "wrong"), guess(&mut world, "annann")), (401, 400), "the last one stays");
    }
    world.audited();
    assert_eq!((guess(&mut world, "annann"), guess(&mut world, "wrong")), (429, 429));
    assert_eq!(world.audited(), ["login", "password.prove throttled", "login"]);
    world.advance(86_400);
    assert_eq!(guess(&mut world, "annann"), 400);
}

#[test]
fn what_an_administrator_is_refused_of_anothers_list_is_audited() {
    let mut world = world();
    let add = |world: &mut TestWorld, password: &str| {
        let body = format!(r#"{{"username": "ann", "new_password": "{password}"}}"#);
        world.audited();
        (world.call(by("admin", "POST /v1/users/password", &body)).status, world.audited().pop().unwrap_or_default())
    };
    for n in 1..16 {
        assert_eq!(add(&mut world, &format!("password {n}")), (200, "password.add".into()));
    }
    assert_eq!(add(&mut world, "guess"), (400, "password.add password_too_many".into()));
    assert_eq!(add(&mut world, "annann"), (400, "password.add password_same_as_current".into()));
}

/// Otherwise of many guesses made at once by one token, each would be told from the list that the first has replaced.
#[test]
fn a_right_guess_is_told_only_while_the_list_is_what_it_was() {
    let mut world = world();
    let token = world.token("ann", "annann");
    let guess = |guess: &str| {
        let body = format!(r#"{{"new_password": "{guess}"}}"#);
        request("PUT /v1/users/password", &body).with_header("authorization", &format!("Bearer {token}"))
    };
    assert_eq!(world.race(guess("annann"), |world| assert_eq!(world.call(guess("other")).status, 200)).status, 401);
    check_login(&mut world, "ann", "other", 200);
}

#[test]
fn an_empty_name_is_nobody_s() {
    let mut world = world();
    for line in ["PUT /v1/users/password", "POST /v1/users/password", "DELETE /v1/users/password"] {
        let body = r#"{"username": "", "old_password": "annann", "new_password": "annann 2"}"#;
        for request in [by("ann", line, body), by("admin", line, body), request(line, body)] {
            let refused = world.call(request);
            assert_eq!((refused.status, json(&refused)["error_code"].as_str()), (400, Some("invalid_schema")), "{line}");
        }
    }
    check_login(&mut world, "ann", "annann", 200);
}

/// As a client that always writes the list sends it.
#[test]
fn no_roles_are_as_good_as_none_named() {
    let mut world = world();
    let made = world.call(by("admin", "POST /v1/users", r#"{"name": "cy", "password": "cycycy", "role_uids": []}"#));
    assert_eq!((made.status, json(&made)["role"].as_str()), (200, Some("db_viewer")));
    let changed = world.call(by("admin", "PUT /v1/users/3", r#"{"role_uids": [], "email_alerts": false}"#));
    assert_eq!(changed.status, 200);
}

#[test]
fn a_refused_renewal_is_audited_unless_a_stranger_made_the_token() {
    let mut world = world();
    let token = world.token("ann", "annann");
    let renew = |world: &mut TestWorld, token: &str| {
        world.audited();
        let renew = request("POST /v1/users/refresh_jwt", "").with_header("authorization", &format!("JWT {token}"));
        (
            world.call(renew).status,
            world.events.iter().map(|event| event.actor.clone()).collect::<Vec<_>>(),
            world.audited(),
        )
    };
    assert_eq!(renew(&mut world, &token[..token.len() - 4]), (401, Vec::new(), Vec::new()));
    world.advance(300);
    assert_eq!(renew(&mut world, &token), (401, ["3".into()].into(), ["token.refresh expired".into()].into()));
    assert_eq!(renew(&mut world, &token), (401, Vec::new(), Vec::new()), "once a day");
    world.advance(86_400);
    assert_eq!(renew(&mut world, &token), (401, Vec::new(), Vec::new()), "an old one");
    let token = world.token("ann", "annann");
    assert_eq!(world.call(by("ann", "PUT /v1/users/password", r#"{"new_password": "ann 2"}"#)).status, 200);
    assert_eq!(renew(&mut world, &token), (401, ["3".into()].into(), ["token.refresh ended".into()].into()));
}

#[test]
fn what_a_known_caller_has_no_right_to_is_audited() {
    let mut world = world();
    for (line, told) in [
        ("GET /v1/users", "GET /v1/users"),
        ("DELETE /v1/users/1", "DELETE /v1/users/1"),
        ("PUT /_security/user/eve/_disable", "PUT /_security/user/eve/_disable"),
        ("DELETE /_security/role/any", "DELETE /_security/role/any"),
    ] {
        world.advance(60);
        world.audited();
        assert_eq!(world.call(by("ann", line, "")).status, 403, "{line}");
        let denied = world.events.last().unwrap();
        assert_eq!(
            (denied.action, &*denied.actor, &*denied.subject, denied.reason),
            ("access.deny", "3", told, "not_allowed")
        );
        assert_eq!(world.audited(), ["login", "access.deny not_allowed"], "{line}");
        assert_eq!(world.call(by("ann", line, "")).status, 403, "{line}");
        assert_eq!(world.audited(), ["login"], "once in a minute");
    }
    let read = by("ann", "POST /broker/rest/user/authorizations", r#"{"scope": "read"}"#);
    let read: serde_json::Value = serde_json::from_slice(&world.call(read).body).unwrap();
    let read = read["data"]["token"].as_str().unwrap();
    for line in ["POST /broker/rest/user/authorizations", "POST /auth/introspect"] {
        world.advance(60);
        world.audited();
        let denied = world.call(request(line, "").with_header("authorization", &format!("Bearer {read}")));
        assert_eq!(denied.status, 403, "{line}");
        assert_eq!(world.audited(), ["access.deny not_allowed"], "{line}");
    }
}

#[test]
fn a_renewed_token_is_audited() {
    let mut world = world();
    assert_eq!(bearing(&mut world, "ann", "POST /v1/users/refresh_jwt", "").status, 200);
    let subjects: alloc::vec::Vec<_> =
        world.events.iter().map(|event| (event.action, event.actor.as_str(), event.dialect)).collect();
    assert_eq!(subjects, [("token.refresh", "3", "redis"), ("token.issue", "3", "redis")]);
}

/// Security P1: what an administrator has set under another policy is forgotten under this one.
#[test]
fn the_policy_of_nist_knows_neither_composition_nor_expiry_whatever_was_set_before() {
    let mut world = world();
    let body = r#"{"password_complexity": true, "password_expiration_duration": 1}"#;
    assert_eq!(world.call(by("admin", "PUT /v1/cluster", body)).status, 200);
    world.advance(2 * 86_400);
    check_login(&mut world, "admin", "adminadmin", 401);
    world.settings_mut().passwords.policy = crate::settings::PolicyName::Nist;
    check_login(&mut world, "admin", "adminadmin", 200);
    let shown = json(&world.call(by("admin", "GET /v1/cluster", "")));
    assert_eq!(
        (&shown["password_complexity"], &shown["password_expiration_duration"]),
        (&false.into(), &serde_json::json!(0))
    );
    let plain = r#"{"username": "ann", "new_password": "a passphrase in small letters"}"#;
    assert_eq!(world.call(by("admin", "PUT /v1/users/password", plain)).status, 200);
}

/// Nobody knows how old a password is that was set while the clock was ahead, so it does not outlive the others.
#[test]
fn a_password_of_a_time_to_come_has_expired() {
    let mut world = world();
    let right = world.now();
    world.advance(10 * 365 * 86_400);
    let changed = r#"{"username": "ann", "new_password": "another"}"#;
    assert_eq!(world.call(by("admin", "PUT /v1/users/password", changed)).status, 200);
    world.set(right.plus_secs(60));
    check_login(&mut world, "ann", "another", 200);
    let body = r#"{"password_expiration_duration": 1}"#;
    assert_eq!(world.call(by("admin", "PUT /v1/cluster", body)).status, 200);
    check_login(&mut world, "ann", "another", 401);
    assert_eq!(json(&world.call(by("admin", "GET /v1/users/3", "")))["status"], "password_expired");
    let anew = r#"{"username": "ann", "new_password": "one of today"}"#;
    assert_eq!(world.call(by("admin", "PUT /v1/users/password", anew)).status, 200);
    check_login(&mut world, "ann", "one of today", 200);
}

#[test]
fn what_roles_may_do_is_told_to_users_only() {
    let mut world = world();
    for path in [
        "/v1/roles",
        "/v1/roles/1",
        "/v1/users/role",
        "/v1/users/permissions",
        "/v1/users/permissions/admin",
        "/v1/roles/9",
    ] {
        let line = format!("GET {path}");
        assert_eq!(world.call(request(&line, "")).status, 401, "{path}");
        let expected = if path == "/v1/roles/9" { 404 } else { 200 };
        assert_eq!(world.call(by("ann", &line, "")).status, expected, "{path}");
    }
}

/// As a client puts back what it has read: otherwise the old address would go on to sign the user in.
#[test]
fn a_name_that_is_put_back_goes_with_the_address() {
    let mut world = world();
    let body = r#"{"email": "zoe@example.com", "password": "zoezoe"}"#;
    assert_eq!(world.call(by("admin", "POST /v1/users", body)).status, 200);
    let mut shown = json(&world.call(by("admin", "GET /v1/users/5", "")));
    shown["email"] = "zoe@example.org".into();
    let shown = json(&world.call(by("admin", "PUT /v1/users/5", &format!("{shown}"))));
    assert_eq!((&shown["name"], &shown["email"]), (&"zoe@example.org".into(), &"zoe@example.org".into()));
    check_login(&mut world, "zoe@example.com", "zoezoe", 401);
    check_login(&mut world, "zoe@example.org", "zoezoe", 200);
}
