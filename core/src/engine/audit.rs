//! Lines of the audit trail (security L1).

use super::throttle::is_first;
use crate::{
    dialect, hex,
    refusal::Refusal,
    seam::{Event, Op, Outcome, Stop},
};
use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt::Display;

/// Adds a line: who did what to whom. Not told when the request is refused after all, as it is not stored then.
pub(crate) fn audit(op: &Op<'_>, action: &'static str, actor: &dyn Display, subject: &dyn Display) {
    audit_change(op, action, actor, subject, String::new());
}

/// Adds a line of what was refused, with the code of the refusal.
pub(crate) fn audit_refused(
    op: &Op<'_>,
    action: &'static str,
    actor: &dyn Display,
    subject: &dyn Display,
    reason: &'static str,
) {
    op.keep_event(event(op, action, actor, subject, String::new(), Some(reason)));
}

/// Adds a line of a change that was made, and what it was. Not told when the request is refused after all.
pub(crate) fn audit_change(op: &Op<'_>, action: &'static str, actor: &dyn Display, subject: &dyn Display, detail: String) {
    op.event(event(op, action, actor, subject, detail, None));
}

/// Adds a line of what holds although the request may be refused for another reason (see [`Op::keep`]).
pub(crate) fn audit_kept(op: &Op<'_>, action: &'static str, actor: &dyn Display, subject: &dyn Display) {
    op.keep_event(event(op, action, actor, subject, String::new(), None));
}

/// For how many seconds one caller is in one line of those that were refused for want of a right, of each dialect and method: they cost
/// nothing.
const DENIED_ONCE: u64 = 60;

/// Adds a line of a request that its caller has no right to make, the first in a minute of each dialect and method; none where the caller is
/// not known, as for what a page of another site has sent.
///
/// # Errors
/// [`Stop::Need`].
pub(crate) fn audit_denied(op: &Op<'_>) -> Result<(), Stop> {
    let Some(caller) = op.caller() else { return Ok(()) };
    let method = op.request.method.as_str();
    let about = format!("{caller} {} {method}", dialect::name(op.request));
    if is_first(op, "access denied", about.as_bytes(), DENIED_ONCE)? {
        let asked = format!("{method} {}", path_as_sent(op));
        audit_refused(op, "access.deny", &caller, &asked, Refusal::NotAllowed.code());
    }
    Ok(())
}

/// A text that somebody has typed, for the audit trail: where it may contain a token, which some type in place of a name, with the
/// token's digest instead (security L2).
pub(crate) fn as_typed(op: &Op<'_>, text: &str) -> String {
    // The shortest tokens are refresh tokens; no part of anybody's name is as long and without a blank or another mark.
    const SHORTEST: usize = 43;
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut shown = String::new();
    for part in text.split_inclusive(|c| !goes_on(c)) {
        let run = part.trim_end_matches(|c| !goes_on(c));
        if run.len() < SHORTEST {
            shown.push_str(run);
        } else {
            shown.push_str("token#");
            shown.push_str(&hex::encode(&op.vault.derive("name in the trail", run.as_bytes())[..8]));
        }
        shown.push_str(part.get(run.len()..).unwrap_or_default());
    }
    shown
}

/// The path of the request [`as_typed`], with the octets unescaped that no path needs to escape (RFC 3986, 2.3): a token can be written so.
pub(crate) fn path_as_sent(op: &Op<'_>) -> String {
    let mut shown = String::new();
    let mut rest = op.request.path.as_str();
    while let Some((before, behind)) = rest.split_once('%') {
        shown.push_str(before);
        let octet = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        if let Some(octet) = octet.filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~')) {
            shown.push(octet);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            shown.push('%');
            rest = behind;
        }
    }
    shown.push_str(rest);
    as_typed(op, &shown)
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

fn event(
    op: &Op<'_>,
    action: &'static str,
    actor: &dyn Display,
    subject: &dyn Display,
    detail: String,
    refusal: Option<&'static str>,
) -> Event {
    Event {
        action,
        actor: actor.to_string(),
        subject: subject.to_string(),
        detail,
        outcome: if refusal.is_some() { Outcome::Refused } else { Outcome::Success },
        reason: refusal.unwrap_or_default(),
        dialect: dialect::name(op.request),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{TestWorld, basic, request};

    /// The trail alone shows who was made an administrator; names and addresses are not in it.
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

    /// Role and state are changed before the password is looked at; when it is refused, they are as they were.
    #[test]
    fn what_is_refused_after_all_has_not_been_done() {
        let mut world = TestWorld::with_admin("admin password");
        let bearer = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        let mut call = |line: &str, body: &str, status: u16| {
            world.audited();
            let authorization = if line.contains("/v1/") { bearer.clone() } else { basic("admin", "admin password") };
            let request = request(line, body).with_header("authorization", &authorization);
            assert_eq!(world.call(request).status, status, "{line} {body}");
            world.audited()
        };
        let ann = r#"{"name": "ann", "role": "none", "password": "ann password"}"#;
        assert_eq!(call("POST /v1/users", ann, 200), ["user.create: role none"]);
        assert_eq!(call("PUT /v1/cluster", r#"{"password_complexity": true}"#, 200).len(), 1);
        assert_eq!(call("PUT /v1/users/2", r#"{"role": "admin", "password": "x"}"#, 400), [""; 0]);
        let body = r#"{"password": "short", "roles": ["superuser"], "enabled": false}"#;
        assert_eq!(call("POST /_security/user/ann", body, 400), ["login"]);
        assert_eq!(call("PUT /v1/users/2", r#"{"role": "admin"}"#, 200), ["user.change: role none -> admin"]);
    }

    #[test]
    fn a_change_of_a_policy_says_what_it_was() {
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
        let said = "cluster.policy: login_lockout_threshold 5 -> 7, login_lockout_duration 1800 -> 60";
        assert_eq!(call("/v1/cluster/policy", body).as_deref(), Some(said));
        assert_eq!(call("/v1/cluster/policy", body).as_deref(), Some("login"), "nothing has changed");
        let body = r#"{"password_complexity": true, "name": "blue", "password_min_length": 8}"#;
        let said = "cluster.change: password_complexity unset -> true, name";
        assert_eq!(call("/v1/cluster", body).as_deref(), Some(said));
    }

    /// What one user has done to another can be found by either of them (security L1).
    #[test]
    fn every_line_says_who_did_what_to_whom() {
        let mut world = TestWorld::with_admin("admin password");
        let mut call = |line: &str, body: &str| {
            let by_admin = request(line, body).with_header("authorization", &basic("admin", "admin password"));
            assert_eq!(world.call(by_admin).status, 200, "{line} {body}");
            let told = world.events.drain(..).filter(|event| event.action != "login");
            told.map(|event| (event.action, event.actor, event.subject)).collect::<alloc::vec::Vec<_>>()
        };
        for (line, body, action, subject) in [
            ("POST /v1/users", r#"{"name": "ann", "role": "none", "password": "ann password"}"#, "user.create", "2"),
            ("PUT /v1/users/2", r#"{"role": "db_viewer"}"#, "user.change", "2"),
            ("PUT /v1/users/2", r#"{"password": "other password"}"#, "password.replace", "2"),
            ("POST /v1/users/password", r#"{"username": "ann", "new_password": "second password"}"#, "password.add", "2"),
            (
                "DELETE /v1/users/password",
                r#"{"username": "ann", "old_password": "second password"}"#,
                "password.delete",
                "2",
            ),
            ("PUT /_security/user/ann/_disable", "", "user.disable", "2"),
            ("PUT /_security/user/ann/_enable", "", "user.enable", "2"),
            ("PUT /_security/role/readers", "{}", "role.put", "readers"),
            ("DELETE /_security/role/readers", "", "role.delete", "readers"),
            ("PUT /v1/cluster", r#"{"password_complexity": false}"#, "cluster.change", "cluster"),
            ("DELETE /v1/users/2", "", "user.delete", "2"),
        ] {
            let by_admin = |action| (action, "1".into(), subject.into());
            let proved = (action == "password.delete").then(|| by_admin("password.prove"));
            let expected: alloc::vec::Vec<_> = proved.into_iter().chain([by_admin(action)]).collect();
            assert_eq!(call(line, body), expected, "{line} {body}");
        }
        // A token is named by its id, by who asks for it and by who ends it.
        assert_eq!(call("POST /v1/users", r#"{"name": "bob", "password": "bob password"}"#).len(), 1);
        let grant = r#"{"grant_type": "password", "username": "bob", "password": "bob password"}"#;
        let issued = call("POST /_security/oauth2/token", grant);
        assert_eq!((issued.len(), issued[0].0, &*issued[0].1, issued[0].2.len()), (1, "token.issue", "3", 22));
        let ended = call("DELETE /_security/oauth2/token", r#"{"username": "bob"}"#);
        assert_eq!(ended, [("token.revoke", "1".into(), issued[0].2.clone())]);
    }
}
