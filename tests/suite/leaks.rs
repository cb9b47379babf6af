//! Every password and token that a test has sent to a server or got from it, looked for in what the server has written: its log
//! and its audit trail. Nothing secret belongs there (security L2), whatever the test is about.

use crate::client::Reply;
use base64::{Engine, engine::general_purpose::STANDARD};
use core::net::SocketAddr;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use waxseal_core::seam::Request;

/// Secrets by the server they were sent to.
static SEEN: Mutex<BTreeMap<SocketAddr, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

/// Members of JSON bodies that hold secrets.
const SECRET: [&str; 10] = [
    "password",
    "new_password",
    "old_password",
    "current_password",
    "access_token",
    "refresh_token",
    "token",
    "k",
    "d",
    "password_hash",
];
/// Shorter ones are words that may stand anywhere.
const SHORTEST: usize = 8;
/// As many are remembered for a server; floods send more.
const MOST: usize = 2000;
/// What stands at the start of every stored hash.
const HASHES: [&str; 2] = ["$argon2", "$pbkdf2"];

/// Remembers the secrets of a request.
pub(crate) fn sent(server: SocketAddr, request: &Request) {
    let mut secrets = Vec::new();
    for (name, value) in &request.headers {
        let Ok(value) = str::from_utf8(value) else { continue };
        match value.split_once(' ') {
            Some((_, secret)) if name == "authorization" => {
                secrets.push(secret.to_owned());
                let decoded = STANDARD.decode(secret).ok().and_then(|octets| String::from_utf8(octets).ok());
                secrets.extend(decoded.and_then(|decoded| Some(decoded.split_once(':')?.1.to_owned())));
            }
            _ => {}
        }
    }
    if let Ok(body) = serde_json::from_slice(&request.body) {
        collect(&body, &mut secrets);
    }
    remember(server, secrets);
}

/// Remembers the secrets of a reply that is marked as holding some.
pub(crate) fn got(server: SocketAddr, reply: &Reply) {
    if !reply.body.is_empty()
        && reply.header("cache-control").is_some_and(|value| value.contains("no-store"))
        && let Some(body) = reply.json()
    {
        let mut secrets = Vec::new();
        collect(&body, &mut secrets);
        remember(server, secrets);
    }
}

/// The first secret in `text`, with what stands around it. What a server has done is forgotten with `forget`.
pub(crate) fn found(server: SocketAddr, text: &str) -> Option<String> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut secrets = seen.get(&server).into_iter().flatten().map(String::as_str).chain(HASHES);
    let (secret, at) = secrets.find_map(|secret| Some((secret, text.find(secret)?)))?;
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    Some(format!("`{secret}` in: {}", text[line..].lines().next().unwrap_or_default()))
}

/// Forgets a server.
pub(crate) fn forget(server: SocketAddr) {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&server);
}

fn remember(server: SocketAddr, secrets: Vec<String>) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = seen.entry(server).or_default();
    for secret in secrets {
        let made_up = secret.bytes().collect::<BTreeSet<_>>().len() < 4;
        let is_word = secret.bytes().all(|octet| octet.is_ascii_lowercase());
        if secret.len() >= SHORTEST && !made_up && !is_word && known.len() < MOST {
            known.insert(secret);
        }
    }
}

fn collect(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(secret) if SECRET.contains(&name.as_str()) => secrets.push(secret.clone()),
                    other => collect(other, secrets),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, secrets)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use waxseal_core::seam::Method;

    #[test]
    fn what_was_sent_and_got_is_found_again() {
        let server: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let login = format!("Basic {}", STANDARD.encode("ann:correct horse: battery"));
        let body = json!({ "new_password": "staple of wool", "name": "not a secret at all" });
        let request = Request::new(Method::Post, "/").with_header("authorization", &login);
        sent(server, &request.with_body(body.to_string()));
        let body = json!({ "data": [{ "token": "0123456789abcdef", "id": "fedcba9876543210" }] });
        let headers = vec![("cache-control".into(), "no-store".into())];
        got(server, &Reply { status: 200, headers, body: body.to_string().into() });
        for secret in ["correct horse: battery", "staple of wool", "0123456789abcdef", "$argon2id$v=19$"] {
            let found = found(server, &format!("one line\nand {secret} here\nlast")).unwrap();
            assert!(found.ends_with(&format!("in: and {secret} here")), "{found}");
        }
        assert_eq!(found(server, "ann, not a secret at all, fedcba9876543210"), None);
        forget(server);
        assert_eq!(found(server, "staple of wool"), None);
    }
}
