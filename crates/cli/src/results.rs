//! The results of the devices and clusters of a pass over a fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use talosmith_document::{Code, Diagnostic, Location};
use talosmith_model::DeviceFile;
use talosmith_model::layout::{self, APPLICATIONS, DEVICES};
use talosmith_model::plan::{Cluster, Device, FleetPlan};
use talosmith_render::{LayerFile, cluster_paths, collisions, unused_layer_file};

use crate::change::{Change, find_documents, find_elsewhere, find_orphans};
use crate::comparison::{Differences, abandoned_folders, remove_orphans};
use crate::project::Project;
use crate::rendering::Owner;
use crate::steps::{DeviceResult, DeviceState, OwnerResult, PlannedResult};
use crate::tree::ReadError;

/// The position of clusters, which come after all devices.
const LAST: usize = usize::MAX;

pub(crate) struct Results<K> {
    pub findings: Vec<Diagnostic>,
    /// The devices that cannot be planned.
    pub broken: BTreeSet<String>,
    /// Those among them without errors of their own, which name control planes that are not all known.
    pub waiting: BTreeSet<String>,
    /// The devices that name control planes, by the positions of their names.
    pub deferred: Vec<(usize, Box<DeviceFile>)>,
    /// The devices without errors that the user's templates see, by the positions of their names.
    pub seen: Vec<(usize, Arc<Device>)>,
    pub rendered_devices: usize,
    pub rendered_files: usize,
    /// The folders below `devices/` without a device.
    pub gone: BTreeSet<String>,
    /// The clusters of the selected devices that were planned.
    selected_clusters: BTreeSet<String>,
    /// What the command keeps, by the positions of the devices' names.
    kept: Vec<(usize, K)>,
    changes: Vec<(usize, Vec<Change>)>,
    strays: Vec<Utf8PathBuf>,
    links: usize,
    /// For each key of `files` in a layer, whether a device has its artifact.
    layer_files: BTreeMap<String, Vec<(Location, bool)>>,
}

impl<K> Results<K> {
    pub(crate) fn new(findings: Vec<Diagnostic>) -> Self {
        Self {
            findings,
            broken: BTreeSet::new(),
            waiting: BTreeSet::new(),
            deferred: Vec::new(),
            seen: Vec::new(),
            rendered_devices: 0,
            rendered_files: 0,
            gone: BTreeSet::new(),
            selected_clusters: BTreeSet::new(),
            kept: Vec::new(),
            changes: Vec::new(),
            strays: Vec::new(),
            links: 0,
            layer_files: BTreeMap::new(),
        }
    }

    /// Adds the result of a folder below `devices/`; there is no plan without a fleet.
    pub(crate) fn add_folder(&mut self, name: &str, result: DeviceResult<K>, plan: Option<&mut FleetPlan<'_>>) {
        let DeviceResult { position, findings, state } = result;
        if matches!(state, DeviceState::Absent) {
            self.gone.insert(name.to_owned());
            return;
        }
        self.findings.extend(findings);
        let Some(plan) = plan else { return };
        match state {
            DeviceState::Absent => {}
            DeviceState::Broken(partial, input) => {
                self.broken.insert(name.to_owned());
                input.into_iter().for_each(|input| plan.add_file(input));
                plan.add_unreadable(partial);
            }
            DeviceState::Deferred(input, file) => {
                plan.add_file(input);
                self.deferred.push((position, file));
            }
            DeviceState::Planned(input, result) => {
                plan.add_file(input);
                self.add_device(position, name, *result, plan);
            }
        }
    }

    pub(crate) fn add_device(
        &mut self,
        position: usize,
        name: &str,
        result: PlannedResult<K>,
        plan: &mut FleetPlan<'_>,
    ) {
        self.findings.extend(result.findings);
        if result.has_errors {
            self.broken.insert(name.to_owned());
        }
        if let Some(owner) = result.owner {
            self.selected_clusters.insert(result.application.cluster().to_owned());
            self.rendered_devices += usize::from(owner.files.is_some());
            self.add_owner(position, owner);
        }
        self.seen.extend(result.device.map(|device| (position, device)));
        plan.add_application(result.application, result.has_errors);
    }

    pub(crate) fn add_cluster(&mut self, result: OwnerResult<K>) {
        self.add_owner(LAST, result);
    }

    fn add_owner(&mut self, position: usize, result: OwnerResult<K>) {
        self.findings.extend(result.findings);
        self.rendered_files += result.files.unwrap_or_default();
        self.kept.extend(result.kept.map(|kept| (position, kept)));
        if !result.changes.is_empty() {
            self.changes.push((position, result.changes));
        }
        self.strays.extend(result.strays);
        self.links += result.links;
        for LayerFile { key, location, is_used } in result.layer_files {
            let files = self.layer_files.entry(key).or_default();
            match files.iter_mut().find(|(known, _)| *known == location) {
                Some((_, used)) => *used |= is_used,
                None => files.push((location, is_used)),
            }
        }
    }

    /// Adds the findings on keys of `files` in layers whose artifacts no device has, once all devices were added.
    pub(crate) fn add_unused_layer_files(&mut self) {
        if !self.broken.is_empty() {
            return;
        }
        for (key, files) in std::mem::take(&mut self.layer_files) {
            let unused = files.iter().filter(|(_, is_used)| !is_used);
            self.findings.extend(unused.map(|(location, _)| unused_layer_file(&key, location)));
        }
    }

    /// The clusters whose applications are generated: those of selected devices, or all; none of which a device cannot be planned.
    pub(crate) fn selected<'a>(&self, clusters: &'a [Cluster], all: bool) -> Vec<&'a Cluster> {
        let is_selected = |cluster: &&Cluster| all || self.selected_clusters.contains(&cluster.name);
        clusters.iter().filter(|cluster| !cluster.incomplete).filter(is_selected).collect()
    }

    /// Takes the devices that the user's templates see, in natural order of their names.
    pub(crate) fn take_seen(&mut self) -> Vec<Arc<Device>> {
        self.seen.sort_by_key(|(position, _)| *position);
        std::mem::take(&mut self.seen).into_iter().map(|(_, device)| device).collect()
    }

    /// Adds the findings on applications that would be written to one file.
    pub(crate) fn add_collisions(&mut self, clusters: &[&Cluster]) {
        let paths: Vec<(Utf8PathBuf, &Location)> = clusters.iter().flat_map(|cluster| cluster_paths(cluster)).collect();
        let mut found = collisions(paths.iter().map(|(path, location)| (path.as_path(), *location)));
        // Applications in one folder were found before.
        found.retain(|finding| {
            let is_same =
                |other: &Diagnostic| other.code == Code::OutputCollision && other.at.location == finding.at.location;
            !self.findings.iter().any(is_same)
        });
        self.findings.extend(found);
    }

    /// Removes the findings on deprecated fields where the successor refuses the same field.
    pub(crate) fn drop_superseded_findings(&mut self) {
        let refused = |finding: &&Diagnostic| finding.code == Code::DocumentConflict;
        let refused: Vec<Location> =
            self.findings.iter().filter(refused).map(|finding| finding.at.location.clone()).collect();
        self.findings
            .retain(|finding| finding.code != Code::DeprecatedField || !refused.contains(&finding.at.location));
    }

    /// Takes the differences between the files of the tree and the artifacts. `is_whole` is true if everything was compared, so that
    /// generated files elsewhere belong to nothing.
    pub(crate) fn take_differences(
        &mut self,
        project: &Project<'_>,
        clusters: &[Cluster],
        is_whole: bool,
    ) -> Result<Differences, ReadError> {
        let tree = project.tree;
        self.changes.sort_by_key(|(position, _)| *position);
        let mut changes: Vec<Change> =
            std::mem::take(&mut self.changes).into_iter().flat_map(|(_, changes)| changes).collect();
        let same = self.rendered_files - changes.len() - self.links;
        let mut within = vec![DEVICES.into()];
        within.extend(clusters.iter().flat_map(|cluster| Owner::Cluster(cluster).folders()));
        let mut strays = std::mem::take(&mut self.strays);
        if is_whole {
            strays.extend(removed_artifacts(project, clusters));
            let folders = abandoned_folders(clusters, &self.gone);
            within.extend(folders.iter().cloned());
            strays.extend(find_orphans(tree, folders, &[])?);
            for device in &self.gone {
                strays.extend(find_documents(tree, device, &[])?);
            }
        }
        changes.extend(remove_orphans(tree, clusters, strays)?);
        Ok(Differences { changes, same, within })
    }

    /// Takes what the command keeps, in the order of the positions.
    pub(crate) fn take_kept(&mut self) -> Vec<K> {
        self.kept.sort_by_key(|(position, _)| *position);
        std::mem::take(&mut self.kept).into_iter().map(|(_, kept)| kept).collect()
    }
}

/// Returns the files of the user's artifacts that talosmith.yaml does not have any more, wherever they are; none while an artifact cannot
/// be read, whose files are not known.
fn removed_artifacts(project: &Project<'_>, clusters: &[Cluster]) -> Vec<Utf8PathBuf> {
    let Some(fleet) = &project.fleet else { return Vec::new() };
    let artifacts = &project.user.artifacts;
    if artifacts.len() != fleet.fleet.artifacts.len() {
        return Vec::new();
    }
    let applications = clusters.iter().flat_map(|cluster| Owner::Cluster(cluster).folders());
    let known: Vec<Utf8PathBuf> = applications.chain(APPLICATIONS.map(layout::application)).collect();
    let mut found = find_elsewhere(project.tree, &known);
    found.retain(|path| !artifacts.iter().any(|artifact| artifact.owns(path)));
    found
}
