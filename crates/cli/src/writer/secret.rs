//! Files with a secret in them.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use fs_err as fs;
use zeroize::Zeroizing;

use super::folders::NewFolders;
use super::staging::{Mode, Staged, remove_leftovers, split, sync_folder};
use super::{Lock, Refused, Standing, WriteError, inspect};
use crate::change::ChangeKind;

/// The mode of a file with a secret: its owner reads and writes, nobody else does anything.
const PRIVATE: u32 = 0o600;

/// Writes a file with a secret, of mode 0600 from its first moment to its last. An older file that others can read is replaced by
/// one that they cannot. Nothing is written where the same bytes already lie under that mode.
///
/// # Errors
/// [`WriteError`], which names the path and nothing of the bytes. Also refused: a folder in which everybody may replace files.
pub fn write_secret(lock: &Lock, path: &Utf8Path, bytes: &[u8]) -> Result<ChangeKind, WriteError> {
    let root = lock.root();
    let standing = inspect(root, path)?;
    let (folder, _) = split(path);
    remove_leftovers(root, &BTreeSet::from([folder]))?;
    let kind = match standing {
        Standing::Absent => ChangeKind::Added,
        Standing::File { mode: PRIVATE, size }
            if holds(&root.join(path), size, bytes).map_err(WriteError::io(path))? =>
        {
            ChangeKind::Same
        }
        Standing::File { .. } => ChangeKind::Changed,
    };
    let mut new_folders = NewFolders::below(root);
    new_folders.make(folder)?;
    let mode = fs::metadata(root.join(folder)).map_err(WriteError::io(folder))?.mode();
    // With the sticky bit, only a file's owner may replace it.
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return Err(Refused::OpenFolder(folder.to_owned()).into());
    }
    if kind == ChangeKind::Same {
        return Ok(kind);
    }
    let staged = Staged::write(root, path, bytes, Mode::Exactly(PRIVATE))?;
    staged.sync()?;
    let made = new_folders.keep();
    staged.rename(root)?;
    for folder in made.iter().filter_map(|made| made.parent()).chain([folder]) {
        sync_folder(root, folder)?;
    }
    Ok(kind)
}

/// Whether the file holds these bytes. What is read of it is wiped.
fn holds(path: &Utf8Path, size: u64, bytes: &[u8]) -> std::io::Result<bool> {
    if usize::try_from(size) != Ok(bytes.len()) {
        return Ok(false);
    }
    let mut old = Zeroizing::new(vec![0; bytes.len()]);
    fs::File::open(path)?.read_exact(&mut old)?;
    Ok(*old == bytes)
}

#[cfg(test)]
mod tests;
