//! A device as the user wrote it, layers applied: `schemas/device.schema.json` as Rust types.
//!
//! Unknown keys are refused, every key but four may be absent, and nothing is filled in. What the rest of the program relies on
//! is the plan.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::TalosVersion;
use crate::scalar::{
    Address, Argument, Cel, DevicePath, DnsLabel, Extension, Hostname, Image, KernelArgument, LabelKey, LabelValue,
    ModelKey, Name, ObjectName, RelativePath, Route, SecretName, Size, VolumeName, VolumeSize,
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
    /// Its hostname, if not its name.
    pub hostname: Option<Hostname>,
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
    /// DNS servers; absent is not the same as none.
    pub nameservers: Option<Vec<Address>>,
    /// The Tailscale extension service.
    pub tailscale: Option<Tailscale>,
    /// Kubelet settings.
    #[serde(default)]
    pub kubelet: Kubelet,
    /// Whether workloads run on control-plane nodes.
    pub allow_scheduling_on_control_planes: Option<bool>,
    /// Machine-config patches by name.
    #[serde(default)]
    pub patches: BTreeMap<Name, Patch>,
    /// Other names for generated files; none means that the file is not written.
    #[serde(default)]
    pub files: BTreeMap<ModelKey, Option<RelativePath>>,
}

/// The machine type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the control plane.
    ControlPlane,
    /// Runs workloads alone.
    Worker,
}

/// What goes into an image.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schematic {
    /// Kernel arguments in order.
    #[serde(default)]
    pub extra_kernel_args: Vec<KernelArgument>,
    /// Extensions in order.
    #[serde(default)]
    pub extensions: Vec<Extension>,
}

/// How Talos is installed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The image that is applied.
    pub image: Option<InstallImage>,
    /// Images that are not.
    #[serde(default)]
    pub alternatives: BTreeMap<Name, InstallImage>,
    /// Whether installing wipes the system disk.
    pub wipe: Option<bool>,
}

/// An installer image: one of the two.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallImage {
    /// A schematic of the device.
    pub schematic: Option<Name>,
    /// An image of another registry.
    pub reference: Option<Image>,
}

/// A disk of the machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Its raw size.
    pub size: Size,
    /// How Talos finds it.
    pub selector: Option<Cel>,
    /// Where it is below /dev.
    pub path: Option<DevicePath>,
    /// Whether Talos is installed on it.
    #[serde(default)]
    pub system: bool,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// The disk that it is on.
    pub disk: Name,
    /// Its exact size.
    pub size: Option<VolumeSize>,
    /// Its lower bound.
    pub min_size: Option<Size>,
    /// Its upper bound.
    pub max_size: Option<Size>,
    /// Whether it grows at later boots.
    pub grow: Option<bool>,
}

/// What the node offers for persistent volumes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalPath {
    /// User volumes in order; absent is not the same as none.
    pub volumes: Option<Vec<VolumeName>>,
    /// StorageClasses that stand for one volume of this node each.
    #[serde(default)]
    pub storage_classes: BTreeMap<VolumeName, StorageClass>,
}

/// A StorageClass for one volume of one node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageClass {
    /// Its name, if not made from the volume's and the node's.
    pub name: Option<ObjectName>,
    /// What becomes of the data of a claim that is deleted.
    #[serde(default)]
    pub reclaim_policy: ReclaimPolicy,
    /// Whether claims may ask for more later.
    pub allow_volume_expansion: Option<bool>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<LabelKey, String>,
}

/// What becomes of a persistent volume whose claim is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
pub enum ReclaimPolicy {
    /// It is deleted with its data.
    #[default]
    Delete,
    /// It is kept.
    Retain,
}

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

/// The Tailscale extension service.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tailscale {
    /// The secret with the auth key.
    pub auth_key: Option<SecretName>,
    /// The name in the tailnet.
    pub hostname: Option<DnsLabel>,
    /// The networks that the node advertises; absent is not the same as none.
    pub routes: Option<Vec<Route>>,
    /// Whether Tailscale sets the resolver.
    #[serde(rename = "acceptDNS")]
    pub accept_dns: Option<bool>,
    /// Whether the key is used only while the node is not logged in.
    pub auth_once: Option<bool>,
    /// Further arguments of `tailscale up`.
    pub extra_args: Option<Vec<Argument>>,
}

/// Kubelet settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubelet {
    /// Whether static pod manifests are ignored.
    pub disable_manifests_directory: Option<bool>,
}

/// A machine-config patch: one of the three.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// A mapping in place.
    pub inline: Option<serde_json::Map<String, Value>>,
    /// A text in place.
    pub text: Option<String>,
    /// A file beside the document that names it.
    pub file: Option<RelativePath>,
}
