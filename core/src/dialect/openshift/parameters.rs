//! Parameters from the query and the body, whichever form the body has (contract section 2).

use super::{huge, multipart};
use crate::{
    dialect::{
        form::{self, BadForm, Form},
        json::{self, Object},
        media_type,
    },
    seam::Op,
};
use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use serde_json::Value;

/// What is wrong with query or body, or with the path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// A name or a value is not UTF-8.
    NotUtf8,
    /// The text is not what its media type says.
    Malformed,
    /// The body has a media type that states no parameters.
    UnknownType,
}

/// The parameters of a request; those of the body win over those of the query, and later ones over earlier ones.
pub(super) struct Parameters {
    members: Object,
    flaw: Option<Flaw>,
}

impl Parameters {
    /// Reads query and body as far as they can be read. What is not UTF-8 in the path counts as if it stood in one of them.
    pub(super) fn read(op: &Op<'_>) -> Self {
        let mut parameters = Self { members: Object::default(), flaw: None };
        let query = parameters.add_form(op.request.query.as_bytes());
        let body = parameters.add_body(op);
        let flaws = [query.err(), body.err()];
        let not_utf8 = flaws.contains(&Some(Flaw::NotUtf8)) || form::segment(&op.request.path) == Err(BadForm::NotUtf8);
        parameters.flaw = if not_utf8 { Some(Flaw::NotUtf8) } else { flaws[0].or(flaws[1]) };
        parameters
    }

    /// What keeps the parameters from being read.
    pub(super) const fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// A parameter as it was sent; `null` counts as absent.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn add_body(&mut self, op: &Op<'_>) -> Result<(), Flaw> {
        let body = op.request.body.as_slice();
        if body.is_empty() {
            return Ok(());
        }
        let content_type = op.request.header_values("content-type").next().unwrap_or(b"application/x-www-form-urlencoded");
        let content_type = core::str::from_utf8(content_type).map_err(|_| Flaw::UnknownType)?;
        match media_type(content_type).to_ascii_lowercase().as_str() {
            "application/json" => {
                let text = core::str::from_utf8(body).map_err(|_| Flaw::NotUtf8)?;
                let members = json::object(text.as_bytes());
                let members = members.or_else(|_| json::object(huge::quoted(text).as_bytes()));
                let members = core::mem::take(&mut *members.map_err(|_| Flaw::Malformed)?);
                self.members.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
                Ok(())
            }
            // `curl -d '{…}'` calls it a form; nothing in there would be read, and `DELETE` would end more than was meant.
            "application/x-www-form-urlencoded" if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'"')) => {
                Err(Flaw::Malformed)
            }
            "application/x-www-form-urlencoded" => self.add_form(body),
            "multipart/form-data" => {
                for (name, value) in multipart::parts(content_type, body).ok_or(Flaw::Malformed)? {
                    self.add_text(name, value)?;
                }
                Ok(())
            }
            _ => Err(Flaw::UnknownType),
        }
    }

    fn add_form(&mut self, text: &[u8]) -> Result<(), Flaw> {
        let form = Form::parse_unescaped(text).map_err(|flaw| match flaw {
            BadForm::NotUtf8 => Flaw::NotUtf8,
            BadForm::Malformed | BadForm::Repeated => Flaw::Malformed,
        })?;
        for (name, value) in form.pairs() {
            self.add(name, value.into());
        }
        Ok(())
    }

    /// `name[]=…` and `name[key]=…` make a list or an object of `name`, as in the broker.
    fn add(&mut self, name: &str, value: Value) {
        match name.split_once('[') {
            Some((list, _)) if !list.is_empty() && name.ends_with(']') => {
                self.members.insert(list.into(), Value::Array(vec![value]));
            }
            _ => {
                self.members.insert(name.into(), value);
            }
        }
    }

    fn add_text(&mut self, name: Vec<u8>, value: Vec<u8>) -> Result<(), Flaw> {
        let text = |octets| String::from_utf8(octets).map_err(|_| Flaw::NotUtf8);
        self.add(&text(name)?, text(value)?.into());
        Ok(())
    }
}

/// A value as text, as a form would have it; `None` for lists and objects.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
