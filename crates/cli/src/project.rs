//! A repository: talosmith.yaml, what it names, and the folders of devices.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Diagnostic, Level, SourceId, merge, natural};
use talosmith_model::layout::{DEVICES, FLEET_FILE};
use talosmith_model::plan::{self, Cluster};
use talosmith_model::{FleetFile, LintLevel};
use talosmith_render::Renderer;

use crate::named_files::{Overrides, missing_resources, unencrypted_files};
use crate::printable::shell_quote;
use crate::source_cache::SourceCache;
use crate::tree::{EntryKind, ReadError, Tree};
use crate::user_templates::UserTemplates;

/// A repository whose devices were not read yet.
pub struct Project<'a> {
    pub(crate) tree: &'a dyn Tree,
    pub(crate) sources: SourceCache<'a>,
    /// talosmith.yaml, or what is right of it; none if nothing can be checked with it.
    pub(crate) fleet: Option<FleetFile>,
    /// The clusters without what their devices provide.
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) renderer: Renderer,
    /// The overridden templates by name.
    pub(crate) overrides: BTreeMap<String, SourceId>,
    /// The artifacts that the user's own templates render.
    pub(crate) user: UserTemplates,
    /// The folders below `devices/`, in natural order of their names; some may hold no device.
    pub(crate) folders: Vec<String>,
    /// What is wrong with talosmith.yaml and what it names.
    pub(crate) findings: Vec<Diagnostic>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("there is no {FLEET_FILE} here or in a folder above; {}", no_fleet_help(.misnamed.as_deref(), .outside.as_deref()))]
    NoFleetFile {
        /// A file that looks like a misnamed one.
        misnamed: Option<Utf8PathBuf>,
        /// The folder with the one above the repository of git.
        outside: Option<Utf8PathBuf>,
    },
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What to do where there is no fleet file, or only one with another name.
fn no_fleet_help(misnamed: Option<&Utf8Path>, outside: Option<&Utf8Path>) -> String {
    match (misnamed, outside) {
        (Some(path), _) => {
            let name = path.with_file_name(FLEET_FILE);
            format!("`{path}` is not read: `mv {path} {name}`")
        }
        (None, Some(folder)) => {
            let folder = shell_quote(folder.as_str());
            format!("the one in {folder} is outside of this repository of git: `-C {folder}` reads it")
        }
        (None, None) => "name its folder with `-C`, or begin a new one with `talosmith init`".to_owned(),
    }
}

impl<'a> Project<'a> {
    /// Reads talosmith.yaml and the files that it names.
    ///
    /// # Errors
    /// [`LoadError`]. What is wrong with the user's files becomes findings.
    pub fn open(tree: &'a dyn Tree) -> Result<Self, LoadError> {
        let sources = SourceCache::new(tree);
        let mut findings = Vec::new();
        let text =
            sources.read(Utf8Path::new(FLEET_FILE))?.ok_or(LoadError::NoFleetFile { misnamed: None, outside: None })?;
        let (fleet, wrong) = match text {
            Ok((source, text)) => FleetFile::read(source, &text),
            Err(finding) => (None, vec![finding]),
        };
        findings.extend(wrong);
        let mut entries = tree.list(Utf8Path::new(DEVICES))?;
        entries.retain(|entry| entry.kind == EntryKind::Folder);
        // A line break in it could be taken for the end of a line of a report, and no device has such a name.
        if let Some(entry) = entries.iter().find(|entry| entry.name.chars().any(char::is_control)) {
            return Err(ReadError::Unprintable { folder: DEVICES.into(), name: entry.name.clone() }.into());
        }
        let mut folders: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        folders.sort_by(|one, other| natural(one, other));
        let (mut overrides, mut user, mut clusters) = (Overrides::default(), UserTemplates::default(), Vec::new());
        if let Some(fleet) = &fleet {
            overrides = Overrides::read(&sources, fleet, &mut findings)?;
            user = UserTemplates::read(&sources, fleet, &mut overrides, &mut findings)?;
            let (planned, wrong) = plan::clusters(fleet);
            clusters = planned;
            findings.extend(wrong);
            findings.extend(missing_resources(tree, fleet, &clusters)?);
            findings.extend(unencrypted_files(tree, fleet)?);
            findings.extend(fleet.secrets.iter().cloned());
        }
        let renderer = Renderer::new(&overrides.texts, &clusters);
        Ok(Self { tree, sources, fleet, clusters, renderer, overrides: overrides.sources, user, folders, findings })
    }
}

/// Merges equal findings, and sets the level of each as the fleet file specifies. An error stays an error.
pub(crate) fn apply_levels(findings: &mut Vec<Diagnostic>, fleet: Option<&FleetFile>) {
    merge(findings);
    let Some(fleet) = fleet else { return };
    findings.retain_mut(|finding| {
        if finding.level == Level::Error {
            return true;
        }
        match fleet.fleet.lints.get(&finding.code) {
            Some(LintLevel::Error) => finding.level = Level::Error,
            Some(LintLevel::Warning) => finding.level = Level::Warning,
            Some(LintLevel::Off) => return false,
            None => {}
        }
        true
    });
}
