//! Addresses that the control planes of a cluster share.
//!
//! The control planes elect the owner through etcd: release-1.13 controllers/network/operator/vip.

use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer};
use talosmith_machinery::Role;

use super::secrets::{Expected, use_secret};
use super::{Check, Patch, link_addresses, link_checks};
use crate::device;
use crate::scalar::Address;

/// An address that control planes share.
#[derive(Debug, Serialize)]
pub struct Vip {
    pub address: String,
    /// The link that has it on the control plane that is elected.
    pub link: String,
    /// The placeholder of the token for Hetzner Cloud's API; none for an address that is announced by ARP.
    pub hcloud_token: Option<String>,
}

/// Plans the shared addresses of a device with some raw patches.
pub(super) fn plan(check: &mut Check<'_>, patches: &[Arc<Patch>]) -> Vec<Vip> {
    check_role(check);
    let device = &check.file.device;
    let mut planned = Vec::with_capacity(device.vips.len());
    for (address, vip) in &device.vips {
        let at = Pointer::new("/vips").child(address);
        check_address(check, address, vip, &at);
        if !device.links.is_empty() {
            link_checks::check_known(check, &vip.link, &at.child("link"), patches);
        }
        let token = vip.hcloud_token.as_ref();
        planned.push(Vip {
            address: Address::to_string(address),
            link: vip.link.to_string(),
            hcloud_token: token
                .map(|secret| use_secret(check, "vips", secret, &at.child("hcloudToken"), Expected::Text)),
        });
    }
    planned
}

/// Reports shared addresses on a worker.
fn check_role(check: &mut Check<'_>) {
    let device = &check.file.device;
    if device.role == Role::ControlPlane || device.vips.is_empty() {
        return;
    }
    let location = check.key("/vips");
    check.push(
        Diagnostic::new(Code::ControlPlaneOnly, "a worker cannot have an address that control planes share", location)
            .note("the owner of the address is elected through etcd, which a worker does not run")
            .help("write it only for control planes: under `controlplane` of the cluster, or in their files"),
    );
}

fn check_address(check: &mut Check<'_>, address: &Address, vip: &device::Vip, at: &Pointer) {
    let device = &check.file.device;
    let shared = address.ip();
    let mut others: Vec<(&str, Location)> = Vec::new();
    if device.address.ip() == shared {
        others.push(("the node's own address", check.at("/address")));
    }
    for (name, link) in &device.links {
        let at = Pointer::new("/links").child(name);
        for (index, written) in link.addresses.iter().enumerate() {
            if link_addresses::network(device, written).is_ok_and(|network| network.addr() == shared) {
                others.push(("an address of a link", check.at(at.child("addresses").item(index))));
            }
        }
        for (network, route) in link.routes.iter() {
            if route.gateway.as_ref().is_some_and(|gateway| gateway.ip() == shared) {
                others.push(("a gateway", check.at(at.child("routes").child(network).child("gateway"))));
            }
        }
    }
    for (index, server) in device.nameservers.iter().flatten().enumerate() {
        if server.ip() == shared {
            others.push(("a nameserver", check.at(Pointer::new("/nameservers").item(index))));
        }
    }
    if let Some((what, location)) = others.into_iter().next() {
        let message = format!("the shared address {shared} is also {what}");
        let finding = Diagnostic::new(Code::DuplicateAddress, message, check.key(at.clone()));
        check.push(
            finding
                .also(location, what)
                .note("while another control plane has it, the node loses the other one")
                .help("write an address that nothing else has"),
        );
        return;
    }
    check_network(check, address, vip, at);
}

/// Reports an address outside of the networks of its link. With DHCP these are not known.
fn check_network(check: &mut Check<'_>, address: &Address, vip: &device::Vip, at: &Pointer) {
    let device = &check.file.device;
    let Some(link) = device.links.get(&vip.link) else { return };
    let shared = address.ip();
    let has_dhcp = if shared.is_ipv4() { link.dhcp4.is_some() } else { link.dhcp6.is_some() };
    let networks = link.addresses.iter().filter_map(|written| link_addresses::network(device, written).ok());
    let networks: Vec<IpNet> = networks.filter(|network| network.addr().is_ipv4() == shared.is_ipv4()).collect();
    if has_dhcp || networks.is_empty() || networks.iter().any(|network| network.contains(&shared)) {
        return;
    }
    let networks: Vec<String> = networks.iter().map(|network| network.trunc().to_string()).collect();
    let message =
        format!("the shared address {shared} is not in {}, the network of `{}`", networks.join(", "), vip.link);
    let finding = Diagnostic::new(Code::VipOutside, message, check.key(at.clone()));
    let link_at = check.key(Pointer::new("/links").child(&vip.link));
    check.push(
        finding
            .also(link_at, "its link")
            .note("other hosts of the network do not look for it there")
            .help("write an address of the network, or the link that is in the network of the address"),
    );
}
