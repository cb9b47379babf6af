//! The format of a case file (`tests/cases/README.md`), read strictly: what is not described there is an error.

use super::matcher::{Matcher, Shapes};
use core::net::Ipv4Addr;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, path::Path};
use waxseal_core::settings::Settings;

/// A file of scenarios.
pub(crate) struct CaseFile {
    /// The file's name without `.json`.
    pub(crate) name: String,
    pub(crate) shapes: Shapes,
    pub(crate) scenarios: Vec<Scenario>,
}

/// What happens in one world, from its start.
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// Overrides of the settings, checked to be ones.
    pub(crate) settings: Map<String, Value>,
    pub(crate) users: Vec<Map<String, Value>>,
    pub(crate) steps: Vec<Step>,
}

pub(crate) enum Step {
    Advance {
        secs: u64,
    },
    /// An [`Exchange`] before its variables are filled in; known to be well-formed.
    Exchange(Value),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) request: String,
    pub(crate) basic: Option<(String, String)>,
    pub(crate) bearer: Option<String>,
    pub(crate) jwt: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, HeaderValue>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    pub(crate) form: Option<BTreeMap<String, String>>,
    pub(crate) body: Option<String>,
    pub(crate) body_base64: Option<String>,
    pub(crate) from: Option<Ipv4Addr>,
    #[serde(default = "once")]
    pub(crate) times: u32,
    pub(crate) expect: Expect,
    pub(crate) label: Option<String>,
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, Capture>,
    pub(crate) claims: Option<Claims>,
}

/// `null` leaves out a header that the runner would send by itself.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum HeaderValue {
    One(String),
    Many(Vec<String>),
    None(()),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    pub(crate) body: Option<String>,
    pub(crate) same_as: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Status {
    One(u16),
    OneOf(Vec<u16>),
}

impl Status {
    pub(crate) fn allows(&self, status: u16) -> bool {
        match self {
            Self::One(one) => *one == status,
            Self::OneOf(many) => many.contains(&status),
        }
    }
}

/// A JSON pointer, or more precisely where and which part.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Capture {
    Pointer(String),
    Part(Part),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    pub(crate) pointer: Option<String>,
    pub(crate) header: Option<String>,
    pub(crate) regex: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) of: String,
    pub(crate) header: Option<Value>,
    pub(crate) payload: Option<Value>,
    pub(crate) lifetime: Option<u64>,
}

/// Every case file in `folder`, in the order of their names.
pub(crate) fn load_all(folder: &Path) -> Vec<CaseFile> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "no case files in `{}`", folder.display());
    paths.iter().map(|path| load(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
}

fn load(path: &Path) -> Result<CaseFile, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Stated {
        about: String,
        #[serde(default)]
        shapes: BTreeMap<String, Value>,
        scenarios: Vec<StatedScenario>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct StatedScenario {
        name: String,
        contract: String,
        #[serde(default)]
        settings: Map<String, Value>,
        #[serde(default)]
        users: Vec<Map<String, Value>>,
        steps: Vec<Value>,
    }

    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let stated: Stated = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if stated.about.is_empty() {
        return Err("`about` is empty".into());
    }
    let shapes = Shapes::new(stated.shapes)?;
    let mut scenarios: Vec<Scenario> = Vec::new();
    for StatedScenario { name, contract, settings, users, steps } in stated.scenarios {
        let context = |error: String| format!("`{name}`: {error}");
        if contract.is_empty() || scenarios.iter().any(|known| known.name == name) {
            return Err(context("`contract` is empty or the name stands here twice".into()));
        }
        serde_json::from_value::<Settings>(Value::Object(settings.clone())).map_err(|error| context(error.to_string()))?;
        let steps = steps.into_iter().enumerate().map(|(index, step)| {
            Step::parse(step, &shapes).map_err(|error| context(format!("step {}: {error}", index + 1)))
        });
        let steps = steps.collect::<Result<_, _>>()?;
        scenarios.push(Scenario { name, settings, users, steps });
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(CaseFile { name, shapes, scenarios })
}

impl Step {
    fn parse(stated: Value, shapes: &Shapes) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Advance {
            advance_secs: u64,
        }

        if stated.get("advance_secs").is_some() {
            let Advance { advance_secs: secs } = serde_json::from_value(stated).map_err(|error| error.to_string())?;
            return Ok(Self::Advance { secs });
        }
        let exchange: Exchange = serde_json::from_value(stated.clone()).map_err(|error| error.to_string())?;
        exchange.check(shapes)?;
        Ok(Self::Exchange(stated))
    }
}

impl Exchange {
    /// What the types do not say.
    fn check(&self, shapes: &Shapes) -> Result<(), String> {
        let bodies = [self.json.is_some(), self.form.is_some(), self.body.is_some(), self.body_base64.is_some()];
        let authorizations = [self.basic.is_some(), self.bearer.is_some(), self.jwt.is_some()];
        for (what, given) in [("bodies", &bodies[..]), ("ways to authorize", &authorizations[..])] {
            if given.iter().filter(|given| **given).count() > 1 {
                return Err(format!("several {what}"));
            }
        }
        if self.times == 0 {
            return Err("`times` is 0".into());
        }
        if let Some(name) = self.headers.keys().chain(self.expect.headers.keys()).find(|name| name.to_lowercase() != **name)
        {
            return Err(format!("header name `{name}` is not in lower case"));
        }
        let claims = self.claims.iter().flat_map(|claims| [claims.header.as_ref(), claims.payload.as_ref()]).flatten();
        for value in self.expect.headers.values().chain(&self.expect.json).chain(claims) {
            Matcher::check(value, shapes)?;
        }
        for capture in self.capture.values() {
            if let Capture::Part(part) = capture
                && part.pointer.is_some() == part.header.is_some()
            {
                return Err("a capture is from a `pointer` or from a `header`".into());
            }
        }
        Ok(())
    }
}

const fn once() -> u32 {
    1
}

/// Tells `null` from a member that is not there.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
