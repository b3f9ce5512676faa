//! The Kubernetes node, and the kubelet, and etcd on it.

use serde::Serialize;
use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Level, Pointer};

use super::api_server::{self, ApiServer, cert_sans};
use super::components::{arguments, on_control_plane};
use super::gpu::{self, Gpu};
use super::{Check, ConfigFormat};
use crate::device::VolumeKind;
use crate::ordered::Ordered;
use crate::scalar::{NodeEndpoint, SubjectAltName, SubnetFilter};

/// The Kubernetes node, and the Kubernetes components that run on it.
#[derive(Debug, Serialize)]
pub struct Kubernetes {
    /// The URL of the Kubernetes API that the node uses; none if the base config's stays.
    pub endpoint: Option<String>,
    /// Additional names in the certificate of the Talos API.
    pub cert_sans: Vec<String>,
    /// Whether the node runs kata containers.
    pub kata: bool,
    /// What Kubernetes runs for the GPUs of the node.
    pub gpu: Gpu,
    /// Labels of the node.
    pub labels: Ordered<String, String>,
    /// Annotations of the node.
    pub annotations: Ordered<String, String>,
    /// Taints of the node, as `value:effect`.
    pub taints: Ordered<String, String>,
    pub kubelet: Kubelet,
    /// etcd; none if the model does not configure it.
    pub etcd: Option<Etcd>,
    /// The Kubernetes API server; none if the model does not configure it.
    pub api_server: Option<ApiServer>,
    /// Whether workloads run on control planes; none if the model does not specify it.
    pub allow_scheduling_on_control_planes: Option<bool>,
}

#[derive(Debug, Default, Serialize)]
pub struct Kubelet {
    /// Keys of KubeletConfiguration.
    pub config: Map<String, Value>,
    /// Arguments.
    pub extra_args: Ordered<String, String>,
    /// Networks of which the node's address may be.
    pub valid_subnets: Vec<String>,
    /// Whether static pod manifests are ignored, none if the model does not specify it.
    pub disable_manifests_directory: Option<bool>,
    /// The addresses of the cluster's DNS service; empty if the base config's stay.
    pub cluster_dns: Vec<String>,
    /// Folders that the kubelet sees besides those of Talos, by their paths there.
    pub extra_mounts: Vec<ExtraMount>,
}

/// A folder of the node that the kubelet sees.
#[derive(Debug, Serialize)]
pub struct ExtraMount {
    /// Its path in the kubelet.
    pub destination: String,
    /// Its path on the node.
    pub source: String,
    /// Options of the mount.
    pub options: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Etcd {
    /// Networks whose addresses other members are given.
    pub advertised_subnets: Vec<String>,
    /// Networks on whose addresses it listens.
    pub listen_subnets: Vec<String>,
    /// Arguments.
    pub extra_args: Ordered<String, String>,
}

/// Plans the node of a device, which has this name in Kubernetes.
pub(super) fn plan(check: &mut Check<'_>, config_format: ConfigFormat, node: &str) -> Kubernetes {
    let written = &check.file.device;
    Kubernetes {
        endpoint: endpoint(check),
        cert_sans: cert_sans(check, &written.cert_sans),
        kata: written.kata,
        gpu: gpu::plan(check, node),
        labels: written.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        annotations: written.annotations.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
        taints: written.taints.iter().map(|(key, taint)| (key.to_string(), taint.to_string())).collect(),
        kubelet: kubelet(check, config_format),
        etcd: etcd(check, config_format),
        api_server: api_server::plan(check, config_format),
        allow_scheduling_on_control_planes: written.allow_scheduling_on_control_planes,
    }
}

/// The kubelet's settings.
fn kubelet(check: &mut Check<'_>, config_format: ConfigFormat) -> Kubelet {
    let written = &check.file.device.kubelet;
    let has_field = config_format == ConfigFormat::V1Alpha1;
    if !has_field && written.disable_manifests_directory.is_some() {
        check_manifests_directory(check);
    }
    let mut config = Map::new();
    if let Some(max_pods) = written.max_pods {
        config.insert("maxPods".to_owned(), max_pods.into());
        if written.extra_config.contains_key("maxPods") {
            let location = check.key("/kubelet/extraConfig/maxPods");
            let first = check.at("/kubelet/maxPods");
            check.push(
                Diagnostic::new(Code::ExclusiveKeys, "`maxPods` is set twice", location)
                    .also(first, "first here")
                    .help("remove one of the two"),
            );
        }
    }
    config.extend(written.extra_config.iter().map(|(key, value)| (key.clone(), value.clone())));
    Kubelet {
        config,
        extra_args: arguments(&written.extra_args),
        valid_subnets: written.node_ip.iter().flat_map(|node| subnets(&node.valid_subnets)).collect(),
        disable_manifests_directory: written.disable_manifests_directory.filter(|_| has_field),
        cluster_dns: written.cluster_dns.iter().flatten().map(ToString::to_string).collect(),
        extra_mounts: extra_mounts(check, has_field),
    }
}

/// The folders that the kubelet sees, for which KubeletConfig, the document of Talos 1.14, has no field.
fn extra_mounts(check: &mut Check<'_>, has_field: bool) -> Vec<ExtraMount> {
    let written = &check.file.device.kubelet.extra_mounts;
    if !has_field && !written.is_empty() {
        let message = "`extraMounts` has no equivalent in the documents of Talos 1.14";
        let location = check.key("/kubelet/extraMounts");
        check.push(
            Diagnostic::new(Code::NoSuccessor, message, location)
                .note("KubeletConfig has no such field, and base configs of 1.14 reject `machine.kubelet`")
                .help("keep the data on a user volume, which the kubelet sees at /var/mnt/<name>, and remove the key; as long as the data is elsewhere, keep the older base config"),
        );
        return Vec::new();
    }
    check_volume_mounts(check);
    let mounts = written.iter().map(|(destination, mount)| ExtraMount {
        destination: destination.to_string(),
        source: mount.source.as_ref().unwrap_or(destination).to_string(),
        options: match &mount.options {
            Some(options) => options.clone(),
            None => ["bind", "rshared", "rw"].map(str::to_owned).into(),
        },
    });
    mounts.collect()
}

/// Reports folders that hide a user volume: the kubelet sees a volume at its path on the node. A mount of the volume itself is fine:
/// Longhorn's instructions for Talos have one, for its propagation.
fn check_volume_mounts(check: &mut Check<'_>) {
    let device = &check.file.device;
    for (destination, mount) in device.kubelet.extra_mounts.iter() {
        let name = destination.as_str().strip_prefix("/var/mnt/").unwrap_or_default();
        let Some((name, volume)) = device.volumes.iter().find(|(volume, _)| volume.as_str() == name) else { continue };
        let Some(source) = mount.source.as_ref().filter(|source| *source != destination) else { continue };
        if matches!(volume.kind, Some(VolumeKind::Raw | VolumeKind::Swap)) {
            continue;
        }
        let location = check.key(Pointer::new("/kubelet/extraMounts").child(destination));
        let message =
            format!("`{destination}` is the path of the volume `{name}`, and the kubelet sees `{source}` there");
        // A `hostPath` is resolved by containerd, on the node: only what the kubelet itself mounts is affected.
        let finding = Diagnostic::new(Code::DuplicateVolume, message, location);
        check.push(
            Diagnostic { level: Level::Warning, ..finding }
                .also(check.key(Pointer::new("/volumes").child(name)), "the volume")
                .note("a pod with a `hostPath` there uses the volume, but one with a local PersistentVolume or a `subPath` uses the other folder")
                .help("mount the folder at another path, or remove `source` to see the volume"),
        );
    }
}

/// Reports a key that KubeletConfig, the document of Talos 1.14, has no field for.
fn check_manifests_directory(check: &mut Check<'_>) {
    check.push(
        Diagnostic::new(
            Code::NoSuccessor,
            "`disableManifestsDirectory` has no equivalent in the documents of Talos 1.14",
            check.key("/kubelet/disableManifestsDirectory"),
        )
        .note("KubeletConfig has no such field, and base configs of 1.14 reject `machine.kubelet`")
        .help("remove the line"),
    );
}

/// etcd's settings, which only a control plane may have.
fn etcd(check: &mut Check<'_>, config_format: ConfigFormat) -> Option<Etcd> {
    let written = check.file.device.etcd.as_ref()?;
    if !on_control_plane(check, config_format, "etcd") {
        return None;
    }
    let etcd = Etcd {
        advertised_subnets: subnets(&written.advertised_subnets),
        listen_subnets: subnets(&written.listen_subnets),
        extra_args: arguments(&written.extra_args),
    };
    let is_empty = etcd.advertised_subnets.is_empty() && etcd.listen_subnets.is_empty() && etcd.extra_args.is_empty();
    (!is_empty).then_some(etcd)
}

/// Whether a certificate of a device names the addresses of the cluster's control planes.
pub(super) fn names_control_planes(device: &crate::device::Device) -> bool {
    let api_server = device.api_server.iter().flat_map(|server| &server.cert_sans);
    device.cert_sans.iter().chain(api_server).any(|name| *name == SubjectAltName::ControlPlanes)
}

/// The URL of the Kubernetes API that the node uses.
fn endpoint(check: &mut Check<'_>) -> Option<String> {
    let url = match check.file.device.endpoint.as_ref()? {
        NodeEndpoint::Url(url) => Some(url.to_string()),
        NodeEndpoint::Cluster => check.cluster().and_then(|cluster| cluster.endpoint.as_ref()).map(ToString::to_string),
    };
    if url.is_none() {
        let location = check.at("/endpoint");
        let cluster = &check.file.device.cluster;
        let finding =
            Diagnostic::new(Code::MissingKey, format!("the cluster `{cluster}` has no `endpoint`"), location).help(
                format!("add a line such as this under `clusters.{cluster}` in talosmith.yaml:\nendpoint: https://192.168.1.194:6443"),
            );
        check.push(finding);
    }
    url
}

fn subnets(written: &[SubnetFilter]) -> Vec<String> {
    written.iter().map(ToString::to_string).collect()
}
