//! A strict reader of one JSON object (RFC 8259; security T5): validates everything, keeps nothing, recurses never.

use alloc::{string::String, vec::Vec};
use core::str::Chars;

/// How deep objects and arrays may nest, the outermost included.
const MAX_DEPTH: u8 = 128;

/// The text is not what it should be.
#[derive(Debug)]
pub(super) struct Malformed;

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'j> {
    /// Valid escapes included.
    pub(super) raw: &'j str,
    /// Where `raw` starts in the text that was read.
    pub(super) start: usize,
    /// Whether `raw` holds escapes.
    pub(super) escaped: bool,
}

/// A value that has been validated to its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'j> {
    /// A string.
    Text(Text<'j>),
    /// A number, as written.
    Number(&'j str),
    /// An array, as written, brackets included.
    Array(&'j str),
    /// An object, a boolean or null.
    Other,
}

/// A member that was looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Field<T> {
    /// The object has no such member.
    #[default]
    Absent,
    /// It is there and not of the type it must be.
    Wrong,
    /// It is there.
    Is(T),
}

/// Reads `text` as one object and shows `member` each member whose name `known` has an index for (below 32), with that index.
///
/// # Errors
/// [`Malformed`] unless the whole of `text` is one object with each name once, compared after unescaping.
pub(super) fn object<'j>(
    text: &'j str,
    known: impl Fn(&str) -> Option<u8>,
    mut member: impl FnMut(u8, Value<'j>),
) -> Result<(), Malformed> {
    let mut reader = Reader { text, at: 0 };
    let mut seen = 0_u32;
    let mut others = Vec::new();
    reader.skip_whitespace();
    reader.expect(b'{')?;
    reader.skip_whitespace();
    if !reader.take(b'}') {
        loop {
            let name = reader.name()?;
            let value = reader.value()?;
            let index = if name.escaped { known(&name.unescape()) } else { known(name.raw) };
            if let Some(index) = index {
                let bit = 1_u32.checked_shl(index.into()).ok_or(Malformed)?;
                if seen & bit != 0 {
                    return Err(Malformed);
                }
                seen |= bit;
                member(index, value);
            } else {
                others.push(name);
            }
            reader.skip_whitespace();
            if !reader.take(b',') {
                break;
            }
        }
        reader.expect(b'}')?;
    }
    reader.skip_whitespace();
    if reader.at < text.len() || has_repeated(&mut others) { Err(Malformed) } else { Ok(()) }
}

/// Shows `element` each element of `array`, an array that was read before.
pub(super) fn elements<'j>(array: &'j str, mut element: impl FnMut(Value<'j>)) -> Result<(), Malformed> {
    let mut reader = Reader { text: array, at: 0 };
    reader.expect(b'[')?;
    reader.skip_whitespace();
    if reader.take(b']') {
        return Ok(());
    }
    loop {
        reader.skip_whitespace();
        element(reader.value()?);
        reader.skip_whitespace();
        if !reader.take(b',') {
            return reader.expect(b']');
        }
    }
}

/// Appends `text` as a JSON string, quotes included.
pub(super) fn append_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if text.bytes().any(needs_escape) {
        text.bytes().for_each(|byte| append_escaped(byte, out));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

impl<'j> Field<Text<'j>> {
    /// The field for a member that must be a string.
    pub(super) fn text(value: Value<'j>) -> Self {
        match value {
            Value::Text(text) => Self::Is(text),
            _ => Self::Wrong,
        }
    }
}

impl<'j> Text<'j> {
    /// Whether this string is `other`, octet for octet after unescaping.
    pub(super) fn is(self, other: &str) -> bool {
        if self.escaped { self.chars().eq(other.chars()) } else { self.raw == other }
    }

    /// The string that is meant.
    pub(super) fn unescape(self) -> String {
        self.chars().collect()
    }

    /// How many octets the string that is meant has.
    pub(super) fn len(self) -> usize {
        if self.escaped { self.chars().map(char::len_utf8).sum() } else { self.raw.len() }
    }

    fn chars(self) -> impl Iterator<Item = char> + 'j {
        let mut rest = self.raw.chars();
        core::iter::from_fn(move || match rest.next()? {
            '\\' => unescape(&mut rest),
            plain => Some(plain),
        })
    }
}

/// The character behind a backslash; the escape has been validated.
fn unescape(rest: &mut Chars<'_>) -> Option<char> {
    match rest.next()? {
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'u' => {
            let unit = rest.by_ref().take(4).fold(0, |sum, digit| sum << 4 | digit.to_digit(16).unwrap_or(0));
            if !(0xd800..0xdc00).contains(&unit) {
                return char::from_u32(unit);
            }
            let low = rest.by_ref().skip(2).take(4).fold(0, |sum, digit| sum << 4 | digit.to_digit(16).unwrap_or(0));
            char::from_u32(0x1_0000 + ((unit & 0x3ff) << 10 | low & 0x3ff))
        }
        same => Some(same),
    }
}

fn has_repeated(names: &mut [Text<'_>]) -> bool {
    // Sorted, as a header with a thousand names comes from a stranger.
    names.sort_unstable_by(|a, b| a.chars().cmp(b.chars()));
    names.array_windows().any(|[a, b]| a.chars().eq(b.chars()))
}

const fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn append_escaped(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0..b' ' => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        plain => out.push(plain),
    }
}

struct Reader<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Reader<'j> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
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

    fn since(&self, start: usize) -> Result<&'j str, Malformed> {
        self.text.get(start..self.at).ok_or(Malformed)
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A member's name, its colon, and the whitespace up to the value.
    fn name(&mut self) -> Result<Text<'j>, Malformed> {
        self.skip_whitespace();
        let name = self.string()?;
        self.skip_whitespace();
        self.expect(b':')?;
        self.skip_whitespace();
        Ok(name)
    }

    fn value(&mut self) -> Result<Value<'j>, Malformed> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'[') => {
                self.container()?;
                self.since(start).map(Value::Array)
            }
            Some(b'{') => self.container().map(|()| Value::Other),
            _ => self.word().map(|()| Value::Other),
        }
    }

    /// An object or array within the outermost object.
    fn container(&mut self) -> Result<(), Malformed> {
        let mut open = Open::default();
        loop {
            self.skip_whitespace();
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    open.push(true)?;
                    self.skip_whitespace();
                    if !self.take(b'}') {
                        self.name()?;
                        continue;
                    }
                    open.pop();
                }
                Some(b'[') => {
                    self.at += 1;
                    open.push(false)?;
                    self.skip_whitespace();
                    if !self.take(b']') {
                        continue;
                    }
                    open.pop();
                }
                Some(b'"') => _ = self.string()?,
                Some(b'-' | b'0'..=b'9') => _ = self.number()?,
                _ => self.word()?,
            }
            // A value has ended: close what ends with it, up to the comma before the next one.
            loop {
                let Some(is_object) = open.top() else { return Ok(()) };
                self.skip_whitespace();
                if self.take(b',') {
                    if is_object {
                        self.name()?;
                    }
                    break;
                }
                self.expect(if is_object { b'}' } else { b']' })?;
                open.pop();
            }
        }
    }

    fn word(&mut self) -> Result<(), Malformed> {
        let rest = self.text.as_bytes().get(self.at..).ok_or(Malformed)?;
        let word = [&b"true"[..], b"false", b"null"].into_iter().find(|word| rest.starts_with(word)).ok_or(Malformed)?;
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<&'j str, Malformed> {
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
        self.since(start)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    fn string(&mut self) -> Result<Text<'j>, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    escaped = true;
                    self.escape()?;
                }
                Some(b' '..) => self.at += 1,
                _ => return Err(Malformed),
            }
        }
        let raw = self.since(start)?;
        self.at += 1;
        Ok(Text { raw, start, escaped })
    }

    /// Skips octets that mean themselves, eight at a time.
    fn skip_plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = ONES << 7;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (chunks, _) = rest.as_chunks::<8>();
        for chunk in chunks {
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

    /// What follows a backslash.
    fn escape(&mut self) -> Result<(), Malformed> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => match self.hex4()? {
                0xdc00..0xe000 => Err(Malformed),
                0xd800..0xdc00 => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    if (0xdc00..0xe000).contains(&self.hex4()?) { Ok(()) } else { Err(Malformed) }
                }
                _ => Ok(()),
            },
            _ => Err(Malformed),
        }
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

/// The objects (set bits) and arrays that are open within the outermost object.
#[derive(Default)]
struct Open {
    kinds: u128,
    depth: u8,
}

impl Open {
    fn push(&mut self, is_object: bool) -> Result<(), Malformed> {
        if self.depth >= MAX_DEPTH - 1 {
            return Err(Malformed);
        }
        self.depth += 1;
        self.kinds = self.kinds << 1 | u128::from(is_object);
        Ok(())
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.kinds >>= 1;
    }

    fn top(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.kinds & 1 == 1)
    }
}
