//! `/broker/rest/api` and `/broker/rest/user` (contract section 11).

use super::{
    Authenticated, Exchange,
    envelope::Reply,
    links::{Link, Optional, Required},
    scopes::bounds,
};
use crate::{hex, record::Scope, sorted::Sorted};
use alloc::{format, string::String, string::ToString, vec, vec::Vec};
use core::fmt::Write;
use serde_json::{Value, json};

/// The links a client starts from; no credentials are needed.
pub(super) fn api(exchange: &Exchange<'_>) -> Reply {
    let mut links = Sorted::default();
    links.insert("API", exchange.link("GET", "API entry point", "/api", &[]));
    links.insert("GET_USER", exchange.link("GET", "Get user information", "/user", &[]));
    links.insert("LIST_DOMAINS", exchange.link("GET", "List all domains", "/domains", &[]));
    links.insert("LIST_CARTRIDGES", exchange.link("GET", "List cartridges", "/cartridges", &[]));
    if exchange.agreed.version >= 12 {
        const ID: &[Required] = &[Required::text(":id", "Unique identifier of the authorization")];
        let show = exchange.link("GET", "Retrieve authorization :id", "/user/authorization/:id", ID);
        links.insert("LIST_AUTHORIZATIONS", exchange.link("GET", "List authorizations", "/user/authorizations", &[]));
        links.insert("SHOW_AUTHORIZATION", show);
        links.insert("ADD_AUTHORIZATION", add(exchange));
    }
    // These are the data themselves, not decoration of it: `nolinks` leaves them.
    Reply::of("links", links)
}

/// How an authorization is added.
fn add(exchange: &Exchange<'_>) -> Link {
    let link = exchange.link("POST", "Add new authorization", "/user/authorizations", &[]);
    link.taking(vec![
        Optional {
            name: "scope",
            kind: "string",
            description: scope_description(exchange),
            valid_options: Scope::ALL.iter().map(|scope| scope.as_str().into()).collect(),
            default_value: Scope::Userinfo.as_str().into(),
        },
        Optional {
            name: "note",
            kind: "string",
            description: "A description to remind you what this authorization is for.".into(),
            valid_options: Vec::new(),
            default_value: Value::Null,
        },
        Optional {
            name: "expires_in",
            kind: "integer",
            description: "The number of seconds before this authorization expires. \
                Out of range values will be set to the maximum allowed time."
                .into(),
            valid_options: Vec::new(),
            default_value: (-1).into(),
        },
        Optional {
            name: "reuse",
            kind: "boolean",
            description:
                "Attempt to locate and reuse an authorization that matches the scope and note and has not yet expired."
                    .into(),
            valid_options: vec![true.into(), false.into()],
            default_value: false.into(),
        },
    ])
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

/// What a link says that adding a key takes.
const KEY: &[Required] = &[
    Required::text("name", "Name of the key"),
    Required::text("type", "Type of the key, such as ssh-rsa"),
    Required::text("content", "The key portion of the public key file"),
];

/// The account.
pub(super) fn user(request: &Authenticated<'_>) -> Reply {
    let (exchange, user) = (&request.exchange, &request.caller.user);
    Reply::of(
        "user",
        json!({
            "id": hex::encode(&user.id),
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
                "ADD_KEY": exchange.link("POST", "Add new SSH key", "/user/keys", KEY),
                "LIST_KEYS": exchange.link("GET", "Get SSH keys", "/user/keys", &[]),
            },
        }),
    )
}
