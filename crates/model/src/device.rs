//! A device as the user wrote it, layers applied: `schemas/device.schema.json` as Rust types.
//!
//! Unknown keys are refused, every key but four may be absent, and nothing is filled in. What the rest of the program relies on
//! is the plan.

mod image;
mod storage;
mod system;
mod kubernetes;

use std::collections::BTreeMap;

use serde::Deserialize;
use talosmith_machinery::Role;

pub use image::{DiskImage, Install, InstallImage, Meta, Overlay, Schematic, SecureBoot};
pub use kubernetes::{AmdGpu, ApiServer, Etcd, Gpu, Kubelet, NodeIp, Oidc};
pub use storage::{
    Disk, Encryption, EncryptionKey, Filesystem, FilesystemType, Kms, LocalPath, Mount, NodeId, ReclaimPolicy,
    StaticKey, StorageClass, Tpm, Transport, Volume, VolumeKind, VolumeType,
};
pub use system::{
    ConfigFile, ExtensionService, FileOperation, KernelModule, MachineFile, Mirror, Patch, Registries, SearchDomains,
    Tailscale, Time,
};

use talosmith_document::TalosVersion;

use crate::scalar::{
    AbsolutePath, Address, DnsLabel, Hostname, LabelKey, LabelValue, ModelKey, Name, NodeEndpoint, RelativePath,
    SubjectAltName, Sysctl, Taint, VolumeName,
};

/// A device.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    /// Its name and its folder's.
    pub name: Name,
    /// The cluster that it belongs to.
    pub cluster: Name,
    /// What it is there.
    pub role: Role,
    /// Where talosctl reaches it.
    pub address: Address,
    /// The version that it runs, if not its cluster's.
    pub talos_version: Option<TalosVersion>,
    /// Who made its base config, if not said by its cluster.
    pub base_config: Option<TalosVersion>,
    /// Its architecture.
    pub arch: Option<Arch>,
    /// Its hostname, if not its name.
    pub hostname: Option<Hostname>,
    /// The Kubernetes API that it talks to.
    pub endpoint: Option<NodeEndpoint>,
    /// Further names in the certificate of its Talos API.
    #[serde(default, rename = "certSANs")]
    pub cert_sans: Vec<SubjectAltName>,
    /// Image Factory schematics by name.
    #[serde(default)]
    pub schematics: BTreeMap<Name, Schematic>,
    /// How Talos is installed.
    #[serde(default)]
    pub install: Install,
    /// The machine's disks.
    #[serde(default)]
    pub disks: BTreeMap<Name, Disk>,
    /// Its volumes.
    #[serde(default)]
    pub volumes: BTreeMap<VolumeName, Volume>,
    /// What it offers for persistent volumes.
    pub local_path: Option<LocalPath>,
    /// Whether it takes part in the cluster's kata-containers application.
    #[serde(default)]
    pub kata: bool,
    /// Its GPUs.
    #[serde(default)]
    pub gpu: Gpu,
    /// Labels of the Kubernetes node.
    #[serde(default)]
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Annotations of the Kubernetes node.
    #[serde(default)]
    pub annotations: BTreeMap<LabelKey, String>,
    /// Taints of the Kubernetes node.
    #[serde(default)]
    pub taints: BTreeMap<LabelKey, Taint>,
    /// DNS servers; absent is not the same as none.
    pub nameservers: Option<Vec<Address>>,
    /// Where names that are not whole are looked up.
    pub search_domains: Option<SearchDomains>,
    /// How it keeps time.
    pub time: Option<Time>,
    /// Kernel modules by name.
    #[serde(default)]
    pub kernel_modules: BTreeMap<Name, KernelModule>,
    /// Kernel parameters by name.
    #[serde(default)]
    pub sysctls: BTreeMap<Sysctl, String>,
    /// Files that Talos writes, by path.
    #[serde(default)]
    pub machine_files: BTreeMap<AbsolutePath, MachineFile>,
    /// Where images are pulled from.
    #[serde(default)]
    pub registries: Registries,
    /// The Tailscale extension service.
    pub tailscale: Option<Tailscale>,
    /// Other extension services by name.
    #[serde(default)]
    pub extension_services: BTreeMap<DnsLabel, ExtensionService>,
    /// Kubelet settings.
    #[serde(default)]
    pub kubelet: Kubelet,
    /// Settings of etcd.
    pub etcd: Option<Etcd>,
    /// Settings of the Kubernetes API server.
    pub api_server: Option<ApiServer>,
    /// Whether workloads run on control-plane nodes.
    pub allow_scheduling_on_control_planes: Option<bool>,
    /// Machine-config patches by name.
    #[serde(default)]
    pub patches: BTreeMap<Name, Patch>,
    /// Other names for generated files; none means that the file is not written.
    #[serde(default)]
    pub files: BTreeMap<ModelKey, Option<RelativePath>>,
}

/// The machine's architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}
