//! The first administrator, made when there is no user yet (security P10).

use super::{
    Failure,
    assembled::Assembled,
    secret::{self, Secret},
    terminal::is_nowhere,
};
use crate::text::shell::word;
use serde_json::{Value, json};
use std::{env, io, path::PathBuf};
use tokio::task::spawn_blocking;
use waxseal_core::seam::{Method, Response};
use zeroize::Zeroizing;

/// The first administrator, fresh.
pub(super) struct First {
    pub(super) name: String,
    pub(super) password: Password,
}

/// Where the password comes from.
pub(super) enum Password {
    /// Made here; to be shown once.
    Generated(Secret),
    /// `WAXSEAL_ADMIN_PASSWORD`.
    Env,
    /// The file that `WAXSEAL_ADMIN_PASSWORD_FILE` names.
    File(PathBuf),
}

impl Password {
    /// What stands for the password in a shell command inside double quotes; a password that somebody chose is not shown.
    pub(super) fn in_shell(&self) -> String {
        match self {
            Self::Generated(secret) => secret.to_string(),
            Self::Env => "$WAXSEAL_ADMIN_PASSWORD".into(),
            Self::File(path) => format!("$(cat {})", word(path.display())),
        }
    }
}

/// What a start has to make.
pub(super) enum Wanted {
    Nothing,
    /// There are users, and no key that signs.
    Key,
    Administrator(First, Secret),
}

/// Finds out what is missing. Changes nothing, and may wait for a password file that is a pipe, so that it may be left half done.
pub(super) async fn wanted(assembled: &Assembled) -> Result<Wanted, Failure> {
    let status = assembled.ask(Method::Get, "/admin/status", b"").await;
    let status: Value = serde_json::from_slice(&status.body).unwrap_or_default();
    match status.get("bootstrapped").and_then(Value::as_bool) {
        Some(true) => {
            if env::var_os("WAXSEAL_ADMIN_PASSWORD").is_some_and(|value| !value.is_empty()) {
                tracing::info!(
                    "WAXSEAL_ADMIN_PASSWORD is no longer needed: it stays in the memory of the process, so take it out of the environment"
                );
            }
            let keyless = status.get("signing_key").is_some_and(Value::is_null);
            return Ok(if keyless { Wanted::Key } else { Wanted::Nothing });
        }
        Some(false) => {}
        None => return Err(Failure::refused("the store cannot be read; `waxseal doctor` says more")),
    }
    let name = env::var("WAXSEAL_ADMIN_NAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "admin".into());
    let (secret, password) = match (chosen("WAXSEAL_ADMIN_PASSWORD")?, chosen("WAXSEAL_ADMIN_PASSWORD_FILE")?) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(
                "WAXSEAL_ADMIN_PASSWORD and WAXSEAL_ADMIN_PASSWORD_FILE are both set; keep one of them",
            ));
        }
        (Some(secret), None) => (secret, Password::Env),
        (None, Some(path)) => {
            let path = PathBuf::from(path.as_str());
            let named = path.clone();
            let read = spawn_blocking(move || secret::from_file(&named)).await;
            (read.map_err(|_| Failure::refused("the password file could not be read"))??, Password::File(path))
        }
        (None, None) if is_nowhere(io::stdout()) && is_nowhere(io::stderr()) => {
            return Err(Failure::refused(
                "nobody would see the password that is made for the first administrator, as both outputs lead nowhere; name a file \
                 with one in WAXSEAL_ADMIN_PASSWORD_FILE",
            ));
        }
        (None, None) => {
            let secret = secret::generate()?;
            (secret.clone(), Password::Generated(secret))
        }
    };
    Ok(Wanted::Administrator(First { name, password }, secret))
}

/// Makes what is wanted: the first administrator together with the first signing key, or the key alone.
pub(super) async fn make(assembled: &Assembled, wanted: Wanted) -> Result<Option<First>, Failure> {
    let (first, secret) = match wanted {
        Wanted::Nothing => return Ok(None),
        Wanted::Key => return first_key(assembled).await.map(|()| None),
        Wanted::Administrator(first, secret) => (first, secret),
    };
    let body = Zeroizing::new(json!({ "name": first.name, "password": secret.as_str() }).to_string());
    let answer = assembled.ask(Method::Post, "/admin/bootstrap", body.as_bytes()).await;
    if answer.status == 201 {
        return Ok(Some(first));
    }
    let why = why_not(&answer);
    Err(Failure::refused(format_args!("the first administrator `{}` cannot be made: {why}", first.name)))
}

/// Without it, clients would be the first to find out that a server which is ready issues no token.
async fn first_key(assembled: &Assembled) -> Result<(), Failure> {
    let answer = assembled.ask(Method::Post, "/admin/keys/rotate", br#"{"at_once":true}"#).await;
    if answer.status != 201 {
        let why = why_not(&answer);
        return Err(Failure::refused(format_args!("there is no key that signs, and none can be made: {why}")));
    }
    tracing::warn!("there were users and no key that signs; one was made");
    Ok(())
}

fn why_not(answer: &Response) -> String {
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    told.get("message").and_then(Value::as_str).unwrap_or("the server cannot answer now").into()
}

fn chosen(variable: &str) -> Result<Option<Secret>, Failure> {
    let Some(value) = env::var_os(variable) else { return Ok(None) };
    let value = value.into_string().map(Zeroizing::new).map_err(|value| {
        drop(Zeroizing::new(value.into_encoded_bytes()));
        Failure::usage(format_args!("{variable} is not UTF-8, which a password has to be"))
    })?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        data_dir::DataDir,
        store::{Embedded, Store},
    };
    use std::sync::Arc;
    use waxseal_core::{
        record::{LastUid, Stored, key},
        seam::{Commit, Expect, Write},
    };

    #[tokio::test]
    async fn users_without_a_key_get_one() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::new(home.path().join("data"));
        data.create().unwrap();
        data.create_root_key().unwrap();
        let store = Embedded::open(data.path(), Arc::default()).unwrap();
        let value = Some(LastUid(1).encode());
        let writes = vec![Write { key: key::last_uid(), expect: Expect::Any, value, expires: None }];
        store.commit(Commit { checks: Vec::new(), writes }).await.unwrap();
        drop(store);

        let Ok(assembled) = Assembled::here(&data, &Config::default()).await else { panic!("it does not open") };
        let keys = async || {
            let status = assembled.ask(Method::Get, "/admin/status", b"").await;
            serde_json::from_slice::<Value>(&status.body).unwrap()["keys"].clone()
        };
        for expected in [0, 1, 1] {
            assert_eq!(keys().await, expected);
            let Ok(wanted) = wanted(&assembled).await else { panic!("the store cannot be read") };
            assert!(matches!(make(&assembled, wanted).await, Ok(None)));
        }
    }
}
