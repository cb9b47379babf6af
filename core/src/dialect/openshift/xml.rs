//! The envelope as XML (contract section 10).

use super::envelope::{Data, Envelope};
use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::iter;
use rxml::{
    Encoder, Item, Namespace, NcName, NcNameStr, PREFIX_XML,
    writer::{PrefixError, TrackNamespace},
};
use serde::Serialize;
use serde_json::Value;

/// The document for an envelope.
pub(super) fn render(envelope: &Envelope) -> Vec<u8> {
    let mut document = Document { encoder: NoNamespaces.into(), out: DECLARATION.into() };
    // What fails here is a name or a text that XML cannot hold; names are ours, and texts are cleaned before.
    let _ = document.envelope(envelope);
    document.out
}

/// What the broker begins with. It and the one attribute there is are written here, as the library has single quotes.
const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

struct Document {
    encoder: Encoder<NoNamespaces>,
    out: Vec<u8>,
}

impl Document {
    fn envelope(&mut self, envelope: &Envelope) -> rxml::Result<()> {
        self.open("response")?;
        self.part("status", &envelope.status)?;
        self.part("type", &envelope.kind)?;
        self.open("data")?;
        self.data(envelope.kind, &envelope.data)?;
        self.close()?;
        self.part("messages", &envelope.messages)?;
        self.part("version", &envelope.version)?;
        self.part("api_version", &envelope.api_version)?;
        self.part("supported_api_versions", &envelope.supported_api_versions)?;
        self.close()
    }

    /// One thing and many alike stand under the name of the thing.
    fn data(&mut self, kind: Option<&str>, data: &Data) -> rxml::Result<()> {
        match (kind, data) {
            (_, Data::Authorizations(shown)) => shown.iter().try_for_each(|shown| self.part("authorization", shown)),
            (Some("links"), Data::Value(links)) => self.member("links", links),
            (Some(kind), Data::Value(Value::Array(items))) => {
                items.iter().try_for_each(|item| self.member(kind.trim_end_matches('s'), item))
            }
            (Some(kind), Data::Value(item)) => self.member(kind, item),
            (None, Data::Value(_)) => self.member("datum", &Value::Null),
        }
    }

    fn part(&mut self, name: &str, part: &impl Serialize) -> rxml::Result<()> {
        // Nothing in it is keyed by anything but text, so this does not fail.
        self.member(name, &serde_json::to_value(part).unwrap_or_default())
    }

    fn member(&mut self, name: &str, value: &Value) -> rxml::Result<()> {
        self.head(name)?;
        match value {
            Value::Null => {
                self.put(Item::ElementFoot)?;
                self.out.truncate(self.out.len().saturating_sub(2));
                self.out.extend_from_slice(b" nil=\"true\"/>");
                return Ok(());
            }
            Value::Array(items) if items.is_empty() => return self.put(Item::ElementFoot),
            Value::Object(members) if members.is_empty() => return self.put(Item::ElementFoot),
            _ => self.put(Item::ElementHeadEnd)?,
        }
        match value {
            Value::Array(items) => {
                for item in items {
                    self.member(singular(name), item)?;
                }
            }
            // Links lose their names.
            Value::Object(links) if name == "links" => {
                for link in links.values() {
                    self.member("link", link)?;
                }
            }
            Value::Object(members) => {
                // What the contract puts in order, then the rest.
                let first = order(name);
                for name in first {
                    if let Some(value) = members.get(*name) {
                        self.member(name, value)?;
                    }
                }
                for (name, value) in members.iter().filter(|(name, _)| !first.contains(&name.as_str())) {
                    self.member(name, value)?;
                }
            }
            Value::String(text) => self.text(text)?,
            other => self.text(&other.to_string())?,
        }
        self.close()
    }

    fn text(&mut self, text: &str) -> rxml::Result<()> {
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}');
        let clean: String = text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
        if clean.is_empty() { Ok(()) } else { self.put(Item::Text(&clean)) }
    }

    fn open(&mut self, name: &str) -> rxml::Result<()> {
        self.head(name)?;
        self.put(Item::ElementHeadEnd)
    }

    fn head(&mut self, name: &str) -> rxml::Result<()> {
        let name = NcName::try_from(name.replace('_', "-"))?;
        self.put(Item::ElementHeadStart(Namespace::NONE, &name))
    }

    fn close(&mut self) -> rxml::Result<()> {
        self.put(Item::ElementFoot)
    }

    fn put(&mut self, item: Item<'_>) -> rxml::Result<()> {
        self.encoder.encode(item, &mut self.out)
    }
}

/// The members that stand first, in their order, in what is called `name`.
fn order(name: &str) -> &'static [&'static str] {
    match name {
        "link" => &["rel", "method", "href", "required_params", "optional_params"],
        "param" => &["name", "type", "description", "valid_options", "invalid_options", "default_value"],
        _ => &[],
    }
}

/// What one item of a list is called.
fn singular(list: &str) -> &str {
    match list {
        "required_params" | "optional_params" => "param",
        other => other.trim_end_matches('s'),
    }
}

/// Nothing here is in a namespace. What the library has for those who use some takes as much code as the rest of its writer.
struct NoNamespaces;

impl TrackNamespace for NoNamespaces {
    fn declare_fixed(&mut self, _: Option<&NcNameStr>, _: Namespace<'static>) -> bool {
        false
    }

    fn declare_auto(&mut self, _: Namespace<'static>) -> (bool, Option<&NcNameStr>) {
        (false, None)
    }

    fn declare_with_auto_prefix(&mut self, _: Namespace<'static>) -> (bool, &NcNameStr) {
        (false, PREFIX_XML)
    }

    fn get_prefix_or_default(&self, _: Namespace<'static>) -> Result<Option<&NcNameStr>, PrefixError> {
        Ok(None)
    }

    fn get_prefix(&self, _: Namespace<'static>) -> Result<&NcNameStr, PrefixError> {
        Err(PrefixError::Undeclared)
    }

    fn push(&mut self) {}

    fn pop(&mut self) {}

    fn new_default_declaration(&self) -> Option<&Namespace<'static>> {
        None
    }

    fn new_prefix_declarations(&self) -> Box<dyn Iterator<Item = (&Namespace<'static>, &NcNameStr)> + '_> {
        Box::new(iter::empty())
    }
}
