//! Roles that administrators define in the Elasticsearch dialect. They are kept and shown; what a user may do is
//! [`Role`](crate::record::Role)'s alone.

use super::{as_typed, audit};
use crate::{
    record::{CustomRole, CustomRoles, key},
    refusal::Refusal,
    seam::{Op, Stop},
};
use alloc::{string::String, vec::Vec};
use core::fmt::Display;

/// How many there may be on one server.
pub(crate) const MAX_ROLES: usize = 256;

/// The roles of these names that there are, or all; read together.
pub(crate) fn roles(op: &Op<'_>, names: Option<&[&str]>) -> Result<Vec<(String, CustomRole)>, Stop> {
    let names: Vec<String> = match names {
        Some(names) => names.iter().copied().map(String::from).collect(),
        None => op.load::<CustomRoles>(&key::custom_roles())?.unwrap_or_default().0,
    };
    let keys: Vec<_> = names.iter().map(|name| key::custom_role(name)).collect();
    op.want(&keys);
    let mut found = Vec::with_capacity(names.len());
    for (name, key) in names.into_iter().zip(keys) {
        found.extend(op.load(&key)?.map(|role| (name, role)));
    }
    Ok(found)
}

/// Defines a role, anew if there is one of this name; `true` if there was none.
///
/// # Errors
/// [`Refusal::TooManyRoles`].
pub(crate) fn put_role(op: &Op<'_>, actor: &dyn Display, name: &str, role: &CustomRole) -> Result<bool, Stop> {
    let key = key::custom_role(name);
    op.want(&[key.clone(), key::custom_roles()]);
    let is_new = op.read(&key)?.is_none();
    if is_new {
        let mut all = op.load::<CustomRoles>(&key::custom_roles())?.unwrap_or_default();
        if all.0.len() >= MAX_ROLES {
            return Err(Refusal::TooManyRoles.into());
        }
        all.0.push(name.into());
        op.store(key::custom_roles(), &all);
    }
    op.store(key, role);
    audit(op, "role.put", actor, &as_typed(op, name));
    Ok(is_new)
}

/// Deletes a role; `false` if there was none. Users keep its name, as the product has it.
pub(crate) fn delete_role(op: &Op<'_>, actor: &dyn Display, name: &str) -> Result<bool, Stop> {
    let key = key::custom_role(name);
    op.want(&[key.clone(), key::custom_roles()]);
    if op.read(&key)?.is_none() {
        return Ok(false);
    }
    let mut all = op.load::<CustomRoles>(&key::custom_roles())?.unwrap_or_default();
    all.0.retain(|known| known != name);
    op.store(key::custom_roles(), &all);
    op.remove(key);
    audit(op, "role.delete", actor, &as_typed(op, name));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::testing::{TestWorld, basic, request};

    #[test]
    fn a_role_that_is_called_like_a_token_is_in_no_trail() {
        let mut world = TestWorld::with_admin("admin password");
        let name = "0123456789abcdef".repeat(4);
        for method in ["PUT", "DELETE"] {
            let body = if method == "PUT" { "{}" } else { "" };
            let role = request(&alloc::format!("{method} /_security/role/{name}"), body);
            assert_eq!(world.call(role.with_header("authorization", &basic("admin", "admin password"))).status, 200);
            assert!(world.events.pop().is_some_and(|event| event.subject.starts_with("token#")), "{method}");
        }
    }
}
