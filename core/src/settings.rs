//! What an operator may configure, as data given to core with each call.
//!
//! The host reads these from file, environment and flags and checks them; core only obeys. Every field has the default that
//! its source names.

use crate::{
    lifetime::{Bounds, Manner},
    password::Scheme,
    record::Role,
    token::{ACCESS, Algorithm, MAX_LEEWAY, Profile},
};
use alloc::{string::String, vec::Vec};
use core::{fmt, net::Ipv6Addr};
use serde::{Deserialize, Serialize};

/// Everything an operator may configure.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `iss` of every token, compared octet for octet (security T6). Default `waxseal`.
    pub issuer: String,
    /// `aud` of every token; none by default.
    pub audience: Option<String>,
    /// Seconds by which `exp`, `nbf` and `iat` may be off; 0 to 60, default 0 (security T9).
    pub leeway: u32,
    /// How the first key of a new server signs; later ones are chosen when keys are rotated. Default `HS256`.
    pub signing_algorithm: Algorithm,
    /// Name of the service and of the Redis cluster object; the policy `nist` refuses passwords that are little more than it. Default
    /// `waxseal`.
    pub service: String,
    /// Which dialects are spoken.
    pub dialects: Dialects,
    /// Rules for new passwords.
    pub passwords: Passwords,
    /// Limits on failed logins.
    pub throttle: Throttle,
    /// The Redis dialect.
    pub redis: Redis,
    /// The OpenShift dialect.
    pub openshift: Openshift,
    /// The Elasticsearch dialect.
    pub elasticsearch: Elasticsearch,
    /// Verification for reverse proxies, introspection, revocation.
    pub gateway: Gateway,
}

/// Which dialects are spoken; the routes of the others answer 404.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialects {
    /// `/v1/…`
    pub redis: bool,
    /// `/broker/rest/…`
    pub openshift: bool,
    /// `/_security/…`, `/_xpack/…`
    pub elasticsearch: bool,
}

/// Named rules for new passwords (security P1).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyName {
    /// No rule besides "not empty": for evaluation and tests.
    Open,
    /// The complexity and expiry rules of the Redis dialect.
    Redis,
    /// NIST SP 800-63B-4: length and blocklist, no composition, no expiry.
    Nist,
}

impl PolicyName {
    /// Whether administrators may demand a composition of passwords, and let them expire.
    pub const fn takes_complexity_and_expiry(self) -> bool {
        !matches!(self, Self::Nist)
    }

    /// Whether passwords need a composition where no administrator has said.
    pub const fn is_complex(self) -> bool {
        matches!(self, Self::Redis)
    }
}

/// Rules for passwords.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// The policy for new passwords. Default `open`; a generated production configuration says `nist`.
    pub policy: PolicyName,
    /// How new passwords are hashed; older hashes are redone at the next good login.
    pub scheme: Scheme,
    /// How many passwords a user may have at once; 1 to 64, default 16.
    pub max_per_user: u8,
}

/// Leading bits that the IPv6 networks of one customer share at least: providers give out a /48 at most, and often a /56 or /64 (RFC 6177).
pub const SITE_PREFIX: u8 = 48;

/// Limits on failed logins (security P8). The vendor's threshold, reset and duration stand in the cluster policy record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// The vendor's exact behaviour: failures count per user over all sources, so that anybody can lock an owner out.
    pub vendor_lockout: bool,
    /// Failures in a row on one account over all sources before it is throttled hard; 5 to 100, default 100.
    pub account_ceiling: u32,
    /// Seconds an account stays throttled after the ceiling; default 900.
    pub account_pause: u32,
    /// Failures from one source (over all names) within `source_window` before it is throttled; 0 = no limit. Default 1000.
    pub source_limit: u32,
    /// Seconds over which the failures of one source are counted; default 300.
    pub source_window: u32,
    /// Leading bits of an IPv4 address that make one source; default 32.
    pub ipv4_prefix: u8,
    /// Leading bits of an IPv6 address that make one source; default 64.
    pub ipv6_prefix: u8,
}

/// Settings of the Redis dialect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// Life of a token, refused outside 1…86400, default 300 (contract/redis.md section 4).
    pub ttl: Bounds,
    /// `old_password` is demanded also with an `Authorization` header, as up to 7.4 (contract/redis.md section 6).
    pub require_old_password: bool,
}

/// Settings of the OpenShift dialect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Openshift {
    /// Scheme and authority that clients see, such as `https://broker.example.com`; else taken from the request.
    pub public_url: Option<String>,
    /// Life of a `session` authorization: default one day, maximum seven (contract/openshift.md section 3).
    pub session: Bounds,
    /// Life of a `read` authorization: default 30 days, maximum 180.
    pub read: Bounds,
    /// Life of a `userinfo` authorization: default 30 days, maximum 180.
    pub userinfo: Bounds,
    /// A replaced password list ends the user's authorizations (security T15); `false` is the old broker's behaviour.
    pub password_change_revokes: bool,
}

/// Settings of the Elasticsearch dialect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elasticsearch {
    /// Life of an access token in seconds: 1 to 3600, default 1200 (contract/elasticsearch.md section 8).
    pub token_timeout: u32,
    /// Seconds after a login for which the refresh tokens that came of it are good: 3600 to 31536000, default 30 days (security T17).
    pub family_max: u32,
    /// Whether the password grant is offered (security P11).
    pub password_grant: bool,
    /// `version.number` in the answer to `GET /`.
    pub version: String,
}

/// Settings of the routes for reverse proxies and resource servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// Roles that may introspect any token; everybody may introspect and revoke their own, and only `admin` revokes those of others.
    pub introspection_roles: Vec<String>,
    /// Seconds for which a new public key is published before it signs, so that every verifier has read it by then; verifiers may
    /// keep the published keys for half of it. 0 to 86400, default 600.
    pub key_lead: u32,
    /// Seconds after which a revocation snapshot is too old to go by; 120 to 86400, default 600.
    pub revocations_max_age: u32,
    /// Seconds for which one revocation snapshot is given to all who ask; 1 to 60, default 5.
    pub revocations_every: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: "waxseal".into(),
            audience: None,
            leeway: 0,
            signing_algorithm: Algorithm::Hs256,
            service: "waxseal".into(),
            dialects: Dialects::default(),
            passwords: Passwords::default(),
            throttle: Throttle::default(),
            redis: Redis::default(),
            openshift: Openshift::default(),
            elasticsearch: Elasticsearch::default(),
            gateway: Gateway::default(),
        }
    }
}

impl Default for Dialects {
    fn default() -> Self {
        Self { redis: true, openshift: true, elasticsearch: true }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self { policy: PolicyName::Open, scheme: Scheme::default(), max_per_user: 16 }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            vendor_lockout: false,
            account_ceiling: 100,
            account_pause: 900,
            source_limit: 1000,
            source_window: 300,
            ipv4_prefix: 32,
            ipv6_prefix: 64,
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self { ttl: bounds(300, MAX_TOKEN_LIFE, Manner::Refuse), require_old_password: false }
    }
}

impl Default for Openshift {
    fn default() -> Self {
        Self {
            public_url: None,
            session: bounds(86_400, 604_800, Manner::Clamp),
            read: bounds(2_592_000, 15_552_000, Manner::Clamp),
            userinfo: bounds(2_592_000, 15_552_000, Manner::Clamp),
            password_change_revokes: true,
        }
    }
}

impl Default for Elasticsearch {
    fn default() -> Self {
        Self { token_timeout: 1200, family_max: 2_592_000, password_grant: true, version: "8.19.3".into() }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            introspection_roles: ["admin", "cluster_member", "cluster_viewer"].map(String::from).into(),
            key_lead: 600,
            revocations_max_age: 600,
            revocations_every: 5,
        }
    }
}

impl Settings {
    /// What an access token has to be: for this issuer and audience, with this leeway.
    pub fn access_profile(&self) -> Profile<'_> {
        Profile { issuer: &self.issuer, audience: self.audience.as_deref(), leeway: self.leeway, typ: ACCESS }
    }

    /// Whether every value is within its bounds, for drivers that take settings from a caller. One bound is looser than the
    /// server's: hashes below the floor of security P4 ([`Scheme::meets_floor`]) are allowed, for callers who only test.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        let Self { passwords, throttle, redis, openshift, elasticsearch, gateway, .. } = self;
        let scheme = passwords.scheme;
        let lives = [&openshift.session, &openshift.read, &openshift.userinfo];
        // What happens to a wish outside the bounds is part of the API: its clients expect nothing else.
        let is_within = |bounds: &Bounds, max, manner| bounds.max() <= max && bounds.manner() == manner;
        let rules = [
            ("issuer", is_name(&self.issuer)),
            ("audience", self.audience.as_deref().is_none_or(is_name)),
            ("leeway", self.leeway <= MAX_LEEWAY),
            ("service", is_name(&self.service)),
            ("passwords.scheme", scheme.bounded().is_ok() && matches!(scheme, Scheme::Argon2id { .. })),
            ("passwords.max_per_user", (1..=64).contains(&passwords.max_per_user)),
            ("throttle.account_ceiling", (5..=100).contains(&throttle.account_ceiling)),
            ("throttle.account_pause", (1..=86_400).contains(&throttle.account_pause)),
            ("throttle.source_limit", throttle.source_limit <= 1_000_000),
            ("throttle.source_window", (1..=86_400).contains(&throttle.source_window)),
            ("throttle.ipv4_prefix", (8..=32).contains(&throttle.ipv4_prefix)),
            ("throttle.ipv6_prefix", (16..=128).contains(&throttle.ipv6_prefix)),
            ("redis.ttl", is_within(&redis.ttl, MAX_TOKEN_LIFE, Manner::Refuse)),
            ("openshift.public_url", openshift.public_url.as_deref().is_none_or(is_origin)),
            ("openshift", lives.iter().all(|bounds| is_within(bounds, MAX_AUTHORIZATION_LIFE, Manner::Clamp))),
            ("elasticsearch.token_timeout", (1..=3_600).contains(&elasticsearch.token_timeout)),
            ("elasticsearch.family_max", (3_600..=31_536_000).contains(&elasticsearch.family_max)),
            ("elasticsearch.version", is_version(&elasticsearch.version)),
            ("gateway.introspection_roles", gateway.introspection_roles.iter().all(|role| Role::parse(role).is_some())),
            ("gateway.key_lead", gateway.key_lead <= 86_400),
            ("gateway.revocations_max_age", (120..=86_400).contains(&gateway.revocations_max_age)),
            ("gateway.revocations_every", (1..=60).contains(&gateway.revocations_every)),
        ];
        rules.into_iter().find(|(_, holds)| !holds).map_or(Ok(()), |(setting, _)| Err(OutOfBounds { setting }))
    }
}

/// A setting that is out of its bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutOfBounds {
    setting: &'static str,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is out of its bounds", self.setting)
    }
}

impl core::error::Error for OutOfBounds {}

/// Whether `text` may name the issuer, an audience or the service: 1 to 256 characters, none of them a control character.
pub fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Whether `text` is `http://` or `https://` with a host and an optional port, nothing after it. An IPv6 address stands in brackets.
pub fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or("");
    let is_name =
        |host: &str| !host.is_empty() && host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet));
    let (is_host, port) = if let Some((address, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        (is_name(host), port)
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Whether `text` is three numbers such as `8.19.3`.
pub fn is_version(text: &str) -> bool {
    let number = |part: &str| (1..=5).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit());
    text.split('.').count() == 3 && text.split('.').all(number)
}

/// The longest life of any signed token, in seconds. Records of what has ended are kept for as long.
pub const MAX_TOKEN_LIFE: u32 = 86_400;

/// The longest life of an OpenShift authorization, in seconds: ten years of 365 days.
pub const MAX_AUTHORIZATION_LIFE: u32 = 315_360_000;

const fn bounds(default: u32, max: u32, manner: Manner) -> Bounds {
    match Bounds::new(1, default, max, manner) {
        Ok(bounds) => bounds,
        Err(_) => Bounds::ONE_SECOND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Settings), expected: Result<(), &str>) {
        let mut settings = Settings::default();
        change(&mut settings);
        assert_eq!(settings.check().map_err(|error| error.setting), expected);
    }

    #[test]
    fn defaults_are_within_bounds() {
        check(|_| {}, Ok(()));
    }

    #[test]
    fn bounds_are_inclusive() {
        check(|settings| settings.leeway = 60, Ok(()));
        check(|settings| settings.leeway = 61, Err("leeway"));
        check(|settings| settings.passwords.max_per_user = 64, Ok(()));
        check(|settings| settings.passwords.max_per_user = 65, Err("passwords.max_per_user"));
        check(|settings| settings.passwords.max_per_user = 0, Err("passwords.max_per_user"));
        check(|settings| settings.throttle.ipv4_prefix = 33, Err("throttle.ipv4_prefix"));
        check(|settings| settings.throttle.ipv6_prefix = 15, Err("throttle.ipv6_prefix"));
        check(|settings| settings.elasticsearch.token_timeout = 3_601, Err("elasticsearch.token_timeout"));
        check(|settings| settings.elasticsearch.family_max = 3_599, Err("elasticsearch.family_max"));
        check(|settings| settings.elasticsearch.family_max = 31_536_001, Err("elasticsearch.family_max"));
        check(|settings| settings.gateway.key_lead = 86_401, Err("gateway.key_lead"));
        check(|settings| settings.gateway.revocations_max_age = 119, Err("gateway.revocations_max_age"));
        check(|settings| settings.gateway.revocations_every = 61, Err("gateway.revocations_every"));
        check(|settings| settings.redis.ttl = bounds(1, 86_401, Manner::Refuse), Err("redis.ttl"));
        check(|settings| settings.openshift.read = bounds(1, u32::MAX, Manner::Clamp), Err("openshift"));
    }

    #[test]
    fn the_manner_of_a_lifetime_is_that_of_its_api() {
        check(|settings| settings.redis.ttl = bounds(1, 1, Manner::Refuse), Ok(()));
        check(|settings| settings.redis.ttl = bounds(1, 1, Manner::Clamp), Err("redis.ttl"));
        check(|settings| settings.openshift.session = bounds(1, 1, Manner::Refuse), Err("openshift"));
        check(|settings| settings.openshift.read = bounds(1, 1, Manner::Refuse), Err("openshift"));
        check(|settings| settings.openshift.userinfo = bounds(1, 1, Manner::Refuse), Err("openshift"));
        check(|settings| settings.openshift.userinfo = bounds(1, 1, Manner::Clamp), Ok(()));
    }

    #[test]
    fn names_are_names() {
        check(|settings| settings.issuer = String::new(), Err("issuer"));
        check(|settings| settings.audience = Some("a\nb".into()), Err("audience"));
        check(|settings| settings.service = "\u{e9}".repeat(256), Ok(()));
        check(|settings| settings.service = "\u{e9}".repeat(257), Err("service"));
    }

    #[test]
    fn texts_are_what_they_have_to_be() {
        let public_url = |text: &str| check_public_url(text).is_ok();
        assert!(public_url("https://broker.example.com:443") && public_url("http://[::1]"));
        assert!(public_url("http://10.0.0.1:8080") && public_url("https://[2001:db8::1]:8443"));
        for bad in ["broker.example.com", "https://", "https://a/b", "https://:8080", "http://[[", "http://[]", "http://:"]
        {
            assert!(!public_url(bad), "{bad}");
        }
        for bad in
            ["https://a:", "https://a:b", "https://a:65536", "https://a:+1", "https://a:1:2", "https://::1", "https://[::1"]
        {
            assert!(!public_url(bad), "{bad}");
        }
        check(|settings| settings.elasticsearch.version = "7.17.0".into(), Ok(()));
        for version in ["", "8", "8.1", "8.1.2.3", "8.1.x", "8..1", "8.1.100000"] {
            check(|settings| settings.elasticsearch.version = version.into(), Err("elasticsearch.version"));
        }
        check(|settings| settings.gateway.introspection_roles.clear(), Ok(()));
        let unknown = alloc::vec!["admin".into(), "bogus".into()];
        check(|settings| settings.gateway.introspection_roles = unknown, Err("gateway.introspection_roles"));
    }

    fn check_public_url(text: &str) -> Result<(), OutOfBounds> {
        let openshift = Openshift { public_url: Some(text.into()), ..Openshift::default() };
        Settings { openshift, ..Settings::default() }.check()
    }

    #[test]
    fn new_hashes_are_argon2id_within_bounds() {
        check(|settings| settings.passwords.scheme = Scheme::Pbkdf2Sha256 { iterations: 600_000 }, Err("passwords.scheme"));
        let scheme = Scheme::Argon2id { memory: u32::MAX, passes: 2, lanes: 1 };
        check(|settings| settings.passwords.scheme = scheme, Err("passwords.scheme"));
    }
}
