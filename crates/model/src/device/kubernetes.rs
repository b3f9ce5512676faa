//! What Kubernetes's parts on the node are told.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::scalar::{ArgumentName, Image, SubjectAltName, SubnetFilter, Url};

/// GPUs by maker.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// AMD's.
    pub amd: Option<AmdGpu>,
}

/// AMD's workloads.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmdGpu {
    /// The device plugin's image.
    pub device_plugin: Option<Image>,
    /// The node labeller's image.
    pub labeller: Option<Image>,
}

/// Kubelet settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubelet {
    /// How many pods the node takes.
    pub max_pods: Option<u32>,
    /// Further keys of KubeletConfiguration.
    #[serde(default)]
    pub extra_config: serde_json::Map<String, Value>,
    /// Arguments.
    #[serde(default)]
    pub extra_args: BTreeMap<ArgumentName, String>,
    /// Which of its addresses the node reports.
    #[serde(rename = "nodeIP")]
    pub node_ip: Option<NodeIp>,
    /// Whether static pod manifests are ignored.
    pub disable_manifests_directory: Option<bool>,
}

/// Which of its addresses the node reports.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeIp {
    /// Networks that the address may be of.
    #[serde(default)]
    pub valid_subnets: Vec<SubnetFilter>,
}

/// Settings of etcd.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Etcd {
    /// Networks whose addresses other members are given.
    #[serde(default)]
    pub advertised_subnets: Vec<SubnetFilter>,
    /// Networks on whose addresses it listens.
    #[serde(default)]
    pub listen_subnets: Vec<SubnetFilter>,
    /// Arguments.
    #[serde(default)]
    pub extra_args: BTreeMap<ArgumentName, String>,
}

/// Settings of the Kubernetes API server.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiServer {
    /// Further names in its certificate.
    #[serde(default, rename = "certSANs")]
    pub cert_sans: Vec<SubjectAltName>,
    /// Arguments.
    #[serde(default)]
    pub extra_args: BTreeMap<ArgumentName, String>,
    /// Who signs users in.
    pub oidc: Option<Oidc>,
}

/// OpenID Connect, by the rules of kube-apiserver's `--oidc-…` arguments.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Oidc {
    /// The issuer.
    #[serde(rename = "issuerURL")]
    pub issuer_url: Url,
    /// The client that tokens must be for.
    #[serde(rename = "clientID")]
    pub client_id: String,
    /// The claim with the user's name.
    pub username_claim: Option<String>,
    /// What is put before the user's name; `-` is nothing.
    pub username_prefix: Option<String>,
    /// The claim with the user's groups.
    pub groups_claim: Option<String>,
    /// What is put before the name of a group.
    pub groups_prefix: Option<String>,
}
