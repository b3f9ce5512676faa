//! Addresses, networks and URLs.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;

use super::{ScalarError, string_scalars, text_scalar, try_from_text};

string_scalars! {
    /// A network of which an address may be, or with `!` before it may not.
    pub SubnetFilter: check_subnet_filter;
    /// The URL of a Kubernetes API: `https`, a host, perhaps a port, and no path.
    pub Endpoint: check_endpoint;
    /// Where Talos sends logs: `tcp` or `udp`, a host and a port.
    pub LogUrl: check_log_url;
}

/// An IP address, and how the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Address {
    text: String,
    address: IpAddr,
}

impl Address {
    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub const fn ip(&self) -> IpAddr {
        self.address
    }
}

impl FromStr for Address {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if let Ok(address) = text.parse() {
            return Ok(Self { text: text.to_owned(), address });
        }
        let fault = ScalarError::new(format!("`{text}` is not an IP address"));
        match text.split_once('/') {
            Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
                Err(fault.label("a network").help(format!("write `{address}`")))
            }
            _ => Err(fault.help("write an address such as `192.168.1.194` or `fd00::194`")),
        }
    }
}

/// A network without host bits, and how the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Cidr {
    text: String,
    network: IpNet,
}

impl Cidr {
    /// The network as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub const fn network(&self) -> IpNet {
        self.network
    }

    /// Whether one of the two contains the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.network.contains(&other.network) || other.network.contains(&self.network)
    }
}

impl FromStr for Cidr {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let Ok(network) = text.parse::<IpNet>() else {
            let fault = ScalarError::new(format!("`{text}` is not a network in CIDR notation"));
            return Err(match text.parse::<IpAddr>() {
                Ok(address) => {
                    let bits = if address.is_ipv4() { 32 } else { 128 };
                    fault.label("an address").help(format!("write `{text}/{bits}` for this address alone"))
                }
                Err(_) => match text.split_once('/').and_then(|(address, _)| address.parse::<IpAddr>().ok()) {
                    Some(address) => {
                        let (bits, usual) = if address.is_ipv4() { (32, 16) } else { (128, 64) };
                        let network = IpNet::new_assert(address, usual).trunc();
                        fault.help(format!("write a prefix length from 0 to {bits}, as in `{network}`"))
                    }
                    None => fault.help("write an address and a prefix length, such as `192.168.1.0/24`"),
                },
            });
        };
        if network.trunc() != network {
            return Err(ScalarError::new(format!("`{text}` has host bits set"))
                .label(format!("did you mean `{}`?", network.trunc())));
        }
        Ok(Self { text: text.to_owned(), network })
    }
}

fn check_subnet_filter(text: &str) -> Result<(), ScalarError> {
    text.strip_prefix('!').unwrap_or(text).parse::<Cidr>().map(drop)
}

/// A network that Tailscale advertises: one of the cluster's by name, or a CIDR.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Route {
    /// The cluster's pod networks.
    Pods,
    /// The cluster's service networks.
    Services,
    /// Another network.
    Network(Cidr),
}

impl FromStr for Route {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        match text {
            "pods" => Ok(Self::Pods),
            "services" => Ok(Self::Services),
            _ => text.parse().map(Self::Network).map_err(|fault: ScalarError| match fault.help {
                None => fault,
                Some(_) => ScalarError::new(format!("`{text}` is not a route"))
                    .help("write `pods`, `services`, or a network such as `192.168.1.0/24`"),
            }),
        }
    }
}

impl Endpoint {
    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.parts().0
    }

    /// Whether the URL names a port; without one it is 443.
    pub fn has_port(&self) -> bool {
        self.parts().1.is_some()
    }

    fn parts(&self) -> (&str, Option<&str>) {
        host_and_port(self.0.trim_start_matches("https://").trim_end_matches('/'))
    }
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    }
}

fn check_log_url(text: &str) -> Result<(), ScalarError> {
    let authority = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("udp://"));
    let (host, port) = authority.map_or(("", None), |rest| host_and_port(rest.strip_suffix('/').unwrap_or(rest)));
    let is_host = host.parse::<IpAddr>().is_ok() || host.parse::<super::Hostname>().is_ok();
    if is_host && port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        return Ok(());
    }
    let fault = ScalarError::new(format!("`{text}` is not a URL for logs"));
    Err(fault.help("write `tcp` or `udp`, a host and a port, such as `tcp://192.168.1.8:5044`"))
}

fn check_endpoint(text: &str) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{text}` is not the URL of a Kubernetes API"));
    let Some(authority) = text.strip_prefix("https://") else {
        let host = text.trim_start_matches("http://").trim_end_matches('/');
        let is_ipv6 = host.parse::<Ipv6Addr>().is_ok();
        let url = if is_ipv6 { format!("https://[{host}]") } else { format!("https://{host}") };
        // talosctl proposes this port: cmd/talosctl/cmd/mgmt/gen/config.go, fixControlPlaneEndpoint.
        let port = if is_ipv6 || host_and_port(host).1.is_none() { ":6443" } else { "" };
        let help = match format!("{url}{port}") {
            url if check_endpoint(&url).is_ok() => format!("write `{url}`"),
            _ => "write a URL such as `https://192.168.1.194:6443`".to_owned(),
        };
        return Err(fault().label("not https").help(help));
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = host_and_port(authority);
    if let Some(port) = port
        && port.parse::<u16>().is_err()
    {
        return Err(fault()
            .label(format!("`{port}` is not a port"))
            .help("write a URL such as `https://192.168.1.194:6443`"));
    }
    if host.parse::<IpAddr>().is_err() && host.parse::<super::Hostname>().is_err() {
        return Err(fault()
            .label(format!("`{host}` is not a host"))
            .help("write a URL such as `https://192.168.1.194:6443`"));
    }
    Ok(())
}

try_from_text!(Route);
text_scalar!(Address, Cidr);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_named_with_the_network_they_belong_to() {
        let fault = "10.1.0.0/12".parse::<Cidr>().expect_err("host bits");
        assert_eq!(fault.message, "`10.1.0.0/12` has host bits set");
        assert_eq!(fault.label, "did you mean `10.0.0.0/12`?");
    }

    #[test]
    fn networks_overlap_if_one_holds_the_other() {
        let cidr = |text: &str| text.parse::<Cidr>().expect(text);
        assert!(cidr("10.96.0.0/12").overlaps(&cidr("10.100.0.0/16")));
        assert!(cidr("10.100.0.0/16").overlaps(&cidr("10.96.0.0/12")));
        assert!(!cidr("10.96.0.0/12").overlaps(&cidr("10.244.0.0/16")));
        assert!(!cidr("10.96.0.0/12").overlaps(&cidr("fc00::/8")));
    }

    #[test]
    fn endpoints_are_https_urls_without_a_path() {
        for good in ["https://192.168.1.194:6443", "https://api.example.net", "https://[fd00::1]:6443", "https://a/"] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        for bad in ["192.168.1.194:6443", "http://a:6443", "https://a:b", "https://a/b", "https://", "https://a:6443:1"]
        {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
