//! The main document, which has no kind: its machine.

use super::{Rules, cluster, devices, format, kubernetes, labels, network, runtime_spec};
use crate::config::Document;
use crate::value::Value;

/// The main document.
pub(crate) fn check_main_document(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let value = &document.value;
    if !value.has("machine") {
        return rules.refuse(document, "machine", "the main document has no `machine`", "add `machine`");
    }
    if value.flag("persist") == Some(false) {
        rules.refuse(document, "persist", "`persist` is off, which Talos no longer allows", "remove `persist: false`");
    }
    let kind = value.text("machine.type");
    if !matches!(kind, "" | "init" | "controlplane" | "worker" | "join") {
        let message = format!("there is no machine of the type `{kind}`");
        rules.refuse(document, "machine.type", message, "write `controlplane` or `worker`");
    }
    let is_control_plane = is_control_plane(value);
    cluster::check_cluster(rules, document, is_control_plane);
    install(rules, document);
    certificates(rules, document, is_control_plane);
    if value.is_true("machine.features.hostDNS.forwardKubeDNSToHost")
        && !value.is_true("machine.features.hostDNS.enabled")
        && rules.config.since(13)
    {
        let message = "`features.hostDNS.forwardKubeDNSToHost` needs `hostDNS.enabled: true`";
        rules.refuse(document, "machine.features.hostDNS.enabled", message, "add `enabled: true`");
    }
    devices::check_interfaces(rules, document, is_control_plane);
    kubespan(rules, document);
    for disk in value.items("machine.disks") {
        let partitions = disk.items("partitions");
        for partition in partitions.iter().rev().skip(1).filter(|partition| is_zero(partition.text("size"))) {
            let message = "a partition takes the whole disk and is not the last one";
            rules.refuse_value(document, partition, message, "give it a `size`, or move it to the end");
        }
    }
    network::filters(rules, document, value.items("machine.kubelet.nodeIP.validSubnets"));
    kubernetes::protected(rules, document, "machine.kubelet.extraConfig");
    for label in ["state", "ephemeral"] {
        encryption(rules, document, &format!("machine.systemDiskEncryption.{label}"));
    }
    logging(rules, document);
    runtime_spec::check_overrides(rules, document, "machine.baseRuntimeSpecOverrides");
    labels::check_labels(rules, document, "machine.nodeLabels", "machine.nodeAnnotations", "machine.nodeTaints");
    let access = "machine.features.kubernetesTalosAPIAccess";
    if value.is_true(&format!("{access}.enabled")) {
        if !is_control_plane {
            let message = "pods of a worker cannot have access to Talos's API";
            rules.find(
                talosmith_document::Code::ControlPlaneOnly,
                document,
                access,
                message,
                format!("remove `{access}`"),
            );
        }
        kubernetes::roles(rules, document, &format!("{access}.allowedRoles"));
    }
    let sort = value.text("machine.features.nodeAddressSortAlgorithm");
    if !sort.is_empty() && !sort.eq_ignore_ascii_case("v1") && !sort.eq_ignore_ascii_case("v2") {
        let message = format!("there is no way `{sort}` to sort addresses");
        rules.refuse(document, "machine.features.nodeAddressSortAlgorithm", message, "write `v1` or `v2`");
    }
}

/// Whether a main document is a control plane's.
pub(crate) fn is_control_plane(value: &Value<'_>) -> bool {
    matches!(value.text("machine.type"), "init" | "controlplane")
}

fn is_zero(size: &str) -> bool {
    size.is_empty() || format::bytes(size).is_some_and(|(bytes, _)| bytes == 0)
}

fn install(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let value = &document.value;
    let Some(install) = value.at("machine.install") else {
        if !rules.config.since(14) {
            let message = "the main document has no `machine.install`, which bare metal needs";
            rules.refuse(document, "machine.install", message, "add `machine: { install: { disk: /dev/sda } }`");
        }
        return;
    };
    if !install.text("diskSelector.name").is_empty() {
        let message = "`install.diskSelector.name` is not supported";
        rules.refuse(document, "machine.install.diskSelector.name", message, "select by `serial`, `wwid` or `size`");
    }
    let kind = install.text("diskSelector.type");
    if !matches!(kind, "" | "nvme" | "sd" | "hdd" | "ssd") {
        let message = format!("there is no type of disks `{kind}`");
        rules.refuse(document, "machine.install.diskSelector.type", message, "write `ssd`, `hdd`, `nvme` or `sd`");
    }
    if install.text("disk").is_empty() && !install.has("diskSelector") {
        let message = "`machine.install` names no disk";
        rules.refuse(document, "machine.install.disk", message, "add `disk` or `diskSelector`");
    }
    if !install.items("extraKernelArgs").is_empty() && install.is_true("grubUseUKICmdline") {
        let message = "`install.extraKernelArgs` and `install.grubUseUKICmdline: true` exclude each other";
        let help = "put the arguments into the schematic: the model's key `schematic.extraKernelArgs`";
        rules.refuse(document, "machine.install.extraKernelArgs", message, help);
    }
    let mut images: Vec<&str> = Vec::new();
    for extension in install.items("extensions") {
        let image = extension.text("image");
        if images.contains(&image) {
            let message = format!("the system extension `{image}` is there twice");
            rules.refuse_value(document, extension, message, "remove one of the two");
        }
        images.push(image);
    }
}

fn certificates(rules: &mut Rules<'_, '_>, document: &Document<'_>, is_control_plane: bool) {
    let value = &document.value;
    let ca = value.at("machine.ca");
    let accepted = value.items("machine.acceptedCAs");
    if ca.is_none() && (is_control_plane || accepted.is_empty()) {
        let message = "the main document has no `machine.ca`";
        return rules.refuse(document, "machine.ca", message, "do not delete it: it is the cluster's");
    }
    let key = value.text("machine.ca.key");
    if is_control_plane && key.is_empty() {
        let message = "a control plane needs `machine.ca.key`";
        rules.refuse(document, "machine.ca.key", message, "do not delete it: it is the cluster's");
    }
    if !is_control_plane && !key.is_empty() {
        let message = "a worker must not have `machine.ca.key`";
        rules.find(talosmith_document::Code::ControlPlaneOnly, document, "machine.ca.key", message, "remove the key");
    }
    if !is_control_plane && ca.is_some() && value.text("machine.ca.crt").is_empty() && accepted.is_empty() {
        let message = "a worker needs `machine.ca.crt` or `machine.acceptedCAs`";
        rules.refuse(document, "machine.ca.crt", message, "do not delete it: it is the cluster's");
    }
}

fn kubespan(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let value = &document.value;
    if !value.is_true("machine.network.kubespan.enabled") {
        return;
    }
    if value.number("machine.network.kubespan.mtu").is_some_and(|mtu| mtu != 0 && mtu < 1280) {
        let message = "the MTU of KubeSpan is less than 1280";
        rules.refuse(document, "machine.network.kubespan.mtu", message, "write 1280 or more");
    }
    network::filters(rules, document, value.items("machine.network.kubespan.filters.endpoints"));
    for item in value.items("machine.network.kubespan.filters.excludeAdvertisedNetworks") {
        if format::prefix(item.scalar()).is_none() {
            rules.refuse_value(
                document,
                item,
                format!("`{}` is no network", item.scalar()),
                "write it as `192.0.2.0/24`",
            );
        }
    }
    if !rules.config.since(14) {
        let missing = [
            ("cluster.discovery.enabled", value.is_true("cluster.discovery.enabled")),
            ("cluster.id", !value.text("cluster.id").is_empty()),
            ("cluster.secret", !value.text("cluster.secret").is_empty()),
        ];
        for (path, _) in missing.iter().filter(|(_, there)| !there) {
            let message = format!("KubeSpan needs `{path}`");
            rules.refuse(document, path, message, "do not turn discovery off, or turn KubeSpan off too");
        }
    }
}

fn encryption(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    let Some(encryption) = document.value.at(path) else { return };
    let keys = encryption.items("keys");
    if keys.is_empty() {
        rules.refuse(document, path, format!("`{path}` has no keys"), "add `keys: [{ slot: 0, nodeID: {} }]`");
    }
    let mut slots = Vec::new();
    for key in keys {
        let slot = key.number("slot").unwrap_or_default();
        if slots.contains(&slot) {
            rules.refuse_value(document, key, format!("two encryption keys have the slot {slot}"), "give each its own");
        }
        slots.push(slot);
        if !["static", "nodeID", "kms", "tpm"].iter().any(|kind| key.has(kind)) {
            let message = format!("the encryption key in slot {slot} says not where it comes from");
            rules.refuse_value(document, key, message, "add one of `nodeID: {}`, `tpm: {}`, `kms` and `static`");
        }
    }
}

fn logging(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    for destination in document.value.items("machine.logging.destinations") {
        let text = destination.text("endpoint");
        let url = format::url(text);
        let at = destination.get("endpoint").unwrap_or(destination);
        if url.host.is_empty() || !matches!(url.scheme.as_str(), "tcp" | "udp") {
            let message = format!("`{text}` is no endpoint for logs");
            rules.refuse_value(document, at, message, "write it as `tcp://192.0.2.1:5044`");
        }
        let format = destination.text("format");
        if format != "json_lines" {
            let at = destination.get("format").unwrap_or(destination);
            rules.refuse_value(
                document,
                at,
                format!("there is no format of logs `{format}`"),
                "write `format: json_lines`",
            );
        }
    }
}
