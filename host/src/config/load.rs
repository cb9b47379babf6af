//! From file, environment and flags to one checked configuration.

use super::{
    Config, Host, Problem, SETTINGS, Setting,
    kind::{Given, ValueKind},
    notation,
};
use crate::http::is_exposed;
use core::{fmt, ops::Range};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};
use waxseal_core::settings::Settings;

/// Where a value comes from; the later ones win.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum StatedBy {
    /// Nobody has stated it.
    #[default]
    Default,
    /// A line of the file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Env(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for StatedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A setting stated by a text, in the environment or by a flag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stated {
    /// The setting's dotted path.
    pub path: String,
    /// The value in the notation of the file, texts without quotes.
    pub value: String,
    /// What names it in messages.
    pub origin: StatedBy,
}

/// Where settings are stated.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// Where a file is looked for, each time anew, when there is no other.
    pub usual: Option<PathBuf>,
    /// The environment: `WAXSEAL__SECTION__NAME` and `WAXSEAL_LISTEN` are read, the rest is passed over.
    pub env: Vec<(String, String)>,
    /// What the command line states.
    pub flags: Vec<Stated>,
}

/// A checked configuration that knows where each value comes from.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    values: BTreeMap<&'static str, Value>,
    origins: BTreeMap<&'static str, StatedBy>,
}

/// Whether there is something under this name, be it a link that leads nowhere: whoever has put it there does not mean the defaults.
/// What cannot be looked at is reported when it is read.
pub(crate) fn is_named(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

impl Sources {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// Every problem there is, one line each, in the order of the sources.
    pub fn load(self) -> Result<Loaded, Vec<Problem>> {
        let mut draft = Draft::default();
        let file = self.file.or(self.usual.filter(|path| is_named(path)));
        if let Some(path) = &file {
            draft.read_file(path);
        }
        for (name, value) in &self.env {
            if let Some(path) = path_of(name) {
                draft.state(&path, Given::Text(value), StatedBy::Env(name.clone()));
            }
        }
        for Stated { path, value, origin } in &self.flags {
            draft.state(path, Given::Text(value), origin.clone());
        }
        draft.finish(file)
    }
}

/// The dotted path that an environment variable states. Names with a single `_` are left alone, but for the one in daily use:
/// orchestrators put variables such as `WAXSEAL_SERVICE_HOST` there themselves.
fn path_of(env: &str) -> Option<String> {
    match env {
        "WAXSEAL_LISTEN" => Some("server.listen".into()),
        _ => env.strip_prefix("WAXSEAL__").map(|rest| rest.replace("__", ".").to_ascii_lowercase()),
    }
}

impl Loaded {
    /// Every setting with its effective value in the notation of the file and where that comes from.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Setting, String, &StatedBy)> {
        // A notation that stands for other settings has no value of its own.
        let own = SETTINGS.iter().filter(|setting| !matches!(setting.kind, ValueKind::Timeouts));
        own.map(|setting| {
            let value = self.values.get(setting.path).unwrap_or(&Value::Null);
            (setting, setting.kind.show(value), self.origin(setting.path))
        })
    }

    /// The effective value of a setting in serialized form.
    pub fn value(&self, path: &str) -> &Value {
        self.values.get(path).unwrap_or(&Value::Null)
    }

    fn is_set(&self, path: &str) -> bool {
        !self.value(path).is_null()
    }

    /// Where the effective value of a setting comes from.
    pub fn origin(&self, path: &str) -> &StatedBy {
        self.origins.get(path).unwrap_or(&StatedBy::Default)
    }
}

/// What has been stated so far.
#[derive(Default)]
struct Draft {
    values: BTreeMap<&'static str, (Value, StatedBy)>,
    problems: Vec<Problem>,
}

impl Draft {
    fn read_file(&mut self, path: &Path) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self.problems.push(Problem::new(format_args!("cannot read {}: {error}", path.display())));
            }
        };
        let lines = Lines::of(&text, path);
        match DeTable::parse(&text) {
            Ok(table) => self.read_table("", table.get_ref(), &lines),
            Err(error) => {
                let origin = lines.origin(&error.span().unwrap_or_default());
                self.problems.push(Problem::new(format_args!("{origin}: this is not TOML: {}", error.message())));
            }
        }
    }

    fn read_table(&mut self, prefix: &str, table: &DeTable<'_>, lines: &Lines<'_>) {
        for (name, value) in table {
            let path = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
            match value.get_ref() {
                // Also in a section that does not exist, so that the whole path is in the message.
                DeValue::Table(inner) if is_section(&path) || (Setting::find(&path).is_none() && !inner.is_empty()) => {
                    self.read_table(&path, inner, lines);
                }
                given => self.state(&path, Given::Toml(given), lines.origin(&name.span())),
            }
        }
    }

    fn state(&mut self, path: &str, given: Given<'_>, origin: StatedBy) {
        let Some(setting) = Setting::find(path) else { return self.problems.push(unknown(path, &origin)) };
        match setting.kind.read(given) {
            None => self.problems.push(Problem::value(path, &origin, &given.to_string(), &setting.kind)),
            Some(value) if matches!(setting.kind, ValueKind::Timeouts) => self.spread(setting.path, value, &origin),
            Some(value) => _ = self.keep(setting.path, setting.path, value, origin),
        }
    }

    /// Takes a value, unless the same source has stated it before under another name: then nobody could say which one counts.
    fn keep(&mut self, path: &'static str, stated_as: &str, value: Value, origin: StatedBy) -> bool {
        let twice = self.values.get(path).filter(|(_, known)| same_source(known, &origin));
        if let Some((_, known)) = twice {
            self.problems.push(if *known == origin {
                Problem::new(format_args!("{stated_as} ({origin}): given twice; keep one of them"))
            } else {
                Problem::new(format_args!("{stated_as} ({origin}): {known} states {path} as well; keep one of them"))
            });
            return false;
        }
        self.values.insert(path, (value, origin));
        true
    }

    /// The settings that the notation of `openshift.auth_scope_timeouts` stands for.
    fn spread(&mut self, path: &'static str, value: Value, origin: &StatedBy) {
        if value.is_null() {
            return;
        }
        let lives: [(u32, u32); 3] = serde_json::from_value(value).unwrap_or_default();
        for (scope, (default, max)) in notation::SCOPES.iter().zip(lives) {
            for (name, secs) in [("default", default), ("max", max)] {
                let Some(setting) = Setting::find(&format!("openshift.{scope}.{name}")) else { continue };
                if !self.keep(setting.path, path, secs.into(), origin.clone()) {
                    return;
                }
            }
        }
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<Loaded, Vec<Problem>> {
        let mut values: BTreeMap<&'static str, Value> = BTreeMap::new();
        let mut origins = BTreeMap::new();
        let mut tree = defaults();
        for setting in SETTINGS {
            let Some(entry) = entry(&mut tree, setting.path) else { continue };
            if let Some((value, origin)) = self.values.remove(setting.path) {
                *entry = value;
                origins.insert(setting.path, origin);
            }
            values.insert(setting.path, entry.clone());
        }
        let mut loaded = Loaded { config: Config::default(), file, values, origins };
        self.problems.extend(disagreements(&loaded));
        if self.problems.is_empty() {
            match build(tree) {
                Ok(config) => loaded.config = config,
                Err(error) => self.problems.push(Problem::new(error)),
            }
        }
        if self.problems.is_empty() { Ok(loaded) } else { Err(self.problems) }
    }
}

/// Whether some setting lies in this section.
fn is_section(path: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Whether two values come from the same layer, so that neither overrides the other.
fn same_source(one: &StatedBy, other: &StatedBy) -> bool {
    core::mem::discriminant(one) == core::mem::discriminant(other)
}

fn unknown(path: &str, origin: &StatedBy) -> Problem {
    if is_section(path) {
        return Problem::new(format_args!("{path} ({origin}): found a value, but this is a section: name a setting in it"));
    }
    match nearest(path) {
        Some(near) => {
            Problem::new(format_args!("{path} ({origin}): there is no such setting; did you mean `{}`?", near.path))
        }
        None => Problem::new(format_args!(
            "{path} ({origin}): there is no such setting; `waxseal config show` lists all there are"
        )),
    }
}

/// The setting that was probably meant: the same name in another section, else the most alike.
fn nearest(path: &str) -> Option<&'static Setting> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let elsewhere = SETTINGS.iter().find(|setting| setting.path.rsplit('.').next() == Some(name));
    elsewhere.or_else(|| {
        // Each comparison costs the product of both lengths, and a long name, or one that begins otherwise, is hardly meant for one of
        // these.
        let begins_alike = |setting: &&Setting| setting.path.as_bytes().first() == path.as_bytes().first();
        let near = SETTINGS.iter().filter(begins_alike).filter(|setting| path.len() <= 2 * setting.path.len());
        let alike = near.map(|setting| (strsim::jaro_winkler(path, setting.path), setting));
        let (likeness, best) = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (likeness > 0.8).then_some(best)
    })
}

/// Settings that are each allowed but do not go together.
fn disagreements(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = out_of_order(loaded);
    problems.extend(incomplete(loaded));
    problems.extend(native_beside_a_module(loaded));
    problems.extend(one_address_for_two(loaded));
    problems.extend(exposed_in_plain(loaded));
    problems
}

fn out_of_order(loaded: &Loaded) -> Vec<Problem> {
    let ordered = [
        ("redis.ttl.min", "redis.ttl.default"),
        ("redis.ttl.default", "redis.ttl.max"),
        ("openshift.session.default", "openshift.session.max"),
        ("openshift.read.default", "openshift.read.max"),
        ("openshift.userinfo.default", "openshift.userinfo.max"),
    ];
    let wrong = ordered.into_iter().filter(|&(less, more)| loaded.value(less).as_u64() > loaded.value(more).as_u64());
    let problem = |(less, more): (&'static str, &'static str)| {
        // The blame goes to the one that was stated, the later one if both were.
        let [(blamed, word, other), _] = {
            let mut pair = [(less, "at most", more), (more, "at least", less)];
            pair.sort_by_key(|(path, ..)| core::cmp::Reverse(loaded.origin(path).clone()));
            pair
        };
        let allowed = format!("{word} {other}, which is {} ({})", loaded.value(other), loaded.origin(other));
        Problem::value(blamed, loaded.origin(blamed), &loaded.value(blamed).to_string(), &allowed)
    };
    wrong.map(problem).collect()
}

fn incomplete(loaded: &Loaded) -> Vec<Problem> {
    let needed = [
        ("server.tls_cert", "server.tls_key"),
        ("server.tls_key", "server.tls_cert"),
        ("server.tls_client_ca", "server.tls_cert"),
        ("engine.module", "engine.module_sha256"),
        ("engine.module_sha256", "engine.module"),
    ];
    let lonely = needed.into_iter().filter(|&(one, other)| loaded.is_set(one) && !loaded.is_set(other));
    let problem = |(one, other): (&str, &str)| {
        Problem::new(format_args!("{one} ({}): it also needs {other}, which is not set", loaded.origin(one)))
    };
    lonely.map(problem).collect()
}

fn native_beside_a_module(loaded: &Loaded) -> Vec<Problem> {
    let stated = |path: &&str| loaded.value(path) == "native" && *loaded.origin(path) != StatedBy::Default;
    let wrong = ["engine.hot", "engine.api"].into_iter().filter(|path| loaded.is_set("engine.module") && stated(path));
    let allowed = &"`module` beside engine.module: what is native are the rules in this binary";
    wrong.map(|path| Problem::value(path, loaded.origin(path), "native", allowed)).collect()
}

fn one_address_for_two(loaded: &Loaded) -> Option<Problem> {
    let (main, operations) = (loaded.value("server.listen"), loaded.value("server.operations"));
    let is_one = main == operations && !main.as_str().is_some_and(|address| address.ends_with(":0"));
    is_one.then(|| {
        Problem::value(
            "server.operations",
            loaded.origin("server.operations"),
            operations.as_str().unwrap_or(""),
            &"another address than that of server.listen",
        )
    })
}

/// Security H6, as the server holds it when it starts.
fn exposed_in_plain(loaded: &Loaded) -> Vec<Problem> {
    if loaded.value("server.allow_plain_http").as_bool() == Some(true) {
        return Vec::new();
    }
    let plain = [
        (
            "server.listen",
            !loaded.is_set("server.tls_cert"),
            "a loopback address as long as this is plain HTTP; set server.tls_cert and server.tls_key, or \
             server.allow_plain_http = true behind a proxy that does TLS",
        ),
        (
            "server.operations",
            true,
            "a loopback address, as this is always plain HTTP; or set server.allow_plain_http = true",
        ),
    ];
    let mut problems = Vec::new();
    for (path, is_plain, advice) in plain {
        let stated = loaded.value(path).as_str().unwrap_or("");
        if is_plain && stated.parse().is_ok_and(|address| is_exposed(&address)) {
            problems.push(Problem::value(path, loaded.origin(path), stated, &advice));
        }
    }
    problems
}

/// All defaults in serialized form.
fn defaults() -> Value {
    let mut tree = Map::new();
    for part in [serde_json::to_value(Host::default()), serde_json::to_value(Settings::default())] {
        if let Ok(Value::Object(members)) = part {
            tree.extend(members);
        }
    }
    Value::Object(tree)
}

fn entry<'t>(tree: &'t mut Value, path: &str) -> Option<&'t mut Value> {
    path.split('.').try_fold(tree, |tree, name| tree.get_mut(name))
}

fn build(tree: Value) -> Result<Config, serde_json::Error> {
    let Value::Object(mut members) = tree else { return Ok(Config::default()) };
    let mut host = Map::new();
    for section in ["server", "log", "engine"] {
        host.extend(members.remove_entry(section));
    }
    Ok(Config {
        host: serde_json::from_value(Value::Object(host))?,
        settings: serde_json::from_value(Value::Object(members))?,
    })
}

/// Where lines start in a file.
struct Lines<'a> {
    text: &'a str,
    path: &'a Path,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str, path: &'a Path) -> Self {
        Self { text, path }
    }

    fn origin(&self, span: &Range<usize>) -> StatedBy {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        StatedBy::File { path: self.path.into(), line: before.matches('\n').count() + 1 }
    }
}

#[cfg(test)]
mod tests;
