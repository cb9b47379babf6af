//! A strict reader of one JSON object (RFC 8259; security T5): validates everything, keeps nothing, recurses never.

use super::{base64url, digits};
use crate::hex;
use alloc::{borrow::Cow, string::String, vec::Vec};

/// How deep objects and arrays may nest, the outermost included.
const MAX_DEPTH: u8 = 128;

/// The text is not what it should be.
#[derive(Debug)]
pub(super) struct Malformed;

/// The longest text that is read: positions fit in 16 bits, so that values travel in registers.
const MAX_TEXT: usize = u16::MAX as usize;

/// A piece of the text that was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

/// A string, where it stands between its quotes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text {
    span: Span,
    escaped: bool,
}

/// A value that has been validated to its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A string.
    Text(Text),
    /// A number.
    Number(Span),
    /// An array, brackets included.
    Array(Span),
    /// An object, a boolean or null.
    Other,
}

/// A member that was looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<T> {
    /// The object has no such member.
    Absent,
    /// It is there and not of the type it must be.
    Wrong,
    /// It is there.
    Is(T),
}

/// The name of a member that is looked for: up to seven octets and, behind them, how many. Comparing it is one comparison of numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Name(u64);

impl Name {
    /// Of `name`, which has at most seven octets; longer ones are all the same, and none is looked for.
    pub(super) const fn new(name: &[u8]) -> Self {
        if name.len() > 7 {
            return Self(u64::MAX);
        }
        let (mut packed, mut at) = (name.len() as u64, name.len());
        while at > 0 {
            at -= 1;
            packed = packed << 8 | name[at] as u64;
        }
        Self(packed)
    }

    /// As [`Name::new`] of the name at `span`, in one step where eight octets can be read.
    fn of(span: Span, json: &[u8]) -> Self {
        let length = usize::from(span.end.saturating_sub(span.start));
        match json.get(span.start.into()..).and_then(<[u8]>::first_chunk) {
            Some(eight) if length < 8 => {
                Self(u64::from_le_bytes(*eight) & ((1 << (8 * length)) - 1) | (length as u64) << (8 * length))
            }
            _ => Self::new(span.octets(json)),
        }
    }
}

/// Reads `json` as one object and finds the members with these names, at the places of the names. All of them are absent at first.
///
/// # Errors
/// [`Malformed`] unless the whole of `json` is one object with each name once, compared after unescaping.
pub(super) fn object<const N: usize>(json: &str, names: &[Name; N]) -> Result<[Option<Value>; N], Malformed> {
    let mut found = [None; N];
    read(json, names, &mut found).map(|()| found)
}

fn read(json: &str, names: &[Name], found: &mut [Option<Value>]) -> Result<(), Malformed> {
    let (mut repeated, mut others, mut next) = (false, Vec::new(), 0);
    let mut member = |text: Text, value| {
        let name = if text.escaped { Name::new(text.meant(json).as_bytes()) } else { Name::of(text.span, json.as_bytes()) };
        // Most come in the order they are looked for.
        let is_next = !cfg!(feature = "small") && names.get(next) == Some(&name);
        let place = if is_next { Some(next) } else { names.iter().position(|known| *known == name) };
        match place.and_then(|place| found.get_mut(place)) {
            Some(place) => repeated |= place.replace(value).is_some(),
            None => others.push(text),
        }
        next = place.map_or(next, |place| place + 1);
    };
    walk(json, b'{', &mut member)?;
    if repeated || has_repeated(json, &others) { Err(Malformed) } else { Ok(()) }
}

/// Shows `element` each element of `array`, an array that was read before. Positions are counted from its bracket.
pub(super) fn elements(array: &str, mut element: impl FnMut(Value)) -> Result<(), Malformed> {
    walk(array, b'[', &mut |_, value| element(value))
}

/// Reads `json` as one object or array, as its `bracket` says, and shows `member` each of its members or elements, the latter without
/// a name.
#[inline]
fn walk(json: &str, bracket: u8, member: &mut impl FnMut(Text, Value)) -> Result<(), Malformed> {
    if cfg!(feature = "small") {
        // One copy of the reader for all of them.
        walk_through(json, bracket, &mut (member as &mut dyn FnMut(Text, Value)))
    } else {
        walk_through(json, bracket, member)
    }
}

#[cfg_attr(not(feature = "small"), inline)]
fn walk_through(json: &str, bracket: u8, member: &mut impl FnMut(Text, Value)) -> Result<(), Malformed> {
    if json.len() > MAX_TEXT {
        return Err(Malformed);
    }
    let mut reader = Reader { bytes: json.as_bytes(), at: 0 };
    reader.skip_whitespace();
    if reader.peek() != Some(bracket) {
        return Err(Malformed);
    }
    let (mut open, mut name, mut start) = (Open::default(), Text::default(), 0);
    loop {
        // Before a member or element; in the first turn, before the bracket.
        if open.is_object() {
            let text = reader.name()?;
            if open.depth == 1 {
                name = text;
            }
        }
        reader.skip_whitespace();
        if open.depth == 1 {
            start = reader.at;
        }
        let mut value = match reader.peek() {
            Some(b'"') => Value::Text(reader.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(reader.number()?),
            Some(bracket @ (b'{' | b'[')) => {
                reader.at += 1;
                open.push(bracket == b'{')?;
                reader.skip_whitespace();
                if !reader.take(open.end()) {
                    continue;
                }
                open.pop(start, reader.at)
            }
            _ => {
                reader.at = reader.word()?;
                Value::Other
            }
        };
        // A value has ended: close what ends with it, up to the comma before the next one.
        loop {
            if open.depth == 1 {
                member(name, value);
            } else if open.depth == 0 {
                reader.skip_whitespace();
                return if reader.at < json.len() { Err(Malformed) } else { Ok(()) };
            }
            if reader.take_next(b',') {
                break;
            }
            reader.expect(open.end())?;
            value = open.pop(start, reader.at);
        }
    }
}

/// Appends `text` as a JSON string, quotes included.
pub(super) fn append_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    append_text(text, out);
    out.push(b'"');
}

/// Appends `text` as what stands between the quotes of a JSON string.
pub(super) fn append_text(text: &str, out: &mut Vec<u8>) {
    if text.bytes().any(needs_escape) {
        text.bytes().for_each(|byte| append_escaped(byte, out));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

impl Span {
    /// Within [`MAX_TEXT`].
    #[expect(clippy::cast_possible_truncation, reason = "the text that is read is at most as long as 16 bits say")]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u16, end: end as u16 }
    }

    /// This piece of `json`, the text that was read.
    pub(super) fn of(self, json: &str) -> &str {
        json.get(self.start.into()..self.end.into()).unwrap_or_default()
    }

    fn octets(self, json: &[u8]) -> &[u8] {
        json.get(self.start.into()..self.end.into()).unwrap_or_default()
    }
}

impl<T> Field<T> {
    /// The member that was found, if `read` makes of it what it must be.
    pub(super) fn new(found: Option<Value>, read: impl FnOnce(Value) -> Option<T>) -> Self {
        found.map_or(Self::Absent, |value| read(value).map_or(Self::Wrong, Self::Is))
    }
}

impl Field<Text> {
    /// The field of a member that must be a string.
    pub(super) fn text(found: Option<Value>) -> Self {
        Self::new(found, |value| if let Value::Text(text) = value { Some(text) } else { None })
    }
}

impl Text {
    /// Whether this string of `json` is `other`, octet for octet after unescaping.
    pub(super) fn is(self, json: &str, other: &str) -> bool {
        if self.escaped { *self.meant(json) == *other } else { self.span.octets(json.as_bytes()) == other.as_bytes() }
    }

    /// The string of `json` that is meant.
    #[inline]
    pub(super) fn meant(self, json: &str) -> Cow<'_, str> {
        let text = self.span.of(json);
        if self.escaped { Cow::Owned(unescape(text)) } else { Cow::Borrowed(text) }
    }

    /// Whether the string is empty; an escape always stands for something.
    pub(super) fn is_empty(self) -> bool {
        self.span.start == self.span.end
    }
}

/// What `text` means, whose escapes have been validated. It gets no longer.
#[cold]
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let plain = match byte {
            b'\\' => match rest.next().unwrap_or_default() {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let mut hex = |digits| {
                        let digits = rest.by_ref().take(digits).map(|digit| char::from(digit).to_digit(16).unwrap_or(0));
                        digits.fold(0, |sum, digit| sum << 4 | digit)
                    };
                    let mut code = hex(4);
                    if (0xd800..0xdc00).contains(&code) {
                        // Behind a `\u`, which is read as zeros, comes the other half.
                        code = 0x1_0000 + ((code & 0x3ff) << 10 | hex(6) & 0x3ff);
                    }
                    let char = char::from_u32(code).unwrap_or_default();
                    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                same => same,
            },
            plain => plain,
        };
        out.push(plain);
    }
    base64url::into_text(out)
}

fn has_repeated(json: &str, names: &[Text]) -> bool {
    if names.len() < 2 {
        return false;
    }
    // Sorted, as a header with a thousand names comes from a stranger.
    let mut names: Vec<Cow<'_, str>> = names.iter().map(|name| name.meant(json)).collect();
    sort(&mut names);
    names.array_windows().any(|[a, b]| a == b)
}

/// Heapsort: in place, never quadratic, and a tenth of the library's code, which would be a third of the module that verifies
/// tokens in JavaScript.
fn sort(names: &mut [Cow<'_, str>]) {
    let sink = |names: &mut [Cow<'_, str>], mut at: usize, end: usize| loop {
        let child = 2 * at + 1;
        let heavier = if child + 1 < end && names[child] < names[child + 1] { child + 1 } else { child };
        if heavier >= end || names[at] >= names[heavier] {
            return;
        }
        names.swap(at, heavier);
        at = heavier;
    };
    let count = names.len();
    for at in (0..count / 2).rev() {
        sink(names, at, count);
    }
    for end in (1..count).rev() {
        names.swap(0, end);
        sink(names, 0, end);
    }
}

const fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn append_escaped(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0..b' ' => {
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex::digit(byte >> 4), hex::digit(byte & 15)]);
        }
        plain => out.push(plain),
    }
}

/// Where reading stands. What is rarely needed takes it by value, so that on the usual path it stays in registers.
#[derive(Clone, Copy)]
struct Reader<'j> {
    bytes: &'j [u8],
    at: usize,
}

#[cfg_attr(
    not(feature = "small"),
    expect(clippy::inline_always, reason = "what `walk` needs is inlined into it, so that `at` stays in a register")
)]
impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.take(wanted) { Ok(()) } else { Err(Malformed) }
    }

    /// Takes `wanted` behind any whitespace; looks for it at once, as there is hardly ever any.
    #[inline]
    fn take_next(&mut self, wanted: u8) -> bool {
        self.take(wanted) || {
            self.skip_whitespace();
            self.take(wanted)
        }
    }

    #[inline]
    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A member's name and its colon.
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn name(&mut self) -> Result<Text, Malformed> {
        self.skip_whitespace();
        let name = self.string()?;
        if self.take_next(b':') { Ok(name) } else { Err(Malformed) }
    }

    /// Where a literal name ends.
    fn word(self) -> Result<usize, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word.as_bytes())).ok_or(Malformed)?;
        Ok(self.at + word.len())
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn number(&mut self) -> Result<Span, Malformed> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(Span::new(start, self.at))
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        if !cfg!(feature = "small")
            && self.bytes.get(self.at..).and_then(<[u8]>::first_chunk).copied().is_some_and(digits::are_eight)
        {
            self.at += 8;
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn string(&mut self) -> Result<Text, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.next() {
                Some(b'"') => return Ok(Text { span: Span::new(start, self.at - 1), escaped }),
                Some(b'\\') => {
                    escaped = true;
                    self.at = self.escape_end()?;
                }
                Some(b' '..) => {}
                _ => return Err(Malformed),
            }
        }
    }

    /// Skips octets that mean themselves, eight at a time.
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn skip_plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = ONES << 7;
        while let Some(chunk) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*chunk);
            let quote = word ^ (ONES * u64::from(b'"'));
            let backslash = word ^ (ONES * u64::from(b'\\'));
            // The lowest high bit that is set marks the first quote, backslash or control character.
            let special = quote.wrapping_sub(ONES) & !quote
                | backslash.wrapping_sub(ONES) & !backslash
                | word.wrapping_sub(ONES * u64::from(b' ')) & !word;
            let special = special & HIGHS;
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
    }

    /// Where what follows a backslash ends.
    #[cold]
    fn escape_end(mut self) -> Result<usize, Malformed> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
            Some(b'u') => match self.hex4()? {
                0xdc00..0xe000 => return Err(Malformed),
                0xd800..0xdc00 => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    if !(0xdc00..0xe000).contains(&self.hex4()?) {
                        return Err(Malformed);
                    }
                }
                _ => {}
            },
            _ => return Err(Malformed),
        }
        Ok(self.at)
    }

    fn hex4(&mut self) -> Result<u32, Malformed> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Malformed)?;
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }
}

/// The objects (set bits) and arrays that are open, the innermost lowest.
#[derive(Default)]
struct Open {
    kinds: u128,
    depth: u8,
}

impl Open {
    fn push(&mut self, is_object: bool) -> Result<(), Malformed> {
        if self.depth >= MAX_DEPTH {
            return Err(Malformed);
        }
        self.depth += 1;
        self.kinds = self.kinds << 1 | u128::from(is_object);
        Ok(())
    }

    /// Ends the innermost; its value, if it is one of the outermost's that began at `start`.
    fn pop(&mut self, start: usize, end: usize) -> Value {
        let value = if self.is_object() { Value::Other } else { Value::Array(Span::new(start, end)) };
        self.depth = self.depth.saturating_sub(1);
        self.kinds >>= 1;
        value
    }

    fn is_object(&self) -> bool {
        self.kinds & 1 == 1
    }

    /// What ends the innermost.
    fn end(&self) -> u8 {
        if self.is_object() { b'}' } else { b']' }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{
        borrow::ToOwned,
        collections::BTreeMap,
        format,
        string::{String, ToString},
        vec,
    };
    use core::fmt;
    use proptest::prelude::*;
    use serde::{Deserialize, Deserializer, de};

    fn accepts(json: &str) -> bool {
        object(json, &[]).is_ok()
    }

    #[track_caller]
    fn good(json: &str) {
        assert!(accepts(json), "{json}");
    }

    #[track_caller]
    fn bad(json: &str) {
        assert!(!accepts(json), "{json}");
    }

    /// A member whose value is `value`.
    fn with(value: &str) -> String {
        format!("{{\"a\":{value}}}")
    }

    #[test]
    fn shape() {
        good("{}");
        good(" \t\r\n{ } \n");
        good(r#"{"a":1,"b":{},"c":[],"d":[{"e":[null]}]}"#);
        good(" { \"a\" : [ 1 , 2 ] , \"b\" : { \"c\" : { } , \"d\" : true } } ");
        for json in ["", " ", "[]", "1", "null", "\"a\"", "{", "}", "{}}", "{}x", "{}{}", "\u{feff}{}", "{}\0", "{\u{a0}}"]
        {
            bad(json);
        }
        for json in
            ["{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\"=1}"]
        {
            bad(json);
        }
    }

    #[test]
    fn values() {
        for value in ["true", "false", "null", "[]", "{}", "[[],{}]", "[1,2]", "\"\"", "{\"b\":1,\"b\":2}"] {
            good(&with(value));
        }
        for value in
            ["tru", "True", "nul", "undefined", "NaN", "Infinity", "[1,]", "[,1]", "[1 2]", "[1", "{\"b\":1,}", "[}", "{]"]
        {
            bad(&with(value));
        }
        bad(&with("/* */1"));
    }

    #[test]
    fn numbers() {
        for number in ["0", "-0", "10", "1.0", "-1.25e-7", "1E400", "0e0", "0.0"] {
            good(&with(number));
            good(&with(&format!("[{number}]")));
        }
        for number in ["", "-", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1_0", "--1", "1.2.3", "1e1.5"] {
            bad(&with(number));
            bad(&with(&format!("[{number},1]")));
        }
    }

    #[test]
    fn strings() {
        for string in [
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u0000\uFFFF""#,
            r#""\ud83d\ude00""#,
            "\"é😀\u{7f}\"",
            "\"1234567\"",
            "\"12345678\"",
        ] {
            good(&with(string));
        }
        for string in
            [r#""\x""#, r#""\u12""#, r#""\u12g4""#, r#""\ud83d""#, r#""\ude00""#, r#""\ud83d\n""#, r#""\ud83d\ud83d""#]
        {
            bad(&with(string));
        }
        for string in ["\"a", "\"a\\\"", "\"\n\"", "\"12345678\u{1f}\"", "\"1234567\0\"", "\"\\u+123\""] {
            bad(&with(string));
        }
    }

    #[test]
    fn repeated_names() {
        bad(r#"{"a":1,"a":1}"#);
        bad(r#"{"a":1,"\u0061":1}"#);
        bad(r#"{"\u0061":1,"b":2,"a":1}"#);
        bad(r#"{"\ud83d\ude00":1,"😀":1}"#);
        bad(r#"{"/":1,"\/":1}"#);
        bad(r#"{"":1,"":1}"#);
        good(r#"{"a":{"a":1,"b":1},"b":1,"A":1}"#);
        let many = |last: &str| {
            let names: Vec<String> = (0..1000).map(|number| format!("\"n{number}\":0")).collect();
            format!("{{{},\"{last}\":0}}", names.join(","))
        };
        good(&many("n1000"));
        bad(&many("n0"));
        bad(&many("\\u006e500"));
    }

    #[test]
    fn repeated_known_names() {
        let mut names = [Name::new(b"?"); 32];
        names[31] = Name::new(b"exp");
        let accepts = |json| object(json, &names).is_ok();
        assert!(accepts(r#"{"exp":1,"Exp":1}"#));
        assert!(!accepts(r#"{"exp":1,"exp":1}"#));
        assert!(!accepts(r#"{"\u0065xp":1,"exp":1}"#));
    }

    #[test]
    fn names_of_any_length_are_told_apart() {
        let names = [b"".as_slice(), b"a", b"a\0", b"dialect"].map(Name::new);
        let found = |json| object(json, &names).unwrap().map(|value| value.is_some());
        assert_eq!(found(r#"{"":0}"#), [true, false, false, false]);
        assert_eq!(found(r#"{"a":0,"b":0}"#), [false, true, false, false]);
        assert_eq!(found(r#"{"a\u0000":0}"#), [false, false, true, false]);
        assert_eq!(found(r#"{"dialect":0,"dialect\u0000":0,"dialects":0}"#), [false, false, false, true]);
        assert_eq!(found(r#"{"a\u0000\u0000":0,"dialec":0,"ialect":0,"dialect\u0007":0}"#), [false; 4]);
    }

    #[test]
    fn nesting() {
        let nested = |depth: usize| with(&("[".repeat(depth - 1) + &"]".repeat(depth - 1)));
        good(&nested(128));
        bad(&nested(129));
        let nested = |depth: usize| "{\"a\":".repeat(depth - 1) + "{}" + &"}".repeat(depth - 1);
        good(&nested(128));
        bad(&nested(129));
        bad(&with(&"[".repeat(8000)));
        good(&with(&format!("[{}[]]", "[],".repeat(2000))));
    }

    #[test]
    fn members_are_shown_with_their_values() {
        let json = r#"{"x":0, "t":"a\u00e9\ud83d\ude00\n","n":-1.5e3,"l":["p",["q"],1],"o":{"t":1}}"#;
        let names = [b"t", b"n", b"l", b"o", b"q"].map(|name| Name::new(name));
        let shown = object(json, &names).unwrap().map(|value| match value {
            Some(Value::Text(text)) => format!("{:?} {}", text.meant(json), text.meant(json).len()),
            Some(Value::Number(span)) => span.of(json).to_string(),
            Some(Value::Array(span)) => {
                let array = span.of(json);
                let mut texts = vec![];
                elements(array, |value| texts.push(matches!(value, Value::Text(text) if text.is(array, "p")))).unwrap();
                format!("{array} {texts:?}")
            }
            Some(Value::Other) => "other".into(),
            None => "absent".into(),
        });
        assert_eq!(shown, ["\"aé😀\\n\" 8", "-1.5e3", "[\"p\",[\"q\"],1] [true, false, false]", "other", "absent"]);
    }

    #[test]
    fn appended_strings_are_read_back() {
        for text in ["", "plain", "with \"quotes\" and \\", "\0\u{1f}\n", "é😀\u{7f}"] {
            let mut out = Vec::new();
            append_string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    /// What the peer makes of a text: an object with each name once at the top.
    struct Peer;

    impl<'de> Deserialize<'de> for Peer {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Peer;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Peer, A::Error> {
                    let mut names = BTreeMap::new();
                    while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
                        if names.insert(name, value).is_some() {
                            return Err(de::Error::custom("repeated"));
                        }
                    }
                    Ok(Peer)
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    /// The peer's verdict; `None` where it is stricter by design: numbers beyond a double.
    fn peer_accepts(json: &str) -> Option<bool> {
        match serde_json::from_str::<Peer>(json) {
            Ok(_) => Some(true),
            Err(error) if error.to_string().contains("out of range") => None,
            Err(_) => Some(false),
        }
    }

    fn any_object() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        let value = leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map("[a-c\\\\\"é]{0,3}", inner, 0..5)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-c\\\\\"é]{0,3}", value, 0..6)
            .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn whatever_the_peer_writes_is_read(object in any_object()) {
            prop_assert!(accepts(&object.to_string()));
            prop_assert!(accepts(&serde_json::to_string_pretty(&object).unwrap()));
        }

        #[test]
        fn agrees_with_the_peer_on_damaged_objects(object in any_object(), at: usize, with in "[\\PC\\x00-\\x1f]|[{}\\[\\]:,\"0-9.eE+\\-\\\\ utfn]{0,3}", remove in 0..3_usize) {
            let text = object.to_string();
            let starts: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
            let at = at % starts.len();
            let end = starts.get(at + remove).copied().unwrap_or(text.len());
            let damaged = text[..starts[at]].to_owned() + &with + &text[end..];
            if let Some(expected) = peer_accepts(&damaged) {
                prop_assert_eq!(accepts(&damaged), expected, "{}", damaged);
            }
        }

        #[test]
        fn agrees_with_the_peer_on_soup(body in "([{}\\[\\]:,]|\"a\"|\"\\\\u00[46]1\"|\"\\\\ud83d(\\\\ude00)?\"|-?[01](\\.[05])?([eE][+-]?1)?|true|null| ){0,12}") {
            let json = format!("{{{body}}}");
            if let Some(expected) = peer_accepts(&json) {
                prop_assert_eq!(accepts(&json), expected, "{}", json);
            }
        }
    }
}
