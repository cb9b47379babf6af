//! `POST /admin/bootstrap`: the first administrator and the first signing key (security P10).

use super::{
    ACTOR,
    body::{Body, invalid},
    error::refused,
    json, user, users,
};
use crate::{
    engine::{self, NewPassword, NewUser},
    password::List,
    record::{LastUid, Role, key},
    seam::{Op, Response, Stop},
};
use alloc::string::String;

/// Creates them; once.
///
/// # Errors
/// 409 `already_bootstrapped` when there ever was a user.
pub(super) fn bootstrap(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["name", "password"])?;
    let (name, password) = (users::name_of(&body)?, body.need("password")?);
    if name.contains(':') {
        // It would end at the colon in HTTP Basic (RFC 7617, 2), and there is no e-mail address to log in by.
        return invalid("name", "may not hold a colon: the first administrator logs in by it");
    }
    op.want(&[key::last_uid(), key::admins(), key::schemes(), key::cluster()]);
    if op.load::<LastUid>(&key::last_uid())?.is_some() {
        return refused(409, "already_bootstrapped", "this server already has its first user");
    }
    engine::bootstrap_key(op, &ACTOR)?;
    engine::check_free(op, Some(name), None, None)?;
    let salt = engine::new_salt(op)?;
    let hash = NewPassword::fresh(op, password, name, "", &salt)?.into_hash();
    let new = NewUser { name: name.into(), email: String::new(), role: Role::Admin, email_alerts: true, disabled: false };
    let user = engine::create_user(op, &ACTOR, new, List::new(hash), salt)?;
    json(201, &user::Shown::new(op, &user, None, None))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, refused};
    use crate::{
        settings::PolicyName,
        testing::{TestWorld, basic, request},
    };
    use alloc::format;

    const ADMIN: &str = r#"{"name": "admin", "password": "a quite long passphrase"}"#;

    #[test]
    fn the_first_user_is_an_administrator_who_can_log_in() {
        let mut world = TestWorld::unsown();
        let user = done(&mut world, "POST /admin/bootstrap", ADMIN, 201);
        assert_eq!((&user["uid"], &user["role"], &user["passwords"]), (&1.into(), &"admin".into(), &1.into()));
        assert_eq!(world.audited(), ["key.rotate", "user.create: role admin"]);
        let login = request("POST /v1/users/authorize", "")
            .with_header("authorization", &basic("admin", "a quite long passphrase"));
        assert_eq!(world.call(login).status, 200);
    }

    #[test]
    fn there_is_one_first_user_only() {
        let mut world = TestWorld::unsown();
        done(&mut world, "POST /admin/bootstrap", ADMIN, 201);
        refused(&mut world, "POST /admin/bootstrap", ADMIN, 409, "already_bootstrapped");
        let second = r#"{"name": "other", "role": "admin", "password": "another long passphrase"}"#;
        done(&mut world, "POST /admin/users", second, 201);
        done(&mut world, "DELETE /admin/users/1", "", 204);
        refused(&mut world, "POST /admin/bootstrap", ADMIN, 409, "already_bootstrapped");
    }

    /// With another first, neither key nor administrator would ever be made.
    #[test]
    fn nobody_is_made_before_the_first_user() {
        let mut world = TestWorld::unsown();
        for secret in [r#""password": "another long passphrase""#, r#""password_hash": []"#] {
            let other = format!(r#"{{"name": "other", "role": "admin", {secret}}}"#);
            refused(&mut world, "POST /admin/users", &other, 409, "not_bootstrapped");
        }
        done(&mut world, "POST /admin/bootstrap", ADMIN, 201);
        assert_eq!(done(&mut world, "GET /admin/status", "", 200)["keys"], 1);
    }

    #[test]
    fn of_two_at_once_one_wins() {
        let mut world = TestWorld::unsown();
        let first = world.race_local(request("POST /admin/bootstrap", ADMIN), |world| {
            let other = r#"{"name": "other", "password": "another long passphrase"}"#;
            done(world, "POST /admin/bootstrap", other, 201);
        });
        assert_eq!(first.status, 409);
        assert_eq!(done(&mut world, "GET /admin/users", "", 200)["users"].as_array().unwrap().len(), 1);
        assert_eq!(done(&mut world, "GET /admin/keys", "", 200)["keys"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn of_two_at_once_one_wins_whatever_was_read_before() {
        for round in 0..8 {
            let mut world = TestWorld::unsown();
            let first = world.race_local_at(round, request("POST /admin/bootstrap", ADMIN), |world| {
                let other = r#"{"name": "other", "password": "another long passphrase"}"#;
                done(world, "POST /admin/bootstrap", other, 201);
            });
            assert!(matches!(first.status, 201 | 409), "round {round}: {}", first.status);
            assert_eq!(done(&mut world, "GET /admin/users", "", 200)["users"].as_array().unwrap().len(), 1);
            assert_eq!(done(&mut world, "GET /admin/keys", "", 200)["keys"].as_array().unwrap().len(), 1);
        }
    }

    #[test]
    fn a_key_that_signs_already_goes_on() {
        let mut world = TestWorld::new();
        done(&mut world, "POST /admin/bootstrap", ADMIN, 201);
        assert_eq!(world.audited(), ["user.create: role admin"]);
    }

    #[test]
    fn wrong_requests_are_refused() {
        let mut world = TestWorld::unsown();
        world.settings_mut().passwords.policy = PolicyName::Nist;
        for (body, code) in [
            ("", "missing_member"),
            (r#"{"name": "admin"}"#, "missing_member"),
            (r#"{"password": "a quite long passphrase"}"#, "missing_member"),
            (r#"{"name": 1, "password": "a quite long passphrase"}"#, "wrong_type"),
            (r#"{"name": "admin", "password": 1}"#, "wrong_type"),
            (r#"{"name": "", "password": "a quite long passphrase"}"#, "invalid_value"),
            (r#"{"name": "a<b", "password": "a quite long passphrase"}"#, "invalid_value"),
            (r#"{"name": "a:b", "password": "a quite long passphrase"}"#, "invalid_value"),
            (r#"{"name": "admin", "password": ""}"#, "password_empty"),
            (r#"{"name": "admin", "password": "short"}"#, "password_too_short"),
        ] {
            refused(&mut world, "POST /admin/bootstrap", body, 400, code);
        }
        done(&mut world, "POST /admin/bootstrap", ADMIN, 201);
    }
}
