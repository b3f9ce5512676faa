//! What Talos accepts and the node then fails on: volumes, shared addresses, and the control plane's documents.
//!
//! Source: github.com/siderolabs/talos, internal/app/machined, the branches release-1.12 to release-1.14.

use talosmith_document::{Code, Level};

use super::main_document::is_control_plane;
use super::section::Section;
use super::{Rules, arguments, files, firewall, mirrors, node_labels, paths, routes, warnings};
use crate::talos_data::types::MAIN;

/// Checks what a node does with the documents that patches changed.
pub(crate) fn check_node(rules: &Rules<'_>) {
    let is_control_plane = rules.config.main().is_some_and(|main| is_control_plane(&main.value));
    for document in rules.config.documents.iter().filter(|document| document.origin.is_some()) {
        check_document(Section::new(rules, document), is_control_plane);
    }
    if is_control_plane {
        check_control_plane(rules);
    }
    firewall::check_firewall(rules);
    paths::check_paths(rules);
}

fn check_document(document: Section<'_>, is_control_plane: bool) {
    warnings::check_warnings(document, is_control_plane);
    arguments::check_arguments(document);
    routes::check_routes(document);
    match document.document.kind {
        MAIN => {
            files::check_files(document);
            mirrors::check_registries(document);
        }
        "EtcFileConfig" => files::check_mode(document, "mode"),
        "RegistryMirrorConfig" => mirrors::check_mirror(document),
        "VolumeConfig" | "RawVolumeConfig" | "SwapVolumeConfig" => check_growth(document),
        "UserVolumeConfig" => {
            check_growth(document);
            check_whole_disk(document);
        }
        "Layer2VIPConfig" | "HCloudVIPConfig" if !is_control_plane => check_shared_address(document),
        _ => {}
    }
    if !is_control_plane {
        node_labels::check_worker(document);
    }
}

/// Checks that a volume of `volumeType: disk` does not select its disk by `system_disk`.
///
/// Source: controllers/block/internal/volumes/locate.go, which evaluates such a selector with `disk` alone; siderolabs/talos#13301.
fn check_whole_disk(volume: Section<'_>) {
    let path = "provisioning.diskSelector.match";
    if volume.word("volumeType") == "disk" && mentions(volume.text(path), "system_disk") {
        let message =
            format!("the selector of {} uses `system_disk`, which has no value for a whole disk", volume.title());
        volume.report(Code::WholeDiskSelector, path, message, |finding| {
            finding
                .note("Talos accepts it, and then fails on the expression: the volume never gets ready")
                .help("select the disk by a property of its own, as in\ndisk.serial == 'S4EVNX0R'")
        });
    }
}

/// Whether a CEL expression has a name outside its strings.
fn mentions(expression: &str, name: &str) -> bool {
    let is_word = |each: char| each.is_ascii_alphanumeric() || each == '_' || each == '.';
    let mut quote = None;
    let outside: String = expression
        .chars()
        .map(|each| match quote {
            Some(open) => {
                quote = (each != open).then_some(open);
                ' '
            }
            None => {
                quote = matches!(each, '\'' | '"').then_some(each);
                each
            }
        })
        .collect();
    outside.split(|each| !is_word(each)).any(|word| word == name)
}

const GROWS: &str = "with `grow: true` Talos obeys an absolute `maxSize` alone: at the next boot the volume takes all free space after it";
const GROWS_BY_DEFAULT: &str = "EPHEMERAL grows unless `grow` is false, and then Talos obeys an absolute `maxSize` alone: at the next boot it takes all free space after it";

/// Warns of a volume that grows although its upper bound is a part of the disk.
///
/// Source: controllers/block/internal/volumes/grow.go, which obeys an absolute bound alone; volume_config.go, where EPHEMERAL grows
/// unless its `grow` is false.
fn check_growth(volume: Section<'_>) {
    let most = volume.text("provisioning.maxSize");
    let is_ephemeral = volume.document.kind == "VolumeConfig" && volume.name() == "EPHEMERAL";
    let (path, note) = match volume.has("provisioning.grow") {
        true if volume.is_true("provisioning.grow") => ("provisioning.grow", GROWS),
        false if is_ephemeral => ("provisioning.maxSize", GROWS_BY_DEFAULT),
        _ => return,
    };
    if most.ends_with('%') || most.starts_with('-') {
        let message = format!("{} grows beyond its `maxSize` of {most}", volume.title());
        volume.report(Code::GrowingVolume, path, message, |finding| {
            finding.note(note).help("write `grow: false`, or a `maxSize` in bytes, as in `100GiB`")
        });
    }
}

/// Warns of a worker's shared address.
///
/// Source: controllers/network/operator/vip.go, where etcd elects the node that has the address.
fn check_shared_address(address: Section<'_>) {
    let message = format!("a worker never has the shared address of {}", address.title());
    address.report(Code::ControlPlaneOnly, "name", message, |mut finding| {
        finding.level = Level::Warning;
        finding
            .note("etcd elects the node that has the address, and a worker does not run etcd")
            .help("write it only for control planes: under `controlplane` of the cluster, or in their files")
    });
}

/// A kind that a control plane of 1.14 needs, where the main document has the same setting, and what happens without it.
const NEEDED: [(&str, &str, &str); 3] = [
    ("KubeAuthenticationConfig", "", "kube-apiserver gets an authentication file without content, and exits"),
    (
        "KubeServiceAccountConfig",
        "cluster.serviceAccount",
        "without its key Talos makes no secrets for Kubernetes, and the control plane does not start",
    ),
    (
        "KubeAggregatorCAConfig",
        "cluster.aggregatorCA",
        "without this certificate authority Talos makes no secrets for Kubernetes, and the control plane does not start",
    ),
];

/// Checks that a control plane whose base has documents of Kubernetes keeps those that it needs.
///
/// Source: release-1.14 controllers/k8s/control_plane.go, render_config_static_pods.go, and controllers/secrets/root.go.
fn check_control_plane(rules: &Rules<'_>) {
    let config = rules.config;
    let Some(server) = config.first("KubeAPIServerConfig").filter(|_| config.since(14)) else { return };
    let server = Section::new(rules, server);
    let main = config.main();
    for (kind, old, note) in NEEDED {
        let is_set_there = !old.is_empty() && main.is_some_and(|main| main.value.has(old));
        if config.first(kind).is_none() && !is_set_there {
            incomplete(server, kind, format!("the control plane has no {kind}"), note);
        }
    }
    let has = |kind: &str| config.all("KubeAuthorizerConfig").any(|document| document.value.text("type") == kind);
    match (has("Webhook"), has("Node"), has("RBAC")) {
        (true, ..) | (_, true, true) => {}
        (_, false, false) => {
            let message = "the control plane has no KubeAuthorizerConfig".to_owned();
            incomplete(server, "KubeAuthorizerConfig", message, "kube-apiserver does not start without an authorizer");
        }
        (_, is_node, _) => {
            let (kind, note) = match is_node {
                true => ("RBAC", "no role of Kubernetes has an effect, so its own controllers are refused"),
                false => ("Node", "every kubelet is refused, so no node gets ready"),
            };
            let message = format!("the control plane has no KubeAuthorizerConfig of the type {kind}");
            incomplete(server, "KubeAuthorizerConfig", message, note);
        }
    }
}

/// Reports a document that is missing, at its deletion.
fn incomplete(server: Section<'_>, kind: &str, message: String, note: &str) {
    let help = format!("remove the `$patch: delete` of {kind}, or write the document again in a later patch");
    let deleted = server.config().deleted.iter().rev().find(|deleted| deleted.kind == kind && deleted.path.is_empty());
    let complete = |finding: talosmith_document::Diagnostic| {
        finding.note(format!("{note}; Talos puts nothing in its place")).help(help)
    };
    match deleted {
        Some(deleted) => {
            let finding = server.rules.report.finding(Code::IncompleteControlPlane, message, deleted.origin);
            server.rules.add(complete(finding));
        }
        None => server.report(Code::IncompleteControlPlane, "kind", message, complete),
    }
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn names_in_strings_do_not_count() {
        assert!(mentions("!system_disk && disk.transport == 'nvme'", "system_disk"));
        assert!(!mentions("disk.model == 'system_disk'", "system_disk"));
        assert!(!mentions("disk.system_disk || my_system_disk", "system_disk"));
    }
}
