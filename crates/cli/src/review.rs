//! What a change does to running nodes: the files as a revision has them, compared with what is rendered now.

mod cluster;
mod device;
mod group;
mod json;
mod markdown;
mod objects;
mod room;
mod row;
mod side;
mod steps;
mod talos_version;
mod text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::inspection::{Inspection, inspect};
use crate::project::Project;
use crate::selection::Selection;
use crate::steps::{Inspected, Purpose};
use crate::tree::Tree;
use talosmith_document::TalosVersion;
use talosmith_machinery::{Class, DifferenceKind, Role};
use talosmith_model::plan::Device;
use talosmith_render::Renderer;

use cluster::{ClusterKeys, ClusterSides, keys_of_clusters};
use group::Group;
pub(crate) use group::{blocks, groups};
pub(crate) use json::json;
pub(crate) use markdown::markdown;
use objects::Selecting;
pub(crate) use side::{DeviceFiles, Kept};
pub(crate) use steps::steps;
pub(crate) use text::{block_text, text};

pub(crate) use row::LocatedRow;
use row::ReviewRow;
use side::ClusterFiles;
use steps::{ClusterSize, ReviewedNode};

/// What happens to one device, or to the applications of one cluster.
pub(crate) struct Reviewed {
    /// The name of the device, or of the cluster.
    pub name: String,
    pub is_cluster: bool,
    /// The name of the device before, if it has another one now.
    pub old_name: Option<String>,
    pub rows: Vec<LocatedRow>,
    /// The node, where both sides of its device are known.
    pub node: Option<ReviewedNode>,
}

/// What happens to all that were compared.
pub(crate) struct Review<'b, 'a> {
    pub reviewed: Vec<Reviewed>,
    /// The number of devices that were compared, also where nothing happens.
    pub devices: usize,
    /// What was read of the side before, for its locations.
    pub before: Option<Inspection<'b, Kept>>,
    pub after: Inspection<'a, Reviewed>,
    /// The addresses of the nodes of each cluster now.
    pub addresses: BTreeMap<String, Addresses>,
}

/// The addresses of the nodes of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    pub control_planes: Vec<String>,
    pub workers: Vec<String>,
    /// The oldest Talos that runs on one of them.
    pub talos: Option<TalosVersion>,
}

impl Review<'_, '_> {
    /// Returns the rows, the most harmful first.
    pub(crate) fn groups(&mut self) -> Vec<Group> {
        groups(&self.reviewed, self.before.as_mut().map(|before| &mut before.sources), &mut self.after.sources)
    }
}

/// What the side before has, or why that is unknown.
pub(crate) enum Before<'b> {
    Read(Box<Inspection<'b, Kept>>),
    Unreadable(String),
}

/// Reads a revision's files for every device and cluster.
pub(crate) fn read_before(tree: &dyn Tree) -> Before<'_> {
    let project = match Project::open(tree) {
        Ok(project) => project,
        Err(error) => return Before::Unreadable(format!("{:#}", anyhow::Error::from(error))),
    };
    match inspect(project, &Selection::Everything, Purpose::CompareOld, Kept::existing) {
        Ok(inspection) => Before::Read(Box::new(inspection)),
        Err(error) => Before::Unreadable(format!("{:#}", anyhow::Error::from(error))),
    }
}

/// What the side before has, by the names of devices and clusters.
#[derive(Default)]
struct Files {
    devices: BTreeMap<String, DeviceFiles>,
    clusters: BTreeMap<String, Vec<side::ObjectFile>>,
    /// Why nothing of it is known.
    reason: Option<String>,
    /// The devices and the clusters of which only a part can be read.
    broken: BTreeSet<String>,
    incomplete: BTreeSet<String>,
    /// The DaemonSets of each cluster.
    selecting: BTreeMap<String, Vec<Selecting>>,
    /// The addresses of the nodes of each cluster.
    addresses: BTreeMap<String, Addresses>,
    /// What is known about each cluster before and after.
    keys: [BTreeMap<String, ClusterKeys>; 2],
    /// The folders of devices after the change.
    folders: BTreeSet<String>,
}

impl Files {
    /// Takes the files of an inspection, which keeps what locations need.
    fn take(inspection: &mut Inspection<'_, Kept>) -> Self {
        let keys = [keys_of_clusters(inspection.fleet.as_ref()), BTreeMap::new()];
        let mut files = Self { broken: inspection.broken.clone(), keys, ..Self::default() };
        for kept in std::mem::take(&mut inspection.kept) {
            match kept {
                Kept::Device(of) => _ = files.devices.insert(of.device.name.clone(), of),
                Kept::Cluster(of) => _ = files.clusters.insert(of.name, of.objects),
            }
        }
        let incomplete = inspection.clusters.iter().filter(|cluster| cluster.incomplete);
        files.incomplete = incomplete.map(|cluster| cluster.name.clone()).collect();
        for of in files.devices.values() {
            let addresses = files.addresses.entry(of.device.cluster.clone()).or_default();
            let list = match of.device.role {
                Role::ControlPlane => &mut addresses.control_planes,
                Role::Worker => &mut addresses.workers,
            };
            list.push(of.device.address.clone());
            let talos = &of.device.versions.talos;
            let oldest = addresses.talos.get_or_insert_with(|| talos.clone());
            *oldest = talos.min(oldest).clone();
        }
        let selecting = |(name, of): (&String, &Vec<_>)| (name.clone(), objects::selecting(of));
        files.selecting = files.clusters.iter().map(selecting).collect();
        files
    }

    /// Compares a device with what it was.
    fn device(&self, renderer: &Renderer, after: DeviceFiles) -> Reviewed {
        let name = after.device.name.clone();
        let before = self.devices.get(&name).or_else(|| self.renamed(&after.device));
        let old_name = before.map(|before| before.device.name.clone()).filter(|old| *old != name);
        let rows = match (before, &self.reason) {
            (_, Some(reason)) => vec![unknown(&after, reason)],
            (Some(before), None) => match device::compare(renderer, before, &after, self.sides(before, &after)) {
                Ok(mut rows) => {
                    rows.extend(self.stopped(before, &rows));
                    rows
                }
                Err(reason) => vec![unknown(&after, &reason)],
            },
            (None, None) if self.broken.contains(&name) => vec![unknown(&after, "the model before has errors")],
            (None, None) => {
                let row = ReviewRow::new(Class::Install, DifferenceKind::Added, "device", "a new node: install it");
                vec![row.at(after.device.location.clone())]
            }
        };
        let change = if before.is_some() { DifferenceKind::Changed } else { DifferenceKind::Added };
        let is_known = self.reason.is_none() && !self.broken.contains(&name);
        let node = Some(after.device).filter(|_| is_known && !rows.is_empty()).map(|device| {
            let before = before.map_or(&device, |before| &before.device);
            self.node(Arc::clone(before), Arc::clone(&device), change)
        });
        Reviewed { name, is_cluster: false, old_name, rows, node }
    }

    /// The device that has another name now: the only one without a folder that had the same address in the same cluster.
    fn renamed(&self, device: &Device) -> Option<&DeviceFiles> {
        let is_it = |of: &&DeviceFiles| {
            let other = &*of.device;
            (&other.cluster, &other.address) == (&device.cluster, &device.address)
                && !self.folders.contains(&other.name)
        };
        let mut found = self.devices.values().filter(is_it);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    /// The pods that stop on a node since it loses a label, or the value of one, that their DaemonSets select.
    fn stopped(&self, before: &DeviceFiles, rows: &[LocatedRow]) -> Vec<LocatedRow> {
        let labels: Vec<(&str, &LocatedRow)> = rows.iter().filter_map(lost_label).collect();
        if labels.is_empty() {
            return Vec::new();
        }
        let own = objects::selecting(&before.objects);
        let of_cluster = self.selecting.get(&before.device.cluster).into_iter().flatten();
        let selecting: Vec<&Selecting> = own.iter().chain(of_cluster).collect();
        let stopped = labels.into_iter().flat_map(|(label, lost)| {
            let selecting = selecting.iter().filter(move |(_, labels)| labels.get(label) == lost.row.before.as_ref());
            selecting.map(move |(daemon_set, _)| {
                let sentence = format!("its pods on this node stop: it selects the label `{label}`");
                let what = format!("pods of {daemon_set}");
                let row = ReviewRow::new(Class::Kubernetes, DifferenceKind::Removed, what, sentence);
                LocatedRow { row, location: lost.location.clone() }
            })
        });
        stopped.collect()
    }

    fn sides(&self, before: &DeviceFiles, after: &DeviceFiles) -> ClusterSides<'_> {
        let [old, new] = &self.keys;
        ClusterSides { before: old.get(&before.device.cluster), after: new.get(&after.device.cluster) }
    }

    fn node(&self, before: Arc<Device>, device: Arc<Device>, change: DifferenceKind) -> ReviewedNode {
        let addresses = self.addresses.get(&before.cluster);
        let size = addresses.map_or_else(ClusterSize::default, |addresses| ClusterSize {
            nodes: addresses.control_planes.len() + addresses.workers.len(),
            control_planes: addresses.control_planes.len(),
        });
        let of_cluster = self.addresses.get(&device.cluster);
        let has_cluster = of_cluster.is_some_and(|addresses| !addresses.control_planes.is_empty());
        ReviewedNode { device, before, change, size, has_cluster }
    }

    /// Compares the applications of a cluster with what they were.
    fn cluster(&self, after: &ClusterFiles) -> Reviewed {
        let is_known = self.reason.is_none() && !self.incomplete.contains(&after.name);
        let before = self.clusters.get(&after.name).map_or(&[][..], |files| files);
        let [old, new] = &self.keys;
        let sides = ClusterSides { before: old.get(&after.name), after: new.get(&after.name) };
        let mut rows = match is_known {
            true => objects::compare(before, &after.objects),
            false if after.objects.is_empty() => Vec::new(),
            false => {
                let sentence = "what changes is unknown: the model before has errors";
                let row = ReviewRow::new(Class::Unknown, DifferenceKind::Changed, "applications", sentence);
                vec![LocatedRow { row, location: None }]
            }
        };
        let needs_base = |of: &DeviceFiles| {
            let device = &of.device;
            device.cluster == after.name && device.base.is_empty() && device.kubernetes.endpoint.is_none()
        };
        let is_in_base = is_known && self.devices.values().any(needs_base);
        rows.extend(sides.kubernetes().filter(|_| is_known));
        rows.extend(sides.endpoint().filter(|_| is_in_base));
        Reviewed { name: after.name.clone(), is_cluster: true, old_name: None, rows, node: None }
    }
}

/// Compares what a revision has with what is rendered now.
pub(crate) fn review<'b, 'a>(
    before: Before<'b>,
    project: Project<'a>,
    selection: &Selection,
) -> anyhow::Result<Review<'b, 'a>> {
    let (inspection, mut files) = match before {
        Before::Read(mut inspection) => {
            let files = Files::take(&mut inspection);
            (Some(*inspection), files)
        }
        Before::Unreadable(reason) => (None, Files { reason: Some(reason), ..Files::default() }),
    };
    files.keys[1] = keys_of_clusters(project.fleet.as_ref());
    files.folders = project.folders.iter().cloned().collect();
    let keep = |inspected: &Inspected<'_>| match Kept::rendered(inspected)? {
        Kept::Device(after) => Some(files.device(inspected.renderer, after)),
        Kept::Cluster(after) => Some(files.cluster(&after)),
    };
    let mut after = inspect(project, selection, Purpose::Render, keep)?;
    let mut reviewed = std::mem::take(&mut after.kept);
    let count = reviewed.iter().filter(|reviewed| !reviewed.is_cluster).count();
    let gone = removed(&files, &after, &reviewed, selection);
    reviewed.extend(gone);
    let known: BTreeSet<&str> = reviewed.iter().filter(|it| !it.is_cluster).map(|it| it.name.as_str()).collect();
    let is_unknown = |name: &&String| selection.has_device(name) && !known.contains(name.as_str());
    let broken: Vec<String> = after.devices.iter().filter(is_unknown).cloned().collect();
    let devices = count + broken.len();
    reviewed.extend(broken.into_iter().map(|name| {
        let row = ReviewRow::new(
            Class::Unknown,
            DifferenceKind::Changed,
            "device",
            "its model has errors: `talosmith validate`",
        );
        Reviewed { name, is_cluster: false, old_name: None, rows: vec![LocatedRow { row, location: None }], node: None }
    }));
    reviewed.retain(|reviewed| !reviewed.rows.is_empty());
    Ok(Review { reviewed, devices, before: inspection, after, addresses: files.addresses })
}

/// The label of the node that a row removes, or whose value it changes.
fn lost_label(row: &LocatedRow) -> Option<(&str, &LocatedRow)> {
    let what = row.row.what.as_str();
    let label = what.strip_prefix("machine.nodeLabels.").or_else(|| what.strip_prefix("KubeNodeConfig labels."))?;
    (row.row.change != DifferenceKind::Added).then_some((label, row))
}

fn unknown(after: &DeviceFiles, reason: &str) -> LocatedRow {
    let sentence = format!("what changes is unknown: {reason}");
    ReviewRow::new(Class::Unknown, DifferenceKind::Changed, "device", sentence).at(after.device.location.clone())
}

/// The devices that are gone: without their files it is not known what becomes of the nodes.
fn removed(
    files: &Files,
    after: &Inspection<'_, Reviewed>,
    reviewed: &[Reviewed],
    selection: &Selection,
) -> Vec<Reviewed> {
    let renamed: BTreeSet<&String> = reviewed.iter().filter_map(|reviewed| reviewed.old_name.as_ref()).collect();
    let is_gone = |name: &&String| {
        *selection == Selection::Everything && !after.devices.contains(name) && !renamed.contains(name)
    };
    let gone = files.devices.iter().filter(|(name, _)| is_gone(name));
    let row = |(name, of): (&String, &DeviceFiles)| {
        let sentence = "the node keeps running with the config that it has: reset it, and `kubectl delete node` it";
        let row = ReviewRow::new(Class::Manual, DifferenceKind::Removed, "device", sentence);
        let node = files.node(Arc::clone(&of.device), Arc::clone(&of.device), DifferenceKind::Removed);
        let rows = vec![LocatedRow { row, location: None }];
        Reviewed { name: name.clone(), is_cluster: false, old_name: None, rows, node: Some(node) }
    };
    gone.map(row).collect()
}
