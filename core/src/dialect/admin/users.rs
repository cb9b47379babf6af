//! `/admin/users`, `/admin/users/{who}` and what is done to one user.

use super::{
    ACTOR,
    body::{self, Body, invalid, missing, wrong_type},
    error::refused,
    json, target,
    user::Shown,
};
use crate::{
    dialect::form::Form,
    engine::{self, NewPassword, NewUser, valid_email, valid_name},
    password::{Hash, List},
    record::{Lock, Role, Seen, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Range, Response, Stop},
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;
use serde_json::Value;

/// How many users one answer holds at most.
const PAGE: u32 = 1000;

/// Some users in the order of their uid; `next` is the `after` of the next request, if there are more.
#[derive(Serialize)]
struct Page<'a> {
    users: Vec<Shown<'a>>,
    next: Option<u32>,
}

/// Users with uid above `after`, at most `limit`.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    let (after, limit) = page(&op.request.query)?;
    let records = |prefix: &str| {
        let after = after.map_or_else(String::new, |uid| format!("{prefix}{:08x}", uid.as_u32()));
        op.range(&Range { prefix: prefix.into(), after, limit })
    };
    // Only users have locks and last logins, so as many of these reach at least as far.
    let (users, locks, seen) = (records(key::USERS), records(key::LOCKS), records(key::SEEN));
    let users: BTreeMap<_, User> = decoded(key::USERS, users?)?;
    let (locks, seen): (BTreeMap<_, Lock>, BTreeMap<_, Seen>) = (decoded(key::LOCKS, locks?)?, decoded(key::SEEN, seen?)?);
    let shown = users.iter().map(|(id, user)| Shown::new(op, user, locks.get(id).copied(), seen.get(id).copied()));
    let more = users.len() >= limit as usize;
    let next = users.values().next_back().filter(|_| more).map(|user| user.uid.as_u32());
    json(200, &Page { users: shown.collect(), next })
}

/// Records by the rest of their key.
fn decoded<'r, T: Stored>(
    prefix: &str,
    records: &'r [(crate::seam::Key, crate::seam::Record)],
) -> Result<BTreeMap<&'r str, T>, Refusal> {
    let rest = |key: &'r crate::seam::Key| key.as_str().strip_prefix(prefix).unwrap_or_default();
    records.iter().map(|(key, record)| Ok((rest(key), T::of(record)?))).collect()
}

/// `after` and `limit` of a query.
fn page(query: &str) -> Result<(Option<Uid>, u32), Stop> {
    let malformed =
        || refused(400, "malformed_query", "the query is not a form, or has other names than `after` and `limit`");
    let Ok(form) = Form::parse(query.as_bytes()) else { return malformed() };
    if form.repeats() || form.pairs().any(|(name, _)| !["after", "limit"].contains(&name)) {
        return malformed();
    }
    let after = match form.one("after") {
        Ok(None | Some("0")) => None,
        Ok(Some(text)) => match Uid::parse(text) {
            Some(uid) => Some(uid),
            None => return invalid("after", "is not a uid"),
        },
        Err(_) => return malformed(),
    };
    match form.one("limit").map(|text| text.map(str::parse::<u32>)) {
        Ok(None) => Ok((after, PAGE)),
        Ok(Some(Ok(limit))) if (1..=PAGE).contains(&limit) => Ok((after, limit)),
        _ => invalid("limit", &format!("is not a number from 1 to {PAGE}")),
    }
}

/// One user.
pub(super) fn show(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    json(200, &Shown::read(op, &target(op, who)?)?)
}

/// A new user, with a password or with hashes that were made elsewhere.
pub(super) fn create(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["name", "email", "role", "password", "password_hash"])?;
    let (name, email, role) = (name_of(&body)?, email_of(&body)?, role_of(&body)?);
    op.want(&[key::last_uid(), key::admins(), key::schemes(), key::cluster()]);
    let secret = match (body.text("password")?, body.value("password_hash")) {
        (Some(password), None) => Secret::Password(password),
        (None, Some(hashes)) => Secret::Hashes(hashes_of(op, hashes)?),
        (None, None) => return missing("password"),
        (Some(_), Some(_)) => return invalid("password_hash", "cannot stand beside `password`"),
    };
    engine::check_free(op, Some(name), Some(email), None)?;
    let salt = engine::new_salt(op)?;
    let passwords = match secret {
        Secret::Password(password) => List::new(NewPassword::fresh(op, password, name, email, &salt)?.into_hash()),
        Secret::Hashes(list) => list,
    };
    let new = NewUser { name: name.into(), email: email.into(), role, email_alerts: true };
    let user = engine::create_user(op, &ACTOR, new, passwords, salt)?;
    json(201, &Shown::new(op, &user, None, None))
}

enum Secret<'a> {
    Password(&'a str),
    Hashes(List),
}

/// One hash or a list of them, as PHC texts.
fn hashes_of(op: &Op<'_>, value: &Value) -> Result<List, Stop> {
    let texts: Option<Vec<&str>> = match value {
        Value::String(text) => Some([text.as_str()].into()),
        Value::Array(texts) => texts.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let Some(texts) = texts else { return wrong_type("password_hash", "a string or a list of strings") };
    let hashes: Result<Vec<Hash>, _> = texts.into_iter().map(str::parse).collect();
    match hashes {
        Ok(hashes) => Ok(List::import(hashes, op.settings.passwords.max_per_user)?),
        Err(wrong) => refused(400, wrong.code(), &wrong.to_string()),
    }
}

/// Deletes a user; his tokens end at once.
pub(super) fn delete(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    body::none(op)?;
    engine::delete_user(op, &ACTOR, &target(op, who)?)?;
    Ok(Response::empty(204))
}

/// What can be done to a user without saying more.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// Failed logins are forgotten.
    Unlock,
    /// No login and no token works any more.
    Disable,
    /// Logins work again; tokens of before do not.
    Enable,
    /// All tokens end.
    Logout,
}

impl Change {
    /// By the last segment of the path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "unlock" => Some(Self::Unlock),
            "disable" => Some(Self::Disable),
            "enable" => Some(Self::Enable),
            "logout" => Some(Self::Logout),
            _ => None,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Unlock => "user.unlock",
            Self::Disable => "user.disable",
            Self::Enable => "user.enable",
            Self::Logout => "user.logout",
        }
    }
}

/// Does it, and shows the user as he is then.
pub(super) fn change(op: &Op<'_>, who: &str, change: Change) -> Result<Response, Stop> {
    body::none(op)?;
    let mut user = target(op, who)?;
    match change {
        Change::Unlock => user.unlock(),
        Change::Disable => {
            user.disabled = true;
            user.log_out();
        }
        Change::Enable => user.disabled = false,
        Change::Logout => user.log_out(),
    }
    engine::store_user(op, &user);
    engine::audit(op, change.action(), &ACTOR, &user.uid, None);
    json(200, &Shown::read(op, &user)?)
}

/// The member `name`, which must be one.
///
/// # Errors
/// 400.
pub(super) fn name_of(body: &Body) -> Result<&str, Stop> {
    let name = body.need("name")?;
    if valid_name(name) { Ok(name) } else { invalid("name", "is not 1 to 255 printable ASCII characters without \" & < >") }
}

fn email_of(body: &Body) -> Result<&str, Stop> {
    let email = body.text("email")?.unwrap_or_default();
    if email.is_empty() || valid_email(email) { Ok(email) } else { invalid("email", "is not an e-mail address") }
}

fn role_of(body: &Body) -> Result<Role, Stop> {
    match body.text("role")?.map(Role::parse) {
        None => Ok(Role::DbViewer),
        Some(Some(role)) => Ok(role),
        Some(None) => invalid("role", &format!("is not one of {}", Role::ALL.map(Role::as_str).join(", "))),
    }
}
