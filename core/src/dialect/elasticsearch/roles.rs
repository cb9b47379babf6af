//! `…/role` and `…/role/{name}`.
//!
//! What a user may do is said by the role that all dialects share. A role that is defined here grants nothing. It is kept and shown,
//! so that programs which set up a server can run as they are.

use super::{
    answer,
    body::{self, Body, bad, invalid},
    caller::{caller, manager, refused},
    user::{SUPERUSER, built_in, word},
    users::{metadata_of, name_of, names_of},
};
use crate::{
    engine::{self, ROLE_NAME_RULE, valid_role_name},
    record::{CustomRole, Role},
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use alloc::{format, string::String, vec::Vec};
use serde_json::{Map, Value, json as value};

const GET: &str = "cluster:admin/xpack/security/role/get";
const PUT: &str = "cluster:admin/xpack/security/role/put";
const DELETE: &str = "cluster:admin/xpack/security/role/delete";

/// The longest definition, in octets of JSON.
const MAX_DEFINITION: usize = 8192;

/// All roles, built in or defined.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    manager(op, GET)?;
    let mut shown = Map::new();
    for role in Role::ALL {
        shown.insert(word(role).into(), show_built_in(role));
    }
    for (name, role) in engine::roles(op, None)? {
        shown.insert(name, definition(&role)?);
    }
    Ok(answer::json(op, 200, &shown))
}

/// The roles that a path names, as far as there are any.
pub(super) fn show(op: &Op<'_>, names: &str) -> Result<Response, Stop> {
    manager(op, GET)?;
    let names = names_of(op, names)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut shown = Map::new();
    for name in &names {
        if let Some(role) = built_in(name) {
            shown.insert((*name).into(), show_built_in(role));
        }
    }
    for (name, role) in engine::roles(op, Some(&names))? {
        shown.insert(name, definition(&role)?);
    }
    Ok(answer::json(op, if shown.is_empty() { 404 } else { 200 }, &shown))
}

/// Defines a role, anew if there is one.
pub(super) fn put(op: &Op<'_>, name: &str) -> Result<Response, Stop> {
    let caller = caller(op)?;
    let name = name_of(op, name)?;
    let definition = read(op)?;
    if caller.user.role != Role::Admin {
        return Err(refused(op, PUT, &caller));
    }
    if !valid_role_name(&name) {
        return invalid(op, &format!("the name is not {ROLE_NAME_RULE}"));
    }
    check_not_built_in(op, &name)?;
    let created = engine::put_role(op, &caller.user.uid, &name, &CustomRole { definition })?;
    Ok(answer::json(op, 200, &value!({ "role": { "created": created } })))
}

/// Deletes a role. Users keep its name, which granted them nothing.
pub(super) fn delete(op: &Op<'_>, name: &str) -> Result<Response, Stop> {
    let caller = caller(op)?;
    body::none(op, "delete_role")?;
    let name = name_of(op, name)?;
    if caller.user.role != Role::Admin {
        return Err(refused(op, DELETE, &caller));
    }
    check_not_built_in(op, &name)?;
    let found = engine::delete_role(op, &caller.user.uid, &name)?;
    Ok(answer::json(op, if found { 200 } else { 404 }, &value!({ "found": found })))
}

fn check_not_built_in(op: &Op<'_>, name: &str) -> Result<(), Stop> {
    match built_in(name) {
        Some(_) => bad(op, "illegal_argument_exception", &format!("the role [{name}] is built in")),
        None => Ok(()),
    }
}

/// A built-in role in the form of the others. What it grants, it grants here and not over indices.
fn show_built_in(role: Role) -> Value {
    let cluster: &[&str] = if word(role) == SUPERUSER { &["all"] } else { &[] };
    value!({
        "cluster": cluster,
        "indices": [],
        "applications": [],
        "run_as": [],
        "metadata": { "_reserved": true },
        "transient_metadata": { "enabled": true },
    })
}

fn definition(role: &CustomRole) -> Result<Value, Refusal> {
    serde_json::from_slice(role.definition.as_bytes()).map_err(|_| Refusal::BadRecord)
}

/// The text of a definition as it will be shown: what the product always shows, and what was sent besides.
fn read(op: &Op<'_>) -> Result<String, Stop> {
    const PARSER: &str = "put_role";
    let lists = ["indices", "index", "applications", "remote_indices", "remote_cluster"];
    let other = ["cluster", "run_as", "metadata", "global", "description", "transient_metadata"];
    let body = Body::of_any(op, PARSER, &[&lists[..], &other[..]].concat())?;
    let mut role = Map::new();
    for name in ["cluster", "run_as"] {
        role.insert(name.into(), body.strings(op, name)?.unwrap_or_default().into());
    }
    for name in lists {
        let Some(values) = body.list(op, name, Value::is_object)? else { continue };
        // An older name of the same.
        let name = if name == "index" { "indices" } else { name };
        if role.insert(name.into(), values.into()).is_some() {
            return invalid(op, "[indices] and [index] are one member: give one of them");
        }
    }
    for name in ["indices", "applications"] {
        role.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    }
    metadata_of(op, &body)?;
    role.insert("metadata".into(), body.object(op, "metadata")?.cloned().unwrap_or_default().into());
    if let Some(global) = body.object(op, "global")? {
        role.insert("global".into(), global.clone().into());
    }
    if let Some(description) = body.string(op, "description")? {
        role.insert("description".into(), description.into());
    }
    // Taken, as clients send back what they were shown, and not kept: the server says what it is.
    body.object(op, "transient_metadata")?;
    role.insert("transient_metadata".into(), value!({ "enabled": true }));
    let text = serde_json::to_string(&role).unwrap_or_default();
    if text.len() > MAX_DEFINITION {
        return invalid(op, &format!("the definition is longer than {MAX_DEFINITION} octets"));
    }
    Ok(text)
}
