//! A repository, read and planned: the one way from a tree of files to a plan.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::fleet::LintLevel;
use talosmith_model::plan::{Draft, Files, LayerPatches, wanted_files};
use talosmith_model::{Code, DeviceFile, Diagnostic, FleetFile, Level, Place, Plan, Sketch, SourceId, Sources, merge};
use talosmith_render::Renderer;

use crate::parallel;
use crate::shelf::Shelf;
use crate::tree::{EntryKind, ReadError, Tree};

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

impl Project {
    /// Reads everything that a tree holds.
    ///
    /// # Errors
    /// The world's: what is wrong with the user's files becomes findings.
    pub fn load(tree: &dyn Tree) -> Result<Self, LoadError> {
        let shelf = Shelf::new(tree);
        let mut findings = Vec::new();
        let text = shelf.read(Utf8Path::new(FLEET_FILE))?.ok_or(LoadError::NoFleetFile)?;
        let fleet = text.map_err(|finding| vec![finding]).and_then(|(source, text)| FleetFile::read(source, &text));
        let fleet = fleet.map_err(|wrong| findings.extend(wrong)).ok();
        let mut names = tree.list(Utf8Path::new(DEVICES))?;
        names.retain(|entry| entry.kind == EntryKind::Folder);
        let of_layers = LayerPatches::default();
        // A device's file is read, planned and let go of by one thread: a big fleet's need not all be kept.
        let loaded = parallel::map(&names, |folder| load_device(&shelf, fleet.as_ref(), &of_layers, &folder.name));
        let (mut folders, mut drafts, mut broken) = (Vec::new(), Vec::new(), BTreeMap::new());
        for loaded in loaded {
            let Some(Loaded { folder, findings: wrong, draft }) = loaded? else { continue };
            findings.extend(wrong);
            match draft {
                Ok(draft) => drafts.push(draft),
                Err(sketch) => drop(broken.insert(folder.clone(), sketch)),
            }
            folders.push(folder);
        }
        let mut overrides = Overrides::default();
        let mut plan = Plan::default();
        if let Some(fleet) = &fleet {
            let (planned, wrong) = Plan::new(fleet, drafts.into_iter().map(|draft| *draft), &broken);
            plan = planned;
            findings.extend(wrong);
            overrides = Overrides::read(&shelf, fleet, &mut findings)?;
        }
        let Overrides { sources: overrides, texts } = overrides;
        let renderer = Renderer::new(&texts);
        let mut project = Self { sources: shelf.into_sources(), fleet, plan, renderer, findings, overrides, folders };
        if project.fleet.is_some() {
            project.apply_levels();
        }
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

/// What became of the folder of a device.
struct Loaded {
    folder: String,
    findings: Vec<Diagnostic>,
    /// The device, or what could be made out of one that cannot be read.
    draft: Result<Box<Draft>, Sketch>,
}

/// Reads and plans the device of a folder, if it holds one. Without a fleet, what is wrong with its text on its own is all there is.
fn load_device(
    shelf: &Shelf<'_>,
    fleet: Option<&FleetFile>,
    of_layers: &LayerPatches,
    folder: &str,
) -> Result<Option<Loaded>, ReadError> {
    let path = Utf8PathBuf::from([DEVICES, "/", folder, "/device.yaml"].concat());
    let Some(text) = shelf.read(&path)? else { return Ok(None) };
    let loaded = |findings, draft| Ok(Some(Loaded { folder: folder.to_owned(), findings, draft }));
    let (source, text) = match text {
        Ok(text) => text,
        Err(finding) => return loaded(vec![finding], Err(Sketch::default())),
    };
    let Some(fleet) = fleet else { return loaded(DeviceFile::findings(source, &text), Err(Sketch::default())) };
    let (device, wrong) = DeviceFile::read(fleet, source, folder, &text);
    let failed = wrong.iter().any(|finding| finding.level == Level::Error);
    let mut findings: Vec<Diagnostic> = wrong.into_iter().map(|finding| finding.device(folder)).collect();
    let Some(device) = device.filter(|_| !failed) else {
        return loaded(findings, Err(DeviceFile::sketch(source, &text)));
    };
    let mut files = Files::new();
    for path in wanted_files(fleet, &device) {
        let text = shelf.shared(&path, &mut findings)?;
        files.insert(path, text);
    }
    loaded(findings, Ok(Box::new(Draft::new(fleet, &device, &files, of_layers))))
}

/// Templates that replace built-in ones, by name.
#[derive(Default)]
struct Overrides {
    sources: BTreeMap<String, SourceId>,
    texts: BTreeMap<String, String>,
}

impl Overrides {
    fn read(shelf: &Shelf<'_>, fleet: &FleetFile, findings: &mut Vec<Diagnostic>) -> Result<Self, ReadError> {
        let mut found = Self::default();
        let Some(folder) = &fleet.fleet.templates else { return Ok(found) };
        for (name, _) in talosmith_render::templates::TEMPLATES {
            match shelf.read(&Utf8Path::new(folder.as_str()).join(name))? {
                Some(Ok((source, text))) => {
                    found.sources.insert((*name).to_owned(), source);
                    found.texts.insert((*name).to_owned(), text.to_string());
                }
                Some(Err(finding)) => findings.push(finding),
                None => {}
            }
        }
        if found.sources.is_empty() {
            findings.push(
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
