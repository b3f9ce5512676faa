//! The networks of the cluster as a node is configured with them, and a node's part of the pod network.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Location, Pointer};
use talosmith_machinery::Role;

use super::node_features::installs_no_cni;
use super::raw::{self, MAIN, Place};
use super::{Check, ConfigFormat, Patch};
use crate::fleet::Cluster;
use crate::scalar::{Cidr, DnsDomain, grouped};

/// The domain of services: `DefaultDNSDomain` in Talos's machinery.
const DNS_DOMAIN: &str = "cluster.local";

/// How much longer the prefix of a node's part may be than that of the pod network: `clusterSubnetMaxDiff` in Kubernetes,
/// pkg/controller/nodeipam/ipam/cidrset/cidr_set.go; Talos 1.14 checks the same in types/k8s/network.go.
const MOST_BITS_FOR_NODES: u8 = 16;

/// The host bits of the largest service network: Talos 1.14, types/k8s/network.go.
const MOST_BITS_FOR_SERVICES: u8 = 20;

/// Where raw patches set the prefix length of a node's part of the pod network.
const MASK_SIZES: &[Place] = &[
    (MAIN, "cluster.controllerManager.extraArgs.node-cidr-mask-size"),
    (MAIN, "cluster.controllerManager.extraArgs.node-cidr-mask-size-ipv4"),
    (MAIN, "cluster.controllerManager.extraArgs.node-cidr-mask-size-ipv6"),
    ("KubeControllerManagerConfig", "extraArgs.node-cidr-mask-size"),
    ("KubeNetworkConfig", "nodeCIDRMaskSizeIPv4"),
    ("KubeNetworkConfig", "nodeCIDRMaskSizeIPv6"),
];

/// The networks of the cluster that are written to a node.
#[derive(Debug, Serialize)]
pub struct ClusterNetwork {
    /// The DNS domain of services.
    pub dns_domain: String,
    /// Pod networks.
    pub pod_cidrs: Vec<String>,
    /// Service networks.
    pub service_cidrs: Vec<String>,
    /// The prefix lengths of a node's part of the pod networks, by the arguments of kube-controller-manager;
    /// empty on a worker.
    pub mask_arguments: BTreeMap<&'static str, String>,
    /// The prefix length of a node's part of the IPv4 network; none for Kubernetes's default, 24.
    pub node_cidr_mask_size_ipv4: Option<u8>,
    /// The same of the IPv6 network; the default is 64.
    pub node_cidr_mask_size_ipv6: Option<u8>,
}

/// Plans the networks that are written to a device with some raw patches, and checks a node's part of them.
pub(super) fn plan(check: &mut Check<'_>, format: ConfigFormat, patches: &[Arc<Patch>]) -> Option<ClusterNetwork> {
    let cluster = check.cluster()?;
    let is_written = check.file.device.cluster_network == Some(true);
    if is_written {
        check_networks(check, cluster, format, patches);
    }
    check_pods(check, cluster, patches);
    is_written.then(|| {
        let (ipv4, ipv6) = (cluster.node_cidr_mask_size_ipv4, cluster.node_cidr_mask_size_ipv6);
        let arguments = [("node-cidr-mask-size-ipv4", ipv4), ("node-cidr-mask-size-ipv6", ipv6)];
        let is_control_plane = check.file.device.role == Role::ControlPlane;
        let arguments = arguments.into_iter().filter(|_| is_control_plane);
        ClusterNetwork {
            dns_domain: cluster.dns_domain.as_ref().map_or(DNS_DOMAIN, DnsDomain::as_str).to_owned(),
            pod_cidrs: cluster.pod_networks(),
            service_cidrs: cluster.service_networks(),
            mask_arguments: arguments.filter_map(|(name, size)| Some((name, size?.to_string()))).collect(),
            node_cidr_mask_size_ipv4: ipv4,
            node_cidr_mask_size_ipv6: ipv6,
        }
    })
}

/// Checks that the networks of a cluster can be those of a node.
fn check_networks(check: &mut Check<'_>, cluster: &Cluster, format: ConfigFormat, patches: &[Arc<Patch>]) {
    let at = Pointer::new("/clusters").child(&check.file.device.cluster);
    let pods = networks(&cluster.pod_cidrs, Cluster::POD_NETWORK);
    let services = networks(&cluster.service_cidrs, Cluster::SERVICE_NETWORK);
    if format == ConfigFormat::Documents {
        check_services(check, &at, &pods, &services);
    }
    if !has_own_mask_sizes(check, patches) {
        for (index, network) in pods.iter().enumerate() {
            check_part(check, cluster, *network, &at.child("podCIDRs").item(index));
        }
    }
    let is_ipv4 = |network: &IpNet| network.addr().is_ipv4();
    let sizes = [
        ("nodeCIDRMaskSizeIPv4", "IPv4", cluster.node_cidr_mask_size_ipv4, pods.iter().any(is_ipv4)),
        ("nodeCIDRMaskSizeIPv6", "IPv6", cluster.node_cidr_mask_size_ipv6, !pods.iter().all(is_ipv4)),
    ];
    for (key, family, _, _) in sizes.into_iter().filter(|(_, _, size, has_family)| size.is_some() && !has_family) {
        let location = check.fleet.at(at.child(key)).as_key();
        // Source: Kubernetes, cmd/kube-controller-manager/app/core.go, `setNodeCIDRMaskSizes`.
        check.push(
            Diagnostic::new(
                Code::BadCidr,
                format!("`{key}` is set, and the cluster has no pod network of {family}"),
                location,
            )
            .note("kube-controller-manager does not start with the argument")
            .help("remove the line"),
        );
    }
}

/// Checks what Talos 1.14 demands of the service networks.
fn check_services(check: &mut Check<'_>, at: &Pointer, pods: &[IpNet], services: &[IpNet]) {
    let note = "Talos 1.14 refuses a KubeNetworkConfig with them";
    if pods.len() != services.len() {
        let (one, other) = (pods.len(), services.len());
        let message = format!("the cluster has {} and {}", count(one, "pod network"), count(other, "service network"));
        let key = if one < other { "podCIDRs" } else { "serviceCIDRs" };
        let location = written_or_cluster(check, at, key);
        check.push(
            Diagnostic::new(Code::BadCidr, message, location).note(note).help("write one of each family in both"),
        );
    }
    for (index, network) in services.iter().enumerate() {
        let longest = network.max_prefix_len();
        let host_bits = longest - network.prefix_len();
        if host_bits > MOST_BITS_FOR_SERVICES {
            let least = longest - MOST_BITS_FOR_SERVICES;
            let location = check.fleet.at(at.child("serviceCIDRs").item(index));
            let smaller = IpNet::new_assert(network.addr(), least);
            check.push(
                Diagnostic::new(Code::BadCidr, format!("the service network {network} is too large"), location)
                    .note(format!("Talos 1.14 refuses a prefix of less than {least} bits"))
                    .help(format!("write `{smaller}`, or a smaller one")),
            );
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Returns the location of a key of the device's cluster, or else of the cluster.
fn written_or_cluster(check: &Check<'_>, at: &Pointer, key: &str) -> Location {
    let cluster = check.cluster();
    let is_written = match key {
        "podCIDRs" => cluster.is_some_and(|cluster| cluster.pod_cidrs.is_some()),
        _ => cluster.is_some_and(|cluster| cluster.service_cidrs.is_some()),
    };
    check.fleet.at(if is_written { at.child(key) } else { at.clone() }).as_key()
}

/// Checks the size of a node's part of a pod network.
fn check_part(check: &mut Check<'_>, cluster: &Cluster, network: IpNet, at: &Pointer) {
    let (key, part) = part_of(cluster, network);
    let length = network.prefix_len();
    let (why, fitting) = if part < length {
        ("is smaller than a node's part of it", length + (network.max_prefix_len() - length) / 2)
    } else if part - length > MOST_BITS_FOR_NODES {
        ("is too large for a node's part of it", length + MOST_BITS_FOR_NODES)
    } else {
        return;
    };
    let message = format!("the pod network {network} {why}, /{part}");
    let location = check.fleet.at(at.clone());
    check.push(
        Diagnostic::new(Code::BadCidr, message, location)
            .note("kube-controller-manager does not start: a node's prefix may be up to 16 bits longer than that of the network")
            .help(format!("write this under `clusters.{}` in talosmith.yaml:\n{key}: {fitting}", check.file.device.cluster)),
    );
}

/// Returns the key for the prefix length of a node's part of a network, and the length.
fn part_of(cluster: &Cluster, network: IpNet) -> (&'static str, u8) {
    match network {
        IpNet::V4(_) => ("nodeCIDRMaskSizeIPv4", cluster.node_cidr_mask_size_ipv4.unwrap_or(24)),
        IpNet::V6(_) => ("nodeCIDRMaskSizeIPv6", cluster.node_cidr_mask_size_ipv6.unwrap_or(64)),
    }
}

fn networks(cidrs: &Option<Vec<Cidr>>, default: &str) -> Vec<IpNet> {
    match cidrs {
        Some(cidrs) => cidrs.iter().map(Cidr::network).collect(),
        None => default.parse().into_iter().collect(),
    }
}

/// Whether a device sets the prefix length of a node's part outside of the cluster's facts.
fn has_own_mask_sizes(check: &Check<'_>, patches: &[Arc<Patch>]) -> bool {
    let manager = check.file.device.controller_manager.as_ref();
    manager
        .is_some_and(|manager| manager.extra_args.keys().any(|name| name.as_str().starts_with("node-cidr-mask-size")))
        || !raw::scalars(patches, MASK_SIZES).is_empty()
}

/// Reports more pods than a node's part of the pod network has addresses.
fn check_pods(check: &mut Check<'_>, cluster: &Cluster, patches: &[Arc<Patch>]) {
    let kubelet = &check.file.device.kubelet;
    let extra = || kubelet.extra_config.get("maxPods").and_then(Value::as_u64);
    let (pods, pointer) = match kubelet.max_pods {
        Some(pods) => (u64::from(pods), "/kubelet/maxPods"),
        None => match extra() {
            Some(pods) => (pods, "/kubelet/extraConfig/maxPods"),
            None => return,
        },
    };
    for network in networks(&cluster.pod_cidrs, Cluster::POD_NETWORK) {
        let (key, part) = part_of(cluster, network);
        let bits = network.max_prefix_len().saturating_sub(part);
        // Without the first and the last address.
        let Some(addresses) = 1_u64.checked_shl(bits.into()).map(|all| all.saturating_sub(2)) else { continue };
        if pods <= addresses || !uses_parts(check, cluster, patches, network) {
            continue;
        }
        let bits_needed = (pods + 2).next_power_of_two().trailing_zeros();
        let fitting = u32::from(network.max_prefix_len()).saturating_sub(bits_needed);
        let message =
            format!("the node may run {} pods, and has {} addresses for them", grouped(pods), grouped(addresses));
        let location = check.at(pointer);
        let finding = Diagnostic::new(Code::PodAddresses, message, location)
            .note(format!("its part of the pod network {network} is a /{part}; a pod beyond that gets no address and does not start"))
            .help(format!("write `maxPods: {addresses}` or less; or for a cluster whose nodes have no part yet, under `clusters.{}` in talosmith.yaml:\n{key}: {fitting}", check.file.device.cluster));
        check.push(finding);
        return;
    }
}

/// Whether the node's pods surely have addresses of its part of the pod network. Another network plugin than flannel may have parts of
/// its own, unless the model specifies their size; which one the cluster has only control planes specify.
fn uses_parts(check: &Check<'_>, cluster: &Cluster, patches: &[Arc<Patch>], network: IpNet) -> bool {
    let is_size_known = match network {
        IpNet::V4(_) => cluster.node_cidr_mask_size_ipv4.is_some(),
        IpNet::V6(_) => cluster.node_cidr_mask_size_ipv6.is_some(),
    };
    let mentions = |keys: &Map<String, Value>| keys.contains_key("cni") || keys.get("patches").is_some_and(may_set_cni);
    let mut layers = cluster.defaults.iter().chain(&cluster.controlplane).chain(cluster.groups.values());
    !has_own_mask_sizes(check, patches) && (is_size_known || !(installs_no_cni(check, patches) || layers.any(mentions)))
}

/// Whether raw patches of a layer may choose the network plugin or the size of a node's part: they name it, or are files.
fn may_set_cni(patches: &Value) -> bool {
    let is_about = |text: &str| text.contains("cni") || text.contains("CNI") || text.contains("node-cidr-mask-size");
    match patches {
        Value::Object(entries) => {
            entries.iter().any(|(key, value)| key == "file" || is_about(key) || may_set_cni(value))
        }
        Value::Array(items) => items.iter().any(may_set_cni),
        Value::String(text) => is_about(text),
        _ => false,
    }
}
