//! Writes files that contain a secret.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use fs_err as fs;
use zeroize::Zeroizing;

use super::existing_file::ExistingFile;
use super::folders::NewFolders;
use super::staging::{Staged, remove_leftovers, split};
use super::sync::sync_folder;
use super::{Lock, WriteError};

/// The mode of a file with a secret: only its owner can read and write it.
const PRIVATE: u32 = 0o600;

/// Writes a file with a secret, which has mode 0600 as long as it exists. An older file with another mode is replaced. Nothing is
/// written if the file already has this content and mode: then this returns false. A folder in which everybody can replace files is an error, which contains nothing of
/// the content.
pub(crate) fn write_secret(lock: &Lock, path: &Utf8Path, bytes: &[u8]) -> Result<bool, WriteError> {
    let root = lock.root();
    let existing = ExistingFile::find(root, path)?;
    let (folder, _) = split(path);
    remove_leftovers(root, &BTreeSet::from([folder]))?;
    let is_same = match existing {
        Some(ExistingFile { mode: PRIVATE, size }) => {
            has_content(&root.join(path), size, bytes).map_err(WriteError::io(path))?
        }
        _ => false,
    };
    let mut new_folders = NewFolders::below(root);
    new_folders.create(folder)?;
    let mode = fs::metadata(root.join(folder)).map_err(WriteError::io(folder))?.mode();
    // With the sticky bit, only its owner can replace a file.
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return Err(WriteError::OpenFolder(folder.to_owned()));
    }
    if is_same {
        return Ok(false);
    }
    let staged = Staged::write(root, path, bytes, Some(PRIVATE))?;
    staged.sync()?;
    let created = new_folders.keep();
    staged.rename(root)?;
    for folder in created.iter().filter_map(|created| created.parent()).chain([folder]) {
        sync_folder(root, folder)?;
    }
    Ok(true)
}

/// Reads a file with a secret. The content is cleared from memory when it is dropped.
pub(crate) fn read_secret(root: &Utf8Path, path: &Utf8Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    fs::read(root.join(path)).map(Zeroizing::new)
}

/// Whether the file has this content. The content that is read is cleared from memory.
fn has_content(path: &Utf8Path, size: u64, bytes: &[u8]) -> std::io::Result<bool> {
    if usize::try_from(size) != Ok(bytes.len()) {
        return Ok(false);
    }
    let mut old = Zeroizing::new(vec![0; bytes.len()]);
    fs::File::open(path)?.read_exact(&mut old)?;
    Ok(*old == bytes)
}

#[cfg(test)]
mod tests;
