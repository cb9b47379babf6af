//! Lines of the audit trail (security L1).

use crate::{
    dialect,
    seam::{Event, Op, Outcome},
};
use alloc::string::{String, ToString};
use core::fmt::Display;

/// Adds a line: who did what to whom, and the code of the refusal if it was refused.
pub(crate) fn audit(
    op: &Op<'_>,
    action: &'static str,
    actor: &dyn Display,
    subject: &dyn Display,
    refusal: Option<&'static str>,
) {
    note(op, action, actor, subject, String::new(), refusal);
}

/// Adds a line of a change that was made, and what it was.
pub(crate) fn audit_change(op: &Op<'_>, action: &'static str, actor: &dyn Display, subject: &dyn Display, detail: String) {
    note(op, action, actor, subject, detail, None);
}

/// Adds a part to the detail of a change.
pub(crate) fn add_detail(detail: &mut String, parts: &[&str]) {
    if !detail.is_empty() {
        detail.push_str(", ");
    }
    for part in parts {
        detail.push_str(part);
    }
}

fn note(
    op: &Op<'_>,
    action: &'static str,
    actor: &dyn Display,
    subject: &dyn Display,
    detail: String,
    refusal: Option<&'static str>,
) {
    op.event(Event {
        action,
        actor: actor.to_string(),
        subject: subject.to_string(),
        detail,
        outcome: if refusal.is_some() { Outcome::Refused } else { Outcome::Success },
        reason: refusal.unwrap_or_default(),
        dialect: dialect::name(op.request),
    });
}

#[cfg(test)]
mod tests {
    use crate::testing::{TestWorld, basic, request};

    /// Who was made an administrator is found in the trail alone; names and addresses are not in it.
    #[test]
    fn a_change_says_what_it_was() {
        let mut world = TestWorld::with_admin("admin password");
        let bearer = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        world.audited();
        let mut call = |line: &str, body: &str| {
            assert_eq!(world.call(request(line, body).with_header("authorization", &bearer)).status, 200, "{line} {body}");
            world.audited()
        };
        assert_eq!(
            call(
                "POST /v1/users",
                r#"{"name": "ann", "email": "ann@example.com", "role": "none", "password": "ann password"}"#
            ),
            ["user.create: role none"],
        );
        assert_eq!(call("PUT /v1/users/2", r#"{"role": "none", "email_alerts": true}"#), [""; 0], "nothing has changed");
        assert_eq!(
            call("PUT /v1/users/2", r#"{"role": "admin", "email": "", "email_alerts": false}"#),
            ["user.change: role none -> admin, email, email_alerts"],
        );
    }

    #[test]
    fn a_change_of_a_policy_names_its_members() {
        let mut world = TestWorld::with_admin("admin password");
        let mut call = |path: &str, body: &str| {
            let admin = basic("admin", "admin password");
            assert_eq!(
                world.call(request(&alloc::format!("PUT {path}"), body).with_header("authorization", &admin)).status,
                200
            );
            world.audited().pop()
        };
        let body = r#"{"login_lockout_threshold": 7, "password": "secret", "login_lockout_duration": 60}"#;
        let said = "cluster.policy: login_lockout_threshold, login_lockout_duration";
        assert_eq!(call("/v1/cluster/policy", body).as_deref(), Some(said));
        let said = "cluster.change: name, password_complexity";
        assert_eq!(call("/v1/cluster", r#"{"password_complexity": true, "name": "blue"}"#).as_deref(), Some(said));
    }
}
