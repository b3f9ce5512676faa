//! The addresses of links: those of the model with their values filled in, and whether the node keeps one that it can be reached at.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use talosmith_document::{Code, Diagnostic, Location, Pointer};
use talosmith_machinery::is_unknown;

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
        LinkAddress::HostIn(target) => {
            let target = target.network();
            let (IpAddr::V4(own_v4), IpNet::V4(network)) = (own, target) else {
                return host_in_ipv6(device, target);
            };
            let bits = own_length(device).unwrap_or(network.prefix_len());
            let host = u32::from(own_v4) & mask(u128::from(u32::MAX), 32 - bits) as u32;
            if host > u32::from(network.hostmask()) {
                return Err(too_small(own, bits, target));
            }
            let address = u32::from(network.network()) | host;
            Ok(IpNet::new_assert(IpAddr::from(address.to_be_bytes()), network.prefix_len()))
        }
    }
}

fn host_in_ipv6(device: &Device, target: IpNet) -> Result<IpNet, (String, String)> {
    let own = device.address.ip();
    let (IpAddr::V6(own_v6), IpNet::V6(network)) = (own, target) else {
        let message = format!("the device's address {own} has no host number for {target}");
        return Err((message, "write the address itself, with the length of its network".to_owned()));
    };
    let bits = own_length(device).unwrap_or(network.prefix_len());
    let host = u128::from(own_v6) & mask(u128::MAX, 128 - bits);
    if host > u128::from(network.hostmask()) {
        return Err(too_small(own, bits, target));
    }
    let address = u128::from(network.network()) | host;
    Ok(IpNet::new_assert(IpAddr::from(address.to_be_bytes()), network.prefix_len()))
}

/// The lowest bits of a mask.
fn mask(all: u128, bits: u8) -> u128 {
    if u32::from(bits) >= 128 { all } else { all & ((1_u128 << bits) - 1) }
}

fn too_small(own: IpAddr, bits: u8, target: IpNet) -> (String, String) {
    let message = format!("the host number of {own}/{bits} is too large for {target}");
    (message, "write the address itself, or a larger network".to_owned())
}

/// The length of the network that the device's own address is in, if a link of it says so.
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

/// Reports that the links of the model leave the node without an address.
///
/// The first document of a link or of a DHCP client turns off the client that Talos otherwise runs on every link: release-1.12 to 1.14
/// controllers/network/operator_config.go, `RunDefaultDHCPOperators`; siderolabs/talos#12654.
pub(super) fn check_reachable(check: &mut Check<'_>, patches: &[Arc<Patch>]) {
    let device = &check.file.device;
    if device.links.is_empty() {
        return;
    }
    let at = check.key("/links");
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
    // An address outside of these networks is one that the node has behind NAT or in a VPN.
    let message = match networks.iter().find(|network| network.contains(&own)) {
        Some(network) => format!("the node's address is {own}, and the link has {network}"),
        None if networks.is_empty() => format!("no link has the address {own} or a DHCP client"),
        None => return,
    };
    report(check, message, at);
}

fn report(check: &mut Check<'_>, message: String, at: Location) {
    let own = check.file.device.address.clone();
    let family = if own.ip().is_ipv4() { ("dhcp4", 24) } else { ("dhcp6", 64) };
    let address = check.at("/address");
    check.push(
        Diagnostic::new(Code::NoAddress, message, at)
            .also(address, "the node's address")
            .note("a document for one link turns off the DHCP client that Talos otherwise runs on every link")
            .note("the node cannot be reached any more, and nobody can correct it from outside")
            .help(format!(
                "add this to the link that the node is reached at:\naddresses: [address/{}]\nor\n{}: {{}}",
                family.1, family.0
            )),
    );
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
