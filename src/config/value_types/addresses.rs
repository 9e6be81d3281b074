//! Where things are: sockets and networks, hosts and ports.

use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;
use ipnet::{IpNet, Ipv4Net};
use toml::Spanned;
use toml::de::DeValue;

use crate::config::reading::{
    Diagnostics, FromToml, Located, Location, QUOTES, TextValue, wrong_type,
};

/// Addresses to listen on: one, several, or (an empty text or list) none.
#[derive(Clone, Debug)]
pub(in crate::config) struct Addresses(pub(in crate::config) Vec<Located<SocketAddr>>);

impl TextValue for SocketAddr {
    const TYPE: &'static str = "address:port";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| {
            "is not an IP address and a port; write it as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080"
                .to_owned()
        })
    }
}

impl FromToml for Addresses {
    fn type_name() -> String {
        "address:port, or list of them".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => Some(Self(Vec::new())),
            DeValue::String(_) => {
                let address = SocketAddr::from_toml(value, at, diagnostics)?;
                Some(Self(vec![Located { at: at.clone(), value: address }]))
            }
            DeValue::Array(_) => Vec::from_toml(value, at, diagnostics).map(Self),
            _ => wrong_type::<Self>(value, QUOTES, at, diagnostics),
        }
    }
}

impl TextValue for IpNet {
    const TYPE: &'static str = "network";

    fn parse(text: &str) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().ok().map(Self::from);
        let network: Self = text.parse().ok().or_else(address).map(canonical).ok_or_else(|| {
            "is not a network; write it as 10.0.0.0/8, 192.0.2.7 or fd00::/8".to_owned()
        })?;
        if network.addr() != network.network() {
            let (alone, whole) = (Self::from(network.addr()), network.trunc());
            return Err(format!(
                "is one address of a network; write {alone} for that address alone, or {whole} for the whole network"
            ));
        }
        Ok(network)
    }
}

/// A network of IPv4 that is written in IPv6 (RFC 4291 section 2.5.5.2), as IPv4:
/// that is how peers are known.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let (Some(address), Some(bits)) =
        (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(MAPPED_BITS))
    else {
        return network;
    };
    // At most 128 - 96 bits are left.
    Ipv4Net::new(address, bits).map_or(network, IpNet::V4)
}

/// The port of an authority: `default` if it has none, `None` if it is not a port.
pub(crate) fn port_of(authority: &Authority, default: u16) -> Option<u16> {
    let text = authority.as_str();
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    match place.strip_prefix(authority.host())?.strip_prefix(':') {
        None => Some(default),
        Some(port) => port.parse().ok().filter(|port| *port != 0),
    }
}

/// Whether it is a name of dot-separated labels (RFC 1123 2.1, and underscores, which the wild has).
pub(in crate::config) fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// The bits before the address where IPv6 holds one of IPv4.
const MAPPED_BITS: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv4_is_one_however_it_is_written() {
        for (text, network) in [
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::/0", "::/0"),
            ("fd00::/8", "fd00::/8"),
        ] {
            assert_eq!(IpNet::parse(text).map(|network| network.to_string()), Ok(network.into()));
        }
    }
}
