//! Folders that come and go with the files in them.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::WriteError;

/// Folders that a run makes; they go again unless the run keeps them.
pub(super) struct NewFolders<'a> {
    root: &'a Utf8Path,
    /// A folder stands behind those it lies in.
    made: Vec<Utf8PathBuf>,
}

impl<'a> NewFolders<'a> {
    pub(super) fn below(root: &'a Utf8Path) -> Self {
        Self { root, made: Vec::new() }
    }

    /// Makes `folder` and those above it, where they are not there.
    pub(super) fn make(&mut self, folder: &Utf8Path) -> Result<(), WriteError> {
        if folder.as_str().is_empty() || self.root.join(folder).is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.make(parent)?;
        }
        fs::create_dir(self.root.join(folder)).map_err(WriteError::io(folder))?;
        self.made.push(folder.to_owned());
        Ok(())
    }

    /// Leaves the folders where they are, and gives their paths.
    pub(super) fn keep(mut self) -> Vec<Utf8PathBuf> {
        std::mem::take(&mut self.made)
    }
}

impl Drop for NewFolders<'_> {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // A folder that somebody else uses by now is not empty, and stays.
            let _ = fs::remove_dir(self.root.join(folder));
        }
    }
}

/// Removes `folder` and those above it, as far as they are empty and lie below one of `within`.
pub(super) fn remove_empty(root: &Utf8Path, folder: &Utf8Path, within: &[Utf8PathBuf]) -> Result<(), WriteError> {
    for folder in folder.ancestors() {
        if !within.iter().any(|top| folder != top && folder.starts_with(top)) {
            break;
        }
        match fs::remove_dir(root.join(folder)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
            // Another file of this run may have been the last one here.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(WriteError::io(folder)(error)),
        }
    }
    Ok(())
}
