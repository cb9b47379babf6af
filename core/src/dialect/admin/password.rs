//! `/admin/users/{who}/password`.

use super::{ACTOR, body::Body, target};
use crate::{
    engine::{self, NewPassword, Setter},
    record::{User, key},
    seam::{Op, Response, Stop},
};

/// The list becomes exactly this password, locks end, and so do all tokens.
pub(super) fn replace(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    let (body, user) = request(op, who)?;
    let new = NewPassword::reset(op, &user, body.need("password")?)?;
    engine::reset_passwords(op, &ACTOR, user, new)?;
    Ok(Response::empty(204))
}

/// One more password.
pub(super) fn add(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    let (body, user) = request(op, who)?;
    let new = NewPassword::added(op, &user, body.need("password")?, &Setter::Owner)?;
    engine::add_password(op, &ACTOR, user, new)?;
    Ok(Response::empty(204))
}

fn request(op: &Op<'_>, who: &str) -> Result<(Body, User), Stop> {
    let body = Body::of(op, &["password"])?;
    body.need("password")?;
    op.want(&[key::cluster(), key::schemes()]);
    Ok((body, target(op, who)?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, refused, world};
    use crate::testing::{TestWorld, basic, request};
    use alloc::format;

    #[track_caller]
    fn check(world: &mut TestWorld, passwords: [(&str, u16); 3]) {
        for (password, status) in passwords {
            let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic("ann", password));
            assert_eq!(world.call(login).status, status, "{password}");
        }
    }

    const LINE: &str = "/admin/users/ann/password";

    #[test]
    fn adding_keeps_and_replacing_does_not() {
        let mut world = world();
        let token = format!("Bearer {}", world.token("ann", "ann password"));
        let verify = || request("GET /auth/verify", "").with_header("authorization", &token);
        done(&mut world, &format!("POST {LINE}"), r#"{"password": "second"}"#, 204);
        check(&mut world, [("ann password", 200), ("second", 200), ("third", 401)]);
        assert_eq!(world.call(verify()).status, 204);
        done(&mut world, &format!("PUT {LINE}"), r#"{"password": "third"}"#, 204);
        check(&mut world, [("ann password", 401), ("second", 401), ("third", 200)]);
        assert_eq!(world.call(verify()).status, 401);
        assert_eq!(done(&mut world, "GET /admin/users/ann", "", 200)["passwords"], 1);
    }

    #[test]
    fn both_are_audited() {
        let mut world = world();
        done(&mut world, &format!("POST {LINE}"), r#"{"password": "second"}"#, 204);
        done(&mut world, &format!("PUT {LINE}"), r#"{"password": "third"}"#, 204);
        assert_eq!(world.audited(), ["password.add", "password.replace"]);
    }

    #[test]
    fn replacing_unlocks() {
        let mut world = world();
        (0..5).for_each(|_| check(&mut world, [("x", 401), ("y", 401), ("z", 401)]));
        check(&mut world, [("ann password", 401), ("x", 401), ("y", 401)]);
        done(&mut world, &format!("PUT {LINE}"), r#"{"password": "new"}"#, 204);
        check(&mut world, [("new", 200), ("ann password", 401), ("new", 200)]);
    }

    #[test]
    fn wrong_passwords_are_refused() {
        let mut world = world();
        world.settings_mut().passwords.policy = crate::settings::PolicyName::Nist;
        world.settings_mut().passwords.max_per_user = 1;
        for (body, code) in [
            ("", "missing_member"),
            (r#"{"password": null}"#, "wrong_type"),
            (r#"{"password": "new", "old_password": "x"}"#, "unknown_member"),
            (r#"{"password": ""}"#, "password_empty"),
            (r#"{"password": "short"}"#, "password_too_short"),
        ] {
            for method in ["PUT", "POST"] {
                refused(&mut world, &format!("{method} {LINE}"), body, 400, code);
            }
        }
        refused(&mut world, &format!("POST {LINE}"), r#"{"password": "ann password"}"#, 400, "password_same_as_current");
        refused(
            &mut world,
            &format!("POST {LINE}"),
            r#"{"password": "a quite long passphrase"}"#,
            400,
            "password_too_many",
        );
    }
}
