//! The Kubernetes node and the Kubernetes components on it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::components::{AdmissionControl, optional_without_nulls, without_nulls};
use super::host::ExtraMount;
use crate::ordered::Ordered;
use crate::scalar::{
    AbsolutePath, Address, ArgumentName, Image, LabelKey, LabelValue, SubjectAltName, SubnetFilter, Url,
};

/// The GPUs of a device, or of an application, by their vendors.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    pub amd: Option<GpuPods>,
    pub intel: Option<GpuPods>,
    pub nvidia: Option<GpuPods>,
}

/// What runs on nodes with GPUs of a vendor. The schemas leave out the keys that a vendor does not have.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GpuPods {
    pub device_plugin: Option<Image>,
    /// AMD's.
    pub labeller: Option<Image>,
    /// Intel's: how many containers share a GPU.
    pub shared_dev_num: Option<u8>,
    #[serde(default)]
    pub node_selector: Ordered<LabelKey, LabelValue>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubelet {
    pub max_pods: Option<u32>,
    #[serde(deserialize_with = "without_nulls")]
    pub extra_config: Map<String, Value>,
    pub extra_args: Ordered<ArgumentName, String>,
    #[serde(rename = "nodeIP")]
    pub node_ip: Option<NodeIp>,
    pub disable_manifests_directory: Option<bool>,
    /// Absent is not the same as an empty list.
    #[serde(rename = "clusterDNS")]
    pub cluster_dns: Option<Vec<Address>>,
    pub extra_mounts: Ordered<AbsolutePath, ExtraMount>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeIp {
    pub valid_subnets: Vec<SubnetFilter>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Etcd {
    pub advertised_subnets: Vec<SubnetFilter>,
    pub listen_subnets: Vec<SubnetFilter>,
    pub extra_args: Ordered<ArgumentName, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiServer {
    #[serde(rename = "certSANs")]
    pub cert_sans: Vec<SubjectAltName>,
    pub extra_args: Ordered<ArgumentName, String>,
    pub oidc: Option<Oidc>,
    pub admission_control: AdmissionControl,
    #[serde(deserialize_with = "optional_without_nulls")]
    pub audit_policy: Option<Map<String, Value>>,
}

/// OpenID Connect, by the rules of kube-apiserver's `--oidc-…` arguments.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Oidc {
    #[serde(rename = "issuerURL")]
    pub issuer_url: Url,
    #[serde(rename = "clientID")]
    pub client_id: String,
    pub username_claim: Option<String>,
    /// `-` is the empty prefix.
    pub username_prefix: Option<String>,
    pub groups_claim: Option<String>,
    pub groups_prefix: Option<String>,
}
