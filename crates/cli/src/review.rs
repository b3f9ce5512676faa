//! What a change does to running nodes: the files as a revision has them, compared with what is rendered now.

mod device;
mod group;
mod json;
mod markdown;
mod objects;
mod room;
mod row;
mod side;
mod steps;
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
use talosmith_machinery::{Class, DifferenceKind, Role};
use talosmith_model::plan::Device;
use talosmith_render::Renderer;

use group::Group;
pub(crate) use group::{blocks, groups};
pub(crate) use json::json;
pub(crate) use markdown::markdown;
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
    /// The DaemonSets of clusters, each with the labels that it selects.
    selecting: Vec<(String, Vec<String>)>,
    /// The numbers of nodes and of control planes of each cluster.
    nodes: BTreeMap<String, ClusterSize>,
}

impl Files {
    /// Takes the files of an inspection, which keeps what locations need.
    fn take(inspection: &mut Inspection<'_, Kept>) -> Self {
        let mut files = Self { broken: inspection.broken.clone(), ..Self::default() };
        for kept in std::mem::take(&mut inspection.kept) {
            match kept {
                Kept::Device(of) => _ = files.devices.insert(of.device.name.clone(), of),
                Kept::Cluster(of) => _ = files.clusters.insert(of.name, of.objects),
            }
        }
        let incomplete = inspection.clusters.iter().filter(|cluster| cluster.incomplete);
        files.incomplete = incomplete.map(|cluster| cluster.name.clone()).collect();
        for of in files.devices.values() {
            let size = files.nodes.entry(of.device.cluster.clone()).or_default();
            size.nodes += 1;
            size.control_planes += usize::from(of.device.role == Role::ControlPlane);
        }
        files.selecting = files.clusters.values().flat_map(|of| objects::selecting(of)).collect();
        files
    }

    /// Compares a device with what it was.
    fn device(&self, renderer: &Renderer, after: DeviceFiles) -> Reviewed {
        let name = after.device.name.clone();
        let before = self.devices.get(&name);
        let rows = match (before, &self.reason) {
            (_, Some(reason)) => vec![unknown(&after, reason)],
            (Some(before), None) => match device::compare(renderer, before, &after) {
                Ok(mut rows) => {
                    let own = objects::selecting(&before.objects);
                    rows.extend(stopped(&rows, own.iter().chain(&self.selecting)));
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
        Reviewed { name, is_cluster: false, rows, node }
    }

    fn node(&self, before: Arc<Device>, device: Arc<Device>, change: DifferenceKind) -> ReviewedNode {
        let size = self.nodes.get(&before.cluster).copied().unwrap_or_default();
        let has_cluster = self.nodes.get(&device.cluster).is_some_and(|size| size.control_planes > 0);
        ReviewedNode { device, before, change, size, has_cluster }
    }

    /// Compares the applications of a cluster with what they were.
    fn cluster(&self, after: &ClusterFiles) -> Reviewed {
        let is_known = self.reason.is_none() && !self.incomplete.contains(&after.name);
        let before = self.clusters.get(&after.name).map_or(&[][..], |files| files);
        let rows = match is_known {
            true => objects::compare(before, &after.objects),
            false if after.objects.is_empty() => Vec::new(),
            false => {
                let sentence = "what changes is unknown: the model before has errors";
                let row = ReviewRow::new(Class::Unknown, DifferenceKind::Changed, "applications", sentence);
                vec![LocatedRow { row, location: None }]
            }
        };
        Reviewed { name: after.name.clone(), is_cluster: true, rows, node: None }
    }
}

/// Compares what a revision has with what is rendered now.
pub(crate) fn review<'b, 'a>(
    before: Before<'b>,
    project: Project<'a>,
    selection: &Selection,
) -> anyhow::Result<Review<'b, 'a>> {
    let (inspection, files) = match before {
        Before::Read(mut inspection) => {
            let files = Files::take(&mut inspection);
            (Some(*inspection), files)
        }
        Before::Unreadable(reason) => (None, Files { reason: Some(reason), ..Files::default() }),
    };
    let keep = |inspected: &Inspected<'_>| match Kept::rendered(inspected)? {
        Kept::Device(after) => Some(files.device(inspected.renderer, after)),
        Kept::Cluster(after) => Some(files.cluster(&after)),
    };
    let mut after = inspect(project, selection, Purpose::Render, keep)?;
    let mut reviewed = std::mem::take(&mut after.kept);
    let count = reviewed.iter().filter(|reviewed| !reviewed.is_cluster).count();
    reviewed.extend(removed(&files, &after, selection));
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
        Reviewed { name, is_cluster: false, rows: vec![LocatedRow { row, location: None }], node: None }
    }));
    reviewed.retain(|reviewed| !reviewed.rows.is_empty());
    Ok(Review { reviewed, devices, before: inspection, after })
}

/// The pods that stop on a node since it loses a label that their DaemonSets select.
fn stopped<'s>(
    rows: &[LocatedRow],
    selecting: impl Iterator<Item = &'s (String, Vec<String>)> + Clone,
) -> Vec<LocatedRow> {
    let labels = rows.iter().filter(|row| row.row.change == DifferenceKind::Removed).filter_map(|row| {
        let what = row.row.what.as_str();
        let label = what.strip_prefix("machine.nodeLabels.").or_else(|| what.strip_prefix("KubeNodeConfig labels."))?;
        Some((label, row))
    });
    let stopped = labels.flat_map(|(label, removed)| {
        let selecting = selecting.clone().filter(move |(_, labels)| labels.iter().any(|other| other == label));
        selecting.map(move |(daemon_set, _)| {
            let sentence = format!("its pods on this node stop: it selects the label `{label}`");
            let row =
                ReviewRow::new(Class::Kubernetes, DifferenceKind::Removed, format!("pods of {daemon_set}"), sentence);
            LocatedRow { row, location: removed.location.clone() }
        })
    });
    stopped.collect()
}

fn unknown(after: &DeviceFiles, reason: &str) -> LocatedRow {
    let sentence = format!("what changes is unknown: {reason}");
    ReviewRow::new(Class::Unknown, DifferenceKind::Changed, "device", sentence).at(after.device.location.clone())
}

/// The devices that are gone: without their files it is not known what becomes of the nodes.
fn removed(files: &Files, after: &Inspection<'_, Reviewed>, selection: &Selection) -> Vec<Reviewed> {
    let is_gone = |name: &&String| *selection == Selection::Everything && !after.devices.contains(name);
    let gone = files.devices.iter().filter(|(name, _)| is_gone(name));
    let row = |(name, of): (&String, &DeviceFiles)| {
        let sentence = "the node keeps running with the config that it has: reset it, and `kubectl delete node` it";
        let row = ReviewRow::new(Class::Manual, DifferenceKind::Removed, "device", sentence);
        let node = files.node(Arc::clone(&of.device), Arc::clone(&of.device), DifferenceKind::Removed);
        let rows = vec![LocatedRow { row, location: None }];
        Reviewed { name: name.clone(), is_cluster: false, rows, node: Some(node) }
    };
    gone.map(row).collect()
}
