//! The plan: what the rest of the program relies on. Defaults are filled, references resolved, sizes in bytes, IDs computed.
//!
//! [`Plan::new`] is the only way to one, from a [`Draft`] of each device; together they collect every finding that needs nothing but
//! the model, and nothing behind them checks again. Templates see these types: their fields are the contract of `docs/reference/templates.md`.

mod applications;
mod versions;
mod secrets;
mod texts;
mod disks;
mod selectors;
mod room;
mod encryption;
mod volume_kind;
mod volumes;
mod images;
mod services;
mod network;
mod system;
mod kubernetes;
mod features;
mod storage_classes;
mod patches;
mod caches;
mod storage;
mod device;
mod node_selectors;
mod folders;
mod objects;
mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

pub use applications::{ImageOverride, KataContainers, LocalPath, NodeClasses, NodePaths};
pub use caches::Caches;
pub use device::Device;
pub use disks::Disk;
pub use encryption::{Encryption, EncryptionKey, Tpm};
pub use images::{Images, Install, InstallImage, NamedImage, PlannedSchematic};
pub use kubernetes::{ApiServer, Etcd, Gpu, Jwt, Kubelet, Kubernetes};
pub use network::{Network, SearchDomains, Tailscale};
pub use patches::{Content, LayerPatches, Patch};
pub use secrets::{Expected, SecretUse};
pub use services::{ConfigFile, ExtensionService};
pub use storage::Storage;
pub use storage_classes::StorageClass;
pub use system::{KernelModule, MachineFile, MachineFiles, Mirror, System, Time};
pub use versions::{ConfigFormat, Versions};
pub use volumes::Volume;

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, SourceId, TalosVersion, natural};
use talosmith_machinery::Role;

use crate::{DeviceFile, FleetFile, PartialDevice};

/// Everything that is generated, before it is written out.
#[derive(Debug, Default)]
pub struct Plan {
    /// The clusters in the order of their names.
    pub clusters: Vec<Cluster>,
    /// The devices without errors that were not let go of, in natural order of their names.
    pub devices: Vec<Arc<Device>>,
    /// The names of the devices with errors.
    pub broken: BTreeSet<String>,
    /// Those among them that have none of their own, and wait for devices that cannot be read.
    pub waiting: BTreeSet<String>,
}

/// A cluster.
#[derive(Debug, Serialize)]
pub struct Cluster {
    /// Its name.
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
    /// Whether a device of the cluster has errors, so that what is built from all devices cannot be.
    #[serde(skip)]
    pub incomplete: bool,
}

/// The texts of files that devices take in, by their path from the repository's root.
pub type Files = BTreeMap<Utf8PathBuf, Result<(SourceId, Arc<str>), NoText>>;

/// Why a file has no text to take in.
#[derive(Debug, Clone)]
pub enum NoText {
    /// It is not there.
    Absent,
    /// It is a symbolic link, or lies behind one.
    Symlink,
    /// It is a folder or something else.
    NotAFile,
    /// What is wrong with its bytes.
    Refused(Box<Diagnostic>),
}

/// A device that was planned by itself.
#[derive(Debug)]
pub struct Draft {
    /// The device, unless it was let go of.
    device: Option<Arc<Device>>,
    /// Whether it has errors.
    failed: bool,
    member: applications::Member,
    sighting: fleet::Sighting,
    findings: Vec<Diagnostic>,
}

impl Draft {
    /// Plans a device by itself.
    #[must_use]
    pub fn new(fleet: &FleetFile, file: &DeviceFile, files: &Files, caches: &Caches) -> Self {
        let mut check = Check { fleet, file, files, caches, findings: Vec::new(), secrets: Vec::new() };
        let planned = device::plan(&mut check);
        let failed = check.findings.iter().any(|finding| finding.level == Level::Error);
        let name = file.device.name.as_str();
        let mut findings = check.findings.into_iter().map(|finding| finding.device(name)).collect();
        let sighting = fleet::Sighting::new(fleet, file, &mut findings);
        let member = applications::Member::new(&planned);
        Self { device: Some(Arc::new(planned)), failed, member, sighting, findings }
    }

    /// The device as it will be in the plan, if it has no errors and needs nothing of the others.
    #[must_use]
    pub fn settled(&self) -> Option<&Arc<Device>> {
        self.device.as_ref().filter(|device| !self.failed && !kubernetes::names_control_planes(device))
    }

    /// Lets go of the device, which the plan will not have then; what the others need of it stays.
    pub fn let_go(&mut self) {
        self.device = None;
    }
}

/// The clusters without what is gathered from their devices, in the order of their names, and what is wrong with them.
#[must_use]
pub fn clusters(fleet: &FleetFile) -> (Vec<Cluster>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let clusters = fleet.fleet.clusters.iter().map(|(name, cluster)| {
        let at = Pointer::new("/clusters").child(name);
        versions::cluster(fleet, name.as_str(), cluster, &at, &mut findings)
    });
    (clusters.collect(), findings)
}

impl Plan {
    /// Plans the whole fleet from its `clusters`, as [`clusters`] gives them, and its devices, in the order of their names.
    ///
    /// `broken` has the devices whose files could not be read, and what could be made out of them.
    #[must_use]
    pub fn new(
        fleet: &FleetFile,
        clusters: Vec<Cluster>,
        drafts: impl IntoIterator<Item = Draft>,
        broken: &BTreeMap<String, PartialDevice>,
    ) -> (Self, Vec<Diagnostic>) {
        let mut findings = Vec::new();
        let mut plan = Self { clusters, ..Self::default() };
        let mut judge = fleet::Judge::default();
        let mut incomplete = BTreeSet::new();
        let mut members = Vec::new();
        for draft in drafts {
            findings.extend(draft.findings);
            judge.see(&draft.member, draft.sighting, &mut findings);
            if draft.failed {
                incomplete.insert(draft.member.cluster);
                plan.broken.insert(draft.member.name);
            } else {
                plan.devices.extend(draft.device);
                members.push(draft.member);
            }
        }
        // What a cluster lacks is not judged while a device cannot be read.
        judge.conclude(fleet, broken.is_empty(), &mut findings);
        applications::judge(fleet, &mut findings);
        folders::judge(&plan.clusters, &members, &mut findings);
        let mut addresses = judge.into_control_planes();
        plan.broken.extend(broken.keys().cloned());
        for sketch in broken.values().filter(|sketch| sketch.role == Some(Role::ControlPlane)) {
            if let (Some(cluster), Some(address)) = (&sketch.cluster, &sketch.address) {
                addresses.entry(cluster.clone()).or_default().insert(address.clone());
            }
        }
        plan.devices.sort_unstable_by(|a, b| natural(&a.name, &b.name).then_with(|| a.name.cmp(&b.name)));
        // A file that cannot be read may be a control plane's, and then its address is wanted.
        let unclear: Vec<&PartialDevice> = broken.values().filter(|sketch| sketch.is_unclear()).collect();
        let waits = |device: &Device| {
            let concerns =
                |sketch: &&PartialDevice| sketch.cluster.as_ref().is_none_or(|cluster| *cluster == device.cluster);
            unclear.iter().any(concerns) && kubernetes::names_control_planes(device)
        };
        plan.waiting.extend(plan.devices.extract_if(.., |device| waits(device)).map(|device| device.name.clone()));
        plan.broken.extend(plan.waiting.iter().cloned());
        for device in plan.devices.iter_mut().filter(|device| kubernetes::names_control_planes(device)) {
            let device = Arc::get_mut(device).expect("a device that is not settled was given to nobody");
            kubernetes::name_control_planes(device, addresses.get(&device.cluster));
        }
        for cluster in &mut plan.clusters {
            let concerns = |sketch: &PartialDevice| sketch.cluster.as_ref().is_none_or(|name| *name == cluster.name);
            cluster.incomplete = broken.values().any(concerns) || incomplete.contains(&cluster.name);
        }
        applications::gather(&mut plan.clusters, members);
        (plan, findings)
    }
}

/// The paths of the files whose texts a device takes in, from the repository's root.
#[must_use]
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
    let named = patches.chain(written).chain(configured);
    named.map(|(at, path)| fleet.folder_of(file, &file.at(at)).join(path.as_str())).collect()
}

/// A device that is being planned, and what was found.
struct Check<'a> {
    fleet: &'a FleetFile,
    file: &'a DeviceFile,
    files: &'a Files,
    caches: &'a Caches,
    findings: Vec<Diagnostic>,
    secrets: Vec<SecretUse>,
}

impl<'a> Check<'a> {
    /// The device's cluster, as the user wrote it.
    fn cluster(&self) -> Option<&'a crate::fleet::Cluster> {
        self.fleet.fleet.clusters.get(&self.file.device.cluster)
    }

    fn at(&self, pointer: impl Into<Pointer>) -> Location {
        self.file.at(pointer)
    }

    fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    fn missing(&mut self, pointer: &Pointer, key: &str, line: &str) {
        let name = pointer.segments().collect::<Vec<_>>().join(".");
        let location = self.at(pointer.clone()).as_key();
        self.push(
            Diagnostic::new(Code::MissingKey, format!("`{name}` has no `{key}`"), location)
                .help(format!("add a line such as\n{line}")),
        );
    }
}
