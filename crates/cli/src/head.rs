//! The state of HEAD, which distinguishes an edit of a generated file from a change of the model.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::Sources;
use talosmith_model::FleetFile;
use talosmith_model::layout::{self, DEVICE_FILE, DEVICES, FLEET_FILE};
use talosmith_model::plan::{Device, UserArtifact, user_artifacts};
use talosmith_render::provenance::Edit;
use talosmith_render::{Artifact, Mark, key_of_line};

use crate::change::{Change, ChangeKind};
use crate::git::{Compared, Git};
use crate::inspection::{Inspection, inspect};
use crate::process::Processes;
use crate::project::Project;
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::steps::{Inspected, Purpose};
use crate::tree::{GitTree, Tree as _};

/// The keys of a device's artifacts that depend on other devices: they can contain the addresses of all control planes.
const FLEET_KEYS: [&str; 2] = ["certSANs", "apiServer"];

/// More paths than this are not passed to git; it looks at all files instead.
const MANY: usize = 200;

/// A device with generated files that were edited.
pub(crate) struct EditedDevice {
    pub device: Arc<Device>,
    pub files: BTreeMap<Utf8PathBuf, EditedFile>,
}

/// A generated file that was edited.
pub(crate) struct EditedFile {
    /// The model key that requests it, or the first of several.
    key: Cow<'static, str>,
    /// What is merged in it, if several model keys share it.
    merged: Vec<Artifact>,
}

impl EditedFile {
    fn new(artifact: &Artifact) -> Self {
        Self { key: artifact.key.clone(), merged: artifact.merged.clone() }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.key).chain(self.merged.iter().map(|part| &*part.key))
    }

    /// Returns the model key that the edited line belongs to.
    pub(crate) fn key(&self, device: &Device, edit: &Edit<'_>) -> &str {
        key_of_line(device, &self.merged, edit).unwrap_or(&self.key)
    }
}

impl EditedDevice {
    /// Keeps a device of the pass over the fleet if one of its files was edited.
    pub(crate) fn keep(inspected: &Inspected<'_>) -> Option<Self> {
        let (Owner::Device(device), Some(artifacts)) = (inspected.owner, inspected.artifacts) else { return None };
        let edited = inspected.changed.iter().map(|(index, _)| &artifacts[*index]);
        let files: BTreeMap<_, _> = edited.map(|it| (it.path.clone(), EditedFile::new(it))).collect();
        (!files.is_empty()).then(|| Self { device: Arc::clone(device), files })
    }
}

/// The state of HEAD, compared with the files that `check` reads.
pub(crate) struct Head {
    /// The files that differ from HEAD. A folder represents all files in it, none of which git tracks.
    changed: BTreeSet<Utf8PathBuf>,
    /// The generated files that were edited, and the folders of applications.
    generated: BTreeSet<Utf8PathBuf>,
    /// The edited artifacts that depend on all devices.
    of_fleet: BTreeSet<Utf8PathBuf>,
    /// What HEAD's model renders to, for the edited artifacts whose model changed since HEAD too.
    rendered: BTreeMap<Utf8PathBuf, String>,
    /// The orphans that HEAD has with other bytes.
    orphans: BTreeSet<Utf8PathBuf>,
}

impl Head {
    /// Reads HEAD for the files that differ from what would be generated; none if there is no HEAD, or its model has errors. `devices`
    /// are those with edited files.
    pub(crate) fn read<'d, K>(
        processes: &dyn Processes,
        root: &Utf8Path,
        compared: Compared,
        inspection: &Inspection<'_, K>,
        devices: impl Iterator<Item = &'d EditedDevice>,
    ) -> Option<Self> {
        let is_edited = |change: &&Change| change.kind == ChangeKind::Changed && !change.is_foreign();
        let changes = &inspection.differences.changes;
        let edited: Vec<&Change> = changes.iter().filter(is_edited).collect();
        let removed = changes.iter().filter(|change| change.kind == ChangeKind::Removed);
        let removed: Vec<Utf8PathBuf> = removed.map(|change| change.path.clone()).collect();
        if edited.is_empty() && removed.is_empty() {
            return None;
        }
        let git = Git::open(processes, root).ok()?;
        let of_clusters = edited.iter().map(|change| &change.path).filter(|path| layout::device_of(path).is_none());
        let is_of_fleet = |file: &EditedFile| file.keys().any(|key| FLEET_KEYS.contains(&key));
        let files = devices.flat_map(|device| &device.files);
        let of_devices = files.filter(|(_, file)| is_of_fleet(file)).map(|(path, _)| path);
        let of_fleet: BTreeSet<Utf8PathBuf> = of_clusters.chain(of_devices).cloned().collect();
        let paths = model_paths(inspection, &edited, &removed);
        let device_files = format!("{DEVICES}/*/{DEVICE_FILE}");
        let globs: &[&str] = if of_fleet.is_empty() { &[] } else { &[&device_files] };
        let changed = git.changed_since_head(&paths, globs, compared).ok()?;
        let mut generated: BTreeSet<Utf8PathBuf> = edited.iter().map(|change| change.path.clone()).collect();
        generated.extend(inspection.clusters.iter().flat_map(|cluster| Owner::Cluster(cluster).folders()));
        let mut head = Self { changed, generated, of_fleet, rendered: BTreeMap::new(), orphans: BTreeSet::new() };
        let paths = edited.iter().map(|change| change.path.as_path());
        // What HEAD's model renders to matters only where the file may have been edited.
        let is_unclear = |path: &&Utf8Path| head.is_changed(path) && head.model_changed(path);
        let stale: BTreeSet<&Utf8Path> = paths.filter(is_unclear).collect();
        if !stale.is_empty() {
            head.rendered = head.render(&git, inspection, &stale)?;
        }
        let changed: Vec<Utf8PathBuf> = removed.into_iter().filter(|path| head.is_changed(path)).collect();
        if !changed.is_empty() {
            let committed = GitTree::revision(&git, "HEAD", &changed).ok()?;
            let is_committed = |path: &Utf8PathBuf| committed.read(path).is_ok_and(|bytes| bytes.is_some());
            head.orphans = changed.into_iter().filter(is_committed).collect();
        }
        Some(head)
    }

    /// Whether a generated file was edited since HEAD, and the model still specifies the same content.
    pub(crate) fn is_hand_edit(&self, change: &Change) -> bool {
        let is_edit = change.kind == ChangeKind::Changed && !change.is_foreign() && self.is_changed(&change.path);
        is_edit && self.renders(&change.path, &String::from_utf8_lossy(change.new.as_deref().unwrap_or_default()))
    }

    /// Whether a file that nothing requests any more was changed since HEAD.
    pub(crate) fn is_changed_orphan(&self, path: &Utf8Path) -> bool {
        self.orphans.contains(path)
    }

    /// Whether HEAD's model renders to the `new` content of an artifact whose file was edited.
    pub(crate) fn renders(&self, path: &Utf8Path, new: &str) -> bool {
        match self.rendered.get(path) {
            Some(then) => then == new,
            None => !self.model_changed(path),
        }
    }

    fn is_changed(&self, path: &Utf8Path) -> bool {
        path.ancestors().any(|path| self.changed.contains(path))
    }

    /// Whether a file of the model that an artifact depends on differs from HEAD.
    fn model_changed(&self, artifact: &Utf8Path) -> bool {
        let owner = layout::device_of(artifact).filter(|_| !self.of_fleet.contains(artifact));
        self.changed.iter().any(|changed| {
            let device = layout::device_of(changed);
            let is_generated = device.is_some_and(|name| changed.starts_with(layout::manifests(name)))
                || changed.ancestors().any(|path| self.generated.contains(path));
            !is_generated && (device.is_none() || owner.is_none() || device == owner)
        })
    }

    /// Renders the `stale` artifacts as HEAD's model specifies them.
    fn render<K>(
        &self,
        git: &Git<'_>,
        inspection: &Inspection<'_, K>,
        stale: &BTreeSet<&Utf8Path>,
    ) -> Option<BTreeMap<Utf8PathBuf, String>> {
        // The user's templates see all devices.
        let has_templates = inspection.fleet.as_ref().is_some_and(|file| !file.fleet.artifacts.is_empty());
        let is_whole = has_templates
            || self.changed.contains(Utf8Path::new(FLEET_FILE))
            || stale.iter().any(|path| self.of_fleet.contains(*path));
        let mut paths = Vec::new();
        if !is_whole {
            paths = shared_paths(inspection);
            paths.extend(stale.iter().filter_map(|path| Some(layout::device_folder(layout::device_of(path)?))));
            paths.dedup();
        }
        let tree = GitTree::revision(git, "HEAD", &paths).ok()?;
        let project = Project::open(&tree).ok()?;
        let inspection = inspect(project, &Selection::Everything, Purpose::Render, |inspected| {
            let artifacts = inspected.artifacts?.iter().filter(|artifact| stale.contains(artifact.path.as_path()));
            Some(artifacts.map(|artifact| (artifact.path.clone(), artifact.text.clone())).collect::<Vec<_>>())
        });
        let inspection = inspection.ok().filter(|inspection| !inspection.has_errors())?;
        Some(inspection.kept.into_iter().flatten().collect())
    }
}

/// Finds the JSON files that are not known to be generated: HEAD has a model, and no artifact of it has their path. A file whose first
/// line is not known is not overwritten without a flag.
pub(crate) fn find_foreign_json(processes: &dyn Processes, root: &Utf8Path, changes: &mut [Change]) {
    let mut unknown: Vec<&mut Change> =
        changes.iter_mut().filter(|change| change.mark == Mark::Path && change.kind == ChangeKind::Changed).collect();
    if unknown.is_empty() {
        return;
    }
    let Some(artifacts) = artifacts_of_head(processes, root) else { return };
    unknown.retain(|change| !artifacts.iter().any(|artifact| artifact.owns(&change.path)));
    // A file that is known by its first line and has none is foreign.
    for change in unknown {
        change.mark = Mark::Header;
    }
}

fn artifacts_of_head(processes: &dyn Processes, root: &Utf8Path) -> Option<Vec<UserArtifact>> {
    let git = Git::open(processes, root).ok()?;
    let tree = GitTree::revision(&git, "HEAD", &[FLEET_FILE.into()]).ok()?;
    let text = String::from_utf8(tree.read(Utf8Path::new(FLEET_FILE)).ok()??).ok()?;
    let (fleet, _) = FleetFile::read(Sources::default().add(FLEET_FILE, text.as_str()), &text);
    Some(user_artifacts(&fleet?).0)
}

/// Returns the edited files, and those of the model that they depend on but for other devices' own; nothing, which means all files of
/// the repository, if they are too many to pass to git.
fn model_paths<K>(inspection: &Inspection<'_, K>, edited: &[&Change], removed: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let mut paths = shared_paths(inspection);
    paths.extend(removed.iter().cloned());
    paths.extend(edited.iter().map(|change| change.path.clone()));
    paths.extend(edited.iter().filter_map(|change| Some(layout::device_file(layout::device_of(&change.path)?))));
    if paths.len() > MANY { Vec::new() } else { paths }
}

/// Returns the files of the model that several devices can depend on.
fn shared_paths<K>(inspection: &Inspection<'_, K>) -> Vec<Utf8PathBuf> {
    let templates = inspection.fleet.iter().filter_map(|file| file.fleet.templates.as_ref());
    let mut paths = vec![Utf8PathBuf::from(FLEET_FILE)];
    paths.extend(templates.map(|folder| Utf8PathBuf::from(folder.as_str())));
    paths.extend(inspection.sources.shared_paths());
    paths
}
