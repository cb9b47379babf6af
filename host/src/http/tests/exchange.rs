//! Requests and responses in every shape that real clients use.

use super::{Client, start, until};
use core::sync::atomic::Ordering;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_connection_outlives_a_refusal() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        let reply = client.post("/v1/deny", "grant_type=password").await;
        assert_eq!((reply.status, reply.text()), (401, "denied"));
        assert_eq!(client.post("/v1/nothing", "{}").await.status, 404);
        assert_eq!(client.get("/v1/line?a=b", "").await.text(), "GET /v1/line a=b");
    }
}

#[tokio::test]
async fn a_response_has_length_date_and_id_and_no_banner() {
    let server = start(|_| {}).await;
    let reply = server.get("/v1/line", "").await;
    assert_eq!(reply.header("content-length"), Some("13"));
    assert!(reply.header("date").is_some());
    assert_eq!(reply.header("server"), None);
    assert_eq!(reply.header("x-request-id").map(str::len), Some(16));
    assert_eq!(server.get("/auth/verify", "").await.header("content-length"), Some("0"));
}

#[tokio::test]
async fn the_request_id_is_the_servers_and_the_engine_knows_it() {
    let server = start(|_| {}).await;
    let reply = server.get("/v1/id", "X-Request-Id: forged\r\n").await;
    assert_eq!(Some(reply.text()), reply.header("x-request-id"));
    assert!(!server.get("/v1/headers", "X-Request-Id: forged\r\n").await.text().contains("forged"));
}

#[tokio::test]
async fn a_head_request_gets_no_body() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let reply = client.rest().await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("\r\n\r\n"), "{reply}");
}

#[tokio::test]
async fn bodies_come_with_every_method() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    for method in ["DELETE", "GET", "PUT", "PATCH", "OPTIONS", "PROPFIND"] {
        client.send(format!("{method} /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}")).await;
        assert_eq!(client.reply().await.text(), "{}", "{method}");
    }
}

#[tokio::test]
async fn a_client_may_wait_to_be_asked_for_its_body() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.send("POST /v1/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 100);
    client.send("ok").await;
    assert_eq!(client.reply().await.text(), "ok");
}

#[tokio::test]
async fn http_1_0_works_and_ends() {
    let server = start(|_| {}).await;
    let reply = server.talk("GET /v1/line HTTP/1.0\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.0 200 ") && reply.ends_with("GET /v1/line "), "{reply}");
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_still_gets_its_answer() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.send("GET /v1/id HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.io.shutdown().await.unwrap();
    assert!(client.rest().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let requests: Vec<_> = (0..20).map(|n| format!("GET /v1/line?{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    client.send(requests.concat()).await;
    for n in 0..20 {
        assert_eq!(client.reply().await.text(), format!("GET /v1/line {n}"));
    }
}

#[tokio::test]
async fn a_begun_answer_does_not_end_with_its_client() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.waiting(1).await;
    // Reset, not closed: the server sees the end at once.
    client.io.set_zero_linger().unwrap();
    drop(client);
    until("the connection is closed", || {
        server.engine.gate.add_permits(1);
        server.metrics.connections.get() == 0
    })
    .await;
    until("the request is answered", || server.engine.answered.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test]
async fn a_panic_ends_one_request() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/v1/panic", "").await.status, 503);
    assert_eq!(client.get("/v1/panic-later", "").await.status, 503);
    assert_eq!(client.get("/v1/line", "").await.status, 200);
    assert_eq!(server.metrics.panics.get(), 2);
}

#[tokio::test]
async fn forged_identities_do_not_reach_core() {
    let server = start(|_| {}).await;
    let forged =
        "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=9.9.9.9\r\n";
    assert_eq!(server.get("/v1/peer", forged).await.text(), "Some(127.0.0.1) false false None");
    assert_eq!(server.get("/v1/headers", forged).await.text(), "host: a\n");
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client() {
    let server = start(|options| options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let headers = "X-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b:443\r\n";
    assert_eq!(server.get("/v1/peer", headers).await.text(), "Some(9.9.9.9) false true Some(\"b:443\")");
}

/// One request in a stream: what is sent, and what its body is.
fn requests() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let body = prop::collection::vec(prop::sample::select(b"\r\n0a :GET".to_vec()), 0..60);
    (body, prop::option::of(1_usize..20), any::<bool>()).prop_map(|(body, chunk, trailer)| {
        let mut sent = b"POST /v1/echo HTTP/1.1\r\nHost: a\r\n".to_vec();
        match chunk {
            None => {
                sent.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
                sent.extend(&body);
            }
            Some(size) => {
                sent.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(size) {
                    sent.extend(format!("{:x};a=\"b\"\r\n", chunk.len()).bytes());
                    sent.extend(chunk);
                    sent.extend(b"\r\n");
                }
                sent.extend(if trailer { b"0\r\nx: y\r\n\r\n".as_slice() } else { b"0\r\n\r\n" });
            }
        }
        (sent, body)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Strict framing and hyper agree on where each body ends, however the stream is cut.
    #[test]
    fn bodies_arrive_as_they_were_sent(requests in prop::collection::vec(requests(), 1..6), piece in 1_usize..200) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let server = start(|_| {}).await;
            let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut client = Client::new(stream);
            let sent: Vec<u8> = requests.iter().flat_map(|(sent, _)| sent.clone()).collect();
            for piece in sent.chunks(piece) {
                client.send(piece).await;
                tokio::task::yield_now().await;
            }
            for (_, body) in &requests {
                let reply = client.reply().await;
                assert_eq!((reply.status, &reply.body), (200, body));
            }
        });
    }
}
