//! `POST /admin/schemes/prune`: forgetting password schemes that no stored hash has any more.
//!
//! Each scheme in use costs every login one derivation (security P6), so after a migration the old ones should go.

use super::{ACTOR, body, json};
use crate::{
    engine,
    password::Scheme,
    record::{LastUid, Stored, User, key},
    seam::{Op, Range, Response, Stop},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// In how many rounds all users are read, and how many at once at least.
const ROUNDS: u32 = 16;
const MIN_PAGE: u32 = 1000;

/// Drops them, and says which were dropped and which stay. It starts over when a user is created meanwhile, or a scheme comes into use.
/// Users who exist can otherwise only get hashes of the schemes they have, which stay, and of the one for new passwords, which stays too.
pub(super) fn prune(op: &Op<'_>) -> Result<Response, Stop> {
    body::none(op)?;
    op.want(&[key::last_uid(), key::schemes()]);
    let last = op.load::<LastUid>(&key::last_uid())?.map_or(0, |last| last.0);
    let mut schemes = engine::schemes(op)?;
    let used = used(op, (last / ROUNDS + 1).max(MIN_PAGE), &schemes.0)?;
    let stays = |scheme: &Scheme| used.contains(scheme) || *scheme == op.settings.passwords.scheme;
    let (kept, dropped): (Vec<_>, Vec<_>) = schemes.0.iter().copied().partition(stays);
    if !dropped.is_empty() {
        schemes.0.clone_from(&kept);
        op.store(key::schemes(), &schemes);
        engine::audit(op, "schemes.prune", &ACTOR, &dropped.len().to_string());
    }
    json(200, &serde_json::json!({ "dropped": dropped, "kept": kept }))
}

/// The schemes of all users, `limit` users at a time; no further once all the `recorded` ones are among them.
fn used(op: &Op<'_>, limit: u32, recorded: &[Scheme]) -> Result<Vec<Scheme>, Stop> {
    let mut used = Vec::new();
    let mut after = String::new();
    loop {
        let range = Range { prefix: key::USERS.into(), after, limit };
        let page = op.range(&range)?;
        for (_, record) in page {
            for scheme in User::of(record)?.passwords.schemes() {
                if !used.contains(&scheme) {
                    used.push(scheme);
                }
            }
        }
        match range.next_after(page) {
            Some(last) if recorded.iter().any(|scheme| !used.contains(scheme)) => after = last,
            _ => return Ok(used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, world};
    use super::*;
    use crate::{
        record::Uid,
        testing::{TestWorld, basic, request},
    };
    use serde_json::json;

    const HASH: &str = "$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I+m/2Exw";

    #[test]
    fn a_scheme_goes_when_its_last_hash_has_been_redone() {
        let mut world = world();
        done(&mut world, "POST /admin/users", &json!({"name": "old", "password_hash": HASH}).to_string(), 201);
        let used =
            json!([{"argon2id": {"memory": 19456, "passes": 2, "lanes": 1}}, {"pbkdf2_sha256": {"iterations": 1000}}]);
        let nothing = json!({"dropped": [], "kept": used});
        assert_eq!(done(&mut world, "POST /admin/schemes/prune", "", 200), nothing);
        assert_eq!(world.cost.commits, 0);

        done(&mut world, "PUT /admin/users/old/password", r#"{"password": "new"}"#, 204);
        world.audited();
        let dropped = done(&mut world, "POST /admin/schemes/prune", "", 200);
        assert_eq!(dropped, json!({"dropped": [used[1]], "kept": [used[0]]}));
        assert_eq!(world.audited(), ["schemes.prune"]);
        let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic("old", "new"));
        assert_eq!((world.call(login).status, world.cost.derivations), (200, 1));
        assert_eq!(done(&mut world, "POST /admin/schemes/prune", "", 200)["dropped"], json!([]));
    }

    #[test]
    fn a_scheme_that_logins_have_brought_costs_everybody_the_same() {
        let mut world = world();
        let derivations = |world: &mut TestWorld, name: &str, password: &str, status: u16| {
            let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
            assert_eq!(world.call(login).status, status, "{name}");
            world.cost.derivations
        };
        let scheme = |passes| Scheme::Argon2id { memory: 19_456, passes, lanes: 1 };
        done(&mut world, "POST /admin/users", r#"{"name": "one", "password": "right"}"#, 201);
        world.settings_mut().passwords.scheme = scheme(3);
        assert_eq!(derivations(&mut world, "one", "right", 200), 2);
        world.settings_mut().passwords.scheme = scheme(4);
        assert_eq!(derivations(&mut world, "one", "wrong", 401), 3);
        assert_eq!(derivations(&mut world, "nobody", "wrong", 401), 3);

        // There is room for three, and the first one goes only when it is told to.
        assert_eq!(derivations(&mut world, "one", "right", 200), 3);
        world.settings_mut().passwords.scheme = scheme(5);
        assert_eq!(derivations(&mut world, "one", "right", 200), 4);
        assert_eq!(derivations(&mut world, "nobody", "wrong", 401), 4, "no room: the hash stays as it is");
        done(&mut world, "POST /admin/schemes/prune", "", 200);
        assert_eq!(derivations(&mut world, "one", "right", 200), 3);
        assert_eq!(derivations(&mut world, "nobody", "wrong", 401), 3);
    }

    /// A login may give it to somebody at any moment.
    #[test]
    fn the_scheme_of_new_passwords_stays() {
        let mut world = world();
        world.settings_mut().passwords.scheme = Scheme::Argon2id { memory: 19_456, passes: 3, lanes: 1 };
        done(&mut world, "POST /admin/users", r#"{"name": "one", "password": "right"}"#, 201);
        done(&mut world, "DELETE /admin/users/one", "", 204);
        assert_eq!(done(&mut world, "POST /admin/schemes/prune", "", 200)["dropped"], json!([]));
        world.settings_mut().passwords.scheme = Scheme::Argon2id { memory: 19_456, passes: 4, lanes: 1 };
        let dropped = done(&mut world, "POST /admin/schemes/prune", "", 200)["dropped"].take();
        assert_eq!(dropped, json!([{"argon2id": {"memory": 19456, "passes": 3, "lanes": 1}}]));
    }

    #[test]
    fn every_user_is_looked_at() {
        let mut world = world();
        let mut user = world.stored::<User>(&key::user(Uid::new(2).unwrap())).unwrap();
        for uid in 3..2100 {
            user.uid = Uid::new(uid).unwrap();
            world.put(key::user(user.uid), user.encode());
        }
        world.put(key::last_uid(), LastUid(2099).encode());
        done(&mut world, "POST /admin/users", &json!({"name": "old", "password_hash": HASH}).to_string(), 201);
        assert_eq!(done(&mut world, "POST /admin/schemes/prune", "", 200)["dropped"], json!([]));
        assert_eq!(world.cost.rounds, 4);
    }

    #[test]
    fn a_user_who_comes_meanwhile_keeps_his_scheme() {
        let mut world = world();
        let old = json!({"pbkdf2_sha256": {"iterations": 1000}});
        let create = |name: &str| -> String { json!({"name": name, "password_hash": HASH}).to_string() };
        done(&mut world, "POST /admin/users", &create("one"), 201);
        done(&mut world, "DELETE /admin/users/one", "", 204);
        let late = world.race_local(request("POST /admin/schemes/prune", ""), |world| {
            done(world, "POST /admin/users", &create("two"), 201);
        });
        let answer = crate::testing::json(&late);
        assert_eq!(answer["dropped"], json!([]));
        assert!(answer["kept"].as_array().unwrap().contains(&old));
    }
}
