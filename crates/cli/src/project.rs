//! A repository, read and planned: the one way from a tree of files to a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::fleet::LintLevel;
use talosmith_model::plan::{self, Device, Draft, Files, LayerPatches, wanted_files};
use talosmith_model::{
    Code, DeviceFile, Diagnostic, FleetFile, Level, Place, Plan, Sketch, SourceId, Sources, merge, natural,
};
use talosmith_render::Renderer;

use crate::parallel;
use crate::shelf::{Shelf, Text};
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

/// So many devices a thread takes through one step before it goes on to the next: the code and the data of a step stay in the
/// processor's caches, which is worth a seventh of the time at 1,000 devices, and few devices are whole at once.
const BATCH: usize = 16;

impl Project {
    /// Reads everything that a tree holds.
    ///
    /// # Errors
    /// The world's: what is wrong with the user's files becomes findings.
    pub fn load(tree: &dyn Tree) -> Result<Self, LoadError> {
        Ok(Self::load_with(tree, |_, _| Vec::<((), bool)>::new())?.0)
    }

    /// The same, where `early` gets the devices that have no errors and need nothing of the others as soon as they are planned, some at
    /// a time. It says of each whether the plan keeps it, or nothing of all.
    ///
    /// # Errors
    /// The world's: what is wrong with the user's files becomes findings.
    pub fn load_with<E: Send>(
        tree: &dyn Tree,
        early: impl Fn(&Renderer, &[&Arc<Device>]) -> Vec<(E, bool)> + Send + Sync,
    ) -> Result<(Self, Vec<E>), LoadError> {
        let shelf = Shelf::new(tree);
        let mut findings = Vec::new();
        let text = shelf.read(Utf8Path::new(FLEET_FILE))?.ok_or(LoadError::NoFleetFile)?;
        let fleet = text.map_err(|finding| vec![finding]).and_then(|(source, text)| FleetFile::read(source, &text));
        let fleet = fleet.map_err(|wrong| findings.extend(wrong)).ok();
        let mut names = tree.list(Utf8Path::new(DEVICES))?;
        names.retain(|entry| entry.kind == EntryKind::Folder);
        names.sort_by(|one, other| natural(&one.name, &other.name));
        let (mut overrides, mut clusters) = (Overrides::default(), Vec::new());
        if let Some(fleet) = &fleet {
            overrides = Overrides::read(&shelf, fleet, &mut findings)?;
            let (planned, wrong) = plan::clusters(fleet);
            clusters = planned;
            findings.extend(wrong);
        }
        let Overrides { sources: overrides, texts } = overrides;
        let renderer = Renderer::new(&texts, &clusters);
        let loading = Loading { shelf: &shelf, fleet: fleet.as_ref(), of_layers: LayerPatches::default() };
        let loaded = parallel::map_batches(&names, BATCH, |batch| -> Result<_, ReadError> {
            let mut loaded = loading.batch(batch)?;
            let mut drafts: Vec<&mut Draft> =
                loaded.iter_mut().filter_map(|loaded| loaded.draft.as_mut().ok()).collect();
            drafts.retain(|draft| draft.settled().is_some());
            let settled: Vec<&Arc<Device>> = drafts.iter().filter_map(|draft| draft.settled()).collect();
            let (done, kept): (Vec<E>, Vec<bool>) = early(&renderer, &settled).into_iter().unzip();
            let gone = drafts.into_iter().zip(kept).filter(|(_, is_kept)| !is_kept);
            gone.for_each(|(draft, _)| draft.let_go());
            Ok((loaded, done))
        });
        let (mut folders, mut drafts, mut broken, mut all_done) = (Vec::new(), Vec::new(), BTreeMap::new(), Vec::new());
        for loaded in loaded {
            let (loaded, done) = loaded?;
            all_done.extend(done);
            for Loaded { folder, findings: wrong, draft } in loaded {
                findings.extend(wrong);
                match draft {
                    Ok(draft) => drafts.push(draft),
                    Err(sketch) => drop(broken.insert(folder.clone(), sketch)),
                }
                folders.push(folder);
            }
        }
        let mut plan = Plan::default();
        if let Some(fleet) = &fleet {
            let (planned, wrong) = Plan::new(fleet, clusters, drafts, &broken);
            plan = planned;
            findings.extend(wrong);
        }
        let mut project = Self { sources: shelf.into_sources(), fleet, plan, renderer, findings, overrides, folders };
        if project.fleet.is_some() {
            project.apply_levels();
        }
        Ok((project, all_done))
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

/// A device that was read.
struct Read {
    folder: String,
    findings: Vec<Diagnostic>,
    device: Result<Box<DeviceFile>, Sketch>,
}

/// A device that was planned.
struct Loaded {
    folder: String,
    findings: Vec<Diagnostic>,
    /// The device, or what could be made out of one that cannot be read.
    draft: Result<Draft, Sketch>,
}

/// What devices are loaded with. Without a fleet, what is wrong with a text on its own is all there is to say of it.
struct Loading<'a> {
    shelf: &'a Shelf<'a>,
    fleet: Option<&'a FleetFile>,
    of_layers: LayerPatches,
}

impl Loading<'_> {
    /// Reads and plans the devices of some folders, those that hold one: one step for all of them, then the next.
    fn batch(&self, folders: &[Entry]) -> Result<Vec<Loaded>, ReadError> {
        let mut texts = Vec::with_capacity(folders.len());
        for folder in folders {
            let path = Utf8PathBuf::from([DEVICES, "/", &folder.name, "/device.yaml"].concat());
            texts.extend(self.shelf.read(&path)?.map(|text| (folder.name.as_str(), text)));
        }
        let read: Vec<Read> = texts.into_iter().map(|(folder, text)| self.read(folder, text)).collect();
        read.into_iter().map(|read| self.plan(read)).collect()
    }

    fn read(&self, folder: &str, text: Result<Text, Diagnostic>) -> Read {
        let read = |findings, device| Read { folder: folder.to_owned(), findings, device };
        let (source, text) = match text {
            Ok(text) => text,
            Err(finding) => return read(vec![finding], Err(Sketch::default())),
        };
        let Some(fleet) = self.fleet else { return read(DeviceFile::findings(source, &text), Err(Sketch::default())) };
        let (device, wrong) = DeviceFile::read(fleet, source, folder, &text);
        let failed = wrong.iter().any(|finding| finding.level == Level::Error);
        let findings = wrong.into_iter().map(|finding| finding.device(folder)).collect();
        let device = device.filter(|_| !failed).map(Box::new);
        read(findings, device.ok_or_else(|| DeviceFile::sketch(source, &text)))
    }

    fn plan(&self, read: Read) -> Result<Loaded, ReadError> {
        let Read { folder, findings, device } = read;
        let (device, fleet) = match (device, self.fleet) {
            (Ok(device), Some(fleet)) => (device, fleet),
            (Ok(_), None) => return Ok(Loaded { folder, findings, draft: Err(Sketch::default()) }),
            (Err(sketch), _) => return Ok(Loaded { folder, findings, draft: Err(sketch) }),
        };
        let mut files = Files::new();
        for path in wanted_files(fleet, &device) {
            let text = self.shelf.shared(&path)?;
            files.insert(path, text);
        }
        let draft = Ok(Draft::new(fleet, &device, &files, &self.of_layers));
        Ok(Loaded { folder, findings, draft })
    }
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
