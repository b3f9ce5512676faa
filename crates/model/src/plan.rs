//! The plan: what the rest of the program relies on. Defaults are filled, references resolved, sizes in bytes, IDs computed.
//!
//! [`Plan::new`] is the only way to one, and collects every finding that needs nothing but the model; nothing behind it checks
//! again. Templates see these types: their fields are the contract of `docs/templates.md`.

mod applications;
mod disks;
mod room;
mod features;
mod images;
mod network;
mod fleet;
mod node;
mod patches;
mod versions;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

pub use applications::{KataContainers, LocalPath, NodePaths};
pub use disks::Disk;
pub use images::{Install, InstallImage, NamedImage, PlannedSchematic};
pub use network::Tailscale;
pub use node::{Device, Gpu};
pub use patches::{Content, Patch};
pub use versions::Flavour;
pub use volumes::Volume;

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

/// A plan that is being made: devices are added in the order of their files, and none has to be kept.
pub struct Planning<'a> {
    fleet: &'a FleetFile,
    plan: Plan,
    judge: fleet::Judge,
    /// The clusters that have a device with errors.
    incomplete: BTreeSet<String>,
    findings: Vec<Diagnostic>,
}

/// A device that was planned by itself.
#[derive(Debug)]
pub struct Draft {
    /// None if it has errors.
    device: Option<Device>,
    findings: Vec<Diagnostic>,
}

impl Draft {
    /// Plans a device by itself.
    #[must_use]
    pub fn new(fleet: &FleetFile, file: &DeviceFile, files: &Files) -> Self {
        let mut check = Check { fleet, file, findings: Vec::new() };
        let planned = node::plan(&mut check, files);
        let failed = check.findings.iter().any(|finding| finding.level == Level::Error);
        let name = file.device.name.as_str();
        let findings = check.findings.into_iter().map(|finding| finding.device(name)).collect();
        Self { device: Some(planned).filter(|_| !failed), findings }
    }
}

impl<'a> Planning<'a> {
    /// A plan without devices.
    #[must_use]
    pub fn new(fleet: &'a FleetFile) -> Self {
        let mut findings = Vec::new();
        let mut plan = Plan::default();
        for (name, cluster) in &fleet.fleet.clusters {
            let at = Pointer::new("/clusters").child(name);
            plan.clusters.push(versions::cluster(fleet, name.as_str(), cluster, &at, &mut findings));
        }
        Self { fleet, plan, judge: fleet::Judge::default(), incomplete: BTreeSet::new(), findings }
    }

    /// Adds a device and its draft, and judges it among those that were added.
    pub fn add(&mut self, file: &DeviceFile, draft: Draft) {
        self.findings.extend(draft.findings);
        self.judge.see(file, &mut self.findings);
        match draft.device {
            Some(device) => self.plan.devices.push(device),
            None => {
                self.incomplete.insert(file.device.cluster.to_string());
                self.plan.broken.insert(file.device.name.to_string());
            }
        }
    }

    /// The plan; `broken` names the devices whose files could not be read.
    #[must_use]
    pub fn finish(self, broken: &BTreeSet<String>) -> (Plan, Vec<Diagnostic>) {
        let Self { fleet, mut plan, judge, incomplete, mut findings } = self;
        // What a cluster lacks is not judged while a device cannot be read.
        if broken.is_empty() {
            judge.conclude(fleet, &mut findings);
        }
        plan.broken.extend(broken.iter().cloned());
        plan.devices.sort_by(|a, b| natural(&a.name, &b.name));
        for cluster in &mut plan.clusters {
            // A file that cannot be read does not say which cluster it belongs to.
            cluster.incomplete = !broken.is_empty() || incomplete.contains(&cluster.name);
            applications::gather(cluster, &plan.devices);
        }
        (plan, findings)
    }
}

impl Plan {
    /// Plans the whole fleet.
    ///
    /// `broken` names the devices whose files could not be read.
    #[must_use]
    pub fn new(
        fleet: &FleetFile,
        devices: &[DeviceFile],
        broken: &BTreeSet<String>,
        files: &Files,
    ) -> (Self, Vec<Diagnostic>) {
        let mut planning = Planning::new(fleet);
        for file in devices {
            planning.add(file, Draft::new(fleet, file, files));
        }
        planning.finish(broken)
    }

    /// The cluster of a device.
    #[must_use]
    pub fn cluster_of(&self, device: &Device) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name == device.cluster)
    }
}

/// The paths of the files that the raw patches of a device name, from the repository's root.
#[must_use]
pub fn wanted_files(fleet: &FleetFile, file: &DeviceFile) -> Vec<Utf8PathBuf> {
    let patches = file.device.patches.iter().filter_map(|(name, patch)| {
        let path = patch.file.as_ref()?;
        let place = file.at(Pointer::new("/patches").child(name));
        Some(fleet.folder_of(file, &place).join(path.as_str()))
    });
    patches.collect()
}

/// A device that is being planned, and what was found.
struct Check<'a> {
    fleet: &'a FleetFile,
    file: &'a DeviceFile,
    findings: Vec<Diagnostic>,
}

impl Check<'_> {
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
