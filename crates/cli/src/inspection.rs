//! The one pass over a fleet that every command makes. Each device is read, planned, rendered, compared, and then dropped but for what
//! the command keeps of it; the checks across devices, the clusters and the orphans follow.

use std::borrow::Cow;
use std::collections::BTreeSet;

use talosmith_document::{Diagnostic, Level};
use talosmith_model::layout;
use talosmith_model::plan::{Cluster, FleetPlan};
use talosmith_model::{DeviceFile, FleetFile};
use talosmith_render::Renderer;

use crate::comparison::Differences;
use crate::misnamed::misnamed_devices;
use crate::parallel;
use crate::project::{Project, apply_levels};
use crate::references::check_references;
use crate::rendering::Owner;
use crate::results::Results;
use crate::selection::Selection;
use crate::source_cache::SourceCache;
use crate::steps::{BATCH, Inspected, Purpose, Steps};
use crate::tree::ReadError;
use crate::user_artifacts::UserArtifacts;

/// The number of devices whose results are in memory at once.
const WINDOW: usize = 128 * BATCH;

/// What the pass over a fleet finds, and what the command keeps of each device and cluster.
pub struct Inspection<'a, K> {
    pub sources: SourceCache<'a>,
    /// Every finding, with the level that the fleet file sets.
    pub findings: Vec<Diagnostic>,
    /// The clusters with what their devices provide.
    pub clusters: Vec<Cluster>,
    /// What the command keeps: of the devices in natural order of their names, then of the clusters.
    pub kept: Vec<K>,
    /// talosmith.yaml, or what is right of it; none if nothing can be checked with it.
    pub(crate) fleet: Option<FleetFile>,
    pub(crate) renderer: Renderer,
    /// The names of all devices, in natural order.
    pub(crate) devices: Vec<String>,
    /// The devices that cannot be planned.
    pub(crate) broken: BTreeSet<String>,
    /// Those among them without errors of their own, which name control planes of which one may be in a file that cannot be read.
    pub(crate) waiting: BTreeSet<String>,
    pub(crate) rendered_devices: usize,
    pub(crate) rendered_files: usize,
    pub(crate) differences: Differences,
}

impl<K> Inspection<'_, K> {
    /// Whether anything is wrong that keeps files from being generated.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Error)
    }

    /// Whether a finding is about a device; none if it is about the fleet as a whole.
    pub(crate) fn is_about(&self, finding: &Diagnostic, name: &str) -> Option<bool> {
        let devices = devices_of(finding, &self.sources);
        (!devices.is_empty()).then(|| devices.contains(name))
    }

    /// Removes the findings that are only about devices which are not selected: they do not keep the selected ones from being generated.
    /// Returns the names of those with an error.
    pub(crate) fn remove_findings_about_others(&mut self, selection: &Selection) -> BTreeSet<String> {
        let mut others = BTreeSet::new();
        let sources = &self.sources;
        self.findings.retain(|finding| {
            let devices = devices_of(finding, sources);
            let is_about_others = !devices.is_empty() && !devices.iter().any(|device| selection.has_device(device));
            if is_about_others && finding.level == Level::Error {
                others.extend(devices.into_owned());
            }
            !is_about_others
        });
        others
    }

    /// Adds findings, with the level that the fleet file sets.
    pub(crate) fn add_findings(&mut self, findings: Vec<Diagnostic>) {
        self.findings.extend(findings);
        apply_levels(&mut self.findings, self.fleet.as_ref());
    }
}

/// Returns the devices that a finding is about: those that it names, or else the one whose file it is in.
fn devices_of<'f>(finding: &'f Diagnostic, sources: &SourceCache<'_>) -> Cow<'f, BTreeSet<String>> {
    if !finding.devices.is_empty() {
        return Cow::Borrowed(&finding.devices);
    }
    let path = sources.path(finding.at.location.source);
    Cow::Owned(layout::device_of(&path).map(str::to_owned).into_iter().collect())
}

/// Inspects a repository. `keep` is called with each selected device that can be planned, and with the clusters of these.
///
/// # Errors
/// A file or folder cannot be read.
pub fn inspect<'a, K: Send>(
    mut project: Project<'a>,
    selection: &Selection,
    purpose: Purpose,
    keep: impl Fn(&Inspected<'_>) -> Option<K> + Send + Sync,
) -> Result<Inspection<'a, K>, ReadError> {
    let mut results = Results::new(std::mem::take(&mut project.findings));
    let mut clusters = std::mem::take(&mut project.clusters);
    let steps = Steps::new(&project, selection, purpose, &keep);
    let is_whole = *selection == Selection::Everything && project.fleet.as_ref().is_some_and(|fleet| fleet.is_whole);
    let mut plan = project.fleet.as_ref().map(FleetPlan::new);
    add_devices(&mut results, &steps, &project.folders, plan.as_mut())?;
    if let Some(mut plan) = plan {
        add_deferred(&mut results, &steps, &mut plan)?;
        if is_whole {
            results.findings.extend(check_references(&project, || plan.device_names()));
        }
        let (planned, wrong) = plan.finish(clusters);
        clusters = planned;
        results.findings.extend(wrong);
        let selected = results.selected(&clusters, *selection == Selection::Everything);
        for cluster in parallel::map(&selected, |cluster| steps.owner(Owner::Cluster(cluster))) {
            results.add_cluster(cluster?);
        }
        results.add_collisions(&selected);
        if !project.user.artifacts.is_empty() {
            let devices = results.take_seen();
            let is_complete = results.broken.is_empty();
            let user = UserArtifacts::new(&project.user, &clusters, &devices, is_complete, selection);
            results.add_cluster(steps.owner(Owner::User(&user))?);
        }
    }
    if is_whole {
        results.add_unused_layer_files();
        let has_devices = results.gone.len() < project.folders.len();
        results.findings.extend(misnamed_devices(project.tree, &project.sources, &results.gone, has_devices)?);
    }
    let mut differences = Differences::default();
    if purpose == Purpose::Compare {
        differences = results.take_differences(&project, &clusters, is_whole)?;
    }
    results.drop_superseded_findings();
    let kept = results.take_kept();
    let Results { findings, broken, waiting, rendered_devices, rendered_files, gone, .. } = results;
    let Project { sources, fleet, renderer, folders: mut devices, .. } = project;
    devices.retain(|name| !gone.contains(name));
    let mut inspection = Inspection {
        sources,
        findings: Vec::new(),
        clusters,
        kept,
        fleet,
        renderer,
        devices,
        broken,
        waiting,
        rendered_devices,
        rendered_files,
        differences,
    };
    inspection.add_findings(findings);
    Ok(inspection)
}

/// Adds the devices in folders.
fn add_devices<K: Send>(
    results: &mut Results<K>,
    steps: &Steps<'_, impl Fn(&Inspected<'_>) -> Option<K> + Send + Sync>,
    folders: &[String],
    mut plan: Option<&mut FleetPlan<'_>>,
) -> Result<(), ReadError> {
    let folders: Vec<(usize, &str)> = folders.iter().map(String::as_str).enumerate().collect();
    for window in folders.chunks(WINDOW) {
        for batch in parallel::map_batches(window, BATCH, |folders| steps.devices(folders)) {
            for device in batch? {
                results.add_folder(folders[device.position].1, device, plan.as_deref_mut());
            }
        }
    }
    Ok(())
}

/// Adds the devices that name control planes, now that all of these are known that can be read.
fn add_deferred<K: Send>(
    results: &mut Results<K>,
    steps: &Steps<'_, impl Fn(&Inspected<'_>) -> Option<K> + Send + Sync>,
    plan: &mut FleetPlan<'_>,
) -> Result<(), ReadError> {
    let control_planes = plan.control_planes();
    let deferred = std::mem::take(&mut results.deferred);
    let files: Vec<(usize, &DeviceFile)> = deferred.iter().map(|(position, file)| (*position, &**file)).collect();
    let planned = parallel::map_batches(&files, BATCH, |files| steps.plan(files, &control_planes));
    let mut files = files.iter();
    for batch in planned {
        for (position, result) in batch? {
            let Some((_, file)) = files.next() else { break };
            if !result.has_errors && !control_planes.are_complete_for(file) {
                results.waiting.insert(file.folder.clone());
                results.broken.insert(file.folder.clone());
            }
            results.add_device(position, &file.folder, result, plan);
        }
    }
    Ok(())
}
