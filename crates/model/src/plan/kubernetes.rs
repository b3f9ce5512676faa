//! The Kubernetes node, and the kubelet, etcd and the API server on it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Pointer};
use talosmith_machinery::Role;

use super::{Check, ConfigFormat};
use crate::device::Oidc;
use crate::scalar::{ArgumentName, NodeEndpoint, SubjectAltName, SubnetFilter};

/// The Kubernetes node, and the Kubernetes components that run on it.
#[derive(Debug, Serialize)]
pub struct Kubernetes {
    /// The URL of the Kubernetes API that the node uses; none if the base config's stays.
    pub endpoint: Option<String>,
    /// Additional names in the certificate of the Talos API.
    pub cert_sans: Vec<String>,
    /// Whether the node runs kata containers.
    pub kata: bool,
    /// Images of GPU workloads.
    pub gpu: Gpu,
    /// Labels of the node.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the node.
    pub annotations: BTreeMap<String, String>,
    /// Taints of the node, as `value:effect`.
    pub taints: BTreeMap<String, String>,
    pub kubelet: Kubelet,
    /// etcd; none if the model does not configure it.
    pub etcd: Option<Etcd>,
    /// The Kubernetes API server; none if the model does not configure it.
    pub api_server: Option<ApiServer>,
    /// Whether workloads run on control planes; none if the model does not specify it.
    pub allow_scheduling_on_control_planes: Option<bool>,
}

/// Images of GPU workloads; none where the workload is not wanted.
#[derive(Debug, Serialize)]
pub struct Gpu {
    /// AMD's device plugin.
    pub amd_device_plugin: Option<String>,
    /// AMD's node labeller.
    pub amd_labeller: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct Kubelet {
    /// Keys of KubeletConfiguration.
    pub config: Map<String, Value>,
    /// Arguments.
    pub extra_args: BTreeMap<String, String>,
    /// Networks of which the node's address may be.
    pub valid_subnets: Vec<String>,
    /// Whether static pod manifests are ignored, none if the model does not specify it.
    pub disable_manifests_directory: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct Etcd {
    /// Networks whose addresses other members are given.
    pub advertised_subnets: Vec<String>,
    /// Networks on whose addresses it listens.
    pub listen_subnets: Vec<String>,
    /// Arguments.
    pub extra_args: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub struct ApiServer {
    /// Further names in its certificate.
    pub cert_sans: Vec<String>,
    /// Arguments, those of OpenID Connect among them where the base config has no document for it.
    pub extra_args: BTreeMap<String, String>,
    /// Who signs users in, where the base config has a document for it.
    pub jwt: Option<Jwt>,
}

/// A JWT authenticator of Kubernetes's AuthenticationConfiguration.
#[derive(Debug, Serialize)]
pub struct Jwt {
    /// The issuer's URL.
    pub issuer_url: String,
    /// The client that tokens must be for.
    pub audience: String,
    /// The claim with the user's name.
    pub username_claim: String,
    /// What is put before the user's name.
    pub username_prefix: String,
    /// The claim with the user's groups.
    pub groups_claim: Option<String>,
    /// What is put before the name of a group.
    pub groups_prefix: String,
}

pub(super) fn plan(check: &mut Check<'_>, config_format: ConfigFormat) -> Kubernetes {
    let written = &check.file.device;
    let amd = written.gpu.amd.as_ref();
    Kubernetes {
        endpoint: endpoint(check),
        cert_sans: cert_sans(check, &written.cert_sans),
        kata: written.kata,
        gpu: Gpu {
            amd_device_plugin: amd.and_then(|amd| amd.device_plugin.as_ref()).map(ToString::to_string),
            amd_labeller: amd.and_then(|amd| amd.labeller.as_ref()).map(ToString::to_string),
        },
        labels: written.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        annotations: written.annotations.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
        taints: written.taints.iter().map(|(key, taint)| (key.to_string(), taint.to_string())).collect(),
        kubelet: kubelet(check, config_format),
        etcd: etcd(check),
        api_server: api_server(check, config_format),
        allow_scheduling_on_control_planes: written.allow_scheduling_on_control_planes,
    }
}

/// The kubelet's settings.
fn kubelet(check: &mut Check<'_>, config_format: ConfigFormat) -> Kubelet {
    let written = &check.file.device.kubelet;
    if config_format == ConfigFormat::Documents && written.disable_manifests_directory.is_some() {
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
        disable_manifests_directory: written.disable_manifests_directory,
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
fn etcd(check: &mut Check<'_>) -> Option<Etcd> {
    let written = check.file.device.etcd.as_ref()?;
    if !on_control_plane(check, "/etcd", "etcd") {
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

/// The API server's settings, which only a control plane may have.
fn api_server(check: &mut Check<'_>, config_format: ConfigFormat) -> Option<ApiServer> {
    let written = check.file.device.api_server.as_ref()?;
    if !on_control_plane(check, "/apiServer", "the API server") {
        return None;
    }
    let mut extra_args = arguments(&written.extra_args);
    let mut jwt = None;
    if let Some(oidc) = &written.oidc {
        check_issuer(check, oidc);
        check_oidc_arguments(check, &extra_args);
        match config_format {
            ConfigFormat::V1Alpha1 => extra_args.extend(oidc_arguments(oidc)),
            ConfigFormat::Documents => jwt = Some(authenticator(oidc)),
        }
    }
    let server = ApiServer { cert_sans: cert_sans(check, &written.cert_sans), extra_args, jwt };
    let is_empty = server.cert_sans.is_empty() && server.extra_args.is_empty() && server.jwt.is_none();
    (!is_empty).then_some(server)
}

/// Returns the names of a certificate, each once, with the addresses of the cluster's control planes for `controlplanes`.
fn cert_sans(check: &Check<'_>, written: &[SubjectAltName]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in written {
        match name {
            SubjectAltName::Literal(name) => names.push(name.clone()),
            SubjectAltName::ControlPlanes => names.extend(check.control_planes.into_iter().flatten().cloned()),
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
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

fn on_control_plane(check: &mut Check<'_>, pointer: &str, what: &str) -> bool {
    if check.file.device.role == Role::ControlPlane {
        return true;
    }
    let location = check.key(Pointer::from(pointer));
    check.push(
        Diagnostic::new(Code::ControlPlaneOnly, format!("a worker does not run {what}"), location)
            .note("Talos rejects a worker's config with it")
            .help("write it only for control planes: under `controlplane` of the cluster, or in their files"),
    );
    false
}

fn arguments(written: &BTreeMap<ArgumentName, String>) -> BTreeMap<String, String> {
    written.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

fn subnets(written: &[SubnetFilter]) -> Vec<String> {
    written.iter().map(ToString::to_string).collect()
}

fn check_issuer(check: &mut Check<'_>, oidc: &Oidc) {
    if let Some(host) = oidc.issuer_url.as_str().strip_prefix("http://") {
        check.push(
            Diagnostic::new(Code::BadAddress, "the issuer's URL is not https", check.at("/apiServer/oidc/issuerURL"))
                .note("kube-apiserver does not start with it")
                .help(format!("write `https://{host}`")),
        );
    }
}

/// Reports arguments that `oidc` sets and that are also in `extraArgs`.
fn check_oidc_arguments(check: &mut Check<'_>, extra_args: &BTreeMap<String, String>) {
    for name in extra_args.keys().filter(|name| name.starts_with("oidc-") || *name == "authentication-config") {
        let location = check.key(Pointer::new("/apiServer/extraArgs").child(name));
        check.push(
            Diagnostic::new(Code::ExclusiveKeys, format!("`{name}` is already set by `oidc`"), location)
                .also(check.key("/apiServer/oidc"), "set here")
                .help("remove the argument"),
        );
    }
}

fn oidc_arguments(oidc: &Oidc) -> Vec<(String, String)> {
    let optional = [
        ("oidc-username-claim", &oidc.username_claim),
        ("oidc-username-prefix", &oidc.username_prefix),
        ("oidc-groups-claim", &oidc.groups_claim),
        ("oidc-groups-prefix", &oidc.groups_prefix),
    ];
    let mut arguments = vec![
        ("oidc-issuer-url".to_owned(), oidc.issuer_url.to_string()),
        ("oidc-client-id".to_owned(), oidc.client_id.clone()),
    ];
    arguments.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    arguments
}

/// What kube-apiserver makes of the `--oidc-…` arguments:
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens>.
fn authenticator(oidc: &Oidc) -> Jwt {
    let claim = oidc.username_claim.clone().unwrap_or_else(|| "sub".to_owned());
    let prefix = match &oidc.username_prefix {
        Some(prefix) if prefix == "-" => String::new(),
        Some(prefix) => prefix.clone(),
        None if claim == "email" => String::new(),
        None => format!("{}#", oidc.issuer_url),
    };
    Jwt {
        issuer_url: oidc.issuer_url.to_string(),
        audience: oidc.client_id.clone(),
        username_claim: claim,
        username_prefix: prefix,
        groups_claim: oidc.groups_claim.clone(),
        groups_prefix: oidc.groups_prefix.clone().unwrap_or_default(),
    }
}
