//! The main document's cluster.

use talosmith_document::Code;

use super::{Rules, format, network, pods};
use crate::config::Document;
use crate::value::Value;

/// The section `cluster`.
pub(crate) fn check_cluster(rules: &mut Rules<'_, '_>, document: &Document<'_>, is_control_plane: bool) {
    let Some(cluster) = document.value.at("cluster") else {
        return rules.refuse(document, "cluster", "the main document has no `cluster`", "do not delete it");
    };
    endpoint(rules, document, cluster);
    let domain = cluster.text("network.dnsDomain");
    if !domain.is_empty() && !is_domain(domain) {
        let message = format!("`{domain}` is no name that DNS accepts");
        rules.refuse(document, "cluster.network.dnsDomain", message, "write it as `cluster.local`");
    }
    if is_control_plane && (cluster.has("network") || !rules.config.since(14)) {
        cni(rules, document, cluster);
    }
    manifests(rules, document, cluster);
    etcd(rules, document, cluster, is_control_plane);
    if !is_control_plane && !cluster.text("ca.key").is_empty() {
        let message = "a worker must not have `cluster.ca.key`";
        rules.find(Code::ControlPlaneOnly, document, "cluster.ca.key", message, "remove the key");
    }
    discovery(rules, document, cluster);
    api_server(rules, document, cluster);
    for program in ["apiServer", "controllerManager", "scheduler"] {
        pods::resources(rules, document, &format!("cluster.{program}.resources"));
    }
}

fn endpoint(rules: &mut Rules<'_, '_>, document: &Document<'_>, cluster: &Value<'_>) {
    let path = "cluster.controlPlane.endpoint";
    let endpoint = cluster.text("controlPlane.endpoint");
    let is_needed = !rules.config.since(14) || cluster.has("controlPlane");
    if is_needed && endpoint.is_empty() {
        let help = if rules.config.since(14) {
            "remove the whole section `cluster.controlPlane`; KubeAPIServerConfig has the port"
        } else {
            "do not delete it"
        };
        rules.refuse(document, path, "`cluster.controlPlane` has no `endpoint`", help);
    } else if !endpoint.is_empty() && !format::endpoint(endpoint) {
        let message = format!("`{endpoint}` is no endpoint of a cluster");
        rules.refuse(document, path, message, "write it as `https://192.0.2.1:6443`");
    }
    if rules.config.since(14) && cluster.has("serviceAccount") && endpoint.is_empty() {
        let message = "`cluster.serviceAccount` needs `cluster.controlPlane.endpoint`";
        rules.refuse(document, "cluster.serviceAccount", message, "write a KubeServiceAccountConfig instead");
    }
}

fn is_domain(text: &str) -> bool {
    let text = text.strip_suffix(['.', '_']).unwrap_or(text);
    let is_part = |part: &str| {
        let legal = |each: char| each.is_ascii_alphanumeric() || each == '_' || each == '-';
        (1..=63).contains(&part.len()) && part.chars().all(legal) && !part.starts_with('-')
    };
    text.split('.').all(is_part) && text.len() - text.matches('.').count() <= 255
}

fn cni(rules: &mut Rules<'_, '_>, document: &Document<'_>, cluster: &Value<'_>) {
    let Some(cni) = cluster.at("network.cni") else { return };
    let name = cni.text("name");
    let urls = cni.items("urls");
    if !matches!(name, "flannel" | "custom" | "none") {
        let message = format!("there is no CNI `{name}`");
        return rules.refuse(document, "cluster.network.cni.name", message, "write `flannel`, `custom` or `none`");
    }
    if name != "custom" && !urls.is_empty() {
        let message = format!("the CNI `{name}` takes no `urls`");
        rules.refuse(document, "cluster.network.cni.urls", message, "remove `urls`, or write `name: custom`");
    }
    if name != "flannel" {
        let policies = rules.config.since(13) && cni.is_true("flannel.kubeNetworkPoliciesEnabled");
        if !cni.items("flannel.extraArgs").is_empty() || policies {
            let message = format!("options of flannel stand beside the CNI `{name}`");
            rules.refuse(document, "cluster.network.cni.flannel", message, "remove `flannel`");
        }
    }
    if name == "custom" {
        for url in urls.iter().filter(|url| !format::endpoint(url.scalar())) {
            rules.refuse_value(document, url, format!("`{}` is no URL", url.scalar()), "write it as `https://..`");
        }
    }
}

fn manifests(rules: &mut Rules<'_, '_>, document: &Document<'_>, cluster: &Value<'_>) {
    let mut names: Vec<&str> = Vec::new();
    for manifest in cluster.items("inlineManifests") {
        let name = manifest.text("name");
        let at = manifest.get("name").unwrap_or(manifest);
        if name.trim().is_empty() {
            rules.refuse_value(document, at, "an inline manifest has no name", "add `name`");
        }
        if names.contains(&name) {
            let message = format!("two inline manifests have the name `{name}`");
            rules.refuse_value(document, at, message, "give each its own");
        }
        names.push(name);
    }
    let urls = cluster.items("externalCloudProvider.manifests");
    if cluster.has("externalCloudProvider") && !cluster.is_true("externalCloudProvider.enabled") && !urls.is_empty() {
        let message = "the external cloud provider has manifests and is not enabled";
        rules.refuse(document, "cluster.externalCloudProvider.manifests", message, "add `enabled: true`");
    } else {
        for url in urls.iter().filter(|url| !format::endpoint(url.scalar())) {
            rules.refuse_value(document, url, format!("`{}` is no URL", url.scalar()), "write it as `https://..`");
        }
    }
}

fn etcd(rules: &mut Rules<'_, '_>, document: &Document<'_>, cluster: &Value<'_>, is_control_plane: bool) {
    let Some(etcd) = cluster.at("etcd") else { return };
    if !is_control_plane {
        let message = "a worker has no etcd";
        return rules.find(Code::ControlPlaneOnly, document, "cluster.etcd", message, "remove `cluster.etcd`");
    }
    if !etcd.has("ca") {
        rules.refuse(
            document,
            "cluster.etcd.ca",
            "`cluster.etcd` has no `ca`",
            "do not delete it: it is the cluster's",
        );
    }
    let advertised = etcd.items("advertisedSubnets");
    let subnet = etcd.text("subnet");
    if !subnet.is_empty() && !advertised.is_empty() {
        let message = "`etcd.subnet` stands beside `etcd.advertisedSubnets`";
        rules.refuse(document, "cluster.etcd.subnet", message, "remove `subnet`");
    } else if !subnet.is_empty() && !format::filter(subnet) {
        let message = format!("`{subnet}` is no network");
        rules.refuse(document, "cluster.etcd.subnet", message, "write it as `192.0.2.0/24`");
    }
    network::filters(rules, document, advertised);
    network::filters(rules, document, etcd.items("listenSubnets"));
}

fn discovery(rules: &mut Rules<'_, '_>, document: &Document<'_>, cluster: &Value<'_>) {
    if !cluster.is_true("discovery.enabled") || cluster.is_true("discovery.registries.service.disabled") {
        return;
    }
    let path = "cluster.discovery.registries.service.endpoint";
    let endpoint = cluster.text("discovery.registries.service.endpoint");
    let url = format::url(endpoint);
    if !endpoint.is_empty() && ((url.scheme.is_empty() && !endpoint.starts_with('/')) || !matches!(url.path, "" | "/"))
    {
        let message = format!("`{endpoint}` is no endpoint of a discovery service");
        rules.refuse(document, path, message, "write it as `https://discovery.talos.dev/`");
    }
    for field in ["id", "secret"] {
        if cluster.text(field).is_empty() {
            let path = format!("cluster.{field}");
            rules.refuse(document, &path, format!("discovery needs `{path}`"), "do not delete it: it is the cluster's");
        }
    }
}

fn api_server(rules: &mut Rules<'_, '_>, document: &Document<'_>, cluster: &Value<'_>) {
    let authorizers = cluster.items("apiServer.authorizationConfig");
    if authorizers.is_empty() {
        return;
    }
    for field in cluster.fields("apiServer.extraArgs") {
        if field.key == "authorization-mode" || field.key.starts_with("authorization-webhook-") {
            let message = format!("the argument `{}` stands beside `authorizationConfig`", field.key);
            rules.refuse_value(document, &field.value, message, "keep one of the two");
        }
    }
    for authorizer in authorizers {
        if authorizer.text("name").is_empty() {
            rules.refuse_value(document, authorizer, "an authorizer has no `name`", "add `name`");
        }
        let kind = authorizer.text("type");
        if !matches!(kind, "Node" | "RBAC" | "Webhook") {
            let message = format!("there is no authorizer of the type `{kind}`");
            let at = authorizer.get("type").unwrap_or(authorizer);
            rules.refuse_value(document, at, message, "write `Node`, `RBAC` or `Webhook`");
        }
    }
}
