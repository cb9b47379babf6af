//! Users and roles of this dialect: what only the seam shows, such as costs, races, records and the other dialects.

use crate::{
    engine::MAX_ROLES,
    record::{Stored, Uid, User, UserProfile, key},
    seam::{Method, Request, Response},
    testing::{TestWorld, basic, json},
};
use alloc::{format, string::String};
use serde_json::{Value, json as value};

const ADMIN: (&str, &str) = ("admin", "admin secret");

fn world() -> TestWorld {
    TestWorld::with_admin(ADMIN.1)
}

fn send(line: &str, body: &Value) -> Request {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::new(Method::parse(method), path);
    if body.is_null() {
        return request;
    }
    request.with_header("content-type", "application/json").with_body(format!("{body}"))
}

fn by((name, password): (&str, &str), request: Request) -> Request {
    request.with_header("authorization", &basic(name, password))
}

/// The answer to what the administrator asks, which must have this status.
#[track_caller]
fn admin(world: &mut TestWorld, line: &str, body: &Value, status: u16) -> Value {
    check(world, ADMIN, line, body, status)
}

#[track_caller]
fn check(world: &mut TestWorld, who: (&str, &str), line: &str, body: &Value, status: u16) -> Value {
    let response = world.call(by(who, send(line, body)));
    assert_eq!(response.status, status, "{line} {body}: {}", String::from_utf8_lossy(&response.body));
    json(&response)
}

/// A user of this role with the password `NAME secret`.
#[track_caller]
fn make(world: &mut TestWorld, name: &str, role: &str) {
    let body = value!({"password": format!("{name} secret"), "roles": [role]});
    assert_eq!(admin(world, &format!("PUT /_security/user/{name}"), &body, 200), value!({"created": true}));
}

fn reason(answer: &Value) -> &str {
    answer["error"]["reason"].as_str().unwrap()
}

fn bearer(world: &mut TestWorld, token: &Value) -> Response {
    let value = format!("Bearer {}", token.as_str().unwrap());
    world.call(Request::new(Method::Get, "/_security/_authenticate").with_header("authorization", &value))
}

fn token(world: &mut TestWorld, name: &str) -> Value {
    let body = value!({"grant_type": "password", "username": name, "password": format!("{name} secret")});
    let mut answer = json(&world.call(send("POST /_xpack/security/oauth2/token", &body)));
    answer["access_token"].take()
}

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

#[test]
fn a_user_is_kept_as_he_was_put() {
    let mut world = world();
    let body = value!({
        "password": "ann secret", "roles": ["db_member", "logs reader", "logs reader"], "full_name": "Ann Example",
        "email": "ann@example.com", "metadata": {"team": {"floor": 3}}, "enabled": true,
    });
    assert_eq!(
        admin(&mut world, "POST /_xpack/security/user/ann", &body, 200),
        value!({"user": {"created": true}, "created": true})
    );
    let ann = value!({
        "username": "ann", "roles": ["db_member", "logs reader"], "full_name": "Ann Example",
        "email": "ann@example.com", "metadata": {"team": {"floor": 3}}, "enabled": true,
    });
    assert_eq!(admin(&mut world, "GET /_security/user/ann", &Value::Null, 200), value!({"ann": ann}));
    let pair = check(
        &mut world,
        ("ann", "ann secret"),
        "POST /_security/oauth2/token",
        &value!({"grant_type": "client_credentials"}),
        200,
    );
    for shown in [&pair["authentication"], &json(&bearer(&mut world, &pair["access_token"]))] {
        for (name, member) in ann.as_object().unwrap() {
            assert_eq!(&shown[name], member, "{name}");
        }
    }
    // What an update leaves out is gone, except the password and whether the user is enabled.
    assert_eq!(
        admin(&mut world, "PUT /_xpack/security/user/ann", &value!({"roles": []}), 200),
        value!({"user": {"created": false}, "created": false})
    );
    assert_eq!(
        check(&mut world, ("ann", "ann secret"), "GET /_security/_authenticate", &Value::Null, 200)["roles"],
        value!([])
    );
    assert_eq!(world.stored::<UserProfile>(&key::profile(uid(2))), None);
    assert_eq!(world.stored::<User>(&key::user(uid(2))).unwrap().email, "");
}

#[test]
fn a_role_changed_elsewhere_is_shown_and_custom_ones_stay() {
    let mut world = world();
    let body = value!({"password": "ann secret", "roles": ["kibana_user", "superuser"]});
    admin(&mut world, "PUT /_security/user/ann", &body, 200);
    let roles = |world: &mut TestWorld| admin(world, "GET /_security/user/ann", &Value::Null, 200)["ann"]["roles"].take();
    assert_eq!(roles(&mut world), value!(["superuser", "kibana_user"]));
    for (role, shown) in [
        ("db_viewer", value!(["db_viewer", "kibana_user"])),
        ("none", value!(["kibana_user"])),
        ("admin", value!(["superuser", "kibana_user"])),
    ] {
        admin(&mut world, "PUT /v1/users/2", &value!({"role": role}), 200);
        assert_eq!(roles(&mut world), shown);
    }
    // A custom role grants nothing, whatever it is called and however it is defined.
    admin(&mut world, "PUT /_security/role/kibana_user", &value!({"cluster": ["all"]}), 200);
    admin(&mut world, "PUT /_security/user/ann", &value!({"roles": ["kibana_user", "Superuser", "all"]}), 200);
    check(&mut world, ("ann", "ann secret"), "GET /_security/user", &Value::Null, 403);
    check(&mut world, ("ann", "ann secret"), "GET /v1/users", &Value::Null, 403);
}

#[test]
fn every_word_of_a_role_is_one() {
    let mut world = world();
    for role in crate::record::Role::ALL {
        let body = value!({"password": "some secret", "roles": [role.as_str(), "custom"]});
        let name = format!("one {}", role.as_str());
        let path = format!("/_security/user/one%20{}", role.as_str());
        admin(&mut world, &format!("PUT {path}"), &body, 200);
        let shown = admin(&mut world, &format!("GET {path}"), &Value::Null, 200);
        let expected = match role.as_str() {
            "none" => value!(["custom"]),
            word => value!([word, "custom"]),
        };
        assert_eq!(shown[name]["roles"], expected);
    }
    // The administrator's is none here: whoever means a role of their own with that name must not make somebody a superuser.
    check(&mut world, ("one admin", "some secret"), "GET /_security/user", &Value::Null, 403);
    let two = value!({"password": "some secret", "roles": ["superuser", "db_viewer"]});
    assert!(reason(&admin(&mut world, "PUT /_security/user/two", &two, 400)).contains("one role of those"));
    let both = value!({"password": "some secret", "roles": ["admin", "superuser", "superuser"]});
    admin(&mut world, "PUT /_security/user/two", &both, 200);
    let shown = admin(&mut world, "GET /_security/user/two", &Value::Null, 200);
    assert_eq!(shown["two"]["roles"], value!(["superuser", "admin"]));
}

#[test]
fn passwords_are_derived_once_and_after_the_last_read() {
    let mut world = world();
    make(&mut world, "ann", "db_viewer");
    let token = token(&mut world, "admin");
    let with_token = |line: &str, body: &Value| {
        send(line, body).with_header("authorization", &format!("Bearer {}", token.as_str().unwrap()))
    };
    // The caller's own password is one derivation, the new one another; by token there is only the new one.
    for (line, body) in [
        ("PUT /_security/user/bob", value!({"password": "bob secret", "roles": [], "email": "bob@example.com"})),
        ("PUT /_security/user/ann", value!({"password": "ann other", "roles": ["x"], "email": "ann@example.com"})),
        ("PUT /_security/user/ann/_password", value!({"password": "ann secret"})),
    ] {
        assert_eq!(world.call(with_token(line, &body)).status, 200, "{line}");
        assert_eq!((world.cost.derivations, world.cost.late), (1, 0), "{line}");
        let line = line.replace("bob", "rob");
        let body = value!({"password": "some secret", "roles": ["superuser"], "email": format!("{}@example.com", world.events.len())});
        let body = if line.ends_with("_password") { value!({"password": "ann secret"}) } else { body };
        assert_eq!(world.call(by(ADMIN, send(&line, &body))).status, 200, "{line}");
        assert_eq!((world.cost.derivations, world.cost.late), (2, 0), "{line}");
    }
    let own = send("POST /_security/user/_password", &value!({"password": "ann newest"}));
    assert_eq!(world.call(by(("ann", "ann secret"), own)).status, 200);
    assert_eq!((world.cost.derivations, world.cost.late), (2, 0));
}

#[test]
fn a_profile_comes_with_its_user() {
    let mut world = world();
    let body = value!({"password": "ann secret", "roles": [], "full_name": "Ann"});
    admin(&mut world, "PUT /_security/user/ann", &body, 200);
    let token = token(&mut world, "ann");
    assert_eq!(json(&bearer(&mut world, &token))["full_name"], "Ann");
    assert_eq!(world.cost.rounds, 1);
    let who = by(("ann", "ann secret"), send("GET /_security/_authenticate", &Value::Null));
    assert_eq!(json(&world.call(who))["full_name"], "Ann");
    let with_profile = world.cost.rounds;
    world.call(by(("ann", "ann secret"), send("GET /_cluster/health", &Value::Null)));
    assert_eq!(with_profile, world.cost.rounds);
    // Many are read in as many rounds as one.
    let names = (0..200).map(|number| format!("user{number}"));
    let names: String = names.chain(["ann".into(), "admin".into()]).collect::<alloc::vec::Vec<_>>().join(",");
    let found = admin(&mut world, &format!("GET /_security/user/{names}"), &Value::Null, 200);
    assert_eq!(found.as_object().unwrap().len(), 2);
    assert!(world.cost.rounds <= with_profile + 2, "{:?}", world.cost);
}

#[test]
fn deleting_leaves_nothing_behind() {
    let mut world = world();
    let body = value!({"password": "ann secret", "roles": ["r"], "full_name": "Ann", "metadata": {"where": "here"}});
    admin(&mut world, "PUT /_security/user/ann", &body, 200);
    let token = token(&mut world, "ann");
    assert!(world.stored::<UserProfile>(&key::profile(uid(2))).is_some());
    // By whichever dialect.
    admin(&mut world, "DELETE /v1/users/2", &Value::Null, 200);
    assert_eq!(world.stored::<UserProfile>(&key::profile(uid(2))), None);
    assert_eq!(bearer(&mut world, &token).status, 401);
    admin(&mut world, "PUT /_security/user/ann", &body, 200);
    world.audited();
    assert_eq!(admin(&mut world, "DELETE /_security/user/ann", &Value::Null, 200), value!({"found": true}));
    assert_eq!(world.audited(), ["login", "user.delete"]);
    assert_eq!(world.count(key::PROFILES), 0);
    assert_eq!(admin(&mut world, "DELETE /_security/user/ann", &Value::Null, 404), value!({"found": false}));
    assert_eq!(admin(&mut world, "GET /_security/user/ann", &Value::Null, 404), value!({}));
}

#[test]
fn new_passwords_disabling_and_deleting_end_tokens() {
    let mut world = world();
    for (line, body) in [
        ("PUT /_security/user/ann", value!({"roles": [], "password": "ann secret"})),
        ("POST /_security/user/ann/_password", value!({"password": "ann secret"})),
        ("PUT /_security/user/ann/_disable", Value::Null),
        ("POST /_xpack/security/user/ann", value!({"roles": [], "enabled": false})),
        ("DELETE /_security/user/ann", Value::Null),
    ] {
        world.call(by(ADMIN, send("PUT /_security/user/ann", &value!({"password": "ann secret", "roles": []}))));
        world.call(by(ADMIN, send("PUT /_security/user/ann/_enable", &Value::Null)));
        let token = token(&mut world, "ann");
        // A request that does not mention it ends nothing.
        admin(&mut world, "PUT /_security/user/ann", &value!({"roles": ["r"]}), 200);
        assert_eq!(bearer(&mut world, &token).status, 200);
        admin(&mut world, line, &body, 200);
        let dead = bearer(&mut world, &token);
        assert_eq!((dead.status, reason(&crate::testing::json(&dead))), (401, "token expired"), "{line}");
        world.call(by(ADMIN, send("PUT /_security/user/ann/_enable", &Value::Null)));
        assert_eq!(bearer(&mut world, &token).status, 401, "{line}: revived");
    }
}

#[test]
fn what_clients_say_twice_or_as_one_text_is_taken() {
    let mut world = world();
    let body = value!({"username": "ann", "password": "ann secret", "roles": "db_viewer,reports"});
    assert_eq!(admin(&mut world, "PUT /_security/user/ann", &body, 200)["created"], true);
    assert_eq!(
        admin(&mut world, "GET /_security/user/ann", &Value::Null, 200)["ann"]["roles"],
        value!(["db_viewer", "reports"])
    );
    admin(&mut world, "PUT /_security/user/bob", &body, 400);
}

#[test]
fn the_last_administrator_stays() {
    let mut world = world();
    for (line, body) in [
        ("DELETE /_security/user/admin", Value::Null),
        ("PUT /_security/user/admin", value!({"roles": ["db_member"]})),
        ("PUT /_security/user/admin", value!({"roles": ["custom"]})),
        ("PUT /_security/user/admin/_disable", Value::Null),
        ("PUT /_security/user/admin", value!({"roles": ["superuser"], "enabled": false})),
    ] {
        assert_eq!(admin(&mut world, line, &body, 400)["error"]["type"], "illegal_argument_exception", "{line}");
    }
    // One who may not log in is none: such a one neither makes another superfluous nor is missed.
    let body = value!({"password": "eve secret", "roles": ["superuser"], "enabled": false});
    admin(&mut world, "PUT /_security/user/eve", &body, 200);
    admin(&mut world, "DELETE /_security/user/admin", &Value::Null, 400);
    admin(&mut world, "PUT /_security/user/eve/_enable", &Value::Null, 200);
    check(&mut world, ("eve", "eve secret"), "POST /_security/user/admin/_disable", &Value::Null, 200);
    let eve = ("eve", "eve secret");
    check(&mut world, eve, "DELETE /_security/user/eve", &Value::Null, 400);
    check(&mut world, eve, "PUT /v1/users/2", &value!({"role": "none"}), 406);
    assert_eq!(world.local(send("POST /admin/users/eve/disable", &Value::Null)).status, 409);
    check(&mut world, eve, "DELETE /_security/user/admin", &Value::Null, 200);
}

#[test]
fn two_who_demote_each_other_at_once_leave_one() {
    let mut world = world();
    make(&mut world, "eve", "superuser");
    let demote = |name: &str| send(&format!("PUT /_security/user/{name}"), &value!({"roles": []}));
    let mut other = None;
    let first = world.race(by(ADMIN, demote("eve")), |world| {
        other = Some(world.call(by(("eve", "eve secret"), demote("admin"))).status);
    });
    // The loser starts over and finds the role of administrator gone.
    assert_eq!((other, first.status), (Some(200), 403));
}

#[test]
fn of_two_who_put_one_name_at_once_the_second_changes_it() {
    let mut world = world();
    let put = |name: &str| {
        let body = value!({"password": "ann secret", "roles": [], "full_name": name});
        by(ADMIN, send("PUT /_security/user/ann", &body))
    };
    let late = world.race(put("late"), |world| assert_eq!(world.call(put("early")).status, 200));
    assert_eq!(json(&late), value!({"created": false}));
    let shown = admin(&mut world, "GET /_security/user/ann", &Value::Null, 200);
    assert_eq!(shown["ann"]["full_name"], "late");
    assert_eq!(world.count(key::USERS), 2);
}

#[test]
fn user_managers_may_not_change_administrators() {
    let mut world = world();
    make(&mut world, "max", "user_manager");
    make(&mut world, "ann", "db_viewer");
    let max = ("max", "max secret");
    let secret = value!({"password": "some secret"});
    for (line, body, status) in [
        ("GET /_security/user", Value::Null, 200),
        ("PUT /_security/user/new", value!({"password": "new secret", "roles": ["db_member"]}), 200),
        ("PUT /_security/user/new", value!({"roles": ["superuser"]}), 403),
        ("PUT /_security/user/other", value!({"password": "new secret", "roles": ["superuser"]}), 403),
        ("PUT /_security/user/admin", value!({"roles": ["superuser"]}), 403),
        ("PUT /_security/user/max", value!({"roles": ["db_member"]}), 403),
        ("PUT /_security/user/max", value!({"roles": ["user_manager", "r"]}), 403),
        ("PUT /_security/user/max", value!({"roles": ["user_manager"], "full_name": "Max"}), 200),
        ("PUT /_security/user/admin/_password", secret.clone(), 403),
        ("PUT /_security/user/admin/_disable", Value::Null, 403),
        ("PUT /_security/user/admin/_enable", Value::Null, 403),
        ("DELETE /_security/user/admin", Value::Null, 403),
        ("PUT /_security/user/ann/_password", secret, 200),
        ("PUT /_security/user/ann/_disable", Value::Null, 200),
        ("DELETE /_security/user/ann", Value::Null, 200),
        ("GET /_security/role", Value::Null, 200),
        ("PUT /_security/role/r", value!({}), 403),
        ("DELETE /_security/role/r", Value::Null, 403),
    ] {
        check(&mut world, max, line, &body, status);
    }
    // A user manager keeps what an administrator has given.
    let given = value!({"roles": ["user_manager", "r", "s"]});
    admin(&mut world, "PUT /_security/user/max", &given, 200);
    check(&mut world, max, "PUT /_security/user/max", &given, 200);
    check(&mut world, max, "PUT /_security/user/max", &value!({"roles": ["s", "user_manager", "r"]}), 200);
    check(&mut world, max, "PUT /_security/user/max", &value!({"roles": ["user_manager", "r"]}), 403);
    check(&mut world, max, "PUT /_security/user/max", &value!({"roles": ["user_manager", "r", "t"]}), 403);
    check(&mut world, max, "PUT /_security/user/max", &value!({"roles": ["user_manager"]}), 403);
}

#[test]
fn everybody_changes_his_own_password_and_nothing_else() {
    let mut world = world();
    make(&mut world, "ann", "db_member");
    make(&mut world, "bob", "db_member");
    let ann = ("ann", "ann secret");
    let token = token(&mut world, "ann");
    let secret = value!({"password": "some secret"});
    for (line, body) in [
        ("GET /_security/user", Value::Null),
        ("GET /_security/user/ann", Value::Null),
        ("GET /_security/user/nobody", Value::Null),
        ("PUT /_security/user/ann", value!({"roles": ["db_member"]})),
        ("PUT /_security/user/nobody", value!({"password": "some secret", "roles": []})),
        ("DELETE /_security/user/ann", Value::Null),
        ("DELETE /_security/user/nobody", Value::Null),
        ("PUT /_security/user/bob/_password", secret.clone()),
        ("PUT /_security/user/nobody/_password", secret.clone()),
        ("PUT /_security/user/ann/_disable", Value::Null),
        ("GET /_security/role", Value::Null),
        ("GET /_security/role/superuser", Value::Null),
        ("PUT /_security/role/r", value!({})),
        ("DELETE /_security/role/r", Value::Null),
    ] {
        let answer = check(&mut world, ann, line, &body, 403);
        assert_eq!(answer["error"]["type"], "security_exception", "{line}");
        assert!(reason(&answer).ends_with("is unauthorized for user [ann]"), "{line}: {answer}");
    }
    // Whoever has only a token does not have the account.
    let own = send("POST /_security/user/_password", &secret);
    let value = format!("Bearer {}", token.as_str().unwrap());
    assert_eq!(world.call(own.with_header("authorization", &value)).status, 403);
    assert_eq!(bearer(&mut world, &token).status, 200);
    let answer = check(&mut world, ann, "POST /_security/user/_password", &value!({"password": "ann secret"}), 400);
    assert!(reason(&answer).contains("already in use"), "{answer}");
    check(&mut world, ann, "POST /_security/user/_password", &secret, 200);
    check(
        &mut world,
        ("ann", "some secret"),
        "PUT /_security/user/ann/_password",
        &value!({"password": "third secret"}),
        200,
    );
    check(&mut world, ("ann", "third secret"), "GET /_security/_authenticate", &Value::Null, 200);
    check(&mut world, ("ann", "some secret"), "GET /_security/_authenticate", &Value::Null, 401);
    assert_eq!(bearer(&mut world, &token).status, 401);
}

#[test]
fn an_expired_password_is_good_for_replacing_it_only() {
    let mut world = world();
    make(&mut world, "ann", "user_manager");
    make(&mut world, "bob", "db_viewer");
    admin(&mut world, "PUT /v1/cluster", &value!({"password_expiration_duration": 1}), 200);
    world.advance(2 * 86_400);
    let ann = ("ann", "ann secret");
    let body = value!({"password": "some secret"});
    check(&mut world, ann, "GET /_security/user", &Value::Null, 401);
    check(&mut world, ann, "PUT /_security/user/bob/_password", &body, 401);
    check(&mut world, ann, "PUT /_security/user/_password", &value!({"password": "ann secret"}), 400);
    check(&mut world, ann, "PUT /_security/user/_password", &body, 200);
    check(&mut world, ("ann", "some secret"), "GET /_security/user", &Value::Null, 200);
}

#[test]
fn a_password_set_by_another_ends_a_lock() {
    let mut world = world();
    make(&mut world, "ann", "db_viewer");
    // Also one that the user already has.
    for (path, body) in [
        ("/_security/user/ann/_password", value!({"password": "ann secret"})),
        ("/_security/user/ann", value!({"password": "ann secret", "roles": ["db_viewer"]})),
    ] {
        for _ in 0..5 {
            check(&mut world, ("ann", "wrong"), "GET /", &Value::Null, 401);
        }
        check(&mut world, ("ann", "ann secret"), "GET /", &Value::Null, 401);
        admin(&mut world, &format!("PUT {path}"), &body, 200);
        check(&mut world, ("ann", "ann secret"), "GET /", &Value::Null, 200);
    }
}

/// As in the product: whoever did so would not come in again to take it back.
#[test]
fn nobody_enables_or_disables_himself() {
    let mut world = world();
    make(&mut world, "ann", "superuser");
    make(&mut world, "mia", "user_manager");
    for name in ["ann", "mia"] {
        let password = format!("{name} secret");
        for (line, body) in [
            (format!("PUT /_security/user/{name}/_disable"), Value::Null),
            (format!("PUT /_security/user/{name}/_enable"), Value::Null),
        ] {
            let refused = check(&mut world, (name, &password), &line, &body, 400);
            assert_eq!(reason(&refused), "nobody may enable or disable their own account", "{line}");
        }
        let role = if name == "ann" { "superuser" } else { "user_manager" };
        let body = value!({"roles": [role], "enabled": false});
        check(&mut world, (name, &password), &format!("PUT /_security/user/{name}"), &body, 400);
        check(&mut world, (name, &password), "GET /", &Value::Null, 200);
    }
}

#[test]
fn the_definition_of_a_role_is_bounded() {
    let mut world = world();
    admin(&mut world, "PUT /_security/role/long", &value!({"description": ""}), 200);
    let shown = admin(&mut world, "GET /_security/role/long", &Value::Null, 200)["long"].take();
    let most = 8192 - format!("{shown}").len();
    for (length, status) in [(most, 200), (most + 1, 400)] {
        let body = value!({"description": "x".repeat(length)});
        admin(&mut world, "PUT /_security/role/long", &body, status);
    }
}

#[test]
fn names_are_percent_encoded_and_addresses_are_none() {
    let mut world = world();
    for (path, name) in [
        ("a%20b", "a b"),
        ("%5Fpassword", "_password"),
        ("a%2Cb", "a,b"),
        ("_privileges%2f", "_privileges/"),
        ("a+b", "a+b"),
    ] {
        let body = value!({"password": "some secret", "roles": [], "email": ""});
        admin(&mut world, &format!("PUT /_security/user/{path}"), &body, 200);
        let shown = admin(&mut world, &format!("GET /_security/user/{path}"), &Value::Null, 200);
        assert_eq!(shown[name]["username"], name);
    }
    let body = value!({"password": "some secret", "roles": [], "email": "ann@example.com"});
    admin(&mut world, "PUT /_security/user/ann", &body, 200);
    admin(&mut world, "GET /_security/user/ann@example.com", &Value::Null, 404);
    admin(&mut world, "DELETE /_security/user/ann%40example.com", &Value::Null, 404);
    // Both kinds share one space, as both are good for logging in.
    admin(&mut world, "PUT /_security/user/ann@example.com", &body, 409);
    admin(&mut world, "PUT /_security/user/other", &body, 409);
    for path in ["%20ann", "ann%20", "%20"] {
        let body = value!({"password": "some secret", "roles": [], "email": ""});
        let refused = admin(&mut world, &format!("PUT /_security/user/{path}"), &body, 400);
        assert!(refused["error"]["reason"].as_str().unwrap().contains("neither the first nor the last of them a blank"));
    }
    // A user who has had such a name from before keeps it.
    let user = world.stored::<User>(&key::user(uid(2))).unwrap();
    world.put(key::user(user.uid), User { name: "ann ".into(), ..user }.encode());
    world.put(key::name("ann "), uid(2).encode());
    admin(&mut world, "PUT /_security/user/ann%20", &value!({"roles": ["kept"]}), 200);
    check(&mut world, ("ann ", "some secret"), "GET /", &Value::Null, 200);
    for path in ["%ff", "%", "%4", "a%zzb"] {
        let nothing = value!({"roles": []});
        for (line, body) in [("GET", &Value::Null), ("PUT", &nothing), ("DELETE", &Value::Null)] {
            admin(&mut world, &format!("{line} /_security/user/{path}"), body, 400);
            admin(&mut world, &format!("{line} /_security/role/{path}"), if line == "PUT" { &nothing } else { body }, 400);
        }
        admin(&mut world, &format!("PUT /_security/user/{path}/_enable"), &Value::Null, 400);
        admin(&mut world, &format!("PUT /_security/user/{path}/_password"), &value!({"password": "some secret"}), 400);
    }
    for path in
        ["user/", "user/a/b", "user/a/_enable/x", "user/_privileges", "user//_password", "role/", "role/a/b", "user/_query"]
    {
        assert!(admin(&mut world, &format!("GET /_security/{path}"), &Value::Null, 400)["error"].is_string(), "{path}");
    }
}

#[test]
fn bounds_are_kept_and_nothing_is_changed_by_what_is_refused() {
    let mut world = world();
    let keep = value!({"password": "ann secret", "roles": ["r"], "full_name": "Ann", "metadata": {"a": 1}});
    admin(&mut world, "PUT /_security/user/ann", &keep, 200);
    let before = admin(&mut world, "GET /_security/user", &Value::Null, 200);
    let long = |length: usize| "x".repeat(length);
    let many: alloc::vec::Vec<_> = (0..65).map(|number| format!("r{number}")).collect();
    for body in [
        value!({}),
        value!({"roles": null}),
        value!({"roles": 1}),
        value!({"roles": "superuser,db_viewer"}),
        value!({"roles": [], "username": 1}),
        value!({"roles": [1]}),
        value!({"roles": [["r"]]}),
        value!({"roles": [""]}),
        value!({"roles": ["é"]}),
        value!({"roles": [long(256)]}),
        value!({"roles": many}),
        value!({"roles": [], "password": "short"}),
        value!({"roles": [], "password": ""}),
        value!({"roles": [], "password": null}),
        value!({"roles": [], "password": 123_456}),
        value!({"roles": [], "password": long(1025)}),
        value!({"roles": [], "password_hash": "$2a$10$x"}),
        value!({"roles": [], "password": "some secret", "password_hash": "$2a$10$x"}),
        value!({"roles": [], "full_name": 1}),
        value!({"roles": [], "full_name": long(1025)}),
        value!({"roles": [], "email": "ann"}),
        value!({"roles": [], "email": []}),
        value!({"roles": [], "metadata": null}),
        value!({"roles": [], "metadata": []}),
        value!({"roles": [], "metadata": {"_reserved": true}}),
        value!({"roles": [], "metadata": {"a": long(8185)}}),
        value!({"roles": [], "enabled": "true"}),
        value!({"roles": [], "enabled": null}),
        value!({"roles": [], "username": "bob"}),
    ] {
        admin(&mut world, "PUT /_security/user/ann", &body, 400);
    }
    for name in [long(256), "a%22b".into(), "%C3%A9".into(), "a%0Ab".into()] {
        let body = value!({"password": "some secret", "roles": []});
        admin(&mut world, &format!("PUT /_security/user/{name}"), &body, 400);
        admin(&mut world, &format!("GET /_security/user/{name}"), &Value::Null, 404);
        admin(&mut world, &format!("DELETE /_security/user/{name}"), &Value::Null, 404);
    }
    assert!(
        reason(&admin(&mut world, "PUT /_security/user/new", &value!({"roles": []}), 400)).contains("password is missing")
    );
    let missing = admin(&mut world, "PUT /_security/user/new/_enable", &Value::Null, 400);
    assert_eq!(missing["error"]["type"], "validation_exception");
    admin(&mut world, "PUT /_security/user/new/_password", &value!({"password": "some secret"}), 400);
    for (count, status) in [(256, 404), (257, 400)] {
        let names = (0..count).map(|number| format!("{number}")).collect::<alloc::vec::Vec<_>>().join(",");
        admin(&mut world, &format!("GET /_security/user/{names}"), &Value::Null, status);
    }
    assert_eq!(admin(&mut world, "GET /_security/user", &Value::Null, 200), before);
    // At the bounds themselves.
    let most = value!({
        "roles": many[..64], "full_name": long(1024), "metadata": {"a": long(8184)}, "email": null,
    });
    admin(&mut world, "PUT /_security/user/ann", &most, 200);
    check(&mut world, ("ann", "ann secret"), "GET /_security/_authenticate", &Value::Null, 200);
}

/// Otherwise an expiry of passwords would be met by stating the old one once more.
#[test]
fn ones_own_password_is_not_renewed_by_itself() {
    let mut world = world();
    make(&mut world, "max", "user_manager");
    for (who, role) in [(ADMIN, "superuser"), (("max", "max secret"), "user_manager")] {
        let (line, body) = (format!("PUT /_security/user/{}", who.0), value!({"password": who.1, "roles": [role]}));
        assert!(reason(&check(&mut world, who, &line, &body, 400)).contains("choose a new one"));
    }
    // Another's may be what it is: programs that set it at each start find it set.
    admin(&mut world, "PUT /_security/user/max", &value!({"password": "max secret", "roles": ["user_manager"]}), 200);
}

#[test]
fn the_policy_holds_for_passwords_of_this_dialect() {
    let mut world = world();
    make(&mut world, "ann", "db_viewer");
    world.settings_mut().passwords.policy = crate::settings::PolicyName::Nist;
    for (line, body) in [
        ("PUT /_security/user/new", value!({"password": "too short", "roles": []})),
        ("PUT /_security/user/ann", value!({"password": "too short", "roles": []})),
        ("PUT /_security/user/ann/_password", value!({"password": "too short"})),
    ] {
        let answer = admin(&mut world, line, &body, 400);
        assert_eq!(answer["error"]["type"], "action_request_validation_exception");
        assert_eq!(
            reason(&answer),
            "Validation Failed: 1: the password has fewer than 15 characters: choose a longer one;"
        );
    }
    check(&mut world, ("ann", "ann secret"), "PUT /_security/user/_password", &value!({"password": "too short"}), 400);
    check(&mut world, ("ann", "ann secret"), "GET /", &Value::Null, 200);
}

#[test]
fn custom_roles_are_kept_shown_and_bounded() {
    let mut world = world();
    let sent = value!({
        "cluster": ["monitor"], "index": [{"names": ["logs-*"], "privileges": ["read"]}], "run_as": ["bob"],
        "metadata": {"version": 1}, "description": "reads logs",
    });
    assert_eq!(admin(&mut world, "PUT /_security/role/logs", &sent, 200), value!({"role": {"created": true}}));
    assert_eq!(admin(&mut world, "POST /_xpack/security/role/logs", &sent, 200), value!({"role": {"created": false}}));
    let logs = value!({
        "cluster": ["monitor"], "indices": [{"names": ["logs-*"], "privileges": ["read"]}], "applications": [],
        "run_as": ["bob"], "metadata": {"version": 1}, "description": "reads logs", "transient_metadata": {"enabled": true},
    });
    let found = admin(&mut world, "GET /_security/role/logs,superuser,nothing", &Value::Null, 200);
    assert_eq!(found["logs"], logs);
    assert_eq!(found.as_object().unwrap().keys().collect::<alloc::vec::Vec<_>>(), ["logs", "superuser"]);
    // What was shown can be sent back.
    assert_eq!(admin(&mut world, "PUT /_security/role/logs", &logs, 200), value!({"role": {"created": false}}));
    assert_eq!(admin(&mut world, "GET /_security/role", &Value::Null, 200).as_object().unwrap().len(), 8);
    assert_eq!(admin(&mut world, "GET /_security/role/nothing", &Value::Null, 404), value!({}));
    assert_eq!(admin(&mut world, "PUT /_security/role/admin", &sent, 200), value!({"role": {"created": true}}));
    assert_eq!(admin(&mut world, "GET /_security/role/admin", &Value::Null, 200)["admin"], logs);
    assert_eq!(admin(&mut world, "DELETE /_security/role/admin", &Value::Null, 200), value!({"found": true}));
    for name in ["superuser", "db_viewer", "none"] {
        admin(&mut world, &format!("PUT /_security/role/{name}"), &value!({}), 400);
        admin(&mut world, &format!("DELETE /_security/role/{name}"), &Value::Null, 400);
    }
    for body in [
        value!({"cluster": "all"}),
        value!({"cluster": [1]}),
        value!({"indices": {}}),
        value!({"indices": ["x"]}),
        value!({"indices": [], "index": []}),
        value!({"run_as": null}),
        value!({"metadata": {"_x": 1}}),
        value!({"global": []}),
        value!({"description": 1}),
        value!({"unknown": 1}),
        value!({"cluster": ["x".repeat(8192)]}),
    ] {
        admin(&mut world, "PUT /_security/role/logs", &body, 400);
    }
    assert_eq!(admin(&mut world, "GET /_security/role/logs", &Value::Null, 200)["logs"], logs);
    assert_eq!(admin(&mut world, "DELETE /_security/role/logs", &Value::Null, 200), value!({"found": true}));
    assert_eq!(admin(&mut world, "DELETE /_security/role/logs", &Value::Null, 404), value!({"found": false}));
    for number in 0..MAX_ROLES {
        admin(&mut world, &format!("PUT /_security/role/role{number}"), &value!({}), 200);
    }
    assert!(reason(&admin(&mut world, "PUT /_security/role/more", &value!({}), 400)).contains("delete one first"));
    admin(&mut world, "PUT /_security/role/role7", &value!({"cluster": ["x"]}), 200);
    admin(&mut world, "DELETE /_security/role/role8", &Value::Null, 200);
    admin(&mut world, "PUT /_security/role/more", &value!({}), 200);
    assert_eq!(admin(&mut world, "GET /_security/role", &Value::Null, 200).as_object().unwrap().len(), 7 + MAX_ROLES);
}

#[test]
fn routes_have_their_methods_and_bodies() {
    let mut world = world();
    for (path, allowed) in [
        ("user", "GET,HEAD"),
        ("user/ann", "GET,HEAD,PUT,POST,DELETE"),
        ("user/_password", "PUT,POST"),
        ("user/ann/_password", "PUT,POST"),
        ("user/ann/_enable", "PUT,POST"),
        ("user/ann/_disable", "PUT,POST"),
        ("role", "GET,HEAD"),
        ("role/r", "GET,HEAD,PUT,POST,DELETE"),
        ("user/user/", "GET,HEAD,PUT,POST,DELETE"),
        ("role/role/", "GET,HEAD,PUT,POST,DELETE"),
        ("user/role/_password/", "PUT,POST"),
    ] {
        for prefix in ["/_security", "/_xpack/security"] {
            let response = world.call(Request::new(Method::Patch, &format!("{prefix}/{path}")));
            assert_eq!((response.status, response.header("allow")), (405, Some(allowed)), "{prefix}/{path}");
            let method = if allowed.starts_with("GET") { Method::Get } else { Method::Put };
            assert_eq!(world.call(Request::new(method, &format!("{prefix}/{path}"))).status, 401, "{prefix}/{path}");
            let head = world.call(Request::new(Method::Head, &format!("{prefix}/{path}")));
            assert_eq!(head.status == 401, allowed.contains("HEAD"), "{prefix}/{path}");
        }
    }
    make(&mut world, "ann", "db_viewer");
    for line in ["PUT /_security/user/ann/_disable", "PUT /_security/user/ann/_enable", "DELETE /_security/user/ann"] {
        admin(&mut world, line, &value!({"x": 1}), 400);
        admin(&mut world, line, &value!([]), 400);
    }
    admin(&mut world, "PUT /_security/user/ann/_disable", &value!({}), 200);
    for line in ["PUT /_security/user/ann", "PUT /_security/user/ann/_password", "PUT /_security/role/r"] {
        assert_eq!(admin(&mut world, line, &Value::Null, 400)["error"]["reason"], "request body is required", "{line}");
        let form = send(line, &Value::Null).with_header("content-type", "text/plain").with_body("{}");
        assert_eq!(world.call(by(ADMIN, form)).status, 406, "{line}");
    }
}

/// One request may do both, and the list of administrators who may log in must not hold one who may not: else the last one could go.
#[test]
fn who_becomes_an_administrator_and_is_disabled_at_once_is_no_other_administrator() {
    let admins = |world: &mut TestWorld| json(&world.local(send("GET /admin/status", &Value::Null)))["admins"].clone();
    let mut world = world();
    make(&mut world, "eve", "viewer");
    for (roles, enabled, expected) in [
        (value!(["superuser"]), false, 1),
        (value!(["superuser"]), true, 2),
        (value!([]), false, 1),
        (value!(["superuser"]), true, 2),
        (value!(["superuser"]), false, 1),
        (value!([]), true, 1),
        (value!(["superuser"]), false, 1),
    ] {
        let body = value!({"roles": roles, "enabled": enabled});
        admin(&mut world, "PUT /_security/user/eve", &body, 200);
        assert_eq!(admins(&mut world), expected, "{body}");
    }
    let demoted = world.call(by(ADMIN, send("PUT /v1/users/1", &value!({"role": "none"}))));
    assert_eq!((demoted.status, &json(&demoted)["error_code"]), (406, &value!("change_last_admin_role_not_allowed")));
    admin(&mut world, "DELETE /_security/user/admin", &Value::Null, 400);
}

fn refresh(world: &mut TestWorld, token: &Value, status: u16) -> Value {
    admin(world, "POST /_security/oauth2/token", &value!({"grant_type": "refresh_token", "refresh_token": token}), status)
}

/// The tokens of a login of the administrator, and those that were granted for its refresh token.
fn login_and_refresh(world: &mut TestWorld) -> (Value, Value) {
    let body = value!({"grant_type": "password", "username": ADMIN.0, "password": ADMIN.1});
    let first = admin(world, "POST /_security/oauth2/token", &body, 200);
    let second = refresh(world, &first["refresh_token"], 200);
    (first, second)
}

/// A thief who has used it ends with it, also when its owner has logged out of it meanwhile.
#[test]
fn a_spent_refresh_token_ends_its_family_also_when_it_was_invalidated() {
    let mut world = world();
    let (first, second) = login_and_refresh(&mut world);
    let out = value!({"refresh_token": first["refresh_token"]});
    assert_eq!(admin(&mut world, "DELETE /_security/oauth2/token", &out, 200)["invalidated_tokens"], 1);
    world.advance(40);
    world.audited();
    for _ in 0..2 {
        assert_eq!(refresh(&mut world, &first["refresh_token"], 400)["error"], "invalid_grant");
    }
    let told = world.audited();
    assert_eq!(told.iter().filter(|line| line.starts_with("token.reuse")).count(), 1, "noted once: {told:?}");
    refresh(&mut world, &second["refresh_token"], 400);
    assert_eq!(bearer(&mut world, &second["access_token"]).status, 401);
}

/// A client that logs out of what it has renewed must not make the server forget what it was.
#[test]
fn a_spent_refresh_token_is_remembered_also_when_both_halves_were_ended() {
    let mut world = world();
    let (first, second) = login_and_refresh(&mut world);
    for out in [value!({"token": first["access_token"]}), value!({"refresh_token": first["refresh_token"]})] {
        assert_eq!(admin(&mut world, "DELETE /_security/oauth2/token", &out, 200)["invalidated_tokens"], 1);
    }
    world.advance(2 * 3600);
    let third = refresh(&mut world, &second["refresh_token"], 200);
    assert_eq!(bearer(&mut world, &third["access_token"]).status, 200);
    refresh(&mut world, &first["refresh_token"], 400);
    assert_eq!(bearer(&mut world, &third["access_token"]).status, 401);
    refresh(&mut world, &third["refresh_token"], 400);
}

/// Otherwise a stolen access token would renew itself beside the family that its owner ends.
#[test]
fn what_is_granted_for_a_token_is_of_its_family() {
    let more = |world: &mut TestWorld, token: &Value| {
        let request = send("POST /_security/oauth2/token", &value!({"grant_type": "client_credentials"}));
        let value = format!("Bearer {}", token.as_str().unwrap());
        json(&world.call(request.with_header("authorization", &value)))
    };
    let mut world = world();
    let grant = value!({"grant_type": "password", "username": ADMIN.0, "password": ADMIN.1});
    for by in ["reuse", "the owner"] {
        let first = admin(&mut world, "POST /_security/oauth2/token", &grant, 200);
        let one = more(&mut world, &first["access_token"]);
        let two = more(&mut world, &one["access_token"]);
        assert_eq!(bearer(&mut world, &two["access_token"]).status, 200);
        if by == "reuse" {
            let body = value!({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]});
            admin(&mut world, "POST /_security/oauth2/token", &body, 200);
            world.advance(31);
            admin(&mut world, "POST /_security/oauth2/token", &body, 400);
        } else {
            let form = format!("token={}", first["refresh_token"].as_str().unwrap());
            let revoke = Request::new(Method::Post, "/auth/revoke").with_body(form);
            let revoke = revoke.with_header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(world.call(self::by(ADMIN, revoke)).status, 200);
        }
        for token in [&first, &one, &two] {
            assert_eq!(bearer(&mut world, &token["access_token"]).status, 401, "{by}");
        }
    }

    world.settings_mut().elasticsearch.family_max = 3600;
    let mut last = admin(&mut world, "POST /_security/oauth2/token", &grant, 200);
    for _ in 0..3 {
        world.advance(1199);
        last = more(&mut world, &last["access_token"]);
    }
    world.advance(3);
    world.audited();
    let refused = value!({"error": "invalid_grant", "error_description": "token document has expired"});
    assert_eq!(more(&mut world, &last["access_token"]), refused);
    assert_eq!(world.audited(), ["token.issue login_too_long_ago"]);
}

/// Verifiers take it for as long as their leeway after its end, so that it has to be ended until then.
#[test]
fn an_access_token_can_be_ended_within_the_leeway() {
    for by in ["access", "user", "grant"] {
        let mut world = world();
        world.settings_mut().leeway = 60;
        let grant = value!({"grant_type": "password", "username": ADMIN.0, "password": ADMIN.1});
        let pair = admin(&mut world, "POST /_security/oauth2/token", &grant, 200);
        world.advance(1210);
        assert_eq!(bearer(&mut world, &pair["access_token"]).status, 200);
        let ending = match by {
            "access" => send("DELETE /_security/oauth2/token", &value!({"token": pair["access_token"]})),
            "user" => send("DELETE /_security/oauth2/token", &value!({"username": ADMIN.0})),
            _ => {
                let form = format!("token={}", pair["refresh_token"].as_str().unwrap());
                let revoke = Request::new(Method::Post, "/auth/revoke").with_body(form);
                revoke.with_header("content-type", "application/x-www-form-urlencoded")
            }
        };
        assert_eq!(world.call(self::by(ADMIN, ending)).status, 200, "{by}");
        assert_eq!(bearer(&mut world, &pair["access_token"]).status, 401, "{by}");
    }
}

#[test]
fn a_refused_refresh_is_audited() {
    let mut world = world();
    make(&mut world, "eve", "viewer");
    let grant = value!({"grant_type": "password", "username": ADMIN.0, "password": ADMIN.1});
    let pair = admin(&mut world, "POST /_security/oauth2/token", &grant, 200);
    let body = value!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]});
    world.audited();
    check(&mut world, ("eve", "eve secret"), "POST /_security/oauth2/token", &body, 400);
    assert_eq!(world.audited(), ["login", "token.refresh refresh_token_of_other_client"]);
    admin(&mut world, "DELETE /_security/oauth2/token", &value!({"refresh_token": pair["refresh_token"]}), 200);
    world.audited();
    admin(&mut world, "POST /_security/oauth2/token", &body, 400);
    assert_eq!(world.audited(), ["login", "token.refresh refresh_token_invalidated"]);
    // An hour later nobody knows it, no more than one that never was.
    world.advance(90_000);
    for token in [&pair["refresh_token"], &value!("none")] {
        let body = value!({"grant_type": "refresh_token", "refresh_token": token});
        admin(&mut world, "POST /_security/oauth2/token", &body, 400);
        assert_eq!(world.audited(), ["login", "token.refresh refresh_token_unknown"]);
    }
    // Nor is one known whose pair is lost, be it shown to get another.
    let pair = admin(&mut world, "POST /_security/oauth2/token", &grant, 200);
    world.forget("pair/");
    let body = value!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]});
    world.audited();
    admin(&mut world, "POST /_security/oauth2/token", &body, 400);
    assert_eq!(world.audited(), ["login", "token.refresh refresh_token_unknown"]);
    let authorization = format!("Bearer {}", pair["access_token"].as_str().unwrap());
    let more = send("POST /_security/oauth2/token", &value!({"grant_type": "client_credentials"}));
    assert_eq!(world.call(more.with_header("authorization", &authorization)).status, 400);
    assert_eq!(world.audited(), ["token.issue token_unknown"]);
}

#[test]
fn a_changed_profile_is_audited() {
    let mut world = world();
    make(&mut world, "eve", "viewer");
    let mut put = |body: Value| {
        world.audited();
        admin(&mut world, "PUT /_security/user/eve", &body, 200);
        world.audited()
    };
    assert_eq!(put(value!({"roles": ["viewer", "reports"]})), ["login", "user.change: profile"]);
    assert_eq!(put(value!({"roles": ["viewer", "reports"]})), ["login"]);
}

#[test]
fn changes_of_roles_are_audited() {
    let mut world = world();
    world.audited();
    for (line, body, told) in [
        ("PUT /_security/role/readers", value!({"cluster": ["monitor"]}), "role.put"),
        ("PUT /_security/role/readers", value!({}), "role.put"),
        ("DELETE /_security/role/readers", Value::Null, "role.delete"),
    ] {
        admin(&mut world, line, &body, 200);
        assert_eq!(world.audited(), ["login", told], "{line}");
    }
    admin(&mut world, "DELETE /_security/role/readers", &Value::Null, 404);
    assert_eq!(world.audited(), ["login"]);
}

/// An address is good for logging in, and names nobody whose tokens are to end: it may be another's name.
#[test]
fn tokens_are_ended_by_name_and_not_by_address() {
    let mut world = world();
    let body = value!({"password": "ann secret", "roles": [], "email": "ann@example.com"});
    admin(&mut world, "PUT /_security/user/ann", &body, 200);
    let pair = token(&mut world, "ann");
    for (name, ended) in [("ann@example.com", 0), ("ann", 2)] {
        let told = admin(&mut world, "DELETE /_security/oauth2/token", &value!({"username": name}), 200);
        assert_eq!(told["invalidated_tokens"], ended, "{name}");
        assert_eq!(bearer(&mut world, &pair).status, if ended == 0 { 200 } else { 401 }, "{name}");
    }
}
