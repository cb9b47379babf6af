//! `POST /auth/revoke`: ending one token before its time (RFC 7009).

use super::{
    caller::{caller, token},
    live::{Live, if_revocable},
};
use crate::{
    engine::{self, Selection},
    record::{PairOf, Role, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Response, Stop},
    token::dialect,
};

/// Ends a token of the caller, or of anybody if the caller is an administrator. A refresh token ends with all that came of its login. It is
/// 200 also for a token that is unknown, can never be good again, or is somebody else's; then nothing changes (RFC 7009, 2.2).
///
/// # Errors
/// 401 for a caller who does not prove their identity; 400 without a token.
pub(super) fn revoke(op: &Op<'_>) -> Result<Response, Stop> {
    // Looked up before the caller's password costs a derivation; what came of it counts only after that.
    let asked = token(op);
    let found = asked.as_ref().ok().map(|token| {
        let pair = op.load::<PairOf>(&key::pair_of_refresh(token));
        // A refresh token is no other kind of token: the log is not told that it is a bad one of those.
        let live = if let Ok(Some(_)) = pair { None } else { if_revocable(op, token)? };
        if let Some(live) = &live {
            engine::has_room(op, live.user.uid, 1)?;
        }
        Ok::<_, Stop>((live, pair?))
    });
    let caller = caller(op)?;
    let asked = asked?;
    match found.transpose()? {
        Some((Some(live), _)) if may_end(op, &caller, live.user.uid, &live.id) => end(op, &caller, &asked, &live)?,
        Some((None, Some(pair))) if may_end(op, &caller, pair.uid, "refresh token") => {
            engine::invalidate(op, &caller.uid, &Selection::Grant(&asked))?;
        }
        _ => {}
    }
    Ok(Response::empty(200).with_header("cache-control", "no-store"))
}

fn may_end(op: &Op<'_>, caller: &User, owner: Uid, id: &str) -> bool {
    let may = caller.role == Role::Admin || caller.uid == owner;
    if !may {
        engine::audit_refused(op, "token.revoke", &caller.uid, &id, Refusal::NotAllowed.code());
    }
    may
}

fn end(op: &Op<'_>, caller: &User, token: &str, live: &Live) -> Result<(), Stop> {
    if engine::is_authorization_token(token) {
        if let Some(authorization) = engine::find_revocable(op, &live.user, token)? {
            engine::end_authorization(op, &caller.uid, &authorization);
        }
        return Ok(());
    }
    let is_pair =
        live.dialect == dialect::ELASTICSEARCH && engine::invalidate(op, &caller.uid, &Selection::Access(token))?.is_some();
    if !is_pair {
        engine::revoke_counted(op, &caller.uid, live.user.uid, &live.id, live.expires)?;
        engine::audit(op, "token.revoke", &caller.uid, &live.id);
    }
    Ok(())
}
