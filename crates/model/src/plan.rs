//! The plan: what the rest of the program relies on. Defaults are filled, references resolved, sizes in bytes, IDs computed.
//!
//! A device is planned by `PlannedDevice::new`, and what devices have to do with each other by `FleetPlan`. Together they collect
//! every finding that needs nothing but the model. Templates see these types: their fields are the contract of
//! `docs/reference/templates.md`.

mod secrets;
mod values;
mod texts;
mod patches;
mod raw;
mod claims;
mod unnamed_disk;
mod application_files;
mod gpu;
mod applications;
mod versions;
mod disks;
mod selectors;
mod room;
mod encryption;
mod volume_kind;
mod raw_volumes;
mod volumes;
mod images;
mod installer;
mod extension_families;
mod kernel_modules;
mod nvidia;
mod services;
mod link_addresses;
mod links;
mod link_checks;
mod vips;
mod network;
mod raw_services;
mod cluster_networks;
mod system;
mod manifests;
mod components;
mod host;
mod api_server;
mod kubernetes;
mod node_features;
mod node_networks;
mod features;
mod storage_classes;
mod caches;
mod storage;
mod documents;
mod device;
mod node_selectors;
mod certificate_names;
mod folders;
mod objects;
mod cross_device;
mod claimed;
mod endpoints;
mod groups;
mod comments;
mod user_artifacts;
mod device_names;
mod references;
mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

pub use api_server::{ApiServer, Jwt};
pub use application_files::{GpuFiles, KataFiles, LocalPathFiles};
pub use applications::{
    ApplicationFolder, ApplicationInput, ImageOverride, KataContainers, LocalPath, NodeClasses, NodePaths,
};
pub use caches::Caches;
pub use comments::{COMMENTS, Comment};
pub use components::Components;
pub use cross_device::CrossDeviceInput;
pub use device::Device;
pub use device_names::DeviceNames;
pub use disks::Disk;
pub use documents::{Documents, Runbook, SecretFact};
pub use encryption::{Encryption, EncryptionKey};
pub use fleet::{ControlPlanes, FleetPlan};
pub use gpu::{ApplicationNode, Gpu, GpuApplication, GpuPods};
pub use host::Host;
pub use images::{Images, Install, InstallImage, NamedImage, PlannedSchematic};
pub use installer::stock_installer;
pub use kubernetes::{Etcd, Kubelet, Kubernetes};
pub use links::{Link, StaticHost};
pub use network::{Network, SearchDomains, Tailscale};
pub use node_features::NodeFeatures;
pub use node_networks::ClusterNetwork;
pub use patches::{Content, LayerPatches, Patch};
pub use references::{Reference, references};
pub use secrets::{Expected, SecretUse};
pub use services::{ConfigFile, ExtensionService};
pub use storage::Storage;
pub use storage_classes::StorageClass;
pub use system::{KernelModule, MachineFile, MachineFiles, Mirror, System, Time};
pub use user_artifacts::{UserArtifact, user_artifacts};
pub use versions::{ConfigFormat, Versions};
pub use vips::Vip;
pub use volumes::Volume;

use talosmith_document::{Anchor, Code, Diagnostic, Level, Location, Pointer, SourceId, TalosVersion};

use crate::{DeviceFile, FleetFile};

#[derive(Debug, Serialize)]
pub struct Cluster {
    pub name: String,
    /// The version that its nodes run.
    pub talos_version: TalosVersion,
    /// The URL of the Kubernetes API, if it is known.
    pub endpoint: Option<String>,
    /// Pod networks.
    pub pod_cidrs: Vec<String>,
    /// Service networks.
    pub service_cidrs: Vec<String>,
    /// The local-path-provisioner, if the cluster has it.
    pub local_path: Option<LocalPath>,
    /// Kata containers, if the cluster has them.
    pub kata: Option<KataContainers>,
    /// The DaemonSets for GPUs, if the cluster has them as an application.
    pub gpu: Option<GpuApplication>,
    /// Whether a device of the cluster has errors, so that what is built from all devices cannot be.
    #[serde(skip)]
    pub incomplete: bool,
}

/// The content of files that devices load, by their path from the repository's root.
pub type Files = BTreeMap<Utf8PathBuf, Result<(SourceId, Arc<str>), NoText>>;

/// Why a file cannot be loaded.
#[derive(Debug, Clone)]
pub enum NoText {
    Absent,
    /// It is a symbolic link, or is below one.
    Symlink,
    /// It is a folder or something else.
    NotAFile,
    /// What is wrong with its bytes.
    Refused(Box<Diagnostic>),
}

/// A device that was planned by itself.
#[derive(Debug)]
pub struct PlannedDevice {
    /// What is generated for it.
    pub device: Arc<Device>,
    /// What the applications of its cluster take from it.
    pub application: ApplicationInput,
    /// Everything that is wrong with it besides what is wrong with its file on its own.
    pub findings: Vec<Diagnostic>,
    /// Whether its patches and base configs could be read, so that they can be merged.
    pub can_be_merged: bool,
    /// Whether its file has no errors.
    is_whole: bool,
}

impl PlannedDevice {
    /// Plans a device; `control_planes` are only needed for one that [needs them](DeviceFile::needs_control_planes).
    pub fn new(
        fleet: &FleetFile,
        file: &DeviceFile,
        files: &Files,
        control_planes: &ControlPlanes,
        caches: &Caches,
    ) -> Self {
        let has_workers = control_planes.has_workers(&file.device.cluster);
        let knows_control_planes = control_planes.are_complete_in(&file.device.cluster);
        let control_planes = control_planes.of_cluster(&file.device.cluster);
        let mut check = Check {
            fleet,
            file,
            files,
            control_planes,
            has_workers,
            knows_control_planes,
            caches,
            loaded: 0,
            findings: Vec::new(),
            secrets: Vec::new(),
            can_be_merged: true,
        };
        let device = device::plan(&mut check);
        check.findings.extend(fleet.secrets.iter().chain(&file.secrets).cloned());
        let findings = check.findings.into_iter().map(|finding| finding.device(&device.name)).collect();
        let application = ApplicationInput::new(&device);
        let can_be_merged = check.can_be_merged;
        Self { application, device: Arc::new(device), findings, can_be_merged, is_whole: file.is_whole }
    }

    /// Whether a finding on its merged patches is true although the device has errors. Where a key has an error, its artifact may lack
    /// what such a finding misses; a patch is what the user wrote.
    pub fn is_certain(&self, finding: &Diagnostic) -> bool {
        let mut errors = self.findings.iter().filter(|finding| finding.level == Level::Error);
        let is_of_patch = match &finding.at.location.anchor {
            Anchor::Bytes(_) => true,
            Anchor::Key(at) | Anchor::Value(at) | Anchor::Part(at, _) => at.segments().any(|key| key == "patches"),
            Anchor::File => false,
        };
        is_of_patch || errors.all(leaves_patches_whole)
    }

    /// Whether something is wrong that keeps its files from being generated.
    pub fn has_errors(&self) -> bool {
        !self.is_whole || self.findings.iter().any(|finding| finding.level == Level::Error)
    }
}

impl DeviceFile {
    /// Whether the addresses of its cluster's control planes are in a certificate or in the runbook of the device, so that it can only
    /// be planned when all devices of the cluster are known.
    pub fn needs_control_planes(&self) -> bool {
        self.device.documents.runbook || self.names_control_planes()
    }

    /// Whether the addresses are in a certificate, without which nothing of the device is generated.
    pub(crate) fn names_control_planes(&self) -> bool {
        kubernetes::names_control_planes(&self.device)
    }
}

/// The clusters without what is gathered from their devices, in the order of their names, and what is wrong with them.
pub fn clusters(fleet: &FleetFile) -> (Vec<Cluster>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let clusters = fleet.fleet.clusters.iter().map(|(name, cluster)| {
        let at = Pointer::new("/clusters").child(name);
        versions::cluster(fleet, name.as_str(), cluster, &at, &mut findings)
    });
    (clusters.collect(), findings)
}

/// Returns the paths of the files that a device loads, from the repository's root.
pub fn wanted_files(fleet: &FleetFile, file: &DeviceFile) -> Vec<Utf8PathBuf> {
    let device = &file.device;
    let patches = device
        .patches
        .iter()
        .filter_map(|(name, patch)| Some((Pointer::new("/patches").child(name), patch.file.as_ref()?)));
    let written = device.machine_files.iter().filter_map(|(path, machine_file)| {
        Some((Pointer::new("/machineFiles").child(path), machine_file.file.as_ref()?))
    });
    let configured = device.extension_services.iter().flat_map(|(name, service)| {
        let at = Pointer::new("/extensionServices").child(name);
        service.config_files.values().filter_map(move |config| Some((at.clone(), config.file.as_ref()?)))
    });
    let manifests = device
        .manifests
        .iter()
        .filter_map(|(name, manifest)| Some((Pointer::new("/manifests").child(name), manifest.file.as_ref()?)));
    let certificates = device
        .registries
        .tls
        .iter()
        .filter_map(|(registry, tls)| Some((Pointer::new("/registries/tls").child(registry), tls.ca.as_ref()?)));
    let base = device.base.iter().map(|(name, base)| (Pointer::new("/base").child(name), &base.file));
    let named = patches.chain(base).chain(written).chain(configured).chain(manifests).chain(certificates);
    named.map(|(at, path)| fleet.folder_of(file, &file.at(at)).join(path.as_str())).collect()
}

/// A device that is being planned, and what was found.
struct Check<'a> {
    fleet: &'a FleetFile,
    file: &'a DeviceFile,
    files: &'a Files,
    /// The addresses of the control planes of its cluster.
    control_planes: Option<&'a BTreeSet<String>>,
    /// Whether its cluster has workers.
    has_workers: bool,
    /// Whether the addresses of all control planes are known.
    knows_control_planes: bool,
    caches: &'a Caches,
    /// The bytes of the files that it names, each counted as often as it is named.
    loaded: usize,
    findings: Vec<Diagnostic>,
    secrets: Vec<SecretUse>,
    can_be_merged: bool,
}

/// Whether what an error is about is part of the patch that has it nevertheless, or can be part of none.
fn leaves_patches_whole(error: &Diagnostic) -> bool {
    matches!(error.code, Code::LiteralSecret | Code::Alias | Code::JsonPatch | Code::NoSuccessor)
}

impl<'a> Check<'a> {
    /// The device's cluster, as the user wrote it.
    fn cluster(&self) -> Option<&'a crate::fleet::Cluster> {
        self.fleet.fleet.clusters.get(&self.file.device.cluster)
    }

    fn at(&self, pointer: impl Into<Pointer>) -> Location {
        self.file.at(pointer)
    }

    /// Returns the location of a key, where `at` returns that of its value.
    fn key(&self, pointer: impl Into<Pointer>) -> Location {
        self.at(pointer).as_key()
    }

    fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Reports that the mapping at `at` has two keys of which only one is allowed.
    fn exclusive(&mut self, at: &Pointer, first: &str, second: &str) {
        let message = format!("`{first}` and `{second}` are mutually exclusive");
        let finding = Diagnostic::new(Code::ExclusiveKeys, message, self.key(at.child(second)));
        self.push(finding.help("remove one of the two"));
    }

    /// Reports a required key that the mapping at `pointer` does not have, with a line to add.
    fn missing(&mut self, pointer: &Pointer, key: &str, line: &str) {
        let name = pointer.segments().collect::<Vec<_>>().join(".");
        self.push(
            Diagnostic::new(Code::MissingKey, format!("`{name}` has no `{key}`"), self.key(pointer.clone()))
                .help(format!("add a line such as\n{line}")),
        );
    }
}
