//! The way to core's `/admin` routes.

use super::{
    Failure, Target,
    assembled::{self, Assembled},
    terminal::{complain, plain, say},
};
use crate::{
    data_dir::DataDir,
    http::{Astray, admin_socket},
    text::shell::word,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{io, time::Duration};
use tokio::{net::UnixStream, runtime::Runtime, time::timeout};
use waxseal_core::seam::Method;
use zeroize::Zeroizing;

/// Sends administration requests to the server that runs on a data directory, or answers them in this process.
pub(super) struct Admin {
    runtime: Runtime,
    way: Way,
}

enum Way {
    Socket(DataDir),
    Here(Box<Assembled>),
}

/// What came back.
pub(super) struct AdminAnswer {
    pub(super) status: u16,
    /// `null` when there is no body.
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// `waxseal reload`
pub(super) fn reload(target: &Target) -> Result<(), Failure> {
    let data = target.data();
    data.check()?;
    if admin_socket::connect(data.path()).is_err_and(|error| error.kind() != io::ErrorKind::PermissionDenied) {
        assembled::unlocked(&data)?;
        return Err(Failure::refused("no server runs on this data; it reads its configuration when it starts"));
    }
    let (told, refused) = Admin::look(target)?.told(Method::Post, "/admin/reload", None)?;
    let said = tell_reloaded(&told, refused.is_none());
    match refused {
        Some(refused) => Err(refused),
        // Whoever goes on to a restart would be left without a server.
        None if !list(&told, "warnings").is_empty() => Err(Failure::no(said)),
        None => said,
    }
}

/// Tells what a reload has led to; also when a part of it has failed, as the rest is in force.
fn tell_reloaded(told: &Value, whole: bool) -> Result<(), Failure> {
    for warning in list(told, "warnings") {
        complain(&format!("note: {warning}"));
    }
    if whole {
        say("reloaded")?;
    }
    for (what, named) in [("in force", list(told, "in_force")), ("waits for a restart", list(told, "waiting"))] {
        if !named.is_empty() {
            say(&format!("{what}: {}", named.join(", ")))?;
        }
    }
    Ok(())
}

/// The texts of a list in an answer.
fn list(told: &Value, name: &str) -> Vec<String> {
    told.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(plain).collect()
}

impl Admin {
    /// Finds the running server, which goes by its own settings; else opens the data itself, which must be there.
    pub(super) fn reach(target: &Target) -> Result<Self, Failure> {
        Self::open(target, true).inspect(|admin| admin.warn_of_settings(target))
    }

    /// The same for a command that changes nothing: data that is opened here stays as it is.
    pub(super) fn look(target: &Target) -> Result<Self, Failure> {
        Self::for_its_keys(target).inspect(|admin| admin.warn_of_settings(target))
    }

    /// The same for a command that only takes keys, and judges by its own settings.
    pub(super) fn for_its_keys(target: &Target) -> Result<Self, Failure> {
        Self::open(target, false)
    }

    fn warn_of_settings(&self, target: &Target) {
        if self.is_running() {
            target.warn_of_what_counts_for_nothing();
        }
    }

    fn open(target: &Target, writable: bool) -> Result<Self, Failure> {
        let data = target.data();
        data.check()?;
        let runtime = runtime()?;
        let way = match admin_socket::connect(data.path()) {
            Ok(_) => Way::Socket(data),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Failure::refused(format_args!(
                    "the server's socket `{}` is its owner's only; run this command as that user",
                    admin_socket::path(data.path()).display()
                )));
            }
            // No server, or one that has ended without removing its socket.
            Err(_) if !data.has_store() => {
                data.check_store()?;
                return Err(Failure::refused(format_args!(
                    "the data directory `{}` has no users yet; `waxseal serve --data {}` makes the first",
                    data.path().display(),
                    word(data.path().display())
                )));
            }
            Err(_) => {
                let config = target.load()?.config;
                let opened = runtime.block_on(async {
                    if writable { Assembled::here(&data, &config).await } else { Assembled::look(&data, &config).await }
                });
                Way::Here(Box::new(opened?))
            }
        };
        Ok(Self { runtime, way })
    }

    /// Sends a request and gives the answer's JSON.
    ///
    /// # Errors
    /// The answer's own message when its status says that it was refused.
    pub(super) fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let (json, refused) = self.told(method, path, body)?;
        refused.map_or(Ok(json), Err)
    }

    /// The answer's JSON, and the failure that it tells of if it refuses.
    fn told(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(Value, Option<Failure>), Failure> {
        let answer = self.send(method, path, body)?;
        let json: Value = match answer.body.as_slice() {
            [] => Value::Null,
            octets => serde_json::from_slice(octets).map_err(|_| {
                Failure::refused(format_args!("the server's answer (status {}) is not JSON", answer.status))
            })?,
        };
        // Core says `message`, the routes of the server itself say `error`.
        let why = ["message", "error"].into_iter().find_map(|member| json.get(member)?.as_str());
        let refused = match (answer.status, why) {
            (200..=299, _) => None,
            (400, Some(message)) if is_misuse(&json) => Some(Failure::usage(message)),
            (413, _) => Some(Failure::refused("this is more than the server takes at once (`server.body_bytes`)")),
            (503, None) => Some(Failure::refused("the server cannot answer now; its log says why; try again")),
            (503, Some(message)) if self.is_running() => {
                Some(Failure::refused(format_args!("{message}; its log says why")))
            }
            (_, Some(message)) => Some(Failure::Refused { text: message.into(), code: code_of(&json) }),
            (status, None) => Some(Failure::refused(format_args!("the server refused with status {status}"))),
        };
        Ok((json, refused))
    }

    /// Sends a request and gives the answer as it is.
    pub(super) fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<AdminAnswer, Failure> {
        if path.len() > LONGEST_PATH {
            return Err(Failure::refused("the name or id is too long: none can be that long"));
        }
        let body = body.map(|body| Zeroizing::new(body.to_string()));
        match &self.way {
            Way::Socket(data) => {
                let sent = self.runtime.block_on(async {
                    match timeout(patience(path), over_socket(data, &method, path, body)).await {
                        Ok(sent) => sent,
                        Err(_) => Err("it is stopped, or overloaded".into()),
                    }
                });
                sent.map_err(|error| Failure::refused(format_args!("the running server does not answer: {error}")))
            }
            Way::Here(assembled) => {
                let body = body.as_ref().map(|body| body.as_bytes()).unwrap_or_default();
                let response = self.runtime.block_on(assembled.ask(method, path, body));
                Ok(AdminAnswer { status: response.status, body: Zeroizing::new(response.body) })
            }
        }
    }

    /// What the running server has and the data directory lacks; nothing when none runs, or when it does not say.
    pub(super) fn astray(&self) -> Astray {
        let told = self.is_running().then(|| self.ask(Method::Get, "/admin/astray", None).ok()).flatten();
        told.and_then(|told| serde_json::from_value(told).ok()).unwrap_or_default()
    }

    /// Waits for what is done beside the requests.
    pub(super) fn wait<T>(&self, done: impl Future<Output = T>) -> T {
        self.runtime.block_on(done)
    }

    /// Whether a server runs on the data.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.way, Way::Socket(_))
    }

    /// What was opened in this process, when no server runs.
    pub(super) fn here(&self) -> Option<&Assembled> {
        match &self.way {
            Way::Socket(_) => None,
            Way::Here(assembled) => Some(assembled),
        }
    }
}

/// The code of an answer that refuses.
fn code_of(answer: &Value) -> Option<String> {
    answer.get("error").and_then(Value::as_str).map(String::from)
}

/// Whether an answer refuses what stood on the command line, rather than what was to be done.
fn is_misuse(answer: &Value) -> bool {
    code_of(answer).is_some_and(|code| {
        matches!(code.as_str(), "invalid_value" | "wrong_type" | "lifetime_too_short" | "lifetime_too_long")
    })
}

/// How long an answer may take. A backup takes as long as its disk needs.
fn patience(path: &str) -> Duration {
    if path == "/admin/backup" { Duration::from_hours(24) } else { Duration::from_mins(1) }
}

/// Octets of a path, which is no longer than what a server reads as one.
const LONGEST_PATH: usize = 8 * 1024;

/// A runtime for one request at a time.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::refused(format_args!("cannot start: {error}")))
}

/// Percent-encodes a segment of a path (RFC 3986, 2.3).
pub(super) fn segment(text: &str) -> String {
    let encode = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(encode).collect()
}

type AnyError = Box<dyn core::error::Error + Send + Sync>;

async fn over_socket(
    data: &DataDir,
    method: &Method,
    path: &str,
    body: Option<Zeroizing<String>>,
) -> Result<AdminAnswer, AnyError> {
    let stream = admin_socket::connect(data.path())?;
    stream.set_nonblocking(true)?;
    let stream = UnixStream::from_std(stream)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let running = tokio::spawn(connection);
    let mut request = hyper::Request::builder().method(method.as_str()).uri(path).header("host", "localhost");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let octets = body.map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.as_bytes()));
    let response = sender.send_request(request.body(Full::new(octets))?).await?;
    let status = response.status().as_u16();
    let octets = response.into_body().collect().await?.to_bytes();
    running.abort();
    Ok(AdminAnswer { status, body: Zeroizing::new(octets.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(segment("a/b?c%d e@f"), "a%2Fb%3Fc%25d%20e%40f");
        assert_eq!(segment("caf\u{e9}"), "caf%C3%A9");
    }
}
