//! Who the client is, when a proxy stands between.

use super::{Forwarding, Network};
use core::net::{IpAddr, SocketAddr};
use hyper::{
    HeaderMap,
    header::{self, HeaderValue},
};

/// Proxies that are believed, and how they speak.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<Network>,
    pub(crate) forwarding: Forwarding,
}

/// What is believed of a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) secure: bool,
    pub(super) host: Option<String>,
}

impl Proxies {
    /// The client behind a connection from `address`.
    pub(super) fn client(&self, address: IpAddr, secure: bool, headers: &HeaderMap) -> Client {
        let address = address.to_canonical();
        let direct = Client { address, secure, host: None };
        if !self.trusts(address) {
            return direct;
        }
        match self.forwarding {
            Forwarding::XForwarded => self.x_forwarded(direct, headers),
            Forwarding::Forwarded => self.forwarded(direct, headers),
        }
    }

    /// Whether `address` is a proxy that is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address.to_canonical()))
    }

    /// The hops stand in order, the nearest last; the client is the first, from the near end, that is no trusted proxy. Scheme and host
    /// are those of the proxy that the client has spoken to, where every proxy has appended what it saw; else those of the nearest.
    fn x_forwarded(&self, mut client: Client, headers: &HeaderMap) -> Client {
        let mut hops = 0;
        for hop in items(headers, "x-forwarded-for").rev() {
            let Some(address) = node(hop) else { break };
            client.address = address;
            if !self.trusts(address) {
                break;
            }
            hops += 1;
        }
        let seen = |name| items(headers, name).nth_back(hops).or_else(|| items(headers, name).next_back());
        if let Some(proto) = seen("x-forwarded-proto") {
            client.secure = proto.eq_ignore_ascii_case("https");
        }
        client.host = seen("x-forwarded-host").and_then(authority);
        client
    }

    /// The same with one element a hop; what the nearest proxies say of the connection to the client counts.
    fn forwarded(&self, mut client: Client, headers: &HeaderMap) -> Client {
        for element in items(headers, header::FORWARDED.as_str()).rev() {
            let parameter = |wanted: &str| {
                element.split(';').filter_map(|pair| pair.split_once('=')).find_map(|(name, value)| {
                    let value = value.trim();
                    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
                    name.trim().eq_ignore_ascii_case(wanted).then_some(value)
                })
            };
            if let Some(proto) = parameter("proto") {
                client.secure = proto.eq_ignore_ascii_case("https");
            }
            if let Some(host) = parameter("host").and_then(authority) {
                client.host = Some(host);
            }
            let Some(address) = parameter("for").and_then(node) else { break };
            client.address = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The comma-separated items of all headers `name`, in order. A comma within quotes separates too: no address or host has one.
///
/// An item that is no text still counts as an item, so that the hops behind it keep their places: proxies append to what a client has
/// sent.
fn items<'h>(headers: &'h HeaderMap, name: &'static str) -> impl DoubleEndedIterator<Item = &'h str> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let items = lines.into_iter().flat_map(|line| line.split(|&octet| octet == b','));
    items.map(|item| str::from_utf8(item).unwrap_or(NO_TEXT).trim()).filter(|item| !item.is_empty())
}

/// Neither an address nor a host, nor anything else that is looked for.
const NO_TEXT: &str = "?";

/// An address with or without port, IPv6 in brackets or bare. The zone of one of a link (RFC 4007) says over which interface of the proxy
/// it came, not who it is.
fn node(text: &str) -> Option<IpAddr> {
    let zoneless = text.split_once('%').map(|(address, zone)| match zone.split_once(']') {
        Some((_, behind)) => format!("{address}]{behind}"),
        None => address.to_owned(),
    });
    let text = zoneless.as_deref().unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

/// A host and port, as far as one can tell without resolving it.
fn authority(text: &str) -> Option<String> {
    let fits = (1..=255).contains(&text.len());
    let clean = text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet));
    (fits && clean).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderName;

    fn proxies(forwarding: Forwarding) -> Proxies {
        Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()], forwarding }
    }

    #[track_caller]
    fn check(
        forwarding: Forwarding,
        from: &str,
        headers: &[(&'static str, impl AsRef<[u8]>)],
        expected: (&str, bool, Option<&str>),
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_ref()).unwrap());
        }
        let client = proxies(forwarding).client(from.parse().unwrap(), false, &map);
        assert_eq!((client.address.to_string().as_str(), client.secure, client.host.as_deref()), expected);
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";
    const HOST: &str = "x-forwarded-host";

    #[test]
    fn a_stranger_is_not_believed() {
        check(
            Forwarding::XForwarded,
            "192.0.2.1",
            &[(FOR, "1.1.1.1"), (PROTO, "https"), (HOST, "a")],
            ("192.0.2.1", false, None),
        );
        check(Forwarding::Forwarded, "192.0.2.1", &[("forwarded", "for=1.1.1.1;proto=https")], ("192.0.2.1", false, None));
    }

    #[test]
    fn a_proxy_is_believed_in_its_own_language_only() {
        check(Forwarding::XForwarded, "10.0.0.1", &[("forwarded", "for=1.1.1.1;proto=https")], ("10.0.0.1", false, None));
        check(Forwarding::Forwarded, "10.0.0.1", &[(FOR, "1.1.1.1"), (PROTO, "https")], ("10.0.0.1", false, None));
    }

    #[test]
    fn the_client_is_the_first_hop_that_is_no_proxy() {
        check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, "6.6.6.6, 1.1.1.1, 10.0.0.2")], ("1.1.1.1", false, None));
        check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, "6.6.6.6"), (FOR, "1.1.1.1")], ("1.1.1.1", false, None));
        check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, "10.0.0.3, 10.0.0.2")], ("10.0.0.3", false, None));
        check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, "1.1.1.1, unknown")], ("10.0.0.1", false, None));
        check(Forwarding::XForwarded, "10.0.0.1", &[] as &[(_, &str)], ("10.0.0.1", false, None));
        check(Forwarding::XForwarded, "::ffff:10.0.0.1", &[(FOR, "[2001:db8::1]:4711")], ("2001:db8::1", false, None));
        check(Forwarding::XForwarded, "fd00::1", &[(FOR, "1.1.1.1:80")], ("1.1.1.1", false, None));
        for zoned in ["fe80::1%eth0", "[fe80::1%eth0]", "[fe80::1%eth0]:4711"] {
            let hops = format!("6.6.6.6, {zoned}");
            check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, hops)], ("fe80::1", false, None));
        }
    }

    /// Otherwise a client would be taken for the proxy that appends the client's address.
    #[test]
    fn what_is_no_text_hides_nobody() {
        let hops: &[u8] = b"\xff, 1.1.1.1";
        check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, hops)], ("1.1.1.1", false, None));
        let hops: &[u8] = b"1.1.1.1, \xe9, 10.0.0.2";
        check(Forwarding::XForwarded, "10.0.0.1", &[(FOR, hops)], ("10.0.0.2", false, None));
        let said: [(_, &[u8]); 2] = [(PROTO, b"\xff, https"), (HOST, b"\xff, a.example")];
        check(Forwarding::XForwarded, "10.0.0.1", &said, ("10.0.0.1", true, Some("a.example")));
        let element: &[u8] = b"for=\xff;host=evil, for=1.1.1.1;proto=https;host=a.example";
        check(Forwarding::Forwarded, "10.0.0.1", &[("forwarded", element)], ("1.1.1.1", true, Some("a.example")));
    }

    #[test]
    fn scheme_and_host_come_from_the_proxy_that_the_client_has_spoken_to() {
        let hops = [(FOR, "1.1.1.1, 10.0.0.2"), (PROTO, "http, https, http"), (HOST, "evil, a.example, inner:8080")];
        check(Forwarding::XForwarded, "10.0.0.1", &hops, ("1.1.1.1", true, Some("a.example")));
        // Not all have appended: only of the nearest is it known what it has said.
        let hops = [(FOR, "1.1.1.1, 10.0.0.3, 10.0.0.2"), (PROTO, "http, https"), (HOST, "evil, a.example")];
        check(Forwarding::XForwarded, "10.0.0.1", &hops, ("1.1.1.1", true, Some("a.example")));
    }

    #[test]
    fn scheme_and_host_come_from_the_nearest_proxy() {
        check(
            Forwarding::XForwarded,
            "10.0.0.1",
            &[(PROTO, "http, https"), (HOST, "evil, a.example:8443")],
            ("10.0.0.1", true, Some("a.example:8443")),
        );
        check(Forwarding::XForwarded, "10.0.0.1", &[(HOST, "a/b")], ("10.0.0.1", false, None));
    }

    #[test]
    fn the_standard_header_says_it_all_in_one() {
        let header = "for=6.6.6.6;host=evil, for=\"[2001:db8::1]:80\";Proto=https;host=\"a.example\", for=10.0.0.2";
        check(Forwarding::Forwarded, "10.0.0.1", &[("forwarded", header)], ("2001:db8::1", true, Some("a.example")));
        check(Forwarding::Forwarded, "10.0.0.1", &[("forwarded", "for=_hidden;proto=https")], ("10.0.0.1", true, None));
    }
}
