//! Requests of each dialect, against a store with users, tokens and keys in it.

use crate::memory::Memory;
use core::cell::RefCell;
use waxseal_core::{
    password::Scheme,
    seam::{Method, Peer, Request, begin},
    settings::Settings,
};

struct Place {
    memory: Memory,
    redis: String,
    openshift: String,
    elasticsearch: String,
}

const PASSWORD: &str = "password 0";

thread_local! {
    static PLACE: RefCell<Place> = RefCell::new(Place::new());
}

impl Place {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.passwords.scheme = Scheme::Argon2id { memory: 8, passes: 1, lanes: 1 };
        let mut memory = Memory::new(settings);
        let mut send = |local: bool, request: Request| {
            let peer = Peer { local, address: Some([192, 0, 2, 1].into()), ..Peer::default() };
            let call = memory.call(peer, request);
            let response = memory.play(&call).response;
            assert!(response.status < 300, "{}", response.status);
            serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default()
        };
        let json = |path: &str, body: String| {
            Request::new(Method::Post, path).with_header("content-type", "application/json").with_body(body)
        };
        send(true, json("/admin/bootstrap", format!(r#"{{"name":"admin","password":"{PASSWORD}"}}"#)));
        let basic = |request: Request| request.with_header("authorization", &basic_of("admin"));
        let redis = send(false, basic(json("/v1/users/authorize", r#"{"ttl":86400}"#.into())));
        let openshift = send(false, basic(json("/broker/rest/user/authorizations", r#"{"scope":"session"}"#.into())));
        let grant = format!(r#"{{"grant_type":"password","username":"admin","password":"{PASSWORD}"}}"#);
        let elasticsearch = send(false, json("/_xpack/security/oauth2/token", grant));
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        Self {
            redis: text(&redis["access_token"]),
            openshift: text(&openshift["data"]["token"]),
            elasticsearch: text(&elasticsearch["access_token"]),
            memory,
        }
    }

    /// Plays a request without keeping what it changes, so that every input meets the same place.
    fn play(&mut self, request: Request) {
        let told = contains(request.path.as_bytes(), HASH)
            || contains(request.query.as_bytes(), HASH)
            || contains(&request.body, HASH);
        let told = told || request.headers.iter().any(|(_, value)| contains(value, HASH));
        let call = self.memory.call(Peer { address: Some([192, 0, 2, 1].into()), ..Peer::default() }, request);
        let done = self.memory.finish(begin(call));
        assert!((200..500).contains(&done.response.status), "{}", done.response.status);
        assert!(told || !contains(&done.response.body, HASH), "a hash is shown");
        for event in &done.events {
            assert!(!event.reason.is_empty() || !event.action.is_empty());
        }
    }
}

/// How a hash begins.
const HASH: &[u8] = b"$argon2";

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn basic_of(name: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{PASSWORD}")))
}

/// The whole value of `Authorization`.
pub(crate) fn basic(data: &[u8]) {
    PLACE.with_borrow_mut(|place| {
        let mut request = Request::new(Method::Post, "/v1/users/authorize");
        request.headers.push(("authorization".into(), data.into()));
        place.play(request);
    });
}

pub(crate) fn redis(data: &[u8]) {
    dialect(data, "/v1/", |place| &place.redis);
}

pub(crate) fn openshift(data: &[u8]) {
    dialect(data, "/broker/rest/", |place| &place.openshift);
}

pub(crate) fn elasticsearch(data: &[u8]) {
    dialect(data, "/", |place| &place.elasticsearch);
}

pub(crate) fn gateway(data: &[u8]) {
    dialect(data, "/auth/", |place| &place.redis);
}

/// `METHOD path below the prefix`, headers, an empty line, the body; `~` before the method leaves the token away.
fn dialect(data: &[u8], prefix: &str, token: fn(&Place) -> &String) {
    let mut lines = data.splitn(2, |octet| *octet == b'\n');
    let (first, rest) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Ok(first) = core::str::from_utf8(first) else { return };
    let (anonymous, first) = first.strip_prefix('~').map_or((false, first), |first| (true, first));
    let (method, target) = first.split_once(' ').unwrap_or((first, ""));
    if method.is_empty()
        || !method.bytes().all(|octet| octet.is_ascii_uppercase())
        || !target.bytes().all(|octet| octet.is_ascii_graphic())
    {
        // Neither gets past the server's own reader.
        return;
    }
    PLACE.with_borrow_mut(|place| {
        let mut request = Request::new(Method::parse(method), &format!("{prefix}{target}"));
        if !anonymous {
            request = request.with_header("authorization", &format!("Bearer {}", token(place)));
        }
        let mut rest = rest;
        while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            let (line, more) = (&rest[..end], &rest[end + 1..]);
            rest = more;
            let Some(colon) = line.iter().position(|octet| *octet == b':') else { break };
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            let value = line[colon + 1..].trim_ascii().to_vec();
            if value.iter().all(|octet| *octet >= 0x20 && *octet != 0x7f) {
                request.headers.push((name, value));
            }
        }
        request.body = rest.into();
        place.play(request);
    });
}
