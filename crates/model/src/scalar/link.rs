//! Scalars of network links.

use std::borrow::Borrow;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;

use super::{Cidr, ScalarError, string_scalars, try_from_text};

string_scalars! {
    /// The name of a network link, by the kernel's rules, or of an alias.
    pub LinkName: check_link_name;
}

/// Lets maps by link be searched for a string.
impl Borrow<str> for LinkName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Source: Linux, net/core/dev.c, `dev_valid_name`; Talos has another meaning for `%`.
fn check_link_name(text: &str) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{}` is not a valid name of a link", text.escape_debug()));
    if text.is_empty() || text.len() > 15 {
        return Err(fault().label(format!("{} bytes, not 1 to 15", text.len())));
    }
    if matches!(text, "." | "..") {
        return Err(fault().help("write a name such as `eno1`"));
    }
    let is_bad = |c: &char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
    match text.chars().find(is_bad) {
        Some(bad) => Err(fault().label(format!("`{}` is not allowed", bad.escape_debug()))),
        None => Ok(()),
    }
}

/// The hardware address of a link, or a pattern of several with `*`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MacAddress(String);

impl MacAddress {
    /// Returns the address or the pattern in lower case, as Talos prints addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_pattern(&self) -> bool {
        self.0.contains('*')
    }
}

impl FromStr for MacAddress {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let lower = text.to_ascii_lowercase();
        let is_octet = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_address = lower.split(':').count() == 6 && lower.split(':').all(is_octet);
        let is_pattern = lower.contains('*')
            && lower.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'*'))
            && lower.split(':').count() <= 6;
        if is_address || is_pattern {
            return Ok(Self(lower));
        }
        let fault = ScalarError::new(format!("`{text}` is not a hardware address"));
        let octets = lower.replace(['-', '.'], ":");
        let digits: String = lower.chars().filter(char::is_ascii_hexdigit).collect();
        let with_colons = if octets == lower { None } else { octets.parse::<Self>().ok() };
        Err(match (with_colons, digits.len()) {
            (Some(address), _) => fault.help(format!("write `{}`", address.0)),
            (_, 12) if lower.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-' | b'.')) => {
                let pairs: Vec<&str> = (0..6).map(|at| &digits[2 * at..2 * at + 2]).collect();
                fault.help(format!("write `{}`", pairs.join(":")))
            }
            _ => fault.help("write six bytes such as `02:00:00:00:00:14`, or a pattern such as `02:00:00:*`"),
        })
    }
}

/// An address of a link, with the length of its network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LinkAddress {
    /// A literal one.
    Literal(IpNet),
    /// `address/24`: the device's address, in a network of so many bits.
    Device(u8),
    /// `address in 203.0.113.0/24`: the host number of the device's address in another network.
    HostIn(Cidr),
}

impl FromStr for LinkAddress {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if let Some(bits) = text.strip_prefix("address/") {
            return match bits.parse() {
                Ok(bits) if bits <= 128 => Ok(Self::Device(bits)),
                _ => Err(ScalarError::new(format!("`{bits}` is not the length of a network"))
                    .help("write the length of the node's network, such as `address/24`")),
            };
        }
        if let Some(network) = text.strip_prefix("address in ") {
            return network.trim().parse().map(Self::HostIn);
        }
        text.parse().map(Self::Literal).map_err(|_| {
            let fault = ScalarError::new(format!("`{text}` is not an address with the length of its network"));
            match text.parse::<IpAddr>() {
                Ok(address) => {
                    let usual = if address.is_ipv4() { 24 } else { 64 };
                    fault.help(format!("write the length of its network, such as `{text}/{usual}`"))
                }
                Err(_) if text == "address" => {
                    fault.help("write the length of the node's network, such as `address/24`")
                }
                Err(_) => fault.help("write `192.168.1.10/24`, `address/24` or `address in 192.168.2.0/24`"),
            }
        })
    }
}

impl AsRef<str> for MacAddress {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

try_from_text!(MacAddress, LinkAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_kernels() {
        for good in ["eth0", "bond0.30", "a", "enp0s31f6_lan", "dc:".trim_end_matches(':')] {
            assert!(good.parse::<LinkName>().is_ok(), "{good}");
        }
        for bad in ["", "..", "a/b", "a b", "eth0:1", "net%d", "sixteen-bytes-xx"] {
            assert!(bad.parse::<LinkName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hardware_addresses_are_in_lower_case() {
        let text = |written: &str| written.parse::<MacAddress>().map(|address| address.as_str().to_owned());
        assert_eq!(text("02:00:00:AA:00:14").as_deref(), Ok("02:00:00:aa:00:14"));
        assert_eq!(text("02:00:*").as_deref(), Ok("02:00:*"));
        let help = |written: &str| text(written).expect_err(written).help.unwrap_or_default();
        assert_eq!(help("02-00-00-AA-00-14"), "write `02:00:00:aa:00:14`");
        assert_eq!(help("0200.00aa.0014"), "write `02:00:00:aa:00:14`");
        assert_eq!(help("020000aa0014"), "write `02:00:00:aa:00:14`");
        for bad in ["", "02:00:00:aa:00", "02:00:00:aa:00:1g", "eth0"] {
            assert!(text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_links_have_a_length() {
        let address = |text: &str| text.parse::<LinkAddress>();
        assert_eq!(address("192.0.2.10/24"), Ok(LinkAddress::Literal("192.0.2.10/24".parse().expect("a network"))));
        assert_eq!(address("address/24"), Ok(LinkAddress::Device(24)));
        assert!(matches!(address("address in 203.0.113.0/24"), Ok(LinkAddress::HostIn(_))));
        let help = |text: &str| address(text).expect_err(text).help.unwrap_or_default();
        assert_eq!(help("192.0.2.10"), "write the length of its network, such as `192.0.2.10/24`");
        assert_eq!(help("address"), "write the length of the node's network, such as `address/24`");
        assert!(address("address in 203.0.113.1/24").is_err(), "host bits");
    }
}
