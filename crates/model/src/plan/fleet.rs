//! A fleet: what its devices have to do with each other.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::Diagnostic;
use talosmith_machinery::Role;

use super::cross_device::CrossDeviceChecks;
use super::groups::UsedGroups;
use super::unnamed_disk::UnnamedDisks;
use super::values::LayerValues;
use super::{
    ApplicationInput, Cluster, CrossDeviceInput, DeviceNames, application_files, applications, claimed, endpoints,
    folders,
};
use crate::scalar::Name;
use crate::{DeviceFile, FleetFile, PartialDevice};

/// The plan of a fleet, to which devices are added one after the other in the order of their names, so that none of them has to be
/// kept.
pub struct FleetPlan<'a> {
    fleet: &'a FleetFile,
    checks: CrossDeviceChecks,
    applications: BTreeMap<String, Vec<ApplicationInput>>,
    /// Clusters with a device that cannot be planned.
    incomplete: BTreeSet<String>,
    unreadable: Vec<PartialDevice>,
    unnamed_disks: UnnamedDisks,
    used_groups: UsedGroups,
    layer_values: LayerValues,
    findings: Vec<Diagnostic>,
}

impl<'a> FleetPlan<'a> {
    /// The plan of a fleet without devices.
    pub fn new(fleet: &'a FleetFile) -> Self {
        Self {
            fleet,
            checks: CrossDeviceChecks::default(),
            applications: BTreeMap::new(),
            incomplete: BTreeSet::new(),
            unreadable: Vec::new(),
            unnamed_disks: UnnamedDisks::default(),
            used_groups: UsedGroups::default(),
            layer_values: LayerValues::default(),
            findings: Vec::new(),
        }
    }

    /// Adds a device whose file could be read.
    pub fn add_file(&mut self, mut input: CrossDeviceInput) {
        self.layer_values.add(std::mem::take(&mut input.layer_values));
        self.used_groups.add(self.fleet, &input);
        self.checks.add(input, &mut self.findings);
    }

    /// Adds a device whose file could not be read.
    pub fn add_unreadable(&mut self, device: PartialDevice) {
        self.unreadable.push(device);
    }

    /// Adds what a planned device provides to the applications of its cluster; if the device has errors, these cannot be generated.
    pub fn add_application(&mut self, mut input: ApplicationInput, has_errors: bool) {
        input.add_claims(self.checks.claims_mut());
        if let Some(disk) = input.unnamed_disk.take() {
            self.unnamed_disks.add(&input.cluster, &input.device, disk);
        }
        if has_errors {
            self.incomplete.insert(input.cluster);
            return;
        }
        let cluster = self.fleet.fleet.clusters.get(input.cluster.as_str());
        if cluster.is_some_and(|cluster| input.is_needed(&cluster.applications)) {
            self.applications.entry(input.cluster.clone()).or_default().push(input);
        }
    }

    /// The addresses of all control planes, once all files were added.
    pub fn control_planes(&self) -> ControlPlanes {
        let mut addresses = self.checks.control_planes().clone();
        for device in self.unreadable.iter().filter(|device| device.role == Some(Role::ControlPlane)) {
            if let (Some(cluster), Some(address)) = (&device.cluster, &device.address) {
                addresses.entry(cluster.clone()).or_default().insert(address.clone());
            }
        }
        let mut workers = self.checks.workers().clone();
        for device in self.unreadable.iter().filter(|device| device.role == Some(Role::Worker)) {
            *workers.entry(device.cluster.clone().unwrap_or_default()).or_default() += 1;
        }
        let unclear = self.unreadable.iter().filter(|device| device.is_unclear()).map(|device| device.cluster.clone());
        ControlPlanes { addresses, workers, unclear: unclear.collect() }
    }

    /// The names and addresses of all devices, once all were added; none if the file of a device has errors.
    pub fn device_names(&self) -> Option<DeviceNames> {
        self.unreadable.is_empty().then(|| DeviceNames::new(&self.checks))
    }

    /// Returns the clusters with what their devices provide, and every finding on the fleet, once all devices were added. `clusters`
    /// come from [`clusters`](super::clusters).
    pub fn finish(self, mut clusters: Vec<Cluster>) -> (Vec<Cluster>, Vec<Diagnostic>) {
        let Self {
            fleet,
            checks,
            applications,
            incomplete,
            unreadable,
            unnamed_disks,
            used_groups,
            layer_values,
            mut findings,
        } = self;
        if unreadable.is_empty() {
            findings.extend(used_groups.unused(fleet));
            findings.extend(layer_values.unused().filter(|_| fleet.is_whole));
        }
        findings.extend(checks.finish(fleet, unreadable.is_empty()));
        findings.extend(unnamed_disks.finish());
        findings.extend(claimed::check(fleet, &checks));
        if unreadable.is_empty() {
            findings.extend(endpoints::check(fleet, &checks));
        }
        findings.extend(applications::check_default_paths(fleet));
        findings.extend(application_files::check_disabled(fleet));
        findings.extend(folders::check(&clusters, &checks));
        for cluster in &mut clusters {
            let concerns = |device: &PartialDevice| device.cluster.as_ref().is_none_or(|name| *name == cluster.name);
            cluster.incomplete = unreadable.iter().any(concerns) || incomplete.contains(&cluster.name);
        }
        applications::gather(&mut clusters, applications);
        (clusters, findings)
    }
}

/// The addresses of the control planes of each cluster.
#[derive(Debug, Default)]
pub struct ControlPlanes {
    addresses: BTreeMap<String, BTreeSet<String>>,
    /// At least the number of workers of each cluster.
    workers: BTreeMap<String, usize>,
    /// The clusters of devices that may be control planes and whose address is not known; none if not even the cluster is.
    unclear: Vec<Option<String>>,
}

impl ControlPlanes {
    /// The addresses that are known in a cluster.
    pub(super) fn of_cluster(&self, cluster: &Name) -> Option<&BTreeSet<String>> {
        self.addresses.get(cluster.as_str())
    }

    /// Whether a cluster has workers.
    pub(super) fn has_workers(&self, cluster: &Name) -> bool {
        self.workers.get(cluster.as_str()).is_some_and(|count| *count > 0)
    }

    /// Whether all addresses are known that are in the certificates of a device.
    pub fn are_complete_for(&self, file: &DeviceFile) -> bool {
        !file.names_control_planes() || self.are_complete_in(&file.device.cluster)
    }

    /// Whether all addresses are known in a cluster.
    pub(super) fn are_complete_in(&self, cluster: &Name) -> bool {
        let is_unclear = |unclear: &Option<String>| unclear.as_ref().is_none_or(|name| name == cluster.as_str());
        !self.unclear.iter().any(is_unclear)
    }
}
