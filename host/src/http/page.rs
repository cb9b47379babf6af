//! The page: files embedded in the binary, sent as they are.

use super::convert::{HttpResponse, plain};
use http_body_util::Full;
use hyper::{
    Method, StatusCode,
    body::Bytes,
    header::{self, HeaderValue},
    http::request::Parts,
};
use sha2::{Digest, Sha256};

/// What the page may do: run its own scripts and styles, compile WebAssembly, talk to this server (security E4).
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// A file of the page as it was embedded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    /// The path it is sent under, with a leading `/`; `/index.html` is also sent under `/`.
    pub(crate) path: &'static str,
    /// What it holds.
    pub(crate) content: &'static [u8],
}

/// What `www/page` held when the server was built.
pub(crate) const FILES: &[File] = &[];

/// The files of the page.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    path: &'static str,
    content: &'static [u8],
    media_type: HeaderValue,
    etag: HeaderValue,
}

impl Page {
    /// A page of these files. Those of a type the page does not need are left out.
    pub(crate) fn new(files: &[File]) -> Self {
        Self(files.iter().filter_map(Entry::new).collect())
    }

    /// The answer to a request for one of the files. `/` is the page only for those who ask for HTML: it is the banner of
    /// the Elasticsearch dialect too.
    pub(crate) fn answer(&self, parts: &Parts) -> Option<HttpResponse> {
        if self.0.is_empty() || !matches!(parts.method, Method::GET | Method::HEAD) {
            return None;
        }
        let path = match parts.uri.path() {
            "/" if accepts_html(parts) => "/index.html",
            path => path,
        };
        let entry = self.0.iter().find(|entry| entry.path == path)?;
        Some(if entry.is_known_to(parts) { entry.unchanged() } else { entry.whole() })
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
        let digest = Sha256::digest(file.content);
        let (half, _) = digest.split_first_chunk()?;
        let etag = HeaderValue::try_from(format!("\"{:032x}\"", u128::from_be_bytes(*half))).ok()?;
        Some(Self { path: file.path, content: file.content, media_type, etag })
    }

    /// RFC 9110, 13.1.2: a weak comparison with each tag of the list.
    fn is_known_to(&self, parts: &Parts) -> bool {
        let mine = self.etag.to_str().unwrap_or_default();
        let tags = parts.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        tags.flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == mine)
    }

    fn whole(&self) -> HttpResponse {
        let mut out = self.guarded(hyper::Response::new(Full::new(Bytes::from_static(self.content))));
        out.headers_mut().insert(header::CONTENT_TYPE, self.media_type.clone());
        out
    }

    fn unchanged(&self) -> HttpResponse {
        self.guarded(plain(StatusCode::NOT_MODIFIED, ""))
    }

    fn guarded(&self, mut out: HttpResponse) -> HttpResponse {
        let headers = out.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        out
    }
}

fn accepts_html(parts: &Parts) -> bool {
    let accepted = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|list| list.split(',')).any(|range| {
        let media_type = range.split_once(';').map_or(range, |(media_type, _)| media_type);
        media_type.trim().eq_ignore_ascii_case("text/html")
    })
}
