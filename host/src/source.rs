//! Whom a request is counted for, where one source may take only so much.

use core::net::{IpAddr, Ipv6Addr};

/// What one client has at least: an IPv4 address, the first half of an IPv6 one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}
