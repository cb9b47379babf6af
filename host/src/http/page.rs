//! The page: files embedded in the binary, sent as they are.

use super::convert::{HttpResponse, not_allowed, plain};
use http_body_util::Full;
use hyper::{
    Method, StatusCode,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use sha2::{Digest, Sha256};

/// What the page may do: run its own scripts and styles, compile WebAssembly, talk to this server (security E4).
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// What is also sent under `/`.
const MARKUP: &str = "/index.html";
/// What lies below is named after what it holds, by the build script.
const NAMED_BY_CONTENT: &str = "/page/";
/// Never asked for again: another version has another name.
const LASTING: &str = "public, max-age=31536000, immutable";
/// Asked for each time, and then mostly 304; from here the other files are named, so that all are of one version.
const ASKED_AGAIN: &str = "no-cache";

/// A file of the page as it was embedded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    /// The path it is sent under, with a leading `/`; `/index.html` is also sent under `/`.
    pub(crate) path: &'static str,
    /// What it holds.
    pub(crate) content: &'static [u8],
    /// The same compressed by brotli, where that is shorter.
    pub(crate) brotli: Option<&'static [u8]>,
}

/// What `www/` held when the server was built, and the engine for the browser.
pub(crate) const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The files of the page.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    path: &'static str,
    media_type: HeaderValue,
    freshness: HeaderValue,
    vary: HeaderValue,
    plain: Form,
    brotli: Option<Form>,
}

/// A file the way it goes over the wire.
#[derive(Debug)]
struct Form {
    content: &'static [u8],
    etag: HeaderValue,
}

impl Page {
    /// A page of these files. Those of a type the page does not need are left out.
    pub(crate) fn new(files: &[File]) -> Self {
        Self(files.iter().filter_map(Entry::new).collect())
    }

    /// The answer to a request for one of the files. `/` is the page only for those who ask for HTML, and only if they show no
    /// credentials or are a browser that opens it: `/` is the banner of the Elasticsearch dialect too, and some of its clients accept
    /// anything.
    pub(crate) fn answer(&self, parts: &Parts) -> Option<HttpResponse> {
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let path = match parts.uri.path() {
            "/" if reads && accepts_html(parts) && !is_call(parts) => MARKUP,
            path => path,
        };
        let entry = self.0.iter().find(|entry| entry.path == path)?;
        Some(if reads { entry.answer(parts) } else { not_allowed("GET, HEAD") })
    }
}

impl Entry {
    fn new(file: &File) -> Option<Self> {
        let (_, extension) = file.path.rsplit_once('.')?;
        let media_type = HeaderValue::from_static(match extension {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "json" => "application/json",
            "wasm" => "application/wasm",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/x-icon",
            "txt" => "text/plain; charset=utf-8",
            _ => return None,
        });
        let brotli = match file.brotli {
            Some(content) => Some(Form::new(content)?),
            None => None,
        };
        let freshness =
            HeaderValue::from_static(if file.path.starts_with(NAMED_BY_CONTENT) { LASTING } else { ASKED_AGAIN });
        // What else lies under `/` is for those who do not ask for HTML. The other files are the same whatever type was asked for.
        let vary = if file.path == MARKUP { "accept, accept-encoding, sec-fetch-site" } else { "accept-encoding" };
        let vary = HeaderValue::from_static(vary);
        Some(Self { path: file.path, media_type, freshness, vary, plain: Form::new(file.content)?, brotli })
    }

    fn answer(&self, parts: &Parts) -> HttpResponse {
        let brotli = self.brotli.as_ref().filter(|_| accepts_brotli(parts));
        let form = brotli.unwrap_or(&self.plain);
        if form.is_known_to(parts) {
            return self.guarded(plain(StatusCode::NOT_MODIFIED, ""), form, parts);
        }
        let mut out = self.guarded(hyper::Response::new(Full::new(Bytes::from_static(form.content))), form, parts);
        out.headers_mut().insert(header::CONTENT_TYPE, self.media_type.clone());
        if brotli.is_some() {
            out.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        out
    }

    /// With the headers of every answer.
    fn guarded(&self, mut out: HttpResponse, form: &Form, parts: &Parts) -> HttpResponse {
        let headers = out.headers_mut();
        headers.insert(header::ETAG, form.etag.clone());
        headers.insert(header::CACHE_CONTROL, self.freshness.clone());
        headers.insert(header::VARY, self.vary.clone());
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if self.path != MARKUP || may_have_opener(parts) {
            headers.insert(&OPENER_POLICY, HeaderValue::from_static("same-origin"));
        }
        headers.insert(&RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        out
    }
}

impl Form {
    fn new(content: &'static [u8]) -> Option<Self> {
        let digest = Sha256::digest(content);
        let (half, _) = digest.split_first_chunk()?;
        let etag = HeaderValue::try_from(format!("\"{:032x}\"", u128::from_be_bytes(*half))).ok()?;
        Some(Self { content, etag })
    }

    /// RFC 9110, 13.1.2: a weak comparison with each tag of the list.
    fn is_known_to(&self, parts: &Parts) -> bool {
        let mine = self.etag.to_str().unwrap_or_default();
        let tags = parts.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        tags.flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == mine)
    }
}

/// No other page holds a handle of this one's window, or loads its files.
static OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether a page of another site may have opened the window that a document is for, and still hold it. Where the browser says that
/// nobody has, the policy guards from nobody, and costs the first paint some 30 ms: the window gets a process of its own.
fn may_have_opener(parts: &Parts) -> bool {
    !parts.headers.get("sec-fetch-site").is_some_and(|site| site == "none" || site == "same-origin")
}

fn accepts_brotli(parts: &Parts) -> bool {
    accepted(parts, &header::ACCEPT_ENCODING).any(|(coding, weight)| coding.eq_ignore_ascii_case("br") && weight > 0.0)
}

/// Whether a program asks, with credentials.
fn is_call(parts: &Parts) -> bool {
    let opens = parts.headers.get("sec-fetch-dest").is_some_and(|destination| destination == "document");
    parts.headers.contains_key(header::AUTHORIZATION) && !opens
}

/// Whether HTML is asked for by name, and more than JSON.
fn accepts_html(parts: &Parts) -> bool {
    let weight = |wanted: &str| {
        let named = accepted(parts, &header::ACCEPT).filter(|(media_type, _)| media_type.eq_ignore_ascii_case(wanted));
        named.map(|(_, weight)| weight).fold(0.0, f32::max)
    };
    let html = weight("text/html");
    html > weight("application/json")
}

/// What a request accepts, by this header, and how much it wants each (RFC 9110, 12.4.2); what cannot be read is not wanted.
fn accepted<'p>(parts: &'p Parts, header: &HeaderName) -> impl Iterator<Item = (&'p str, f32)> {
    let lists = parts.headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
    })
}
