//! `waxseal token`.

use super::{
    Failure, Target,
    admin::Admin,
    terminal::{cell, complain, plain, say, say_json},
    user::{Who, name_of_digits},
    verify,
};
use crate::clock::Clock;
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};
use waxseal_core::{
    seam::{Method, World},
    settings::Settings,
    token::{KeySet, MAX_TOKEN, Refusal},
    vault::Vault,
};

/// What to do with tokens.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print a new token for a user
    Issue {
        #[command(flatten)]
        who: Who,
        /// How many seconds the token lives
        #[arg(long, value_name = "SECONDS")]
        ttl: Option<u32>,
        /// Print token, life and id as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check signature, times, issuer and audience of tokens
    #[command(after_help = "\
Examples:
  waxseal token verify - < token                     `accept` or `reject CODE`
  waxseal token verify -- \"$TOKEN\"                   where nobody else sees command lines
  waxseal token verify --batch < tokens.jsonl        one verdict per line, exit status 0
  waxseal token verify --jwks keys.json - < token    with keys from a file
  waxseal token verify --jwks keys.json --revocations snapshot.jwt \\
      --set issuer=https://auth.example.com - < token
                                                     as a verifier elsewhere does, with
                                                     the issuer that the server has set

A line of a batch is an object such as {\"token\": \"…\"}, with \"now\" (seconds since 1970) if \
another time than the present is to count. Any other line gets `reject bad_line`. Only --live \
checks that the user still exists and that the token was not revoked, and knows tokens that are \
not signed, such as OpenShift authorizations.")]
    Verify(verify::Args),
    /// Explain in words what a token says, and why it is refused if it is
    #[command(after_help = "\
Examples:
  waxseal token explain - < token                    with the keys and users of --data
  pbpaste | waxseal token explain - --jwks keys.json
  waxseal token explain -- \"$TOKEN\"                  where nobody else sees command lines
Without keys it says only what can be told without them.")]
    Explain {
        /// The token, or `-` for standard input
        #[arg(allow_hyphen_values = true)]
        token: String,
        /// Take keys from this file (a JWK or JWK set) instead of the data directory
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End a token of any dialect before it expires; no dialect accepts it any more
    #[command(after_help = "\
Examples:
  waxseal token revoke - < token
  waxseal token revoke -- \"$TOKEN\"                   where nobody else sees command lines
  waxseal token revoke --jti YlPF0GbZ…               by its id, see the audit trail")]
    Revoke {
        /// The token, or `-` for standard input
        #[arg(required_unless_present = "jti", conflicts_with = "jti", allow_hyphen_values = true)]
        token: Option<String>,
        /// The id of the token, instead of the token itself
        #[arg(long, allow_hyphen_values = true)]
        jti: Option<String>,
        /// When it expires, in seconds since 1970, if it was issued elsewhere
        #[arg(long, value_name = "SECONDS", requires = "jti", conflicts_with = "token")]
        expires: Option<u64>,
    },
    /// End every OpenShift authorization of every user; tokens of other dialects live on
    RevokeAll,
}

pub(super) fn run(command: Command, target: &Target) -> Result<(), Failure> {
    match command {
        Command::Issue { who: Who { who }, ttl, json } => {
            let mut body = json!({ "user": who });
            if let (Some(ttl), Some(members)) = (ttl, body.as_object_mut()) {
                members.insert("ttl".into(), ttl.into());
            }
            let issued = Admin::reach(target)?.ask(Method::Post, "/admin/tokens", Some(&body));
            let issued = issued.map_err(|failure| name_of_digits(&who, failure))?;
            if json { say_json(&issued) } else { say(&cell(&issued, "access_token")) }
        }
        Command::Verify(args) => verify::run(&args, target),
        Command::Explain { token, jwks, json } => explain(&text(&token)?, jwks.as_deref(), json, target),
        Command::Revoke { token, jti, expires } => revoke(token.as_deref(), jti.as_deref(), expires, target),
        Command::RevokeAll => {
            Admin::reach(target)?.ask(Method::Post, "/admin/authorizations/revoke", None)?;
            say("revoked all OpenShift authorizations")
        }
    }
}

fn revoke(token: Option<&str>, jti: Option<&str>, expires: Option<u64>, target: &Target) -> Result<(), Failure> {
    let token = token.map(text).transpose()?;
    if token.as_deref().is_some_and(is_too_long) {
        let (code, sentence) = (TOO_LONG.code(), TOO_LONG.sentence());
        return Err(Failure::refused(format_args!("nothing to revoke: {sentence} ({code})")));
    }
    let body = match &token {
        Some(token) => json!({ "token": token }),
        None => match expires {
            Some(expires) => json!({ "jti": jti, "expires": expires }),
            None => json!({ "jti": jti }),
        },
    };
    let done = Admin::reach(target)?.ask(Method::Post, "/admin/tokens/revoke", Some(&body));
    let done = done.map_err(|failure| failure.reworded("it belongs into `token`", "leave out `--jti`"))?;
    if done.get("revoked") == Some(&Value::Bool(true)) {
        let id = cell(&done, "id");
        return say(&match token {
            Some(_) => format!("revoked {id}"),
            // Signed tokens are not kept, so nobody knows whether there is one.
            None => format!("revoked {id}: this server accepts no token with this id any more"),
        });
    }
    let mut why = format!("nothing to revoke: {} ({})", cell(&done, "sentence"), cell(&done, "code"));
    if token.as_ref().is_some_and(|token| token.len() == ID_LENGTH) {
        why.push_str("; if that is the id of a token, say --jti");
        return Err(Failure::refused(why));
    }
    if token.is_some_and(|token| is_none(&token, &cell(&done, "code"))) { Err(Failure::refused(why)) } else { say(&why) }
}

/// Whether a text that was refused with this code is no token of any kind. A refresh token that has ended looks like any long text
/// of its alphabet.
fn is_none(text: &str, code: &str) -> bool {
    let stored = text.len() >= 20 && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_+/=".contains(&octet));
    ["too_long", "bad_base64", "bad_header_json", "bad_claims_json"].contains(&code) || code == "malformed" && !stored
}

/// A token as it was named: itself, or `-` for standard input.
pub(super) fn text(token: &str) -> Result<String, Failure> {
    if token != "-" {
        return Ok(token.into());
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(MAX_INPUT).read_to_string(&mut text);
    read.map_err(|error| Failure::refused(format_args!("cannot read the token: {error}")))?;
    Ok(text.trim_end_matches(['\n', '\r']).into())
}

/// How long the ids of tokens are: 16 octets in base64url. No token is as short.
const ID_LENGTH: usize = 22;

/// Far more than any token; the rest is not needed to refuse it.
const MAX_INPUT: u64 = 1 << 20;

/// Keys for a verifier and whatever it needs besides: from a file, or those of the data directory.
pub(super) fn world(jwks: Option<&Path>, target: &Target) -> Result<World, Failure> {
    let settings = target.load()?.config.settings;
    let keys = match jwks {
        Some(file) => {
            let text = fs::read_to_string(file)
                .map_err(|error| Failure::refused(format_args!("cannot read the keys `{}`: {error}", file.display())))?;
            KeySet::from_jwks(&text)
                .map_err(|error| Failure::refused(format_args!("the keys `{}` cannot be used: {error}", file.display())))?
        }
        None => data_keys(&Admin::for_its_keys(target)?)?,
    };
    Ok(offline(settings, keys))
}

/// The keys that verify: public parts if there are any, as nobody has to know more; else they are secrets, which a running server puts down in
/// its trail as given out.
fn data_keys(admin: &Admin) -> Result<KeySet, Failure> {
    let mut status = 0;
    for secret in [false, true] {
        let answer = admin.send(Method::Get, &format!("/admin/keys/export?secret={secret}"), None)?;
        let text = core::str::from_utf8(&answer.body).ok().filter(|_| answer.status == 200);
        let keys = text.and_then(|text| KeySet::from_jwks(text).ok());
        if let Some(keys) = keys.filter(|keys| secret || keys.iter().next().is_some()) {
            return Ok(keys);
        }
        status = answer.status;
    }
    Err(Failure::refused(format_args!("the keys cannot be read (status {status})")))
}

/// A world that can only verify: nothing is derived from its root secret.
fn offline(settings: Settings, keys: KeySet) -> World {
    World { settings, vault: Vault::new([0; 32], keys) }.keyed()
}

fn explain(token: &str, jwks: Option<&Path>, json: bool, target: &Target) -> Result<(), Failure> {
    let told = match jwks {
        // No server has to be asked, and none would read it.
        _ if is_too_long(token) => json!({ "live": false, "code": TOO_LONG.code(), "sentence": TOO_LONG.sentence() }),
        None if target.data().has_store() => {
            Admin::look(target)?.ask(Method::Post, "/admin/tokens/explain", Some(&json!({ "token": token })))?
        }
        _ => without_data(token, jwks, target)?,
    };
    let said = if json { say_json(&told) } else { tell(&told) };
    if is_live(&told) { said } else { Err(Failure::no(said)) }
}

/// Whether a text is longer than any token, and perhaps than what a server reads.
pub(super) const fn is_too_long(token: &str) -> bool {
    token.len() > MAX_TOKEN
}

/// Why such a text is refused.
pub(super) const TOO_LONG: Refusal = Refusal::TooLong;

/// Whether the answer of `/admin/tokens/explain` says that the token works.
pub(super) fn is_live(told: &Value) -> bool {
    told.get("live") == Some(&Value::Bool(true))
}

/// What `/admin/tokens/explain` answers, as far as that can be told without a store.
fn without_data(token: &str, jwks: Option<&Path>, target: &Target) -> Result<Value, Failure> {
    let world = match jwks {
        Some(_) => world(jwks, target)?,
        None => offline(target.load()?.config.settings, KeySet::default()),
    };
    let explanation = world.vault.keys().explain(token, &world.settings.access_profile(), Clock::system().now());
    let mut sentence = explanation.sentence;
    if jwks.is_none() {
        let data = target.data.display();
        complain(&format!("there are no keys at hand (no store in `{data}`, no --jwks), so the signature is not checked"));
        if explanation.code == Some("unknown_kid") {
            sentence = "the signature cannot be checked without the key";
        }
    }
    Ok(json!({ "live": explanation.accepted, "code": explanation.code, "sentence": sentence, "token": explanation }))
}

/// The verdict, whose token it is, the times, then what stands in it.
fn tell(told: &Value) -> Result<(), Failure> {
    let none = Value::Null;
    let part = |name: &str| told.get(name).unwrap_or(&none);
    let text = |object: &Value, name: &str| object.get(name).and_then(Value::as_str).map(plain);
    let code = text(told, "code").map(|code| format!(" ({code})")).unwrap_or_default();
    let verdict = if is_live(told) { "accepted" } else { "refused" };
    say(&format!("{verdict}: {}{code}", text(told, "sentence").unwrap_or_default()))?;
    if let (Some(name), Some(uid)) = (text(part("user"), "name"), part("user").get("uid")) {
        say(&format!("  user       {name} (uid {uid})"))?;
    }
    let (signed, stored) = (part("token"), part("authorization"));
    let times = [("created", "created"), ("issued", "issued"), ("not_before", "not before"), ("expires", "expires")];
    for (object, (name, title)) in [stored, signed].iter().flat_map(|object| times.map(|time| (object, time))) {
        if let Some(time) = text(object, name) {
            let left = object.get("seconds_left").and_then(Value::as_i64).filter(|_| name == "expires");
            let left = match left {
                Some(left @ 0..) => format!(" (in {left} s)"),
                Some(left) => format!(" ({} s ago)", left.unsigned_abs()),
                None => String::new(),
            };
            say(&format!("  {title:<11}{time}{left}"))?;
        }
    }
    if let (Some(id), Some(scopes)) = (text(stored, "id"), text(stored, "scopes")) {
        say(&format!("  id         {id}\n  scopes     {scopes}"))?;
    }
    for name in ["header", "claims"] {
        match signed.get(name) {
            Some(Value::Object(members)) => {
                say(&format!("  {name}"))?;
                for (member, value) in members {
                    say(&format!("    {:<9}{}", plain(member), plain(&value.to_string())))?;
                }
            }
            Some(Value::String(other)) => say(&format!("  {name}, not readable as JSON: {}", plain(other)))?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_told_from_one_that_has_ended() {
        assert!(
            is_none("xyz", "malformed")
                && is_none("not a token but a sentence", "malformed")
                && is_none("a.b.c", "bad_base64")
        );
        assert!(!is_none(&"Ab-_0".repeat(8), "malformed") && !is_none("a.b.c", "expired"));
    }
}
