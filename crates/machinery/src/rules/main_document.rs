//! The main document, which has no kind: its machine.

use talosmith_document::Code;

use super::cluster::check_cluster;
use super::encryption::check_keys;
use super::formats;
use super::interfaces::check_interfaces;
use super::kubelet::check_kubelet;
use super::kubernetes::check_roles;
use super::labels::check_labels;
use super::runtime_spec::check_overrides;
use super::section::{Section, is_repeated};
use crate::format::bytes;
use crate::placeholder::is_unknown;
use crate::value::Value;

pub(crate) fn check_main_document(main: Section<'_>) {
    if !main.has("machine") {
        return main.require("machine");
    }
    if main.value.flag("persist") == Some(false) {
        main.refuse("persist", "`persist` is off, which Talos no longer allows", "remove `persist: false`");
    }
    let kind = main.text("machine.type");
    if !matches!(kind, "" | "init" | "controlplane" | "worker" | "join") {
        let message = format!("`{kind}` is not a valid type of machine");
        main.refuse("machine.type", message, "write `controlplane` or `worker`");
    }
    check_cluster(main);
    check_install(main);
    check_certificates(main);
    check_interfaces(main);
    check_kubespan(main);
    check_disks(main);
    check_features(main);
    check_kubelet(main, "machine.kubelet.extraConfig");
    check_overrides(main, "machine.baseRuntimeSpecOverrides");
    check_labels(main, "machine.nodeLabels", "machine.nodeAnnotations", "machine.nodeTaints");
}

/// Whether a main document is a control plane's.
pub(crate) fn is_control_plane(main: &Value<'_>) -> bool {
    let kind = main.text("machine.type");
    matches!(kind, "init" | "controlplane") || is_unknown(kind) && main.has("cluster.etcd")
}

fn check_install(main: Section<'_>) {
    let Some(install) = main.section("machine.install") else {
        if !main.since(14) {
            let message = "the main document has no `machine.install`, which bare metal needs";
            main.refuse("machine.install", message, "add `machine: { install: { disk: /dev/sda } }`");
        }
        return;
    };
    if install.is_filled("diskSelector.name") {
        let message = "`install.diskSelector.name` is not supported";
        install.refuse("diskSelector.name", message, "select by `serial`, `wwid` or `size`");
    }
    if !install.is_filled("disk") && !install.has("diskSelector") {
        install.require_either("disk", "diskSelector");
    }
    if install.is_filled("extraKernelArgs") && install.is_true("grubUseUKICmdline") {
        let message = "`extraKernelArgs` and `grubUseUKICmdline: true` of `machine.install` cannot be combined";
        let help = "write the arguments into the schematic: the model's key `schematic.extraKernelArgs`";
        install.refuse("extraKernelArgs", message, help);
    }
    let mut images = Vec::new();
    for extension in install.items("extensions") {
        if is_repeated(&mut images, extension.text("image")) {
            let message = format!("the system extension `{}` is installed twice", extension.text("image"));
            extension.refuse("", message, "remove one of the two");
        }
    }
}

fn check_certificates(main: Section<'_>) {
    let has_accepted = main.is_filled("machine.acceptedCAs");
    let (is_control_plane, has_key) = (is_control_plane(main.value), main.is_filled("machine.ca.key"));
    if !main.has("machine.ca") {
        if is_control_plane || !has_accepted {
            main.refuse("machine.ca", "the main document has no `machine.ca`", main.restoring("machine.ca.crt"));
        }
    } else if is_control_plane && !has_key {
        main.refuse("machine.ca.key", "a control plane needs `machine.ca.key`", main.restoring("machine.ca.key"));
    }
    for path in
        ["machine.ca.key", "cluster.ca.key"].into_iter().filter(|path| !is_control_plane && main.is_filled(path))
    {
        main.find(Code::ControlPlaneOnly, path, format!("a worker must not have `{path}`"), "remove the key");
    }
    if !is_control_plane && main.has("machine.ca") && !main.is_filled("machine.ca.crt") && !has_accepted {
        main.refuse(
            "machine.ca.crt",
            "a worker needs `machine.ca.crt` or `machine.acceptedCAs`",
            main.restoring("machine.ca.crt"),
        );
    }
}

fn check_kubespan(main: Section<'_>) {
    let Some(kubespan) = main.section("machine.network.kubespan") else { return };
    if !kubespan.is_true("enabled") {
        return;
    }
    if kubespan.number("mtu") != Some(0) {
        kubespan.require_range("mtu", 1280, i128::MAX);
    }
    kubespan.require_formats("filters.endpoints", &formats::FILTER);
    kubespan.require_formats("filters.excludeAdvertisedNetworks", &formats::NETWORK);
    if !main.since(14) {
        let needed = [
            ("cluster.discovery.enabled", main.may_be_true("cluster.discovery.enabled")),
            ("cluster.id", main.is_filled("cluster.id")),
            ("cluster.secret", main.is_filled("cluster.secret")),
        ];
        for (path, _) in needed.iter().filter(|(_, is_set)| !is_set) {
            let help = "do not turn discovery off, or turn KubeSpan off too";
            main.refuse(path, format!("KubeSpan needs `{path}`"), help);
        }
    }
}

fn check_disks(main: Section<'_>) {
    for disk in main.items("machine.disks") {
        for partition in disk.items("partitions").rev().skip(1) {
            let size = partition.text("size");
            if size.is_empty() || bytes(size).is_some_and(|(bytes, _)| bytes == 0) {
                let message = "a partition takes the whole disk and is not the last one";
                partition.refuse("", message, "add a `size`, or move it to the end");
            }
        }
    }
    for path in ["machine.systemDiskEncryption.state", "machine.systemDiskEncryption.ephemeral"] {
        main.section(path).into_iter().for_each(check_keys);
    }
}

fn check_features(main: Section<'_>) {
    let Some(features) = main.section("machine.features") else { return };
    let is_forwarded = features.is_true("hostDNS.forwardKubeDNSToHost");
    if is_forwarded && !features.may_be_true("hostDNS.enabled") && main.since(13) {
        let message = "`features.hostDNS.forwardKubeDNSToHost` needs `hostDNS.enabled: true`";
        features.refuse("hostDNS.enabled", message, "add `enabled: true`");
    }
    if features.is_true("kubernetesTalosAPIAccess.enabled") {
        if !is_control_plane(main.value) {
            let message = "pods of a worker cannot have access to the Talos API";
            let help = "remove `machine.features.kubernetesTalosAPIAccess`";
            features.find(Code::ControlPlaneOnly, "kubernetesTalosAPIAccess", message, help);
        }
        check_roles(features, "kubernetesTalosAPIAccess.allowedRoles");
    }
}
