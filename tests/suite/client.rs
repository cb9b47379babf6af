//! A small HTTP/1.1 client over one connection, which sends exactly what it is told and reads strictly.

use crate::leaks;
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

/// One client, which keeps its connection as long as the server does.
pub struct Client {
    server: SocketAddr,
    from: Ipv4Addr,
    connection: Option<TcpStream>,
}

impl Client {
    /// A client that will connect from the loopback address `from`.
    pub fn new(server: SocketAddr, from: Ipv4Addr) -> Self {
        Self { server, from, connection: None }
    }

    /// Sends a request and reads the whole reply. A connection that the server has closed since the last reply is opened anew.
    pub fn send(&mut self, request: &Request) -> io::Result<Reply> {
        let kept = self.connection.is_some();
        let reply = match self.attempt(request) {
            Err(error) if kept && error.kind() == ErrorKind::ConnectionReset => self.attempt(request),
            result => result,
        }?;
        leaks::sent(self.server, request);
        leaks::got(self.server, &reply);
        Ok(reply)
    }

    fn attempt(&mut self, request: &Request) -> io::Result<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        connection.write_all(&self.encode(request)).map_err(|_| ErrorKind::ConnectionReset)?;
        let (reply, keep) = read_reply(&mut connection, request.method.as_str() == "HEAD")?;
        if keep {
            self.connection = Some(connection);
        }
        Ok(reply)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(IpAddr::V4(self.from), 0).into())?;
        socket.connect(&self.server.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(socket.into())
    }

    fn encode(&self, request: &Request) -> Vec<u8> {
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
}

/// The reply, and whether the connection may be used again.
fn read_reply(connection: &mut TcpStream, head_only: bool) -> io::Result<(Reply, bool)> {
    let mut buffer = Vec::new();
    let (mut reply, head_length) = loop {
        let mut chunk = [0; 8192];
        match connection.read(&mut chunk)? {
            0 if buffer.is_empty() => return Err(ErrorKind::ConnectionReset.into()),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            length => buffer.extend(&chunk[..length]),
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        if let httparse::Status::Complete(length) = head.parse(&buffer).map_err(io::Error::other)? {
            let headers = head
                .headers
                .iter()
                .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
            break (Reply { status: head.code.unwrap_or_default(), headers: headers.collect(), body: Vec::new() }, length);
        }
    };
    reply.body = buffer.split_off(head_length);
    let announced = reply.header("content-length").and_then(|length| length.parse().ok());
    let length = match (head_only || matches!(reply.status, 204 | 304), announced) {
        (true, _) => 0,
        (false, Some(length)) => length,
        (false, None) => return Err(io::Error::other("the reply has no content-length")),
    };
    while reply.body.len() < length {
        let mut rest = vec![0; length - reply.body.len()];
        match connection.read(&mut rest)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => reply.body.extend(&rest[..more]),
        }
    }
    if reply.body.len() > length {
        return Err(io::Error::other("octets after the reply"));
    }
    let keep = reply.header("connection").is_none_or(|options| !options.eq_ignore_ascii_case("close"));
    Ok((reply, keep))
}
