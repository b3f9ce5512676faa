//! What Talos runs on each node beside Kubernetes: the DNS resolver, the discovery of other nodes, and KubePrism.

use std::sync::Arc;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic};

use super::raw::{self, MAIN};
use super::{Check, ConfigFormat, Patch};
use crate::device::CniName;

/// The port of KubePrism: `DefaultKubePrismPort` in Talos's machinery.
const KUBE_PRISM_PORT: u16 = 7445;

/// What Talos runs on each node; none where the base config's setting stays.
#[derive(Debug, Serialize)]
pub struct NodeFeatures {
    /// The DNS resolver on the node.
    pub host_dns: Option<HostDns>,
    /// The discovery of the cluster's other nodes.
    pub discovery: Option<Discovery>,
    /// The load balancer for the Kubernetes API.
    pub kube_prism: Option<KubePrism>,
}

/// The DNS resolver on the node; none where the model does not specify it.
#[derive(Debug, Serialize)]
pub struct HostDns {
    pub enabled: Option<bool>,
    /// Whether CoreDNS forwards to it; false if it is off.
    pub forward_kube_dns_to_host: Option<bool>,
    /// Whether it knows the names of nodes.
    pub resolve_member_names: Option<bool>,
}

/// The discovery of the cluster's other nodes.
#[derive(Debug, Serialize)]
pub struct Discovery {
    /// Whether it is on; none if the model does not specify it.
    pub enabled: Option<bool>,
    /// The URL of the discovery service; none for Talos's own.
    pub endpoint: Option<String>,
}

/// The load balancer for the Kubernetes API.
#[derive(Debug, Serialize)]
pub struct KubePrism {
    pub enabled: bool,
    /// Its port on localhost.
    pub port: u16,
}

/// Plans the features of a device with some raw patches.
pub(super) fn plan(check: &mut Check<'_>, format: ConfigFormat, patches: &[Arc<Patch>]) -> NodeFeatures {
    NodeFeatures {
        host_dns: host_dns(check),
        discovery: discovery(check, format),
        kube_prism: kube_prism(check, patches),
    }
}

fn host_dns(check: &mut Check<'_>) -> Option<HostDns> {
    let written = check.file.device.host_dns;
    let is_off = written.enabled == Some(false);
    // Talos refuses both while the resolver is off, and its base configs turn the first one on: the `Validate` methods of
    // pkg/machinery/config/types/v1alpha1 and types/network.
    let others = [
        ("forwardKubeDNSToHost", written.forward_kube_dns_to_host),
        ("resolveMemberNames", written.resolve_member_names),
    ];
    for (key, _) in others.into_iter().filter(|(_, value)| is_off && *value == Some(true)) {
        let message = format!("`{key}` needs the resolver, which `enabled: false` turns off");
        let finding = Diagnostic::new(Code::ExclusiveKeys, message, check.at(format!("/hostDNS/{key}").as_str()));
        let off = check.at("/hostDNS/enabled");
        check.push(
            finding.also(off, "turned off here").note("Talos refuses a config with both").help("remove one of the two"),
        );
    }
    let forwards = if is_off { Some(false) } else { written.forward_kube_dns_to_host };
    let is_set = written.enabled.is_some() || forwards.is_some() || written.resolve_member_names.is_some();
    is_set.then_some(HostDns {
        enabled: written.enabled,
        forward_kube_dns_to_host: forwards,
        resolve_member_names: written.resolve_member_names,
    })
}

fn discovery(check: &mut Check<'_>, format: ConfigFormat) -> Option<Discovery> {
    let written = &check.file.device.discovery;
    let is_off = written.enabled == Some(false);
    if is_off && written.endpoint.is_some() {
        check.exclusive(&"/discovery".into(), "enabled", "endpoint");
    }
    let device = &check.file.device;
    if is_off && device.host_dns.resolve_member_names == Some(true) && device.host_dns.enabled != Some(false) {
        let location = check.at("/hostDNS/resolveMemberNames");
        let off = check.at("/discovery/enabled");
        check.push(
            Diagnostic::new(Code::FeatureNeeds, "`resolveMemberNames` needs `discovery`, which is off", location)
                .also(off, "turned off here")
                .note("the resolver learns the names of other nodes from it, so it knows none")
                .help("remove one of the two lines"),
        );
    }
    // A base config of documents has the document already, and its presence means that discovery is on.
    let is_said = written.enabled.is_some() && (is_off || format == ConfigFormat::V1Alpha1);
    (is_said || written.endpoint.is_some())
        .then(|| Discovery { enabled: written.enabled, endpoint: written.endpoint.as_ref().map(ToString::to_string) })
}

fn kube_prism(check: &mut Check<'_>, patches: &[Arc<Patch>]) -> Option<KubePrism> {
    let device = &check.file.device;
    let written = device.kube_prism;
    if written.enabled.is_none() && written.port.is_none() {
        return None;
    }
    let enabled = written.enabled.unwrap_or(true);
    if !enabled && written.port.is_some() {
        check.exclusive(&"/kubePrism".into(), "enabled", "port");
    }
    let has_proxy = device.proxy.and_then(|proxy| proxy.enabled).unwrap_or(true)
        && !raw::scalars(patches, &[(MAIN, "cluster.proxy.disabled")]).iter().any(|scalar| scalar.text == "true");
    if !enabled && !has_proxy && installs_no_cni(check, patches) {
        let location = check.at("/kubePrism/enabled");
        let message = "without kube-proxy and flannel, the network plugin needs KubePrism, which is off";
        // Source: https://docs.siderolabs.com/kubernetes-guides/cni/deploying-cilium, `k8sServiceHost=localhost`.
        check.push(
            Diagnostic::new(Code::FeatureNeeds, message, location)
                .note("until the plugin runs, no service has an address: Talos's instructions for Cilium reach the API at localhost:7445")
                .help("remove `enabled: false`"),
        );
    }
    Some(KubePrism { enabled, port: written.port.unwrap_or(KUBE_PRISM_PORT) })
}

/// Whether Talos installs no network plugin on a control plane, by its keys or its raw patches.
pub(super) fn installs_no_cni(check: &Check<'_>, patches: &[Arc<Patch>]) -> bool {
    let name = check.file.device.cni.and_then(|cni| cni.name);
    let raw = || raw::scalars(patches, &[(MAIN, "cluster.network.cni.name")]);
    name == Some(CniName::None) || raw().iter().any(|scalar| scalar.text != "flannel")
}
