//! `/v1/roles`, `/v1/users/permissions` and `/v1/users/role` (contract section 7).

use super::{caller::caller, error::refused, json};
use crate::{
    record::{Role, Uid},
    seam::{Op, Response, Stop},
    sorted::Sorted,
};
use serde::Serialize;

#[derive(Serialize)]
struct Shown {
    uid: u8,
    name: &'static str,
    management: &'static str,
}

impl From<Role> for Shown {
    fn from(role: Role) -> Self {
        Self { uid: role.uid(), name: role.title(), management: role.as_str() }
    }
}

#[derive(Serialize)]
struct Permissions {
    api_permissions: &'static [&'static str],
    ui_permissions: &'static [&'static str],
}

/// All roles; they are built in.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    caller(op)?;
    json(&Role::ALL.map(Shown::from))
}

/// One role.
pub(super) fn show(op: &Op<'_>, uid: &str) -> Result<Response, Stop> {
    caller(op)?;
    // As of users: digits alone, and no zeros ahead.
    match Uid::parse(uid).and_then(|uid| Role::from_uid(uid.as_u32().into())) {
        Some(role) => json(&Shown::from(role)),
        None => refused(404, "role_not_exist", "there is no such role"),
    }
}

/// The role of the caller.
pub(super) fn own(op: &Op<'_>) -> Result<Response, Stop> {
    let role = caller(op)?.user.role;
    json(&Sorted::from_iter([("role", role.as_str())]))
}

/// What a role, or every role, may do through this API.
pub(super) fn permissions(op: &Op<'_>, role: Option<&str>) -> Result<Response, Stop> {
    caller(op)?;
    let of = |role: Role| (role.as_str(), Permissions { api_permissions: allowed(role), ui_permissions: &[] });
    match role.map(Role::parse) {
        None => json(&Role::ALL.into_iter().map(of).collect::<Sorted<_, _>>()),
        Some(Some(role)) => json(&Sorted::from_iter([of(role)])),
        Some(None) => refused(404, "role_not_exist", "there is no such role"),
    }
}

/// The vendor's names for what the routes of this server let a role do.
const fn allowed(role: Role) -> &'static [&'static str] {
    match role {
        Role::Admin => &[
            "create_new_user",
            "delete_user",
            "update_cluster",
            "update_user",
            "view_all_users_info",
            "view_cluster_info",
            "view_user_info",
        ],
        Role::UserManager => {
            &["create_new_user", "delete_user", "update_user", "view_all_users_info", "view_cluster_info", "view_user_info"]
        }
        Role::ClusterMember | Role::ClusterViewer | Role::DbMember | Role::DbViewer => &["view_cluster_info"],
        Role::None => &[],
    }
}
