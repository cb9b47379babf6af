//! Audit records, as data.

use alloc::string::String;
use serde::Serialize;

/// How an audited action ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused; `reason` says why.
    Refused,
}

/// What [`Event::action`] may be. The driver adds some of its own.
pub const ACTIONS: [&str; 34] = [
    "login",
    "access.deny",
    "password.prove",
    "password.add",
    "password.replace",
    "password.delete",
    "user.create",
    "user.change",
    "user.delete",
    "user.enable",
    "user.disable",
    "user.lock",
    "user.unlock",
    "user.logout",
    "token.issue",
    "token.mint",
    "token.refresh",
    "token.reuse",
    "token.note",
    "token.revoke",
    "token.revoke_all",
    "key.rotate",
    "key.import",
    "key.export",
    "key.retire",
    "role.put",
    "role.delete",
    "ssh_key.add",
    "ssh_key.change",
    "ssh_key.delete",
    "schemes.prune",
    "cluster.change",
    "cluster.policy",
    "failure",
];

/// One line of the audit trail (security L1). The driver adds time, source and request id. Never holds a secret: tokens
/// appear as their `jti` or record id.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Event {
    /// What happened, as `noun.verb`, or one word: one of [`ACTIONS`].
    pub action: &'static str,
    /// Who did it: the uid of the caller or the name that was tried.
    pub actor: String,
    /// To whom or what: a uid, `jti`, `kid` or record id.
    pub subject: String,
    /// What changed, where the action alone does not say: `role none -> admin, name`; mostly empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable code of the refusal; empty on success.
    pub reason: &'static str,
    /// Which dialect was spoken.
    pub dialect: &'static str,
}

#[cfg(test)]
mod tests {
    use super::ACTIONS;
    use alloc::vec::Vec;

    #[test]
    fn every_action_is_written_down() {
        let text = include_str!("../../../docs/operating.md");
        let (_, table) = text.split_once("| action |").unwrap();
        let rows = table.split("\n\n").next().unwrap().lines().skip(2);
        let firsts = rows.filter_map(|row| row.split('|').nth(1));
        let documented: Vec<_> = firsts.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        // The server's own follow.
        assert_eq!(documented.get(..ACTIONS.len()), Some(&ACTIONS[..]));
    }
}
