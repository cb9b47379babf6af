//! Plays a scenario in a world.

use super::{
    file::{Capture, CaseFile, Claims, Exchange, HeaderValue, Scenario, Step},
    invariants,
    matcher::Matcher,
};
use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use core::net::Ipv4Addr;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use waxseal_core::seam::{Method, Request};
use waxseal_tests::{
    client::{Reply, basic},
    server::ADMIN,
};

/// A place where Waxseal runs: with an empty store but for [`ADMIN`], under the settings of one scenario.
pub(crate) trait World {
    /// Sends a request from an address and waits for the reply.
    fn send(&mut self, from: Ipv4Addr, request: &Request) -> Reply;
    /// Moves the clock, which otherwise stands still.
    fn advance(&mut self, secs: u64);
}

/// Every reply in order, or what was not as expected.
pub(crate) fn play(file: &CaseFile, scenario: &Scenario, world: &mut dyn World) -> Result<Vec<Reply>, String> {
    let mut player = Player {
        file,
        world,
        variables: Variables::default(),
        passwords: Vec::new(),
        labels: BTreeMap::new(),
        replies: Vec::new(),
    };
    player.seed(&scenario.users).map_err(|error| format!("before the first step: {error}"))?;
    for (index, step) in scenario.steps.iter().enumerate() {
        match step {
            Step::Advance { secs } => player.world.advance(*secs),
            Step::Exchange(stated) => {
                player.exchange(stated).map_err(|error| format!("step {}, {}: {error}", index + 1, stated["request"]))?;
            }
        }
    }
    Ok(player.replies)
}

struct Player<'a> {
    file: &'a CaseFile,
    world: &'a mut dyn World,
    variables: Variables,
    passwords: Vec<String>,
    labels: BTreeMap<String, Reply>,
    replies: Vec<Reply>,
}

impl Player<'_> {
    fn seed(&mut self, users: &[Map<String, Value>]) -> Result<(), String> {
        self.variables.set("admin.password", ADMIN.1.into());
        self.passwords.push(ADMIN.1.into());
        if users.is_empty() {
            return Ok(());
        }
        self.exchange(&json!({
            "request": "POST /v1/users/authorize", "basic": [ADMIN.0, ADMIN.1], "json": { "ttl": 86400 },
            "expect": { "status": 200 }, "capture": { "admin.token": "/access_token" },
        }))?;
        for user in users {
            let name = user.get("name").and_then(Value::as_str).ok_or("a user without a name")?;
            self.exchange(&json!({
                "request": "POST /v1/users", "bearer": "${admin.token}", "json": user,
                "expect": { "status": 200 }, "capture": { format!("{name}.uid"): "/uid" },
            }))?;
            let password = user.get("password").and_then(Value::as_str).ok_or("a user without a password")?;
            self.variables.set(&format!("{name}.password"), password.into());
            self.passwords.push(password.into());
        }
        Ok(())
    }

    fn exchange(&mut self, stated: &Value) -> Result<(), String> {
        let exchange: Exchange = serde_json::from_value(self.variables.fill(stated)?).map_err(|error| error.to_string())?;
        let request = request(&exchange)?;
        let from = exchange.from.unwrap_or(Ipv4Addr::LOCALHOST);
        for _ in 0..exchange.times {
            let reply = self.world.send(from, &request);
            let verdict = self.check(&exchange, &request, &reply);
            verdict.map_err(|error| format!("{error}\n    in {}", shown(&reply)))?;
            self.replies.push(reply);
        }
        let reply = self.replies.last().ok_or("never sent")?;
        for (name, capture) in &exchange.capture {
            self.variables.set(name, captured(capture, reply)?);
        }
        if let Some(label) = exchange.label {
            self.labels.insert(label, reply.clone());
        }
        Ok(())
    }

    fn check(&self, exchange: &Exchange, request: &Request, reply: &Reply) -> Result<(), String> {
        let expect = &exchange.expect;
        if !expect.status.allows(reply.status) {
            return Err(format!("status {} is not the one expected", reply.status));
        }
        invariants::check(exchange, request, reply, &self.passwords)?;
        crate::openapi::check_reply(request, reply)?;
        let body = reply.json();
        let matcher = Matcher { shapes: &self.file.shapes, body: body.as_ref().unwrap_or(&Value::Null) };
        for (name, expected) in &expect.headers {
            matcher.compare(name, expected, reply.header(name).map(Value::from).as_ref())?;
        }
        if let Some(expected) = &expect.json {
            matcher.compare("body", expected, body.as_ref())?;
        }
        if let Some(expected) = &expect.body
            && expected.as_bytes() != reply.body
        {
            return Err(format!("expected the body {expected:?}"));
        }
        if let Some(label) = &expect.same_as {
            let other = self.labels.get(label).ok_or_else(|| format!("no reply is labelled `{label}`"))?;
            if comparable(other) != comparable(reply) {
                return Err(format!("not the same as `{label}`: {}", shown(other)));
            }
        }
        exchange.claims.as_ref().map_or(Ok(()), |claims| check_claims(claims, &matcher))
    }
}

fn request(exchange: &Exchange) -> Result<Request, String> {
    let (method, target) = exchange.request.split_once(' ').ok_or("a request is `METHOD /path`")?;
    let mut request = Request::new(Method::parse(method), target);
    let authorization = match exchange {
        Exchange { basic: Some((user, password)), .. } => Some(basic(user, password)),
        Exchange { bearer: Some(token), .. } => Some(format!("Bearer {token}")),
        Exchange { jwt: Some(token), .. } => Some(format!("JWT {token}")),
        _ => None,
    };
    let (media_type, body) = match exchange {
        Exchange { json: Some(json), .. } => (Some("application/json"), json.to_string().into_bytes()),
        Exchange { form: Some(form), .. } => (Some("application/x-www-form-urlencoded"), form_encoded(form).into_bytes()),
        Exchange { body: Some(body), .. } => (None, body.clone().into_bytes()),
        Exchange { body_base64: Some(body), .. } => {
            (None, BASE64_STANDARD.decode(body).map_err(|error| error.to_string())?)
        }
        _ => (None, Vec::new()),
    };
    let implied = [("authorization", authorization.as_deref()), ("content-type", media_type)];
    for (name, value) in implied.into_iter().filter(|(name, _)| !exchange.headers.contains_key(*name)) {
        if let Some(value) = value {
            request = request.with_header(name, value);
        }
    }
    for (name, value) in &exchange.headers {
        let values = match value {
            HeaderValue::One(value) => core::slice::from_ref(value),
            HeaderValue::Many(values) => values,
            HeaderValue::None(()) => &[],
        };
        request = values.iter().fold(request, |request, value| request.with_header(name, value));
    }
    Ok(request.with_body(body))
}

fn form_encoded(form: &BTreeMap<String, String>) -> String {
    let encoded = |text: &str| -> String {
        let octet = |octet: u8| match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => char::from(octet).to_string(),
            _ => format!("%{octet:02X}"),
        };
        text.bytes().map(octet).collect()
    };
    form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

fn captured(capture: &Capture, reply: &Reply) -> Result<Value, String> {
    let (pointer, header, regex) = match capture {
        Capture::Pointer(pointer) => (Some(pointer), None, None),
        Capture::Part(part) => (part.pointer.as_ref(), part.header.as_ref(), part.regex.as_ref()),
    };
    let value = match (pointer, header) {
        (Some(pointer), _) => reply.json().and_then(|body| body.pointer(pointer).cloned()),
        (_, Some(header)) => reply.header(header).map(Value::from),
        _ => None,
    };
    let value = value.ok_or("nothing to capture")?;
    let Some(regex) = regex else { return Ok(value) };
    let regex = Regex::new(regex).map_err(|error| error.to_string())?;
    let group = value.as_str().and_then(|text| regex.captures(text)).and_then(|found| found.get(1));
    group.map(|group| group.as_str().into()).ok_or_else(|| format!("`{regex}` with a group does not match {value}"))
}

fn check_claims(claims: &Claims, matcher: &Matcher<'_>) -> Result<(), String> {
    let token = matcher.body.pointer(&claims.of).and_then(Value::as_str).ok_or("there is no token to open")?;
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, _] = parts[..] else { return Err("the token has not three parts".into()) };
    let open = |part: &str| -> Result<Value, String> {
        let octets = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|error| error.to_string())?;
        serde_json::from_slice(&octets).map_err(|error| error.to_string())
    };
    let (header, payload) = (open(header)?, open(payload)?);
    if let Some(expected) = &claims.header {
        matcher.compare("token header", expected, Some(&header))?;
    }
    if let Some(expected) = &claims.payload {
        matcher.compare("token payload", expected, Some(&payload))?;
    }
    let lifetime = payload["exp"].as_u64().zip(payload["iat"].as_u64()).map(|(exp, iat)| exp.saturating_sub(iat));
    match claims.lifetime {
        Some(expected) if lifetime != Some(expected) => Err(format!("the token does not live {expected} s: {payload}")),
        _ => Ok(()),
    }
}

/// A reply without what may differ between two equal ones.
fn comparable(reply: &Reply) -> (u16, Vec<&(String, String)>, &[u8]) {
    let headers = reply.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
    (reply.status, headers.collect(), &reply.body)
}

fn shown(reply: &Reply) -> String {
    format!("{} {:?} {}", reply.status, reply.headers, String::from_utf8_lossy(&reply.body))
}

/// What `${name}` stands for.
#[derive(Default)]
struct Variables(BTreeMap<String, Value>);

impl Variables {
    fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// `value` with every variable in every string (but not in member names) replaced.
    fn fill(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => self.fill_text(text)?,
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| Ok((name.clone(), self.fill(member)?)));
                Value::Object(members.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn fill_text(&self, text: &str) -> Result<Value, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = rest.split_once("${").and_then(|(before, after)| {
            let (name, after) = after.split_once('}')?;
            Some((before, name, after))
        }) {
            let value = self.0.get(name).ok_or_else(|| format!("there is no variable `{name}`"))?;
            if before.is_empty() && after.is_empty() && filled.is_empty() {
                return Ok(value.clone());
            }
            filled.push_str(before);
            match value {
                Value::String(text) => filled.push_str(text),
                other => filled.push_str(&other.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled.into())
    }
}
