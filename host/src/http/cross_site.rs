//! Requests that a page of another site has its visitor's browser send.
//!
//! A browser adds by itself what it has kept for this server: Basic credentials once they were typed, a client certificate. Forms are
//! sent to other sites without asking, and the OpenShift dialect takes forms. So what a browser says of where a request comes from
//! decides before any rule looks at it (security H7). Programs that are no browsers say nothing, and are not concerned.

use super::forwarded::Client;
use hyper::{
    HeaderMap, Method, Uri,
    header::{self, HeaderValue},
    http::uri::Authority,
};

/// What whoever is refused reads.
pub(super) const REFUSED: &str = "refused: a web page of another site had this request sent\n";

/// Whether browsers send such a request to another site without asking that site first: a `POST` with the body of a form, or one that
/// says nothing of its body, be it empty, as path and query say enough. Before all else they ask, and are never allowed. Proxies
/// ask about requests of every kind, and hand on what the browser says of them.
pub(super) fn is_sent_unasked(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let asks = ["/auth/verify", "/auth/envoy"]
        .iter()
        .any(|asked| path.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if *method != Method::POST || asks {
        return false;
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(media), None) => {
            let media = media.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
            media.is_empty() || FORMS.iter().any(|form| media.eq_ignore_ascii_case(form))
        }
        _ => true,
    }
}

/// What the body of a form can be (Fetch standard, CORS-safelisted request headers).
const FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Whether a browser says that the request comes from elsewhere than a page of this server. No other origin is allowed.
pub(super) fn refuses(headers: &HeaderMap, target: &Uri, client: &Client) -> bool {
    // A page cannot set this one, and it holds however proxies have renamed the host.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    match site {
        Some(b"same-origin" | b"none") => return false,
        Some(b"cross-site") => return true,
        _ => {}
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => false,
        (Some(origin), None) => {
            let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            let ours = [client.host.as_deref(), target.authority().map(Authority::as_str).or(named)];
            let origin = origin.to_str().unwrap_or_default();
            !ours.into_iter().flatten().any(|host| is_at(origin, host))
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
    let bare = |authority: &'_ str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::IpAddr;
    use hyper::header::HeaderName;

    /// For a request to `a.example:8080`, which a proxy may have got as `auth.example`.
    fn refused(headers: &[(&'static str, &'static str)], forwarded: Option<&str>) -> bool {
        let mut map = HeaderMap::new();
        map.insert(header::HOST, HeaderValue::from_static("a.example:8080"));
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let client = Client { address: IpAddr::from([192, 0, 2, 1]), secure: false, host: forwarded.map(String::from) };
        refuses(&map, &Uri::from_static("/"), &client)
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
        let is_looked_at = |method: &Method, path: &str, headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            is_sent_unasked(method, path, &map)
        };
        let form = &[("content-type", "Application/X-www-form-urlencoded ; charset=utf-8")][..];
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!is_looked_at(&method, "/v1/users", form), "{method}");
        }
        for path in ["/v1/users", "/auth/revoke", "/auth/verifying"] {
            assert!(is_looked_at(&Method::POST, path, form), "{path}");
        }
        for path in ["/auth/envoy/orders/7", "/auth/verify"] {
            assert!(!is_looked_at(&Method::POST, path, form), "{path} is asked by proxies");
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
            assert_eq!(is_looked_at(&Method::POST, "/v1/users", headers), expected, "{headers:?}");
        }
    }
}
