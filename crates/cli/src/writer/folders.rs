//! Creates and removes the folders of files.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::WriteError;

/// Folders that a run created. Dropping this removes them, unless [`NewFolders::keep`] was called.
pub(super) struct NewFolders<'a> {
    root: &'a Utf8Path,
    /// Parents come before their children.
    created: Vec<Utf8PathBuf>,
    /// The folder that was asked for last, which exists.
    last: Utf8PathBuf,
}

impl<'a> NewFolders<'a> {
    pub(super) fn below(root: &'a Utf8Path) -> Self {
        Self { root, created: Vec::new(), last: Utf8PathBuf::new() }
    }

    /// Creates `folder` and its parents unless they exist.
    pub(super) fn create(&mut self, folder: &Utf8Path) -> Result<(), WriteError> {
        if folder == self.last {
            return Ok(());
        }
        if self.root.join(folder).is_dir() {
            self.last = folder.to_owned();
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.create(parent)?;
        }
        fs::create_dir(self.root.join(folder)).map_err(WriteError::io(folder))?;
        self.created.push(folder.to_owned());
        self.last = folder.to_owned();
        Ok(())
    }

    pub(super) fn keep(mut self) -> Vec<Utf8PathBuf> {
        std::mem::take(&mut self.created)
    }
}

impl Drop for NewFolders<'_> {
    fn drop(&mut self) {
        for folder in self.created.iter().rev() {
            // This fails for a folder that another process uses by now, because it is not empty.
            let _ = fs::remove_dir(self.root.join(folder));
        }
    }
}

/// Removes `folder` and its parents, as long as they are empty and below one of `within`.
pub(super) fn remove_empty(root: &Utf8Path, folder: &Utf8Path, within: &[Utf8PathBuf]) -> Result<(), WriteError> {
    for folder in folder.ancestors() {
        if !within.iter().any(|top| folder != top && folder.starts_with(top)) {
            break;
        }
        match fs::remove_dir(root.join(folder)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
            // Removed already, with another file of this run.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(WriteError::io(folder)(error)),
        }
    }
    Ok(())
}
