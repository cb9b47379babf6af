//! The administration socket.

use super::{Client, Running, start};
use crate::http::admin_socket;
use std::{fs, os::unix::fs::PermissionsExt};
use tokio::net::UnixStream;

async fn connect(server: &Running) -> Client<UnixStream> {
    Client::new(UnixStream::connect(&server.server.bound.admin).await.unwrap())
}

#[tokio::test]
async fn the_owner_reaches_core_as_a_local_peer() {
    let server = start(|_| {}).await;
    let mut client = connect(&server).await;
    assert_eq!(client.get("/admin/keys", "").await.text(), "true");
    assert_eq!(client.get("/v1/peer", "X-Forwarded-For: 9.9.9.9\r\n").await.text(), "None true false None");
    assert_eq!(client.get("/healthz", "").await.status, 200);
    assert_eq!(client.get("/metrics", "").await.status, 200);
}

#[tokio::test]
async fn the_socket_is_the_owners_and_goes_with_the_server() {
    let server = start(|_| {}).await;
    let path = admin_socket::path(&server.home.path().join("data"));
    assert_eq!(path, server.server.bound.admin);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    server.server.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_backup_goes_where_the_owner_says() {
    let server = start(|_| {}).await;
    let mut client = connect(&server).await;
    let to = server.home.path().join("copy");
    let body = format!("{{\"to\":\"{}\"}}", to.display());
    assert_eq!(client.post("/admin/backup", &body).await.status, 200);
    assert!(to.exists());
    assert_eq!(client.post("/admin/backup", &body).await.status, 500, "never over an existing file");
    for wrong in ["", "{}", "{\"to\":\"relative\"}", "{\"to\":1}", "{\"to\":\"/a\",\"x\":1}", "[\"/a\"]"] {
        assert_eq!(client.post("/admin/backup", wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(client.get("/admin/backup", "").await.status, 405);
    assert_eq!(client.post("/admin/reload", "").await.status, 200);
    assert_eq!(
        client.get("/admin/astray", "").await.text(),
        r#"{"clock_secs_behind":0,"root_key":null,"store":null,"store_log":null}"#
    );
    assert_eq!(client.post("/admin/astray", "").await.status, 405);
}
