//! Form bodies and query strings: `application/x-www-form-urlencoded`.

use super::media_type;
use crate::seam::Request;
use alloc::{string::String, vec::Vec};
use zeroize::Zeroize;

/// The media type of form bodies.
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// How many pairs a form may have, and parts a body of them.
pub(crate) const MAX_PAIRS: usize = 256;

/// The pairs of a form in the order sent. Cleared on drop, as a value may be a password or a token.
pub(crate) struct Form(Vec<(String, String)>);

/// Why a text is not a form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadForm {
    /// A `%` without two hex digits behind it, an octet that had to be escaped, or too many pairs.
    Malformed,
    /// Decoded, it is not UTF-8.
    NotUtf8,
    /// A name that may stand once stands twice.
    Repeated,
}

impl Form {
    /// Reads pairs as a form or a query string has them (WHATWG URL, 5.1, but strict): `&` between pairs, of which empty ones do
    /// not count; the first `=` between name and value; `+` for a space.
    ///
    /// # Errors
    /// [`BadForm::Malformed`], [`BadForm::NotUtf8`].
    pub(crate) fn parse(text: &[u8]) -> Result<Self, BadForm> {
        Self::read(text, |octet| octet.is_ascii_graphic())
    }

    /// Like [`Form::parse`], but an octet that had to be escaped counts as itself: `curl -d 'note=a note'` escapes nothing.
    ///
    /// # Errors
    /// As [`Form::parse`].
    pub(crate) fn parse_unescaped(text: &[u8]) -> Result<Self, BadForm> {
        Self::read(text, |_| true)
    }

    fn read(text: &[u8], allowed: fn(u8) -> bool) -> Result<Self, BadForm> {
        let mut form = Self(Vec::new());
        for pair in text.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()) {
            if form.0.len() == MAX_PAIRS {
                return Err(BadForm::Malformed);
            }
            let equals = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(equals);
            let decode = |text| unescape(text, b' ', allowed);
            form.0.push((decode(name)?, decode(value.get(1..).unwrap_or_default())?));
        }
        Ok(form)
    }

    /// The pairs in the order sent, for dialects that allow repeated or bracketed names.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The one value of `name`.
    ///
    /// # Errors
    /// [`BadForm::Repeated`].
    pub(crate) fn one<'f>(&'f self, name: &str) -> Result<Option<&'f str>, BadForm> {
        let mut values = self.pairs().filter(|(known, _)| *known == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(BadForm::Repeated),
        }
    }

    /// Whether any name stands twice, which most protocols forbid (RFC 6749, 3.1).
    pub(crate) fn repeats(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (name, _))| self.0.iter().skip(at + 1).any(|(later, _)| later == name))
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

/// Whether the body of `request` says that it is a form, whatever parameters stand behind the media type.
pub(crate) fn is_form(request: &Request) -> bool {
    request.header("content-type").is_some_and(|value| media_type(value).eq_ignore_ascii_case(MEDIA_TYPE))
}

/// One segment of a path, decoded. A `+` is itself.
///
/// # Errors
/// [`BadForm::Malformed`], [`BadForm::NotUtf8`].
pub(crate) fn segment(text: &str) -> Result<String, BadForm> {
    unescape(text.as_bytes(), b'+', |octet| octet.is_ascii_graphic())
}

/// Undoes percent-encoding; `plus` is what `+` stands for.
fn unescape(text: &[u8], plus: u8, allowed: fn(u8) -> bool) -> Result<String, BadForm> {
    let mut out = Vec::with_capacity(text.len());
    let mut octets = text.iter().copied();
    while let Some(octet) = octets.next() {
        let mut digit = || octets.next().and_then(nibble).ok_or(BadForm::Malformed);
        out.push(match octet {
            b'%' => digit()? << 4 | digit()?,
            b'+' => plus,
            octet if allowed(octet) => octet,
            _ => return Err(BadForm::Malformed),
        });
    }
    String::from_utf8(out).map_err(|_| BadForm::NotUtf8)
}

/// The value of a hex digit.
fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::Method;

    #[track_caller]
    fn check(text: &str, expected: Result<&[(&str, &str)], BadForm>) {
        let form = Form::parse(text.as_bytes());
        let got = form.as_ref().map(|form| form.pairs().collect::<Vec<_>>()).map_err(|error| *error);
        assert_eq!(got, expected.map(<[_]>::to_vec), "{text:?}");
    }

    #[test]
    fn pairs_are_decoded() {
        check("", Ok(&[]));
        check("a=1&b=2", Ok(&[("a", "1"), ("b", "2")]));
        check("a=1&&b=2&", Ok(&[("a", "1"), ("b", "2")]));
        check("a", Ok(&[("a", "")]));
        check("a=", Ok(&[("a", "")]));
        check("=1", Ok(&[("", "1")]));
        check("a=b=c", Ok(&[("a", "b=c")]));
        check("a+b=c+d%2B%20e", Ok(&[("a b", "c d+ e")]));
        check("%61%3d=%c3%A9%26", Ok(&[("a=", "é&")]));
        check("note[x]=1&a=1&a=2", Ok(&[("note[x]", "1"), ("a", "1"), ("a", "2")]));
    }

    #[test]
    fn what_is_not_strictly_a_form_is_malformed() {
        for text in ["a=%", "a=%4", "a=%4g", "a=%+1", "%zz=1", "a= b", "a=\u{e9}", "a=\n", "a=\0"] {
            check(text, Err(BadForm::Malformed));
        }
        for text in ["a=%ff", "a=%c3", "%c3=a"] {
            check(text, Err(BadForm::NotUtf8));
        }
        assert!(Form::parse(&b"a&".repeat(256)).is_ok());
        assert_eq!(Form::parse(&b"a&".repeat(257)).err(), Some(BadForm::Malformed));
    }

    #[test]
    fn what_had_to_be_escaped_may_be_taken_as_it_is() {
        let form = Form::parse_unescaped("a= b\u{e9}\n&c=%C3%a9+".as_bytes()).unwrap();
        assert!(form.pairs().eq([("a", " b\u{e9}\n"), ("c", "\u{e9} ")]));
        assert_eq!(Form::parse_unescaped(b"a=\xff").err(), Some(BadForm::NotUtf8));
        assert_eq!(Form::parse_unescaped(b"a=%zz").err(), Some(BadForm::Malformed));
    }

    #[test]
    fn one_value_means_one() {
        let form = Form::parse(b"a=1&b=2&a=3").unwrap();
        assert_eq!(form.one("a"), Err(BadForm::Repeated));
        assert_eq!(form.one("b"), Ok(Some("2")));
        assert_eq!(form.one("c"), Ok(None));
        assert!(form.repeats());
        assert!(!Form::parse(b"a=1&b=1&aa=1").unwrap().repeats());
        assert!(Form::parse(b"a=1&%61=1").unwrap().repeats());
    }

    #[track_caller]
    fn check_type(value: &str, expected: bool) {
        assert_eq!(is_form(&Request::new(Method::Post, "/").with_header("content-type", value)), expected, "{value}");
    }

    #[test]
    fn media_types_may_have_parameters() {
        check_type("application/x-www-form-urlencoded", true);
        check_type("Application/X-WWW-Form-URLencoded ; charset=UTF-8", true);
        check_type("application/json", false);
        check_type("application/x-www-form-urlencodedx", false);
        check_type("", false);
        assert!(!is_form(&Request::new(Method::Post, "/")));
    }

    #[test]
    fn a_segment_keeps_its_plus() {
        assert_eq!(segment("a+b%2Fc%20d").as_deref(), Ok("a+b/c d"));
        assert_eq!(segment("%"), Err(BadForm::Malformed));
        assert_eq!(segment("%ff"), Err(BadForm::NotUtf8));
    }
}
