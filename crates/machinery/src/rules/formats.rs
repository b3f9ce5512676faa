//! Formats of strings, with what findings call them.

use crate::format;
use crate::url::{self, Url};

pub(crate) struct Format {
    /// As in "`x` is not a valid IP address".
    pub name: &'static str,
    /// As in "write `192.0.2.10`".
    pub example: &'static str,
    pub is_valid: fn(&str) -> bool,
    /// Whether findings must not show the value; those of the base config are placeholders.
    pub is_secret: bool,
}

const fn public(name: &'static str, example: &'static str, is_valid: fn(&str) -> bool) -> Format {
    Format { name, example, is_valid, is_secret: false }
}

const fn secret(name: &'static str, example: &'static str, is_valid: fn(&str) -> bool) -> Format {
    Format { name, example, is_valid, is_secret: true }
}

pub(crate) const ADDRESS: Format =
    public("IP address", "an address such as `192.0.2.10`", |text| format::address(text).is_some());
pub(crate) const IPV4_ADDRESS: Format = public("IPv4 address", "an address such as `192.0.2.10`", |text| {
    format::address(text).is_none_or(|address| address.is_ipv4())
});
pub(crate) const ADDRESS_WITHOUT_ZONE: Format =
    public("IP address", "an address such as `192.0.2.10`", |text| text.parse::<std::net::IpAddr>().is_ok());
pub(crate) const NETWORK: Format = public("network", "it as `192.0.2.0/24`", |text| format::prefix(text).is_some());
pub(crate) const ADDRESS_OR_PREFIX: Format = public("address", "it as `192.0.2.10/24`", |text| {
    if text.contains('/') { format::prefix(text).is_some() } else { (ADDRESS_WITHOUT_ZONE.is_valid)(text) }
});
/// A `!` in front excludes what follows.
pub(crate) const FILTER: Format = public("network or address", "it as `192.0.2.0/24`, or as `!192.0.2.0/24`", |text| {
    let text = text.strip_prefix('!').unwrap_or(text);
    format::prefix(text).is_some() || format::address(text).is_some()
});
pub(crate) const HOST_PORT: Format =
    public("host and port", "it as `192.0.2.1:51820`", |text| format::host_port(text).is_some());
pub(crate) const CLUSTER_ENDPOINT: Format =
    public("endpoint of a cluster", "it as `https://192.0.2.1:6443`", url::is_endpoint);
pub(crate) const MANIFEST: Format = public("URL", "it as `https://…`", url::is_endpoint);
pub(crate) const WEB_URL: Format =
    public("URL of http or https", "it as `https://…`", |text| is_url(text, &["http", "https"], |_| true));
pub(crate) const PROBE_URL: Format = public("URL of an HTTP server", "it as `https://example.org/health`", |text| {
    is_url(text, &["http", "https"], |url| !url.host.is_empty())
});
pub(crate) const LOG_ENDPOINT: Format = public("endpoint for logs", "it as `tcp://192.0.2.1:5044`", |text| {
    is_url(text, &["tcp", "udp"], |url| !url.host.is_empty())
});
pub(crate) const LOG_URL: Format = public("URL for logs", "it as `tcp://192.0.2.1:3478`", |text| {
    is_url(text, &["tcp", "udp"], |url| matches!(url.path, "" | "/") && !url.port.is_empty())
});
pub(crate) const SIDEROLINK_URL: Format =
    public("URL for SideroLink", "it as `https://siderolink.example.org`", |text| {
        is_url(text, &["https", "grpc"], |url| matches!(url.path, "" | "/"))
    });
pub(crate) const DISCOVERY_ENDPOINT: Format =
    public("endpoint of a discovery service", "it as `https://discovery.talos.dev/`", |text| {
        is_url(text, &["http", "https", "grpc"], |url| !url.host.is_empty())
    });
/// In the main document, where a host is not required.
pub(crate) const OLD_DISCOVERY_ENDPOINT: Format =
    public("endpoint of a discovery service", "it as `https://discovery.talos.dev/`", |text| {
        let url = Url::parse(text);
        (!url.scheme.is_empty() || text.starts_with('/')) && matches!(url.path, "" | "/")
    });
pub(crate) const DOMAIN: Format = public("DNS domain", "it as `cluster.local`", |text| {
    let text = text.strip_suffix(['.', '_']).unwrap_or(text);
    let is_part = |part: &str| {
        let legal = |each: char| each.is_ascii_alphanumeric() || each == '_' || each == '-';
        (1..=63).contains(&part.len()) && part.chars().all(legal) && !part.starts_with('-')
    };
    text.split('.').all(is_part) && text.len() - text.matches('.').count() <= 255
});
/// Source: github.com/siderolabs/talos, pkg/machinery/labels.
pub(crate) const SUBDOMAIN: Format = public("DNS name", "lower-case letters, digits, `-` and `.`", |text| {
    let is_part = |part: &str| {
        let legal = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-';
        !part.is_empty() && part.chars().all(legal) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
});
pub(crate) const LABEL_VALUE: Format =
    public("value of a label", "up to 63 letters, digits, `-`, `_` and `.`", |text| {
        let legal = |each: char| each.is_ascii_alphanumeric() || "-_.".contains(each);
        let ends = |each: char| each.is_ascii_alphanumeric();
        (1..=63).contains(&text.len()) && text.chars().all(legal) && text.starts_with(ends) && text.ends_with(ends)
    });
pub(crate) const LABEL_KEY: Format = public(
    "qualified name",
    "up to 63 letters, digits, `-`, `_` and `.`, with or without a domain and `/` in front",
    |text| match text.split_once('/') {
        Some((domain, name)) => (SUBDOMAIN.is_valid)(domain) && (LABEL_VALUE.is_valid)(name),
        None => (LABEL_VALUE.is_valid)(text),
    },
);
pub(crate) const ABSOLUTE_PATH: Format =
    public("absolute path", "a path that begins with `/`", |text| text.starts_with('/'));
pub(crate) const VARIABLE: Format = public("environment variable", "it as `KEY=value`", |text| text.contains('='));
pub(crate) const VARIABLE_NAME: Format =
    public("name of an environment variable", "letters, digits and `_`, with no digit first", |text| {
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && text.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
    });
pub(crate) const PARAMETER: Format = public("name of a parameter", "the name", |text| !text.is_empty());
pub(crate) const CONTAINER_NAME: Format =
    public("name of a container", "up to 63 lower-case letters, digits and `-`", |text| {
        text.len() <= 63 && text.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-')
    });
pub(crate) const MEMORY: Format =
    public("size", "it as `512MiB`", |text| format::bytes(text).is_some_and(|(_, is_negative)| !is_negative));
pub(crate) const MILLICORES: Format = public("number of millicores", "it as `1500m`", |text| {
    text.strip_suffix('m').and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|millicores| millicores > 0)
});
pub(crate) const CAPABILITY: Format = public("capability", "it as `NET_ADMIN`, without `CAP_`", |text| {
    !text.is_empty() && !text.starts_with("CAP_") && text.chars().all(|each| each.is_ascii_uppercase() || each == '_')
});
pub(crate) const IMAGE: Format = public("image", "it as `registry/name:tag`", format::is_image);
pub(crate) const WIREGUARD_KEY: Format =
    secret("WireGuard key", "32 bytes in Base64, as `wg genkey` prints them", is_32_bytes);
pub(crate) const CLUSTER_SECRET: Format = secret("secret of 32 bytes in Base64", "the one of the cluster", is_32_bytes);
pub(crate) const PEM_CERTIFICATE: Format =
    secret("certificate in PEM", "`-----BEGIN CERTIFICATE-----` and so on", |text| {
        format::pem(text).contains(&("CERTIFICATE", true))
    });
pub(crate) const PEM_CERTIFICATES: Format =
    secret("certificate in PEM", "`-----BEGIN CERTIFICATE-----` and so on", |text| {
        let blocks = format::pem(text);
        !blocks.is_empty() && blocks.iter().all(|(kind, _)| *kind == "CERTIFICATE")
    });
pub(crate) const PEM: Format = secret("key in PEM", "`-----BEGIN …` and so on", |text| !format::pem(text).is_empty());
pub(crate) const PEM_PRIVATE_KEY: Format = secret("private key in PEM", "`-----BEGIN …` and so on", |text| {
    format::pem(text).iter().any(|(kind, _)| kind.ends_with("PRIVATE KEY"))
});

fn is_url(text: &str, schemes: &[&str], is_valid: fn(&Url<'_>) -> bool) -> bool {
    let url = Url::parse(text);
    schemes.contains(&&*url.scheme) && is_valid(&url)
}

fn is_32_bytes(text: &str) -> bool {
    format::base64(text) == Some(32)
}
