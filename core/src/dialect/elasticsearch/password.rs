//! `…/user/_password` and `…/user/{name}/_password` (contract section 10).

use super::{
    answer,
    body::{Body, invalid},
    caller::{even_expired, expired, refused},
    users::{name_of, nobody, password_of, target},
};
use crate::{
    engine::{self, NewPassword},
    record::key,
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use serde_json::json as value;

const ACTION: &str = "cluster:admin/xpack/security/user/change_password";

/// The list of a user, or of the caller, becomes this password, and all tokens of that user end.
///
/// Everybody may do this to their own account, but not with a token: whoever has found one does not have the account. Administrators and
/// user managers may do it with a token too, to themselves as to others: their token sets passwords anyway. An expired password is good for
/// replacing one's own, and for nothing else.
pub(super) fn change(op: &Op<'_>, name: Option<&str>) -> Result<Response, Stop> {
    let name = name.map(|name| name_of(op, name));
    // Asked for together with the caller, so that nothing is read after a password was derived.
    let known = name.as_ref().and_then(|name| name.as_deref().ok()).map(|name| target(op, name));
    op.want(&[key::schemes(), key::cluster()]);
    let caller = even_expired(op)?.ok_or(Refusal::NoCredentials)?;
    let name = name.transpose()?;
    let own = name.as_deref().is_none_or(|name| name == caller.user.name);
    if caller.expired && !own {
        return Err(Stop::answer(expired(op, &caller)));
    }
    let body = Body::of_any(op, "change_password", &["password", "password_hash"])?;
    let Some(password) = password_of(op, &body)? else { return invalid(op, "password is missing") };
    if !engine::manages_users(&caller.user) && (!own || caller.token.is_some()) {
        return Err(refused(op, ACTION, &caller));
    }
    let actor = caller.user.uid;
    if own {
        let new = NewPassword::replacing(op, &caller.user, &password, &caller.setter())?;
        engine::replace_passwords(op, &actor, caller.user, new)?;
    } else {
        let Some((user, _)) = known.transpose()?.flatten() else { return nobody(op, &name.unwrap_or_default()) };
        if !engine::may_manage(&caller.user, &user) {
            return Err(refused(op, ACTION, &caller));
        }
        // The password may be the one that the user has: programs that set another user's at each start find it set.
        let new = NewPassword::reset(op, &user, &password)?;
        engine::reset_passwords(op, &actor, user, new)?;
    }
    Ok(answer::json(op, 200, &value!({})))
}
