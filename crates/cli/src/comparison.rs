//! The files of a tree against what would be generated.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use camino::Utf8PathBuf;
use talosmith_document::{Code, Diagnostic, Location};
use talosmith_model::layout::{self, APPLICATIONS};
use talosmith_model::plan::Cluster;
use talosmith_render::{Artifact, cluster_paths};

use crate::change::{Change, ChangeKind, OtherBytes, compare};
use crate::rendering::Owner;
use crate::source_cache::SourceCache;
use crate::tree::{ReadError, Tree};

/// The differences between a tree and what would be generated.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Every artifact that is not as it would be generated, and every orphan as removed.
    pub changes: Vec<Change>,
    /// The number of artifacts that are the same.
    pub same: usize,
    /// The folders below which folders that become empty are removed.
    pub within: Vec<Utf8PathBuf>,
}

impl Differences {
    /// The number of files that were compared.
    pub(crate) fn files(&self) -> usize {
        self.changes.len() + self.same
    }
}

/// The comparison of the files of one device or cluster.
#[derive(Default)]
pub(crate) struct Comparison {
    /// The artifacts that differ, by their index.
    pub differences: Vec<(usize, OtherBytes)>,
    /// Symbolic links at or above an artifact.
    pub links: Vec<Utf8PathBuf>,
    /// Generated files in the owner's folders that are not among its own.
    pub strays: Vec<Utf8PathBuf>,
}

impl Comparison {
    /// Compares the artifacts of an owner with the files of a tree.
    pub(crate) fn new(tree: &dyn Tree, owner: Owner<'_>, artifacts: &[Artifact]) -> Result<Self, ReadError> {
        let secrets = owner.secret_paths();
        let tracked = artifacts.iter().map(|artifact| artifact.path.as_str());
        let mut expected: Vec<&str> = tracked.chain(secrets.iter().map(|path| path.as_str())).collect();
        expected.sort_unstable();
        let mut comparison = Self { strays: owner.strays(tree, &expected)?, ..Self::default() };
        for (index, artifact) in artifacts.iter().enumerate() {
            match compare(tree, &artifact.path, artifact.text.as_bytes()) {
                Ok(other) => comparison.differences.extend(other.map(|bytes| (index, bytes))),
                Err(ReadError::Symlink(link)) => comparison.links.push(link),
                Err(error) => return Err(error),
            }
        }
        Ok(comparison)
    }
}

/// Returns the folders in which generated files belong to nothing: those of devices that are gone, and those where applications are by
/// default. The latter is not known while a device of a cluster cannot be planned.
pub(crate) fn abandoned_folders(clusters: &[Cluster], gone: &BTreeSet<String>) -> Vec<Utf8PathBuf> {
    let mut folders: Vec<Utf8PathBuf> = gone.iter().map(|name| layout::manifests(name)).collect();
    if clusters.iter().all(|cluster| !cluster.incomplete) {
        folders.extend(APPLICATIONS.map(layout::application));
    }
    folders
}

/// Returns the removals of those `strays` that belong to no application: the folder of one can contain that of another.
pub(crate) fn remove_orphans(
    tree: &dyn Tree,
    clusters: &[Cluster],
    mut strays: Vec<Utf8PathBuf>,
) -> Result<Vec<Change>, ReadError> {
    if strays.is_empty() {
        return Ok(Vec::new());
    }
    let complete = clusters.iter().filter(|cluster| !cluster.incomplete);
    let expected: HashSet<Utf8PathBuf> = complete.flat_map(cluster_paths).map(|(path, _)| path).collect();
    strays.retain(|path| !expected.contains(path));
    strays.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    strays.dedup();
    let removal = |path: Utf8PathBuf| Ok(tree.read(&path)?.map(|old| Change::new(path, Some(old), None)));
    strays.into_iter().filter_map(|path| removal(path).transpose()).collect()
}

/// The findings on files that talosmith did not generate and would have to replace.
pub(crate) fn foreign(sources: &SourceCache<'_>, differences: &Differences) -> Vec<Diagnostic> {
    let foreign = differences.changes.iter().filter(|change| change.kind == ChangeKind::Changed && change.is_foreign());
    foreign
        .map(|change| {
            let location = Location::file(sources.add(change.path.clone(), ""));
            let name = change.path.file_name().unwrap_or_default();
            let command = change.command().replacen("generate", "generate --force", 1);
            Diagnostic::new(Code::ForeignFile, format!("talosmith did not generate `{}`", change.path), location)
                .note("it lacks the first line that every generated file has, so it is not overwritten")
                .help(format!(
                    "to replace it:  `{command}`\nto keep it, choose another name for the generated one in the model, under `files` or as its `path`: {name}"
                ))
        })
        .collect()
}

/// The findings on devices whose generated files exist and whose own file does not: it may have been renamed or not be merged yet, so its
/// files are not removed unasked. `devices` are the names of those that exist.
pub(crate) fn absent_devices(
    sources: &SourceCache<'_>,
    differences: &Differences,
    devices: &[String],
) -> Vec<Diagnostic> {
    let mut removed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for change in differences.changes.iter().filter(|change| change.kind == ChangeKind::Removed) {
        if let Some(name) = layout::device_of(&change.path).filter(|name| !devices.iter().any(|device| device == name))
        {
            removed.entry(name).or_default().extend(change.path.file_name());
        }
    }
    let findings = removed.into_iter().map(|(name, files)| {
        let file = layout::device_file(name);
        let folder = layout::manifests(name);
        let message = format!("`{file}` does not exist, and `{folder}` has generated files of it");
        Diagnostic::new(Code::Orphan, message, Location::file(sources.add(folder, "")))
            .note(format!("they would be removed: {}", files.join(", ")))
            .help(format!(
                "to remove them: `talosmith generate --remove-devices`\nto keep the device: restore `{file}`"
            ))
    });
    findings.collect()
}
