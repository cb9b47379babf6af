//! `DELETE …/oauth2/token` (contract section 6).

use super::{
    Prefix, answer,
    body::{Body, invalid},
    caller::{caller, optional},
    error::{error, forbidden},
    info::REALM,
};
use crate::{
    engine::{self, Counts, Selection},
    record::Role,
    seam::{Op, Response, Stop},
};
use serde::Serialize;

const FIELDS: [&str; 4] = ["token", "refresh_token", "realm_name", "username"];
const ACTION: &str = "cluster:admin/xpack/security/token/invalidate";

#[derive(Serialize)]
struct Invalidated {
    /// Only in the older form.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
    invalidated_tokens: u64,
    previously_invalidated_tokens: u64,
    error_count: u64,
}

/// Ends tokens, effective with the answer.
pub(super) fn invalidate(op: &Op<'_>, prefix: Prefix) -> Result<Response, Stop> {
    let caller = match (prefix, optional(op)?) {
        (Prefix::Security, None) => Some(caller(op)?),
        (_, caller) => caller,
    };
    let body = Body::read(op, "invalidate_token", &FIELDS)?;
    let [token, refresh, realm, username] = FIELDS.map(|field| body.text(field));
    // Whoever holds an access token may end it without saying who they are; whatever else is asked needs a caller.
    let caller = match caller {
        None if refresh.is_some() || realm.is_some() || username.is_some() => Some(self::caller(op)?),
        caller => caller,
    };
    if token.is_some() && refresh.is_some() {
        return invalid(op, "only one of [token, refresh_token] is allowed");
    }
    let many = realm.is_some() || username.is_some();
    if (token.is_some() || refresh.is_some()) && many {
        return invalid(op, "[realm_name] or [username] must not be combined with [token] or [refresh_token]");
    }
    let one = match (token, refresh) {
        (Some(token), _) => Some(Selection::Access(token)),
        (_, Some(token)) => Some(Selection::Refresh(token)),
        _ if !many => return invalid(op, "one of [token, refresh_token, realm_name, username] must be given"),
        _ => None,
    };
    let actor = caller
        .as_ref()
        .map_or_else(|| alloc::string::String::from("holder"), |caller| alloc::format!("{}", caller.user.uid));
    let is_refresh = matches!(one, Some(Selection::Refresh(_)));
    let counts = match (one, caller) {
        (Some(one), _) => engine::invalidate(op, &actor, &one)?,
        (None, Some(caller)) => {
            let own = username.is_some_and(|name| name == caller.user.name);
            if caller.user.role != Role::Admin && !own {
                return Err(Stop::answer(forbidden(op, ACTION, &caller.user.name)));
            }
            let elsewhere = realm.is_some_and(|realm| realm != REALM);
            match username {
                _ if elsewhere => Some(Counts::default()),
                None => engine::invalidate(op, &actor, &Selection::Everybody)?,
                Some(name) => match engine::find_user(op, name)?.filter(|user| user.name == name) {
                    Some(user) => engine::invalidate(op, &actor, &Selection::User(user.uid))?,
                    None => Some(Counts::default()),
                },
            }
        }
        (None, None) => None,
    };
    Ok(match (counts, prefix) {
        (Some(counts), _) => counted(op, 200, prefix, counts),
        (None, Prefix::Security) => counted(op, 404, prefix, Counts::default()),
        (None, Prefix::Xpack) if is_refresh => error(op, 400, "security_exception", "invalid_grant", &[]),
        (None, Prefix::Xpack) => error(
            op,
            401,
            "security_exception",
            "token malformed",
            &["Bearer realm=\"security\", error=\"invalid_token\", error_description=\"The access token is malformed\""],
        ),
    })
}

fn counted(op: &Op<'_>, status: u16, prefix: Prefix, counts: Counts) -> Response {
    let Counts { invalidated, previously } = counts;
    answer::json(
        op,
        status,
        &Invalidated {
            created: (prefix == Prefix::Xpack).then_some(invalidated > 0),
            invalidated_tokens: invalidated,
            previously_invalidated_tokens: previously,
            error_count: 0,
        },
    )
}
