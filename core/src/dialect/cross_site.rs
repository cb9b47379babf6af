//! Requests that a page of another site has its visitor's browser send.
//!
//! A browser adds by itself what it has kept for this server: Basic credentials once they were typed, a client certificate. Forms are
//! sent to other sites without asking, and the OpenShift dialect takes forms. So what a browser says about where a request comes from
//! decides before any rule looks at it (security H7). Programs that are not browsers say nothing, and are not affected.

use super::{is_verification, media_type};
use crate::seam::{Method, Moment, Request};

/// Whether this is such a request. The owner's own socket is out of reach of pages.
pub(super) fn is(request: &Request, moment: &Moment) -> bool {
    !moment.peer.local && is_sent_unasked(request) && comes_from_elsewhere(request, moment.peer.host.as_deref())
}

/// What the body of a form can be (Fetch standard, CORS-safelisted request headers).
const FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Whether browsers send this to another site without asking that site first: a `POST` with the body of a form, or one that does not
/// name the type of its body, even an empty one, as path and query say enough. Before sending anything else a browser asks first (a
/// preflight), and this server never allows it. Proxies ask about requests of every kind, and hand on what the browser says of them.
fn is_sent_unasked(request: &Request) -> bool {
    if request.method != Method::Post || is_verification(&request.path) {
        return false;
    }
    let mut types = request.header_values("content-type");
    match (types.next(), types.next()) {
        (Some(media), None) => {
            let media = media_type(text(media));
            media.is_empty() || FORMS.iter().any(|form| media.eq_ignore_ascii_case(form))
        }
        _ => true,
    }
}

/// Whether a browser says that it was a page of another server. No other origin is allowed. `forwarded` is the host that a trusted
/// proxy was asked for.
fn comes_from_elsewhere(request: &Request, forwarded: Option<&str>) -> bool {
    // A page cannot set this one, and it holds however proxies have renamed the host.
    match request.header("sec-fetch-site") {
        Some("same-origin" | "none") => return false,
        Some("cross-site") => return true,
        _ => {}
    }
    let mut origins = request.header_values("origin");
    match (origins.next(), origins.next()) {
        (None, _) => false,
        (Some(origin), None) => {
            let origin = text(origin);
            ![forwarded, request.header("host")].into_iter().flatten().any(|host| is_at(origin, host))
        }
        (Some(_), Some(_)) => true,
    }
}

/// Whether the origin is that of `host`, which has a port where it is not the scheme's own. The scheme is not compared: this server
/// may not know of a proxy that does TLS.
fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority| str::strip_suffix(authority, port).unwrap_or(authority);
    bare(authority).eq_ignore_ascii_case(bare(host))
}

/// What is not text says nothing.
fn text(value: &[u8]) -> &str {
    core::str::from_utf8(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::Peer;
    use alloc::vec::Vec;

    fn post(headers: &[(&str, &str)]) -> Request {
        headers
            .iter()
            .fold(Request::new(Method::Post, "/v1/users"), |request, (name, value)| request.with_header(name, value))
    }

    /// For a request to `a.example:8080`, which a proxy may have got as `auth.example`.
    fn refused(headers: &[(&str, &str)], forwarded: Option<&str>) -> bool {
        let headers: Vec<_> = [("host", "a.example:8080")].iter().chain(headers).copied().collect();
        comes_from_elsewhere(&post(&headers), forwarded)
    }

    #[test]
    fn the_owner_is_out_of_reach_and_a_proxy_says_which_host_was_asked() {
        let foreign = post(&[("host", "a.example"), (ORIGIN, "https://auth.example")]);
        let refused = |peer| is(&foreign, &Moment { peer, ..Moment::default() });
        assert!(refused(Peer::default()));
        assert!(!refused(Peer { local: true, ..Peer::default() }));
        assert!(!refused(Peer { host: Some("auth.example".into()), ..Peer::default() }));
        assert!(refused(Peer { host: Some("other.example".into()), ..Peer::default() }));
    }

    const ORIGIN: &str = "origin";
    const SITE: &str = "sec-fetch-site";

    #[test]
    fn programs_say_nothing_and_are_let_through() {
        assert!(!refused(&[], None));
        assert!(!refused(&[("referer", "http://evil.example/")], None));
    }

    #[test]
    fn a_page_of_this_server_is_let_through() {
        assert!(!refused(&[(ORIGIN, "http://a.example:8080"), (SITE, "same-origin")], None));
        assert!(!refused(&[(ORIGIN, "http://a.example:8080")], None));
        assert!(!refused(&[(ORIGIN, "http://A.example:8080")], None));
        assert!(!refused(&[(ORIGIN, "https://a.example:8080")], None), "behind a proxy that does TLS");
        assert!(!refused(&[(ORIGIN, "https://auth.example")], Some("auth.example")));
        assert!(!refused(&[(ORIGIN, "https://auth.example")], Some("auth.example:443")));
        assert!(
            !refused(&[(ORIGIN, "https://auth.example"), (SITE, "same-origin")], None),
            "a proxy that renames the host"
        );
        assert!(!refused(&[(SITE, "none")], None), "typed in by hand");
    }

    #[test]
    fn a_page_of_another_site_is_not() {
        for headers in [
            &[(SITE, "cross-site")][..],
            &[(SITE, "cross-site"), (ORIGIN, "http://a.example:8080")],
            &[(ORIGIN, "http://evil.example")],
            &[(ORIGIN, "http://evil.example"), (SITE, "same-site")],
            &[(ORIGIN, "http://a.example")],
            &[(ORIGIN, "http://a.example:80800")],
            &[(ORIGIN, "null")],
            &[(ORIGIN, "")],
            &[(ORIGIN, "ftp://a.example:8080")],
            &[(ORIGIN, "http://a.example:8080"), (ORIGIN, "http://evil.example")],
        ] {
            assert!(refused(headers, None), "{headers:?}");
        }
        assert!(refused(&[(ORIGIN, "https://evil.example")], Some("auth.example")));
    }

    #[test]
    fn only_what_browsers_send_without_asking_is_looked_at() {
        let form = ("content-type", "Application/X-www-form-urlencoded ; charset=utf-8");
        for method in [Method::Get, Method::Head, Method::Options, Method::Put, Method::Patch, Method::Delete] {
            let request = Request { method, ..post(&[form]) };
            assert!(!is_sent_unasked(&request), "{request:?}");
        }
        for (path, expected) in [
            ("/v1/users", true),
            ("/auth/revoke", true),
            ("/auth/verifying", true),
            ("/auth/envoy/orders/7", false),
            ("/auth/verify", false),
        ] {
            assert_eq!(is_sent_unasked(&Request::new(Method::Post, path)), expected, "{path}");
        }
        for (headers, expected) in [
            (&[("content-type", "multipart/form-data; boundary=x")][..], true),
            (&[("content-type", "text/plain;charset=UTF-8")], true),
            (&[("content-type", "")], true),
            (&[("content-type", "application/json"), ("content-type", "text/plain")], true),
            (&[("content-type", "application/json; charset=utf-8")], false),
            (&[("content-length", "2")], true),
            (&[("transfer-encoding", "chunked")], true),
            (&[("content-length", "0")], true),
            (&[], true),
        ] {
            assert_eq!(is_sent_unasked(&post(headers)), expected, "{headers:?}");
        }
    }
}
