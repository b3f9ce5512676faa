//! What a device claims for itself: the name of its Kubernetes node, and the addresses of its links.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use talosmith_document::{Location, Pointer};

use super::raw::{self, MAIN, Place};
use super::{Device, Patch};
use crate::scalar::Endpoint;

/// Where raw patches assign an address to a link.
pub(super) const OWN: &[Place] = &[
    (MAIN, "machine.network.interfaces[].addresses[]"),
    (MAIN, "machine.network.interfaces[].cidr"),
    (MAIN, "machine.network.interfaces[].vlans[].addresses[]"),
    (MAIN, "machine.network.interfaces[].vlans[].cidr"),
    ("LinkConfig", "addresses[].address"),
    ("BondConfig", "addresses[].address"),
    ("BridgeConfig", "addresses[].address"),
    ("VLANConfig", "addresses[].address"),
];

/// Where raw patches assign to a link an address that control planes share.
pub(super) const SHARED: &[Place] = &[
    (MAIN, "machine.network.interfaces[].vip.ip"),
    (MAIN, "machine.network.interfaces[].vlans[].vip.ip"),
    ("Layer2VIPConfig", "name"),
    ("HCloudVIPConfig", "name"),
];

/// An address that a device assigns to one of its links.
#[derive(Debug)]
pub(super) struct ClaimedAddress {
    pub address: IpAddr,
    /// Whether control planes share it.
    pub is_shared: bool,
    /// Whether a raw patch has it.
    pub is_raw: bool,
    pub location: Location,
}

/// What a device claims for itself.
#[derive(Debug, Default)]
pub(super) struct DeviceClaims {
    pub addresses: Vec<ClaimedAddress>,
    /// The hardware addresses of its links, in lower case.
    macs: Vec<(Box<str>, Location)>,
    /// The addresses in the certificate of its API server.
    server_addresses: Vec<IpAddr>,
}

/// What the devices of a fleet claim, for the checks across devices.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The names of nodes that differ from their hostnames.
    pub nodes: Vec<NodeName>,
    /// The addresses of links, with the device and its cluster.
    pub addresses: Vec<(ClaimedAddress, Box<str>, Box<str>)>,
    /// The hardware addresses of links, with the device.
    pub macs: Vec<(Box<str>, Location, Box<str>)>,
    /// The addresses in certificates of API servers, with the cluster.
    pub server_addresses: BTreeSet<(Box<str>, IpAddr)>,
    /// The addresses in endpoints of devices without a port, where these are written, the devices, and their clusters.
    pub endpoints: Vec<(IpAddr, Location, Box<str>, Box<str>)>,
}

/// The name of a node that is not its hostname.
#[derive(Debug)]
pub(super) struct NodeName {
    pub cluster: Box<str>,
    pub device: Box<str>,
    pub node: Box<str>,
    /// The location of the hostname.
    pub location: Location,
}

/// Returns the address in the URL of a Kubernetes API that names no port.
pub(super) fn portless(url: &Endpoint) -> Option<IpAddr> {
    if url.has_port() { None } else { url.host().parse().ok() }
}

impl DeviceClaims {
    /// Returns what a planned device claims.
    pub(super) fn of(device: &Device) -> Self {
        let network = &device.network;
        let mut addresses = in_patches(&device.patches);
        let mut macs = Vec::new();
        for link in &network.links {
            let at = Pointer::new("/links").child(&link.name);
            for (index, text) in link.addresses.iter().enumerate() {
                let location = || device.keys.at(at.child("addresses").item(index));
                addresses.extend(claimed(text, false, false, location));
            }
            macs.extend(link.mac.as_deref().map(|mac| (mac.into(), device.keys.at(at.child("mac")))));
        }
        for vip in &network.vips {
            let location = || device.keys.at(Pointer::new("/vips").child(&vip.address)).as_key();
            addresses.extend(claimed(&vip.address, true, false, location));
        }
        let names = device.kubernetes.api_server.iter().flat_map(|server| &server.cert_sans);
        let raw = raw::scalars(
            &device.patches,
            &[(MAIN, "cluster.apiServer.certSANs[]"), ("KubeAPIServerConfig", "certExtraSANs[]")],
        );
        let names = names.map(String::as_str).chain(raw.iter().map(|scalar| scalar.text));
        Self { addresses, macs, server_addresses: names.filter_map(|name| name.parse().ok()).collect() }
    }
}

impl Claims {
    /// Adds what a device of a cluster claims.
    pub(super) fn add(&mut self, device: &str, cluster: &str, claims: DeviceClaims) {
        let DeviceClaims { addresses, macs, server_addresses } = claims;
        self.addresses.extend(addresses.into_iter().map(|address| (address, device.into(), cluster.into())));
        self.macs.extend(macs.into_iter().map(|(mac, location)| (mac, location, device.into())));
        self.server_addresses.extend(server_addresses.into_iter().map(|address| (cluster.into(), address)));
    }
}

/// The addresses that raw patches assign to links.
fn in_patches(patches: &[Arc<Patch>]) -> Vec<ClaimedAddress> {
    let scalars = [(OWN, false), (SHARED, true)].into_iter().flat_map(|(places, is_shared)| {
        raw::scalars(patches, places).into_iter().map(move |scalar| (scalar, is_shared))
    });
    scalars.filter_map(|(scalar, is_shared)| claimed(scalar.text, is_shared, true, || scalar.location)).collect()
}

fn claimed(text: &str, is_shared: bool, is_raw: bool, location: impl FnOnce() -> Location) -> Option<ClaimedAddress> {
    let address = text.split('/').next()?.parse().ok()?;
    if !is_shared && is_of_each_node(address) {
        return None;
    }
    Some(ClaimedAddress { address, is_shared, is_raw, location: location() })
}

/// Whether each node can have the address: packets to it do not leave the link or the node. A DNS cache on each node has such a one.
const fn is_of_each_node(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_loopback(),
    }
}

/// Where raw patches set the hostname.
const HOSTNAMES: &[Place] = &[(MAIN, "machine.network.hostname"), ("HostnameConfig", "hostname")];

/// Whether a raw patch lets Talos make the hostname.
pub(super) fn has_generated_name(patches: &[Arc<Patch>]) -> bool {
    let automatic = raw::scalars(patches, &[("HostnameConfig", "auto")]);
    automatic.last().is_some_and(|auto| auto.text != "off") && raw::scalars(patches, HOSTNAMES).is_empty()
}

/// Returns the name of the Kubernetes node: the first label of the hostname, unless raw patches set another or `registerWithFQDN`.
///
/// Source: release-1.13 controllers/k8s/nodename.go and machinery/resources/network/hostname_spec.go (`ParseFQDN`).
pub(super) fn node_name(hostname: &str, patches: &[Arc<Patch>]) -> String {
    let raw = raw::scalars(patches, HOSTNAMES);
    let hostname = raw.last().map_or(hostname, |scalar| scalar.text);
    let Some((label, _)) = hostname.split_once('.') else { return hostname.to_owned() };
    let of_main = raw::documents(patches, MAIN).map(|(_, document)| (document, "machine.kubelet.registerWithFQDN"));
    let of_node = raw::documents(patches, "KubeNodeConfig").map(|(_, document)| (document, "registerWithFQDN"));
    let settings = of_main.chain(of_node).filter(|(document, path)| document.has(path));
    let registers_with_fqdn = settings.last().is_some_and(|(document, path)| document.is_true(path));
    if registers_with_fqdn { hostname.to_owned() } else { label.to_owned() }
}
