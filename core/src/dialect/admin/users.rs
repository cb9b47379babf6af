//! `/admin/users`, `/admin/users/{who}` and what is done to one user.

use super::{
    ACTOR,
    body::{self, Body, invalid, missing, wrong_type},
    error::refused,
    json, target,
    user::Shown,
};
use crate::{
    dialect::form::Form,
    engine::{self, Changes, NAME_RULE, NewPassword, NewUser, valid_email, valid_name},
    password::{Hash, List},
    record::{LastUid, Lock, Role, Seen, Uid, User, key},
    seam::{Op, Range, Response, Stop},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;
use serde_json::Value;

/// How many users one answer holds at most.
const PAGE: u32 = 1000;

/// Some users in the order of their uid; `next` is the `after` of the next request, if there are more.
#[derive(Serialize)]
struct Page<'a> {
    users: Vec<Shown<'a>>,
    next: Option<u32>,
}

/// Users with uid above `after`, at most `limit`.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    let (after, limit) = page(&op.request.query)?;
    let records = |prefix: &str| {
        let after = after.map_or_else(String::new, |uid| key::of_user(prefix, uid));
        op.range(&Range { prefix: prefix.into(), after, limit })
    };
    // Only users have locks and last logins, so the same number of these reaches at least as far.
    let (users, locks, seen) = (records(key::USERS), records(key::LOCKS), records(key::SEEN));
    let users = engine::decoded_by_id::<User>(engine::behind(key::USERS, users?))?;
    let locks = engine::decoded_by_id::<Lock>(engine::behind(key::LOCKS, locks?))?;
    let seen = engine::decoded_by_id::<Seen>(engine::behind(key::SEEN, seen?))?;
    let shown =
        users.as_slice().iter().map(|(id, user)| Shown::new(op, user, locks.get(id).copied(), seen.get(id).copied()));
    let more = users.as_slice().len() >= limit as usize;
    let next = users.as_slice().last().filter(|_| more).map(|(_, user)| user.uid.as_u32());
    json(200, &Page { users: shown.collect(), next })
}

/// `after` and `limit` of a query.
fn page(query: &str) -> Result<(Option<Uid>, u32), Stop> {
    let malformed =
        || refused(400, "malformed_query", "the query is not a form, or has other names than `after` and `limit`");
    let Ok(form) = Form::parse(query.as_bytes()) else { return malformed() };
    if form.repeats() || form.pairs().any(|(name, _)| !["after", "limit"].contains(&name)) {
        return malformed();
    }
    let after = match form.one("after") {
        Ok(None | Some("0")) => None,
        Ok(Some(text)) => match Uid::parse(text) {
            Some(uid) => Some(uid),
            None => return invalid("after", "is not a uid"),
        },
        Err(_) => return malformed(),
    };
    match form.one("limit").map(|text| text.map(str::parse::<u32>)) {
        Ok(None) => Ok((after, PAGE)),
        Ok(Some(Ok(limit))) if (1..=PAGE).contains(&limit) => Ok((after, limit)),
        _ => invalid("limit", &format!("is not a number from 1 to {PAGE}")),
    }
}

/// One user.
pub(super) fn show(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    json(200, &Shown::read(op, &target(op, who)?)?)
}

/// A new user, with a password or with hashes that were made elsewhere.
pub(super) fn create(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["name", "email", "role", "password", "password_hash"])?;
    let (name, email, role) = (name_of(&body)?, email_of(&body)?, role_of(&body)?);
    op.want(&[key::last_uid(), key::admins(), key::schemes(), key::cluster()]);
    if op.load::<LastUid>(&key::last_uid())?.is_none() {
        // After this user there would be no bootstrap any more, hence neither key nor administrator.
        let why = "there is no user yet: the first start (`waxseal serve`, in JavaScript `bootstrap`) makes the first";
        return refused(409, "not_bootstrapped", why);
    }
    let secret = match (body.text("password")?, body.value("password_hash")) {
        (Some(password), None) => Secret::Password(password),
        (None, Some(hashes)) => Secret::Hashes(hashes_of(op, hashes)?),
        (None, None) => return missing("password"),
        (Some(_), Some(_)) => return invalid("password_hash", "cannot stand beside `password`"),
    };
    engine::check_free(op, Some(name), Some(email), None)?;
    let salt = engine::new_salt(op)?;
    let passwords = match secret {
        Secret::Password(password) => List::new(NewPassword::fresh(op, password, name, email, &salt)?.into_hash()),
        Secret::Hashes(list) => list,
    };
    let new = NewUser { name: name.into(), email: email.into(), role, email_alerts: true, disabled: false };
    let user = engine::create_user(op, &ACTOR, new, passwords, salt)?;
    json(201, &Shown::new(op, &user, None, None))
}

enum Secret<'a> {
    Password(&'a str),
    Hashes(List),
}

/// One hash or a list of them, as PHC texts.
fn hashes_of(op: &Op<'_>, value: &Value) -> Result<List, Stop> {
    let texts: Option<Vec<&str>> = match value {
        Value::String(text) => Some([text.as_str()].into()),
        Value::Array(texts) => texts.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let Some(texts) = texts else { return wrong_type("password_hash", "a string or a list of strings") };
    let hashes: Result<Vec<Hash>, _> = texts.into_iter().map(str::parse).collect();
    match hashes {
        Ok(hashes) => Ok(List::import(hashes, op.settings.passwords.max_per_user)?),
        Err(wrong) => refused(400, wrong.code(), &wrong.to_string()),
    }
}

/// Deletes a user; the user's tokens end at once.
pub(super) fn delete(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    body::none(op)?;
    engine::delete_user(op, &ACTOR, &target(op, who)?)?;
    Ok(Response::empty(204))
}

/// Another name, address or role; what is not said stays, except a name that is the address. No token ends: its owner is still the same.
pub(super) fn amend(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    let body = Body::of(op, &["name", "email", "role"])?;
    let said = |member| body.value(member).is_some();
    let name = said("name").then(|| name_of(&body)).transpose()?.map(Into::into);
    let email = said("email").then(|| email_of(&body)).transpose()?.map(Into::into);
    let role = said("role").then(|| role_of(&body)).transpose()?;
    let mut user = target(op, who)?;
    let changes = Changes { name, email, role, email_alerts: None }.with_name_of(&user);
    engine::change_user(op, &ACTOR, &mut user, changes)?;
    json(200, &Shown::read(op, &user)?)
}

/// What can be done to a user without saying more.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// Failed logins are forgotten.
    Unlock,
    /// No login and no token works any more.
    Disable,
    /// Logins work again; tokens from before do not.
    Enable,
    /// All tokens end.
    Logout,
}

impl Change {
    /// By the last segment of the path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "unlock" => Some(Self::Unlock),
            "disable" => Some(Self::Disable),
            "enable" => Some(Self::Enable),
            "logout" => Some(Self::Logout),
            _ => None,
        }
    }
}

/// Does it, and shows the user after the change.
pub(super) fn change(op: &Op<'_>, who: &str, change: Change) -> Result<Response, Stop> {
    body::none(op)?;
    let mut user = target(op, who)?;
    let action = match change {
        Change::Unlock => {
            user.unlock();
            "user.unlock"
        }
        Change::Logout => {
            user.log_out(op);
            "user.logout"
        }
        Change::Disable | Change::Enable => {
            engine::enable_user(op, &ACTOR, &mut user, matches!(change, Change::Enable))?;
            return json(200, &Shown::read(op, &user)?);
        }
    };
    engine::store_user(op, &user);
    engine::audit(op, action, &ACTOR, &user.uid);
    json(200, &Shown::read(op, &user)?)
}

/// The member `name`, which must be one.
///
/// # Errors
/// 400.
pub(super) fn name_of(body: &Body) -> Result<&str, Stop> {
    let name = body.need("name")?;
    if valid_name(name) { Ok(name) } else { invalid("name", &format!("is not {NAME_RULE}")) }
}

fn email_of(body: &Body) -> Result<&str, Stop> {
    let email = body.text("email")?.unwrap_or_default();
    if email.is_empty() || valid_email(email) { Ok(email) } else { invalid("email", "is not an e-mail address") }
}

fn role_of(body: &Body) -> Result<Role, Stop> {
    match body.text("role")?.map(Role::parse) {
        None => Ok(Role::DbViewer),
        Some(Some(role)) => Ok(role),
        Some(None) => invalid("role", &format!("is not one of {}", Role::ALL.map(Role::as_str).join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, refused, world};
    use crate::{
        password::{Derived, Hash, Scheme},
        seam::Derivation,
        testing::{TestWorld, basic, derive, request},
    };
    use alloc::{
        format,
        string::{String, ToString},
        vec::Vec,
    };
    use serde_json::{Value, json};
    use zeroize::Zeroizing;

    #[track_caller]
    fn check_login(world: &mut TestWorld, name: &str, password: &str, status: u16) {
        let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        assert_eq!(world.call(login).status, status, "{name} {password}");
    }

    /// The hash of a password as another server would have made it.
    fn hash(password: &str, scheme: Scheme, salt: &[u8]) -> String {
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let bits = derive(&Derivation { scheme, salt: salt.to_vec(), password });
        Hash::new(salt, &Derived::new(scheme, &bits).unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_user_is_shown_without_secrets() {
        let mut world = world();
        for who in ["2", "ann", "ann%40example.com", "%61nn"] {
            let expected = json!({
                "uid": 2, "name": "ann", "email": "ann@example.com", "role": "db_viewer", "disabled": false, "locked": false,
                "locked_until": null, "passwords": 1, "password_issued": "2027-01-15T08:00:00Z",
                "created": "2027-01-15T08:00:00Z", "last_login": null,
            });
            assert_eq!(done(&mut world, &format!("GET /admin/users/{who}"), "", 200), expected);
        }
        world.advance(3600);
        check_login(&mut world, "ann", "ann password", 200);
        assert_eq!(done(&mut world, "GET /admin/users/2", "", 200)["last_login"], "2027-01-15T09:00:00Z");
    }

    #[test]
    fn nobody_is_404() {
        let mut world = world();
        for who in ["3", "0", "01", "4294967296", "Ann", "nobody", "%20"] {
            for line in [
                "GET /admin/users/{}",
                "DELETE /admin/users/{}",
                "POST /admin/users/{}/unlock",
                "POST /admin/users/{}/logout",
            ] {
                refused(&mut world, &line.replace("{}", who), "", 404, "user_not_found");
            }
            refused(&mut world, &format!("PUT /admin/users/{who}/password"), r#"{"password": "x"}"#, 404, "user_not_found");
        }
    }

    #[test]
    fn a_name_of_digits_is_never_taken_for_a_uid() {
        let mut world = world();
        done(&mut world, "POST /admin/users", r#"{"name": "1", "password": "pw"}"#, 201);
        refused(&mut world, "GET /admin/users/1", "", 409, "ambiguous_user");
        refused(&mut world, "DELETE /admin/users/1", "", 409, "ambiguous_user");
        assert_eq!(done(&mut world, "GET /admin/users/uid:1", "", 200)["name"], "admin");
        assert_eq!(done(&mut world, "GET /admin/users/3", "", 200)["name"], "1");
        assert_eq!(done(&mut world, "GET /admin/users/name:1", "", 200)["uid"], 3);
        done(&mut world, "POST /admin/users", r#"{"name": "name:ann", "password": "pw"}"#, 201);
        assert_eq!(done(&mut world, "GET /admin/users/name:ann", "", 200)["uid"], 4);
        refused(&mut world, "GET /admin/users/:1", "", 404, "user_not_found");
    }

    #[test]
    fn what_is_said_changes_and_the_rest_stays() {
        let mut world = world();
        let token = world.token("ann", "ann password");
        world.audited();
        let change = |world: &mut TestWorld, who: &str, body: Value, status| {
            done(world, &format!("PATCH /admin/users/{who}"), &body.to_string(), status)
        };
        let shown = change(&mut world, "ann", json!({"role": "user_manager"}), 200);
        assert_eq!([&shown["role"], &shown["name"], &shown["email"]], ["user_manager", "ann", "ann@example.com"]);
        assert_eq!(world.audited(), ["user.change: role db_viewer -> user_manager"]);
        let shown = change(&mut world, "2", json!({"name": "anna", "email": ""}), 200);
        assert_eq!([&shown["role"], &shown["name"], &shown["email"]], ["user_manager", "anna", ""]);
        check_login(&mut world, "anna", "ann password", 200);
        check_login(&mut world, "ann@example.com", "ann password", 401);
        let own = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        assert_eq!(world.call(own).status, 204, "the user is the same, and so are the tokens");
        world.audited();
        assert_eq!(change(&mut world, "2", json!({}), 200), change(&mut world, "anna", json!({"name": "anna"}), 200));
        assert_eq!(world.audited(), Vec::<String>::new(), "nothing has changed");
    }

    /// Otherwise the old address would go on to sign the user in.
    #[test]
    fn who_has_his_address_for_a_name_gets_the_new_one_for_both() {
        let mut world = world();
        let mut change = |who: &str, body: Value| {
            let shown = done(&mut world, &format!("PATCH /admin/users/{who}"), &body.to_string(), 200);
            [&shown["name"], &shown["email"]].map(|text| text.as_str().unwrap().to_string())
        };
        assert_eq!(change("ann", json!({"name": "ann@example.com"})), ["ann@example.com"; 2]);
        assert_eq!(change("ann@example.com", json!({"email": "ann@example.org"})), ["ann@example.org"; 2]);
        // Without an address the name is all that the user goes by.
        assert_eq!(change("ann@example.org", json!({"email": ""})), ["ann@example.org", ""]);
        assert_eq!(change("2", json!({"email": "ann@example.org"})), ["ann@example.org"; 2]);
        assert_eq!(
            change("2", json!({"email": "ann@example.net", "name": "ann@example.org"})),
            ["ann@example.org", "ann@example.net"]
        );
        check_login(&mut world, "ann@example.com", "ann password", 401);
        check_login(&mut world, "ann@example.org", "ann password", 200);
        check_login(&mut world, "ann@example.net", "ann password", 200);
    }

    #[test]
    fn wrong_changes_are_refused() {
        let mut world = world();
        for (who, body, status, code) in [
            ("ann", r#"{"name": "admin"}"#, 409, "name_taken"),
            ("ann", r#"{"email": "admin"}"#, 400, "invalid_value"),
            ("ann", r#"{"name": ""}"#, 400, "invalid_value"),
            ("ann", r#"{"name": null}"#, 400, "wrong_type"),
            ("ann", r#"{"role": "root"}"#, 400, "invalid_value"),
            ("ann", r#"{"role": 1}"#, 400, "wrong_type"),
            ("ann", r#"{"password": "x"}"#, 400, "unknown_member"),
            ("nobody", r#"{"role": "none"}"#, 404, "user_not_found"),
            ("admin", r#"{"role": "none"}"#, 409, "last_admin"),
        ] {
            refused(&mut world, &format!("PATCH /admin/users/{who}"), body, status, code);
        }
    }

    #[test]
    fn every_role_can_be_given() {
        let mut world = world();
        for role in crate::record::Role::ALL {
            let body = json!({ "name": format!("a {}", role.as_str()), "role": role.as_str(), "password": "pw" });
            let user = done(&mut world, "POST /admin/users", &body.to_string(), 201);
            assert_eq!(user["role"], role.as_str());
            check_login(&mut world, user["name"].as_str().unwrap(), "pw", 200);
        }
        assert_eq!(world.audited().first().map(String::as_str), Some("user.create: role admin"));
    }

    #[test]
    fn wrong_users_are_refused() {
        let mut world = world();
        world.settings_mut().passwords.policy = crate::settings::PolicyName::Nist;
        let good = hash("x", Scheme::default(), b"saltsalt");
        for (body, status, code) in [
            (json!({}), 400, "missing_member"),
            (json!({"name": "bob"}), 400, "missing_member"),
            (json!({"password": "a long enough passphrase"}), 400, "missing_member"),
            (json!({"name": "b\"b", "password": "a long enough passphrase"}), 400, "invalid_value"),
            (json!({"name": "ann ", "password": "a long enough passphrase"}), 400, "invalid_value"),
            (json!({"name": " ann", "password": "a long enough passphrase"}), 400, "invalid_value"),
            (json!({"name": "x".repeat(256), "password": "a long enough passphrase"}), 400, "invalid_value"),
            (json!({"name": ["bob"], "password": "a long enough passphrase"}), 400, "wrong_type"),
            (json!({"name": "bob", "email": "bob", "password": "a long enough passphrase"}), 400, "invalid_value"),
            (json!({"name": "bob", "email": null, "password": "a long enough passphrase"}), 400, "wrong_type"),
            (json!({"name": "bob", "role": "root", "password": "a long enough passphrase"}), 400, "invalid_value"),
            (json!({"name": "bob", "role": 1, "password": "a long enough passphrase"}), 400, "wrong_type"),
            (json!({"name": "bob", "password": "short"}), 400, "password_too_short"),
            (json!({"name": "bob", "password": 15}), 400, "wrong_type"),
            (json!({"name": "bob", "password": "a long enough passphrase", "password_hash": good}), 400, "invalid_value"),
            (json!({"name": "bob", "password": "a long enough passphrase", "uid": 7}), 400, "unknown_member"),
            (json!({"name": "ann", "password": "a long enough passphrase"}), 409, "name_taken"),
            (json!({"name": "ann@example.com", "password": "a long enough passphrase"}), 409, "name_taken"),
            (
                json!({"name": "bob", "email": "ann@example.com", "password": "a long enough passphrase"}),
                409,
                "email_taken",
            ),
        ] {
            refused(&mut world, "POST /admin/users", &body.to_string(), status, code);
        }
        assert_eq!(done(&mut world, "GET /admin/users", "", 200)["users"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn hashes_can_be_brought_along() {
        let mut world = world();
        let old = Scheme::Pbkdf2Sha256 { iterations: 29_000 };
        let one = json!({"name": "one", "password_hash": hash("first", Scheme::default(), b"saltsalt")});
        assert_eq!(done(&mut world, "POST /admin/users", &one.to_string(), 201)["passwords"], 1);
        check_login(&mut world, "one", "first", 200);
        let hashes = [hash("first", old, b"saltsalt"), hash("second", old, b"saltsalt")];
        let two = json!({"name": "two", "password_hash": hashes});
        assert_eq!(done(&mut world, "POST /admin/users", &two.to_string(), 201)["passwords"], 2);
        for (password, status) in [("second", 200), ("first", 200), ("third", 401)] {
            check_login(&mut world, "two", password, status);
            assert_eq!(world.cost.derivations, 2);
        }
        assert_eq!(done(&mut world, "GET /admin/users/two", "", 200)["passwords"], 2);
    }

    /// Such a list comes of an import only: nobody can see there that two hashes are of one password.
    #[test]
    fn a_password_that_came_under_two_schemes_goes_as_a_whole() {
        let old = Scheme::Pbkdf2Sha256 { iterations: 29_000 };
        let older = Scheme::Pbkdf2Sha256 { iterations: 1000 };
        for (name, first, second) in [("ina", old, Scheme::default()), ("bob", older, old)] {
            let mut world = world();
            let hashes = [("P", first), ("Q", second), ("P", second)].map(|(text, scheme)| hash(text, scheme, b"saltsalt"));
            done(&mut world, "POST /admin/users", &json!({"name": name, "password_hash": hashes}).to_string(), 201);
            let gone = request("DELETE /v1/users/password", r#"{"old_password": "P"}"#);
            assert_eq!(world.call(gone.with_header("authorization", &basic(name, "P"))).status, 200, "{name}");
            check_login(&mut world, name, "P", 401);
            check_login(&mut world, name, "Q", 200);

            let body = json!({"name": "other", "password_hash": hashes}).to_string();
            done(&mut world, "POST /admin/users", &body, 201);
            let admin = json!({"name": "root", "password": "root password is long", "role": "admin"}).to_string();
            done(&mut world, "POST /admin/users", &admin, 201);
            let bearer = format!("Bearer {}", world.token("root", "root password is long"));
            let gone = request("DELETE /v1/users/password", r#"{"username": "other", "old_password": "P"}"#);
            assert_eq!(world.call(gone.with_header("authorization", &bearer)).status, 200, "{name}");
            check_login(&mut world, "other", "P", 401);
            check_login(&mut world, "other", "Q", 200);
        }
    }

    /// The schemes of the other passwords, which go, are no reason for a weaker hash.
    #[test]
    fn what_replaces_passwords_of_two_old_schemes_is_hashed_as_new() {
        let mut world = world();
        let hashes = [1000, 2000].map(|iterations| hash("old", Scheme::Pbkdf2Sha256 { iterations }, b"saltsalt"));
        done(&mut world, "POST /admin/users", &json!({"name": "pim", "password_hash": hashes}).to_string(), 201);
        let replaced = request("PUT /v1/users/password", r#"{"new_password": "another long password"}"#);
        assert_eq!(world.call(replaced.with_header("authorization", &basic("pim", "old"))).status, 200);
        assert!(!world.stores("pbkdf2-sha256$i=1000") && !world.stores("pbkdf2-sha256$i=2000"));
        check_login(&mut world, "pim", "another long password", 200);
    }

    /// A salt that was brought along may be short, or that of a whole site (security P4).
    #[test]
    fn what_replaces_a_password_that_was_brought_along_has_a_salt_of_its_own() {
        for (line, field) in [("PUT /v1/users/password", "new_password"), ("PUT /_security/user/_password", "password")] {
            let mut world = world();
            let hash = hash("old", Scheme::default(), b"saltsalt");
            done(&mut world, "POST /admin/users", &json!({"name": "pim", "password_hash": hash}).to_string(), 201);
            let mut change = |to: &str, status: u16| {
                let change =
                    request(line, &json!({field: to}).to_string()).with_header("authorization", &basic("pim", "old"));
                assert_eq!(world.call(change).status, status, "{line}");
            };
            change("old", 400);
            change("another long password", 200);
            assert!(!world.stores("$c2FsdHNhbHQ$"), "{line}");
            check_login(&mut world, "pim", "another long password", 200);
            assert_eq!(world.cost.derivations, 1);
        }
    }

    #[test]
    fn wrong_hashes_are_refused() {
        let mut world = world();
        world.settings_mut().passwords.max_per_user = 2;
        let pbkdf2 = |iterations| Scheme::Pbkdf2Sha256 { iterations };
        let [a, b, c] = ["a", "b", "c"].map(|password| hash(password, pbkdf2(1000), b"saltsalt"));
        for (hashes, code) in [
            (json!(1), "wrong_type"),
            (json!([1]), "wrong_type"),
            (json!({"hash": a}), "wrong_type"),
            (json!([]), "password_list_empty"),
            (json!("plain"), "hash_malformed"),
            (json!("$2b$12$abcdefghijklmnopqrstuv"), "hash_unknown"),
            (
                json!("$argon2id$v=19$m=999999999,t=2,p=1$c2FsdHNhbHQ$iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I+m/2Exw"),
                "scheme_memory_out_of_bounds",
            ),
            (json!([a, a]), "password_same_as_current"),
            (json!([a, b, c]), "password_too_many"),
            (json!([a, hash("b", pbkdf2(1000), b"saltsalu")]), "password_salts_differ"),
        ] {
            let body = json!({"name": "bob", "password_hash": hashes}).to_string();
            refused(&mut world, "POST /admin/users", &body, 400, code);
        }
    }

    #[test]
    fn the_schemes_of_a_server_are_bounded() {
        let mut world = world();
        for (iterations, status) in [(1000, 201), (1001, 201), (1002, 400), (1001, 201)] {
            let hash = hash("pw", Scheme::Pbkdf2Sha256 { iterations }, b"saltsalt");
            let body =
                json!({"name": format!("user {} {status} {}", iterations, world.events.len()), "password_hash": hash});
            let answer = done(&mut world, "POST /admin/users", &body.to_string(), status);
            assert!(status == 201 || answer["error"] == "password_no_room_for_scheme");
        }
    }

    /// The uids on a page, and where the next one starts.
    fn page(world: &mut TestWorld, query: &str) -> (Vec<u64>, Value) {
        let mut page = done(world, &format!("GET /admin/users{query}"), "", 200);
        assert_eq!(world.cost.rounds, 1);
        let uids = page["users"].as_array().unwrap().iter().map(|user| user["uid"].as_u64().unwrap());
        (uids.collect(), page["next"].take())
    }

    #[test]
    fn users_are_listed_in_pages() {
        let mut world = world();
        for uid in 3..=20 {
            let body = json!({"name": format!("user {uid}"), "password": "pw"}).to_string();
            done(&mut world, "POST /admin/users", &body, 201);
        }
        done(&mut world, "DELETE /admin/users/16", "", 204);
        check_login(&mut world, "user 19", "pw", 200);
        assert_eq!(page(&mut world, ""), ((1..=20).filter(|uid| *uid != 16).collect(), Value::Null));
        assert_eq!(page(&mut world, "?limit=3"), ([1, 2, 3].into(), 3.into()));
        assert_eq!(page(&mut world, "?after=14&limit=3"), ([15, 17, 18].into(), 18.into()));
        assert_eq!(page(&mut world, "?limit=3&after=18"), ([19, 20].into(), Value::Null));
        assert_eq!(page(&mut world, "?after=20"), ([].into(), Value::Null));
        assert_eq!(page(&mut world, "?after=0&limit=1"), ([1].into(), 1.into()));
        let last = done(&mut world, "GET /admin/users?after=18", "", 200);
        assert_eq!(last["users"][0]["last_login"], "2027-01-15T08:00:00Z");
        assert_eq!(last["users"][1]["last_login"], Value::Null);
    }

    #[test]
    fn wrong_pages_are_refused() {
        let mut world = world();
        for (query, code) in [
            ("after=x", "invalid_value"),
            ("after=-1", "invalid_value"),
            ("after=", "invalid_value"),
            ("limit=0", "invalid_value"),
            ("limit=1001", "invalid_value"),
            ("limit=ten", "invalid_value"),
            ("limit=1&limit=2", "malformed_query"),
            ("limit=%", "malformed_query"),
            ("page=1", "malformed_query"),
        ] {
            refused(&mut world, &format!("GET /admin/users?{query}"), "", 400, code);
        }
    }

    #[test]
    fn locks_are_seen_and_ended() {
        let mut world = world();
        for _ in 0..5 {
            check_login(&mut world, "ann", "wrong", 401);
        }
        let locked = done(&mut world, "GET /admin/users", "", 200)["users"][1].take();
        assert_eq!((&locked["locked"], &locked["locked_until"]), (&true.into(), &"2027-01-15T08:30:00Z".into()));
        check_login(&mut world, "ann", "ann password", 401);
        world.audited();
        assert_eq!(done(&mut world, "POST /admin/users/ann/unlock", "", 200)["locked"], false);
        assert_eq!(world.audited(), ["user.unlock"]);
        check_login(&mut world, "ann", "ann password", 200);
    }

    #[test]
    fn a_lock_without_end_has_none() {
        let mut world = world();
        let cluster = r#"{"login_lockout_duration": 0}"#;
        let change =
            request("PUT /v1/cluster/policy", cluster).with_header("authorization", &basic("admin", "admin password"));
        assert_eq!(world.call(change).status, 200);
        (0..5).for_each(|_| check_login(&mut world, "ann", "wrong", 401));
        world.advance(1_000_000_000);
        let locked = done(&mut world, "GET /admin/users/ann", "", 200);
        assert_eq!((&locked["locked"], &locked["locked_until"]), (&true.into(), &Value::Null));
    }

    #[test]
    fn a_disabled_user_is_out_until_enabled() {
        let mut world = world();
        let token = world.token("ann", "ann password");
        let verify = || request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        assert_eq!(done(&mut world, "POST /admin/users/ann/disable", "{}", 200)["disabled"], true);
        check_login(&mut world, "ann", "ann password", 401);
        assert_eq!(world.call(verify()).status, 401);
        world.audited();
        assert_eq!(done(&mut world, "POST /admin/users/ann/enable", "", 200)["disabled"], false);
        assert_eq!(world.audited(), ["user.enable"]);
        check_login(&mut world, "ann", "ann password", 200);
        // Tokens from before have ended for good.
        assert_eq!(world.call(verify()).status, 401);
    }

    #[test]
    fn logging_out_ends_every_kind_of_token() {
        let mut world = world();
        world.settings_mut().openshift.password_change_revokes = false;
        let add = request("POST /broker/rest/user/authorizations", "")
            .with_header("accept", "application/json")
            .with_header("authorization", &basic("ann", "ann password"));
        let added: Value = serde_json::from_slice(&world.call(add).body).unwrap();
        let stored = added["data"]["token"].as_str().unwrap().to_string();
        let tokens = [world.token("ann", "ann password"), stored];
        for status in [204, 401] {
            for token in &tokens {
                let verify = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
                assert_eq!(world.call(verify).status, status);
            }
            done(&mut world, "POST /admin/users/ann/logout", "", 200);
        }
        check_login(&mut world, "ann", "ann password", 200);
    }

    /// It is decided when they end, and not again when the setting changes.
    #[test]
    fn authorizations_that_a_password_has_ended_stay_ended() {
        for revokes in [true, false] {
            let mut world = world();
            world.settings_mut().openshift.password_change_revokes = revokes;
            let add = request("POST /broker/rest/user/authorizations", "")
                .with_header("accept", "application/json")
                .with_header("authorization", &basic("ann", "ann password"));
            let added: Value = serde_json::from_slice(&world.call(add).body).unwrap();
            let token = format!("Bearer {}", added["data"]["token"].as_str().unwrap());
            let replace = |world: &mut TestWorld| {
                done(world, "PUT /admin/users/ann/password", r#"{"password": "ann's next password"}"#, 204);
                let verify = || request("GET /auth/verify", "").with_header("authorization", &token);
                let before = world.call(verify()).status;
                world.settings_mut().openshift.password_change_revokes = !revokes;
                (before, world.call(verify()).status)
            };
            assert_eq!(replace(&mut world), if revokes { (401, 401) } else { (204, 401) });
        }
    }

    #[test]
    fn a_deleted_user_is_gone_and_his_names_are_free() {
        let mut world = world();
        done(&mut world, "DELETE /admin/users/ann", "", 204);
        assert_eq!(world.audited(), ["user.delete"]);
        check_login(&mut world, "ann", "ann password", 401);
        refused(&mut world, "GET /admin/users/2", "", 404, "user_not_found");
        let again = r#"{"name": "ann", "email": "ann@example.com", "password": "pw"}"#;
        assert_eq!(done(&mut world, "POST /admin/users", again, 201)["uid"], 3);
        refused(&mut world, "DELETE /admin/users/admin", "", 409, "last_admin");
    }

    #[test]
    fn of_two_users_of_one_name_at_once_one_is_made() {
        let mut world = world();
        let body = r#"{"name": "bob", "password": "pw"}"#;
        let lost = world.race_local(request("POST /admin/users", body), |world| {
            done(world, "POST /admin/users", body, 201);
        });
        assert_eq!(lost.status, 409);
        let other = r#"{"name": "carol", "password": "pw"}"#;
        let late = world.race_local(request("POST /admin/users", other), |world| {
            done(world, "POST /admin/users", r#"{"name": "dave", "password": "pw"}"#, 201);
        });
        assert_eq!(late.status, 201);
        assert_eq!(page(&mut world, "").0, [1, 2, 3, 4, 5]);
    }
}
