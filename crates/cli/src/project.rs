//! A repository, read and planned: the one way from a tree of files to a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::fleet::LintLevel;
use talosmith_model::plan::{Draft, Files, LayerPatches, Planning, wanted_files};
use talosmith_model::{
    Code, DeviceFile, Diagnostic, FleetFile, Level, Place, Plan, Sketch, SourceId, Sources, decode, merge,
};
use talosmith_render::Renderer;

use crate::parallel;
use crate::tree::{Entry, EntryKind, ReadError, Tree};

/// The file that marks the root of a repository.
pub const FLEET_FILE: &str = "talosmith.yaml";

/// The folder with a folder for each device.
pub const DEVICES: &str = "devices";

/// A repository.
#[derive(Debug)]
pub struct Project {
    /// Every text that was read.
    pub sources: Sources,
    /// What talosmith.yaml says; none if it has errors.
    pub fleet: Option<FleetFile>,
    /// What is generated.
    pub plan: Plan,
    /// Renders it.
    pub renderer: Renderer,
    /// Everything that is wrong, with the levels that the fleet gives.
    pub findings: Vec<Diagnostic>,
    /// The overridden templates by name.
    pub overrides: BTreeMap<String, SourceId>,
    /// The folders below `devices/` that hold a device.
    pub folders: Vec<String>,
}

/// Why a repository cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No talosmith.yaml.
    #[error("there is no {FLEET_FILE} here or in a folder above")]
    NoFleetFile,
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// So many devices are read before they are planned and dropped: enough for all threads, and few against a big fleet.
const CHUNK: usize = 64;

impl Project {
    /// Reads everything that a tree holds.
    ///
    /// # Errors
    /// The world's: what is wrong with the user's files becomes findings.
    pub fn load(tree: &dyn Tree) -> Result<Self, LoadError> {
        let mut loading = Loading::default();
        let bytes = tree.read(Utf8Path::new(FLEET_FILE))?.ok_or(LoadError::NoFleetFile)?;
        let fleet = match loading.add(FLEET_FILE.into(), &bytes) {
            Some((source, text)) => FleetFile::read(source, &text).map_err(|wrong| loading.findings.extend(wrong)).ok(),
            None => None,
        };
        let mut names = tree.list(Utf8Path::new(DEVICES))?;
        names.retain(|entry| entry.kind == EntryKind::Folder);
        let Some(fleet) = fleet else {
            for chunk in names.chunks(CHUNK) {
                for text in loading.texts(tree, chunk)? {
                    loading.findings.extend(DeviceFile::findings(text.source, &text.text));
                }
            }
            return Ok(loading.project(None, Plan::default(), Overrides::default()));
        };
        let mut planning = Planning::new(&fleet);
        let of_layers = LayerPatches::default();
        for chunk in names.chunks(CHUNK) {
            let texts = loading.texts(tree, chunk)?;
            let devices = loading.devices(&fleet, &texts);
            loading.patch_files(tree, &fleet, &devices)?;
            let drafts = parallel::map(&devices, |device| Draft::new(&fleet, device, &loading.files, &of_layers));
            devices.iter().zip(drafts).for_each(|(device, draft)| planning.add(device, draft));
        }
        let (plan, wrong) = planning.finish(&loading.broken);
        loading.findings.extend(wrong);
        let overrides = loading.overrides(tree, &fleet)?;
        let mut project = loading.project(Some(fleet), plan, overrides);
        project.apply_levels();
        Ok(project)
    }

    /// Gives each finding the level that the fleet file asks for. An error stays one.
    pub fn apply_levels(&mut self) {
        merge(&mut self.findings);
        let Some(fleet) = &self.fleet else { return };
        self.findings.retain_mut(|finding| {
            if finding.level == Level::Error {
                return true;
            }
            match fleet.fleet.lints.get(&finding.code) {
                Some(LintLevel::Error) => finding.level = Level::Error,
                Some(LintLevel::Off) => return false,
                Some(LintLevel::Warning) | None => {}
            }
            true
        });
    }

    /// Whether anything is wrong that keeps files from being generated.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Error)
    }
}

/// What is gathered while a tree is read.
#[derive(Default)]
struct Loading {
    sources: Sources,
    findings: Vec<Diagnostic>,
    folders: Vec<String>,
    /// Devices whose files cannot be read.
    broken: BTreeMap<String, Sketch>,
    /// The files that raw patches name.
    files: Files,
}

/// The text of a device.
struct Text {
    folder: String,
    source: SourceId,
    text: Arc<str>,
}

/// The sources and the texts of templates that replace built-in ones, by name.
type Overrides = (BTreeMap<String, SourceId>, BTreeMap<String, String>);

impl Loading {
    fn project(self, fleet: Option<FleetFile>, plan: Plan, (overrides, replaced): Overrides) -> Project {
        let Self { sources, findings, folders, .. } = self;
        Project { sources, fleet, plan, renderer: Renderer::new(&replaced), findings, overrides, folders }
    }

    /// Takes a file in; none if it is not UTF-8, which becomes a finding.
    fn add(&mut self, path: Utf8PathBuf, bytes: &[u8]) -> Option<(SourceId, Arc<str>)> {
        // The source is added whatever happens, so that the finding has a file to name.
        let lossy: Arc<str> = String::from_utf8_lossy(bytes).into();
        let source = self.sources.add(path, Arc::clone(&lossy));
        match decode(source, bytes) {
            Ok(_) => Some((source, lossy)),
            Err(finding) => {
                self.findings.push(finding);
                None
            }
        }
    }

    /// The texts of the devices among some folders.
    fn texts(&mut self, tree: &dyn Tree, folders: &[Entry]) -> Result<Vec<Text>, ReadError> {
        let path = |folder: &Entry| Utf8Path::new(DEVICES).join(&folder.name).join("device.yaml");
        let read = parallel::map(folders, |folder| tree.read(&path(folder)));
        let mut texts = Vec::with_capacity(read.len());
        for (folder, bytes) in folders.iter().zip(read) {
            let Some(bytes) = bytes? else { continue };
            let name = folder.name.clone();
            self.folders.push(name.clone());
            match self.add(path(folder), &bytes) {
                Some((source, text)) => texts.push(Text { folder: name, source, text }),
                None => {
                    self.broken.insert(name, Sketch::default());
                }
            }
        }
        Ok(texts)
    }

    /// The devices that can be planned.
    fn devices(&mut self, fleet: &FleetFile, texts: &[Text]) -> Vec<DeviceFile> {
        let read = parallel::map(texts, |text| DeviceFile::read(fleet, text.source, &text.folder, &text.text));
        let mut devices = Vec::with_capacity(read.len());
        for (Text { folder, source, text }, (device, wrong)) in texts.iter().zip(read) {
            let failed = wrong.iter().any(|finding| finding.level == Level::Error);
            self.findings.extend(wrong.into_iter().map(|finding| finding.device(folder.clone())));
            match device {
                Some(device) if !failed => devices.push(device),
                _ => {
                    self.broken.insert(folder.clone(), DeviceFile::sketch(*source, text));
                }
            }
        }
        devices
    }

    /// Takes in the files that the raw patches of some devices name.
    fn patch_files(&mut self, tree: &dyn Tree, fleet: &FleetFile, devices: &[DeviceFile]) -> Result<(), ReadError> {
        for path in devices.iter().flat_map(|device| wanted_files(fleet, device)) {
            if self.files.contains_key(&path) {
                continue;
            }
            let text = tree.read(&path)?.and_then(|bytes| self.add(path.clone(), &bytes));
            self.files.insert(path, text);
        }
        Ok(())
    }

    fn overrides(&mut self, tree: &dyn Tree, fleet: &FleetFile) -> Result<Overrides, ReadError> {
        let mut found = Overrides::default();
        let Some(folder) = &fleet.fleet.templates else { return Ok(found) };
        for (name, _) in talosmith_render::templates::TEMPLATES {
            let path = Utf8Path::new(folder.as_str()).join(name);
            let Some(bytes) = tree.read(&path)? else { continue };
            if let Some((source, text)) = self.add(path, &bytes) {
                found.0.insert((*name).to_owned(), source);
                found.1.insert((*name).to_owned(), text.to_string());
            }
        }
        if found.0.is_empty() {
            self.findings.push(
                Diagnostic::new(
                    Code::UnknownFile,
                    format!("no template in `{folder}` has the name of a built-in one"),
                    Place::value(fleet.source, "/templates".into()),
                )
                .note("names are those of the folder `templates` in talosmith's own repository"),
            );
        }
        Ok(found)
    }
}
