//! Where a request comes from, as far as throttling goes.

use crate::seam::Op;
use core::net::IpAddr;

/// The network a request comes from, cut to the configured prefix; requests without an address (local ones) are one source.
pub(super) fn source(op: &Op<'_>) -> [u8; 17] {
    network(op, 0)
}

/// Leading bits that the networks of one customer share at least: providers give out a /48 at most, and often a /56 or /64 (RFC 6177).
const SITE_PREFIX: u32 = 48;

/// The networks that may all be one customer's, where a source is narrower than that.
pub(super) fn site(op: &Op<'_>) -> Option<[u8; 17]> {
    let site = network(op, SITE_PREFIX);
    (site != source(op)).then_some(site)
}

/// Cut further, to `site` bits, if it is IPv6 and that is not 0.
fn network(op: &Op<'_>, site: u32) -> [u8; 17] {
    let throttle = &op.settings.throttle;
    let mut source = [0; 17];
    let (family, address, prefix) = match op.moment.peer.address.map(|address| address.to_canonical()) {
        None => return source,
        Some(IpAddr::V4(address)) => (4, u128::from(u32::from(address)) << 96, u32::from(throttle.ipv4_prefix.min(32))),
        Some(IpAddr::V6(address)) => {
            let prefix = u32::from(throttle.ipv6_prefix.min(128));
            (6, u128::from(address), if site > 0 { prefix.min(site) } else { prefix })
        }
    };
    let network = address & u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    source[0] = family;
    source[1..].copy_from_slice(&network.to_be_bytes());
    source
}
