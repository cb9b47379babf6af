//! `waxseal token verify`: the token check alone, once or for a stream of lines.

use super::{Failure, Target, admin::Admin, module, terminal::say, token};
use crate::{
    clock::Clock,
    engine::{self, Code, Module},
    text::json,
};
use serde::Deserialize;
use serde_json::{Number, Value, json};
use std::{
    borrow::Cow,
    fs,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};
use waxseal_core::{
    seam::{Method, World},
    settings::Settings,
    time::UnixTime,
    token::{EdgeVerifier, Refusal, SnapshotError, Stale},
};

/// Which token, and how to check it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The token, or `-` for standard input
    #[arg(required_unless_present = "batch", conflicts_with = "batch", allow_hyphen_values = true)]
    token: Option<String>,
    /// Read JSON lines with a `token` member from standard input, and print one verdict per line
    #[arg(long)]
    batch: bool,
    /// Which build of the rules does the checking
    #[arg(long, value_enum, default_value = "native")]
    engine: Engine,
    /// Take keys from this file (a JWK or JWK set) instead of the data directory
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    jwks: Option<PathBuf>,
    /// Also refuse what this revocation snapshot revokes, as verifiers elsewhere do
    #[arg(long, value_name = "FILE", requires = "jwks")]
    revocations: Option<PathBuf>,
    /// What to do when the snapshot is too old to go by
    #[arg(long, value_enum, value_name = "VERDICT", default_value = "refuse", requires = "revocations")]
    stale: OnStale,
    /// Also check that the user exists and that the token was not revoked; always for the present time
    #[arg(long)]
    live: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Engine {
    /// Compiled into this program
    Native,
    /// The WebAssembly component
    Module,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum OnStale {
    /// Refuse every token
    Refuse,
    /// Go by what it says all the same
    Accept,
}

pub(super) fn run(args: &Args, target: &Target) -> Result<(), Failure> {
    let mut checker = Checker::new(args, target)?;
    match &args.token {
        None => batch(&mut checker),
        Some(token) => match checker.check(&token::text(token)?, None)? {
            Ok(()) => say("accept"),
            Err(code) => Err(Failure::no(say(&format!("reject {code}")))),
        },
    }
}

/// What checks a token.
enum Checker {
    Native(Box<World>, Clock),
    Module(Box<engine::Verifier>, Clock),
    /// With public keys and a snapshot, as a verifier elsewhere.
    Edge(Box<(EdgeVerifier, Settings)>, Clock),
    /// Through the engine and the store.
    Live(Box<Admin>),
}

/// Accepted, or the stable code of the refusal.
type Verdict = Result<(), Cow<'static, str>>;

impl Checker {
    fn new(args: &Args, target: &Target) -> Result<Self, Failure> {
        if args.live {
            return Ok(Self::Live(Box::new(Admin::look(target)?)));
        }
        let world = token::world(args.jwks.as_deref(), target)?;
        if let Some(file) = &args.revocations {
            return edge(&world, file, args);
        }
        Ok(match args.engine {
            Engine::Native => Self::Native(Box::new(world), Clock::system()),
            Engine::Module => {
                let failed = |what: &str| Failure::refused(format_args!("the module cannot be run: {what}"));
                let loaded = target.load()?;
                module::check_author(&loaded).map_err(Failure::usage)?;
                let named = module::named(&loaded.config.host).map_err(Failure::usage)?;
                let code = named.unwrap_or(Code::built_in());
                let module =
                    Module::load(&code, engine::Limits::default()).map_err(|error| failed(&format!("{error:#}")))?;
                let bytes = world.to_bytes().ok_or_else(|| failed("its world cannot be written"))?;
                let verifier = module.verifier(&bytes).map_err(|fault| failed(&fault.to_string()))?;
                Self::Module(Box::new(verifier), Clock::system())
            }
        })
    }

    fn check(&mut self, token: &str, now: Option<UnixTime>) -> Result<Verdict, Failure> {
        match self {
            Self::Native(world, clock) => {
                let verdict = world.verify(token, now.unwrap_or_else(|| clock.now()));
                Ok(verdict.map(drop).map_err(|refusal| refusal.code().into()))
            }
            Self::Module(verifier, clock) => match verifier.verify(token, now.unwrap_or_else(|| clock.now())) {
                Ok(verdict) => Ok(verdict.map_err(Cow::Owned)),
                Err(fault) => Err(Failure::refused(format_args!("the module failed: {fault}"))),
            },
            Self::Edge(edge, clock) => {
                let (verifier, settings) = edge.as_ref();
                let verdict = verifier.verify(token, &settings.access_profile(), now.unwrap_or_else(|| clock.now()));
                Ok(verdict.map(drop).map_err(|refusal| refusal.code().into()))
            }
            // The store knows the present only.
            Self::Live(_) if now.is_some() => Ok(Err(BAD_LINE.into())),
            // A token that no server would read is refused here too, as it would end a batch.
            Self::Live(_) if token::is_too_long(token) => Ok(Err(token::TOO_LONG.code().into())),
            Self::Live(admin) => {
                let told = admin.ask(Method::Post, "/admin/tokens/explain", Some(&json!({ "token": token })))?;
                let code = told.get("code").and_then(Value::as_str).unwrap_or("refused").to_owned();
                Ok(if token::is_live(&told) { Ok(()) } else { Err(code.into()) })
            }
        }
    }
}

/// What checks with the keys of `world` and the snapshot in `file`.
fn edge(world: &World, file: &Path, args: &Args) -> Result<Checker, Failure> {
    if matches!(args.engine, Engine::Module) {
        return Err(Failure::usage("a revocation snapshot can only be checked with `--engine native`"));
    }
    let refused = |why: &dyn core::fmt::Display| Failure::refused(format_args!("cannot use `{}`: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| refused(&error))?;
    let stale = match args.stale {
        OnStale::Refuse => Stale::Refuse,
        OnStale::Accept => Stale::Accept,
    };
    let (clock, settings) = (Clock::system(), world.settings.clone());
    let verifier = EdgeVerifier::new(world.vault.keys().clone(), stale);
    let mut verifier =
        verifier.map_err(|_| Failure::refused("a revocation snapshot needs public keys to be checked with"))?;
    // As on the day it was made, since one that has grown old since then is what `--stale` is about.
    let explained = world.vault.keys().explain(text.trim_end(), &settings.access_profile(), clock.now());
    let claims = serde_json::to_value(&explained).unwrap_or_default();
    let made = claims.pointer("/claims/iat").and_then(Value::as_u64).map_or(clock.now(), UnixTime::from_secs);
    let taken = verifier.take(text.trim_end(), &settings.issuer, settings.leeway, made.min(clock.now()));
    taken.map_err(|error| {
        let (shown, code) = (file.display(), error.code());
        let expected = match error {
            SnapshotError::Refused(Refusal::WrongIssuer) => {
                format!("; expected is `{}`, as the setting `issuer` says here", settings.issuer)
            }
            _ => String::new(),
        };
        Failure::refused(format_args!(
            "the revocation snapshot `{shown}`, which is checked as a token is: {error} ({code}){expected}"
        ))
    })?;
    Ok(Checker::Edge(Box::new((verifier, settings)), clock))
}

/// A line of a batch.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    now: Option<Number>,
}

fn batch(checker: &mut Checker) -> Result<(), Failure> {
    let mut input = BufReader::with_capacity(BUFFER, io::stdin().lock());
    let mut output = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut line = Vec::new();
    while read_line(&mut input, &mut line).map_err(|error| Failure::refused(format_args!("cannot read: {error}")))? {
        match Line::read(&line).map(|(token, now)| checker.check(&token, now)).transpose()? {
            Some(Ok(())) => output.write_all(b"accept\n")?,
            Some(Err(code)) => writeln!(output, "reject {code}")?,
            None => writeln!(output, "reject {BAD_LINE}")?,
        }
        // Whoever writes a line and waits for its verdict gets it.
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    Ok(output.flush()?)
}

impl<'a> Line<'a> {
    /// `None` when it is not such a line.
    fn read(line: &'a [u8]) -> Option<(Cow<'a, str>, Option<UnixTime>)> {
        let Self { token, now } = json::object(line)?;
        let now = match now {
            None => None,
            Some(now) => Some(match (now.as_u64(), now.as_f64()) {
                (Some(secs), _) => UnixTime::from_secs(secs),
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "saturates, and is not negative"
                )]
                (None, Some(secs)) if secs >= 0.0 => UnixTime::from_millis((secs * 1000.0) as u64),
                _ => return None,
            }),
        };
        Some((token, now))
    }
}

/// Reads the next line without its end; `false` at the end of the input. A line that is too long is read past and comes out
/// empty, which is no JSON.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = input.by_ref().take(MAX_LINE).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if read as u64 == MAX_LINE {
        line.clear();
        input.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

const BAD_LINE: &str = "bad_line";
const BUFFER: usize = 1 << 16;
/// Octets of a line, its end included; a longer one is a bad line.
const MAX_LINE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, Option<u64>)>) {
        let read = Line::read(line.as_bytes());
        let read = read.as_ref().map(|(token, now)| (token.as_ref(), now.map(UnixTime::as_millis)));
        assert_eq!(read, expected, "{line}");
    }

    #[test]
    fn a_line_is_an_object_with_a_token_and_perhaps_a_time() {
        check(r#"{"token":"a"}"#, Some(("a", None)));
        check(r#" {"now": 1.5, "token":"\u0061", "note": [1]} "#, Some(("a", Some(1500))));
        check(r#"{"token":"a","now":1800000000}"#, Some(("a", Some(1_800_000_000_000))));
        check(r#"{"token":"a","now":null}"#, Some(("a", None)));
        check(r#"{"token":"","now":0}"#, Some(("", Some(0))));
    }

    #[test]
    fn every_other_line_is_a_bad_one() {
        for line in [
            "",
            "a.b.c",
            "{}",
            "[]",
            r#"["a",null]"#,
            r#"{"token":1}"#,
            r#"{"token":null}"#,
            r#"{"token":"a"} x"#,
            r#"{"token":"a","token":"b"}"#,
            r#"{"token":"a","now":-1}"#,
            r#"{"token":"a","now":"1"}"#,
            r#"{"token":"a""#,
        ] {
            check(line, None);
        }
        assert!(Line::read(b"{\"token\":\"\xff\"}").is_none());
    }

    #[test]
    fn lines_end_where_they_end_and_none_is_kept_that_is_too_long() {
        let long = "x".repeat(usize::try_from(MAX_LINE).unwrap() + 5);
        let text = format!("a\n\n{long}\nb");
        let mut input = text.as_bytes();
        let mut line = Vec::new();
        let mut lines = Vec::new();
        while read_line(&mut input, &mut line).unwrap() {
            lines.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(lines, ["a", "", "", "b"]);
    }
}
