//! A device as the user wrote it, merged with its layers: `schemas/model/device.schema.json` as Rust types.
//!
//! Unknown keys are rejected, every key but four may be absent, and no default is filled in: the plan does that.

mod documents;
mod host;
mod image;
mod storage;
mod system;
mod components;
mod kubernetes;
mod network;

use std::collections::BTreeMap;

use serde::Deserialize;
use talosmith_machinery::Role;

pub(crate) use components::{
    AdmissionControl, AdmissionPlugin, Cni, CniName, ControllerManager, Discovery, HostDns, KubePrism, Scheduler,
    Switch, TalosApiAccess, TalosRole,
};
pub(crate) use documents::Documents;
pub(crate) use host::{Log, LogSource, Manifest, Scrub, Watchdog};
pub(crate) use image::{Install, InstallImage, Schematic};
pub(crate) use kubernetes::{ApiServer, Etcd, Gpu, GpuPods, Kubelet, Oidc};
pub(crate) use network::{Bond, Dhcp, Link, LinkRoute, Vip};
pub use storage::VolumeType;
pub(crate) use storage::{
    Disk, Encryption, EncryptionKey, Filesystem, FilesystemType, LocalPath, Mount, ReclaimPolicy, Tpm, Volume,
    VolumeKind,
};
pub(crate) use system::{
    BaseFile, ExtensionService, FileOperation, KernelModule, MachineFile, Patch, Registries, SearchDomains, Tailscale,
    Time,
};

use talosmith_document::TalosVersion;

use crate::ordered::Ordered;
use crate::scalar::{
    AbsolutePath, Address, DnsLabel, Hostname, LabelKey, LabelValue, LinkName, ModelKey, Name, NodeEndpoint,
    ObjectName, RelativePath, SubjectAltName, Sysctl, Taint, Value, ValueName, VolumeName,
};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    pub name: Name,
    pub cluster: Name,
    pub role: Role,
    pub address: Address,
    /// Groups of its cluster; the keys of a later one override those of an earlier one.
    #[serde(default)]
    pub groups: Vec<Name>,
    pub talos_version: Option<TalosVersion>,
    pub base_config: Option<TalosVersion>,
    pub arch: Option<Arch>,
    pub hostname: Option<Hostname>,
    pub endpoint: Option<NodeEndpoint>,
    #[serde(default, rename = "certSANs")]
    pub cert_sans: Vec<SubjectAltName>,
    #[serde(default)]
    pub schematics: BTreeMap<Name, Schematic>,
    #[serde(default)]
    pub install: Install,
    #[serde(default)]
    pub disks: BTreeMap<Name, Disk>,
    #[serde(default)]
    pub volumes: BTreeMap<VolumeName, Volume>,
    pub local_path: Option<LocalPath>,
    #[serde(default)]
    pub kata: bool,
    #[serde(default)]
    pub gpu: Gpu,
    #[serde(default)]
    pub labels: Ordered<LabelKey, LabelValue>,
    #[serde(default)]
    pub annotations: Ordered<LabelKey, String>,
    #[serde(default)]
    pub taints: Ordered<LabelKey, Taint>,
    /// Absent is not the same as an empty list.
    pub nameservers: Option<Vec<Address>>,
    pub search_domains: Option<SearchDomains>,
    #[serde(default)]
    pub static_hosts: Ordered<Address, Vec<Hostname>>,
    #[serde(default)]
    pub links: BTreeMap<LinkName, Link>,
    #[serde(default)]
    pub vips: BTreeMap<Address, Vip>,
    #[serde(default, rename = "hostDNS")]
    pub host_dns: HostDns,
    pub time: Option<Time>,
    #[serde(default)]
    pub logs: Ordered<Name, Log>,
    pub watchdog: Option<Watchdog>,
    #[serde(default)]
    pub udev_rules: Ordered<Name, Vec<String>>,
    pub scrub: Option<Scrub>,
    #[serde(default)]
    pub kernel_modules: Ordered<Name, KernelModule>,
    #[serde(default)]
    pub sysctls: Ordered<Sysctl, String>,
    #[serde(default)]
    pub machine_files: Ordered<AbsolutePath, MachineFile>,
    #[serde(default)]
    pub registries: Registries,
    pub tailscale: Option<Tailscale>,
    #[serde(default)]
    pub extension_services: BTreeMap<DnsLabel, ExtensionService>,
    #[serde(default)]
    pub kubelet: Kubelet,
    pub etcd: Option<Etcd>,
    pub api_server: Option<ApiServer>,
    pub allow_scheduling_on_control_planes: Option<bool>,
    pub controller_manager: Option<ControllerManager>,
    pub scheduler: Option<Scheduler>,
    pub cni: Option<Cni>,
    pub proxy: Option<Switch>,
    #[serde(rename = "coreDNS")]
    pub core_dns: Option<Switch>,
    #[serde(default)]
    pub manifests: Ordered<ObjectName, Manifest>,
    pub cluster_network: Option<bool>,
    #[serde(default)]
    pub discovery: Discovery,
    #[serde(default)]
    pub kube_prism: KubePrism,
    #[serde(rename = "kubernetesTalosAPIAccess")]
    pub kubernetes_talos_api_access: Option<TalosApiAccess>,
    #[serde(default)]
    pub base: BTreeMap<Name, BaseFile>,
    #[serde(default)]
    pub values: BTreeMap<ValueName, Value>,
    #[serde(default)]
    pub patches: BTreeMap<Name, Patch>,
    #[serde(default)]
    pub documents: Documents,
    /// None means that the file is not written.
    #[serde(default)]
    pub files: BTreeMap<ModelKey, Option<RelativePath>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    Amd64,
    Arm64,
}
