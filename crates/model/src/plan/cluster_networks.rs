//! The pod and service networks of a device's cluster, and addresses of nodes in them.
//!
//! Talos takes no address of these networks for one of the node, so the kubelet and etcd announce another one or none: release-1.13
//! controllers/k8s/address_filter.go, nodeip.go and controllers/etcd/spec.go; siderolabs/talos#13469 proposes this warning.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use talosmith_document::{Code, Diagnostic, Location, Pointer};
use talosmith_machinery::is_unknown;

use super::raw::{self, MAIN, Place, RawScalar};
use super::{Check, Patch, claims, link_addresses};
use crate::device::Device;
use crate::fleet::Cluster;
use crate::scalar::{Cidr, NodeEndpoint, Route, SubnetFilter};

/// What `podCIDRs` and `serviceCIDRs` of a cluster are called in raw patches, and what they are without.
struct Kind {
    name: &'static str,
    key: &'static str,
    route: Route,
    default: &'static str,
    places: [Place; 2],
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "pod network",
        key: "podCIDRs",
        route: Route::Pods,
        default: Cluster::POD_NETWORK,
        places: [(MAIN, "cluster.network.podSubnets[]"), ("KubeNetworkConfig", "podSubnets[]")],
    },
    Kind {
        name: "service network",
        key: "serviceCIDRs",
        route: Route::Services,
        default: Cluster::SERVICE_NETWORK,
        places: [(MAIN, "cluster.network.serviceSubnets[]"), ("KubeNetworkConfig", "serviceSubnets[]")],
    },
];

/// What raw patches set that must not be in a network of the cluster: the name of a kind of addresses, and where they are.
const ADDRESSES: [(&str, &[Place]); 6] = [
    ("the address", claims::OWN),
    ("the shared address", claims::SHARED),
    ("the nameserver", &[(MAIN, "machine.network.nameservers[]"), ("ResolverConfig", "nameservers[].address")]),
    ("the time server", &[(MAIN, "machine.time.servers[]"), ("TimeSyncConfig", "ntp.servers[]")]),
    ("the endpoint", &[(MAIN, "cluster.controlPlane.endpoint"), ("KubeClusterConfig", "endpoint")]),
    (
        "the subnet",
        &[
            (MAIN, "machine.kubelet.nodeIP.validSubnets[]"),
            (MAIN, "cluster.etcd.advertisedSubnets[]"),
            (MAIN, "cluster.etcd.listenSubnets[]"),
            ("KubeNodeConfig", "nodeIP.validSubnets[]"),
        ],
    ),
];

/// A network of the cluster.
struct ClusterNetwork {
    kind: &'static Kind,
    text: String,
    network: IpNet,
    /// Where it is written; none for Talos's default.
    location: Option<Location>,
    is_raw: bool,
}

/// Checks the networks of the device's cluster, and the addresses that the device must not have in them.
pub(super) fn check(check: &mut Check<'_>, patches: &[Arc<Patch>]) {
    let mut networks = Vec::with_capacity(2);
    for kind in &KINDS {
        let raw = raw::last_list(patches, &kind.places);
        if !raw.is_empty() {
            check_contradiction(check, kind, &raw);
        }
        networks.extend(effective(check, kind, &raw));
    }
    check_overlap(check, &networks);
    check_addresses(check, patches, &networks);
    check_subnets(check, &networks);
}

/// The networks of a kind: those of raw patches, or else of the model, or else Talos's.
fn effective(check: &Check<'_>, kind: &'static Kind, raw: &[RawScalar<'_>]) -> Vec<ClusterNetwork> {
    let new = |text: &str, location: Option<Location>, is_raw| {
        let network = text.parse().ok()?;
        Some(ClusterNetwork { kind, text: text.to_owned(), network, location, is_raw })
    };
    if !raw.is_empty() {
        return raw.iter().filter_map(|scalar| new(scalar.text, Some(scalar.location.clone()), true)).collect();
    }
    let Some(written) = of_model(check, kind) else { return new(kind.default, None, false).into_iter().collect() };
    let at = Pointer::new("/clusters").child(&check.file.device.cluster).child(kind.key);
    let written = written.iter().enumerate();
    written.filter_map(|(index, cidr)| new(cidr.as_str(), Some(check.fleet.at(at.item(index))), false)).collect()
}

fn of_model<'a>(check: &Check<'a>, kind: &Kind) -> Option<&'a Vec<Cidr>> {
    let cluster = check.cluster()?;
    if kind.route == Route::Pods { cluster.pod_cidrs.as_ref() } else { cluster.service_cidrs.as_ref() }
}

/// Reports networks of a raw patch that are not those of the model, if the model has some or uses its default.
fn check_contradiction(check: &mut Check<'_>, kind: &Kind, raw: &[RawScalar<'_>]) {
    let written = of_model(check, kind);
    let model: Vec<&str> = match written {
        Some(cidrs) => cidrs.iter().map(Cidr::as_str).collect(),
        None => vec![kind.default],
    };
    if raw.iter().any(|scalar| is_unknown(scalar.text))
        || raw.iter().map(|scalar| scalar.text).eq(model.iter().copied())
    {
        return;
    }
    let cluster = &check.file.device.cluster;
    let routes = check.file.device.tailscale.as_ref().and_then(|tailscale| tailscale.routes.as_ref());
    let route = routes.and_then(|routes| routes.iter().position(|route| *route == kind.route));
    if written.is_none() && route.is_none() {
        return;
    }
    let texts: Vec<&str> = raw.iter().map(|scalar| scalar.text).collect();
    let (texts, model) = (texts.join(", "), model.join(", "));
    let message = format!("the patch sets the {} {texts}, and the model has {model}", kind.name);
    let mut finding = Diagnostic::new(Code::NetworkMismatch, message, raw[0].location.clone());
    if written.is_some() {
        let at = Pointer::new("/clusters").child(cluster).child(kind.key);
        finding = finding.also(check.fleet.at(at), "the model's");
    }
    if let Some(index) = route {
        finding = finding.also(check.at(Pointer::new("/tailscale/routes").item(index)), "advertised from here");
    }
    check.push(
        finding
            .note(format!("talosmith computes routes and checks addresses with the model's {}", kind.name))
            .help(format!("write this under `clusters.{cluster}` in talosmith.yaml:\n{}: [{texts}]", kind.key)),
    );
}

/// Reports networks that share addresses, if one is of a raw patch; those of the model are checked once for a cluster.
fn check_overlap(check: &mut Check<'_>, networks: &[ClusterNetwork]) {
    for (index, one) in networks.iter().enumerate() {
        for other in &networks[index + 1..] {
            let is_overlap = one.network.contains(&other.network) || other.network.contains(&one.network);
            if !is_overlap || one.kind.key == other.kind.key || !(one.is_raw || other.is_raw) {
                continue;
            }
            let (raw, other) = if one.is_raw { (one, other) } else { (other, one) };
            let Some(location) = raw.location.clone() else { continue };
            let message =
                format!("the {} {} overlaps with the {} {}", raw.kind.name, raw.text, other.kind.name, other.text);
            let finding = Diagnostic::new(Code::CidrOverlap, message, location);
            let finding = match &other.location {
                Some(location) => finding.also(location.clone(), "the other network"),
                None => finding.note(format!("{} is Talos's default, which no patch changes", other.text)),
            };
            check.push(finding.help("Talos's defaults do not overlap: pods 10.244.0.0/16, services 10.96.0.0/12"));
        }
    }
}

fn check_addresses(check: &mut Check<'_>, patches: &[Arc<Patch>], networks: &[ClusterNetwork]) {
    let device = &check.file.device;
    if let Some(network) = containing(networks, device.address.ip()) {
        let location = check.at("/address");
        report(check, "the address", device.address.as_str(), location, network);
    }
    for (index, server) in device.nameservers.iter().flatten().enumerate() {
        if let Some(network) = containing(networks, server.ip()) {
            let location = check.at(Pointer::new("/nameservers").item(index));
            report(check, "the nameserver", server.as_str(), location, network);
        }
    }
    let servers = device.time.iter().flat_map(|time| time.servers.iter().flatten());
    for (index, server) in servers.enumerate() {
        let address = server.as_str().parse().ok();
        if let Some(network) = address.and_then(|address| containing(networks, address)) {
            let location = check.at(Pointer::new("/time/servers").item(index));
            report(check, "the time server", server.as_str(), location, network);
        }
    }
    check_links(check, networks);
    if let Some((address, location)) = endpoint_address(check, device)
        && let Some(network) = containing(networks, address)
    {
        report(check, "the endpoint", &address.to_string(), location, network);
    }
    if patches.is_empty() {
        return;
    }
    for (name, places) in ADDRESSES {
        for scalar in raw::scalars(patches, places) {
            let host = match scalar.text.split_once("://") {
                Some((_, rest)) => url_host(rest),
                None => scalar.text.split('/').next().unwrap_or_default(),
            };
            let address = host.parse().ok();
            if let Some(network) = address.and_then(|address| containing(networks, address)) {
                report(check, name, if name == "the endpoint" { host } else { scalar.text }, scalar.location, network);
            }
        }
    }
}

/// Checks the addresses that the model assigns to links.
fn check_links(check: &mut Check<'_>, networks: &[ClusterNetwork]) {
    let device = &check.file.device;
    for (name, link) in &device.links {
        let at = Pointer::new("/links").child(name).child("addresses");
        for (index, written) in link.addresses.iter().enumerate() {
            let Ok(own) = link_addresses::network(device, written) else { continue };
            // The device's own address has its finding.
            if own.addr() == device.address.ip() {
                continue;
            }
            if let Some(network) = containing(networks, own.addr()) {
                let location = check.at(at.item(index));
                report(check, "the address", &own.addr().to_string(), location, network);
            }
        }
    }
    for address in device.vips.keys() {
        if let Some(network) = containing(networks, address.ip()) {
            let location = check.key(Pointer::new("/vips").child(address));
            report(check, "the shared address", address.as_str(), location, network);
        }
    }
}

/// The host in what follows the scheme of a URL.
fn url_host(rest: &str) -> &str {
    match rest.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => rest.split([':', '/']).next().unwrap_or_default(),
    }
}

/// Returns the address in the URL of the Kubernetes API that the node uses, and where it is written.
fn endpoint_address(check: &Check<'_>, device: &Device) -> Option<(IpAddr, Location)> {
    let of_cluster = || {
        let endpoint = check.cluster()?.endpoint.as_ref()?;
        Some((endpoint, check.fleet.at(Pointer::new("/clusters").child(&device.cluster).child("endpoint"))))
    };
    let (endpoint, location) = match &device.endpoint {
        Some(NodeEndpoint::Url(url)) => (url, check.at("/endpoint")),
        Some(NodeEndpoint::Cluster) | None => of_cluster()?,
    };
    Some((endpoint.host().parse().ok()?, location))
}

/// Checks the networks that the kubelet and etcd choose an address from.
fn check_subnets(check: &mut Check<'_>, networks: &[ClusterNetwork]) {
    let device = &check.file.device;
    let node_ip = device.kubelet.node_ip.iter().map(|node_ip| ("/kubelet/nodeIP/validSubnets", &node_ip.valid_subnets));
    let etcd = device.etcd.iter().flat_map(|etcd| {
        [("/etcd/advertisedSubnets", &etcd.advertised_subnets), ("/etcd/listenSubnets", &etcd.listen_subnets)]
    });
    for (pointer, subnets) in node_ip.chain(etcd) {
        for (index, subnet) in subnets.iter().map(SubnetFilter::as_str).enumerate() {
            let Ok(parsed) = subnet.parse::<IpNet>() else { continue };
            if let Some(network) = networks.iter().find(|network| network.network.contains(&parsed)) {
                let location = check.at(Pointer::new(pointer).item(index));
                report(check, "the subnet", subnet, location, network);
            }
        }
    }
}

fn containing(networks: &[ClusterNetwork], address: IpAddr) -> Option<&ClusterNetwork> {
    networks.iter().find(|network| network.network.contains(&address))
}

fn report(check: &mut Check<'_>, what: &str, text: &str, location: Location, network: &ClusterNetwork) {
    let cluster = &check.file.device.cluster;
    let message = format!("{what} {text} is in the {} {}", network.kind.name, network.text);
    let finding = Diagnostic::new(Code::AddressInClusterNetwork, message, location);
    let finding = match &network.location {
        Some(location) => finding.also(location.clone(), format!("the {}", network.kind.name)),
        None => finding.note(format!("{} is Talos's default", network.text)),
    };
    let note = match what {
        "the nameserver" => "before Kubernetes runs, the node cannot reach it",
        "the time server" => "before Kubernetes runs, the node cannot reach it, and the kubelet waits for the time",
        "the endpoint" => "the kubelet needs the API before any pod or service has an address",
        _ => "Talos ignores addresses of these networks when it chooses those of the kubelet and etcd",
    };
    let free = match (&network.kind.route, network.text.starts_with("172.")) {
        (_, true) => "10.43.0.0/16",
        (Route::Pods, false) => "172.20.0.0/16",
        (_, false) => "172.21.0.0/16",
    };
    let help = match what {
        "the subnet" => "write the network of the node's own address".to_owned(),
        "the nameserver" | "the time server" => {
            "write one that works without Kubernetes, such as the router's address".to_owned()
        }
        "the endpoint" => "write the address of a control plane, or one that control planes share".to_owned(),
        _ if network.is_raw => format!("write another {} in the patch", network.kind.name),
        _ => format!(
            "write another address; or another {0} in the base config (`cluster.network`), and under `clusters.{cluster}` in talosmith.yaml:\n{1}: [{free}]",
            network.kind.name, network.kind.key,
        ),
    };
    check.push(finding.note(note).help(help));
}
