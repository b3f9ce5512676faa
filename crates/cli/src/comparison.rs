//! What lies in a tree against what would be generated.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::{Code, Diagnostic, Place, Sources};

use crate::change::{Change, ChangeKind, find_orphans};
use crate::differences::Differences;
use crate::parallel;
use crate::project::{DEVICES, Project};
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::tree::{EntryKind, ReadError, Tree};

/// Where applications lie by default: files of ours there belong to an application that is gone, if to nothing else.
const APPLICATIONS: [&str; 2] = ["argocd/applications/local-path", "argocd/applications/kata-containers"];

/// Compares the artifacts of all owners with a tree; what cannot be written becomes findings.
///
/// # Errors
/// A file or folder that cannot be read.
pub fn compare(
    tree: &dyn Tree,
    project: &mut Project,
    owners: &[Owner],
    selection: &Selection,
) -> Result<Differences, ReadError> {
    let artifacts: Vec<_> =
        owners.iter().flat_map(|owner| owner.artifacts.iter().map(move |artifact| (owner, artifact))).collect();
    let found = parallel::map(&artifacts, |(_, artifact)| {
        Change::find(tree, artifact.path.clone(), Some(artifact.text.as_bytes().to_vec()))
    });
    let mut differences = Differences { within: vec![DEVICES.into()], ..Differences::default() };
    for ((owner, artifact), change) in artifacts.iter().zip(found) {
        match change {
            Ok(Some(change)) => {
                if change.kind != ChangeKind::Same {
                    differences.arguments.insert(artifact.path.clone(), owner.argument.clone());
                }
                differences.changes.push(change);
            }
            Ok(None) => {}
            Err(ReadError::Symlink(link)) => symlink(&mut project.sources, &mut project.findings, &link),
            Err(error) => return Err(error),
        }
    }
    orphans(tree, project, owners, selection, &mut differences)?;
    Ok(differences)
}

fn orphans(
    tree: &dyn Tree,
    project: &Project,
    owners: &[Owner],
    selection: &Selection,
    differences: &mut Differences,
) -> Result<(), ReadError> {
    let expected: HashSet<&Utf8Path> = owners
        .iter()
        .flat_map(|owner| {
            owner
                .artifacts
                .iter()
                .map(|artifact| artifact.path.as_path())
                .chain(owner.secrets.values().map(Utf8PathBuf::as_path))
        })
        .collect();
    let mut folders: Vec<Utf8PathBuf> = owners.iter().flat_map(|owner| owner.folders.iter().cloned()).collect();
    differences.within.extend(owners.iter().filter(|owner| !owner.is_device).flat_map(|owner| owner.folders.clone()));
    if *selection == Selection::Everything && project.fleet.is_some() {
        // A device whose file is gone left its manifests; one whose file has errors did not.
        for entry in tree.list(Utf8Path::new(DEVICES))? {
            if entry.kind == EntryKind::Folder && !project.folders.contains(&entry.name) {
                folders.push(Utf8Path::new(DEVICES).join(entry.name).join("manifests"));
            }
        }
        if project.plan.clusters.iter().all(|cluster| !cluster.incomplete) {
            folders.extend(APPLICATIONS.map(Utf8PathBuf::from));
            differences.within.extend(APPLICATIONS.map(Utf8PathBuf::from));
        }
    }
    for path in find_orphans(tree, folders, &expected)? {
        if let Some(change) = Change::find(tree, path, None)? {
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
