//! The documents of Kubernetes.

use super::formats;
use super::kubelet::check_kubelet;
use super::labels::check_labels;
use super::section::Section;
use ipnet::IpNet;

use crate::format::prefix;

/// Beginnings of arguments of kube-apiserver for which Talos has documents.
const API_SERVER: [(&str, &str); 6] = [
    ("anonymous-auth", "KubeAuthenticationConfig"),
    ("oidc-", "KubeAuthenticationConfig"),
    ("authentication-config", "KubeAuthenticationConfig"),
    ("authorization-config", "KubeAuthorizerConfig"),
    ("authorization-mode", "KubeAuthorizerConfig"),
    ("authorization-webhook-", "KubeAuthorizerConfig"),
];

/// Roles of the Talos API; the last two since 1.13.
const ROLES: [&str; 7] = [
    "os:admin",
    "os:operator",
    "os:reader",
    "os:etcd:backup",
    "os:impersonator",
    "os:image:verifier",
    "os:meta:writer",
];

/// Returns the kind of the document that Talos has for an argument of kube-apiserver, with which it refuses the argument in a
/// KubeAPIServerConfig; none for other arguments.
pub fn document_of_argument(name: &str) -> Option<&'static str> {
    API_SERVER.iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| *kind)
}

pub(crate) fn check_kubernetes(document: Section<'_>) {
    match document.document.kind {
        "KubeAPIServerConfig" => {
            for (key, argument) in document.entries("extraArgs") {
                if let Some(kind) = document_of_argument(key) {
                    let message = format!("kube-apiserver does not accept the argument `{key}` here");
                    argument.refuse("", message, format!("write a {kind} document instead"));
                }
            }
            check_resources(document, "resources");
        }
        "KubeControllerManagerConfig" | "KubeSchedulerConfig" | "KubeProxyConfig" => {
            if document.value.flag("enabled") != Some(false) {
                document.require("image");
            }
            check_resources(document, "resources");
        }
        "KubeAggregatorCAConfig" | "KubeAPIServerCAConfig" => check_identity(document, "issuingCA"),
        "KubeAuthorizerConfig" if document.text("type") == "Webhook" => document.require("webhook"),
        "KubeFlannelCNIConfig" => check_resources(document, "resources"),
        "KubeletConfig" => check_kubelet(document, "config"),
        "KubeNetworkConfig" => check_subnets(document),
        "KubeNodeConfig" => check_labels(document, "labels", "annotations", "taints"),
        "KubeServiceAccountConfig" => document.require_format("issuer.privateKey", &formats::PEM_PRIVATE_KEY),
        "KubeTalosAPIAccessConfig" => check_roles(document, "allowedRoles"),
        _ => {}
    }
}

pub(crate) fn check_roles<'r>(document: Section<'r>, path: &'r str) {
    document.require_values(path, if document.since(13) { &ROLES } else { &ROLES[..5] });
}

/// Checks what a pod requests, and its limits.
pub(crate) fn check_resources<'r>(document: Section<'r>, path: &'r str) {
    let Some(resources) = document.section(path) else { return };
    let entries = resources.entries("requests").chain(resources.entries("limits"));
    for (key, value) in entries.filter(|(key, _)| !matches!(*key, "memory" | "cpu")) {
        value.refuse("", format!("the resource `{key}` cannot be set here"), "write `cpu` and `memory` alone");
    }
}

/// Checks a certificate and its key.
pub(crate) fn check_identity<'r>(document: Section<'r>, path: &'r str) {
    let Some(identity) = document.section(path) else { return };
    for (field, format) in [("cert", &formats::PEM_CERTIFICATES), ("key", &formats::PEM)] {
        if !identity.is_filled(field) {
            let message = format!("`{path}` of {} has no `{field}`", document.title());
            identity.refuse(field, message, format!("add `{path}.{field}`"));
        }
        identity.require_format(field, format);
    }
}

fn check_subnets(document: Section<'_>) {
    document.require_range("nodeCIDRMaskSizeIPv4", 0, 32);
    document.require_range("nodeCIDRMaskSizeIPv6", 0, 128);
    let count = |path| document.items(path).len();
    for path in ["podSubnets", "serviceSubnets"] {
        if !(1..=2).contains(&count(path)) {
            let message = format!("`{path}` has {} networks, not one or two", count(path));
            document.refuse(path, message, "write one network of IPv4, one of IPv6, or one of each");
        }
        let mut families = Vec::new();
        for item in document.items(path) {
            let Some(network) = prefix(item.scalar()) else { continue };
            let is_ipv4 = network.addr().is_ipv4();
            if let Some(fault) = subnet_fault(document, path, network, families.contains(&is_ipv4)) {
                item.refuse("", format!("the network {} {fault}", item.scalar()), "write another network");
            }
            families.push(is_ipv4);
        }
    }
    if count("podSubnets") != count("serviceSubnets") {
        let message = "`podSubnets` and `serviceSubnets` have different numbers of networks";
        document.refuse("serviceSubnets", message, "write one of each family in both");
    }
}

fn subnet_fault(document: Section<'_>, path: &str, network: IpNet, is_second: bool) -> Option<&'static str> {
    let (field, default, most) = match network.addr().is_ipv4() {
        true => ("nodeCIDRMaskSizeIPv4", 24, 32),
        false => ("nodeCIDRMaskSizeIPv6", 64, 128),
    };
    // The length of a node's part of the network of the pods.
    let node = match document.number(field) {
        _ if path != "podSubnets" => None,
        None | Some(0) => Some(default),
        Some(length) => u8::try_from(length).ok().filter(|length| (1..=most).contains(length)),
    };
    let length = network.prefix_len();
    let host_bits = network.max_prefix_len() - length;
    Some(match node {
        _ if network.addr() != network.network() => "has host bits set",
        _ if host_bits < 4 => "is too small",
        _ if path == "serviceSubnets" && host_bits > 20 => "is too large, it has more than 20 bits for hosts",
        Some(node) if length > node => "is smaller than a node's part of it",
        Some(node) if node - length > 16 => "is too large for a node's part of it",
        _ if is_second => "is the second of its family",
        _ => return None,
    })
}
