//! `GET /admin/status`: what this server is, without walking its users.

use super::json;
use crate::{
    engine,
    record::{Admins, LastUid, key},
    seam::{Op, Response, Stop},
};
use serde_json::json;

/// What can be told with a few reads. `last_uid` is the number of users ever created.
pub(super) fn show(op: &Op<'_>) -> Result<Response, Stop> {
    op.want(&[key::last_uid(), key::admins(), key::schemes()]);
    let keys = engine::keys(op)?;
    let last = op.load::<LastUid>(&key::last_uid())?.map_or(0, |last| last.0);
    let admins = op.load::<Admins>(&key::admins())?.unwrap_or_default();
    let schemes = engine::schemes(op)?;
    let settings = op.settings;
    json(
        200,
        &json!({
            "bootstrapped": last > 0,
            "last_uid": last,
            "admins": admins.0.len(),
            "keys": keys.len(),
            "signing_key": op.vault.keys().signer(op.now()).map(crate::token::Key::kid),
            "schemes": schemes.0,
            "scheme": settings.passwords.scheme,
            "policy": settings.passwords.policy,
            "dialects": settings.dialects,
            "issuer": settings.issuer,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, world};
    use crate::testing::TestWorld;
    use serde_json::{Value, json};

    #[test]
    fn tells_what_a_server_is() {
        let mut world = world();
        let scheme = json!({"argon2id": {"memory": 19456, "passes": 2, "lanes": 1}});
        let expected = json!({
            "bootstrapped": true, "last_uid": 2, "admins": 1, "keys": 1, "signing_key": "test", "schemes": [scheme],
            "scheme": scheme, "policy": "open", "dialects": {"redis": true, "openshift": true, "elasticsearch": true},
            "issuer": "waxseal",
        });
        assert_eq!(done(&mut world, "GET /admin/status", "", 200), expected);
    }

    #[test]
    fn a_new_server_says_that_it_is_new() {
        let status = done(&mut TestWorld::unsown(), "GET /admin/status", "", 200);
        assert_eq!(
            (&status["bootstrapped"], &status["keys"], &status["signing_key"]),
            (&false.into(), &0.into(), &Value::Null)
        );
    }
}
