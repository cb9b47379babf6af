//! SSH keys of a user, which `rhc setup` wants to add and list (contract section 11).

use super::{
    Authenticated, Exchange,
    envelope::{Message, Reply},
    links::{Required, segment},
    negotiate::{Negotiated, split_suffix},
    split,
};
use crate::{
    engine,
    record::{SshKey, SshKeys, key},
    seam::Stop,
};
use alloc::{format, string::String, vec::Vec};
use serde_json::{Value, json};

/// How many keys a user may have.
const MAX_KEYS: usize = 100;
/// The longest key, in octets.
const MAX_CONTENT: usize = 16_384;

/// What all keys of a user may take together, in octets: they are one record, which each change writes anew.
const MAX_ALL: usize = 131_072;

/// What a link says that a change takes.
const PARAMETERS: &[Required] =
    &[Required::text("type", "Type of the key"), Required::text("content", "The key portion of the public key file")];

/// Restores the end of `name`, which was taken for a format, where there is a key of the whole name: a client may write the `%2E` of a
/// link as a dot (RFC 3986, 6.2.2.2), and must not reach another key with it.
pub(super) fn complete(request: &mut Authenticated<'_>, name: &mut String) -> Result<(), Stop> {
    let op = request.exchange.op;
    let asked = (name.as_str(), split(op.request).1);
    if let Some(key) = load(request)?.0.into_iter().find(|key| split_suffix(&key.name) == asked) {
        *name = key.name;
        request.exchange.agreed = Negotiated::of(op, None, &request.parameters)?;
    }
    Ok(())
}

/// All keys.
pub(super) fn list(request: &Authenticated<'_>) -> Result<Reply, Stop> {
    let keys = load(request)?;
    let shown: Vec<_> = keys.0.iter().map(|key| shown(&request.exchange, key)).collect();
    Ok(Reply::of("keys", Value::Array(shown)).saying("List SSH keys"))
}

/// One key.
pub(super) fn show(request: &Authenticated<'_>, name: &str) -> Result<Reply, Stop> {
    let keys = load(request)?;
    let found = keys.0.iter().find(|key| key.name == name);
    found.map_or_else(
        || Err(not_found(request)),
        |key| Ok(Reply::of("key", shown(&request.exchange, key)).saying("Display SSH key")),
    )
}

/// One more key.
pub(super) fn add(request: &Authenticated<'_>) -> Result<Reply, Stop> {
    let mut keys = load(request)?;
    let new = SshKey { name: name(request)?, ..read(request)? };
    if keys.0.iter().any(|key| key.name == new.name) {
        return Err(request.exchange.refuse(409, Message::error(120, Some("name"), "a key with this name exists already")));
    }
    if keys.0.len() >= MAX_KEYS {
        let text = format!("there are too many keys: the maximum is {MAX_KEYS}");
        return Err(request.exchange.refuse(422, Message::error(1, None, &text)));
    }
    let reply = Reply::of("key", shown(&request.exchange, &new)).created().saying("Create SSH key");
    let name = new.name.clone();
    keys.0.push(new);
    check_room(request, &keys)?;
    save(request, &keys, "ssh_key.add", &name);
    Ok(reply)
}

/// Another type and content under the same name.
pub(super) fn update(request: &Authenticated<'_>, name: &str) -> Result<Reply, Stop> {
    let mut keys = load(request)?;
    let new = SshKey { name: name.into(), ..read(request)? };
    let Some(known) = keys.0.iter_mut().find(|key| key.name == name) else { return Err(not_found(request)) };
    let reply = Reply::of("key", shown(&request.exchange, &new)).saying("Update SSH key");
    *known = new;
    check_room(request, &keys)?;
    save(request, &keys, "ssh_key.change", name);
    Ok(reply)
}

/// One key less.
pub(super) fn delete(request: &Authenticated<'_>, name: &str) -> Result<Reply, Stop> {
    let mut keys = load(request)?;
    let known = keys.0.len();
    keys.0.retain(|key| key.name != name);
    if keys.0.len() == known {
        return Err(not_found(request));
    }
    save(request, &keys, "ssh_key.delete", name);
    Ok(Reply::gone(format!("Key {name} is deleted.")))
}

fn load(request: &Authenticated<'_>) -> Result<SshKeys, Stop> {
    Ok(request.exchange.op.load::<SshKeys>(&key::ssh_keys(request.caller.user.uid))?.unwrap_or_default())
}

fn check_room(request: &Authenticated<'_>, keys: &SshKeys) -> Result<(), Stop> {
    let octets: usize = keys.0.iter().map(|key| key.name.len() + key.kind.len() + key.content.len()).sum();
    if octets <= MAX_ALL {
        return Ok(());
    }
    let text = format!("there is no room for this key: all keys together have {MAX_ALL} octets at most");
    Err(request.exchange.refuse(422, Message::error(1, Some("content"), &text)))
}

/// Stores the keys after what `action` has done to the one with this name.
fn save(request: &Authenticated<'_>, keys: &SshKeys, action: &'static str, name: &str) {
    let (op, uid) = (request.exchange.op, request.caller.user.uid);
    op.store(key::ssh_keys(uid), keys);
    // The key's name is not the subject: a user who happens to be called so has nothing to do with it.
    engine::audit_change(op, action, &uid, &uid, engine::as_typed(op, name));
}

fn not_found(request: &Authenticated<'_>) -> Stop {
    request.exchange.refuse(404, Message::error(118, None, "the key was not found"))
}

fn read(request: &Authenticated<'_>) -> Result<SshKey, Stop> {
    Ok(SshKey { name: String::new(), kind: field(request, "type", 256)?, content: field(request, "content", MAX_CONTENT)? })
}

/// A name that can stand in a path: dots alone would lead elsewhere, and a format alone would leave no name.
fn name(request: &Authenticated<'_>) -> Result<String, Stop> {
    let name = field(request, "name", 256)?;
    if matches!(name.as_str(), "." | "..") || split_suffix(&name).0.is_empty() {
        let text = "a name cannot be dots or a format alone";
        return Err(request.exchange.refuse(422, Message::error(1, Some("name"), text)));
    }
    Ok(name)
}

/// A text that must be there.
fn field(request: &Authenticated<'_>, name: &'static str, max: usize) -> Result<String, Stop> {
    match request.parameters.value(name) {
        Some(Value::String(text)) if (1..=max).contains(&text.len()) && !text.chars().any(char::is_control) => {
            Ok(text.clone())
        }
        _ => {
            let text = format!("{name} must be a text of 1 to {max} octets without control characters");
            Err(request.exchange.refuse(422, Message::error(1, Some(name), &text)))
        }
    }
}

fn shown(exchange: &Exchange<'_>, key: &SshKey) -> Value {
    let path = format!("/user/keys/{}", segment(&key.name));
    json!({
        "name": key.name,
        "type": key.kind,
        "content": key.content,
        "links": {
            "GET": exchange.link("GET", "Get SSH key", &path, &[]),
            "UPDATE": exchange.link("PUT", "Update SSH key", &path, PARAMETERS),
            "DELETE": exchange.link("DELETE", "Delete SSH key", &path, &[]),
        },
    })
}
