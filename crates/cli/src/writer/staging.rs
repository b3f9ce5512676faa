//! Files that are written under a temporary name.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use talosmith_model::layout::{is_temporary, temporary_name};
use tempfile::TempPath;

use super::WriteError;
use crate::tree::{EntryKind, Tree, WorkTree};

/// A file under its temporary name. It is removed when dropped, unless it is renamed.
pub(super) struct Staged {
    path: Utf8PathBuf,
    temporary: TempPath,
}

impl Staged {
    /// Writes `bytes` to a temporary file in the folder of `path`, which must exist. It is an error if the temporary name is taken.
    ///
    /// The file gets the nine permission bits of `mode`, regardless of the umask, or 0644 minus the umask. Only the owner has access
    /// before the bits are set.
    pub(super) fn write(root: &Utf8Path, path: &Utf8Path, bytes: &[u8], mode: Option<u32>) -> Result<Self, WriteError> {
        let (folder, name) = split(path);
        // tempfile creates the file with O_EXCL, removes it when dropped, and with `rand_bytes(0)` uses exactly this name.
        let created = tempfile::Builder::new()
            .prefix(&temporary_name(name))
            .rand_bytes(0)
            .permissions(PermissionsExt::from_mode(mode.map_or(0o644, |bits| bits & 0o600)))
            .tempfile_in(root.join(folder));
        let mut file = created.map_err(WriteError::io(path))?;
        file.write_all(bytes).map_err(WriteError::io(path))?;
        if let Some(bits) = mode {
            file.as_file().set_permissions(PermissionsExt::from_mode(bits)).map_err(WriteError::io(path))?;
        }
        Ok(Self { path: path.to_owned(), temporary: file.into_temp_path() })
    }

    /// Waits until the content is on disk. Separate from writing, because the first fsync usually flushes the other files too.
    pub(super) fn sync(&self) -> Result<(), WriteError> {
        let file = fs::File::open(&self.temporary).map_err(WriteError::io(&*self.path))?;
        file.sync_all().map_err(WriteError::io(&*self.path))
    }

    /// Renames the file to its target, and returns the target's path.
    pub(super) fn rename(self, root: &Utf8Path) -> Result<Utf8PathBuf, WriteError> {
        let renamed = self.temporary.persist(root.join(&self.path)).map_err(|error| error.error);
        renamed.map_err(WriteError::io(&*self.path))?;
        Ok(self.path)
    }
}

/// Splits a path into its folder, which is empty for the root, and its file name.
pub(super) fn split(path: &Utf8Path) -> (&Utf8Path, &str) {
    (path.parent().unwrap_or(Utf8Path::new("")), path.file_name().unwrap_or_default())
}

/// Removes the temporary files that a killed run left in `folders`, and returns their paths.
///
/// None of them is in use, because the caller holds the lock.
pub(super) fn remove_leftovers(root: &Utf8Path, folders: &BTreeSet<&Utf8Path>) -> Result<Vec<Utf8PathBuf>, WriteError> {
    let tree = WorkTree::new(root);
    let mut removed = Vec::new();
    for folder in folders {
        for entry in tree.list(folder)? {
            if is_temporary(&entry.name) {
                let path = folder.join(entry.name);
                if entry.kind == EntryKind::Folder {
                    return Err(WriteError::NotAFile(path));
                }
                // A link or a pipe is removed itself: nothing is written through it.
                fs::remove_file(root.join(&path)).map_err(WriteError::io(&*path))?;
                removed.push(path);
            }
        }
    }
    Ok(removed)
}
