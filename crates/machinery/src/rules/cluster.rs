//! The main document's cluster.

use talosmith_document::Code;

use super::formats;
use super::kubernetes::check_resources;
use super::main_document::is_control_plane;
use super::section::{Section, is_repeated};

pub(crate) fn check_cluster(main: Section<'_>) {
    let Some(cluster) = main.section("cluster") else {
        return main.refuse("cluster", "the main document has no `cluster`", "do not delete it");
    };
    let is_control_plane = is_control_plane(main.value);
    check_endpoint(cluster);
    if is_control_plane && let Some(cni) = cluster.section("network.cni") {
        check_cni(cni);
    }
    check_manifests(cluster);
    check_etcd(cluster, is_control_plane);
    check_discovery(cluster);
    check_authorizers(cluster);
    for path in ["apiServer.resources", "controllerManager.resources", "scheduler.resources"] {
        check_resources(cluster, path);
    }
}

fn check_endpoint(cluster: Section<'_>) {
    let path = "controlPlane.endpoint";
    if (!cluster.since(14) || cluster.has("controlPlane")) && !cluster.is_filled(path) {
        let help = match cluster.since(14) {
            true => "remove the whole section `cluster.controlPlane`; KubeAPIServerConfig has the port",
            false => "do not delete it",
        };
        cluster.refuse(path, "`cluster.controlPlane` has no `endpoint`", help);
    }
    cluster.require_format(path, &formats::CLUSTER_ENDPOINT);
    if cluster.since(14) && cluster.has("serviceAccount") && !cluster.is_filled(path) {
        let message = "`cluster.serviceAccount` needs `cluster.controlPlane.endpoint`";
        cluster.refuse("serviceAccount", message, "write a KubeServiceAccountConfig instead");
    }
}

fn check_cni(cni: Section<'_>) {
    if cni.is_unknown("name") {
        return;
    }
    let name = cni.text("name");
    cni.require("name");
    cni.require_value("name", &["flannel", "custom", "none"]);
    if name == "custom" {
        cni.require_formats("urls", &formats::MANIFEST);
    } else if cni.is_filled("urls") {
        let message = format!("`urls` cannot be combined with the CNI `{name}`");
        cni.refuse("urls", message, "remove `urls`, or write `name: custom`");
    }
    let has_policies = cni.since(13) && cni.is_true("flannel.kubeNetworkPoliciesEnabled");
    if name != "flannel" && (cni.is_filled("flannel.extraArgs") || has_policies) {
        let message = format!("options of flannel cannot be combined with the CNI `{name}`");
        cni.refuse("flannel", message, "remove `flannel`");
    }
}

fn check_manifests(cluster: Section<'_>) {
    let mut names = Vec::new();
    for manifest in cluster.items("inlineManifests") {
        let name = manifest.text("name").trim();
        if name.is_empty() {
            manifest.refuse("name", "an inline manifest has no `name`", "add `name`");
        } else if is_repeated(&mut names, manifest.text("name")) {
            manifest.refuse("name", format!("two inline manifests have the name `{name}`"), "rename one of the two");
        }
    }
    let manifests = "externalCloudProvider.manifests";
    if cluster.is_filled(manifests) && !cluster.may_be_true("externalCloudProvider.enabled") {
        let message = "the external cloud provider has manifests and is not enabled";
        cluster.refuse(manifests, message, "add `enabled: true`");
    } else {
        cluster.require_formats(manifests, &formats::MANIFEST);
    }
}

fn check_etcd(cluster: Section<'_>, is_control_plane: bool) {
    let Some(etcd) = cluster.section("etcd") else { return };
    if !is_control_plane {
        let message = "a worker has no etcd";
        return cluster.find(Code::ControlPlaneOnly, "etcd", message, "remove `cluster.etcd`");
    }
    if !etcd.has("ca") {
        etcd.refuse("ca", "`cluster.etcd` has no `ca`", cluster.restoring("etcd.ca.crt"));
    }
    if etcd.is_filled("subnet") && etcd.is_filled("advertisedSubnets") {
        etcd.refuse("subnet", "`subnet` cannot be combined with `advertisedSubnets`", "remove `subnet`");
    } else {
        etcd.require_format("subnet", &formats::FILTER);
    }
}

fn check_discovery(cluster: Section<'_>) {
    if !cluster.is_true("discovery.enabled") || cluster.is_true("discovery.registries.service.disabled") {
        return;
    }
    cluster.require_format("discovery.registries.service.endpoint", &formats::OLD_DISCOVERY_ENDPOINT);
    for path in ["id", "secret"] {
        if !cluster.is_filled(path) {
            cluster.refuse(path, format!("discovery needs `cluster.{path}`"), cluster.restoring(path));
        }
    }
}

fn check_authorizers(cluster: Section<'_>) {
    if !cluster.is_filled("apiServer.authorizationConfig") {
        return;
    }
    for (key, argument) in cluster.entries("apiServer.extraArgs") {
        if key == "authorization-mode" || key.starts_with("authorization-webhook-") {
            let message = format!("the argument `{key}` cannot be combined with `authorizationConfig`");
            argument.refuse("", message, "keep one of the two");
        }
    }
}
