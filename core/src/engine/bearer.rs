//! Checking access tokens against the store: is the user still there, was the token revoked.

use super::{
    audit_refused, pair,
    throttle::{DAY, is_first},
    user,
};
use crate::{
    record::{User, key},
    refusal::Refusal,
    seam::{Op, Stop},
    time::UnixTime,
    token::{self, Explanation, Verified, dialect},
};
use alloc::{borrow::Cow, string::String};

/// A user who has shown a good token.
pub(crate) struct Bearer {
    /// Whose token it is.
    pub(crate) user: User,
    /// The id of the token.
    pub(crate) jti: String,
    /// The dialect that issued it.
    pub(crate) dialect: String,
    /// When it was issued.
    pub(crate) issued: UnixTime,
    /// When it ends.
    pub(crate) expires: UnixTime,
}

/// Checks an access token that one of `dialects` issued. The user is read anew on each use: users who are deleted or disabled, or have had
/// their tokens ended, are refused at once, and a changed role counts at once (security T14, T15).
///
/// # Errors
/// [`Refusal::is_token`] with the first check that failed.
pub(crate) fn bearer(op: &Op<'_>, token: &str, dialects: &[&str]) -> Result<Bearer, Stop> {
    let verified = verify(op, token)?;
    if !dialects.contains(&&*verified.dialect().unwrap_or_default()) {
        return Err(Refusal::TokenForeign.into());
    }
    admit(op, &verified)
}

/// Like [`bearer`], whichever dialect issued the token: for those who only ask whose it is.
///
/// # Errors
/// As [`bearer`].
pub(crate) fn any_bearer(op: &Op<'_>, token: &str) -> Result<Bearer, Stop> {
    admit(op, &verify(op, token)?)
}

/// Like [`any_bearer`], for those who end the token: also one that the clock or the settings refuse, as both can change.
///
/// # Errors
/// As [`bearer`].
pub(crate) fn bearer_to_end(op: &Op<'_>, token: &str) -> Result<Bearer, Stop> {
    admit(op, &verify_to_end(op, token)?)
}

/// Checks against the store what no signature can say.
fn admit(op: &Op<'_>, verified: &Verified) -> Result<Bearer, Stop> {
    let jti = verified.jti().ok_or(Refusal::TokenForeign)?;
    let uid = verified.owner().ok_or(Refusal::TokenUserGone)?;
    let revoked = key::revoked(&jti);
    op.want(&[key::user(uid), revoked.clone()]);
    let ended = match verified.dialect().as_deref() {
        Some(dialect::ELASTICSEARCH) => pair::access_has_ended(op, uid, &jti),
        Some(dialect::REDIS) => Ok(false),
        // Of no other dialect are tokens signed here; one that was signed elsewhere, by an imported key, may say anything.
        _ => return Err(Refusal::TokenForeign.into()),
    };
    let (user, revoked) = (user(op, uid), op.read(&revoked));
    let user = user?.filter(|user| !user.disabled).ok_or(Refusal::TokenUserGone)?;
    if revoked?.is_some() || ended? {
        return Err(Refusal::TokenRevoked.into());
    }
    if verified.generation() != Some(user.generation) {
        return Err(Refusal::TokenEnded.into());
    }
    Ok(Bearer {
        user,
        jti: jti.into_owned(),
        dialect: verified.dialect().unwrap_or_default().into_owned(),
        issued: verified.issued().unwrap_or_default(),
        expires: verified.expires(),
    })
}

/// Checks signature, times and profile alone.
///
/// # Errors
/// [`Refusal::Token`].
pub(crate) fn verify(op: &Op<'_>, token: &str) -> Result<Verified, Refusal> {
    Ok(op.verified(token, || op.vault.keys().verify(token, &op.settings.access_profile(), op.now()))?)
}

/// Checks that one of our keys has signed `token`, and that it has not expired at every verifier: for ending it.
///
/// # Errors
/// [`Refusal::Token`].
pub(crate) fn verify_to_end(op: &Op<'_>, token: &str) -> Result<Verified, Refusal> {
    let verified = op.vault.keys().read_signed(token)?;
    let until = verified.expires().plus_secs(token::MAX_LEEWAY.into());
    if op.now() < until { Ok(verified) } else { Err(token::Refusal::Expired.into()) }
}

/// What stands in `token`, and what [`verify`] says of it.
pub(crate) fn explain(op: &Op<'_>, token: &str) -> Explanation {
    op.vault.keys().explain(token, &op.settings.access_profile(), op.now())
}

/// The `jti` of a token that one of our keys has signed, whether expired or not: for revoking.
///
/// # Errors
/// [`Refusal::is_token`].
pub(crate) fn verify_any_time(op: &Op<'_>, token: &str) -> Result<String, Refusal> {
    let claims = op.vault.keys().read_signed(token)?;
    claims.jti().map(Cow::into_owned).ok_or(Refusal::TokenForeign)
}

/// Adds a line of a refused refresh to the audit trail, one for each token and day, and none of tokens that have expired a day ago or that
/// none of our keys has signed: strangers, and whoever has old tokens, could fill it.
///
/// # Errors
/// [`Stop::Need`].
pub(crate) fn audit_unrefreshed(op: &Op<'_>, token: &str, refusal: &Refusal) -> Result<(), Stop> {
    let Ok(claims) = op.vault.keys().read_signed(token) else { return Ok(()) };
    if let (Some(owner), Some(jti)) = (claims.owner(), claims.jti())
        && op.now() < claims.expires().plus_secs(DAY)
        && is_first(op, "refresh refused", jti.as_bytes(), DAY)?
    {
        audit_refused(op, "token.refresh", &owner, &jti, refusal.code());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        record::{Uid, User, key},
        settings::Settings,
        testing::{TestWorld, basic, json, request},
        token::{ACCESS, Algorithm, Key, KeyRole, KeySet},
    };
    use alloc::{
        format,
        string::{String, ToString},
    };

    const PASSWORD: &str = "admin password";

    /// What this token gets from `line`.
    fn status(world: &mut TestWorld, line: &str, token: &str) -> u16 {
        world.call(request(line, "").with_header("authorization", &format!("Bearer {token}"))).status
    }

    fn elasticsearch(world: &mut TestWorld) -> String {
        let grant = format!(r#"{{"grant_type": "password", "username": "admin", "password": "{PASSWORD}"}}"#);
        let granted = world.call(request("POST /_xpack/security/oauth2/token", &grant));
        json(&granted)["access_token"].as_str().unwrap().into()
    }

    fn openshift(world: &mut TestWorld) -> String {
        let add = request("POST /broker/rest/user/authorizations", r#"{"scope": "session"}"#);
        let added = world.call(add.with_header("authorization", &basic("admin", PASSWORD)));
        let added: serde_json::Value = serde_json::from_slice(&added.body).unwrap();
        added["data"]["token"].as_str().unwrap().into()
    }

    /// Each has rules of its own for what a token may do, how long it lives and how it ends.
    #[test]
    fn a_token_of_one_dialect_is_none_in_another() {
        let mut world = TestWorld::with_admin(PASSWORD);
        let tokens = [world.token("admin", PASSWORD), elasticsearch(&mut world), openshift(&mut world)];
        for (issuer, token) in tokens.iter().enumerate() {
            for (dialect, line) in
                ["GET /v1/users/1", "GET /_security/_authenticate", "GET /broker/rest/user"].into_iter().enumerate()
            {
                let expected = if issuer == dialect { 200 } else { 401 };
                assert_eq!(status(&mut world, line, token), expected, "{line} with token {issuer}");
            }
            let renewed = if issuer == 0 { 200 } else { 401 };
            assert_eq!(status(&mut world, "POST /v1/users/refresh_jwt", token), renewed, "token {issuer}");
        }
    }

    /// A store that was brought back from an older copy could not end what it does not know.
    #[test]
    fn a_pair_that_the_store_does_not_know_is_not_taken() {
        let mut world = TestWorld::with_admin(PASSWORD);
        let before = elasticsearch(&mut world);
        let mut copy = world.clone();
        let since = elasticsearch(&mut world);
        for (token, expected) in [(&before, [200, 204, 200]), (&since, [401; 3])] {
            let introspect = request("POST /auth/introspect", "")
                .with_header("content-type", "application/x-www-form-urlencoded")
                .with_header("authorization", &format!("Bearer {token}"))
                .with_body(format!("token={token}"));
            for (world, expected) in [(&mut world, [200, 204, 200]), (&mut copy, expected)] {
                let statuses = ["GET /_security/_authenticate", "GET /auth/verify"].map(|line| status(world, line, token));
                assert_eq!([statuses[0], statuses[1], world.call(introspect.clone()).status], expected);
            }
        }
        assert_eq!(copy.token_refusal, Some("revoked"));
    }

    /// With a key that was imported anybody may sign anything; what is no dialect must not get into a header.
    #[test]
    fn a_token_of_no_dialect_is_refused() {
        let mut world = TestWorld::with_admin(PASSWORD);
        let issued = world.token("admin", PASSWORD);
        let key = Key::new("test", Algorithm::Hs256, &[7; 32]).unwrap();
        let keys = KeySet::new([(key, KeyRole::Sign)]).unwrap();
        let verified = keys.verify(&issued, &Settings::default().access_profile(), world.now()).unwrap();
        let claims: serde_json::Value = serde_json::from_str(verified.claims_json()).unwrap();
        for (dialect, expected) in [
            (Some("redis"), 204),
            (Some("elasticsearch"), 401),
            (Some("openshift"), 401),
            (Some("Redis"), 401),
            (Some(""), 401),
            (Some("a\r\nX-Auth-Role: admin"), 401),
            (None, 401),
        ] {
            let mut claims = claims.clone();
            claims["dialect"] = dialect.into();
            if dialect.is_none() {
                claims.as_object_mut().unwrap().remove("dialect");
            }
            let token = keys.sign(ACCESS, &claims.to_string(), world.now()).unwrap();
            assert_eq!(status(&mut world, "GET /auth/verify", &token), expected, "{dialect:?}");
        }
        assert_eq!(world.token_refusal, Some("foreign"));
    }

    /// A store that was brought back from an older copy does not know how often the tokens of a user have ended since.
    #[test]
    fn a_token_of_a_generation_to_come_is_refused() {
        let mut world = TestWorld::with_admin(PASSWORD);
        let uid = Uid::new(1).unwrap();
        let before: User = world.stored(&key::user(uid)).unwrap();
        assert_eq!(world.local(request("POST /admin/users/1/logout", "")).status, 200);
        let token = world.token("admin", PASSWORD);
        assert_eq!(status(&mut world, "GET /v1/users/1", &token), 200);
        world.put(key::user(uid), crate::record::Stored::encode(&before));
        assert_eq!(status(&mut world, "GET /v1/users/1", &token), 401);
    }
}
