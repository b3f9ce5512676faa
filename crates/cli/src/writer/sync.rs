//! Waits until files and folders are on disk.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::WriteError;
use super::staging::Staged;

/// From this many files or folders on, one call for the whole file system is faster than one for each of them.
const MANY: usize = 128;

/// Waits until the content of temporary files is on disk.
pub(super) fn sync_files(root: &Utf8Path, files: &[Staged]) -> Result<(), WriteError> {
    if files.len() >= MANY && sync_file_system(root)? {
        return Ok(());
    }
    files.iter().try_for_each(Staged::sync)
}

/// Waits until renames and removals in folders are on disk.
pub(super) fn sync_folders(root: &Utf8Path, folders: &BTreeSet<Utf8PathBuf>) -> Result<(), WriteError> {
    if folders.len() >= MANY && sync_file_system(root)? {
        return Ok(());
    }
    folders.iter().try_for_each(|folder| sync_folder(root, folder))
}

/// Waits until renames and removals in a folder are on disk. A folder that does not exist any more is ignored.
pub(super) fn sync_folder(root: &Utf8Path, folder: &Utf8Path) -> Result<(), WriteError> {
    match fs::File::open(root.join(folder)).and_then(|opened| opened.sync_all()) {
        // Some network file systems do not support it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => Ok(()),
        other => other.map_err(WriteError::io(folder)),
    }
}

/// Waits until everything on the file system of the root is on disk. Returns false where the system has no such call.
#[cfg(target_os = "linux")]
fn sync_file_system(root: &Utf8Path) -> Result<bool, WriteError> {
    let opened = fs::File::open(root).map_err(WriteError::io(""))?;
    rustix::fs::syncfs(&opened).map_err(|error| WriteError::io("")(error.into()))?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_root: &Utf8Path) -> Result<bool, WriteError> {
    Ok(false)
}
