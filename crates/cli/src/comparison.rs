//! What lies in a tree against what would be generated.

use std::collections::HashSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Sources};
use talosmith_model::layout::manifests;
use talosmith_model::plan::Device;
use talosmith_render::{Proof, Renderer};

use crate::change::{Change, ChangeKind, find_orphans};
use crate::differences::Differences;
use crate::project::{DEVICES, Project};
use crate::rendering::{Owner, Rendered, is_doubled, paths, render_device, render_rest, report_collisions};
use crate::selection::Selection;
use crate::tree::{Entry, EntryKind, ReadError, Tree};

/// Where applications lie by default: files of ours there belong to an application that is gone, if to nothing else.
const APPLICATIONS: [&str; 2] = ["argocd/applications/local-path", "argocd/applications/kata-containers"];

/// An owner that was compared.
#[derive(Debug)]
pub struct Tally {
    /// Its name.
    pub name: String,
    /// Whether it is a device.
    pub is_device: bool,
    /// How many artifacts it has.
    pub files: usize,
}

/// What the comparison of one owner finds.
#[derive(Debug)]
pub struct Compared {
    tally: Tally,
    clash_keys: Vec<u64>,
    changes: Vec<Change>,
    links: Vec<Utf8PathBuf>,
    /// The folders of an application.
    within: Vec<Utf8PathBuf>,
    /// Files of ours in its folders that are not its own.
    strays: Vec<Utf8PathBuf>,
}

/// A device that was compared as soon as it was planned.
pub type Early = Rendered<Result<Compared, ReadError>>;

/// Renders some devices and then compares them with a tree.
pub fn compare_devices(tree: &dyn Tree, renderer: &Renderer, devices: &[&Arc<Device>]) -> Vec<Early> {
    let rendered: Vec<_> = devices.iter().map(|device| render_device(renderer, device, Proof::Skipped)).collect();
    rendered.into_iter().map(|rendered| rendered.map(|owner| compare_owner(tree, owner))).collect()
}

/// Whether nothing more is to be done about a device: its files are what they should be.
#[must_use]
pub fn is_done(early: &Early) -> bool {
    match &early.outcome {
        Ok((Ok(compared), _)) => compared.changes.is_empty() && compared.links.is_empty() && compared.strays.is_empty(),
        _ => false,
    }
}

/// Renders what the selection names and compares it with a tree, an owner at a time; what cannot be written becomes findings.
///
/// `early` was compared before. `whole` says that the plan has all devices; if not, there may be none: then something turned up that
/// concerns devices which it has not.
///
/// # Errors
/// A file or folder that cannot be read.
pub fn compare(
    tree: &dyn Tree,
    project: &mut Project,
    selection: &Selection,
    early: Vec<Early>,
    whole: bool,
) -> Result<Option<(Vec<Tally>, Differences)>, ReadError> {
    let compared = render_rest(project, selection, Proof::Skipped, early, |owner| compare_owner(tree, owner));
    let mut differences = Differences { within: vec![DEVICES.into()], ..Differences::default() };
    let mut owners = Vec::with_capacity(compared.len());
    let (mut clash_keys, mut strays) = (Vec::new(), Vec::new());
    for compared in compared {
        let Compared { tally, clash_keys: keys, changes, links, within, strays: others } = compared?;
        links.iter().for_each(|link| symlink(&mut project.sources, &mut project.findings, link));
        differences.within.extend(within);
        if !changes.is_empty() {
            differences.owners.insert(tally.name.clone());
        }
        differences.same += tally.files - changes.len() - links.len();
        let argument = || if tally.is_device { format!("{DEVICES}/{}", tally.name) } else { String::new() };
        differences.arguments.extend(changes.iter().map(|change| (change.path.clone(), argument())));
        differences.changes.extend(changes);
        clash_keys.extend(keys);
        strays.extend(others);
        owners.push(tally);
    }
    strays.extend(left_behind(tree, project, selection, &mut differences)?);
    if !whole && (is_doubled(&mut clash_keys) || !strays.is_empty()) {
        return Ok(None);
    }
    report_collisions(project, selection, clash_keys);
    orphans(tree, project, selection, strays, &mut differences)?;
    Ok(Some((owners, differences)))
}

fn compare_owner(tree: &dyn Tree, owner: Owner) -> Result<Compared, ReadError> {
    let secrets = owner.secrets.iter().map(|file| file.path.as_str());
    let mut expected: Vec<&str> =
        owner.artifacts.iter().map(|artifact| artifact.path.as_str()).chain(secrets).collect();
    expected.sort_unstable();
    let strays = find_orphans(tree, owner.folders.iter().cloned(), &expected)?;
    let clash_keys = owner.clash_keys();
    let Owner { name, is_device, folders, artifacts, .. } = owner;
    let tally = Tally { name, is_device, files: artifacts.len() };
    let within = if is_device { Vec::new() } else { folders };
    let (mut changes, mut links) = (Vec::new(), Vec::new());
    for artifact in artifacts {
        match Change::find(tree, artifact.path, Some(artifact.text.into_bytes())) {
            Ok(change) => changes.extend(change.filter(|change| change.kind != ChangeKind::Same)),
            Err(ReadError::Symlink(link)) => links.push(link),
            Err(error) => return Err(error),
        }
    }
    Ok(Compared { tally, clash_keys, changes, links, within, strays })
}

/// Files of ours in folders that belong to no owner any more.
fn left_behind(
    tree: &dyn Tree,
    project: &Project,
    selection: &Selection,
    differences: &mut Differences,
) -> Result<Vec<Utf8PathBuf>, ReadError> {
    if *selection != Selection::Everything || project.fleet.is_none() {
        return Ok(Vec::new());
    }
    // A device whose file is gone left its manifests; one whose file has errors did not.
    let known: HashSet<&str> = project.folders.iter().map(String::as_str).collect();
    let entries = tree.list(Utf8Path::new(DEVICES))?;
    let gone = |entry: &Entry| entry.kind == EntryKind::Folder && !known.contains(entry.name.as_str());
    let mut folders: Vec<Utf8PathBuf> =
        entries.iter().filter(|entry| gone(entry)).map(|entry| manifests(&entry.name)).collect();
    if project.plan.clusters.iter().all(|cluster| !cluster.incomplete) {
        folders.extend(APPLICATIONS.map(Utf8PathBuf::from));
        differences.within.extend(APPLICATIONS.map(Utf8PathBuf::from));
    }
    find_orphans(tree, folders, &[])
}

/// Adds files of ours that nothing asks for: `strays` lie in an owner's folder and are not its own.
fn orphans(
    tree: &dyn Tree,
    project: &Project,
    selection: &Selection,
    mut strays: Vec<Utf8PathBuf>,
    differences: &mut Differences,
) -> Result<(), ReadError> {
    if strays.is_empty() {
        return Ok(());
    }
    let expected = paths(project, selection);
    strays.retain(|path| !expected.contains(path));
    strays.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    strays.dedup();
    for path in strays {
        differences.changes.extend(Change::find(tree, path, None)?);
    }
    Ok(())
}

fn symlink(sources: &mut Sources, findings: &mut Vec<Diagnostic>, link: &Utf8Path) {
    let source = sources.add(link, "");
    findings.push(
        Diagnostic::new(Code::Symlink, format!("`{link}` is a symbolic link"), Location::file(source))
            .note("talosmith writes only to files and folders of the repository itself")
            .help(format!("replace it by what it points to, or remove it: `rm {link}`")),
    );
}

/// Files that talosmith did not make and would have to replace.
pub fn foreign(sources: &mut Sources, differences: &Differences) -> Vec<Diagnostic> {
    differences
        .real()
        .filter(|change| change.kind == ChangeKind::Changed && change.is_foreign())
        .map(|change| {
            let source = sources.add(change.path.clone(), "");
            Diagnostic::new(
                Code::ForeignFile,
                format!("talosmith did not make `{}`", change.path),
                Location::file(source),
            )
            .note("it lacks the first line that every generated file has, so it is not overwritten")
            .help(format!(
                "to replace it:  `{}`\nto keep it, give the generated one another name under `files` in the model: {}",
                format!(
                    "talosmith generate --force {}",
                    differences.arguments.get(&change.path).map_or("", String::as_str)
                )
                .trim_end(),
                change.path.file_name().unwrap_or_default()
            ))
        })
        .collect()
}
