//! What must hold for every reply, whatever the case says.

use crate::cases::file::Exchange;
use serde_json::Value;
use waxseal_core::seam::Request;
use waxseal_tests::client::Reply;

/// Members that hold a token wherever they appear.
const TOKENS: [&str; 4] = ["access_token", "refresh_token", "id_token", "token"];

/// Shorter ones may appear in a reply by accident.
const SHORTEST_SECRET: usize = 5;

/// Shorter ones may appear in a token by accident.
const LONG_SECRET: usize = 8;

/// `Err` with the rule that `reply` breaks. `passwords` are the seeded ones.
pub(crate) fn check(exchange: &Exchange, request: &Request, reply: &Reply, passwords: &[String]) -> Result<(), String> {
    let text = String::from_utf8_lossy(&reply.body);
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let mut secrets: Vec<&str> = passwords.iter().map(String::as_str).collect();
    secrets.extend(exchange.basic.iter().map(|(_, password)| password.as_str()));
    for member in ["password", "old_password", "new_password"] {
        secrets.extend(exchange.json.as_ref().and_then(|json| json[member].as_str()));
        secrets.extend(exchange.form.as_ref().and_then(|form| form.get(member)).map(String::as_str));
    }

    let rules = [
        ("a 5xx that the case does not expect", reply.status < 500 || exchange.expect.status.allows(reply.status)),
        ("a 401 has www-authenticate", reply.status != 401 || reply.header("www-authenticate").is_some()),
        ("a 405 has allow", reply.status != 405 || reply.header("allow").is_some()),
        ("a body has a content-type", reply.body.is_empty() || reply.header("content-type").is_some()),
        ("a 204 has no body", reply.status != 204 || reply.body.is_empty()),
        ("HEAD has no body", request.method.as_str() != "HEAD" || reply.body.is_empty()),
        (
            "an answer with a token has cache-control: no-store",
            !body.as_ref().is_some_and(holds_token)
                || reply.header("cache-control").is_some_and(|value| value.contains("no-store")),
        ),
        ("no password is shown", !secrets.iter().any(|secret| shows(&text, secret))),
        ("no password hash is shown", !text.contains("$argon2") && !text.contains("$pbkdf2")),
    ];
    match rules.iter().find(|(_, holds)| !holds) {
        Some((rule, _)) => Err(format!("breaks the rule `{rule}`")),
        None => Ok(()),
    }
}

/// Whether `text` shows a password: a long one anywhere, a short one where it is no part of a token.
fn shows(text: &str, secret: &str) -> bool {
    match secret.len() {
        ..SHORTEST_SECRET => false,
        LONG_SECRET.. => text.contains(secret),
        _ => {
            let of_token = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
            let around: Vec<&str> = text.split(secret).collect();
            around.windows(2).any(|around| !around[0].ends_with(of_token) && !around[1].starts_with(of_token))
        }
    }
}

fn holds_token(value: &Value) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| member.is_string() && TOKENS.contains(&name.as_str()) || holds_token(member)),
        Value::Array(items) => items.iter().any(holds_token),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_password_is_shown_where_it_is_no_part_of_a_token() {
        for text in ["ann-1", "is `ann-1`.", r#"{"password":"ann-1"}"#, "aann-1 é ann-1é", "ann-1ann-1"] {
            assert!(shows(text, "ann-1"), "{text}");
        }
        for text in ["eyJhbann-1.x", "x.ann-1_Q", "-ann-1", "ann-10", "ann-2"] {
            assert!(!shows(text, "ann-1"), "{text}");
        }
        assert!(shows("xann-long-1y", "ann-long-1") && !shows("ann", "ann"));
    }
}
