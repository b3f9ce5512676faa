//! The names and addresses of all devices, to compare values of hand-written files with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use talosmith_document::{closest, natural};

use super::cross_device::CrossDeviceChecks;
use crate::fleet::ReferenceKind;

/// The number of names that a help lists.
const LISTED: usize = 8;

/// What the devices of a fleet are called.
#[derive(Debug)]
pub struct DeviceNames(BTreeMap<String, DeviceName>);

#[derive(Debug, Default)]
struct DeviceName {
    hostname: String,
    node: String,
    /// That of the device is the first.
    addresses: Vec<String>,
}

impl DeviceNames {
    pub(super) fn new(checks: &CrossDeviceChecks) -> Self {
        let mut names: BTreeMap<String, DeviceName> =
            checks.names().map(|(name, _)| (name.to_owned(), DeviceName::default())).collect();
        let mut set = |device: &str, change: &dyn Fn(&mut DeviceName)| {
            if let Some(name) = names.get_mut(device) {
                change(name);
            }
        };
        for (device, hostname) in checks.hosts() {
            set(device, &|name| (name.hostname, name.node) = (hostname.to_owned(), hostname.to_owned()));
        }
        for node in &checks.claims().nodes {
            set(&node.device, &|name| name.node = node.node.to_string());
        }
        for (device, address) in checks.addresses() {
            set(device, &|name| name.addresses.push(address.to_owned()));
        }
        for (claimed, device, _) in &checks.claims().addresses {
            set(device, &|name| name.addresses.push(claimed.address.to_string()));
        }
        Self(names)
    }

    /// Returns the values of one kind.
    pub(super) fn of(&self, kind: ReferenceKind) -> KnownValues {
        let mut known = KnownValues { kind, ..KnownValues::default() };
        let mut main = Vec::new();
        for (device, DeviceName { hostname, node, addresses }) in &self.0 {
            let values: Vec<&String> = match kind {
                ReferenceKind::NodeName => vec![node],
                ReferenceKind::Hostname => vec![hostname],
                ReferenceKind::Address => addresses.iter().collect(),
                ReferenceKind::Device => vec![device],
            };
            let Some(value) = values.first().filter(|value| !value.is_empty()) else { continue };
            let others = [device, node, hostname].into_iter().chain(addresses.first());
            known.by_other_name.extend(others.map(|other| (other.clone(), (*value).clone())));
            main.push((*value).clone());
            known.values.extend(values.into_iter().cloned());
        }
        main.sort_by(|one, other| natural(one, other));
        let rest = main.len().saturating_sub(LISTED);
        let shown: Vec<String> = main.iter().take(LISTED).map(|value| format!("`{value}`")).collect();
        known.listed = shown.join(", ");
        if rest > 0 {
            known.listed += &format!(" and {rest} more");
        }
        known
    }
}

/// The values of one kind that devices have.
#[derive(Debug, Default)]
pub(super) struct KnownValues {
    kind: ReferenceKind,
    values: BTreeSet<String>,
    /// The values by what else the devices are called.
    by_other_name: BTreeMap<String, String>,
    /// Those of the first devices, to show.
    pub listed: String,
}

impl KnownValues {
    /// Returns what a text names, without a port, a prefix or a scheme, if no device has it.
    pub(super) fn unknown<'t>(&self, text: &'t str) -> Option<&'t str> {
        let host = host(text, self.kind);
        let is_known = match host.parse::<IpAddr>() {
            Ok(address) if self.kind == ReferenceKind::Address => self.values.contains(&address.to_string()),
            _ => self.values.contains(host),
        };
        (!is_known).then_some(host)
    }

    /// Returns the value that was probably meant.
    pub(super) fn meant(&self, text: &str) -> Option<&str> {
        let renamed = self.by_other_name.get(text).map(String::as_str);
        // The nearest address is seldom the one that was meant.
        let is_name = self.kind != ReferenceKind::Address;
        renamed.or_else(|| closest(text, self.values.iter().map(String::as_str)).filter(|_| is_name))
    }
}

/// Removes from a text what is around a name or an address.
fn host(text: &str, kind: ReferenceKind) -> &str {
    if kind == ReferenceKind::Device {
        return text;
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    if host.parse::<IpAddr>().is_ok() {
        return host;
    }
    let bare = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(host, _)| host);
    if host.parse::<SocketAddr>().is_ok() { bare.trim_matches(['[', ']']) } else { bare }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_have_ports_and_prefixes() {
        let host = |text| host(text, ReferenceKind::Address);
        assert_eq!(host("192.0.2.1"), "192.0.2.1");
        assert_eq!(host("192.0.2.1:9100"), "192.0.2.1");
        assert_eq!(host("192.0.2.1/32"), "192.0.2.1");
        assert_eq!(host("[2001:db8::1]:9100"), "2001:db8::1");
        assert_eq!(host("2001:db8::1"), "2001:db8::1");
        assert_eq!(host("https://192.0.2.1:6443/metrics"), "192.0.2.1");
        assert_eq!(host("node-1:9100"), "node-1");
    }
}
