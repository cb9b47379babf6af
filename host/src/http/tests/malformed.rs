//! Security H3: one reading of every request, or none.

use super::start;
use core::time::Duration;

/// Sends `octets`; the server must answer `status` and close. Whatever follows must not be answered.
async fn check(octets: impl AsRef<[u8]>, status: u16) {
    let server = start(|_| {}).await;
    let octets = octets.as_ref();
    let mut stream = octets.to_vec();
    stream.extend_from_slice(b"GET /v1/line?smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    for stream in [octets, stream.as_slice()] {
        let reply = server.talk(stream).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply:?} to {}", stream.escape_ascii());
        assert!(reply.contains("connection: close\r\n"), "{reply}");
        assert_eq!(reply.matches("HTTP/1.1 ").count(), 1, "{reply}");
        assert!(!reply.contains("smuggled"), "{reply}");
    }
}

async fn check_fields(fields: &str) {
    check(format!("POST /v1/echo HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n"), 400).await;
}

async fn check_line(line: &str) {
    check(format!("{line}\r\nHost: a\r\n\r\n"), 400).await;
}

#[tokio::test]
async fn both_transfer_encoding_and_content_length() {
    check_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0").await;
    check_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0").await;
    check_fields("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0").await;
}

/// However the head comes: hyper looks at one in pieces once it is whole, and at one that is long only where it ends.
#[tokio::test]
async fn a_head_that_comes_in_pieces() {
    let long = format!("GET /v1/line HTTP/1.1\r\nx: {}\r\nHost: a\r\nHost: b\r\n\r\n", "y".repeat(9000));
    for head in
        ["GET /v1/line HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /v1/line HTTP/1.1\r\nHost: a\r\nx : y\r\n\r\n", &long]
    {
        for at in [1, 9, 23, 24, 31, 32, 33, head.len() - 2] {
            let server = start(|_| {}).await;
            let (first, rest) = head.as_bytes().split_at(at);
            let mut client = server.connect().await;
            client.send(first).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            client.send(rest).await;
            let reply = client.rest().await;
            assert!(reply.starts_with("HTTP/1.1 400 "), "{at}: {reply:?}");
            assert_eq!(reply.matches("HTTP/1.1 ").count(), 1, "{reply}");
        }
    }
    check(&long, 400).await;
}

#[tokio::test]
async fn differing_lengths() {
    check_fields("Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd").await;
    check_fields("Content-Length: 3, 4\r\n\r\nabcd").await;
    check_fields("Content-Length: +3\r\n\r\nabc").await;
}

#[tokio::test]
async fn other_transfer_codings() {
    check_fields("Transfer-Encoding: gzip, chunked\r\n\r\n0").await;
    check_fields("Transfer-Encoding: identity").await;
    check_fields("Transfer-Encoding: \u{b}chunked\r\n\r\n0").await;
    check("POST /v1/echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400).await;
}

#[tokio::test]
async fn white_space_before_a_colon() {
    check_fields("Content-Length : 3\r\n\r\nabc").await;
    check_fields("x\t: y").await;
}

#[tokio::test]
async fn line_folding() {
    check_fields("x: y\r\n z").await;
    check_fields("x: y\r\n\tz: a").await;
    check("GET / HTTP/1.1\r\n x: y\r\nHost: a\r\n\r\n", 400).await;
}

#[tokio::test]
async fn bare_cr_lf_and_nul() {
    check_fields("x: a\rb").await;
    check_fields("x: a\0b").await;
    check_fields("x: y\rz: a").await;
    check("GET / HTTP/1.1\nHost: a\n\n", 400).await;
    check("GET / HTTP/1.1\r\nHost: a\r\nx: y\nz: a\r\n\r\n", 400).await;
}

#[tokio::test]
async fn missing_or_repeated_host() {
    check("GET / HTTP/1.1\r\n\r\n", 400).await;
    check_fields("Host: a").await;
    check_fields("host: b").await;
    check("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400).await;
    check("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400).await;
}

#[tokio::test]
async fn a_host_that_is_none() {
    for host in ["[::1", "::1", "a:b", "a:99999", "a:80:80", "[a]", "[::1]a", "[::1]:x", "a]", "a:+80", "[1.2.3.4]"] {
        check(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400).await;
        check_line(&format!("GET http://{host}/v1/line HTTP/1.1")).await;
    }
    for host in ["", ":80", "u:p@a", "a[b]"] {
        check_line(&format!("GET http://{host}/v1/line HTTP/1.1")).await;
    }
    let server = start(|_| {}).await;
    for host in ["", "a", "a:", "a:8080", "[::1]", "[::1]:8080", "127.0.0.1:80", "xn--caf-dma.example", "a_b", "a%20b"] {
        let reply =
            server.talk(format!("GET /v1/line HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{host}: {reply}");
    }
}

#[tokio::test]
async fn other_versions() {
    check("GET /\r\n\r\n", 400).await;
    check_line("GET / HTTP/0.9").await;
    check_line("GET / HTTP/2.0").await;
    check_line("GET / HTTP/1.2").await;
    check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400).await;
}

#[tokio::test]
async fn request_lines_out_of_shape() {
    check_line("GET  / HTTP/1.1").await;
    check_line("GET / /  HTTP/1.1").await;
    check_line("G\0T / HTTP/1.1").await;
    check_line("GET /a#b HTTP/1.1").await;
    check_line("GET caf\u{e9} HTTP/1.1").await;
    check(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400).await;
}

#[tokio::test]
async fn chunks_out_of_shape() {
    for chunks in
        ["x\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "fffffffff\r\n", "3;\0\r\nabc\r\n0\r\n\r\n"]
    {
        check(format!("POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"), 400).await;
    }
}

#[tokio::test]
async fn a_good_request_before_a_bad_one_is_answered() {
    let server = start(|_| {}).await;
    let reply = server.talk("GET /v1/line?1 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n").await;
    let statuses: Vec<_> = reply.match_indices("HTTP/1.1 ").filter_map(|(at, _)| reply.get(at + 9..at + 12)).collect();
    assert_eq!(statuses, ["200", "400"]);
}

#[tokio::test]
async fn connect_is_not_offered_whatever_it_names() {
    let server = start(|_| {}).await;
    for line in ["CONNECT /v1/line HTTP/1.1", "CONNECT a:443 HTTP/1.1"] {
        let mut client = server.connect().await;
        client.send(format!("{line}\r\nHost: a\r\n\r\n")).await;
        assert!(matches!(client.reply().await.status, 400 | 405), "{line}");
    }
}
