//! The table of settings.

use super::kind::{Grammar, ValueKind};
use crate::{http::Network, text::hex};
use core::net::SocketAddr;
use tracing_subscriber::{EnvFilter, filter::Targets};
use waxseal_core::{
    record::Role,
    settings::{self, MAX_AUTHORIZATION_LIFE, MAX_TOKEN_LIFE},
    token::MAX_LEEWAY,
};

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its dotted path: sections of the file and the name in them.
    pub path: &'static str,
    /// What is allowed.
    pub kind: ValueKind,
    /// What it does, in a sentence without a full stop.
    pub about: &'static str,
}

impl Setting {
    /// The setting with this path.
    pub fn find(path: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.path == path)
    }
}

const fn row(path: &'static str, kind: ValueKind, about: &'static str) -> Setting {
    Setting { path, kind, about }
}

const fn number(min: u32, max: u32) -> ValueKind {
    ValueKind::Number { min, max, unit: "" }
}

const fn seconds(min: u32, max: u32) -> ValueKind {
    ValueKind::Number { min, max, unit: "seconds" }
}

const fn octets(min: u32, max: u32) -> ValueKind {
    ValueKind::Number { min, max, unit: "octets" }
}

const ALGORITHMS: ValueKind = ValueKind::Choice(&["HS256", "HS384", "HS512", "EdDSA", "ES256", "Ed25519"]);

const ENGINES: ValueKind = ValueKind::Choice(&["native", "module"]);

/// Every setting, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    row("issuer", ValueKind::Text(NAME), "`iss` of every token, compared octet for octet"),
    row("audience", ValueKind::Optional(NAME), "`aud` of every token"),
    row("leeway", seconds(0, MAX_LEEWAY), "how far `exp`, `nbf` and `iat` may be off"),
    row(
        "signing_algorithm",
        ALGORITHMS,
        "how the first key of a new server signs; later ones are chosen by `waxseal key rotate --algorithm`",
    ),
    row(
        "service",
        ValueKind::Text(NAME),
        "name of the service and of the Redis cluster object; `nist` refuses passwords that are little more than it, or than the name that \
         administrators have given the cluster",
    ),
    row("server.listen", ValueKind::Text(SOCKET), "where the server listens; port 0 takes a free one"),
    row(
        "server.operations",
        ValueKind::Optional(SOCKET),
        "a second address where `/metrics` and the health routes are answered, in plain HTTP",
    ),
    row("server.tls_cert", ValueKind::Optional(FILE), "PEM file with the certificate and its intermediates"),
    row("server.tls_key", ValueKind::Optional(FILE), "PEM file with the private key, readable by the owner only"),
    row(
        "server.tls_client_ca",
        ValueKind::Optional(FILE),
        "PEM file with certificate authorities; every client must then show a certificate that one of them has issued",
    ),
    row("server.allow_plain_http", ValueKind::Switch, "whether plain HTTP is served where other machines can reach it"),
    row("server.trusted_proxies", ValueKind::List(NETWORK), "proxies whose forwarding headers are believed"),
    row(
        "server.forwarding",
        ValueKind::Choice(&["x_forwarded", "forwarded"]),
        "which headers these proxies write: `X-Forwarded-For`, `-Proto` and `-Host`, or `Forwarded` (RFC 7239)",
    ),
    row("server.page", ValueKind::Switch, "whether `GET /` shows the page to a browser"),
    row("server.max_connections", number(1, 1_000_000), "how many connections may be open at once"),
    row(
        "server.max_in_flight",
        number(1, 100_000),
        "how many requests may be in progress at once; any more are answered with 503",
    ),
    row(
        "server.head_bytes",
        octets(8_192, 65_536),
        "how large the request line and the headers may be together; larger ones are answered with 431",
    ),
    row(
        "server.body_bytes",
        octets(1_024, 1_048_576),
        "how large a request's body may be; a larger one is answered with 413",
    ),
    row(
        "server.head_secs",
        seconds(1, 60),
        "how long it may take from the opening of a connection, or a later request's first octet, to the end of the head",
    ),
    row(
        "server.request_secs",
        seconds(1, 600),
        "how long a body may take to arrive, then its answer to be made, then that to be sent, a second more for each 4 KiB of it; an \
         answer not made in time becomes a 503, though the request may still be carried out",
    ),
    row("server.idle_secs", seconds(1, 3_600), "how long a connection may be open without a request"),
    row("server.drain_secs", seconds(0, 600), "how long requests in progress may take to finish when the server stops"),
    row(
        "log.format",
        ValueKind::Choice(&["auto", "text", "json"]),
        "shape of log records on standard error; `auto` is text on a terminal, JSON otherwise",
    ),
    row("log.filter", ValueKind::Text(FILTER), "log levels in the syntax of `tracing`: `info`, `waxseal=debug`, …"),
    row("engine.hot", ENGINES, "what answers `/auth/verify`, `/auth/envoy` and `/auth/introspect`"),
    row("engine.api", ENGINES, "what answers everything else"),
    row(
        "engine.module",
        ValueKind::Optional(FILE),
        "a module, from `waxseal module export` of another build, that answers everything instead of the one in this binary",
    ),
    row(
        "engine.module_sha256",
        ValueKind::Optional(SHA256),
        "the SHA-256 of that file, without which it is not run: its author decides who gets in",
    ),
    row(
        "engine.instances",
        number(1, 4_096),
        "how many instances of the module there may be at once; any further request waits for one",
    ),
    row(
        "engine.kdf_workers",
        number(0, 256),
        "how many passwords are derived at once, on the last core only while no other requests are answered; 0 means one per core",
    ),
    row(
        "engine.kdf_queue",
        number(0, 65_536),
        "how many password derivations may wait; 0 means 64 per worker; any more are answered with 503",
    ),
    row("dialects.redis", ValueKind::Switch, "whether `/v1/…` is answered"),
    row("dialects.openshift", ValueKind::Switch, "whether `/broker/rest/…` is answered"),
    row(
        "dialects.elasticsearch",
        ValueKind::Switch,
        "whether `/_security/…`, `/_xpack/…`, `/_cluster/health` and the banner at `/` are answered",
    ),
    row("passwords.policy", ValueKind::Choice(&["open", "redis", "nist"]), "the rules for new passwords"),
    row(
        "passwords.scheme",
        ValueKind::Scheme,
        "how new passwords are hashed; older hashes are redone at the next good login",
    ),
    row("passwords.max_per_user", number(1, 64), "how many passwords a user may have at once"),
    row(
        "throttle.vendor_lockout",
        ValueKind::Switch,
        "whether failures are counted per user over all sources, as the vendor does; anybody can then lock an owner out",
    ),
    row(
        "throttle.account_ceiling",
        number(5, 100),
        "how many failures in a row on one account, from all sources together, before it is throttled hard",
    ),
    row("throttle.account_pause", seconds(1, 86_400), "how long an account stays throttled after that"),
    row(
        "throttle.source_limit",
        number(0, 1_000_000),
        "how many failures from one source, over all names, before it is throttled; 0 means no limit",
    ),
    row("throttle.source_window", seconds(1, 86_400), "the time over which the failures of one source are counted"),
    row("throttle.ipv4_prefix", number(8, 32), "how many leading bits of an IPv4 address make up one source"),
    row("throttle.ipv6_prefix", number(16, 128), "how many leading bits of an IPv6 address make up one source"),
    row("redis.ttl.min", seconds(1, MAX_TOKEN_LIFE), "shortest life of a token that a client may ask for"),
    row("redis.ttl.default", seconds(1, MAX_TOKEN_LIFE), "life of a token when the client asks for none"),
    row("redis.ttl.max", seconds(1, MAX_TOKEN_LIFE), "longest life of a token that a client may ask for"),
    row(
        "redis.require_old_password",
        ValueKind::Switch,
        "whether `old_password` is demanded even with an `Authorization` header, as in versions up to 7.4",
    ),
    row(
        "openshift.public_url",
        ValueKind::Optional(ORIGIN),
        "scheme and authority in the links of answers; taken from the request unless set",
    ),
    row(
        "openshift.auth_scope_timeouts",
        ValueKind::Timeouts,
        "the lives of all scopes at once, in the broker's notation; replaces the six settings below",
    ),
    row(
        "openshift.session.default",
        seconds(1, MAX_AUTHORIZATION_LIFE),
        "life of a `session` authorization when none is asked for",
    ),
    row("openshift.session.max", seconds(1, MAX_AUTHORIZATION_LIFE), "longest life of a `session` authorization"),
    row(
        "openshift.read.default",
        seconds(1, MAX_AUTHORIZATION_LIFE),
        "life of a `read` authorization when none is asked for",
    ),
    row("openshift.read.max", seconds(1, MAX_AUTHORIZATION_LIFE), "longest life of a `read` authorization"),
    row(
        "openshift.userinfo.default",
        seconds(1, MAX_AUTHORIZATION_LIFE),
        "life of a `userinfo` authorization when none is asked for",
    ),
    row("openshift.userinfo.max", seconds(1, MAX_AUTHORIZATION_LIFE), "longest life of a `userinfo` authorization"),
    row(
        "openshift.password_change_revokes",
        ValueKind::Switch,
        "whether a replaced password list ends the user's authorizations",
    ),
    row("elasticsearch.token_timeout", seconds(1, 3_600), "life of an access token"),
    row("elasticsearch.family_max", seconds(3_600, 31_536_000), "how long after a login tokens can be renewed"),
    row(
        "elasticsearch.password_grant",
        ValueKind::Switch,
        "whether the password grant is offered; current practice forbids it for new systems (RFC 9700)",
    ),
    row("elasticsearch.version", ValueKind::Text(VERSION), "`version.number` in the answer to `GET /`"),
    row(
        "gateway.introspection_roles",
        ValueKind::List(ROLE),
        "roles that may introspect tokens of others; only `admin` revokes them",
    ),
    row("gateway.key_lead", seconds(0, 86_400), "how long a new public key is published before it signs"),
    row("gateway.revocations_max_age", seconds(120, 86_400), "the age at which a revocation snapshot is too old to go by"),
    row(
        "gateway.revocations_every",
        seconds(1, 60),
        "how long everybody who asks is given the same revocation snapshot before a new one is made",
    ),
];

const NAME: Grammar =
    Grammar { words: "a text of 1 to 256 characters, none of them a control character", holds: settings::is_name };

const SOCKET: Grammar = Grammar {
    words: "an address and a port, such as `127.0.0.1:8080` or `[::1]:8080`",
    holds: |text| text.parse::<SocketAddr>().is_ok(),
};

const FILE: Grammar =
    Grammar { words: "the path of a file", holds: |text| !text.is_empty() && !text.chars().any(char::is_control) };

const SHA256: Grammar =
    Grammar { words: "64 hexadecimal digits in lower case", holds: |text| hex::digest(text.as_bytes()).is_some() };

const NETWORK: Grammar = Grammar {
    words: "an address or range, such as `10.0.0.0/8` or `2001:db8::1`",
    holds: |text| text.parse::<Network>().is_ok(),
};

const FILTER: Grammar = Grammar {
    words: "a level (`error`, `warn`, `info`, `debug`, `trace`, `off`) or a list such as `info,waxseal=debug`",
    holds: |text| {
        let known = text.parse::<Targets>().is_ok() && text.parse::<EnvFilter>().is_ok();
        // To the library any other word is the name of a module, and everything else is off.
        let is_level =
            |part: &str| ["error", "warn", "info", "debug", "trace", "off"].contains(&part.to_lowercase().as_str());
        known && text.split(',').map(str::trim).all(|part| part.contains(['=', '[']) || is_level(part))
    },
};

const ORIGIN: Grammar = Grammar {
    words: "`http://` or `https://` with a host and an optional port, nothing after it",
    holds: settings::is_origin,
};

const VERSION: Grammar = Grammar { words: "three numbers, such as `8.19.3`", holds: settings::is_version };

const ROLE: Grammar = Grammar {
    words: "one of `admin`, `cluster_member`, `cluster_viewer`, `db_member`, `db_viewer`, `none`, `user_manager`",
    holds: |text| Role::parse(text).is_some(),
};

/// The bounds that core holds other drivers to are those of the table.
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use waxseal_core::{record::Scope, settings::Settings, token::Algorithm};

    /// Whether core takes `number` for the setting `path`; `None` where it is none of core's.
    fn takes(path: &str, number: u32) -> Option<bool> {
        let mut settings = serde_json::to_value(Settings::default()).unwrap();
        let (section, name) = path
            .rsplit_once('.')
            .map_or((String::new(), path), |(section, name)| (format!("/{}", section.replace('.', "/")), name));
        let members = settings.pointer_mut(&section)?.as_object_mut()?;
        members.get(name)?;
        // The three of a lifetime have to be in order, so they are set together.
        let together = ["min", "default", "max"];
        let names = if together.contains(&name) { together.as_slice() } else { &[name] };
        members.extend(names.iter().map(|name| ((*name).to_owned(), json!(number))));
        let read = serde_json::from_value::<Settings>(settings);
        Some(read.is_ok_and(|settings| settings.check().is_ok()))
    }

    #[test]
    fn numbers_have_the_bounds_that_core_has() {
        let mut held = 0;
        for setting in SETTINGS {
            let ValueKind::Number { min, max, .. } = setting.kind else { continue };
            let Some(taken) = takes(setting.path, min) else { continue };
            held += 1;
            assert!(taken, "{} = {min}", setting.path);
            assert_eq!(takes(setting.path, max), Some(true), "{} = {max}", setting.path);
            assert_eq!(takes(setting.path, max + 1), Some(false), "{} = {}", setting.path, max + 1);
            if let Some(below) = min.checked_sub(1) {
                assert_eq!(takes(setting.path, below), Some(false), "{} = {below}", setting.path);
            }
        }
        assert_eq!(held, 22);
    }

    #[test]
    fn words_are_those_of_core() {
        let algorithms: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
        let ValueKind::Choice(words) = ALGORITHMS else { panic!("{ALGORITHMS}") };
        assert_eq!(words, algorithms);
        assert_eq!(super::super::notation::SCOPES, Scope::ALL.map(Scope::as_str));
        let roles = Role::ALL.iter().all(|role| ROLE.words.contains(&format!("`{}`", role.as_str())));
        assert!(roles && ROLE.words.matches('`').count() == 2 * Role::ALL.len());
        let policies = Setting::find("passwords.policy").unwrap().kind;
        let ValueKind::Choice(policies) = policies else { panic!("{policies}") };
        for policy in policies {
            serde_json::from_value::<waxseal_core::settings::PolicyName>(Value::from(*policy)).unwrap();
        }
    }
}
