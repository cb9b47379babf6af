//! A small HTTP/1.1 client over one connection, which sends exactly what it is told and reads strictly.

use crate::leaks;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use socket2::{Domain, Socket, Type};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
};
use waxseal_core::seam::Request;

/// What came back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// All values of the header `name` (in lower case), joined by `, `.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The value of an `Authorization` header with a password.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

/// One client, which keeps its connection as long as the server does.
pub struct Client {
    peer: Peer,
    connection: Option<TcpStream>,
}

impl Client {
    /// A client that will connect from the loopback address `from`.
    pub fn new(server: SocketAddr, from: Ipv4Addr) -> Self {
        Self { peer: Peer { server, from }, connection: None }
    }

    /// Sends a request and reads the whole reply. A connection that the server has closed since the last reply is opened anew.
    pub fn send(&mut self, request: &Request) -> io::Result<Reply> {
        let kept = self.connection.is_some();
        let reply = match self.attempt(request) {
            Err(error) if kept && error.kind() == ErrorKind::ConnectionReset => self.attempt(request),
            result => result,
        }?;
        self.peer.note(request, &reply);
        Ok(reply)
    }

    fn attempt(&mut self, request: &Request) -> io::Result<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.peer.connect()?,
        };
        connection.write_all(&self.peer.encode(request)).map_err(|_| ErrorKind::ConnectionReset)?;
        let mut received = Received::to(request);
        let (reply, keep) = loop {
            let mut chunk = [0; 8192];
            let length = connection.read(&mut chunk)?;
            if let Some(whole) = received.take(&chunk[..length])? {
                break whole;
            }
        };
        if keep {
            self.connection = Some(connection);
        }
        Ok(reply)
    }
}

/// One of many clients on one thread, so that a crowd of them takes little of the time that the server has: it sends what it is told
/// on one connection, which the server must not close.
pub struct CrowdClient {
    peer: Peer,
    connection: tokio::net::TcpStream,
}

impl CrowdClient {
    /// A client that has connected from the loopback address `from`. To be called within a runtime.
    pub fn new(server: SocketAddr, from: Ipv4Addr) -> io::Result<Self> {
        let peer = Peer { server, from };
        let connection = peer.connect()?;
        connection.set_nonblocking(true)?;
        Ok(Self { peer, connection: tokio::net::TcpStream::from_std(connection)? })
    }

    /// Sends a request and reads the whole reply.
    pub async fn send(&self, request: &Request) -> io::Result<Reply> {
        let message = self.peer.encode(request);
        let mut rest = message.as_slice();
        while !rest.is_empty() {
            self.connection.writable().await?;
            rest = match self.connection.try_write(rest) {
                Ok(length) => &rest[length..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => rest,
                Err(error) => return Err(error),
            };
        }
        let mut received = Received::to(request);
        loop {
            self.connection.readable().await?;
            let mut chunk = [0; 8192];
            let length = match self.connection.try_read(&mut chunk) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            if let Some((reply, _)) = received.take(&chunk[..length])? {
                self.peer.note(request, &reply);
                return Ok(reply);
            }
        }
    }
}

/// Which server a client talks to, and from where.
#[derive(Clone, Copy)]
struct Peer {
    server: SocketAddr,
    from: Ipv4Addr,
}

impl Peer {
    fn connect(self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(IpAddr::V4(self.from), 0).into())?;
        socket.connect(&self.server.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(socket.into())
    }

    fn encode(self, request: &Request) -> Vec<u8> {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let mut out = format!("{} {}{query} HTTP/1.1\r\n", request.method.as_str(), request.path).into_bytes();
        if request.header("host").is_none() {
            out.extend(format!("host: {}\r\n", self.server).bytes());
        }
        for (name, value) in &request.headers {
            out.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        let bodiless = matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") && request.body.is_empty();
        if !bodiless {
            out.extend(format!("content-length: {}\r\n", request.body.len()).bytes());
        }
        out.extend(b"\r\n");
        out.extend(&request.body);
        out
    }

    /// Remembers the secrets of both.
    fn note(self, request: &Request, reply: &Reply) {
        leaks::sent(self.server, request);
        leaks::got(self.server, reply);
    }
}

/// What has come of a reply so far.
struct Received {
    octets: Vec<u8>,
    /// The reply that it answers has no body whatever it says.
    head_only: bool,
}

impl Received {
    fn to(request: &Request) -> Self {
        Self { octets: Vec::new(), head_only: request.method.as_str() == "HEAD" }
    }

    /// The reply and whether the connection may be used again, once `more` has made it whole. The connection has ended if nothing more
    /// came.
    fn take(&mut self, more: &[u8]) -> io::Result<Option<(Reply, bool)>> {
        if more.is_empty() {
            let kind = if self.octets.is_empty() { ErrorKind::ConnectionReset } else { ErrorKind::UnexpectedEof };
            return Err(kind.into());
        }
        self.octets.extend(more);
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = head.parse(&self.octets).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let headers = head
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
        let mut reply = Reply { status: head.code.unwrap_or_default(), headers: headers.collect(), body: Vec::new() };
        let announced = reply.header("content-length").and_then(|length| length.parse().ok());
        let body = &self.octets[length..];
        let length = match (self.head_only || matches!(reply.status, 204 | 304), announced) {
            (true, _) => 0,
            (false, Some(length)) => length,
            (false, None) => return Err(io::Error::other("the reply has no content-length")),
        };
        if body.len() > length {
            return Err(io::Error::other("octets after the reply"));
        }
        if body.len() < length {
            return Ok(None);
        }
        reply.body = body.to_vec();
        let keep = reply.header("connection").is_none_or(|options| !options.eq_ignore_ascii_case("close"));
        Ok(Some((reply, keep)))
    }
}
