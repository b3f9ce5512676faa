//! Rules on all documents together, which Talos has since 1.14.

use talosmith_document::Code;

use super::{Rules, main_document};
use crate::config::Document;

/// Kinds for control planes alone.
const CONTROL_PLANE: [&str; 14] = [
    "KubeAPIServerConfig",
    "KubeAdmissionControlConfig",
    "KubeAggregatorCAConfig",
    "KubeAuditPolicyConfig",
    "KubeAuthenticationConfig",
    "KubeAuthorizerConfig",
    "KubeControllerManagerConfig",
    "KubeCoreDNSConfig",
    "KubeEtcdEncryptionConfig",
    "KubeFlannelCNIConfig",
    "KubeProxyConfig",
    "KubeSchedulerConfig",
    "KubeServiceAccountConfig",
    "KubeTalosAPIAccessConfig",
];

/// Judges the documents together.
pub(crate) fn check_together(rules: &mut Rules<'_, '_>) {
    let config = rules.config;
    if !config.since(14) {
        return;
    }
    let Some(main) = config.main() else { return };
    let is_control_plane = main_document::is_control_plane(&main.value);
    if !is_control_plane {
        for document in config.documents.iter().filter(|document| CONTROL_PLANE.contains(&document.kind)) {
            let message = format!("{} is for control planes alone", document.title());
            rules.find(Code::ControlPlaneOnly, document, "kind", message, "remove the document from this worker");
        }
    }
    resolvers(rules, main);
    discovery(rules, main);
    kubernetes(rules, main, is_control_plane);
    containers(rules);
}

fn resolvers(rules: &mut Rules<'_, '_>, main: &Document<'_>) {
    let Some(resolver) = rules.config.first("ResolverConfig") else { return };
    let servers = resolver.value.items("nameservers");
    let encrypted = servers.iter().find(|server| matches!(server.word("protocol").as_str(), "dot" | "doh"));
    let has_host_dns =
        resolver.value.is_true("hostDNS.enabled") || main.value.is_true("machine.features.hostDNS.enabled");
    if let Some(server) = encrypted.filter(|_| !has_host_dns) {
        let message = "a nameserver with encryption needs the host's DNS";
        rules.refuse_value(resolver, server, message, "add `hostDNS: { enabled: true }`");
    }
}

fn discovery<'r>(rules: &mut Rules<'r, '_>, main: &'r Document<'r>) {
    let config = rules.config;
    let legacy = main.value.is_true("cluster.discovery.enabled")
        && !main.value.is_true("cluster.discovery.registries.service.disabled");
    let service = config.first("DiscoveryServiceConfig");
    if legacy || service.is_some() {
        let at = service.filter(|service| service.origin.is_some()).unwrap_or(main);
        let (id, secret) = (main.value.text("cluster.id"), main.value.text("cluster.secret"));
        let (id, secret) = match config.first("DiscoveryIdentityConfig") {
            Some(identity) if id.is_empty() && secret.is_empty() => {
                (identity.value.text("clusterID"), identity.value.text("clusterSecret"))
            }
            _ => (id, secret),
        };
        if id.is_empty() || secret.is_empty() {
            let message = "discovery needs the ID and the secret of the cluster";
            rules.refuse(at, "kind", message, "keep DiscoveryIdentityConfig, or `cluster.id` and `cluster.secret`");
        }
    }
    let kubespan = config.first("KubeSpanConfig");
    let (document, path) = match kubespan {
        Some(document) => (document, "enabled"),
        None => (main, "machine.network.kubespan.enabled"),
    };
    if document.value.is_true(path) && !legacy && service.is_none() {
        rules.refuse(document, path, "KubeSpan needs discovery", "add a DiscoveryServiceConfig");
    }
}

fn kubernetes<'r>(rules: &mut Rules<'r, '_>, main: &'r Document<'r>, is_control_plane: bool) {
    let config = rules.config;
    let ca = config.first("KubeAPIServerCAConfig");
    if ca.is_none() && !main.value.has("cluster.ca") && main.value.items("cluster.acceptedCAs").is_empty() {
        return;
    }
    let at = ca.filter(|ca| ca.origin.is_some()).unwrap_or(main);
    let has_secret = !main.value.text("cluster.secretboxEncryptionSecret").is_empty()
        || !main.value.text("cluster.aescbcEncryptionSecret").is_empty();
    if is_control_plane && !has_secret && config.first("KubeEtcdEncryptionConfig").is_none() {
        let message = "a control plane needs a KubeEtcdEncryptionConfig";
        rules.refuse(at, "cluster.secretboxEncryptionSecret", message, "do not delete it: it is the cluster's");
    }
    if main.value.text("cluster.controlPlane.endpoint").is_empty() && config.first("KubeClusterConfig").is_none() {
        let message = "the cluster has no endpoint";
        rules.refuse(at, "cluster.controlPlane.endpoint", message, "keep KubeClusterConfig");
    }
}

fn containers(rules: &mut Rules<'_, '_>) {
    let config = rules.config;
    for container in config.all("ContainerConfig") {
        for item in container.value.items("dependsOn.containers") {
            let wanted = item.scalar();
            if config.position("ContainerConfig", wanted).is_none() {
                let message = format!("{} waits for the container `{wanted}`, which is not there", container.title());
                rules.refuse_value(container, item, message, "remove the item, or add the container");
            } else if wanted != container.name && waits(rules, wanted, container.name, &mut Vec::new()) {
                let message = format!("{} and `{wanted}` wait for each other", container.title());
                rules.refuse_value(container, item, message, "remove one of the two");
            }
        }
    }
}

/// Whether a container waits for another, over others or not.
fn waits(rules: &Rules<'_, '_>, name: &str, target: &str, seen: &mut Vec<String>) -> bool {
    if seen.iter().any(|other| other == name) {
        return false;
    }
    seen.push(name.to_owned());
    let Some(at) = rules.config.position("ContainerConfig", name) else { return false };
    let wanted = rules.config.documents[at].value.items("dependsOn.containers");
    wanted.iter().any(|item| item.scalar() == target || waits(rules, item.scalar(), target, seen))
}
