//! A repository, read and planned: the one way from a tree of files to a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::fleet::LintLevel;
use talosmith_model::plan::{Files, wanted_files};
use talosmith_model::{Code, DeviceFile, Diagnostic, FleetFile, Level, Place, Plan, SourceId, Sources, decode};
use talosmith_render::Renderer;

use crate::parallel;
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
        let mut sources = Sources::default();
        let mut findings = Vec::new();
        let bytes = tree.read(Utf8Path::new(FLEET_FILE))?.ok_or(LoadError::NoFleetFile)?;
        let fleet = match add(&mut sources, FLEET_FILE.into(), &bytes, &mut findings) {
            Some((source, text)) => FleetFile::read(source, &text).map_err(|wrong| findings.extend(wrong)).ok(),
            None => None,
        };
        let mut texts = Vec::new();
        let mut broken = BTreeSet::new();
        let mut folders = Vec::new();
        for entry in tree.list(Utf8Path::new(DEVICES))? {
            if entry.kind != EntryKind::Folder {
                continue;
            }
            let path = Utf8Path::new(DEVICES).join(&entry.name).join("device.yaml");
            let Some(bytes) = tree.read(&path)? else { continue };
            folders.push(entry.name.clone());
            match add(&mut sources, path, &bytes, &mut findings) {
                Some((source, text)) => texts.push((entry.name, source, text)),
                None => {
                    broken.insert(entry.name);
                }
            }
        }
        let Some(fleet) = fleet else {
            findings.extend(texts.iter().flat_map(|(_, source, text)| DeviceFile::findings(*source, text)));
            return Ok(Self {
                sources,
                fleet: None,
                plan: Plan::default(),
                renderer: Renderer::new(&BTreeMap::new()),
                findings,
                overrides: BTreeMap::new(),
                folders,
            });
        };
        let read = parallel::map(&texts, |(folder, source, text)| DeviceFile::read(&fleet, *source, folder, text));
        let mut devices = Vec::with_capacity(read.len());
        for ((folder, ..), (device, wrong)) in texts.iter().zip(read) {
            let failed = wrong.iter().any(|finding| finding.level == Level::Error);
            findings.extend(wrong.into_iter().map(|finding| finding.device(folder.clone())));
            match device {
                Some(device) if !failed => devices.push(device),
                _ => {
                    broken.insert(folder.clone());
                }
            }
        }
        let files = patch_files(tree, &fleet, &devices, &mut sources, &mut findings)?;
        let (overrides, replaced) = overrides(tree, &fleet, &mut sources, &mut findings)?;
        let (plan, wrong) = Plan::new(&fleet, &devices, &broken, &files);
        findings.extend(wrong);
        let renderer = Renderer::new(&replaced);
        let mut project = Self { sources, fleet: Some(fleet), plan, renderer, findings, overrides, folders };
        project.apply_levels();
        Ok(project)
    }

    /// Gives each finding the level that the fleet file asks for. An error stays one.
    pub fn apply_levels(&mut self) {
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

/// Takes a file in; none if it is not UTF-8, which becomes a finding.
fn add(
    sources: &mut Sources,
    path: Utf8PathBuf,
    bytes: &[u8],
    findings: &mut Vec<Diagnostic>,
) -> Option<(SourceId, Arc<str>)> {
    // The source is added whatever happens, so that the finding has a file to name.
    let lossy: Arc<str> = String::from_utf8_lossy(bytes).into();
    let source = sources.add(path, Arc::clone(&lossy));
    match decode(source, bytes) {
        Ok(_) => Some((source, lossy)),
        Err(finding) => {
            findings.push(finding);
            None
        }
    }
}

fn patch_files(
    tree: &dyn Tree,
    fleet: &FleetFile,
    devices: &[DeviceFile],
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) -> Result<Files, ReadError> {
    let mut files = Files::new();
    for path in devices.iter().flat_map(|device| wanted_files(fleet, device)) {
        if files.contains_key(&path) {
            continue;
        }
        let text = match tree.read(&path)? {
            Some(bytes) => add(sources, path.clone(), &bytes, findings),
            None => None,
        };
        files.insert(path, text);
    }
    Ok(files)
}

type Overrides = (BTreeMap<String, SourceId>, BTreeMap<String, String>);

fn overrides(
    tree: &dyn Tree,
    fleet: &FleetFile,
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) -> Result<Overrides, ReadError> {
    let mut found = Overrides::default();
    let Some(folder) = &fleet.fleet.templates else { return Ok(found) };
    for (name, _) in talosmith_render::templates::TEMPLATES {
        let path = Utf8Path::new(folder.as_str()).join(name);
        let Some(bytes) = tree.read(&path)? else { continue };
        if let Some((source, text)) = add(sources, path, &bytes, findings) {
            found.0.insert((*name).to_owned(), source);
            found.1.insert((*name).to_owned(), text.to_string());
        }
    }
    if found.0.is_empty() {
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
