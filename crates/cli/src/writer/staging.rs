//! Files that are written and have not taken their names yet.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::TempPath;

use super::WriteError;
use crate::change::{is_temporary, temporary_name};
use crate::tree::{EntryKind, Tree, WorkTree};

/// Who may read a new file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// As any file that the user makes: 0644 less the user's umask.
    Usual,
    /// Exactly these nine bits, from the first moment no more than the owner.
    Exactly(u32),
}

/// A file under its temporary name, which is removed unless it takes its own.
pub(super) struct Staged {
    path: Utf8PathBuf,
    temporary: TempPath,
}

impl Staged {
    /// Writes `bytes` beside `path`, whose folder is there. A file that is there under the temporary name is an error.
    pub(super) fn write(root: &Utf8Path, path: &Utf8Path, bytes: &[u8], mode: Mode) -> Result<Self, WriteError> {
        let (folder, name) = split(path);
        // tempfile creates with O_EXCL, takes the file away when it is dropped, and adds nothing to the name when told so.
        let created = tempfile::Builder::new()
            .prefix(&temporary_name(name))
            .rand_bytes(0)
            .permissions(PermissionsExt::from_mode(match mode {
                Mode::Usual => 0o644,
                Mode::Exactly(bits) => bits & 0o600,
            }))
            .tempfile_in(root.join(folder));
        let mut file = created.map_err(WriteError::io(path))?;
        file.write_all(bytes).map_err(WriteError::io(path))?;
        if let Mode::Exactly(bits) = mode {
            file.as_file().set_permissions(PermissionsExt::from_mode(bits)).map_err(WriteError::io(path))?;
        }
        Ok(Self { path: path.to_owned(), temporary: file.into_temp_path() })
    }

    /// Waits until the bytes are on disk. Apart from writing, since the first of many files takes the others with it.
    pub(super) fn sync(&self) -> Result<(), WriteError> {
        let file = fs::File::open(&self.temporary).map_err(WriteError::io(&*self.path))?;
        file.sync_all().map_err(WriteError::io(&*self.path))
    }

    /// Takes the name. Gives the path.
    pub(super) fn rename(self, root: &Utf8Path) -> Result<Utf8PathBuf, WriteError> {
        let renamed = self.temporary.persist(root.join(&self.path)).map_err(|error| error.error);
        renamed.map_err(WriteError::io(&*self.path))?;
        Ok(self.path)
    }
}

/// The folder, empty for the root, and the name in it.
pub(super) fn split(path: &Utf8Path) -> (&Utf8Path, &str) {
    (path.parent().unwrap_or(Utf8Path::new("")), path.file_name().unwrap_or_default())
}

/// Removes the temporary files that a run left in `folders` when it was killed. Gives their paths.
///
/// None of them is in use: the caller holds the lock.
pub(super) fn remove_leftovers(root: &Utf8Path, folders: &BTreeSet<&Utf8Path>) -> Result<Vec<Utf8PathBuf>, WriteError> {
    let tree = WorkTree::new(root);
    let mut removed = Vec::new();
    for folder in folders {
        for entry in tree.list(folder)? {
            if entry.kind == EntryKind::File && is_temporary(&entry.name) {
                let path = folder.join(entry.name);
                fs::remove_file(root.join(&path)).map_err(WriteError::io(&*path))?;
                removed.push(path);
            }
        }
    }
    Ok(removed)
}

/// Waits until the names in a folder are on disk. A folder that is gone has none.
pub(super) fn sync_folder(root: &Utf8Path, folder: &Utf8Path) -> Result<(), WriteError> {
    match fs::File::open(root.join(folder)).and_then(|opened| opened.sync_all()) {
        // Some network file systems have no way to do it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => Ok(()),
        other => other.map_err(WriteError::io(folder)),
    }
}
