//! Writes the changes of a run to disk.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::existing_file::FileLookup;
use super::folders::{NewFolders, remove_empty};
use super::staging::{Staged, remove_leftovers, split};
use super::sync::{sync_files, sync_folders};
use super::{Lock, WriteError};
use crate::change::{Change, ChangeKind};

/// What [`apply`] did. Paths are relative to the root, in the order of the changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub written: Vec<Utf8PathBuf>,
    pub removed: Vec<Utf8PathBuf>,
    /// Temporary files of a killed run, which were removed.
    pub leftovers: Vec<Utf8PathBuf>,
}

/// Writes added and changed files, and removes the files that are to be removed.
///
/// `searched` are the folders of all files of the run, including unchanged ones: temporary files of a killed run are removed there.
/// A new file gets mode 0644 minus the umask; a changed file keeps its mode. Folders that become empty are removed if they are below
/// one of `within`, which are never removed themselves.
///
/// An error before all new content is on disk changes nothing. After that, each file has its
/// old or its new content, and the next run completes the changes.
pub(crate) fn apply(
    lock: &Lock,
    changes: &[Change],
    searched: &BTreeSet<&Utf8Path>,
    within: &[Utf8PathBuf],
) -> Result<Applied, WriteError> {
    let root = lock.root();
    let mut lookup = FileLookup::new(root);
    let existing = changes.iter().map(|change| lookup.find(&change.path)).collect::<Result<Vec<_>, _>>()?;
    let mut applied = Applied { leftovers: remove_leftovers(root, searched)?, ..Applied::default() };

    // Declared before the files, so that after an error the files are dropped first and the folders are empty.
    let mut new_folders = NewFolders::below(root);
    let mut staged = Vec::new();
    for (change, existing) in changes.iter().zip(existing) {
        let (ChangeKind::Added | ChangeKind::Changed, Some(bytes)) = (change.kind, &change.new) else { continue };
        new_folders.create(split(&change.path).0)?;
        staged.push(Staged::write(root, &change.path, bytes, existing.map(|file| file.mode))?);
    }
    sync_files(root, &staged)?;

    // From here on files are renamed, so the folders stay even if a later rename fails: the next run needs them.
    let mut touched: BTreeSet<Utf8PathBuf> =
        new_folders.keep().iter().map(|folder| split(folder).0.to_owned()).collect();
    for file in staged {
        let path = file.rename(root)?;
        touched.insert(split(&path).0.to_owned());
        applied.written.push(path);
    }
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Removed) {
        match fs::remove_file(root.join(&change.path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(WriteError::io(&*change.path)(error)),
            _ => {}
        }
        let folder = split(&change.path).0;
        remove_empty(root, folder, within)?;
        touched.extend(folder.ancestors().map(Utf8Path::to_owned));
        applied.removed.push(change.path.clone());
    }
    sync_folders(root, &touched)?;
    Ok(applied)
}

#[cfg(test)]
mod tests;
