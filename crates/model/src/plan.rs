//! The plan: what the rest of the program relies on. Defaults are filled, references resolved, sizes in bytes, IDs computed.
//!
//! [`Plan::new`] is the only way to one, and collects every finding that needs nothing but the model; nothing behind it checks
//! again. Templates see these types: their fields are the contract of `docs/templates.md`.

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
mod patches;
mod node;
mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

pub use applications::{KataContainers, LocalPath, NodePaths};
pub use disks::Disk;
pub use encryption::{Encryption, EncryptionKey, Tpm};
pub use images::{Install, InstallImage, NamedImage, PlannedSchematic};
pub use kubernetes::{ApiServer, Etcd, Jwt, Kubelet};
pub use network::{SearchDomains, Tailscale};
pub use node::{Device, Gpu};
pub use patches::{Content, Patch};
pub use secrets::{Expected, SecretUse};
pub use services::{ConfigFile, ExtensionService};
pub use system::{KernelModule, MachineFile, MachineFiles, Mirror, Time};
pub use versions::Flavour;
pub use volumes::Volume;

use crate::device::Role;
use crate::scalar::Name;
use crate::{Code, DeviceFile, Diagnostic, FleetFile, Level, Place, Pointer, SourceId, TalosVersion, natural};

/// Everything that is generated, before it is written out.
#[derive(Debug, Default)]
pub struct Plan {
    /// The clusters in the order of their names.
    pub clusters: Vec<Cluster>,
    /// The devices without errors, in natural order of their names.
    pub devices: Vec<Device>,
    /// The names of the devices with errors.
    pub broken: BTreeSet<String>,
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
    /// Where the cluster stands in talosmith.yaml.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// The texts of files that raw patches name, by their path from the repository's root; none where there is no such file.
pub type Files = BTreeMap<Utf8PathBuf, Option<(SourceId, Arc<str>)>>;

impl Plan {
    /// Plans the whole fleet.
    ///
    /// `broken` names the devices whose files could not be read, with their clusters where they are known.
    #[must_use]
    pub fn new(
        fleet: &FleetFile,
        devices: &[DeviceFile],
        broken: &BTreeSet<String>,
        files: &Files,
    ) -> (Self, Vec<Diagnostic>) {
        let mut findings = Vec::new();
        let mut plan = Self { broken: broken.clone(), ..Self::default() };
        for (name, cluster) in &fleet.fleet.clusters {
            let at = Pointer::new("/clusters").child(name);
            plan.clusters.push(versions::cluster(fleet, name.as_str(), cluster, &at, &mut findings));
        }
        let no_planes = BTreeSet::new();
        let control_planes = control_planes(devices);
        for file in devices {
            let planes = control_planes.get(&file.device.cluster).unwrap_or(&no_planes);
            let mut check = Check { fleet, file, control_planes: planes, findings: Vec::new(), secrets: Vec::new() };
            let planned = node::plan(&mut check, files);
            let failed = check.findings.iter().any(|finding| finding.level == Level::Error);
            let name = file.device.name.as_str().to_owned();
            findings.extend(check.findings.into_iter().map(|finding| finding.device(name.clone())));
            // Nobody knows whether a file that cannot be read is a control plane's.
            let waits = !broken.is_empty() && kubernetes::names_control_planes(&file.device);
            if failed || waits {
                plan.broken.insert(name);
            } else {
                plan.devices.push(planned);
            }
        }
        fleet::judge(fleet, devices, broken.is_empty(), &mut findings);
        plan.devices.sort_by(|a, b| natural(&a.name, &b.name));
        for cluster in &mut plan.clusters {
            // A file that cannot be read does not say which cluster it belongs to.
            cluster.incomplete = !broken.is_empty()
                || devices.iter().any(|file| {
                    file.device.cluster.as_str() == cluster.name && plan.broken.contains(file.device.name.as_str())
                });
            applications::gather(cluster, &plan.devices);
        }
        (plan, findings)
    }

    /// The cluster of a device.
    #[must_use]
    pub fn cluster_of(&self, device: &Device) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name == device.cluster)
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

/// The addresses of the control planes of each cluster, in the order of their text.
fn control_planes(devices: &[DeviceFile]) -> BTreeMap<Name, BTreeSet<String>> {
    let mut addresses: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for file in devices.iter().filter(|file| file.device.role == Role::ControlPlane) {
        let cluster = addresses.entry(file.device.cluster.clone()).or_default();
        cluster.insert(file.device.address.to_string());
    }
    addresses
}

/// A device that is being planned, and what was found.
struct Check<'a> {
    fleet: &'a FleetFile,
    file: &'a DeviceFile,
    /// The addresses of its cluster's control planes.
    control_planes: &'a BTreeSet<String>,
    findings: Vec<Diagnostic>,
    secrets: Vec<SecretUse>,
}

impl<'a> Check<'a> {
    /// The device's cluster, as the user wrote it.
    fn cluster(&self) -> Option<&'a crate::fleet::Cluster> {
        self.fleet.fleet.clusters.get(&self.file.device.cluster)
    }

    fn at(&self, pointer: impl Into<Pointer>) -> Place {
        self.file.at(pointer)
    }

    fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    fn missing(&mut self, pointer: &Pointer, key: &str, line: &str) {
        let name = pointer.segments().collect::<Vec<_>>().join(".");
        let place = self.at(pointer.clone()).as_key();
        self.push(
            Diagnostic::new(Code::MissingKey, format!("`{name}` has no `{key}`"), place)
                .help(format!("add a line such as\n{line}")),
        );
    }
}
