//! Lines of the audit trail (security L1).

use crate::{
    dialect,
    seam::{Event, Op, Outcome},
};
use alloc::string::ToString;
use core::fmt::Display;

/// Adds a line: who did what to whom, and the code of the refusal if it was refused.
pub(crate) fn audit(
    op: &Op<'_>,
    action: &'static str,
    actor: &dyn Display,
    subject: &dyn Display,
    refusal: Option<&'static str>,
) {
    op.event(Event {
        action,
        actor: actor.to_string(),
        subject: subject.to_string(),
        outcome: if refusal.is_some() { Outcome::Refused } else { Outcome::Success },
        reason: refusal.unwrap_or_default(),
        dialect: dialect::name(op.request),
    });
}
