//! The links of the node's network, and the documents that set them up.
//!
//! Talos accepts these documents on every base config, on control planes and workers.

use serde::Serialize;
use serde_json::{Map, Value};
use talosmith_document::{Pointer, TalosVersion, natural};

use super::versions::since;
use super::{Check, link_addresses};
use crate::device::{self, Dhcp};
use crate::scalar::{Address, Cidr, LinkName, MacAddress};

/// A link of the node's network.
#[derive(Debug, Serialize)]
pub struct Link {
    /// The kernel's name of the link, or an alias of it.
    pub name: String,
    /// The CEL expression that selects the link of which the name is an alias; none for the kernel's name.
    pub selector: Option<String>,
    /// The hardware address that selects it alone, in lower case.
    #[serde(skip)]
    pub mac: Option<String>,
    /// The kind of the document that sets it up; none for a mere member of a bond or a bridge.
    pub kind: Option<&'static str>,
    /// The members of a bond or a bridge.
    pub members: Vec<String>,
    /// The mode of a bond.
    pub bond_mode: Option<String>,
    /// The other settings of a bond.
    pub bond_options: Map<String, Value>,
    /// The number of a VLAN.
    pub vlan_id: Option<u16>,
    /// The link that a VLAN is on.
    pub parent: Option<String>,
    /// Whether a bridge takes part in the spanning tree protocol; none if the model does not specify it.
    pub stp: Option<bool>,
    pub mtu: Option<u32>,
    /// Addresses with the lengths of their networks.
    pub addresses: Vec<String>,
    pub routes: Vec<Route>,
    /// The DHCP client; none if there is none.
    pub dhcp4: Option<Dhcp>,
    /// The DHCPv6 client; none if there is none.
    pub dhcp6: Option<Dhcp>,
    /// Rings, features and the like, as EthernetConfig has them.
    pub ethernet: Map<String, Value>,
}

#[derive(Debug, Serialize)]
pub struct Route {
    /// The network; none for the default route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
}

/// The hostnames of an address.
#[derive(Debug, Serialize)]
pub struct StaticHost {
    pub address: String,
    pub hostnames: Vec<String>,
}

/// Plans the links of a device, in the natural order of their names.
pub(super) fn plan(check: &mut Check<'_>, version: &TalosVersion) -> Vec<Link> {
    let written = &check.file.device.links;
    let mut links = Vec::with_capacity(written.len());
    for (name, link) in written {
        let at = Pointer::new("/links").child(name);
        check_exclusive(check, link, &at);
        if link.dhcp4.as_ref().is_some_and(|dhcp| dhcp.ignore_routes.is_some()) {
            since(check, (1, 14), version, "`ignoreRoutes`", &at.child("dhcp4").child("ignoreRoutes"));
        }
        let addresses = link_addresses::resolve(check, link, &at);
        links.push(planned(name, link, addresses, &check.file.device));
    }
    links.sort_by(|one, other| natural(&one.name, &other.name));
    links
}

fn planned(name: &LinkName, link: &device::Link, addresses: Vec<String>, device: &device::Device) -> Link {
    let (members, bond_options) = match (&link.bond, &link.bridge) {
        (Some(bond), _) => (&bond.links[..], bond.options.clone()),
        (None, Some(bridge)) => (&bridge.links[..], Map::new()),
        (None, None) => (&[][..], Map::new()),
    };
    let kind = if link.bond.is_some() {
        Some("BondConfig")
    } else if link.vlan.is_some() {
        Some("VLANConfig")
    } else if link.bridge.is_some() {
        Some("BridgeConfig")
    } else if owner(device, name).is_none() || link.mtu.is_some() {
        Some("LinkConfig")
    } else {
        None
    };
    Link {
        name: name.to_string(),
        selector: selector(link),
        mac: single_mac(link).map(|mac| mac.as_str().to_owned()),
        kind,
        members: members.iter().map(ToString::to_string).collect(),
        bond_mode: link.bond.as_ref().map(|bond| bond.mode.clone()),
        bond_options,
        vlan_id: link.vlan.as_ref().map(|vlan| vlan.id),
        parent: link.vlan.as_ref().map(|vlan| vlan.parent.to_string()),
        stp: link.bridge.as_ref().and_then(|bridge| bridge.stp),
        mtu: link.mtu,
        addresses,
        routes: link.routes.iter().map(|(network, route)| planned_route(network, route)).collect(),
        dhcp4: link.dhcp4.clone(),
        dhcp6: link.dhcp6.clone(),
        ethernet: link.ethernet.clone(),
    }
}

/// Talos refuses the default route with its destination written.
fn planned_route(network: &Cidr, route: &device::LinkRoute) -> Route {
    let is_default = network.network().prefix_len() == 0;
    Route {
        destination: (!is_default).then(|| network.to_string()),
        gateway: route.gateway.as_ref().map(ToString::to_string),
        metric: route.metric,
    }
}

/// The bond or bridge that a link is a member of.
pub(super) fn owner<'d>(device: &'d device::Device, name: &LinkName) -> Option<&'d LinkName> {
    device.links.iter().find(|(_, link)| members(link).contains(name)).map(|(owner, _)| owner)
}

/// The members of a bond or a bridge.
pub(super) fn members(link: &device::Link) -> &[LinkName] {
    match (&link.bond, &link.bridge) {
        (Some(bond), _) => &bond.links,
        (None, Some(bridge)) => &bridge.links,
        (None, None) => &[],
    }
}

/// The expression that selects a physical link; none if it is known by the kernel's name.
///
/// The permanent address is compared, since a bond sets the current one of all its members to the same.
fn selector(link: &device::Link) -> Option<String> {
    if let Some(selector) = &link.selector {
        return Some(selector.to_string());
    }
    let mac = link.mac.as_ref().map(|mac| match mac.is_pattern() {
        true => format!("glob({}, mac(link.permanent_addr))", quoted(mac.as_str())),
        false => format!("mac(link.permanent_addr) == {}", quoted(mac.as_str())),
    });
    let text = |field: &str, value: &Option<String>| {
        let value = value.as_ref()?;
        Some(match value.contains('*') {
            true => format!("glob({}, {field})", quoted(value)),
            false => format!("{field} == {}", quoted(value)),
        })
    };
    let parts = [mac, text("link.driver", &link.driver), text("link.bus_path", &link.bus_path)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" && "))
}

/// A string literal of CEL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn check_exclusive(check: &mut Check<'_>, link: &device::Link, at: &Pointer) {
    let kinds = [("bond", link.bond.is_some()), ("vlan", link.vlan.is_some()), ("bridge", link.bridge.is_some())];
    let aliases =
        [("mac", link.mac.is_some()), ("driver", link.driver.is_some()), ("busPath", link.bus_path.is_some())];
    let ethernet = [("selector", link.selector.is_some()), ("ethernet", !link.ethernet.is_empty())];
    let set = |keys: &[(&'static str, bool)]| -> Vec<&'static str> {
        keys.iter().filter(|(_, is_set)| *is_set).map(|(key, _)| *key).collect()
    };
    let (kinds, aliases) = (set(&kinds), set(&aliases));
    for second in kinds.iter().skip(1) {
        check.exclusive(at, kinds[0], second);
    }
    if let Some(kind) = kinds.first() {
        for key in aliases.iter().chain(&set(&ethernet)) {
            check.exclusive(at, kind, key);
        }
    } else if link.selector.is_some() {
        for key in &aliases {
            check.exclusive(at, "selector", key);
        }
    }
}

/// The names of the device's static hosts.
pub(super) fn static_hosts(check: &Check<'_>) -> Vec<StaticHost> {
    let hosts = check.file.device.static_hosts.iter().map(|(address, names)| StaticHost {
        address: Address::to_string(address),
        hostnames: names.iter().map(ToString::to_string).collect(),
    });
    hosts.collect()
}

/// Whether a hardware address selects one link alone.
pub(super) fn single_mac(link: &device::Link) -> Option<&MacAddress> {
    link.mac.as_ref().filter(|mac| !mac.is_pattern())
}
