//! Parameters from the query and the body, whichever form the body has (contract section 2).

use super::multipart;
use crate::{
    dialect::{form::Form, json},
    seam::Op,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Map, Value};

/// The body is not what its media type says.
#[derive(Debug)]
pub(super) struct Malformed;

/// The parameters of a request; those of the body win over those of the query.
#[derive(Debug)]
pub(super) struct Parameters {
    members: Map<String, Value>,
    utf8: bool,
}

impl Parameters {
    /// Reads query and body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(op: &Op<'_>) -> Result<Self, Malformed> {
        let mut parameters = Self { members: Map::new(), utf8: true };
        parameters.add_form(op.request.query.as_bytes())?;
        let body = op.request.body.as_slice();
        if body.is_empty() {
            return Ok(parameters);
        }
        let content_type = op.request.header("content-type").unwrap_or("application/x-www-form-urlencoded");
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" => {
                parameters.utf8 &= core::str::from_utf8(body).is_ok();
                if parameters.utf8 {
                    parameters.members.extend(json::object(body).map_err(|_| Malformed)?);
                }
            }
            "multipart/form-data" => {
                for (name, value) in multipart::parts(content_type, body).ok_or(Malformed)? {
                    parameters.add_text(name, value);
                }
            }
            "application/x-www-form-urlencoded" => parameters.add_form(body)?,
            _ => return Err(Malformed),
        }
        Ok(parameters)
    }

    /// Whether all of them are UTF-8.
    pub(super) const fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// A parameter as it was sent; `null` counts as absent.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A parameter that is a text, or a number or truth value as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    fn add_form(&mut self, text: &[u8]) -> Result<(), Malformed> {
        if !decodes_to_utf8(text) {
            self.utf8 = false;
            return Ok(());
        }
        let form = Form::parse(text).map_err(|_| Malformed)?;
        for (name, value) in form.pairs() {
            self.members.insert(name.into(), value.into());
        }
        Ok(())
    }

    fn add_text(&mut self, name: Vec<u8>, value: Vec<u8>) {
        match (String::from_utf8(name), String::from_utf8(value)) {
            (Ok(name), Ok(value)) => _ = self.members.insert(name, value.into()),
            _ => self.utf8 = false,
        }
    }
}

/// Whether the percent-encoded octets of `text` are UTF-8 once decoded.
fn decodes_to_utf8(text: &[u8]) -> bool {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        let hex = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, others) {
            (b'%', [high, low, others @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = others;
                }
                _ => decoded.push(b'%'),
            },
            (octet, _) => decoded.push(*octet),
        }
    }
    core::str::from_utf8(&decoded).is_ok()
}
