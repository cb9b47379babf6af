//! Security H4, limit by limit.

use super::{Client, Running, start, until, within};
use core::time::Duration;
use std::process::Command;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SOON: Duration = Duration::from_millis(60);

#[tokio::test]
async fn a_large_head_is_431() {
    let server = start(|_| {}).await;
    let reply = server.talk(format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(16 * 1024))).await;
    assert!(reply.starts_with("HTTP/1.1 431 "), "{reply}");
    let endless = server.talk(format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}", "y".repeat(200_000))).await;
    assert!(endless.starts_with("HTTP/1.1 431 "), "{endless}");
    let small = format!("x: {}\r\n", "y".repeat(16 * 1024 - 60));
    assert_eq!(server.get("/v1/line", &small).await.status, 200);
}

#[tokio::test]
async fn the_size_of_a_head_can_be_set() {
    let server = start(|options| options.limits.head = 1000).await;
    assert_eq!(server.get("/v1/line", &format!("x: {}\r\n", "y".repeat(900))).await.status, 200);
    assert_eq!(server.get("/v1/line", &format!("x: {}\r\n", "y".repeat(1000))).await.status, 431);
    let endless = server.talk(format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}", "y".repeat(20_000))).await;
    assert!(endless.starts_with("HTTP/1.1 431 "), "{endless}");
}

#[tokio::test]
async fn many_headers_are_431() {
    let server = start(|_| {}).await;
    let headers = |count: usize| (1..count).map(|n| format!("x-{n}: y\r\n")).collect::<Vec<_>>().concat();
    assert_eq!(server.get("/v1/line", &headers(64)).await.status, 200);
    for count in [65, 100, 101, 500] {
        assert_eq!(server.get("/v1/line", &headers(count)).await.status, 431, "{count}");
    }
    let server = start(|options| options.limits.headers = 2).await;
    assert_eq!(server.get("/v1/line", &headers(2)).await.status, 200);
    assert_eq!(server.get("/v1/line", &headers(3)).await.status, 431);
}

#[tokio::test]
async fn two_media_types_are_400() {
    let server = start(|_| {}).await;
    let json = "content-type: application/json\r\n";
    assert_eq!(server.get("/v1/line", json).await.status, 200);
    assert_eq!(server.get("/v1/line", &json.repeat(2)).await.status, 400);
}

#[tokio::test]
async fn a_long_target_is_414() {
    let server = start(|_| {}).await;
    let target = |length: usize| format!("/v1/line?{}", "x".repeat(length - 9));
    assert_eq!(server.get(&target(8192), "").await.status, 200);
    assert_eq!(server.get(&target(8193), "").await.status, 414);
    let absolute = |length: usize| format!("http://{}/v1/line", "a".repeat(length - 15));
    assert_eq!(server.get(&absolute(8192), "").await.status, 200);
    assert_eq!(server.get(&absolute(8193), "").await.status, 414);
}

#[tokio::test]
async fn a_large_body_is_413_and_the_connection_goes_on() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    assert_eq!(client.post("/v1/echo", &"x".repeat(64 * 1024)).await.body.len(), 64 * 1024);
    assert_eq!(client.post("/v1/echo", &"x".repeat(64 * 1024 + 1)).await.status, 413);
    assert_eq!(client.post("/v1/echo", "ok").await.text(), "ok");
    client.send("POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for _ in 0..70 {
        client.send(format!("400\r\n{}\r\n", "x".repeat(1024))).await;
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 413);
    assert_eq!(client.post("/v1/echo", "ok").await.text(), "ok");
}

#[tokio::test]
async fn a_huge_body_is_413_and_a_clean_end() {
    let server = start(|_| {}).await;
    let reply =
        server.talk(format!("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n{}", "x".repeat(1 << 20)));
    let reply = reply.await;
    assert!(reply.starts_with("HTTP/1.1 413 ") && reply.contains("connection: close"), "{reply}");
    let mut client = server.connect().await;
    client.send("POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send(format!("100000\r\n{}", "x".repeat(1 << 20))).await;
    let reply = client.rest().await;
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
}

/// Some clients would rather speak HTTP/2, and say so in every request.
#[tokio::test]
async fn who_asks_for_another_protocol_gets_the_whole_answer_too() {
    let server = start(|_| {}).await;
    let upgrade = "HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n";
    let mut client = server.connect().await;
    client.send(format!("POST /v1/echo {upgrade}Content-Length: 1048576\r\n\r\n{}", "x".repeat(1 << 20))).await;
    client.io.read_to_end(&mut client.received).await.expect("no reset");
    assert!(client.received.starts_with(b"HTTP/1.1 413 "), "{}", client.received.escape_ascii());

    let mut client = server.connect().await;
    client.send(format!("GET /v1/large {upgrade}\r\n")).await;
    client.io.shutdown().await.unwrap();
    assert_eq!(client.reply().await.body.len(), 16 << 20, "also if nothing more can come");
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_asked_for() {
    let server = start(|_| {}).await;
    for length in [64 * 1024 + 1, 999_999_999] {
        let head = format!("POST /v1/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n");
        let reply = server.talk(head).await;
        assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    }
}

#[tokio::test]
async fn the_size_of_a_body_can_be_set() {
    let server = start(|options| options.limits.body = 10).await;
    let mut client = server.connect().await;
    assert_eq!(client.post("/v1/echo", "0123456789").await.status, 200);
    assert_eq!(client.post("/v1/echo", "0123456789a").await.status, 413);
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    // One source has a quarter.
    let server = start(|options| options.limits.bodies = 4000).await;
    let mut first = server.connect().await;
    first.send(format!("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(900))).await;
    let mut status = 200;
    // Until the first 900 have been read.
    while status == 200 {
        let mut second = server.connect().await;
        second.send("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 201\r\n\r\n").await;
        second.send("x".repeat(200)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        second.send("x").await;
        status = second.reply().await.status;
    }
    assert_eq!(status, 503);
    first.send("x".repeat(100)).await;
    assert_eq!(first.reply().await.body.len(), 1000);
    assert_eq!(server.connect().await.post("/v1/echo", "ok").await.status, 200);
}

/// Bodies of which one octet is missing, from one source: a quarter of what all may hold, and nobody else's.
#[tokio::test]
async fn bodies_that_never_end_leave_room_for_those_of_others() {
    let server = start(|options| options.limits.bodies = 40_000).await;
    let chunked = |path: &str, part: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\n", part.len())
    };
    let mut stalled = Vec::new();
    let mut status = 0;
    while status != 503 {
        let mut client = server.connect_from(2).await;
        client.send(chunked("/v1/echo", &"x".repeat(900))).await;
        let answered = tokio::time::timeout(SOON, client.reply()).await;
        status = answered.map_or(0, |reply| reply.status);
        stalled.push(client);
        assert!(stalled.len() < 20, "a quarter holds eleven");
    }
    for (last, expected) in [(2, 503), (3, 200)] {
        let mut client = server.connect_from(last).await;
        client.send(chunked("/v1/echo", &"x".repeat(900))).await;
        client.send("0\r\n\r\n").await;
        assert_eq!(client.reply().await.status, expected, "from {last}");
        let mut client = server.connect_from(last).await;
        client.send(chunked("/auth/verify", &"x".repeat(900))).await;
        client.send("0\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 200, "nobody asks for its body");
    }
}

#[tokio::test]
async fn a_slow_head_ends_the_connection() {
    let server = start(|options| options.limits.head_time = SOON).await;
    assert_eq!(server.talk("").await, "", "nothing at all");
    assert_eq!(server.talk("GET / HT").await, "", "a beginning");
    let mut client = server.connect().await;
    assert_eq!(client.get("/v1/line", "").await.status, 200);
    client.send("G").await;
    assert_eq!(client.rest().await, "", "a beginning after a whole request");
}

#[tokio::test]
async fn a_head_may_not_be_stretched_octet_by_octet() {
    let server = start(|options| options.limits.head_time = SOON).await;
    let mut client = server.connect().await;
    let (mut reader, mut writer) = tokio::io::split(client.io);
    let dripping = tokio::spawn(async move {
        loop {
            if writer.write_all(b"x").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    client.received.clear();
    // A reset is an end too.
    let _ = reader.read_to_end(&mut client.received).await;
    assert!(client.received.is_empty());
    dripping.await.unwrap();
}

#[tokio::test]
async fn a_slow_body_is_408() {
    let server = start(|options| options.limits.request_time = SOON).await;
    let reply = server.talk("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains("connection: close"), "{reply}");
    let reply = server.talk("POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha").await;
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_nobody() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    client.io.shutdown().await.unwrap();
    let reply = client.rest().await;
    assert!(reply.starts_with("HTTP/1.1 400 "), "{reply}");
    assert_eq!(server.engine.waiting.load(core::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let server = start(|options| options.limits.request_time = SOON).await;
    let reply = server.talk("GET /v1/wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 503 ") && reply.contains("retry-after"), "{reply}");
    assert!(reply.ends_with("/v1/wait later") && reply.contains("connection: close"), "{reply}");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = start(|options| options.limits.idle_time = SOON).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/v1/line", "").await.status, 200);
    assert_eq!(client.get("/v1/line", "").await.status, 200);
    assert_eq!(client.rest().await, "");
    let mut unread = server.connect().await;
    unread.send("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n").await;
    assert_eq!(unread.reply().await.status, 405);
    unread.send("body").await;
    assert_eq!(unread.rest().await, "", "also after a body nobody wanted");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let server = start(|options| {
        options.limits.request_time = SOON;
        options.limits.idle_time = Duration::from_mins(1);
    })
    .await;
    let mut client = server.connect().await;
    let body = "x".repeat(64 * 1024);
    let request = format!("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    // Until both systems' buffers are full and the server gives up.
    within("nothing is taken any more", async { while client.io.write_all(request.as_bytes()).await.is_ok() {} }).await;
    until("the connection is closed", || server.metrics.connections.get() == 0).await;
}

async fn stalled(server: &Running, count: usize) -> Vec<Client<TcpStream>> {
    let mut clients = Vec::new();
    for n in 0..count {
        let mut client = server.connect().await;
        client.send(["GET / HT", "POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx"][n % 2]).await;
        clients.push(client);
    }
    clients
}

#[tokio::test]
async fn stalled_clients_are_in_nobodys_way() {
    // Fewer than there are of them: a request has no place among these before its body is there.
    let server = start(|options| options.limits.in_flight = 20).await;
    let clients = stalled(&server, 200).await;
    for _ in 0..20 {
        assert_eq!(server.connect().await.post("/v1/echo", "ok").await.status, 200);
    }
    drop(clients);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = start(|options| options.limits.connections = 3).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect().await;
        assert_eq!(client.get("/v1/line", "").await.status, 200);
        open.push(client);
    }
    let mut fourth = server.connect().await;
    fourth.send("GET /v1/line HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(tokio::time::timeout(SOON, fourth.more()).await.is_err(), "accepted beyond the limit");
    assert_eq!(server.metrics.connections.get(), 3);
    open.pop();
    assert_eq!(fourth.reply().await.status, 200);
}

#[tokio::test]
async fn requests_beyond_the_limit_are_503_but_verification_goes_on() {
    let server = start(|options| options.limits.in_flight = 2).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
        waiting.push(client);
    }
    server.waiting(2).await;
    let mut client = server.connect().await;
    let refused = client.post("/v1/echo", "x").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.text(), "/v1/echo later", "in the words of the dialect");
    assert_eq!(client.get("/auth/verify", "").await.status, 200);
    assert_eq!(client.get("/healthz", "").await.status, 200);
    server.engine.gate.add_permits(2);
    for mut client in waiting {
        assert_eq!(client.reply().await.status, 200);
    }
    assert_eq!(client.post("/v1/echo", "x").await.status, 200);
}

#[tokio::test]
async fn one_source_leaves_others_room_for_requests() {
    let server = start(|options| options.limits.in_flight = 4).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect_from(2).await;
        client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
        waiting.push(client);
    }
    server.waiting(3).await;
    assert_eq!(server.connect_from(2).await.post("/v1/echo", "x").await.status, 503, "three quarters and no more");
    assert_eq!(server.connect_from(3).await.post("/v1/echo", "x").await.status, 200);
    server.engine.gate.add_permits(3);
    for mut client in waiting {
        assert_eq!(client.reply().await.status, 200);
    }
    assert_eq!(server.connect_from(2).await.post("/v1/echo", "x").await.status, 200);
}

/// In a process of its own, as the limit holds for all of it.
#[test]
fn without_file_descriptors_the_server_waits_for_some() {
    let name = "http::tests::limits::child_without_file_descriptors";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn child_without_file_descriptors() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let server = start(|_| {}).await;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();
    let mut open = Vec::new();
    while let Ok(stream) = TcpStream::connect(server.address()).await {
        open.push(Client::new(stream));
    }
    // The client has taken the last descriptor. With one given back, the server accepts one and fails at the next.
    open.pop();
    let mut answered = 0;
    for client in &mut open {
        client.send("GET /v1/line HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    }
    // Each connection that ends makes room for another, until all have been served.
    for mut client in open {
        assert!(client.rest().await.starts_with("HTTP/1.1 200 "));
        answered += 1;
    }
    assert!(answered > 10, "{answered}");
    assert_eq!(server.connect().await.get("/v1/line", "").await.status, 200);
}

/// A body of this size does not fit into what the system keeps for a connection.
#[tokio::test]
async fn who_does_not_read_takes_only_so_much_memory() {
    let server = start(|options| options.limits.bodies = 160 << 20).await;
    let large = async || {
        let mut client = server.connect().await;
        client.send("GET /v1/large HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client
    };
    // What comes of one more, within a while: the server does not see at once who has come and gone.
    let comes_to = async |status| {
        for _ in 0..200 {
            let reply = large().await.reply().await;
            if reply.status == status {
                return reply;
            }
            tokio::time::sleep(SOON / 2).await;
        }
        panic!("never {status}");
    };
    let mut stalled = vec![large().await, large().await];
    assert_eq!(comes_to(503).await.header("retry-after"), Some("1"));
    assert_eq!(server.get("/v1/line", "").await.status, 200, "small ones go on");
    // Whoever reads after all gets all of it, and then others do.
    for mut client in stalled.drain(..) {
        assert_eq!(client.reply().await.body.len(), 16 << 20);
    }
    comes_to(200).await;
    drop([large().await, large().await]);
    comes_to(200).await;
}
