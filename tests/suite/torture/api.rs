//! Requests of all dialects, in short form.

use crate::{
    client::{Client, Reply, basic},
    server::{ADMIN, Server, json},
};
use core::net::{Ipv4Addr, SocketAddr};
use serde_json::{Value, json};
use waxseal_core::seam::{Method, Request};

/// A login.
pub fn authorize(name: &str, password: &str) -> Request {
    Request::new(Method::Post, "/v1/users/authorize").with_header("authorization", &basic(name, password))
}

/// The question of a reverse proxy.
pub fn verify(token: &str) -> Request {
    Request::new(Method::Get, "/auth/verify").with_header("authorization", &format!("Bearer {token}"))
}

/// The token with another first character of its signature, whichever that is.
pub fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{other}{}", &signature[1..])
}

/// Ends a token, on behalf of the administrator.
pub fn revoke(token: &str, admin: &str) -> Request {
    Request::new(Method::Post, "/auth/revoke")
        .with_header("authorization", &format!("Bearer {admin}"))
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_body(format!("token={token}"))
}

/// A change of a list of passwords, in the form without a header.
pub fn passwords(method: &str, name: &str, old: &str, new: Option<&str>) -> Request {
    let mut body = json!({ "username": name, "old_password": old });
    if let Some(new) = new {
        body["new_password"] = new.into();
    }
    json(method, "/v1/users/password", &body)
}

/// The `access_token` of a reply.
pub fn access_token(reply: &Reply) -> Option<String> {
    Some(reply.json()?.get("access_token")?.as_str()?.to_owned())
}

/// A token of the administrator that lives for a day.
pub fn admin_token(server: &Server) -> String {
    let request = authorize(ADMIN.0, ADMIN.1).with_header("content-type", "application/json").with_body(r#"{"ttl":86400}"#);
    let reply = server.send(&request);
    access_token(&reply).unwrap_or_else(|| panic!("no token for the administrator: {}", reply.status))
}

/// Makes a user without rights over others; answers the uid.
pub fn add_user(server: &Server, admin: &str, name: &str, password: &str) -> u64 {
    let user = json!({ "name": name, "password": password, "role": "db_viewer" });
    let reply = server.send(&as_bearer(json("POST", "/v1/users", &user), admin));
    assert_eq!(reply.status, 200, "{name}: {}", String::from_utf8_lossy(&reply.body));
    reply.json().unwrap()["uid"].as_u64().unwrap()
}

/// Switches the lockout off, which tests that fail on purpose would meet.
pub fn never_lock(server: &Server, admin: &str) {
    let policy = json!({ "login_lockout_threshold": 0 });
    assert_eq!(server.send(&as_bearer(json("PUT", "/v1/cluster/policy", &policy), admin)).status, 200);
}

/// The request with a token.
pub fn as_bearer(request: Request, token: &str) -> Request {
    request.with_header("authorization", &format!("Bearer {token}"))
}

/// A client from one of many loopback addresses.
pub fn client_from(server: SocketAddr, number: usize) -> Client {
    Client::new(server, address(number))
}

/// One of many loopback addresses.
pub fn address(number: usize) -> Ipv4Addr {
    let octets = u32::try_from(number % 0xff_fffd).unwrap_or(0) + 1;
    Ipv4Addr::from(0x7f00_0000 | octets)
}

/// A member of the envelope of the OpenShift dialect.
pub fn data(reply: &Reply) -> Value {
    reply.json().map_or(Value::Null, |mut body| body["data"].take())
}
