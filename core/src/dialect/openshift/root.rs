//! `/broker/rest/api` and `/broker/rest/user` (contract section 11).

use super::{
    Exchange, Request,
    envelope::Reply,
    links::{optional, required},
    scopes::bounds,
};
use crate::{engine, record::Scope, seam::Response};
use alloc::{format, string::String, string::ToString, vec::Vec};
use core::fmt::Write;
use serde_json::{Map, Value, json};

/// The links a client starts from; no credentials are needed.
pub(super) fn api(exchange: &Exchange<'_>) -> Response {
    let mut links = Map::new();
    let mut link = |name: &str, link: Value| _ = links.insert(name.into(), link);
    link("API", exchange.plain_link("GET", "API entry point", "/api"));
    link("GET_USER", exchange.plain_link("GET", "Get user information", "/user"));
    link("LIST_DOMAINS", exchange.plain_link("GET", "List all domains", "/domains"));
    link("LIST_CARTRIDGES", exchange.plain_link("GET", "List cartridges", "/cartridges"));
    if exchange.agreed.version >= 12 {
        link("LIST_AUTHORIZATIONS", exchange.plain_link("GET", "List authorizations", "/user/authorizations"));
        let id = json!([required(":id", "Unique identifier of the authorization")]);
        link(
            "SHOW_AUTHORIZATION",
            exchange.link("GET", "Retrieve authorization :id", "/user/authorization/:id", &id, &json!([])),
        );
        let offered: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let parameters = json!([
            optional("scope", "string", &scope_description(exchange), &json!(offered), &json!("userinfo")),
            optional(
                "note",
                "string",
                "A description to remind you what this authorization is for.",
                &json!([]),
                &Value::Null
            ),
            optional(
                "expires_in",
                "integer",
                "The number of seconds before this authorization expires. Out of range values will be set to the maximum allowed time.",
                &json!([]),
                &json!(-1)
            ),
            optional(
                "reuse",
                "boolean",
                "Attempt to locate and reuse an authorization that matches the scope and note and has not yet expired.",
                &json!([true, false]),
                &json!(false)
            ),
        ]);
        link(
            "ADD_AUTHORIZATION",
            exchange.link("POST", "Add new authorization", "/user/authorizations", &json!([]), &parameters),
        );
    }
    // These are the data themselves, not decoration of it: `nolinks` leaves them.
    exchange.send(Reply::of("links", Value::Object(links)))
}

/// The text of the scope parameter, whose lines clients parse.
fn scope_description(exchange: &Exchange<'_>) -> String {
    let mut text = String::from("Select one or more scopes that this authorization will grant access to:\n\n");
    for scope in Scope::ALL {
        let grants = match scope {
            Scope::Session => "Grants a client the authority to perform all API actions against your account.",
            Scope::Read => {
                "Allows the client to access resources you own without making changes, but not to see your authorizations."
            }
            Scope::Userinfo => "Allows a client to view your login name and unique id, and nothing else.",
        };
        let life = span(bounds(&exchange.op.settings.openshift, scope).default());
        // Writing to a string does not fail.
        let _ = write!(text, "*  {}\n   {grants} Valid for {life}.\n", scope.as_str());
    }
    text
}

/// Seconds in the largest unit that fits.
fn span(secs: u32) -> String {
    let (count, unit) = match secs {
        _ if secs.is_multiple_of(86_400) => (secs / 86_400, "day"),
        _ if secs.is_multiple_of(3600) => (secs / 3600, "hour"),
        _ => (secs, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The account.
pub(super) fn user(request: &Request<'_>) -> Reply {
    let (exchange, user) = (&request.exchange, &request.caller.user);
    let key = json!([
        required("name", "Name of the key"),
        required("type", "Type of the key, such as ssh-rsa"),
        required("content", "The key portion of the public key file")
    ]);
    Reply::of(
        "user",
        json!({
            "id": engine::hex(&user.id),
            "login": user.name,
            "email": if user.email.is_empty() { Value::Null } else { user.email.clone().into() },
            "capabilities": {
                "subaccounts": false,
                "gear_sizes": [],
                "max_domains": 0,
                "max_gears": 0,
                "max_teams": 0,
                "plan_upgrade_enabled": false,
                "private_ssl_certificates": false,
            },
            "consumed_gears": 0,
            "max_gears": 0,
            "max_domains": 0,
            "max_teams": 0,
            "plan_id": null,
            "plan_state": null,
            "plan_expiration_date": null,
            "plan_quantity": 1,
            "usage_account_id": null,
            "usage_rates": {},
            "currency_cd": null,
            "created_at": user.created.to_string(),
            "links": {
                "ADD_KEY": exchange.link("POST", "Add new SSH key", "/user/keys", &key, &json!([])),
                "LIST_KEYS": exchange.plain_link("GET", "Get SSH keys", "/user/keys"),
            },
        }),
    )
}
