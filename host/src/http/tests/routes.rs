//! What the server answers itself.

use super::{Reply, start};
use crate::http::page::{File, Page};
use core::sync::atomic::Ordering;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

#[tokio::test]
async fn health_is_plain() {
    let server = start(|_| {}).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path, "").await.status, 200);
        assert_eq!(server.get(path, "Content-Type: a/b\r\nContent-Type: c/d\r\n").await.status, 200, "it reads no body");
        let refused = server.connect().await.post(path, "").await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    }
}

#[tokio::test]
async fn a_server_that_cannot_answer_is_not_ready() {
    let server = start(|_| {}).await;
    server.engine.broken.store(true, Ordering::SeqCst);
    let refused = server.get("/readyz", "").await;
    assert_eq!((refused.status, refused.text()), (503, "not ready\n"));
    assert_eq!(server.get("/healthz", "").await.status, 200);
}

#[tokio::test]
async fn a_packed_body_is_unpacked_for_core() {
    let server = start(|_| {}).await;
    let send = async |path: &str, coding: &str, body: &[u8]| {
        let mut client = server.connect().await;
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n");
        client.send([head.as_bytes(), body].concat()).await;
        client.reply().await
    };
    let pack = |text: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut out, text).unwrap();
        out.finish().unwrap()
    };
    assert_eq!(send("/v1/echo", "gzip", &pack(b"{\"a\":1}")).await.text(), "{\"a\":1}");
    assert!(!send("/v1/headers", "gzip", &pack(b"{}")).await.text().contains("content-encoding"), "core gets it unpacked");
    assert_eq!(send("/v1/echo", "identity", b"{}").await.text(), "{}");
    assert_eq!(send("/v1/echo", "gzip", &pack(&vec![0; 64 * 1024])).await.status, 200);
    assert_eq!(send("/v1/echo", "gzip", &pack(&vec![0; 64 * 1024 + 1])).await.status, 413, "more than a body may be");
    // Nothing that could be packed, so that it is unpacked aside.
    let noise: Vec<u8> = (0..1024_u32).flat_map(|at| Sha256::digest(at.to_be_bytes())).collect();
    assert!(pack(&noise).len() > 4096);
    assert_eq!(send("/v1/echo", "gzip", &pack(&noise)).await.body, noise);
    assert_eq!(send("/auth/verify", "gzip", b"no gzip at all").await.status, 200, "nobody asks for its body");
    assert_eq!(send("/v1/echo", "gzip", b"{}").await.status, 400);
    assert_eq!(send("/v1/echo", "br", b"{}").await.status, 415);
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let server = start(|_| {}).await;
    assert_eq!(server.get("/auth/verify", "").await.status, 200);
    let metrics = server.get("/metrics", "").await;
    assert!(metrics.text().contains("waxseal_requests_total{route=\"verify\",status=\"200\"} 1\n"), "{}", metrics.text());
    assert!(metrics.text().contains("waxseal_connections 1\n"), "{}", metrics.text());
    assert!(metrics.text().ends_with("# EOF\n"));

    // A name that a stranger owns and leads here, as a page in a browser on this machine could.
    let mut client = server.connect().await;
    client.send("GET /metrics HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n").await;
    let hidden = client.reply().await;
    assert_eq!((hidden.status, hidden.text()), (404, ""), "core is not asked");
    for host in ["127.0.0.1:8080", "[::1]:8080", "localhost"] {
        client.send(format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(client.reply().await.status, 200, "{host}");
    }
    assert_eq!(client.get("http://evil.example:8080/metrics", "").await.status, 404, "the host of the target counts");
    for header in ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 proxy"] {
        client.send(format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n")).await;
        assert_eq!(client.reply().await.status, 404, "{header}");
    }

    let behind_a_proxy = start(|options| options.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let hidden = behind_a_proxy.get("/metrics", "").await;
    assert_eq!((hidden.status, hidden.text()), (404, ""));
}

#[tokio::test]
async fn metrics_may_have_a_listener_of_their_own() {
    let server = start(|options| options.operations = Some(([127, 0, 0, 1], 0).into())).await;
    let hidden = server.get("/metrics", "").await;
    assert_eq!((hidden.status, hidden.text()), (404, ""));
    let address = server.server.bound.operations.unwrap();
    for (path, status) in
        [("/metrics", 200), ("/healthz", 200), ("/readyz", 200), ("/v1/line", 404), ("/", 404), ("/auth/verify", 404)]
    {
        // One request each: who stayed would keep out the next.
        let mut client = super::Client::new(tokio::net::TcpStream::connect(address).await.unwrap());
        let reply = client.get(path, "").await;
        assert_eq!((reply.status, reply.header("connection")), (status, Some("close")), "{path}");
    }
}

#[tokio::test]
async fn the_clock_moves_only_in_tests() {
    let put =
        |body: &str| format!("PUT /testing/clock HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.send(put("{\"advance_secs\":5}")).await;
    assert_eq!(client.reply().await.status, 404);

    let server = start(|options| options.testing = true).await;
    let mut client = server.connect().await;
    client.send(put("{\"now_millis\":1000}")).await;
    assert_eq!(client.reply().await.status, 200);
    assert!((1000..60_000).contains(&server.clock.now().as_millis()));
    client.send(put("{\"advance_secs\":86400}")).await;
    let reply = client.reply().await;
    assert!(reply.text().contains("\"time\":\"1970-01-02T00:00:"), "{}", reply.text());
    assert!(client.get("/testing/clock", "").await.text().contains("\"time\":\"1970-01-02T00:00:"));
    for body in [
        "",
        "{}",
        "{\"advance_secs\":1,\"now_millis\":1}",
        "{\"advance_secs\":1,\"stopped\":true}",
        "{\"advance_secs\":1.5}",
        "{\"later\":1}",
        "[]",
        "[3600,null,null]",
    ] {
        client.send(put(body)).await;
        assert_eq!(client.reply().await.status, 400, "{body}");
    }
    client.send(put("{\"stopped\":true}")).await;
    let stood = client.reply().await.text().to_owned();
    assert_eq!(client.get("/testing/clock", "").await.text(), stood);
    client.send(put("{\"stopped\":false}")).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(client.post("/testing/clock", "").await.status, 405);

    let behind_a_proxy = start(|options| {
        options.testing = true;
        options.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    assert_eq!(behind_a_proxy.await.get("/testing/clock", "X-Forwarded-For: 9.9.9.9\r\n").await.status, 404);
}

const FILES: &[File] = &[
    File { path: "/index.html", content: b"<!doctype html>", brotli: None },
    File { path: "/assets/app.js", content: b"'use strict'", brotli: Some(b"short") },
    File { path: "/assets/core.wasm", content: b"\0asm", brotli: None },
    File { path: "/page/0123456789abcdef/main.js", content: b"'use strict'", brotli: None },
    File { path: "/secret.pem", content: b"", brotli: None },
];

fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = hyper::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[track_caller]
fn check(target: &str, accept: &str, media_type: Option<&str>) {
    let response = Page::new(FILES).answer(&parts("GET", target, &[("accept", accept)]));
    let known = response.as_ref().and_then(|response| response.headers().get("content-type"));
    assert_eq!(known.map(|value| value.to_str().unwrap()), media_type);
}

#[test]
fn the_page_is_sent_to_browsers() {
    check("/", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", Some("text/html; charset=utf-8"));
    check("/", "application/json;q=0.5, Text/HTML;q=0.6", Some("text/html; charset=utf-8"));
    check("/", "application/json, text/html", None);
    check("/", "application/json, text/html;q=0.1", None);
    check("/", "text/html;q=0", None);
    check("/", "*/*", None);
    check("/", "application/json", None);
    check("/index.html", "*/*", Some("text/html; charset=utf-8"));
    check("/assets/app.js", "*/*", Some("text/javascript; charset=utf-8"));
    check("/assets/core.wasm", "*/*", Some("application/wasm"));
    check("/assets/", "text/html", None);
    check("/assets/../index.html", "text/html", None);
    check("/secret.pem", "*/*", None);
    let changed = Page::new(FILES).answer(&parts("POST", "/index.html", &[])).unwrap();
    assert_eq!((changed.status().as_u16(), changed.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
    assert!(Page::new(FILES).answer(&parts("POST", "/", &[("accept", "text/html")])).is_none());
}

#[test]
fn the_page_may_only_do_what_it_needs() {
    let response = Page::new(FILES).answer(&parts("GET", "/index.html", &[])).unwrap();
    let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
    assert!(header("content-security-policy").starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"));
    assert!(!header("content-security-policy").contains("'unsafe-"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
}

#[test]
fn no_other_site_holds_a_window_of_the_page() {
    let page = Page::new(FILES);
    let policy = |path, headers: &[(&str, &str)]| {
        let answer = page.answer(&parts("GET", path, headers)).unwrap();
        answer.headers().get("cross-origin-opener-policy").map(|policy| policy.to_str().unwrap().to_owned())
    };
    for site in
        [&[][..], &[("sec-fetch-site", "cross-site")], &[("sec-fetch-site", "same-site")], &[("sec-fetch-site", "?")]]
    {
        assert_eq!(policy("/index.html", site).as_deref(), Some("same-origin"), "{site:?}");
        assert_eq!(policy("/", &[site, &[("accept", "text/html")]].concat()).as_deref(), Some("same-origin"), "{site:?}");
    }
    for nobody in ["none", "same-origin"] {
        assert_eq!(
            policy("/index.html", &[("sec-fetch-site", nobody)]),
            None,
            "whoever typed the address has opened nothing"
        );
        assert_eq!(policy("/assets/app.js", &[("sec-fetch-site", nobody)]).as_deref(), Some("same-origin"));
    }
}

#[test]
fn a_known_file_is_not_sent_again() {
    let page = Page::new(FILES);
    let etag = page.answer(&parts("GET", "/index.html", &[])).unwrap().headers()["etag"].to_str().unwrap().to_owned();
    let status = |tags: &str| page.answer(&parts("GET", "/index.html", &[("if-none-match", tags)])).unwrap().status();
    assert_eq!(status(&etag), 304);
    assert_eq!(status(&format!("\"x\", W/{etag}")), 304);
    assert_eq!(status("*"), 304);
    assert_eq!(status("\"x\""), 200);
}

#[test]
fn only_what_is_named_by_its_content_is_not_asked_for_again() {
    let page = Page::new(FILES);
    let known = |path| page.answer(&parts("GET", path, &[])).unwrap().headers()["cache-control"].clone();
    assert_eq!(known("/index.html"), "no-cache");
    assert_eq!(known("/assets/app.js"), "no-cache");
    assert_eq!(known("/page/0123456789abcdef/main.js"), "public, max-age=31536000, immutable");
}

#[test]
fn a_file_is_sent_compressed_to_those_who_can_read_it() {
    let page = Page::new(FILES);
    let answer = |accepted: &str| page.answer(&parts("GET", "/assets/app.js", &[("accept-encoding", accepted)])).unwrap();
    let encoding = |accepted: &str| answer(accepted).headers().get("content-encoding").cloned();
    for accepted in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5,BR ; q=0.9", "br;q=0.01"] {
        assert_eq!(encoding(accepted).unwrap(), "br", "{accepted}");
    }
    for accepted in ["", "gzip", "brr", "br;q=0", "br; q=0.000"] {
        assert_eq!(encoding(accepted), None, "{accepted}");
    }
    assert_ne!(answer("br").headers()["etag"], answer("").headers()["etag"]);
    assert!(answer("br").headers()["vary"].to_str().unwrap().contains("accept-encoding"));
}

#[test]
fn the_page_is_in_the_server() {
    let page = Page::new(crate::http::page::FILES);
    let answer = page.answer(&parts("GET", "/", &[("accept", "text/html")])).unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn the_openapi_documents_are_served() {
    let server = start(|options| options.page = false).await;
    let mut client = server.connect().await;
    for name in ["redis", "openshift", "elasticsearch", "gateway"] {
        let path = format!("/openapi/{name}.json");
        let reply = client.get(&path, "").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{path}");
        let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(client.post(&path, "").await.header("allow"), Some("GET, HEAD"));
    }
    for path in ["/openapi/", "/openapi/other.json", "/openapi/../openapi/redis.json"] {
        assert_eq!(client.get(path, "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_administration_is_not_for_the_network() {
    let server = start(|_| {}).await;
    for path in ["/admin", "/admin/keys", "/admin/backup", "/admin/astray", "/admin/reload"] {
        let reply: Reply = server.get(path, "").await;
        assert_eq!(reply.status, 404, "{path}");
    }
}
