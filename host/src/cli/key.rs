//! `waxseal key`.

use super::{
    Failure, Target,
    admin::{Admin, segment},
    terminal::{cell, one_of, plain, say, say_json, table},
};
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, Read},
};
use waxseal_core::{
    seam::Method,
    token::{Algorithm, Jwk, KeyError},
};
use zeroize::Zeroizing;

/// What to do with signing keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List all keys, without their secrets
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new key that signs; the old one verifies until its last token has expired
    #[command(after_help = "\
Examples:
  waxseal key rotate                                 a key like the one that signs
  waxseal key rotate --algorithm ES256 --end-tokens  everybody signs in again

A secret (HS256, HS384, HS512) signs at once, as nobody else has to know it. A public key (EdDSA, Ed25519, ES256) is \
published first, for as long as `gateway.key_lead` says, so that verifiers elsewhere know it before it signs. \
The two kinds are never in use together.")]
    Rotate {
        #[arg(
            long,
            help = format!("{} [default: that of the key which signs now]", one_of(algorithms())),
            value_parser = PossibleValuesParser::new(algorithms()),
            hide_possible_values = true
        )]
        algorithm: Option<String>,
        /// Remove every other key at once, and with it every token: to change between secrets and public keys, or when a key
        /// has become known
        #[arg(long)]
        end_tokens: bool,
        /// Let a public key sign at once; verifiers elsewhere refuse its tokens until they have read it
        #[arg(long)]
        at_once: bool,
        /// Print the new key, without its secret, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a key that no longer signs; tokens it signed end at once
    Retire {
        /// The key's id
        #[arg(allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        kid: String,
    },
    /// Take in keys that were made elsewhere: a JWK or a JWK set
    #[command(after_help = "Examples:
  waxseal key import keys.json                      tokens they have signed are accepted
  waxseal key export --secret --data A | waxseal key import - --sign --data B")]
    Import {
        /// The file, or `-` for standard input
        file: String,
        /// Let the first of them sign, as after a rotation
        #[arg(long)]
        sign: bool,
    },
    /// Print keys as a JWK set: public parts, or secrets and private parts as well
    #[command(after_help = "Examples:
  waxseal key export > public.json                   as on /.well-known/jwks.json
  (umask 077; waxseal key export --secret --json > keys.json)
                                                     whoever has it can make tokens")]
    Export {
        /// Only this key; else all, first the one that signs
        #[arg(long, allow_hyphen_values = true)]
        kid: Option<String>,
        /// Print secrets and private parts too; keys for HS256, HS384 and HS512 have no public part
        #[arg(long)]
        secret: bool,
        /// Print everything on one line
        #[arg(long)]
        json: bool,
    },
}

fn algorithms() -> impl Iterator<Item = &'static str> {
    Algorithm::ALL.iter().map(|algorithm| algorithm.name())
}

pub(super) fn run(command: Command, target: &Target) -> Result<(), Failure> {
    let admin = match command {
        Command::List { .. } => Admin::look(target)?,
        _ => Admin::reach(target)?,
    };
    match command {
        Command::List { json } => list(&admin, json),
        Command::Rotate { algorithm, end_tokens, at_once, json } => rotate(&admin, algorithm, end_tokens, at_once, json),
        Command::Retire { kid } => {
            admin.ask(Method::Post, &format!("/admin/keys/{}/retire", segment(&kid)), None)?;
            say(&format!("{} is retired; its tokens have ended", plain(&kid)))
        }
        Command::Import { file, sign } => import(&admin, &file, sign),
        Command::Export { kid, secret, json } => export(&admin, kid.as_deref(), secret, json),
    }
}

fn list(admin: &Admin, json: bool) -> Result<(), Failure> {
    let listed = admin.ask(Method::Get, "/admin/keys", None)?;
    if json {
        return say_json(&listed);
    }
    let keys = listed.get("keys").and_then(Value::as_array).into_iter().flatten();
    let rows: Vec<_> =
        keys.map(|key| ["kid", "alg", "state", "created", "from", "until"].map(|name| cell(key, name))).collect();
    say(&table(["KID", "ALG", "STATE", "CREATED", "FROM", "UNTIL"], &rows))
}

fn rotate(admin: &Admin, algorithm: Option<String>, end_tokens: bool, at_once: bool, json: bool) -> Result<(), Failure> {
    let mut body = json!({ "end_tokens": end_tokens, "at_once": at_once });
    if let (Some(algorithm), Some(members)) = (algorithm, body.as_object_mut()) {
        members.insert("algorithm".into(), algorithm.into());
    }
    let key = admin.ask(Method::Post, "/admin/keys/rotate", Some(&body));
    let key = key.map_err(|failure| failure.reworded("`at_once`", "`--at-once`"))?;
    if json {
        return say_json(&key);
    }
    let from = match key.get("from").and_then(Value::as_str) {
        Some(from) => format!("is published and signs from {} on", plain(from)),
        None => "signs from now on".into(),
    };
    say(&format!("{} ({}) {from}", cell(&key, "kid"), cell(&key, "alg")))
}

fn import(admin: &Admin, file: &str, sign: bool) -> Result<(), Failure> {
    let text = read(file)?;
    let keys = keys_of(&text).map_err(|why| Failure::refused(format_args!("`{file}` is not a JWK or JWK set: {why}")))?;
    let done = admin.ask(Method::Post, "/admin/keys/import", Some(&json!({ "keys": keys, "sign": sign })));
    let first = "have it sign first: `waxseal key rotate --at-once`";
    let done = done.map_err(|failure| failure.reworded("use `at_once`", first))?;
    let kids: Vec<&str> =
        done.get("imported").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let role = if sign {
        "; the first signs, now or from when `waxseal key list` says, and the others verify until they are retired"
    } else {
        "; tokens they have signed are accepted until they are retired, and they sign none: that takes --sign when they are \
         imported"
    };
    say(&format!("imported {}{role}", plain(&kids.join(", "))))
}

/// What is in a file to import. A member that is there twice is refused here, as only the last would be sent.
fn keys_of(text: &str) -> Result<Value, String> {
    let keys = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // What else is wrong with a key, the server says.
    if let Err(error @ KeyError::BadJwk(_)) = Jwk::read(text) {
        return Err(error.to_string());
    }
    Ok(keys)
}

fn export(admin: &Admin, kid: Option<&str>, secret: bool, json: bool) -> Result<(), Failure> {
    let query = kid.map(|kid| format!("&kid={}", segment(kid))).unwrap_or_default();
    let mut keys = admin.ask(Method::Get, &format!("/admin/keys/export?secret={secret}{query}"), None)?;
    if !secret && keys.get("keys").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(Failure::usage("these keys are secrets and have no public part; add --secret to print them"));
    }
    if query.is_empty() {
        first_what_signs(&mut keys, &admin.ask(Method::Get, "/admin/keys", None)?);
    }
    if json { say_json(&keys) } else { say(&format!("{keys:#}")) }
}

/// Puts the key that signs before all others, as `key import --sign` has the first one sign.
fn first_what_signs(exported: &mut Value, listed: &Value) {
    let of = |keys: &Value| keys.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let signing = of(listed).into_iter().find(|key| key.get("state").is_some_and(|state| state == "signs"));
    let kid = signing.as_ref().and_then(|key| key.get("kid"));
    if let Some(keys) = exported.get_mut("keys").and_then(Value::as_array_mut) {
        keys.sort_by_key(|key| key.get("kid") != kid);
    }
}

fn read(file: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = match file {
        "-" => io::stdin().lock().read_to_string(&mut text).map(drop),
        _ => fs::read_to_string(file).map(|read| *text = read),
    };
    read.map_err(|error| Failure::refused(format_args!("cannot read `{file}`: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::keys_of;

    #[test]
    fn a_key_that_names_a_member_twice_is_not_imported() {
        let key = r#""kty": "oct", "kid": "a", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr0""#;
        for (text, good) in [
            (format!("{{{key}}}"), true),
            (format!(r#"{{"keys": [{{{key}}}]}}"#), true),
            (format!(r#"{{{key}, "kid": "b"}}"#), false),
            (format!(r#"{{"keys": [{{{key}, "kid": "b"}}]}}"#), false),
            (format!(r#"{{"keys": [], "keys": [{{{key}}}]}}"#), false),
            (format!("{{{key}"), false),
        ] {
            assert_eq!(keys_of(&text).is_ok(), good, "{text}");
        }
    }
}
