//! The end of a server.

use super::start;
use core::time::Duration;
use tokio::net::TcpStream;

#[tokio::test]
async fn requests_in_progress_are_answered_before_the_end() {
    let server = start(|_| {}).await;
    let (address, engine) = (server.address(), server.engine.clone());
    let mut busy = Vec::new();
    for _ in 0..5 {
        let mut client = server.connect().await;
        client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
        busy.push(client);
    }
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/v1/line", "").await.status, 200);
    server.waiting(5).await;

    let stopping = tokio::spawn(server.server.stop());
    assert_eq!(idle.rest().await, "", "idle connections are closed at once");
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    engine.gate.add_permits(5);
    for mut client in busy {
        let reply = client.rest().await;
        assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("connection: close"), "{reply}");
    }
    stopping.await.unwrap();
}

#[tokio::test]
async fn load_ends_without_a_lost_answer() {
    let server = start(|_| {}).await;
    let address = server.address();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while let Ok(stream) = TcpStream::connect(address).await {
                    let mut client = super::Client::new(stream);
                    for _ in 0..50 {
                        client.send("POST /v1/id HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok").await;
                        // Closed before the request was read, or a whole answer: never a part.
                        if tokio::io::AsyncReadExt::read_buf(&mut client.io, &mut client.received).await.unwrap_or(0) == 0 {
                            break;
                        }
                        assert_eq!(client.reply().await.status, 200);
                        answered += 1;
                    }
                }
                answered
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.server.stop().await;
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn readiness_goes_first() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    // A request in progress keeps the connection open while the server stops.
    client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.waiting(1).await;
    let mut probe = server.connect().await;
    probe.send("GET /readyz HTTP/1.1\r\nHos").await;
    assert!(tokio::time::timeout(Duration::from_millis(20), probe.more()).await.is_err());
    let engine = server.engine.clone();
    let stopping = tokio::spawn(server.server.stop());
    while TcpStream::connect(probe.io.peer_addr().unwrap()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    probe.send("t: a\r\n\r\n").await;
    assert_eq!(probe.reply().await.status, 503);
    engine.gate.add_permits(1);
    assert_eq!(client.reply().await.status, 200);
    stopping.await.unwrap();
}

#[tokio::test]
async fn the_wait_for_the_last_is_bounded() {
    let server = start(|options| options.limits.drain_time = Duration::from_millis(50)).await;
    let mut client = server.connect().await;
    client.send("POST /v1/wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.waiting(1).await;
    tokio::time::timeout(Duration::from_secs(10), server.server.stop()).await.expect("it waits for ever");
}
