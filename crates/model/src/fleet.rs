//! talosmith.yaml as the user wrote it: `schemas/model/fleet.schema.json` as Rust types.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use talosmith_document::{Code, TalosVersion};

use crate::SecretSource;
use crate::device::GpuPods;
use crate::ordered::Ordered;
use crate::scalar::{
    AbsolutePath, ArtifactPath, Cidr, DnsDomain, DnsLabel, Endpoint, FileGlob, Image, KubernetesVersion, LabelKey,
    LabelValue, Name, RelativePath, Size, Tag, ValuePath, VolumeName,
};

/// The version of the model that this talosmith reads.
pub(crate) const MODEL_VERSION: i64 = 1;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// The version of the model: none, or the one that this talosmith reads.
    pub version: Option<i64>,
    pub clusters: BTreeMap<Name, Cluster>,
    #[serde(default)]
    pub secrets: BTreeMap<String, Vec<SecretSource>>,
    #[serde(default)]
    pub lints: BTreeMap<Code, LintLevel>,
    pub templates: Option<RelativePath>,
    #[serde(default)]
    pub artifacts: BTreeMap<Name, UserArtifact>,
    #[serde(default)]
    pub references: BTreeMap<Name, Reference>,
}

/// Values in hand-written files that must be those of devices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub files: FileGlob,
    /// None for node selectors and node affinities, wherever they are.
    pub at: Option<ValuePath>,
    #[serde(default)]
    pub is: ReferenceKind,
}

/// What the values of a reference are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReferenceKind {
    /// The names of Kubernetes nodes.
    #[default]
    NodeName,
    Hostname,
    /// Addresses of devices or of their links, perhaps with a port or a prefix.
    Address,
    /// The names of devices in the model.
    Device,
}

/// An artifact from a template of the user; `path` and `into` are mutually exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserArtifact {
    #[serde(rename = "for")]
    pub scope: ArtifactScope,
    /// Below the folder that `templates` names.
    pub template: RelativePath,
    pub path: Option<ArtifactPath>,
    pub into: Option<ArtifactPath>,
    pub format: ArtifactFormat,
    /// The signs of a comment, for a text file whose name does not determine them.
    pub comment: Option<String>,
    pub schema: Option<RelativePath>,
}

/// What an artifact of the user is generated for: one file for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactScope {
    Fleet,
    Cluster,
    Device,
}

/// The format of an artifact of the user, which decides how values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactFormat {
    Yaml,
    Json,
    Toml,
    /// JSON with comments and commas at the end.
    Hujson,
    Markdown,
    /// Any other, one value on a line or in a part of it.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LintLevel {
    Error,
    Warning,
    Off,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    pub talos_version: TalosVersion,
    pub base_config: Option<TalosVersion>,
    pub endpoint: Option<Endpoint>,
    pub kubernetes_version: Option<KubernetesVersion>,
    pub secrets_bundle: Option<SecretSource>,
    #[serde(rename = "podCIDRs")]
    pub pod_cidrs: Option<Vec<Cidr>>,
    #[serde(rename = "serviceCIDRs")]
    pub service_cidrs: Option<Vec<Cidr>>,
    pub dns_domain: Option<DnsDomain>,
    #[serde(rename = "nodeCIDRMaskSizeIPv4")]
    pub node_cidr_mask_size_ipv4: Option<u8>,
    #[serde(rename = "nodeCIDRMaskSizeIPv6")]
    pub node_cidr_mask_size_ipv6: Option<u8>,
    #[serde(default)]
    pub applications: Applications,
    pub defaults: Option<Map<String, Value>>,
    pub controlplane: Option<Map<String, Value>>,
    pub worker: Option<Map<String, Value>>,
    #[serde(default)]
    pub groups: BTreeMap<Name, Map<String, Value>>,
}

impl Cluster {
    /// Talos's pod network: `DefaultIPv4PodNet` in its machinery's constants.
    pub const POD_NETWORK: &str = "10.244.0.0/16";
    /// Talos's service network: `DefaultIPv4ServiceNet` there.
    pub const SERVICE_NETWORK: &str = "10.96.0.0/12";

    /// Whether it has all keys that a generated base config needs.
    pub fn has_base(&self) -> bool {
        self.endpoint.is_some() && self.kubernetes_version.is_some() && self.secrets_bundle.is_some()
    }

    pub fn pod_networks(&self) -> Vec<String> {
        texts(self.pod_cidrs.as_deref(), Self::POD_NETWORK)
    }

    pub fn service_networks(&self) -> Vec<String> {
        texts(self.service_cidrs.as_deref(), Self::SERVICE_NETWORK)
    }
}

fn texts(networks: Option<&[Cidr]>, default: &str) -> Vec<String> {
    networks
        .map_or_else(|| vec![default.to_owned()], |all| all.iter().map(|network| network.as_str().to_owned()).collect())
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Applications {
    pub local_path: Option<LocalPathApplication>,
    pub kata_containers: Option<KataApplication>,
    pub gpu: Option<GpuApplication>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalPathApplication {
    pub path: Option<RelativePath>,
    pub version: Tag,
    pub image: Option<Image>,
    pub helper_pod_image: Option<Image>,
    #[serde(default)]
    pub namespace: NamespacePolicy,
    pub default_class: Option<bool>,
    #[serde(default)]
    pub default_paths: Vec<AbsolutePath>,
    #[serde(default)]
    pub resources: Vec<RelativePath>,
    #[serde(default)]
    pub files: LocalPathFiles,
}

/// The name of a generated file of an application.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum FileName {
    #[default]
    Usual,
    Other(RelativePath),
    /// `null`: the file is not generated.
    Disabled,
}

impl<'de> Deserialize<'de> for FileName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Disabled, Self::Other))
    }
}

/// Other names for generated files; `storage_classes` is their folder.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalPathFiles {
    pub config: FileName,
    pub storage_class: FileName,
    pub namespace: FileName,
    pub storage_classes: FileName,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespacePolicy {
    /// Labelled as privileged.
    #[default]
    Label,
    Delete,
    Keep,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KataApplication {
    pub path: Option<RelativePath>,
    pub runtime: DnsLabel,
    pub snapshotter: Snapshotter,
    pub scratch: Scratch,
    pub sandbox_image: Image,
    #[serde(default)]
    pub node_selector: Ordered<LabelKey, LabelValue>,
    pub images: KataImages,
    #[serde(default)]
    pub resources: Vec<RelativePath>,
    #[serde(default)]
    pub files: KataFiles,
}

/// Other names for generated files.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct KataFiles {
    pub daemon_set: FileName,
    pub runtime_class: FileName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Snapshotter {
    Blockfile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scratch {
    pub volume: VolumeName,
    pub path: RelativePath,
    pub size: Size,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KataImages {
    pub scratch: Image,
    pub hold: Image,
}

/// The DaemonSets for GPUs, by the vendors of these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuApplication {
    pub path: Option<RelativePath>,
    pub amd: Option<GpuPods>,
    pub intel: Option<GpuPods>,
    pub nvidia: Option<GpuPods>,
    #[serde(default)]
    pub resources: Vec<RelativePath>,
    #[serde(default)]
    pub files: GpuFiles,
}

/// Other names for generated files.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GpuFiles {
    pub amd_device_plugin: FileName,
    pub amd_labeller: FileName,
    pub intel_device_plugin: FileName,
    pub nvidia_device_plugin: FileName,
}
