//! Logging in with a password.

use super::{
    account, as_typed,
    clock::has_been,
    find_user,
    passwords::remember_schemes,
    store_user,
    throttle::{Gate, Guesses},
};
use crate::{
    engine::{audit_kept, audit_refused},
    password::{self, Derived, Hash, Scheme, prepare},
    record::{Cluster, Role, Schemes, Seen, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Derivation, Op, Stop},
    time::UnixTime,
};
use alloc::{vec, vec::Vec};
use zeroize::Zeroizing;

/// A user who has given a right password.
pub(crate) struct Login {
    /// Who it is.
    pub(crate) user: User,
    /// The password is too old: only replacing it is allowed.
    pub(crate) expired: bool,
    /// The password, as the list of the user knows it.
    pub(crate) proof: Proof,
}

/// A right password: what was derived from it, once for each scheme in use.
pub(crate) type Proof = Vec<Derived>;

/// What a password that is too old is good for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Expired {
    /// Nothing.
    Refused,
    /// To be replaced, which the caller sees to.
    Taken,
}

/// Checks name and password, counts the outcome, and says so in the audit trail.
///
/// The cost is the same for every outcome: one derivation for each scheme that is in use on this server (security P6).
///
/// # Errors
/// [`Refusal::BadCredentials`] for an unknown, disabled or locked user and for a wrong password; [`Refusal::Throttled`];
/// [`Refusal::PasswordExpired`] where that is [`Expired::Refused`].
pub(crate) fn login(op: &Op<'_>, name: &str, password: &str, expired: Expired) -> Result<Login, Stop> {
    op.want(&[key::cluster(), key::schemes(), key::name(name), key::email(name)]);
    let refused = |refusal: &Refusal| {
        let name = as_typed(op, name);
        audit_refused(op, "login", &name, &name, refusal.code());
    };
    super::admit_source(op, &refused)?;
    let user = find_user(op, name)?;
    let (user, proof) = Attempt { purpose: Purpose::Login, name, user, password, refused: &refused }.prove(op)?;
    let is_expired = has_expired(op, &user)?;
    if is_expired && expired == Expired::Refused {
        audit_refused(op, "login", &user.uid, &user.uid, Refusal::PasswordExpired.code());
        return Err(Refusal::PasswordExpired.into());
    }
    op.keep(key::seen(user.uid), Some(Seen(op.now()).encode()), None);
    audit_kept(op, "login", &user.uid, &user.uid);
    Ok(Login { expired: is_expired, user, proof })
}

/// Checks that `password` is one of `user`, whom `actor` has named; counts like a login of that user. Returns the user as left by the
/// proof.
///
/// # Errors
/// As [`login`], but a disabled user has passwords like any other; and so has a locked one for an administrator who is not that user, and
/// who may replace the list anyway.
pub(crate) fn check_old_password(op: &Op<'_>, actor: &User, user: User, password: &str) -> Result<(User, Proof), Stop> {
    let (uid, name) = (user.uid, user.name.clone());
    let refused = |refusal: &Refusal| audit_refused(op, "password.prove", &actor.uid, &uid, refusal.code());
    super::admit_source(op, &refused)?;
    let resets = actor.role == Role::Admin && actor.uid != uid;
    let purpose = if resets { Purpose::OldPasswordOfOther(actor.uid) } else { Purpose::OldPassword };
    let proved = Attempt { purpose, name: &name, user: Some(user), password, refused: &refused }.prove(op)?;
    audit_kept(op, "password.prove", &actor.uid, &uid);
    Ok(proved)
}

/// What a password is shown for.
#[derive(Clone, Copy)]
enum Purpose {
    /// To log in.
    Login,
    /// To change the list that it is in.
    OldPassword,
    /// The same, by an administrator whose list it is not.
    OldPasswordOfOther(Uid),
}

impl Purpose {
    /// Whether `user` may do it; one who may not is refused as if the password was wrong.
    const fn is_open_to(self, user: &User) -> bool {
        match self {
            Self::Login => !user.disabled,
            Self::OldPassword | Self::OldPasswordOfOther(_) => true,
        }
    }

    /// Who may have a right password taken during a lock. It ends no lock then.
    const fn above_locks(self) -> Option<Uid> {
        match self {
            Self::Login | Self::OldPassword => None,
            Self::OldPasswordOfOther(actor) => Some(actor),
        }
    }

    /// Whether the caller keeps something of a success, also when what the password was shown for is refused.
    const fn is_kept(self) -> bool {
        match self {
            Self::Login => true,
            Self::OldPassword | Self::OldPasswordOfOther(_) => false,
        }
    }
}

/// A password that was shown.
struct Attempt<'a> {
    purpose: Purpose,
    /// What was typed for the user; counts where there is none.
    name: &'a str,
    user: Option<User>,
    password: &'a str,
    /// Told of a refusal, for the audit trail; of attempts that cost nothing, only of the first.
    refused: &'a dyn Fn(&Refusal),
}

impl Attempt<'_> {
    /// The user, as the proof has left the record, and the proof.
    fn prove(self, op: &Op<'_>) -> Result<(User, Proof), Stop> {
        let refused = self.refused;
        let proved = self.judge(op);
        match &proved {
            // The gate has told of those that it turns away.
            Err(Stop::Refuse(Refusal::Throttled { .. })) => {}
            Err(Stop::Refuse(refusal)) => refused(refusal),
            _ => {}
        }
        proved
    }

    fn judge(self, op: &Op<'_>) -> Result<(User, Proof), Stop> {
        let Self { purpose, name, user, password, refused } = self;
        let account = account(op, name, user.as_ref());
        op.want(&[key::cluster(), key::schemes()]);
        op.want(&Gate::keys(op, &account));
        let cluster = super::cluster(op)?;
        let schemes = super::schemes(op)?;
        let gate = Gate::open(op, &account, user.as_ref(), refused)?;
        let locked = gate.is_locked(op);
        if let (true, Some(actor), Some(user)) = (locked, purpose.above_locks(), &user) {
            // Nothing else counts during a lock.
            Guesses::admit(op, (b'o', op.settings.throttle.account_ceiling), actor, user.uid, refused)?.count(op);
        }

        // A password that cannot have been set still costs a derivation, of text that nobody can have as a password.
        let prepared = prepare(password).unwrap_or_else(|_| Zeroizing::new(vec![0]));
        let derived = derive_all(op, user.as_ref(), &account, &schemes, &prepared)?;
        let position = user.as_ref().and_then(|user| user.passwords.position(&derived));
        match (user, position) {
            (Some(mut user), Some(position))
                if purpose.is_open_to(&user) && (!locked || purpose.above_locks().is_some()) =>
            {
                // Of a password that is too old, nothing else may be kept.
                let always = !purpose.is_kept() || has_expired(op, &user)?;
                if !locked {
                    gate.succeeded(op, &user, always);
                }
                upgrade(op, &mut user, position, &derived)?;
                Ok((user, derived))
            }
            (user, _) => {
                gate.failed(op, &cluster, user.as_ref());
                Err(Refusal::BadCredentials.into())
            }
        }
    }
}

/// One derivation for each scheme in use, each with the user's salt, or with one that is as good.
fn derive_all(
    op: &Op<'_>,
    user: Option<&User>,
    account: &[u8; 32],
    schemes: &Schemes,
    prepared: &Zeroizing<Vec<u8>>,
) -> Result<Vec<Derived>, Stop> {
    let mut all = vec![op.settings.passwords.scheme];
    let others = schemes.0.iter().copied().chain(user.into_iter().flat_map(|user| user.passwords.schemes()));
    for scheme in others {
        if !all.contains(&scheme) {
            all.push(scheme);
        }
    }
    let derive = |scheme| derive(op, scheme, user.map_or(&account[..16], |user| salt(user, scheme)), prepared);
    all.into_iter().map(derive).collect()
}

/// The octets derived from a prepared password under `scheme` and `salt`.
pub(super) fn derive(op: &Op<'_>, scheme: Scheme, salt: &[u8], prepared: &Zeroizing<Vec<u8>>) -> Result<Derived, Stop> {
    let bits = op.derive(Derivation { scheme, salt: salt.to_vec(), password: prepared.clone() })?;
    Derived::new(scheme, bits).ok_or(Stop::Refuse(Refusal::BadRecord))
}

/// The salt of this user for `scheme`.
pub(super) fn salt(user: &User, scheme: Scheme) -> &[u8] {
    user.passwords.salt(scheme).unwrap_or(&user.salt)
}

/// Redoes an older hash under the configured scheme, now that the password is at hand (security P4); not while there is no room for
/// that scheme among those in use.
fn upgrade(op: &Op<'_>, user: &mut User, position: usize, derived: &[Derived]) -> Result<(), Stop> {
    let scheme = op.settings.passwords.scheme;
    let current = derived.iter().find(|derived| derived.scheme == scheme);
    let Some(hash) = current.and_then(|derived| Hash::new(salt(user, scheme), derived).ok()) else { return Ok(()) };
    let mut passwords = user.passwords.clone();
    if !passwords.upgrade(position, hash) {
        return Ok(());
    }
    match remember_schemes(op, core::iter::once(scheme)) {
        Err(Stop::Refuse(Refusal::Password(password::Refusal::NoRoomForScheme))) => Ok(()),
        Err(stop) => Err(stop),
        Ok(()) => {
            user.passwords = passwords;
            store_user(op, user);
            Ok(())
        }
    }
}

/// Whether the passwords of `user` are too old (contract/redis.md section 8): all of them, as their age is that of the newest.
pub(crate) fn has_expired(op: &Op<'_>, user: &User) -> Result<bool, Stop> {
    let cluster = super::cluster(op)?;
    Ok(password_expires(op, &cluster, user).is_some_and(|at| at <= op.now()))
}

/// When the passwords of `user` expire, if they do: now, where they were set while the clock was ahead, so that nobody knows their age.
pub(crate) fn password_expires(op: &Op<'_>, cluster: &Cluster, user: &User) -> Option<UnixTime> {
    let days = u64::from(cluster.expiration_days(op.settings.passwords.policy));
    let end = || if has_been(op, user.password_issued) { user.password_issued.plus_secs(days * 86_400) } else { op.now() };
    (days > 0).then(end)
}
