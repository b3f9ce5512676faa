//! What a device claims for itself beyond its own file's keys: the name of its Kubernetes node, and addresses in raw patches.

use std::net::IpAddr;
use std::sync::Arc;

use talosmith_document::Location;

use super::Patch;
use super::raw::{self, MAIN, Place};
use crate::scalar::Endpoint;

/// Where raw patches give a link an address of its own.
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

/// Where raw patches give a link an address that control planes share.
pub(super) const SHARED: &[Place] = &[
    (MAIN, "machine.network.interfaces[].vip.ip"),
    (MAIN, "machine.network.interfaces[].vlans[].vip.ip"),
    ("Layer2VIPConfig", "name"),
    ("HCloudVIPConfig", "name"),
];

/// An address in a raw patch.
#[derive(Debug)]
pub(super) struct RawAddress {
    pub address: IpAddr,
    pub location: Location,
}

/// What the devices of a fleet claim, for the checks across devices.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The names of nodes that differ from their hostnames.
    pub nodes: Vec<NodeName>,
    /// The addresses in raw patches, with the device and its cluster.
    pub addresses: Vec<(RawAddress, Box<str>, Box<str>)>,
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

/// The addresses that raw patches give to links.
pub(super) fn addresses(patches: &[Arc<Patch>]) -> Vec<RawAddress> {
    let scalars = [OWN, SHARED].into_iter().flat_map(|places| raw::scalars(patches, places));
    let addresses = scalars.filter_map(|scalar| {
        let address = scalar.text.split('/').next()?.parse().ok()?;
        Some(RawAddress { address, location: scalar.location })
    });
    addresses.collect()
}

/// Returns the name of the Kubernetes node: the first label of the hostname, unless a raw patch says `registerWithFQDN`.
///
/// Source: release-1.13 controllers/k8s/nodename.go and machinery/resources/network/hostname_spec.go (`ParseFQDN`).
pub(super) fn node_name(hostname: &str, patches: &[Arc<Patch>]) -> String {
    let Some((label, _)) = hostname.split_once('.') else { return hostname.to_owned() };
    let of_main = raw::documents(patches, MAIN).map(|(_, document)| (document, "machine.kubelet.registerWithFQDN"));
    let of_node = raw::documents(patches, "KubeNodeConfig").map(|(_, document)| (document, "registerWithFQDN"));
    let settings = of_main.chain(of_node).filter(|(document, path)| document.has(path));
    let registers_with_fqdn = settings.last().is_some_and(|(document, path)| document.is_true(path));
    if registers_with_fqdn { hostname.to_owned() } else { label.to_owned() }
}
