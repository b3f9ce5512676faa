//! Arguments of the kubelet, etcd and the control plane with which a node does not start them.

use talosmith_document::Code;

use super::node_labels::is_forbidden;
use super::section::Section;
use crate::talos_data::types::MAIN;
use crate::value::Value;

/// Source: controllers/k8s/kubelet_spec.go.
const KUBELET: &[&str] =
    &["bootstrap-kubeconfig", "cert-dir", "config", "container-runtime", "container-runtime-endpoint", "kubeconfig"];
/// Source: controllers/k8s/control_plane_static_pod.go (1.12, 1.13), control_plane_final.go (1.14).
const API_SERVER: &[&str] = &[
    "authorization-config",
    "client-ca-file",
    "encryption-provider-config",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "etcd-servers",
    "kubelet-client-certificate",
    "kubelet-client-key",
    "proxy-client-cert-file",
    "proxy-client-key-file",
    "requestheader-client-ca-file",
    "service-account-key-file",
    "service-account-signing-key-file",
    "tls-cert-file",
    "tls-private-key-file",
];
/// Source: as for the API server.
const CONTROLLER_MANAGER: &[&str] = &[
    "authentication-kubeconfig",
    "authorization-kubeconfig",
    "cluster-signing-cert-file",
    "cluster-signing-key-file",
    "root-ca-file",
    "service-account-private-key-file",
];
/// Source: as for the API server.
const SCHEDULER: &[&str] = &["authentication-kubeconfig", "authorization-kubeconfig", "config", "kubeconfig"];
/// Source: system/services/etcd.go.
const ETCD: &[&str] = &[
    "auto-tls",
    "cert-file",
    "client-cert-auth",
    "data-dir",
    "key-file",
    "listen-client-urls",
    "listen-peer-urls",
    "name",
    "peer-auto-tls",
    "peer-cert-file",
    "peer-client-cert-auth",
    "peer-key-file",
    "peer-trusted-ca-file",
    "trusted-ca-file",
];
const ETCD_UNTIL_1_13: &[&str] = &[
    "experimental-compact-hash-check-enabled",
    "experimental-initial-corrupt-check",
    "experimental-watch-progress-notify-interval",
];
const ETCD_SINCE_1_14: &[&str] =
    &["feature-gates", "listen-client-http-urls", "tls-min-version", "watch-progress-notify-interval"];

/// The documents that have arguments, the paths, the services, and the arguments that Talos sets itself.
const PLACES: [(&str, &str, &str, &[&str]); 9] = [
    (MAIN, "machine.kubelet.extraArgs", "the kubelet", KUBELET),
    (MAIN, "cluster.etcd.extraArgs", "etcd", ETCD),
    (MAIN, "cluster.apiServer.extraArgs", "kube-apiserver", API_SERVER),
    (MAIN, "cluster.controllerManager.extraArgs", "kube-controller-manager", CONTROLLER_MANAGER),
    (MAIN, "cluster.scheduler.extraArgs", "kube-scheduler", SCHEDULER),
    ("KubeletConfig", "extraArgs", "the kubelet", KUBELET),
    ("KubeAPIServerConfig", "extraArgs", "kube-apiserver", API_SERVER),
    ("KubeControllerManagerConfig", "extraArgs", "kube-controller-manager", CONTROLLER_MANAGER),
    ("KubeSchedulerConfig", "extraArgs", "kube-scheduler", SCHEDULER),
];

pub(crate) fn check_arguments(document: Section<'_>) {
    let places = PLACES.iter().filter(|(kind, ..)| *kind == document.document.kind);
    for (_, path, service, denied) in places {
        for (name, argument) in document.entries(path).filter(|(_, argument)| argument.value.origin.is_some()) {
            let is_denied = denied.contains(&name)
                || *service == "etcd"
                    && (if document.since(14) { ETCD_SINCE_1_14 } else { ETCD_UNTIL_1_13 }).contains(&name)
                || *service == "kube-apiserver" && name == "tls-min-version" && document.since(14);
            if is_denied {
                let message = format!("Talos sets the argument `{name}` of {service} itself");
                argument.report(Code::RefusedArgument, "", message, |finding| {
                    finding
                        .note(format!("Talos accepts the config, and then does not start {service}"))
                        .help(format!("remove `{name}`"))
                });
            } else if *service == "the kubelet" && name == "node-labels" {
                check_node_labels(argument);
            }
        }
    }
}

/// Checks the kubelet's own argument for labels of its node.
///
/// Source: github.com/kubernetes/kubernetes, cmd/kubelet/app/options/options.go; kubernetes/kubernetes#84912.
fn check_node_labels(argument: Section<'_>) {
    let values: Vec<&str> = match argument.value.list() {
        [] => vec![argument.scalar()],
        items => items.iter().map(Value::scalar).collect(),
    };
    let labels = values.iter().flat_map(|value| value.split(',')).map(|label| label.split('=').next().unwrap_or(label));
    for label in labels.map(str::trim).filter(|label| is_forbidden(label)) {
        let message = format!("the kubelet does not accept the label `{label}` in `node-labels`");
        argument.report(Code::RefusedArgument, "", message, |finding| {
            finding.note("the kubelet exits at once, and the node never joins").help(format!(
                "remove `{label}`, and set it as an administrator with `kubectl label node`, or choose another domain than kubernetes.io and k8s.io"
            ))
        });
    }
}
