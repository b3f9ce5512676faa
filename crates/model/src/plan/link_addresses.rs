//! The addresses of links: those of the model with their values filled in, and whether the node keeps one that it can be reached at.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use talosmith_document::{Code, Diagnostic, Level, Location, Pointer};
use talosmith_machinery::{LINKS, is_unknown};

use super::raw::{self, MAIN};
use super::{Check, Patch, claims};
use crate::device::{Device, Link};
use crate::scalar::LinkAddress;

/// The tag of META for a network configuration. Source: machinery/meta/constants.go of Talos, `MetalNetworkPlatformConfig`.
const META_NETWORK: u8 = 0x0a;

/// Returns the addresses of a link; those that the model describes wrongly are left out.
pub(super) fn resolve(check: &mut Check<'_>, link: &Link, at: &Pointer) -> Vec<String> {
    let mut resolved = Vec::with_capacity(link.addresses.len());
    for (index, written) in link.addresses.iter().enumerate() {
        let device = &check.file.device;
        match network(device, written) {
            Ok(network) => {
                if let Some(wrong) = no_host(network) {
                    let location = check.at(at.child("addresses").item(index));
                    let message = format!("`{network}` is {wrong}");
                    check.push(
                        Diagnostic::new(Code::BadAddress, message, location)
                            .note("no node can have this address")
                            .help("write the address of the node, and the length of its network"),
                    );
                }
                resolved.push(network.to_string());
            }
            Err((message, help)) => {
                let location = check.at(at.child("addresses").item(index));
                check.push(Diagnostic::new(Code::BadAddress, message, location).help(help));
            }
        }
    }
    resolved
}

/// Returns what an address of a link means for a device, or what is wrong with it and what to write.
pub(super) fn network(device: &Device, written: &LinkAddress) -> Result<IpNet, (String, String)> {
    let own = device.address.ip();
    match written {
        LinkAddress::Literal(network) => Ok(*network),
        LinkAddress::Device(bits) => IpNet::new(own, *bits).map_err(|_| {
            let message = format!("{own} has no network of {bits} bits");
            (message, "write a length of at most 32".to_owned())
        }),
        LinkAddress::HostIn(target) => host_in(device, target.network()),
    }
}

/// Returns the host number of the device's address in another network.
fn host_in(device: &Device, target: IpNet) -> Result<IpNet, (String, String)> {
    let own = device.address.ip();
    let all = target.max_prefix_len();
    if own.is_ipv4() != target.addr().is_ipv4() {
        let message = format!("the device's address {own} has no host number for {target}");
        return Err((message, "write the address itself, with the length of its network".to_owned()));
    }
    let bits = own_length(device).unwrap_or(target.prefix_len());
    let host = number(own) & hosts(all - bits);
    if host > hosts(all - target.prefix_len()) {
        let message = format!("the host number of {own}/{bits} is too large for {target}");
        return Err((message, "write the address itself, or a larger network".to_owned()));
    }
    let address = number(target.network()) | host;
    let address = match u32::try_from(address) {
        Ok(address) if target.addr().is_ipv4() => IpAddr::from(address.to_be_bytes()),
        _ => IpAddr::from(address.to_be_bytes()),
    };
    Ok(IpNet::new_assert(address, target.prefix_len()))
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The greatest host number of so many bits.
fn hosts(bits: u8) -> u128 {
    1_u128.checked_shl(bits.into()).map_or(u128::MAX, |count| count - 1)
}

/// The length of the network that the device's own address is in, if one of its links specifies it.
fn own_length(device: &Device) -> Option<u8> {
    let own = device.address.ip();
    let mut addresses = device.links.values().flat_map(|link| &link.addresses);
    addresses.find_map(|address| match address {
        LinkAddress::Device(bits) => Some(*bits).filter(|bits| IpNet::new(own, *bits).is_ok()),
        LinkAddress::Literal(network) if network.addr() == own => Some(network.prefix_len()),
        _ => None,
    })
}

/// What keeps an address from being a host's.
fn no_host(network: IpNet) -> Option<&'static str> {
    let most = if network.addr().is_ipv4() { 31 } else { 127 };
    if network.prefix_len() >= most {
        return None;
    }
    match network.addr() {
        address if address == network.network() => Some("the address of the network itself"),
        address if address.is_ipv4() && address == network.broadcast() => Some("the broadcast address of the network"),
        _ => None,
    }
}

/// Reports that the links of the model and of raw patches leave the node without an address. Raw patches alone are a note: whoever
/// describes links there may have the rest elsewhere.
///
/// The first document of a link or of a DHCP client turns off the client that Talos otherwise runs on every link: release-1.12 to 1.14
/// controllers/network/operator_config.go, `RunDefaultDHCPOperators`; siderolabs/talos#12654. `machine.network.interfaces` does not.
pub(super) fn check_reachable(check: &mut Check<'_>, patches: &[Arc<Patch>]) {
    let device = &check.file.device;
    let at = match device.links.is_empty() {
        false => Some(check.key("/links")),
        // What could not be read of the device may have links.
        true if !check.file.is_whole => None,
        true => first_raw_link(patches),
    };
    let Some(at) = at else { return };
    if has_other_source(device) || has_raw_source(patches) {
        return;
    }
    let own = device.address.ip();
    let has_dhcp = |link: &Link| if own.is_ipv4() { link.dhcp4.is_some() } else { link.dhcp6.is_some() };
    if device.links.values().any(has_dhcp) {
        return;
    }
    let written = device.links.values().flat_map(|link| &link.addresses);
    let statics: Vec<IpNet> = written.filter_map(|address| network(device, address).ok()).collect();
    let networks = statics.into_iter().chain(raw_addresses(patches));
    let networks: Vec<IpNet> = networks.filter(|network| network.addr().is_ipv4() == own.is_ipv4()).collect();
    if networks.iter().any(|network| network.addr() == own) {
        return;
    }
    // An address outside of these networks is that of the node outside of its NAT or in a VPN.
    let message = match networks.iter().find(|network| network.contains(&own)) {
        Some(network) => format!("the node's address is {own}, and the link has {network}"),
        None if networks.is_empty() => format!("no link has the address {own} or a DHCP client"),
        None => return,
    };
    report(check, message, at);
}

fn report(check: &mut Check<'_>, message: String, at: Location) {
    let device = &check.file.device;
    let (dhcp, length) = if device.address.ip().is_ipv4() { ("dhcp4", 24) } else { ("dhcp6", 64) };
    let is_raw = device.links.is_empty();
    let address = check.at("/address");
    let finding = Diagnostic::new(Code::NoAddress, message, at)
        .also(address, "the node's address")
        .note("a document for one link turns off the DHCP client that Talos otherwise runs on every link");
    check.push(match is_raw {
        true => Diagnostic { level: Level::Note, ..finding }
            .note("if nothing else assigns an address, the node cannot be reached any more")
            .help(format!("describe the link that the node is reached at, as in\nlinks:\n  eno1: {{ {dhcp}: {{}} }}")),
        false => finding
            .note("the node cannot be reached any more, so its config cannot be corrected over the network")
            .help(format!(
                "add this to the link that the node is reached at:\naddresses: [address/{length}]\nor\n{dhcp}: {{}}"
            )),
    });
}

/// Whether the node has addresses that are not in its machine config: of the platform, of META, or of the kernel's arguments.
fn has_other_source(device: &Device) -> bool {
    let is_metal = device.install.platform.as_ref().is_none_or(|platform| platform.as_str() == "metal");
    !is_metal
        || device.schematics.values().any(|schematic| {
            schematic.meta.iter().any(|meta| meta.key == META_NETWORK)
                || schematic.extra_kernel_args.iter().any(|argument| argument.as_str().starts_with("ip="))
        })
}

/// Returns where raw patches first describe a link by a document, `NetworkCommonLinkConfig` in machinery/config/config/network.go.
fn first_raw_link(patches: &[Arc<Patch>]) -> Option<Location> {
    let mut documents = LINKS.iter().flat_map(|kind| raw::documents(patches, kind));
    let (patch, document) = documents.next()?;
    let name = document.scalars("name").into_iter().next()?;
    Some(patch.locator.location(name.bytes))
}

/// Whether raw patches have a DHCP client, or an address that is not known here.
fn has_raw_source(patches: &[Arc<Patch>]) -> bool {
    let clients = ["DHCPv4Config", "DHCPv6Config"].iter().any(|kind| raw::documents(patches, kind).next().is_some());
    let interfaces = [(MAIN, "machine.network.interfaces[].dhcp"), (MAIN, "machine.network.interfaces[].vlans[].dhcp")];
    clients
        || raw::scalars(patches, &interfaces).iter().any(|dhcp| dhcp.text == "true" || is_unknown(dhcp.text))
        || raw::scalars(patches, claims::OWN).iter().any(|address| is_unknown(address.text))
}

fn raw_addresses(patches: &[Arc<Patch>]) -> Vec<IpNet> {
    let parse = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    raw::scalars(patches, claims::OWN).iter().filter_map(|scalar| parse(scalar.text)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns what an address of a link is for a device whose own address has a length, or what is wrong with it.
    fn resolved(own: &str, length: u8, written: &str) -> Result<String, String> {
        let links = json!({ "eno1": { "addresses": [format!("address/{length}")] } });
        let device = json!({ "name": "a", "cluster": "home", "role": "worker", "address": own, "links": links });
        let device: Device = serde_json::from_value(device).expect("a device");
        let written: LinkAddress = written.parse().expect("an address of a link");
        network(&device, &written).map(|network| network.to_string()).map_err(|(message, _)| message)
    }

    #[test]
    fn the_host_number_is_kept_in_another_network() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(resolved("192.0.2.14", 24, "address in 203.0.113.0/24"), ok("203.0.113.14/24"));
        assert_eq!(resolved("10.20.3.14", 16, "address in 10.30.0.0/16"), ok("10.30.3.14/16"));
        assert_eq!(resolved("2001:db8::1:14", 64, "address in fd00:30::/64"), ok("fd00:30::1:14/64"));
        assert_eq!(resolved("2001:db8::14", 64, "address/64"), ok("2001:db8::14/64"));
        let too_large = "the host number of 10.20.3.14/16 is too large for 10.30.0.0/24";
        assert_eq!(resolved("10.20.3.14", 16, "address in 10.30.0.0/24"), Err(too_large.to_owned()));
        let other_family = "the device's address 10.20.3.14 has no host number for fd00:30::/64";
        assert_eq!(resolved("10.20.3.14", 16, "address in fd00:30::/64"), Err(other_family.to_owned()));
        assert_eq!(resolved("10.0.0.1", 8, "address/64"), Err("10.0.0.1 has no network of 64 bits".to_owned()));
    }
}
