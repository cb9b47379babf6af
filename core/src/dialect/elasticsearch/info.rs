//! Who one is, and the routes that clients ask before they do anything (contract sections 1, 8 and 9).

use super::{
    answer,
    caller::{caller, want_profile},
    user::Shown,
};
use crate::{
    engine,
    record::{User, UserProfile},
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use serde::Serialize;
use serde_json::json as value;

/// The name of the one realm: what the product calls its own users' realm unless told otherwise, so that clients which name
/// it need no change.
pub(super) const REALM: &str = "default_native";

#[derive(Serialize)]
struct Realm {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A user, and how that user was authenticated.
#[derive(Serialize)]
pub(super) struct About {
    #[serde(flatten)]
    user: Shown,
    authentication_realm: Realm,
    lookup_realm: Realm,
    authentication_type: &'static str,
}

/// What `user` looks like, authenticated by `realm` or by `token`.
pub(super) fn about(user: &User, profile: UserProfile, authentication_type: &'static str) -> Result<About, Refusal> {
    let realm = || Realm { name: REALM, kind: "native" };
    Ok(About {
        user: Shown::new(user, profile)?,
        authentication_realm: realm(),
        lookup_realm: realm(),
        authentication_type,
    })
}

/// `GET …/_authenticate`: who the caller is.
pub(super) fn authenticate(op: &Op<'_>) -> Result<Response, Stop> {
    want_profile(op);
    let caller = caller(op)?;
    let profile = engine::profile(op, caller.user.uid)?;
    Ok(answer::json(op, 200, &about(&caller.user, profile, if caller.token.is_some() { "token" } else { "realm" })?))
}

/// `GET /`: what clients of 7.17 ask first, with their credentials.
pub(super) fn banner(op: &Op<'_>) -> Result<Response, Stop> {
    caller(op)?;
    let service = &op.settings.service;
    Ok(answer::json(
        op,
        200,
        &value!({
            "name": service,
            "cluster_name": service,
            "cluster_uuid": service,
            "version": {
                "number": op.settings.elasticsearch.version,
                "build_flavor": "default",
                "build_type": "unknown",
                "build_hash": "unknown",
                "build_date": "1970-01-01T00:00:00Z",
                "build_snapshot": false,
                "lucene_version": "9.0.0",
                "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            },
            "tagline": "You Know, for Search",
        }),
    ))
}

/// `GET /_cluster/health`: the protected resource of the documentation's example.
pub(super) fn health(op: &Op<'_>) -> Result<Response, Stop> {
    caller(op)?;
    Ok(answer::json(
        op,
        200,
        &value!({
            "cluster_name": op.settings.service,
            "status": "green",
            "timed_out": false,
            "number_of_nodes": 1,
            "number_of_data_nodes": 1,
            "active_primary_shards": 0,
            "active_shards": 0,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": 0,
            "unassigned_primary_shards": 0,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": 100.0,
        }),
    ))
}
