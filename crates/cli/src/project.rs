//! A repository, read and planned: the one way from a tree of files to a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use talosmith_document::{Diagnostic, Level, SourceId, Sources, merge, natural};
use talosmith_model::fleet::LintLevel;
use talosmith_model::plan;
use talosmith_model::plan::Device;
use talosmith_model::{FleetFile, Plan};
use talosmith_render::Renderer;

use crate::loading::{BATCH, Loaded, Loading};
use crate::named_files::{Overrides, missing_resources};
use crate::parallel;
use crate::shelf::Shelf;
use crate::tree::{EntryKind, ReadError, Tree};

pub use crate::loading::DEVICES;

/// The file that marks the root of a repository.
pub const FLEET_FILE: &str = "talosmith.yaml";

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
    /// A file cannot be read, or a program cannot be run. What is wrong with the user's files becomes findings.
    pub fn load(tree: &dyn Tree) -> Result<Self, LoadError> {
        Ok(Self::load_with(tree, |_, _| Vec::<((), bool)>::new())?.0)
    }

    /// The same, where `early` gets the devices that have no errors and need nothing of the others as soon as they are planned, some at
    /// a time. It says of each whether the plan keeps it, or nothing of all.
    ///
    /// # Errors
    /// A file cannot be read, or a program cannot be run. What is wrong with the user's files becomes findings.
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
            findings.extend(missing_resources(tree, fleet, &clusters)?);
        }
        let Overrides { sources: overrides, texts } = overrides;
        let renderer = Renderer::new(&texts, &clusters);
        let loading = Loading::new(&shelf, fleet.as_ref(), &renderer);
        let mut folders = Vec::with_capacity(names.len());
        let (mut drafts, mut broken, mut all_done) = (Vec::new(), BTreeMap::new(), Vec::new());
        for batch in parallel::map_batches(&names, BATCH, |folders| loading.batch(folders, &early)) {
            let (loaded, done) = batch?;
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
