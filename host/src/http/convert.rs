//! Requests and responses, between hyper's shape and core's.

use http_body_util::Full;
use hyper::{
    StatusCode,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use waxseal_core::seam::{Method, Request, Response};

/// What the sockets send.
pub(super) type HttpResponse = hyper::Response<Full<Bytes>>;

/// What a client may not tell core: its identity behind a proxy and the number of its request are the server's to say.
/// `wasm/js/lib/http.js` has the same list.
const FORGEABLE: [&str; 9] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-prefix",
    "x-real-ip",
    "x-request-id",
];

/// A request for core, with its body, which has been decoded.
pub(super) fn to_core(parts: &Parts, body: Vec<u8>) -> Request {
    let mut headers = Vec::with_capacity(parts.headers.len() + 1);
    // The host of an absolute target takes the place of the header (RFC 9112, 3.2.2).
    let target_host = parts.uri.authority();
    if let Some(host) = target_host {
        headers.push((header::HOST.as_str().to_owned(), host.as_str().into()));
    }
    for (name, value) in &parts.headers {
        let replaced = target_host.is_some() && *name == header::HOST;
        if !replaced && !is_forgeable(name.as_str()) && *name != header::CONTENT_ENCODING {
            headers.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
    }
    Request {
        method: Method::parse(parts.method.as_str()),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    }
}

fn is_forgeable(name: &str) -> bool {
    matches!(name.as_bytes().first(), Some(b'f' | b'x')) && FORGEABLE.contains(&name)
}

/// A response from core, with its body as it is to be sent. One that cannot be sent as it stands is a defect and becomes 503 without a
/// body.
pub(super) fn from_core(response: Response, body: Bytes) -> HttpResponse {
    try_from_core(response, body).unwrap_or_else(|| {
        tracing::error!("the engine's response cannot be sent");
        unavailable()
    })
}

fn try_from_core(response: Response, body: Bytes) -> Option<HttpResponse> {
    let mut out = hyper::Response::new(Full::new(body));
    *out.status_mut() = StatusCode::from_u16(response.status).ok().filter(|status| !status.is_informational())?;
    out.headers_mut().reserve(response.headers.len() + 2);
    for (name, value) in response.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        out.headers_mut().append(name, HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?);
    }
    Some(out)
}

/// A response of the server itself, with an explanation in one line.
pub(super) fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    let mut out = hyper::Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *out.status_mut() = status;
    if !text.is_empty() {
        out.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    out
}

/// What a path is answered with that takes only the methods `allow`.
pub(super) fn not_allowed(allow: &'static str) -> HttpResponse {
    let mut out = plain(StatusCode::METHOD_NOT_ALLOWED, "");
    out.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    out
}

/// Try again in a second.
pub(super) fn unavailable() -> HttpResponse {
    let mut out = plain(StatusCode::SERVICE_UNAVAILABLE, "");
    out.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    out
}

/// The same response, after which the connection ends.
pub(super) fn closing(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(target: &str, headers: &[(&'static str, &'static [u8])]) -> Parts {
        let mut request = hyper::Request::new(());
        *request.uri_mut() = target.parse().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        request.into_parts().0
    }

    #[test]
    fn core_sees_the_request_as_it_was_sent() {
        let request = to_core(&parts("/a%2Fb//c?d=%20&e", &[("host", b"a"), ("x", b"\xff\xfe"), ("x", b"")]), vec![1]);
        assert_eq!((request.path.as_str(), request.query.as_str()), ("/a%2Fb//c", "d=%20&e"));
        let expected: [(&str, &[u8]); 3] = [("host", b"a"), ("x", b"\xff\xfe"), ("x", b"")];
        assert!(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).eq(expected));
        assert_eq!(request.body, [1]);
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        for header in [&[("host", b"a".as_slice())][..], &[]] {
            let request = to_core(&parts("http://b:1/c", header), Vec::new());
            assert_eq!((request.path.as_str(), request.header("host")), ("/c", Some("b:1")));
            assert_eq!(request.headers.len(), 1);
        }
    }

    #[test]
    fn core_never_sees_what_a_client_could_forge() {
        for name in FORGEABLE {
            assert!(to_core(&parts("/", &[(name, b"x")]), Vec::new()).headers.is_empty(), "{name}");
        }
    }

    /// The package for JavaScript has no server before it that would drop them.
    #[test]
    fn the_package_drops_the_same_headers() {
        let text = include_str!("../../../wasm/js/lib/http.js");
        let (_, list) = text.split_once("const FORGEABLE = new Set([").unwrap();
        let (list, _) = list.split_once("])").unwrap();
        let names = list.split(',').map(|name| name.trim().trim_matches('\''));
        assert!(names.eq(FORGEABLE), "{list}");
    }

    #[test]
    fn a_response_that_cannot_be_sent_is_a_refusal() {
        for response in [
            Response::empty(99),
            Response::empty(101),
            Response::empty(200).with_header("x", "a\nb"),
            Response::empty(200).with_header("a b", ""),
        ] {
            assert_eq!(from_core(response, Bytes::new()).status(), 503);
        }
        let response = from_core(
            Response::empty(401).with_header("www-authenticate", "a").with_header("www-authenticate", "b"),
            Bytes::new(),
        );
        assert_eq!(response.headers().get_all("www-authenticate").iter().count(), 2);
    }
}
