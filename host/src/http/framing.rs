//! Reads along with hyper and stops what hyper would let pass.
//!
//! hyper is lenient where two readers of one stream may disagree about where a request ends: it drops a `Content-Length`
//! that stands beside `Transfer-Encoding`, takes a lone LF for a line end, merges equal lengths, asks for no `Host` (security
//! H3; RFC 9112, 2.2, 3.2, 5.1, 5.2, 6.1, 6.3). [`Framing`] sees every octet before hyper does, knows where each head and each
//! body ends, and names the first octet that must not go further.
//!
//! INVARIANT: what passes here has one reading only, so hyper and this file agree on where every request ends. A head larger
//! than the limit passes unread, as hyper refuses it for its size.

use super::Limits;
use core::net::Ipv6Addr;
use memchr::memchr;

/// The longest line that states the size of a chunk, with its extension.
const CHUNK_LINE: usize = 256;
/// Hexadecimal digits of a chunk size; far beyond any body limit and far below an overflow.
const CHUNK_DIGITS: usize = 8;
/// Decimal digits of a body length.
const LENGTH_DIGITS: usize = 15;

/// Where in the stream of one connection we are.
#[derive(Clone, Debug)]
pub(super) struct Framing {
    position: Position,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Octets of the present head, or of the present trailer.
    head_octets: usize,
    head_limit: usize,
    head: Head,
    requests: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Position {
    /// Before a request, or in its first line.
    Start,
    Fields,
    /// So many octets of the body are still to come.
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    Trailer,
    /// The head is too large: hyper refuses it.
    Overlong,
}

/// What the fields of a head have said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    http_1_1: bool,
    host: bool,
    length: Option<u64>,
    chunked: bool,
}

/// The stream breaks the grammar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Broken {
    /// How many octets of those inspected may still be handed on.
    pub(super) passed: usize,
    /// In a head, where 400 is the answer; else in a body.
    pub(super) in_head: bool,
    /// What is wrong.
    pub(super) why: &'static str,
}

impl Framing {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            position: Position::Start,
            line: Vec::new(),
            head_octets: 0,
            head_limit: limits.head,
            head: Head::default(),
            requests: 0,
        }
    }

    /// How many heads have been complete.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Whether the stream stands between two requests.
    pub(super) fn is_between_requests(&self) -> bool {
        self.position == Position::Start && self.head_octets == 0
    }

    /// Whether the stream stands within a head.
    pub(super) fn is_in_head(&self) -> bool {
        matches!(self.position, Position::Start | Position::Fields | Position::Overlong) && self.head_octets > 0
    }

    /// Reads the next octets of the stream. After an error the rest of the stream has no meaning.
    pub(super) fn inspect(&mut self, octets: &[u8]) -> Result<(), Broken> {
        let mut at = 0;
        while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
            match self.position {
                Position::Overlong => return Ok(()),
                Position::Body(left) => {
                    let (taken, left) = take(rest, left);
                    self.position = if left == 0 { Position::Start } else { Position::Body(left) };
                    at += taken;
                }
                Position::ChunkData(left) => {
                    let (taken, left) = take(rest, left);
                    self.position = if left == 0 { Position::ChunkEnd } else { Position::ChunkData(left) };
                    at += taken;
                }
                Position::Start | Position::Fields | Position::ChunkSize | Position::ChunkEnd | Position::Trailer => {
                    at += self.inspect_line(rest).map_err(|(passed, why)| {
                        let in_head = matches!(self.position, Position::Start | Position::Fields);
                        Broken { passed: at + passed, in_head, why }
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Takes one line, or what there is of it; returns how many octets that was. On error, how many of them may pass: never
    /// the LF that would complete a wrong line.
    fn inspect_line(&mut self, octets: &[u8]) -> Result<usize, (usize, &'static str)> {
        let end = memchr(b'\n', octets);
        let taken = end.map_or(octets.len(), |end| end + 1);
        if matches!(self.position, Position::Start | Position::Fields | Position::Trailer) {
            self.head_octets += taken;
            if self.head_octets > self.head_limit {
                return self.outgrown(taken);
            }
        } else if self.line.len() + taken > CHUNK_LINE {
            return Err((0, "chunk line too long"));
        }
        let Some(end) = end else {
            self.line.extend_from_slice(octets);
            return Ok(taken);
        };
        let content = octets.get(..end).unwrap_or_default();
        let line = if self.line.is_empty() {
            content
        } else {
            self.line.extend_from_slice(content);
            &self.line
        };
        let line = line.strip_suffix(b"\r").ok_or((end, "line without CR"))?;
        self.position = match self.position {
            Position::Start if line.is_empty() => Position::Start,
            Position::Start => {
                self.head = Head { http_1_1: request_line(line).map_err(|why| (end, why))?, ..Head::default() };
                Position::Fields
            }
            Position::Fields if line.is_empty() => {
                let position = self.head.body().map_err(|why| (end, why))?;
                self.head_octets = 0;
                self.requests += 1;
                position
            }
            Position::Fields => {
                self.head.field(line).map_err(|why| (end, why))?;
                Position::Fields
            }
            Position::ChunkSize => match chunk_size(line).ok_or((end, "chunk size"))? {
                0 => Position::Trailer,
                size => Position::ChunkData(size),
            },
            Position::ChunkEnd if line.is_empty() => Position::ChunkSize,
            Position::ChunkEnd => return Err((end, "chunk longer than its size")),
            Position::Trailer if line.is_empty() => {
                self.head_octets = 0;
                Position::Start
            }
            Position::Trailer => {
                field(line).map_err(|why| (end, why))?;
                Position::Trailer
            }
            Position::Body(_) | Position::ChunkData(_) | Position::Overlong => self.position,
        };
        self.line.clear();
        Ok(taken)
    }

    fn outgrown(&mut self, taken: usize) -> Result<usize, (usize, &'static str)> {
        if self.position == Position::Trailer {
            return Err((0, "trailer too large"));
        }
        self.line = Vec::new();
        self.position = Position::Overlong;
        Ok(taken)
    }
}

/// A host and perhaps a port (RFC 9112, 3.2; RFC 3986, 3.2.2), or nothing.
fn is_host(value: &[u8]) -> bool {
    let is_port =
        |text: &str| text.bytes().all(|octet| octet.is_ascii_digit()) && (text.is_empty() || text.parse::<u16>().is_ok());
    let is_clean = |octet: &u8| octet.is_ascii_graphic() && !b"/?#@\\\"<>^`{|},".contains(octet);
    let Some(text) = str::from_utf8(value).ok().filter(|text| text.as_bytes().iter().all(is_clean)) else { return false };
    match text.strip_prefix('[') {
        Some(literal) => literal.split_once(']').is_some_and(|(address, rest)| {
            address.parse::<Ipv6Addr>().is_ok() && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
        }),
        None => !text.contains(['[', ']']) && text.split_once(':').is_none_or(|(_, port)| is_port(port)),
    }
}

impl Head {
    fn field(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"host") {
            if self.host {
                return Err("repeated host");
            }
            if !is_host(value) {
                return Err("host");
            }
            self.host = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err("repeated content-length");
            }
            self.length = Some(decimal(value).ok_or("content-length")?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // Also a second `chunked` and codings in front of it: nothing we could decode.
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err("transfer-encoding");
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// What comes after the empty line.
    fn body(&self) -> Result<Position, &'static str> {
        match (self.length, self.chunked) {
            _ if self.http_1_1 && !self.host => Err("no host"),
            (_, true) if !self.http_1_1 => Err("transfer-encoding in http/1.0"),
            (Some(_), true) => Err("both transfer-encoding and content-length"),
            (None, true) => Ok(Position::ChunkSize),
            (None | Some(0), false) => Ok(Position::Start),
            (Some(length), false) => Ok(Position::Body(length)),
        }
    }
}

/// `METHOD target HTTP/1.x`, one space each; returns whether it is 1.1. The target has no fragment and only what needs no
/// encoding; a host that it names has to be one.
fn request_line(line: &[u8]) -> Result<bool, &'static str> {
    let mut parts = line.split(|octet| *octet == b' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    if parts.next().is_some() || !method.is_some_and(is_token) {
        return Err("request line");
    }
    let Some(target) =
        target.filter(|target| !target.is_empty() && target.iter().all(|octet| octet.is_ascii_graphic() && *octet != b'#'))
    else {
        return Err("request target");
    };
    if !authority(target).is_none_or(|host| !host.is_empty() && !host.starts_with(b":") && is_host(host)) {
        return Err("host of request target");
    }
    match version {
        Some(b"HTTP/1.1") => Ok(true),
        Some(b"HTTP/1.0") => Ok(false),
        _ => Err("version"),
    }
}

/// Where a target names the host: in `http://host/path`, and as a whole in that of `CONNECT` (RFC 9112, 3.2).
fn authority(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") || target == b"*" {
        return None;
    }
    let from = target.windows(3).position(|three| three == b"://").map_or(0, |at| at + 3);
    target.get(from..)?.split(|octet| b"/?".contains(octet)).next()
}

/// `name: value`; the value without the white space around it. A folded line begins with white space and has no name.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let colon = memchr(b':', line).ok_or("field without colon")?;
    let (name, value) = line.split_at_checked(colon).ok_or("field")?;
    let value = value.get(1..).unwrap_or_default();
    if !is_token(name) {
        return Err("field name");
    }
    if !value.iter().all(|octet| *octet >= b' ' && *octet != 0x7f || *octet == b'\t') {
        return Err("field value");
    }
    Ok((name, value.trim_ascii()))
}

/// RFC 9110, 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > LENGTH_DIGITS {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

/// `1a2b;name=value` (RFC 9112, 7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
    let (digits, extension) = line.split_at_checked(digits)?;
    let printable = extension.iter().all(|octet| *octet >= b' ' && *octet != 0x7f || *octet == b'\t');
    let extension = extension.trim_ascii_start();
    let fits = (1..=CHUNK_DIGITS).contains(&digits.len());
    let clean = extension.is_empty() || extension.first() == Some(&b';');
    if !(fits && clean && printable) {
        return None;
    }
    core::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok())
}

/// As many of `octets` as `left` allows, and how many are left then.
fn take(octets: &[u8], left: u64) -> (usize, u64) {
    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(octets.len());
    (taken, left.saturating_sub(taken as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framing() -> Framing {
        Framing::new(&Limits::default())
    }

    /// Inspects `stream` in pieces of `size`; how far it passes, and why no further.
    fn pass(stream: &[u8], size: usize) -> (usize, Option<(bool, &'static str)>) {
        let (mut framing, mut passed) = (framing(), 0);
        for piece in stream.chunks(size.max(1)) {
            if let Err(broken) = framing.inspect(piece) {
                return (passed + broken.passed, Some((broken.in_head, broken.why)));
            }
            passed += piece.len();
        }
        (passed, None)
    }

    /// `why` is empty when the stream passes. The verdict must not depend on how the stream is split.
    #[track_caller]
    fn check(stream: &str, why: &str) {
        let whole = pass(stream.as_bytes(), usize::MAX);
        assert_eq!(whole.1.map_or("", |(_, why)| why), why);
        assert_eq!(pass(stream.as_bytes(), 1).1, whole.1);
    }

    #[track_caller]
    fn check_field(field: &str, why: &str) {
        check(&format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"), why);
    }

    #[track_caller]
    fn check_line(line: &str, why: &str) {
        check(&format!("{line}\r\nHost: a\r\n\r\n"), why);
    }

    #[test]
    fn what_is_plain_passes() {
        check_line("GET / HTTP/1.1", "");
        check_line("OPTIONS * HTTP/1.1", "");
        check_line("GET http://a/b?c=d HTTP/1.0", "");
        check_field("Authorization: Basic YTpi", "");
        check_field("x:", "");
        check_field("x: caf\u{e9}\tau lait", "");
        check_field("Content-Length: 0", "");
        check("\r\n\r\nGET / HTTP/1.0\r\n\r\n", "");
    }

    #[test]
    fn two_ways_to_end_a_body_are_one_too_many() {
        check_field("Transfer-Encoding: chunked\r\nContent-Length: 4", "both transfer-encoding and content-length");
        check_field("content-length: 4\r\ntransfer-encoding: chunked", "both transfer-encoding and content-length");
        check_field("Content-Length: 4\r\nContent-Length: 5", "repeated content-length");
        check_field("Content-Length: 4\r\nContent-Length: 4", "repeated content-length");
        for length in ["4, 4", "+4", "-1", "0x4", "4 4", "", "4.0", "1234567890123456", "\u{664}"] {
            check_field(&format!("Content-Length: {length}"), "content-length");
        }
        for coding in ["gzip", "gzip, chunked", "chunked, chunked", "xchunked", "", "chunked;q=1", "identity"] {
            check_field(&format!("Transfer-Encoding: {coding}"), "transfer-encoding");
        }
        check_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "transfer-encoding");
        check("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer-encoding in http/1.0");
    }

    #[test]
    fn a_field_has_a_name_and_a_clean_value() {
        check_field("Host : b", "field name");
        check_field(" folded", "field without colon");
        check_field(" folded: yes", "field name");
        check_field("\tfolded: yes", "field name");
        check_field(": empty", "field name");
        check_field("no colon", "field without colon");
        check_field("a(b): c", "field name");
        check_field("x: a\rb", "field value");
        check_field("x: a\0b", "field value");
        check_field("x: a\u{7f}b", "field value");
        check("GET / HTTP/1.1\nHost: a\r\n\r\n", "line without CR");
        check("GET / HTTP/1.1\r\nHost: a\n\r\n", "line without CR");
        check("GET / HTTP/1.1\r\nHost: a\r\n\n", "line without CR");
        check("GET / HTTP/1.1\r\n folded\r\nHost: a\r\n\r\n", "field without colon");
    }

    #[test]
    fn there_is_one_host() {
        check("GET / HTTP/1.1\r\n\r\n", "no host");
        check("GET / HTTP/1.0\r\n\r\n", "");
        check_field("Host: a", "repeated host");
        check("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "repeated host");
        for host in ["a b", "a/b", "user@a", "a,b", "a?b", "a#b", "\u{e9}"] {
            check(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), "host");
        }
        check("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "");
        check("GET / HTTP/1.1\r\nHost:\r\n\r\n", "");
    }

    #[test]
    fn the_request_line_has_three_parts() {
        for line in ["GET /a b HTTP/1.1", "GET / HTTP/1.1 ", "G(T / HTTP/1.1", " GET / HTTP/1.1", "GET  / HTTP/1.1"] {
            check_line(line, "request line");
        }
        check_line("GET /", "version");
        check_line("GET", "request target");
    }

    #[test]
    fn other_versions_and_targets_are_refused() {
        for version in ["HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "http/1.1", "HTTP/1.10"] {
            check_line(&format!("GET / {version}"), "version");
        }
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version");
        for target in ["/a#b", "/caf\u{e9}", "/a\tb", "/a\0b"] {
            check_line(&format!("GET {target} HTTP/1.1"), "request target");
        }
    }

    #[test]
    fn a_target_that_names_a_host_names_a_good_one() {
        for host in ["", ":80", "a:99999", "a[b]", "u:p@a", "a:b", "[::1", "\\a"] {
            for target in [format!("http://{host}/b"), format!("http://{host}?b"), format!("http://{host}")] {
                check_line(&format!("GET {target} HTTP/1.1"), "host of request target");
            }
        }
        check_line("CONNECT u@a:443 HTTP/1.1", "host of request target");
        for target in ["http://a", "http://a:80?b://c@d", "https://[::1]:8443/b", "/b?c=http://u@d/", "a:443", "*"] {
            check_line(&format!("GET {target} HTTP/1.1"), "");
        }
    }

    #[track_caller]
    fn check_chunks(chunks: &str, why: &str) {
        check(&format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n{chunks}"), why);
    }

    #[test]
    fn chunks_are_followed_to_their_end() {
        check_chunks("0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "");
        check_chunks("0\r\n\r\nGET / HTTP/1.1\r\n\r\n", "no host");
        check_chunks("3\r\na\r\n\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnonsense\r\n", "request target");
        check_chunks("3 \r\nabc\r\n0 ;x\r\n\r\n", "");
        check_chunks("3\r\nabcd\r\n", "chunk longer than its size");
        for size in ["", "x", "-1", "0x3", "3 3", "123456789", ";x", "3\0", "3\rx", "3;\u{7f}"] {
            check_chunks(&format!("{size}\r\nabc\r\n"), "chunk size");
        }
        check_chunks("3\nabc\r\n", "line without CR");
        check_chunks("0\r\nTrailer : x\r\n\r\n", "field name");
        check_chunks(&format!("3;{}\r\n", "x".repeat(300)), "chunk line too long");
        check_chunks(&format!("0\r\n{}\r\n", "x: y\r\n".repeat(4000)), "trailer too large");
    }

    #[test]
    fn a_body_of_known_length_is_not_read() {
        check("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\0\nGET / HTTP/1.0\r\n\r\n", "");
        check("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n1234x\r\n", "request target");
    }

    #[test]
    fn a_wrong_line_is_never_completed() {
        let stream = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
        assert_eq!(pass(stream, usize::MAX).0, 33, "up to the LF of the second host");
        assert_eq!(pass(b"GET / HTTP/1.1\r\n\r\n", usize::MAX).0, 17, "up to the last LF");
    }

    proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_the_split(stream in streams(), size in 1_usize..40) {
            prop_assert_eq!(pass(&stream, size).1, pass(&stream, usize::MAX).1);
        }

        #[test]
        fn octets_of_any_kind_do_no_harm(stream in prop::collection::vec(any::<u8>(), 0..400), size in 1_usize..40) {
            prop_assert_eq!(pass(&stream, size).1, pass(&stream, usize::MAX).1);
        }
    }

    /// Pipelined requests put together from right and wrong pieces.
    fn streams() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "GET / HTTP/1.1\r\n",
            "POST /x HTTP/1.1\r\n",
            "GET / HTTP/1.0\r\n",
            "Host: a\r\n",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "\r\n",
            "\r\n",
            "hello",
            "5\r\nhello\r\n",
            "0\r\n\r\n",
            "\n",
            "\r",
            "\0",
            " x: y\r\n",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
    }
}
