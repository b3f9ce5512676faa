//! The steps that each device and cluster of a fleet takes: read, plan, render, compare, keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use talosmith_document::Diagnostic;
use talosmith_model::plan::{ApplicationInput, ControlPlanes, CrossDeviceInput, Device, PlannedDevice};
use talosmith_model::{DeviceFile, PartialDevice};
use talosmith_render::{Artifact, LayerFile, Renderer};

use crate::change::Change;
use crate::comparison::Comparison;
use crate::loading::{Loader, ReadDevice};
use crate::named_files::symlink;
use crate::project::Project;
use crate::rendering::{Owner, merge_findings};
use crate::selection::Selection;
use crate::tree::ReadError;

/// The devices that a thread takes through one step before the next step: the code and the data of a step stay in the processor's
/// caches, which saves a seventh of the time at 1,000 devices.
pub(crate) const BATCH: usize = 16;

/// What is done with the artifacts of the selected devices and their clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Render,
    /// They are rendered, and each is proved.
    Validate,
    /// They are rendered and compared with the files, and those that differ are proved.
    Compare,
    /// They are rendered and compared with the files of an old commit, without the check whether Talos accepts them.
    CompareOld,
}

/// A device or cluster after its last step, before it is dropped but for what the command keeps.
pub struct Inspected<'a> {
    pub owner: Owner<'a>,
    /// Its artifacts; none if they cannot be rendered.
    pub artifacts: Option<&'a [Artifact]>,
    /// The indexes of the artifacts that differ from an existing file, with the bytes of that file.
    pub changed: Vec<(usize, &'a [u8])>,
    pub renderer: &'a Renderer,
}

pub(crate) struct DeviceResult<K> {
    /// The position of the folder's name among all.
    pub position: usize,
    pub findings: Vec<Diagnostic>,
    pub state: DeviceState<K>,
}

/// How far a device came.
pub(crate) enum DeviceState<K> {
    /// The folder holds no device.
    Absent,
    /// Its file has errors. The checks across devices are made where its address is known.
    Broken(PartialDevice, Option<CrossDeviceInput>),
    /// It names control planes, and is planned when all of them are known.
    Deferred(CrossDeviceInput, Box<DeviceFile>),
    Planned(CrossDeviceInput, Box<PlannedResult<K>>),
}

pub(crate) struct PlannedResult<K> {
    pub application: ApplicationInput,
    /// Whether the device cannot be generated; then there is no result of its artifacts.
    pub has_errors: bool,
    pub findings: Vec<Diagnostic>,
    /// The device, if the user's templates see it.
    pub device: Option<Arc<Device>>,
    /// The result of its artifacts, if it is selected.
    pub owner: Option<OwnerResult<K>>,
}

pub(crate) struct OwnerResult<K> {
    /// The number of artifacts; none if they cannot be rendered.
    pub files: Option<usize>,
    pub findings: Vec<Diagnostic>,
    pub changes: Vec<Change>,
    /// Generated files in its folders that are not its own.
    pub strays: Vec<Utf8PathBuf>,
    /// The number of symbolic links at or above the path of an artifact.
    pub links: usize,
    pub layer_files: Vec<LayerFile>,
    pub kept: Option<K>,
}

pub(crate) struct Steps<'a, Keep> {
    project: &'a Project<'a>,
    loader: Loader<'a>,
    selection: &'a Selection,
    purpose: Purpose,
    keep: &'a Keep,
}

impl<'a, K, Keep: Fn(&Inspected<'_>) -> Option<K>> Steps<'a, Keep> {
    pub(crate) fn new(project: &'a Project<'a>, selection: &'a Selection, purpose: Purpose, keep: &'a Keep) -> Self {
        let loader = Loader::new(&project.sources, project.fleet.as_ref());
        Self { project, loader, selection, purpose, keep }
    }

    /// Takes the devices of some folders as far as each can go without the others.
    pub(crate) fn devices(&self, folders: &[(usize, &str)]) -> Result<Vec<DeviceResult<K>>, ReadError> {
        let mut texts = Vec::with_capacity(folders.len());
        for (position, folder) in folders {
            texts.push((*position, *folder, self.loader.read(folder)?));
        }
        let mut parsed = Vec::with_capacity(folders.len());
        for (position, folder, text) in texts {
            parsed.push((position, text.map(|text| self.loader.parse(folder, text))));
        }
        let ready = parsed.iter().filter_map(|(position, read)| {
            let read = read.as_ref()?;
            let file = read.device.as_deref()?;
            (read.partial.is_some() || !file.needs_control_planes()).then_some((*position, file))
        });
        let ready: Vec<(usize, &DeviceFile)> = ready.collect();
        let mut planned = self.plan(&ready, &ControlPlanes::default())?;
        let results = parsed.into_iter().map(|(position, read)| {
            let Some(ReadDevice { source, mut findings, device, partial }) = read else {
                return DeviceResult { position, findings: Vec::new(), state: DeviceState::Absent };
            };
            // A report reads the text again if it needs it.
            self.project.sources.release(source);
            let result = planned.remove(&position);
            let state = match (device, &self.project.fleet, partial) {
                (Some(file), Some(fleet), None) => {
                    let input = CrossDeviceInput::new(fleet, &file);
                    match result {
                        Some(result) => DeviceState::Planned(input, Box::new(result)),
                        None => DeviceState::Deferred(input, file),
                    }
                }
                (file, fleet, partial) => {
                    findings.extend(result.into_iter().flat_map(|result| result.findings));
                    let partial = partial.unwrap_or_default();
                    let known = file.zip(fleet.as_ref()).filter(|_| partial.address.is_some());
                    DeviceState::Broken(partial, known.map(|(file, fleet)| CrossDeviceInput::new(fleet, &file)))
                }
            };
            DeviceResult { position, findings, state }
        });
        Ok(results.collect())
    }

    /// Plans devices, by the positions of their names, and takes them to the end: one step for all of them, then the next. A device
    /// that names control planes which are not all known is only planned.
    pub(crate) fn plan(
        &self,
        files: &[(usize, &DeviceFile)],
        control_planes: &ControlPlanes,
    ) -> Result<BTreeMap<usize, PlannedResult<K>>, ReadError> {
        let Some(fleet) = &self.project.fleet else { return Ok(BTreeMap::new()) };
        let planned = files.iter().map(|(_, file)| self.loader.plan(fleet, file, control_planes));
        let planned = planned.collect::<Result<Vec<_>, _>>()?;
        let render = |(planned, (_, file)): (&PlannedDevice, &(usize, &DeviceFile))| {
            let is_complete = control_planes.are_complete_for(file);
            let is_rendered = is_complete && planned.can_be_merged && self.selection.has_device(&planned.device.name);
            is_rendered.then(|| match planned.has_errors() {
                true => (None, merge_findings(self.project, planned)),
                false => Owner::Device(&planned.device).render(self.project, self.purpose != Purpose::CompareOld),
            })
        };
        let rendered: Vec<_> = planned.iter().zip(files).map(render).collect();
        let mut results = BTreeMap::new();
        for ((planned, rendered), (position, _)) in planned.into_iter().zip(rendered).zip(files) {
            let has_errors = planned.has_errors();
            let mut merged = Vec::new();
            let owner = match rendered {
                // Its files are not compared, but what is found while its patches are merged is reported.
                Some((_, found)) if has_errors => {
                    merged = found;
                    None
                }
                Some((artifacts, findings)) => {
                    Some(self.compare(Owner::Device(&planned.device), artifacts, findings)?)
                }
                None => None,
            };
            let PlannedDevice { application, mut findings, device, .. } = planned;
            findings.append(&mut merged);
            let is_seen = !has_errors && !self.project.user.artifacts.is_empty();
            let device = is_seen.then_some(device);
            results.insert(*position, PlannedResult { application, has_errors, findings, device, owner });
        }
        Ok(results)
    }

    pub(crate) fn owner(&self, owner: Owner<'_>) -> Result<OwnerResult<K>, ReadError> {
        let (artifacts, findings) = owner.render(self.project, self.purpose != Purpose::CompareOld);
        self.compare(owner, artifacts, findings)
    }

    fn compare(
        &self,
        owner: Owner<'_>,
        artifacts: Option<Vec<Artifact>>,
        mut findings: Vec<Diagnostic>,
    ) -> Result<OwnerResult<K>, ReadError> {
        let renderer = &self.project.renderer;
        let Some(mut artifacts) = artifacts else {
            let kept = (self.keep)(&Inspected { owner, artifacts: None, changed: Vec::new(), renderer });
            let (changes, strays, layer_files) = Default::default();
            return Ok(OwnerResult { files: None, findings, changes, strays, links: 0, layer_files, kept });
        };
        let mut comparison = Comparison::default();
        let mut proved: Vec<&Artifact> = Vec::new();
        match self.purpose {
            Purpose::Render => {}
            Purpose::Validate => proved = artifacts.iter().collect(),
            Purpose::CompareOld => comparison = Comparison::new(self.project.tree, owner, &artifacts)?,
            Purpose::Compare => {
                comparison = Comparison::new(self.project.tree, owner, &artifacts)?;
                findings.extend(comparison.links.iter().map(|link| symlink(&self.project.sources, link)));
                proved = comparison.differences.iter().map(|(index, _)| &artifacts[*index]).collect();
            }
        }
        if !proved.is_empty() {
            findings.extend(owner.prove(self.project, &proved));
        }
        let existing = comparison.differences.iter().filter_map(|(index, old)| Some((*index, old.0.as_deref()?)));
        let changed = existing.collect();
        let kept = (self.keep)(&Inspected { owner, artifacts: Some(&artifacts), changed, renderer });
        let changes = comparison.differences.into_iter().map(|(index, old)| {
            let artifact = &mut artifacts[index];
            let text = std::mem::take(&mut artifact.text);
            Change::new(std::mem::take(&mut artifact.path), old.0, Some(text.into_bytes())).marked(artifact.mark)
        });
        let changes = changes.collect();
        Ok(OwnerResult {
            files: Some(artifacts.len()),
            layer_files: owner.layer_files(),
            findings,
            changes,
            strays: comparison.strays,
            links: comparison.links.len(),
            kept,
        })
    }
}
