//! Proxies in front, as `docs/proxies.md` configures them.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
};
use waxseal_tests::{
    nginx::{Nginx, documented, free},
    server::{Launch, scratch},
    torture::api::admin_token,
};

/// nginx takes requests that say nothing of a host, or what no host is called; whether they are let in is for the token to say.
#[test]
fn nginx_asks_about_requests_whatever_host_they_name() {
    let (home, data) = scratch();
    let server = Launch::on(data).start();
    // An address of the test's own, where no server of another test takes the port before nginx does.
    let address = free(Ipv4Addr::new(127, 0, 0, 49), 0).unwrap();
    let upstream = format!("http://{}", server.address);
    let here = [
        ("listen 8000;", format!("listen {address};")),
        ("http://127.0.0.1:8080", upstream.clone()),
        ("http://127.0.0.1:3000", upstream),
    ];
    let nginx = Nginx::start(home.path(), address, &documented("proxies.md", &here));
    let token = admin_token(&server);
    for (line, host) in
        [("HTTP/1.1", &b"Host: auth.example\r\n"[..]), ("HTTP/1.1", b"Host: caf\xc3\xa9.example\r\n"), ("HTTP/1.0", b"")]
    {
        for (token, status) in [(token.as_str(), "200"), ("none", "401")] {
            let mut stream = TcpStream::connect(nginx.address).unwrap();
            let head = format!("GET /healthz {line}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n");
            stream.write_all(&[head.as_bytes(), host, b"\r\n"].concat()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(&answer);
            assert_eq!(answer.split(' ').nth(1), Some(status), "{line} {}: {answer}", host.escape_ascii());
        }
    }
}
