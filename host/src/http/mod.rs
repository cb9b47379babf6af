//! Everything between a socket and [`Backend::answer`].
//!
//! ```text
//! accept ─▶ Socket ─▶ Strict (framing, times) ─▶ hyper ─▶ Service ─┬─▶ health, metrics, page, clock, backup
//!  count     TLS        400, 431, slow clients              limits └─▶ body ─▶ Backend (core)
//! ```
//!
//! INVARIANT: core is told of no header that a client could forge to look like a proxy's; who the peer is stands in
//! [`Peer`](waxseal_core::seam::Peer) only.

pub mod admin_socket; // the socket of the owner
mod backend; // what is asked of the engine
mod body; // reads a body, unpacks it
mod convert; // between hyper's shape and core's
mod documents; // the OpenAPI documents
mod forwarded; // who the client is behind a proxy
mod forwarding; // how proxies say so
mod framing; // what of HTTP passes
mod limits; // what a client may cost
pub(crate) mod listener; // accepts, counts, spawns
mod memory_budget; // octets held for clients, counted
mod network; // ranges of addresses
mod own; // the server's own routes
pub(crate) mod page; // the page, from the binary
pub(crate) mod reload; // reads again what may change
mod response_cache; // answers that are given a second time
pub(crate) mod service; // one request, from its head to its answer
mod socket; // kinds of socket
mod strict; // a connection under framing and times
pub(crate) mod tls; // certificates
pub(crate) mod traffic; // counts of requests
mod unsent; // large answers, until they are sent

#[cfg(test)]
mod tests;

pub use backend::{Astray, Backend, Reloaded};
pub(crate) use forwarded::Proxies;
pub use forwarding::Forwarding;
pub use limits::Limits;
pub(crate) use network::is_exposed;
pub use network::{Network, NetworkError};
