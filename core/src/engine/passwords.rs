//! Changing the password list of a user (contract/redis.md section 6).

use super::{
    audit, audit_refused,
    login::{Proof, derive, salt},
    throttle::Guesses,
    users::store_user,
};
use crate::{
    password::{self, Derived, Hash, Policy, Scheme, Who, prepare},
    record::{Schemes, User, key},
    refusal::Refusal,
    seam::{Op, Stop},
};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// How many times as many passwords as by a token alone may be tried in a day by whoever has shown one: that can be one which a thief with
/// a token has added.
const SHOWN: u32 = 10;

/// Who sets a password. That it is one of the list already is an answer to a guess, so what is refused first, how often, and what the audit
/// trail is told of it follow from what was shown.
pub(crate) enum Setter<'u> {
    /// The owner of the server.
    Owner,
    /// A user who has shown a password.
    WithPassword(&'u User),
    /// A user who has shown no more than a token, which may be stolen.
    WithToken(&'u User),
}

impl Setter<'_> {
    /// Notes in the audit trail that `user` was not given a new password, where the setter may have learnt something from that: that it is
    /// one of the list already; or anything about the list of another.
    fn note_refusal(&self, op: &Op<'_>, action: &'static str, user: &User, stop: &Stop) {
        let (Self::WithPassword(actor) | Self::WithToken(actor)) = self else { return };
        if let Stop::Refuse(refusal) = stop
            && (actor.uid != user.uid || matches!(refusal, Refusal::Password(password::Refusal::SameAsCurrent)))
            // Of that, the counter has told.
            && !matches!(refusal, Refusal::Throttled { .. })
        {
            audit_refused(op, action, &actor.uid, &user.uid, refusal.code());
        }
    }

    /// What the setter has tried today for `user`; `None` where that is not counted.
    fn guesses(&self, op: &Op<'_>, action: &'static str, user: &User) -> Result<Option<Guesses>, Stop> {
        let ceiling = op.settings.throttle.account_ceiling;
        let (actor, counted) = match self {
            Self::Owner => return Ok(None),
            Self::WithToken(actor) => (actor, (b't', ceiling)),
            Self::WithPassword(actor) => (actor, (b'p', ceiling.saturating_mul(SHOWN))),
        };
        let turned_away = |refusal: &Refusal| audit_refused(op, action, &actor.uid, &user.uid, refusal.code());
        Guesses::admit(op, counted, actor.uid, user.uid, &turned_away).map(Some)
    }
}

/// A new password that has passed every rule.
pub(crate) struct NewPassword(Hash);

impl NewPassword {
    /// Derives and checks one more password for `user`: first that it is not one of the list, then the policy, then that there is room. By a
    /// token alone it is the other way round. Each is counted, as a wrong guess is added, and taken away again.
    ///
    /// # Errors
    /// [`Refusal::Password`], [`Refusal::Throttled`].
    pub(crate) fn added(op: &Op<'_>, user: &User, text: &str, setter: &Setter<'_>) -> Result<Self, Stop> {
        const ACTION: &str = "password.add";
        let check_room = || user.passwords.check_room(op.settings.passwords.max_per_user);
        let new = || {
            if let Setter::WithToken(_) = setter {
                check_room()?;
                Self::precheck(op, text, &user.name, &user.email)?;
            }
            if let Some(guesses) = setter.guesses(op, ACTION, user)? {
                guesses.count(op);
            }
            let scheme = user.passwords.scheme_for_new(op.settings.passwords.scheme);
            let new = Self::other(op, user, text, scheme, salt(user, scheme))?;
            check_room()?;
            Ok(new)
        };
        new().inspect_err(|stop| setter.note_refusal(op, ACTION, user, stop))
    }

    /// Derives and checks a password that replaces all others of `user`: first that it is none of them, then the policy. By a token alone
    /// it is the other way round. What is refused is counted; a wrong guess that breaks no rule leaves nothing to be guessed.
    ///
    /// # Errors
    /// [`Refusal::Password`], [`Refusal::Throttled`].
    pub(crate) fn replacing(op: &Op<'_>, user: &User, text: &str, setter: &Setter<'_>) -> Result<Self, Stop> {
        const ACTION: &str = "password.replace";
        let new = || {
            if let Setter::WithToken(_) = setter {
                Self::precheck(op, text, &user.name, &user.email)?;
                // Whoever has used up the guesses is turned away before anything is compared, so that it tells nothing.
                setter.guesses(op, ACTION, user)?;
            }
            // Whatever schemes the others have, and whatever salt they were brought along with: they go.
            let judged = Self::other(op, user, text, op.settings.passwords.scheme, &user.salt);
            if let Err(Stop::Refuse(Refusal::Password(_))) = judged
                && let Some(guesses) = setter.guesses(op, ACTION, user)?
            {
                guesses.count(op);
            }
            judged
        };
        new().inspect_err(|stop| setter.note_refusal(op, ACTION, user, stop))
    }

    /// A password that is none of `user`'s, hashed under this scheme with this salt.
    fn other(op: &Op<'_>, user: &User, text: &str, scheme: Scheme, new_salt: &[u8]) -> Result<Self, Stop> {
        let prepared = prepare(text)?;
        // Before anything is said of the list: where there is no room, a wrong guess would change nothing.
        remember_schemes(op, core::iter::once(scheme))?;
        let derived = user.passwords.schemes().map(|scheme| derive(op, scheme, salt(user, scheme), &prepared));
        if user.passwords.position(&derived.collect::<Result<Vec<_>, _>>()?).is_some() {
            return Err(password::Refusal::SameAsCurrent.into());
        }
        check(op, text, &user.name, &user.email)?;
        Self::of(new_salt, &derive(op, scheme, new_salt, &prepared)?)
    }

    /// Derives and checks a password that replaces all others of `user`, whether it is one of them or not: for who does not know them.
    ///
    /// # Errors
    /// [`Refusal::Password`].
    pub(crate) fn reset(op: &Op<'_>, user: &User, text: &str) -> Result<Self, Stop> {
        Self::fresh(op, text, &user.name, &user.email, &user.salt)
    }

    /// Derives and checks the first password of a new user.
    ///
    /// # Errors
    /// [`Refusal::Password`].
    pub(crate) fn fresh(op: &Op<'_>, text: &str, name: &str, email: &str, salt: &[u8; 16]) -> Result<Self, Stop> {
        let prepared: Zeroizing<Vec<u8>> = prepare(text)?;
        check(op, text, name, email)?;
        Self::of(salt, &derive(op, op.settings.passwords.scheme, salt, &prepared)?)
    }

    fn of(salt: &[u8], derived: &Derived) -> Result<Self, Stop> {
        Hash::new(salt, derived).map(Self).map_err(|_| Stop::Refuse(Refusal::BadRecord))
    }

    /// Checks a password for a user of this name and address by the policy alone, before anything is said that follows from what is stored.
    /// Otherwise a password that the policy refuses would be a way to ask that changes nothing and is not noted.
    ///
    /// # Errors
    /// [`Refusal::Password`].
    pub(crate) fn precheck(op: &Op<'_>, text: &str, name: &str, email: &str) -> Result<(), Stop> {
        prepare(text)?;
        check(op, text, name, email)
    }

    /// The hash to store.
    pub(crate) fn into_hash(self) -> Hash {
        self.0
    }
}

/// The policy for new passwords, as configured and as administrators have set it at run time.
fn check(op: &Op<'_>, text: &str, name: &str, email: &str) -> Result<(), Stop> {
    let cluster = super::cluster(op)?;
    let policy = Policy {
        name: op.settings.passwords.policy,
        complexity: cluster.complexity(op.settings.passwords.policy),
        min_length: cluster.password_min_length,
    };
    let cluster = cluster.name.as_deref().unwrap_or_default();
    policy.check(text, &Who { name, email, service: &op.settings.service, cluster })?;
    Ok(())
}

/// The list becomes exactly the new password; all tokens of the user end. Returns the user after the change.
///
/// # Errors
/// [`password::Refusal::NoRoomForScheme`].
pub(crate) fn replace_passwords(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    mut user: User,
    new: NewPassword,
) -> Result<User, Stop> {
    user.passwords.replace_all(new.into_hash());
    user.password_issued = op.now();
    user.end_tokens(op);
    remember_schemes(op, user.passwords.schemes())?;
    store_user(op, &user);
    audit(op, "password.replace", actor, &user.uid);
    Ok(user)
}

/// Like [`replace_passwords`], by somebody other than the user: who is given a new password is let in with it, so the user's locks end.
///
/// # Errors
/// As [`replace_passwords`].
pub(crate) fn reset_passwords(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    mut user: User,
    new: NewPassword,
) -> Result<User, Stop> {
    user.unlock();
    replace_passwords(op, actor, user, new)
}

/// One more password; all of them work.
///
/// # Errors
/// [`password::Refusal::TooMany`], [`password::Refusal::NoRoomForScheme`].
pub(crate) fn add_password(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    mut user: User,
    new: NewPassword,
) -> Result<(), Stop> {
    user.passwords.add(new.into_hash(), op.settings.passwords.max_per_user)?;
    user.password_issued = op.now();
    remember_schemes(op, user.passwords.schemes())?;
    store_user(op, &user);
    audit(op, "password.add", actor, &user.uid);
    Ok(())
}

/// One password less. Tokens obtained with it live on: the rotation that clients perform is to add, wait and delete, and the
/// last step must not log anybody out.
///
/// # Errors
/// [`password::Refusal::LastPassword`].
pub(crate) fn remove_password(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    mut user: User,
    proof: &Proof,
) -> Result<(), Stop> {
    user.passwords.remove(proof)?;
    store_user(op, &user);
    audit(op, "password.delete", actor, &user.uid);
    Ok(())
}

/// Enters schemes into the record of those in use, so that every login on this server costs the same.
///
/// # Errors
/// [`password::Refusal::NoRoomForScheme`] when that would be more than [`Schemes::MAX`].
pub(crate) fn remember_schemes(op: &Op<'_>, used: impl Iterator<Item = Scheme>) -> Result<(), Stop> {
    let mut schemes = super::schemes(op)?;
    let known = schemes.0.len();
    for scheme in used {
        if !schemes.0.contains(&scheme) {
            schemes.0.push(scheme);
        }
    }
    if schemes.0.len() > Schemes::MAX {
        return Err(password::Refusal::NoRoomForScheme.into());
    }
    if schemes.0.len() > known {
        op.store(key::schemes(), &schemes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        password::Scheme,
        seam::Response,
        testing::{TestWorld, basic, json, request},
    };
    use alloc::format;

    /// Otherwise the cost of a login would tell who has a password of a scheme that was configured for a while (security P6).
    #[test]
    fn a_scheme_that_passwords_were_set_under_is_derived_for_everybody() {
        for line in ["PUT /admin/users/ann/password", "POST /admin/users/ann/password"] {
            let mut world = TestWorld::with_admin("admin password");
            let usual = world.settings_mut().passwords.scheme;
            assert_eq!(
                world.local(request("POST /admin/users", r#"{"name": "ann", "password": "ann password"}"#)).status,
                201
            );
            world.settings_mut().passwords.scheme = Scheme::Argon2id { memory: 65_536, passes: 3, lanes: 1 };
            assert_eq!(world.local(request(line, r#"{"password": "another password"}"#)).status, 204);
            world.settings_mut().passwords.scheme = usual;
            for name in ["ann", "admin", "nobody"] {
                let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, "wrong"));
                assert_eq!(world.call(login).status, 401);
                assert_eq!(world.cost.derivations, 2, "{name} after {line}");
            }
        }
    }

    /// Whoever has an administrator's token, of a dialect, tries passwords for that administrator by the lines of that dialect.
    fn guessing(world: &mut TestWorld, line: &str, guess: &str) -> Response {
        let (body, token) = if line.contains("_security") {
            let grant = r#"{"grant_type": "password", "username": "admin", "password": "admin password"}"#;
            let granted = json(&world.call(request("POST /_xpack/security/oauth2/token", grant)));
            let body = format!(r#"{{"password": "{guess}", "roles": ["superuser"]}}"#);
            let body = if line.starts_with("POST") { format!(r#"{{"password": "{guess}"}}"#) } else { body };
            (body, granted["access_token"].as_str().unwrap().into())
        } else {
            (format!(r#"{{"new_password": "{guess}"}}"#), world.token("admin", "admin password"))
        };
        world.audited();
        world.call(request(line, &body).with_header("authorization", &format!("Bearer {token}")))
    }

    const BY_TOKEN: [&str; 4] = [
        "PUT /v1/users/password",
        "POST /v1/users/password",
        "PUT /_security/user/admin",
        "POST /_security/user/_password",
    ];

    /// Otherwise such guesses, which change nothing and are not counted, would go on until one is told to be in the list.
    #[test]
    fn a_token_learns_nothing_of_passwords_that_cannot_be_set_anyway() {
        let fills_schemes = |world: &mut TestWorld| {
            for iterations in [1000, 1001, 1002] {
                let scheme = Scheme::Pbkdf2Sha256 { iterations };
                world.settings_mut().passwords.scheme = scheme;
                let body = format!(r#"{{"name": "user {iterations}", "password": "some password"}}"#);
                world.local(request("POST /admin/users", &body));
            }
            world.settings_mut().passwords.scheme = Scheme::Argon2id { memory: 65_536, passes: 3, lanes: 1 };
        };
        let asks_for_more = |world: &mut TestWorld| {
            let strict = request("PUT /v1/cluster", r#"{"password_complexity": true}"#);
            world.call(strict.with_header("authorization", &basic("admin", "admin password")));
        };
        for makes_refuse in [&fills_schemes as &dyn Fn(&mut TestWorld), &asks_for_more] {
            for line in BY_TOKEN {
                let mut world = TestWorld::with_admin("admin password");
                makes_refuse(&mut world);
                let wrong = guessing(&mut world, line, "other password");
                assert_eq!(wrong.status, 400, "{line}");
                let right = guessing(&mut world, line, "admin password");
                assert_eq!((right.status, &right.body), (400, &wrong.body), "{line}");
            }
        }
    }

    #[test]
    fn a_guess_that_a_token_is_told_to_be_right_is_audited() {
        for line in BY_TOKEN {
            let mut world = TestWorld::with_admin("admin password");
            assert_eq!(guessing(&mut world, line, "admin password").status, 400, "{line}");
            let told = world.audited();
            assert!(told.iter().any(|line| line.ends_with("password_same_as_current")), "{line}: {told:?}");
        }
    }

    #[test]
    fn every_change_of_a_list_is_audited() {
        let mut world = TestWorld::with_admin("admin password");
        let mut call = |line: &str, body: &str| {
            let request = request(line, body).with_header("authorization", &basic("admin", "admin password"));
            assert_eq!(world.call(request).status, 200, "{line}");
            world.audited()
        };
        let added = r#"{"new_password": "second password"}"#;
        assert_eq!(call("POST /v1/users/password", added), ["login", "password.add"]);
        let proved = r#"{"old_password": "second password"}"#;
        assert_eq!(call("DELETE /v1/users/password", proved).last().map(|line| &**line), Some("password.delete"));
        let replaced = r#"{"new_password": "third password"}"#;
        assert_eq!(call("PUT /v1/users/password", replaced), ["login", "password.replace"]);
    }
}
