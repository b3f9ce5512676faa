//! What the machinery warns of when it validates a config.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config, the warnings of the `Validate` methods. Those about deprecated fields are
//! found while decoding; that UnattendedInstallConfig has no image holds for every generated base, and is left out.

use talosmith_document::{Code, Diagnostic, Level};

use super::network::is_encrypted;
use super::section::Section;
use crate::talos_data::types::MAIN;

const ROLE_LABEL: &str = "node-role.kubernetes.io/control-plane";

pub(crate) fn check_warnings(document: Section<'_>, is_control_plane: bool) {
    match document.document.kind {
        MAIN => check_main_document(document),
        "BondConfig" if document.text("bondMode") == "802.3ad" => check_bond(document),
        "BGPInstanceConfig" if document.items("neighbors").len() == 0 => {
            let message = format!("{} has no neighbors", document.title());
            warn(document, "name", message, "it exchanges no routes", "add `neighbors`");
        }
        "KubeAuthorizerConfig" if document.text("type") != "Webhook" && document.is_filled("webhook") => {
            let message =
                format!("`webhook` of {} has no effect with `type: {}`", document.title(), document.text("type"));
            warn(
                document,
                "webhook",
                message,
                "only the type Webhook reads it",
                "remove `webhook`, or write `type: Webhook`",
            );
        }
        "KubeTalosAPIAccessConfig" if document.items("allowedRoles").len() == 0 => {
            let message = "KubeTalosAPIAccessConfig allows no role, so pods have no access";
            warn(document, "allowedRoles", message, "it has no effect", "add `allowedRoles: [os:reader]`");
        }
        "KubeNodeConfig" if is_control_plane && document.since(14) => check_role_label(document),
        "KubeProxyConfig" => check_proxy(document),
        "ResolverConfig" if document.since(14) => check_resolver(document),
        "ContainerConfig" => {
            let image = document.text("image");
            if !image.is_empty() && !image.contains("@sha256:") {
                let message = format!("the image `{image}` of {} is not pinned by its digest", document.title());
                note(document, "image", message, "another image may run after a restart", "append `@sha256:…`");
            }
        }
        "ImageVerificationConfig" => document.items("rules").for_each(check_pattern),
        _ => {}
    }
}

fn warn(at: Section<'_>, path: &str, message: impl Into<String>, note: &str, help: &str) {
    at.report(Code::TalosWarning, path, message, |finding| finding.note(note).help(help));
}

/// Reports what is only a recommendation.
fn note(at: Section<'_>, path: &str, message: impl Into<String>, note: &str, help: &str) {
    at.report(Code::TalosWarning, path, message, |finding| {
        Diagnostic { level: Level::Note, ..finding }.note(note).help(help)
    });
}

fn check_main_document(main: Section<'_>) {
    let kind = main.text("machine.type");
    if let ("init", new) | ("join", new) = (kind, if kind == "join" { "worker" } else { "controlplane" }) {
        let message = format!("`{kind}` is an old name of the machine type `{new}`");
        warn(main, "machine.type", message, "Talos treats both alike", &format!("write `type: {new}`"));
    }
    if main.text("cluster.network.cni.name") == "custom" && !main.is_filled("cluster.network.cni.urls") {
        let message = "the custom CNI has no `urls`";
        warn(
            main,
            "cluster.network.cni.name",
            message,
            "Talos then installs none",
            "add `urls`, or write `name: none`",
        );
    }
}

fn check_bond(bond: Section<'_>) {
    let missing: Vec<&str> = ["miimon", "updelay", "downdelay"].into_iter().filter(|path| !bond.has(path)).collect();
    if missing.is_empty() {
        return;
    }
    let named = missing.join("`, `");
    let lines: Vec<String> =
        missing.iter().map(|path| format!("{path}: {}", if *path == "miimon" { 100 } else { 200 })).collect();
    let message = format!("{} of 802.3ad does not set `{named}`", bond.title());
    bond.report(Code::TalosWarning, "bondMode", message, |finding| {
        finding
            .note("without them the bond keeps using a link that is down, or uses one too early")
            .help(format!("add lines such as\n{}", lines.join("\n")))
    });
}

fn check_role_label(node: Section<'_>) {
    let has_label = node.value.fields("labels").iter().any(|field| field.key == ROLE_LABEL);
    if !has_label && !node.is_true("skipNodeRegistration") {
        let message = format!("the control plane does not have the label `{ROLE_LABEL}`");
        let note = "Talos uses the labels of KubeNodeConfig as they are";
        warn(node, "labels", message, note, &format!("add it to `labels`:\n{ROLE_LABEL}: \"\""));
    }
}

fn check_proxy(proxy: Section<'_>) {
    let mode = proxy.text("mode");
    if matches!(mode, "iptables" | "ipvs") && proxy.is_written("mode") {
        let message = format!("Talos recommends nftables rather than `mode: {mode}` of kube-proxy");
        note(proxy, "mode", message, "Kubernetes develops nftables further", "write `mode: nftables`");
    }
    if proxy.is_filled("extraArgs") {
        let message = "arguments of kube-proxy may not work together with its configuration";
        note(proxy, "extraArgs", message, "Talos starts kube-proxy with a file", "write it under `config` instead");
    }
}

fn check_resolver(resolver: Section<'_>) {
    let Some(first) = resolver.items("nameservers").next() else { return };
    if resolver.items("nameservers").all(is_encrypted) {
        let message = format!("all nameservers are encrypted ({})", first.text("protocol"));
        warn(
            resolver,
            "nameservers",
            message,
            "certificates need the right time, and time servers with a name need DNS: the boot may stall",
            "add a nameserver without `protocol`, or write the time servers as addresses",
        );
    }
}

/// Checks the pattern by which a rule finds images.
fn check_pattern(rule: Section<'_>) {
    let pattern = rule.text("image");
    let has_tag = pattern.split_once('/').is_some_and(|(_, rest)| rest.contains(':'));
    if pattern.contains('@') || has_tag {
        let message = format!("the pattern `{pattern}` has a tag or a digest, which no image is compared with");
        warn(rule, "image", message, "the rule never applies", "write the registry and the repository alone");
    } else if !pattern.is_empty() && !pattern.contains(['/', '*', '$']) {
        let message = format!("the pattern `{pattern}` has no registry");
        let help = format!("write `docker.io/library/{pattern}`");
        warn(rule, "image", message, "images are compared with their whole name", &help);
    }
}
