//! The network around the server: its public name, the proxies that it trusts, and the callback route of single
//! sign-on.

use crate::oidc::Provider;
use axum::http::header::{HOST, HeaderMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The route to which the identity provider sends the browser back.
pub(crate) const CALLBACK_ROUTE: &str = "/sign-in/provider/return";
const FORWARDED: &str = "x-forwarded-for";

/// The public name of the server, and what it trusts in its network.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkConfig {
    /// The public host name. Names of this computer are always accepted.
    pub(crate) name: Option<String>,
    /// The proxies whose `X-Forwarded-For` header is trusted.
    pub(crate) proxies: Vec<IpAddr>,
    /// The identity provider, if one is configured.
    pub(crate) provider: Option<Arc<Provider>>,
    /// The monitoring token, if one is configured.
    pub(crate) metrics_token: Option<Arc<str>>,
}

impl NetworkConfig {
    /// Returns the address of the client. The forwarding header is believed only if a trusted proxy sent it.
    pub(crate) fn address_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        // A socket that listens on `[::]` reports IPv4 addresses as IPv4-mapped IPv6 addresses.
        let peer = peer.to_canonical();
        if !self.proxies.contains(&peer) {
            return peer;
        }
        // Each proxy appends the address of its peer. Read from the end: entries before the first untrusted address may
        // be forged.
        let seen = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
        let seen: Vec<&str> = seen.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut address = peer;
        for one in seen.iter().rev() {
            let Some(next) = forwarded(one) else { break };
            address = next;
            if !self.proxies.contains(&next) {
                break;
            }
        }
        address
    }

    /// Returns whether the Host header names this server. Otherwise a website could point its own name at Lethe (DNS
    /// rebinding), and its pages would count as same-origin.
    pub(crate) fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return true };
        let name =
            host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
        let address_in =
            |name: &str| name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let address = address_in(name);
        name == "localhost"
            || address.is_some_and(|address| address.is_loopback())
            || self.name.as_deref().is_some_and(|own| {
                own.eq_ignore_ascii_case(name) || address_in(own).is_some_and(|own| address == Some(own))
            })
    }
}

/// Parses an entry of the forwarding header. Some proxies append the port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    text.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_host_matches_in_every_spelling() {
        let network = NetworkConfig { name: Some("[2001:db8::1]".to_owned()), ..NetworkConfig::default() };
        for (host, is_own) in [
            ("[2001:db8::1]", true),
            ("[2001:DB8:0:0::1]:8443", true),
            ("[2001:db8::2]", false),
            ("2001", false),
            ("[2001:db8:", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, host.parse().expect("a value"))]);
            assert_eq!(network.is_own_host(&headers), is_own, "{host}");
        }
    }

    #[test]
    fn only_trusted_proxies_can_name_the_client() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let network = NetworkConfig {
            proxies: vec![address("10.0.0.1"), address("10.0.0.2")],
            ..NetworkConfig::default()
        };
        for (peer, forwarded, is) in [
            ("192.0.2.9", Some("198.51.100.1"), "192.0.2.9"),
            ("10.0.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("203.0.113.5, 198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("203.0.113.5, 198.51.100.1, 10.0.0.2"), "198.51.100.1"),
            ("10.0.0.1", Some("nonsense"), "10.0.0.1"),
            ("::ffff:192.0.2.9", Some("198.51.100.1"), "192.0.2.9"),
            ("::ffff:10.0.0.1", Some("::ffff:198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("198.51.100.1:55001, ::ffff:10.0.0.2"), "198.51.100.1"),
            ("10.0.0.1", Some("[2001:db8::1]:55001"), "2001:db8::1"),
            ("10.0.0.1", None, "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(forwarded) = forwarded {
                headers.insert(FORWARDED, forwarded.parse().expect("a value"));
            }
            assert_eq!(network.address_of(address(peer), &headers), address(is), "{peer} {forwarded:?}");
        }
    }
}
