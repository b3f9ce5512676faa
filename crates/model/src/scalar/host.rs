//! Hosts, and names and URLs that contain one.

use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

use super::{Endpoint, Hostname, ScalarError, string_scalars, try_from_text};

string_scalars! {
    /// A hostname or an IP address.
    pub Host: check_host;
    /// A container registry: a host with perhaps a port, or `*` for all that have no entry of their own.
    pub Registry: check_registry;
    /// The URL of something that speaks HTTP: a mirror, or an OpenID Connect issuer.
    pub Url: check_url;
}

fn check_host(text: &str) -> Result<(), ScalarError> {
    if is_host(text) {
        return Ok(());
    }
    Err(ScalarError::new(format!("`{text}` is neither a hostname nor an IP address"))
        .help("write a host such as `time.cloudflare.com` or `192.168.1.1`"))
}

/// Returns whether a string is a hostname or an IP address; four numbers can only be an address.
fn is_host(text: &str) -> bool {
    let numbers = text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse::<IpAddr>().is_ok() || (!numbers && text.parse::<Hostname>().is_ok())
}

/// A subject alternative name of a certificate: a literal one, or the addresses of all control planes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum SubjectAltName {
    /// The address of each control plane of the cluster.
    ControlPlanes,
    /// A hostname, perhaps with `*` for its first part, or an IP address.
    Literal(String),
}

impl FromStr for SubjectAltName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if text == "controlplanes" {
            return Ok(Self::ControlPlanes);
        }
        if is_host(text) || text.strip_prefix("*.").is_some_and(|rest| rest.parse::<Hostname>().is_ok()) {
            return Ok(Self::Literal(text.to_owned()));
        }
        Err(ScalarError::new(format!("`{text}` is not a valid name in a certificate"))
            .help("write a hostname, an IP address, or `controlplanes` for the address of each control plane"))
    }
}

/// The Kubernetes API that a node talks to: its cluster's, or another URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum NodeEndpoint {
    /// The cluster's.
    Cluster,
    /// Another one.
    Url(Endpoint),
}

impl FromStr for NodeEndpoint {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if text == "cluster" { Ok(Self::Cluster) } else { text.parse().map(Self::Url) }
    }
}

fn check_registry(text: &str) -> Result<(), ScalarError> {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if text == "*" || (is_host(host) && port_is_good) {
        return Ok(());
    }
    let fault = ScalarError::new(format!("`{text}` is not a registry"));
    let bare = text.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    Err(if bare != text && bare.parse::<Registry>().is_ok() {
        fault.help(format!("write `{bare}`"))
    } else {
        fault.help("write the host of an image's name, such as `docker.io`, or `*`")
    })
}

fn check_url(text: &str) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{text}` is not a URL"));
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(fault().label("neither http nor https").help(format!(
            "write `https://{text}`, or `http://{text}` for a server without TLS, as on a local network"
        )));
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    if !is_host(host) || text.contains(char::is_whitespace) {
        return Err(fault().help("write a URL such as `https://registry.example.net`"));
    }
    Ok(())
}

try_from_text!(SubjectAltName, NodeEndpoint);
#[cfg(test)]
mod tests {
    use super::*;

    fn assert_parsed<T: FromStr>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(text.parse::<T>().is_ok(), "{text}");
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        assert_parsed::<Host>(
            &["time.cloudflare.com", "192.168.1.1", "fd00::1", "nas"],
            &["", "10.0.0.300", "a b", "a:80"],
        );
    }

    #[test]
    fn certificates_are_good_for_names_addresses_and_control_planes() {
        assert_parsed::<SubjectAltName>(
            &["controlplanes", "*.example.net", "10.0.0.1", "api"],
            &["*", "a.*", "10.0.0.0/8"],
        );
    }

    #[test]
    fn registries_have_no_scheme() {
        assert_parsed::<Registry>(
            &["docker.io", "*", "registry.lan:5000", "10.0.0.5:5000"],
            &["", "docker.io/library", "a:b"],
        );
        let fault = "https://docker.io/".parse::<Registry>().expect_err("a scheme");
        assert_eq!(fault.help.as_deref(), Some("write `docker.io`"));
    }

    #[test]
    fn urls_have_a_scheme_and_a_host() {
        assert_parsed::<Url>(
            &["https://a", "http://10.0.0.5:5000/v2", "https://[fd00::1]:5000"],
            &["a", "https://", "https://a b"],
        );
        assert_eq!(
            "docker.io".parse::<Url>().expect_err("no scheme").help.as_deref(),
            Some("write `https://docker.io`, or `http://docker.io` for a server without TLS, as on a local network")
        );
    }
}
