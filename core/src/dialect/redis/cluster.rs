//! `/v1/cluster` and `/v1/cluster/policy`: policies that administrators change at run time (contract section 8).

use super::{
    body::Body,
    caller::caller,
    error::{forbidden, invalid},
    json,
};
use crate::{
    engine::{self, add_detail, audit_change},
    password::Scheme,
    record::{Cluster, Role, User, key},
    seam::{Op, Response, Stop},
    settings::is_name,
};
use alloc::string::{String, ToString};
use serde::Serialize;

/// The members of the cluster that can be changed, and those of its lockout policy.
const CHANGEABLE: [&str; 5] =
    ["name", "password_complexity", "password_min_length", "password_expiration_duration", "cm_session_timeout_minutes"];
const POLICY: [&str; 3] = ["login_lockout_threshold", "login_lockout_counter_reset_after", "login_lockout_duration"];

#[derive(Serialize)]
struct Shown {
    name: String,
    password_complexity: bool,
    password_min_length: u16,
    password_expiration_duration: u32,
    password_hashing_algorithm: &'static str,
    cm_session_timeout_minutes: u32,
}

#[derive(Serialize)]
struct Policy {
    login_lockout_threshold: u32,
    login_lockout_counter_reset_after: u32,
    login_lockout_duration: u32,
}

/// The cluster object, for every role but `none`.
pub(super) fn show(op: &Op<'_>) -> Result<Response, Stop> {
    reader(op)?;
    let cluster = engine::cluster(op)?;
    answer(op, &cluster)
}

/// Changes of the password rules.
pub(super) fn change(op: &Op<'_>) -> Result<Response, Stop> {
    let actor = caller(op)?.user;
    let body = Body::required(op)?;
    let [name_field, complexity, min_length, expiration, session] = CHANGEABLE;
    let name = body.text(name_field)?;
    let complexity = body.flag(complexity)?;
    let min_length = body.integer_within(min_length, 8, 256)?;
    let expiration = body.integer_within(expiration, 0, 36_500)?;
    let session = body.integer_within(session, 0, 525_600)?;
    if name.as_ref().is_some_and(|name| !is_name(name)) {
        return invalid("`name` must be 1 to 256 characters, none of them a control character");
    }
    if actor.role != Role::Admin {
        return forbidden();
    }
    let refused = !op.settings.passwords.policy.takes_complexity_and_expiry();
    if refused && (complexity == Some(true) || expiration.is_some_and(|days| days > 0)) {
        return invalid(
            "`password_complexity` and `password_expiration_duration` do not go with the server's policy for passwords, `nist`, which \
             knows neither rules of composition nor expiry",
        );
    }
    let known = engine::cluster(op)?;
    let mut cluster = known.clone();
    cluster.name = name.or(cluster.name);
    cluster.password_complexity = complexity.or(cluster.password_complexity);
    cluster.password_min_length = min_length.and_then(|min| u16::try_from(min).ok()).unwrap_or(cluster.password_min_length);
    cluster.password_expiration_duration = expiration.unwrap_or(cluster.password_expiration_duration);
    cluster.cm_session_timeout_minutes = session.unwrap_or(cluster.cm_session_timeout_minutes);
    store(op, &actor, "cluster.change", &known, &cluster);
    answer(op, &cluster)
}

/// The lockout policy.
pub(super) fn show_policy(op: &Op<'_>) -> Result<Response, Stop> {
    reader(op)?;
    policy(&engine::cluster(op)?)
}

/// Changes of the lockout policy.
pub(super) fn change_policy(op: &Op<'_>) -> Result<Response, Stop> {
    let actor = caller(op)?.user;
    let body = Body::required(op)?;
    let [threshold, reset_after, duration] = POLICY;
    let threshold = body.integer_within(threshold, 0, 10_000)?;
    let reset_after = body.integer_within(reset_after, 0, 31_536_000)?;
    let duration = body.integer_within(duration, 0, 31_536_000)?;
    if actor.role != Role::Admin {
        return forbidden();
    }
    let known = engine::cluster(op)?;
    let mut cluster = known.clone();
    cluster.login_lockout_threshold = threshold.unwrap_or(cluster.login_lockout_threshold);
    cluster.login_lockout_counter_reset_after = reset_after.unwrap_or(cluster.login_lockout_counter_reset_after);
    cluster.login_lockout_duration = duration.unwrap_or(cluster.login_lockout_duration);
    store(op, &actor, "cluster.policy", &known, &cluster);
    policy(&cluster)
}

/// The algorithm is this server's own and stronger than both that the vendor offers, so no change is taken.
pub(super) fn change_hashing(op: &Op<'_>) -> Result<Response, Stop> {
    let actor = caller(op)?.user;
    let body = Body::required(op)?;
    let _ = Body::need("algorithm", body.text("algorithm")?)?;
    if actor.role != Role::Admin {
        return forbidden();
    }
    invalid("the hashing algorithm is set in the configuration of the server")
}

fn reader(op: &Op<'_>) -> Result<(), Stop> {
    if caller(op)?.user.role == Role::None { forbidden() } else { Ok(()) }
}

/// Stores what has become of `known`, and tells what has changed; neither when nothing has.
fn store(op: &Op<'_>, actor: &User, action: &'static str, known: &Cluster, cluster: &Cluster) {
    let mut detail = String::new();
    let mut compare = |member, before: &dyn ToString, after: &dyn ToString| {
        let [before, after] = [before, after].map(ToString::to_string);
        if before != after {
            add_detail(&mut detail, &[member, " ", &before, " -> ", &after]);
        }
    };
    let complexity =
        |cluster: &Cluster| cluster.password_complexity.map_or("unset", |on| if on { "true" } else { "false" });
    let [_, complex, min_length, expiration, session] = CHANGEABLE;
    compare(complex, &complexity(known), &complexity(cluster));
    compare(min_length, &known.password_min_length, &cluster.password_min_length);
    compare(expiration, &known.password_expiration_duration, &cluster.password_expiration_duration);
    compare(session, &known.cm_session_timeout_minutes, &cluster.cm_session_timeout_minutes);
    let [threshold, reset_after, duration] = POLICY;
    compare(threshold, &known.login_lockout_threshold, &cluster.login_lockout_threshold);
    compare(reset_after, &known.login_lockout_counter_reset_after, &cluster.login_lockout_counter_reset_after);
    compare(duration, &known.login_lockout_duration, &cluster.login_lockout_duration);
    if known.name != cluster.name {
        add_detail(&mut detail, &["name"]);
    }
    if !detail.is_empty() {
        op.store(key::cluster(), cluster);
        audit_change(op, action, &actor.uid, &"cluster", detail);
    }
}

fn answer(op: &Op<'_>, cluster: &Cluster) -> Result<Response, Stop> {
    json(&Shown {
        name: cluster.name.clone().unwrap_or_else(|| op.settings.service.clone()),
        password_complexity: cluster.complexity(op.settings.passwords.policy),
        password_min_length: cluster.password_min_length,
        password_expiration_duration: cluster.expiration_days(op.settings.passwords.policy),
        password_hashing_algorithm: match op.settings.passwords.scheme {
            Scheme::Argon2id { .. } => "Argon2id",
            Scheme::Pbkdf2Sha256 { .. } => "PBKDF2",
        },
        cm_session_timeout_minutes: cluster.cm_session_timeout_minutes,
    })
}

fn policy(cluster: &Cluster) -> Result<Response, Stop> {
    json(&Policy {
        login_lockout_threshold: cluster.login_lockout_threshold,
        login_lockout_counter_reset_after: cluster.login_lockout_counter_reset_after,
        login_lockout_duration: cluster.login_lockout_duration,
    })
}
