//! talosmith.yaml as the user wrote it: `schemas/fleet.schema.json` as Rust types.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use talosmith_document::{Code, TalosVersion};

use crate::SecretSource;
use crate::scalar::{
    AbsolutePath, Cidr, DnsLabel, Endpoint, Image, LabelKey, LabelValue, Name, RelativePath, Size, Tag, VolumeName,
};

/// The fleet file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// The clusters.
    pub clusters: BTreeMap<Name, Cluster>,
    /// Where secrets come from.
    #[serde(default)]
    pub secrets: BTreeMap<String, Vec<SecretSource>>,
    /// Other levels for findings, by code.
    #[serde(default)]
    pub lints: BTreeMap<Code, LintLevel>,
    /// The folder with templates that replace built-in ones.
    pub templates: Option<RelativePath>,
}

/// What `lints` makes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LintLevel {
    /// The run fails.
    Error,
    /// The run goes on.
    Warning,
    /// Nothing is said.
    Off,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// The version that its nodes run.
    pub talos_version: TalosVersion,
    /// Who made the base config.
    pub base_config: Option<TalosVersion>,
    /// The Kubernetes API.
    pub endpoint: Option<Endpoint>,
    /// Pod networks.
    #[serde(rename = "podCIDRs")]
    pub pod_cidrs: Option<Vec<Cidr>>,
    /// Service networks.
    #[serde(rename = "serviceCIDRs")]
    pub service_cidrs: Option<Vec<Cidr>>,
    /// Argo CD applications.
    #[serde(default)]
    pub applications: Applications,
    /// Keys of every device; a tree, which is layered before it is typed.
    pub defaults: Option<Map<String, Value>>,
    /// Keys of every control-plane node.
    pub controlplane: Option<Map<String, Value>>,
    /// Keys of every worker.
    pub worker: Option<Map<String, Value>>,
}

/// Argo CD applications.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Applications {
    /// The local-path-provisioner.
    pub local_path: Option<LocalPathApplication>,
    /// Kata containers.
    pub kata_containers: Option<KataApplication>,
}

/// The local-path-provisioner.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalPathApplication {
    /// Its folder.
    pub path: Option<RelativePath>,
    /// Its release.
    pub version: Tag,
    /// Another image for the provisioner.
    pub image: Option<Image>,
    /// Another image for the pods that make and remove folders.
    pub helper_pod_image: Option<Image>,
    /// What becomes of its namespace.
    #[serde(default)]
    pub namespace: NamespacePolicy,
    /// Whether its StorageClass is the default one.
    #[serde(default)]
    pub default_class: bool,
    /// Paths on nodes that are not listed.
    #[serde(default)]
    pub default_paths: Vec<AbsolutePath>,
    /// Hand-written neighbours.
    #[serde(default)]
    pub resources: Vec<RelativePath>,
}

/// What becomes of the namespace that a release brings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespacePolicy {
    /// Labelled as privileged.
    #[default]
    Label,
    /// Deleted: another application makes it.
    Delete,
    /// Left as it is.
    Keep,
}

/// Kata containers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KataApplication {
    /// Its folder.
    pub path: Option<RelativePath>,
    /// RuntimeClass and handler.
    pub runtime: DnsLabel,
    /// containerd's snapshotter.
    pub snapshotter: Snapshotter,
    /// The scratch file.
    pub scratch: Scratch,
    /// The pause image.
    pub sandbox_image: Image,
    /// Labels of the nodes.
    #[serde(default)]
    pub node_selector: BTreeMap<LabelKey, LabelValue>,
    /// Images of the DaemonSet.
    pub images: KataImages,
    /// Hand-written neighbours.
    #[serde(default)]
    pub resources: Vec<RelativePath>,
}

/// Snapshotters that talosmith can configure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Snapshotter {
    /// Copies of a scratch file with a file system in it.
    Blockfile,
}

/// The scratch file of the blockfile snapshotter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scratch {
    /// The user volume that holds it.
    pub volume: VolumeName,
    /// Its path there.
    pub path: RelativePath,
    /// Its size.
    pub size: Size,
}

/// Images of the scratch DaemonSet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KataImages {
    /// Makes the file.
    pub scratch: Image,
    /// Keeps the pod.
    pub hold: Image,
}
