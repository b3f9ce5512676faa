//! Bringing the disk to what it should be.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::folders::{NewFolders, remove_empty};
use super::staging::{Mode, Staged, remove_leftovers, split, sync_folder};
use super::{Lock, Standing, WriteError, inspect};
use crate::change::{Change, ChangeKind};

/// What was done. Paths are relative to the root, in the order of the changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Files that were added or changed.
    pub written: Vec<Utf8PathBuf>,
    /// Files that were removed.
    pub removed: Vec<Utf8PathBuf>,
    /// Temporary files of a run that was killed, removed now.
    pub leftovers: Vec<Utf8PathBuf>,
}

/// Writes what was added and changed, and removes what should not be there.
///
/// `searched` are the folders of all files of the run, those that are the same too: what a killed run left there is removed.
/// A new file has mode 0644 less the umask, a changed one keeps its mode. Folders that a removal leaves empty are removed if they
/// lie below one of `within`; those themselves stay.
///
/// # Errors
/// [`WriteError`], which names the path. Until all new bytes are on disk, an error leaves everything as it was; behind that, each
/// file is old or new, and the next run does the rest.
pub fn apply(
    lock: &Lock,
    changes: &[Change],
    searched: &BTreeSet<&Utf8Path>,
    within: &[Utf8PathBuf],
) -> Result<Applied, WriteError> {
    let root = lock.root();
    let mut standings = Vec::with_capacity(changes.len());
    for change in changes {
        let differs = change.kind != ChangeKind::Same;
        standings.push(if differs { inspect(root, &change.path)? } else { Standing::Absent });
    }
    let mut applied = Applied { leftovers: remove_leftovers(root, searched)?, ..Applied::default() };

    // The folders go first in, last out: they are dropped behind the files in them.
    let mut new_folders = NewFolders::below(root);
    let mut staged = Vec::new();
    for (change, standing) in changes.iter().zip(standings) {
        let (ChangeKind::Added | ChangeKind::Changed, Some(bytes)) = (change.kind, &change.new) else { continue };
        new_folders.make(split(&change.path).0)?;
        let mode = match standing {
            Standing::Absent => Mode::Usual,
            Standing::File { mode, .. } => Mode::Exactly(mode),
        };
        staged.push(Staged::write(root, &change.path, bytes, mode)?);
    }
    for file in &staged {
        file.sync()?;
    }

    // From here on files take their names, so the folders stay even if the next rename fails: the next run needs them.
    let mut touched: BTreeSet<Utf8PathBuf> = new_folders.keep().iter().map(|made| split(made).0.to_owned()).collect();
    for file in staged {
        let path = file.rename(root)?;
        touched.insert(split(&path).0.to_owned());
        applied.written.push(path);
    }
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Removed) {
        match fs::remove_file(root.join(&change.path)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(WriteError::io(&*change.path)(error)),
        }
        let folder = split(&change.path).0;
        remove_empty(root, folder, within)?;
        touched.extend(folder.ancestors().map(Utf8Path::to_owned));
        applied.removed.push(change.path.clone());
    }
    for folder in &touched {
        sync_folder(root, folder)?;
    }
    Ok(applied)
}

#[cfg(test)]
mod tests;
