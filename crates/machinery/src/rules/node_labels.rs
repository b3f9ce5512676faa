//! What Kubernetes lets a kubelet change of its own node.
//!
//! Source: github.com/kubernetes/kubernetes, plugin/pkg/admission/noderestriction and pkg/kubelet/apis/well_known_labels.go. Talos applies
//! the labels and taints of a worker with the kubelet's rights, those of a control plane with an administrator's: siderolabs/talos#10122,
//! #8193, #10935.

use talosmith_document::Code;

use super::section::Section;
use crate::talos_data::types::MAIN;

/// Labels of Kubernetes that a kubelet may set.
const ALLOWED: [&str; 11] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

/// Whether Kubernetes does not let a kubelet set a label of its node.
pub(super) fn is_forbidden(label: &str) -> bool {
    let Some((domain, _)) = label.split_once('/') else { return false };
    let is_in = |of: &str| domain.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    (is_in("kubernetes.io") || is_in("k8s.io"))
        && !ALLOWED.contains(&label)
        && !is_in("kubelet.kubernetes.io")
        && !is_in("node.kubernetes.io")
}

/// Warns of labels and taints of a worker that its kubelet may not set.
pub(crate) fn check_worker(document: Section<'_>) {
    let (labels, taints) = match document.document.kind {
        MAIN => ("machine.nodeLabels", "machine.nodeTaints"),
        "KubeNodeConfig" => ("labels", "taints"),
        _ => return,
    };
    for (label, value) in document.entries(labels).filter(|(label, _)| is_forbidden(label)) {
        let message = format!("a worker cannot set the label `{label}` of its own node");
        value.report(Code::NodeRestriction, "", message, |finding| {
            let others = document.entries(labels).map(|(other, _)| other).filter(|other| !is_forbidden(other));
            finding.note(refused(others)).help(format!(
                "remove it here, and set it as an administrator:\nkubectl label node {} {label}={}",
                node_name(document),
                value.scalar()
            ))
        });
    }
    for (key, taint) in document.entries(taints) {
        let (value, effect) = taint.scalar().rsplit_once(':').unwrap_or(("", taint.scalar()));
        let message = format!("a worker cannot set the taint `{key}` of its own node");
        taint.report(Code::NodeRestriction, "", message, |finding| {
            let others = document.entries(labels).map(|(other, _)| other).filter(|other| !is_forbidden(other));
            let value = if value.is_empty() { String::new() } else { format!(", value: \"{value}\"") };
            finding.note(refused(others)).help(format!(
                "remove it here, and let the kubelet set it when it registers the node, in the device's file or under `worker`:\n\
                 kubelet:\n  extraConfig:\n    registerWithTaints:\n      - {{ key: {key}{value}, effect: {effect} }}"
            ))
        });
    }
}

/// What happens to the update of a node, with the labels that could be set.
fn refused<'l>(others: impl Iterator<Item = &'l str>) -> String {
    let others: Vec<String> = others.map(|other| format!("`{other}`")).collect();
    let lost = match others.len() {
        0 => "any other label or taint".to_owned(),
        _ => others.join(", "),
    };
    format!(
        "the admission plugin NodeRestriction refuses the kubelet's whole update, so Talos cannot set {lost} either"
    )
}

/// The name of the node, as far as the config has it.
fn node_name(document: Section<'_>) -> &str {
    let config = document.config();
    let new = config.first("HostnameConfig").map_or("", |hostname| hostname.value.text("hostname"));
    let old = config.main().map_or("", |main| main.value.text("machine.network.hostname"));
    let name = if new.is_empty() { old } else { new };
    match name.split('.').next() {
        Some(first) if !first.is_empty() => first,
        _ => "NODE",
    }
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, is_forbidden};

    #[test]
    fn a_kubelet_may_set_labels_of_its_own() {
        assert!(ALLOWED.is_sorted() && !ALLOWED.iter().any(|label| is_forbidden(label)));
        let allowed = ["pool", "example.com/role", "node.kubernetes.io/x", "a.kubelet.kubernetes.io/x", "notk8s.io/x"];
        assert!(!allowed.iter().any(|label| is_forbidden(label)));
        let forbidden =
            ["node-role.kubernetes.io/worker", "k8s.io/x", "node.k8s.io/pool", "a.node-restriction.kubernetes.io/b"];
        assert!(forbidden.iter().all(|label| is_forbidden(label)));
    }
}
