//! What lies in a tree against what would be generated.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::{Code, Diagnostic, Place, Sources};
use talosmith_render::Proof;

use crate::change::{Change, ChangeKind, find_orphans};
use crate::differences::Differences;
use crate::project::{DEVICES, Project};
use crate::rendering::{Owner, paths, render_with, report_collisions};
use crate::selection::Selection;
use crate::tree::{EntryKind, ReadError, Tree};

/// Where applications lie by default: files of ours there belong to an application that is gone, if to nothing else.
const APPLICATIONS: [&str; 2] = ["argocd/applications/local-path", "argocd/applications/kata-containers"];

/// What the comparison of one owner finds.
struct Compared {
    owner: Owner,
    clash_keys: Vec<u64>,
    changes: Vec<Change>,
    links: Vec<Utf8PathBuf>,
    /// The folders that its artifacts lie in.
    folders: Vec<Utf8PathBuf>,
    /// Files of ours in its folders that are not its own.
    strays: Vec<Utf8PathBuf>,
}

/// Renders what the selection names and compares it with a tree, an owner at a time; what cannot be written becomes findings.
///
/// # Errors
/// A file or folder that cannot be read.
pub fn compare(
    tree: &dyn Tree,
    project: &mut Project,
    selection: &Selection,
) -> Result<(Vec<Owner>, Differences), ReadError> {
    let compared = render_with(project, selection, Proof::LeftOut, |owner| compare_owner(tree, owner));
    let mut differences = Differences { within: vec![DEVICES.into()], ..Differences::default() };
    let mut owners = Vec::with_capacity(compared.len());
    let (mut clash_keys, mut strays) = (Vec::new(), Vec::new());
    for compared in compared {
        let Compared { owner, clash_keys: keys, changes, links, folders, strays: others } = compared?;
        links.iter().for_each(|link| symlink(&mut project.sources, &mut project.findings, link));
        if !owner.is_device {
            differences.within.extend(owner.folders.iter().cloned());
        }
        if !changes.is_empty() {
            differences.owners.insert(owner.name.clone());
        }
        differences.same += owner.files - changes.len() - links.len();
        differences.arguments.extend(changes.iter().map(|change| (change.path.clone(), owner.argument.clone())));
        differences.changes.extend(changes);
        differences.folders.extend(folders);
        clash_keys.extend(keys);
        strays.extend(others);
        owners.push(owner);
    }
    report_collisions(project, selection, clash_keys);
    orphans(tree, project, selection, strays, &mut differences)?;
    Ok((owners, differences))
}

fn compare_owner(tree: &dyn Tree, mut owner: Owner) -> Result<Compared, ReadError> {
    let secrets = owner.secrets.iter().map(|file| file.path.as_str());
    let mut expected: Vec<&str> =
        owner.artifacts.iter().map(|artifact| artifact.path.as_str()).chain(secrets).collect();
    expected.sort_unstable();
    let strays = find_orphans(tree, owner.folders.iter().cloned(), &expected)?;
    let clash_keys = owner.clash_keys();
    let (mut changes, mut links, mut folders) = (Vec::new(), Vec::new(), Vec::<Utf8PathBuf>::new());
    for artifact in std::mem::take(&mut owner.artifacts) {
        let folder = artifact.path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        if folders.last().is_none_or(|last| last.as_str() != folder) {
            folders.push(folder.into());
        }
        match Change::find(tree, artifact.path, Some(artifact.text.into_bytes())) {
            Ok(change) => changes.extend(change.filter(|change| change.kind != ChangeKind::Same)),
            Err(ReadError::Symlink(link)) => links.push(link),
            Err(error) => return Err(error),
        }
    }
    Ok(Compared { owner, clash_keys, changes, links, folders, strays })
}

/// Adds files of ours that nothing asks for: `strays` lie in an owner's folder and are not its own.
fn orphans(
    tree: &dyn Tree,
    project: &Project,
    selection: &Selection,
    mut strays: Vec<Utf8PathBuf>,
    differences: &mut Differences,
) -> Result<(), ReadError> {
    let mut folders = Vec::new();
    if *selection == Selection::Everything && project.fleet.is_some() {
        // A device whose file is gone left its manifests; one whose file has errors did not.
        let known: HashSet<&str> = project.folders.iter().map(String::as_str).collect();
        for entry in tree.list(Utf8Path::new(DEVICES))? {
            if entry.kind == EntryKind::Folder && !known.contains(entry.name.as_str()) {
                folders.push(Utf8Path::new(DEVICES).join(entry.name).join("manifests"));
            }
        }
        if project.plan.clusters.iter().all(|cluster| !cluster.incomplete) {
            folders.extend(APPLICATIONS.map(Utf8PathBuf::from));
            differences.within.extend(APPLICATIONS.map(Utf8PathBuf::from));
        }
    }
    strays.extend(find_orphans(tree, folders, &[])?);
    if strays.is_empty() {
        return Ok(());
    }
    let expected = paths(project, selection);
    strays.retain(|path| !expected.contains(path));
    strays.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    strays.dedup();
    for path in strays {
        if let Some(change) = Change::find(tree, path, None)? {
            differences.folders.extend(change.path.parent().map(Utf8Path::to_owned));
            differences.changes.push(change);
        }
    }
    Ok(())
}

fn symlink(sources: &mut Sources, findings: &mut Vec<Diagnostic>, link: &Utf8Path) {
    let source = sources.add(link, "");
    findings.push(
        Diagnostic::new(Code::Symlink, format!("`{link}` is a symbolic link"), Place::file(source))
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
            Diagnostic::new(Code::ForeignFile, format!("talosmith did not make `{}`", change.path), Place::file(source))
                .note("it lacks the first line that every generated file has, so it is not overwritten")
                .help(format!(
                    "to replace it:  `{}`\nto keep it, give the generated one another name under `files` in the model: {}",
                    format!("talosmith generate --force {}", differences.arguments.get(&change.path).map_or("", String::as_str)).trim_end(),
                    change.path.file_name().unwrap_or_default()
                ))
        })
        .collect()
}
