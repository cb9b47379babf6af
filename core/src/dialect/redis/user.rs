//! The user object (contract section 7).

use crate::{
    engine,
    record::{Cluster, Lock, Seen, User},
    seam::Op,
};
use alloc::string::{String, ToString};
use serde::Serialize;

/// A user as shown by this API; never a password or hash.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    uid: u32,
    name: &'a str,
    email: &'a str,
    role: &'static str,
    role_uids: [u8; 1],
    auth_method: &'static str,
    status: &'static str,
    password_issue_date: String,
    email_alerts: bool,
    certificate_subject_line: &'static str,
    last_login: u64,
}

impl<'a> Shown<'a> {
    pub(super) fn new(op: &Op<'_>, user: &'a User, cluster: &Cluster, lock: Option<Lock>, seen: Option<Seen>) -> Self {
        let expired = engine::password_expires(op, cluster, user).is_some_and(|at| at <= op.now());
        let status = match () {
            // The API knows no word for a user who was disabled by another; neither can log in.
            () if user.disabled || engine::is_locked(op, user, lock.as_ref()) => "locked",
            () if expired => "password_expired",
            () => "active",
        };
        Self {
            uid: user.uid.as_u32(),
            name: &user.name,
            email: &user.email,
            role: user.role.as_str(),
            role_uids: [user.role.uid()],
            auth_method: "regular",
            status,
            password_issue_date: user.password_issued.to_string(),
            email_alerts: user.email_alerts,
            certificate_subject_line: "",
            last_login: seen.map_or(0, |seen| seen.0.as_secs()),
        }
    }
}
