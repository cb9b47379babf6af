//! Authorizations: add, list, show, update, delete (contract sections 2 and 5 to 8).

use super::{
    Authenticated, Exchange,
    envelope::{Message, Reply},
    links::{Link, Required},
    parameters::Parameters,
    scopes,
};
use crate::{
    engine::{self, NewAuthorization},
    hex,
    record::{Authorization, Scope},
    refusal::Refusal,
    seam::Stop,
};
use alloc::{
    format,
    string::{String, ToString},
};
use core::{cell::Cell, ops::ControlFlow};
use serde::Serialize;
use serde_json::Value;

/// The longest note, in characters.
const MAX_NOTE: usize = 4096;
/// How many of the newest that fit are looked at for reuse.
const REUSED: usize = 10;
/// How many are listed at the most, as an answer has to be made in bounded time and memory; older ones are still good.
const LISTED: usize = 2000;
/// How many octets the notes of those that are listed have at the most, as an answer has them.
const NOTES: usize = 1 << 20;

/// A new authorization, or with `reuse` one that fits and lives long enough.
pub(super) fn add(request: &Authenticated<'_>) -> Result<Reply, Stop> {
    let (exchange, parameters) = (&request.exchange, &request.parameters);
    let (op, user) = (exchange.op, &request.caller.user);
    // An authorization stays good when the passwords of its owner have expired, but makes no other: else it would live for ever.
    if engine::has_expired(op, user)? {
        engine::audit_refused(op, "token.issue", &user.uid, &user.uid, Refusal::PasswordExpired.code());
        return Err(Refusal::PasswordExpired.into());
    }
    let Ok(scopes) = scopes::parse(scope(parameters)) else { return Err(unknown_scope(exchange)) };
    let note = note(request)?;
    let lifetime = scopes::lifetime(&op.settings.openshift, &scopes, parameters.value("expires_in"));
    if is_true(parameters.value("reuse")) {
        // Worth reusing is what lives for another ten minutes, or a quarter of what was asked for.
        let enough = u64::from((lifetime.as_secs() / 4).min(600));
        let left = Cell::new(REUSED);
        let fits = |found: &Authorization| {
            if found.scopes != scopes || (note.is_some() && found.note != note) {
                return ControlFlow::Continue(false);
            }
            let Some(others) = left.get().checked_sub(1) else { return ControlFlow::Break(()) };
            left.set(others);
            ControlFlow::Continue(found.expires.rounded_secs_since(op.now()) > enough)
        };
        if let Some(found) = engine::authorizations(op, user, 1, &fits)?.pop() {
            engine::audit(op, "token.issue", &user.uid, &hex::encode(&found.id));
            return Ok(one(request, found).saying("Reused existing"));
        }
    }
    let added = engine::add_authorization(
        op,
        user,
        NewAuthorization { scopes, note, lifetime, asked_by: request.caller.authorization },
    )?;
    Ok(one(request, added).created().saying("Create authorization"))
}

/// The caller's own, newest first.
pub(super) fn list(request: &Authenticated<'_>) -> Result<Reply, Stop> {
    let room = Cell::new(NOTES);
    let fits = |found: &Authorization| {
        let Some(left) = room.get().checked_sub(found.note.as_deref().map_or(0, written)) else {
            return ControlFlow::Break(());
        };
        room.set(left);
        ControlFlow::Continue(true)
    };
    let found = engine::authorizations(request.exchange.op, &request.caller.user, LISTED, &fits)?;
    let shown = found.into_iter().map(|found| Shown::of(request, found)).collect();
    Ok(Reply::authorizations(shown).saying("List authorizations"))
}

/// About how many octets a text takes in JSON or XML, where some characters are written as six.
fn written(text: &str) -> usize {
    text.bytes().map(|octet| if octet < b' ' || b"\"\\&<>'".contains(&octet) { 6 } else { 1 }).sum()
}

/// One, by id or token.
pub(super) fn show(request: &Authenticated<'_>, id: &str) -> Result<Reply, Stop> {
    let found = find(request, id)?;
    Ok(one(request, found).saying("Display authorization"))
}

/// Another note; without one nothing changes.
pub(super) fn update(request: &Authenticated<'_>, id: &str) -> Result<Reply, Stop> {
    let mut found = find(request, id)?;
    if let Some(note) = note(request)? {
        engine::note_authorization(request.exchange.op, &mut found, Some(note));
    }
    Ok(one(request, found).saying("Change authorization"))
}

/// One ends; one that is not there has ended already.
pub(super) fn delete(request: &Authenticated<'_>, id: &str) -> Result<Reply, Stop> {
    let (op, user) = (request.exchange.op, &request.caller.user);
    if let Some(found) = engine::find_revocable(op, user, id)? {
        engine::end_authorization(op, &user.uid, &found);
    }
    Ok(Reply::gone(format!("Authorization {id} is revoked.")))
}

/// All end, or all with a scope.
pub(super) fn delete_all(request: &Authenticated<'_>) -> Result<Reply, Stop> {
    let (op, user) = (request.exchange.op, &request.caller.user);
    let owner = hex::encode(&user.id);
    let scope = match scope(&request.parameters) {
        None => "",
        Some(Value::String(scope)) => scope,
        // Never taken for "all".
        Some(_) => return Err(unknown_scope(&request.exchange)),
    };
    if scope.is_empty() {
        engine::end_authorizations(op, user, None)?;
        return Ok(Reply::gone(format!("All authorizations for {owner} are revoked.")));
    }
    if let Some(scope) = Scope::parse(scope) {
        engine::end_authorizations(op, user, Some(scope))?;
    }
    Ok(Reply::gone(format!("All authorizations for {owner} with scope {scope} are revoked.")))
}

/// The parameter under either of its names: the one that says more, `scope` before `scopes`. Where authorizations are ended, an empty one
/// means all, as in the broker, and blanks are the name of no scope.
fn scope(parameters: &Parameters) -> Option<&Value> {
    let says = |scope: &&Value| match scope.as_str() {
        Some("") => 0,
        Some(blanks) if blanks.trim().is_empty() => 1,
        _ => 2,
    };
    ["scopes", "scope"].into_iter().filter_map(|name| parameters.value(name)).max_by_key(says)
}

fn unknown_scope(exchange: &Exchange<'_>) -> Stop {
    let offered = Scope::ALL.map(Scope::as_str).join(", ");
    let text = format!("one or more of the scopes are not valid; valid scopes are: {offered}");
    exchange.refuse(422, Message::error(1, Some("scopes"), &text))
}

/// Whether a flag is set, by JSON or by a form; anything that is not plainly so counts as not.
fn is_true(flag: Option<&Value>) -> bool {
    match flag {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn find(request: &Authenticated<'_>, id: &str) -> Result<Authorization, Stop> {
    match engine::find_authorization(request.exchange.op, &request.caller.user, id)? {
        Some(found) => Ok(found),
        None => Err(request.exchange.refuse(404, Message::error(129, None, "the authorization was not found"))),
    }
}

/// The note, if there is one.
fn note(request: &Authenticated<'_>) -> Result<Option<String>, Stop> {
    let refuse = |text: &str| Err(request.exchange.refuse(422, Message::error(1, Some("note"), text)));
    match request.parameters.value("note") {
        None => Ok(None),
        Some(Value::String(note)) if note.chars().count() > MAX_NOTE => {
            refuse(&format!("the note is too long: the maximum is {MAX_NOTE} characters"))
        }
        Some(Value::String(note)) => Ok(Some(note.clone())),
        Some(_) => refuse("the note must be a text"),
    }
}

/// An authorization as its owner sees it, token included.
#[derive(Serialize)]
pub(super) struct Shown {
    created_at: String,
    expires_in: u64,
    expires_in_seconds: u64,
    id: String,
    identity: String,
    note: Option<String>,
    scopes: String,
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct Links {
    get: Link,
    update: Link,
    delete: Link,
}

impl Shown {
    fn of(request: &Authenticated<'_>, authorization: Authorization) -> Self {
        let op = request.exchange.op;
        let Authorization { created, expires, .. } = authorization;
        let id = hex::encode(&authorization.id);
        Self {
            created_at: created.to_string(),
            expires_in: expires.secs_since(created),
            expires_in_seconds: expires.rounded_secs_since(op.now()),
            identity: request.caller.user.name.clone(),
            scopes: Scope::join(&authorization.scopes),
            token: engine::authorization_token(op, &authorization),
            note: authorization.note,
            links: (!request.exchange.agreed.nolinks).then(|| Links::to(&request.exchange, &id)),
            id,
        }
    }
}

impl Links {
    fn to(exchange: &Exchange<'_>, id: &str) -> Self {
        const NOTE: &[Required] = &[Required::text("note", "A description of the authorization")];
        let path = format!("/user/authorization/{id}");
        Self {
            get: exchange.link("GET", "Get authorization", &path, &[]),
            update: exchange.link("PUT", "Update authorization", &path, NOTE),
            delete: exchange.link("DELETE", "Delete authorization", &path, &[]),
        }
    }
}

/// The answer that shows one.
fn one(request: &Authenticated<'_>, authorization: Authorization) -> Reply {
    Reply::of("authorization", Shown::of(request, authorization))
}
