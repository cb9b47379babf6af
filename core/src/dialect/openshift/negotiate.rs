//! Version and format of an exchange (contract section 10).

use super::{
    Exchange,
    envelope::Message,
    parameters::{Flaw, Parameters, text},
};
use crate::{
    dialect::media_type,
    seam::{Op, Stop},
};
use alloc::{format, string::String, vec::Vec};

/// The versions that are spoken, in tenths.
const VERSIONS: core::ops::RangeInclusive<u32> = 10..=17;

/// The form of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// `application/json`.
    Json,
    /// `application/xml`.
    Xml,
}

/// What was agreed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Negotiated {
    /// The version in force, in tenths: 10 to 17.
    pub(super) version: u32,
    /// The form of the body.
    pub(super) format: Format,
    /// The client wants no `links`.
    pub(super) nolinks: bool,
}

impl Negotiated {
    /// Reads the request.
    ///
    /// # Errors
    /// 400 for a parameter that is not UTF-8, 422 for a `nolinks` that is neither true nor false, 406 for a version that is not
    /// spoken.
    pub(super) fn of<'o>(op: &'o Op<'o>, suffix: Option<Format>, parameters: &Parameters) -> Result<Self, Stop> {
        let [accept, content_type] = ["accept", "content-type"].map(|name| header(op, name));
        let agreed = Self::usual(op, suffix);
        let exchange = Exchange { op, agreed };
        if parameters.flaw() == Some(Flaw::NotUtf8) {
            return Err(exchange.refuse(400, Message::unnumbered("a parameter is not valid UTF-8")));
        }
        let nolinks = match parameters.value("nolinks").map(text) {
            None => has_parameter(&accept, "nolinks") || has_parameter(&content_type, "nolinks"),
            Some(asked) => match asked.as_deref() {
                Some("true") => true,
                Some("false") => false,
                _ => return Err(exchange.refuse(422, Message::error(167, None, "nolinks must be one of: true, false"))),
            },
        };
        let asked = version_in(&accept).or_else(|| version_in(&content_type));
        let version = match asked {
            None => agreed.version,
            Some(asked) => {
                let known = tenths(&asked).filter(|version| VERSIONS.contains(version));
                known.ok_or_else(|| {
                    let spoken = VERSIONS.map(written).collect::<Vec<_>>().join(", ");
                    let text = format!("version {asked} is not supported; supported versions are {spoken}");
                    exchange.refuse(406, Message::unnumbered(&text))
                })?
            }
        };
        Ok(Self { version, nolinks, ..agreed })
    }

    /// What holds when nothing is asked for but the format: the newest version, with links.
    pub(super) fn usual(op: &Op<'_>, suffix: Option<Format>) -> Self {
        let format = suffix.unwrap_or_else(|| format_of(&header(op, "accept")));
        Self { version: *VERSIONS.end(), format, nolinks: false }
    }
}

/// All values of a header in one, as if they had been sent so (RFC 9110, 5.3).
fn header(op: &Op<'_>, name: &str) -> String {
    let values: Vec<_> = op.request.header_values(name).map(String::from_utf8_lossy).collect();
    values.join(",")
}

/// Every version that is spoken, as a number.
pub(super) fn supported() -> impl Iterator<Item = f64> {
    VERSIONS.map(|tenths| f64::from(tenths) / 10.0)
}

/// A version as text. No number with a fraction is formatted for it, as the page's engine is built without what does that.
pub(super) fn written(tenths: u32) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Takes `.json` or `.xml` off the path.
pub(super) fn split_suffix(path: &str) -> (&str, Option<Format>) {
    if let Some(path) = path.strip_suffix(".json") {
        (path, Some(Format::Json))
    } else if let Some(path) = path.strip_suffix(".xml") {
        (path, Some(Format::Xml))
    } else {
        (path, None)
    }
}

/// The media type of ours that the client likes best, the first of several; JSON if there is none (RFC 9110, 12.5.1).
fn format_of(accept: &str) -> Format {
    let mut best = (0, Format::Json);
    for range in accept.split(',') {
        let format = match media_type(range).to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Format::Json,
            "application/xml" | "text/xml" => Format::Xml,
            _ => continue,
        };
        let quality = media_parameters(range).find(|(name, _)| name == "q").map_or(1000, |(_, value)| thousandths(value));
        if quality > best.0 {
            best = (quality, format);
        }
    }
    best.1
}

/// A quality between `0` and `1.000`, also without the `0`, as Java sends it; anything else counts as least.
fn thousandths(quality: &str) -> u32 {
    let (whole, part) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = part.len() <= 3 && part.bytes().all(|octet| octet.is_ascii_digit());
    match (whole, format!("{part:0<3}").parse()) {
        ("1", Ok(0)) if digits => 1000,
        ("0", Ok(part)) if digits => part,
        ("", Ok(part)) if digits && quality.len() > 1 => part,
        _ => 0,
    }
}

/// The parameters of all media types in a header, lower-case names with their values.
fn media_parameters(header: &str) -> impl Iterator<Item = (String, &str)> {
    let parameters = header.split(',').flat_map(|range| range.split(';').skip(1));
    parameters.map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'))
    })
}

fn has_parameter(header: &str, wanted: &str) -> bool {
    media_parameters(header).any(|(name, value)| name == wanted && value != "false")
}

/// The first version a header names; without a number it is `0`.
fn version_in(header: &str) -> Option<String> {
    let (_, value) = media_parameters(header).find(|(name, _)| name == "version")?;
    Some(if value.is_empty() { "0".into() } else { value.into() })
}

/// `1.6` in tenths.
fn tenths(version: &str) -> Option<u32> {
    let (whole, part) = version.split_once('.').unwrap_or((version, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|octet| octet.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() != 1 {
        return None;
    }
    Some(whole.parse::<u32>().ok()? * 10 + part.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (header, expected) in [
            ("application/json;version=1.6", Some(16)),
            ("application/json; version=1.0", Some(10)),
            ("application/json;nolinks;version=1.7", Some(17)),
            ("text/html, application/json;version=1", Some(10)),
            ("application/json;version=", Some(0)),
            ("application/json;version", Some(0)),
            ("application/json;version=abc", None),
            ("application/json;version=1.66", None),
        ] {
            assert_eq!(version_in(header).and_then(|version| tenths(&version)), expected, "{header}");
        }
        assert_eq!(version_in("application/json"), None);
    }

    #[test]
    fn formats() {
        for (accept, expected) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("application/xml", Format::Xml),
            ("Application/XML", Format::Xml),
            ("application/xml, application/json", Format::Xml),
            ("application/json, application/xml", Format::Json),
            ("text/xml;q=0.5, application/json", Format::Json),
            ("*/*;q=0.1, text/xml;version=1.6;q=0.25", Format::Xml),
            ("application/xml;q=0", Format::Json),
            ("text/html, application/xml;q=.9, */*;q=.2", Format::Xml),
            ("application/json;q=.2, text/xml;q=.3", Format::Xml),
            ("application/xml;q=.", Format::Json),
            ("application/xml;q=2, */*;q=0.001", Format::Json),
            ("text/html, application/json", Format::Json),
            ("text/html", Format::Json),
            (",;,=;q", Format::Json),
        ] {
            assert_eq!(format_of(accept), expected, "{accept}");
        }
    }
}
