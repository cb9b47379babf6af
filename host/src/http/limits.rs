//! What one client, and all of them, may cost.

use core::time::Duration;

/// What one client, and all of them, may cost (security H4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Octets of request line and headers together; more get 431. At least 8 KiB is kept as buffer whatever is set here.
    pub head: usize,
    /// Number of headers; more get 431.
    pub headers: usize,
    /// Octets of the request target; more get 414.
    pub target: usize,
    /// Octets of a body; more get 413.
    pub body: usize,
    /// Octets of all bodies that are still being read, over all connections, of which one source has a quarter at most; more get 503.
    /// The same holds for large bodies of responses that are still being sent.
    pub bodies: usize,
    /// From the opening of a connection, or from a later request's first octet, to the end of the head, and for a TLS handshake; after that the connection is closed.
    pub head_time: Duration,
    /// From the end of the head to the end of the body, which is answered with 408 when it takes longer, and from there to the answer's
    /// last octet, for which there is a second more for each 4 KiB. After that the connection is closed.
    pub request_time: Duration,
    /// How long a connection may be open without a request in progress.
    pub idle_time: Duration,
    /// Open connections; at the limit no more are accepted until one closes. Also bounded by the file descriptors.
    pub connections: usize,
    /// Requests that are being answered, of which one source has three quarters at most; more get 503. The questions of proxies
    /// (`/auth/verify`) and the server's own routes are not counted.
    pub in_flight: usize,
    /// How long requests in progress may take to end once the server has been told to stop.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Head, headers, target and body stand in `wasm/js/lib/http.js` too.
            head: 16 * 1024,
            headers: 64,
            target: 8 * 1024,
            body: 64 * 1024,
            bodies: 64 * 1024 * 1024,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            connections: 10_000,
            in_flight: 1_024,
            drain_time: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The package for JavaScript answers without a server before it, so it has the same bounds.
    #[test]
    fn the_package_has_the_same_limits() {
        let text = include_str!("../../../wasm/js/lib/http.js");
        let number = |name: &str| -> usize {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("const {name} = "))).unwrap();
            line.split(" * ").map(|factor| factor.parse::<usize>().unwrap()).product()
        };
        let Limits { head, headers, target, body, .. } = Limits::default();
        assert_eq!(["HEAD", "HEADERS", "TARGET", "BODY"].map(number), [head, headers, target, body]);
    }
}
