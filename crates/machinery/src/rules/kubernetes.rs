//! The documents of Kubernetes.

use super::{Rules, format, labels, network, pods, registries};
use crate::config::Document;
use crate::value::Value;

/// Fields of the kubelet's configuration that Talos writes itself.
pub(crate) const KUBELET: [&str; 13] = [
    "apiVersion",
    "authentication",
    "authorization",
    "cgroupRoot",
    "kind",
    "kubeletCgroups",
    "port",
    "protectKernelDefaults",
    "resolvConf",
    "rotateCertificates",
    "systemCgroups",
    "staticPodPath",
    "seccompDefault",
];

/// A document of Kubernetes.
pub(crate) fn check_kubernetes(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let value = &document.value;
    match document.kind {
        "KubeAdmissionControlConfig" => rules.require_name(document),
        "KubeAPIServerConfig" => pods::api_server(rules, document),
        "KubeControllerManagerConfig" | "KubeSchedulerConfig" => pods::optional(rules, document),
        "KubeProxyConfig" => pods::proxy(rules, document),
        "KubeAggregatorCAConfig" | "KubeAPIServerCAConfig" => {
            if document.kind == "KubeAggregatorCAConfig" && !value.has("issuingCA") {
                rules.refuse(document, "issuingCA", "KubeAggregatorCAConfig has no `issuingCA`", "add `issuingCA`");
            }
            if value.has("issuingCA") {
                registries::identity(rules, document, "issuingCA");
            }
            registries::certificates(rules, document, value.items("acceptedCAs"));
        }
        "KubeAuthorizerConfig" => authorizer(rules, document),
        "KubeClusterConfig" => {
            rules.require(document, "clusterName");
            rules.require(document, "endpoint");
            let endpoint = value.text("endpoint");
            if !endpoint.is_empty() && !format::endpoint(endpoint) {
                let message = format!("`{endpoint}` is no endpoint of a cluster");
                rules.refuse(document, "endpoint", message, "write it as `https://192.0.2.1:6443`");
            }
        }
        "KubeEtcdEncryptionConfig" if value.fields("config").is_empty() => {
            rules.refuse(document, "config", "KubeEtcdEncryptionConfig has no `config`", "add `config`");
        }
        "KubeExternalManifestConfig" | "KubeInlineManifestConfig" | "KubeStaticPodConfig" => manifest(rules, document),
        "KubeFlannelCNIConfig" => {
            rules.require(document, "backendType");
            pods::resources(rules, document, "resources");
        }
        "KubeletConfig" => {
            rules.require(document, "image");
            protected(rules, document, "config");
        }
        "KubePrismConfig" if value.number("port").is_none_or(|port| !(1..=65535).contains(&port)) => {
            rules.refuse(document, "port", "KubePrismConfig has no `port` from 1 to 65535", "add `port: 7445`");
        }
        "KubeNetworkConfig" => subnets(rules, document),
        "KubeNodeConfig" => {
            network::filters(rules, document, value.items("nodeIP.validSubnets"));
            labels::check_labels(rules, document, "labels", "annotations", "taints");
        }
        "KubeServiceAccountConfig" => {
            rules.require(document, "issuer.privateKey");
            rules.require(document, "issuer.issuerURL");
            let key = value.at("issuer.privateKey");
            let readable =
                |key: &Value<'_>| format::pem(key.scalar()).iter().any(|(kind, _)| kind.ends_with("PRIVATE KEY"));
            if Rules::is_written(key) && key.is_some_and(|key| registries::is_literal(key.scalar()) && !readable(key)) {
                let message = "`issuer.privateKey` holds no key in PEM";
                rules.refuse(document, "issuer.privateKey", message, "write `-----BEGIN ..` and so on");
            }
        }
        "KubeTalosAPIAccessConfig" => roles(rules, document, "allowedRoles"),
        _ => {}
    }
}

/// Refuses what Talos writes into the kubelet's configuration itself.
pub(crate) fn protected(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    for field in document.value.fields(path).iter().filter(|field| KUBELET.contains(&&*field.key)) {
        let message = format!("Talos writes `{}` of the kubelet's configuration itself", field.key);
        rules.refuse_value(document, &field.value, message, format!("remove `{}`", field.key));
    }
}

/// Judges roles of Talos's API.
pub(crate) fn roles(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    let old = ["os:admin", "os:operator", "os:reader", "os:etcd:backup", "os:impersonator"];
    let new = ["os:image:verifier", "os:meta:writer"];
    let known = if rules.config.since(13) { [&old[..], &new].concat() } else { old.to_vec() };
    for role in document.value.items(path).iter().filter(|role| !known.contains(&role.scalar())) {
        let message = format!("there is no role `{}`", role.scalar());
        rules.refuse_value(document, role, message, format!("choose from {}", known.join(", ")));
    }
}

fn authorizer(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let kind = document.value.text("type");
    if !matches!(kind, "Node" | "RBAC" | "Webhook") {
        let message = format!("there is no authorizer of the type `{kind}`");
        rules.refuse(document, "type", message, "write `Node`, `RBAC` or `Webhook`");
    }
    if kind == "Webhook" && document.value.fields("webhook").is_empty() {
        rules.refuse(document, "webhook", "an authorizer of the type Webhook has no `webhook`", "add `webhook`");
    }
}

fn manifest(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    if !document.name.is_empty() && !labels::is_subdomain(document.name) {
        let message = format!("the name `{}` is no name that DNS accepts", document.name);
        rules.refuse(document, "name", message, "write lower-case letters, digits, `-` and `.`");
    }
    match document.kind {
        "KubeExternalManifestConfig" => {
            let url = document.value.text("url");
            if !matches!(format::url(url).scheme.as_str(), "http" | "https") {
                let message = format!("the manifest `{url}` is not reached over http or https");
                rules.refuse(document, "url", message, "write it as `https://..`");
            }
        }
        "KubeStaticPodConfig" if document.value.fields("pod").is_empty() => {
            rules.refuse(document, "pod", format!("{} has no `pod`", document.title()), "add `pod`");
        }
        _ => {}
    }
}

fn subnets(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let value = &document.value;
    let mask = |path: &str, most: i128| match value.number(path).unwrap_or_default() {
        0 => Ok(None),
        bits if (1..=most).contains(&bits) => Ok(u32::try_from(bits).ok()),
        _ => Err(()),
    };
    let (four, six) = (mask("nodeCIDRMaskSizeIPv4", 32), mask("nodeCIDRMaskSizeIPv6", 128));
    for (path, mask, most) in [("nodeCIDRMaskSizeIPv4", four, 32), ("nodeCIDRMaskSizeIPv6", six, 128)] {
        if mask.is_err() {
            let message = format!("`{path}` is not between 1 and {most}");
            rules.refuse(document, path, message, "write the length of a node's network");
        }
    }
    let (pods, services) = (value.items("podSubnets"), value.items("serviceSubnets"));
    for (path, items) in [("podSubnets", pods), ("serviceSubnets", services)] {
        if items.is_empty() || items.len() > 2 {
            let message = format!("`{path}` has {} networks, not one or two", items.len());
            rules.refuse(document, path, message, "write one network of IPv4, one of IPv6, or one of each");
        }
        let mut families = Vec::new();
        for item in items {
            let Some((address, length)) = format::prefix(item.scalar()) else { continue };
            let bits = format::width(address);
            let wanted = match (path, address.is_ipv4()) {
                ("podSubnets", true) => four.map(|mask| mask.unwrap_or(24)).ok(),
                ("podSubnets", false) => six.map(|mask| mask.unwrap_or(64)).ok(),
                _ => None,
            };
            let fault = if format::masked((address, length)) != address {
                "has host bits set"
            } else if bits - length < 4 {
                "is too small"
            } else if path == "serviceSubnets" && bits - length > 20 {
                "is too large, it has more than 20 bits for hosts"
            } else if wanted.is_some_and(|wanted| length > wanted) {
                "is smaller than a node's part of it"
            } else if wanted.is_some_and(|wanted| wanted - length > 16) {
                "is too large for a node's part of it"
            } else if families.contains(&bits) {
                "is the second of its family"
            } else {
                ""
            };
            if !fault.is_empty() {
                let message = format!("the network {} {fault}", item.scalar());
                rules.refuse_value(document, item, message, "write another network");
            }
            families.push(bits);
        }
    }
    if pods.len() != services.len() {
        let message = "`podSubnets` and `serviceSubnets` have not the same number of networks";
        rules.refuse(document, "serviceSubnets", message, "write one of each family in both");
    }
}
