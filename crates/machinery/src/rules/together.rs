//! Rules on all documents together, which Talos has since 1.14.

use talosmith_document::Code;

use super::Rules;
use super::main_document::is_control_plane;
use super::network::is_encrypted;
use super::section::Section;
use crate::placeholder::is_unknown;

/// Kinds that only control planes may have.
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

pub(crate) fn check_together(rules: &Rules<'_>) {
    let Some(main) = rules.config.main().filter(|_| rules.config.since(14)) else { return };
    let main = Section::new(rules, main);
    if !is_control_plane(main.value) {
        for document in rules.config.documents.iter().filter(|document| CONTROL_PLANE.contains(&document.kind)) {
            let message = format!("{} is for control planes alone", document.title());
            Section::new(rules, document).find(
                Code::ControlPlaneOnly,
                "kind",
                message,
                "remove the document from this worker",
            );
        }
    }
    check_resolver(main);
    check_discovery(main);
    check_kubernetes(main);
    check_containers(rules);
}

fn first<'r>(main: Section<'r>, kind: &str) -> Option<Section<'r>> {
    main.config().first(kind).map(|document| Section::new(main.rules, document))
}

fn check_resolver(main: Section<'_>) {
    let Some(resolver) = first(main, "ResolverConfig") else { return };
    if resolver.may_be_true("hostDNS.enabled") || main.may_be_true("machine.features.hostDNS.enabled") {
        return;
    }
    if let Some(server) = resolver.items("nameservers").find(|server| is_encrypted(*server)) {
        let message = "a nameserver with encryption needs the host's DNS";
        server.refuse("", message, "add `hostDNS: { enabled: true }`");
    }
}

fn check_discovery(main: Section<'_>) {
    let is_legacy =
        main.is_true("cluster.discovery.enabled") && !main.is_true("cluster.discovery.registries.service.disabled");
    let service = first(main, "DiscoveryServiceConfig");
    if is_legacy || service.is_some() {
        let is_known = match first(main, "DiscoveryIdentityConfig") {
            Some(identity) if !main.is_filled("cluster.id") && !main.is_filled("cluster.secret") => {
                identity.is_filled("clusterID") && identity.is_filled("clusterSecret")
            }
            _ => main.is_filled("cluster.id") && main.is_filled("cluster.secret"),
        };
        if !is_known {
            let at = service.filter(|service| service.document.origin.is_some()).unwrap_or(main);
            let message = "discovery needs the ID and the secret of the cluster";
            at.refuse("kind", message, "keep DiscoveryIdentityConfig, or `cluster.id` and `cluster.secret`");
        }
    }
    let (kubespan, path) = match first(main, "KubeSpanConfig") {
        Some(document) => (document, "enabled"),
        None => (main, "machine.network.kubespan.enabled"),
    };
    if kubespan.is_true(path) && !is_legacy && service.is_none() {
        kubespan.refuse(path, "KubeSpan needs discovery", "add a DiscoveryServiceConfig");
    }
}

fn check_kubernetes(main: Section<'_>) {
    let ca = first(main, "KubeAPIServerCAConfig");
    if ca.is_none() && !main.has("cluster.ca") && !main.is_filled("cluster.acceptedCAs") {
        return;
    }
    let at = ca.filter(|ca| ca.document.origin.is_some()).unwrap_or(main);
    let has_secret =
        main.is_filled("cluster.secretboxEncryptionSecret") || main.is_filled("cluster.aescbcEncryptionSecret");
    if is_control_plane(main.value) && !has_secret && first(main, "KubeEtcdEncryptionConfig").is_none() {
        let message = "a control plane needs a KubeEtcdEncryptionConfig";
        at.refuse("cluster.secretboxEncryptionSecret", message, "do not delete it: it is the cluster's");
    }
    if !main.is_filled("cluster.controlPlane.endpoint") && first(main, "KubeClusterConfig").is_none() {
        at.refuse("cluster.controlPlane.endpoint", "the cluster has no endpoint", "keep KubeClusterConfig");
    }
}

fn check_containers(rules: &Rules<'_>) {
    for container in rules.config.all("ContainerConfig").map(|document| Section::new(rules, document)) {
        for item in container.items("dependsOn.containers") {
            let wanted = item.scalar();
            let is_named = |name: &str| name == wanted || is_unknown(name);
            if !rules.config.all("ContainerConfig").any(|other| is_named(other.name)) {
                let message = format!("{} waits for the container `{wanted}`, which does not exist", container.title());
                item.refuse("", message, "remove the item, or add the container");
            } else if wanted != container.name() && waits(rules, wanted, container.name(), &mut Vec::new()) {
                let message = format!("{} and `{wanted}` wait for each other", container.title());
                item.refuse("", message, "remove one of the two");
            }
        }
    }
}

/// Whether a container waits for another, directly or not.
fn waits<'r>(rules: &'r Rules<'_>, name: &'r str, target: &str, seen: &mut Vec<&'r str>) -> bool {
    if super::section::is_repeated(seen, name) {
        return false;
    }
    let Some(at) = rules.config.position("ContainerConfig", name) else { return false };
    let wanted = rules.config.documents[at].value.items("dependsOn.containers");
    wanted.iter().any(|item| item.scalar() == target || waits(rules, item.scalar(), target, seen))
}
