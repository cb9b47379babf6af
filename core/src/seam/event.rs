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

/// One line of the audit trail (security L1). The driver adds time, source and request id. Never holds a secret: tokens
/// appear as their `jti` or record id.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Event {
    /// What happened, as `noun.verb`: `login`, `token.issue`, `password.add`, `user.create`, …
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
