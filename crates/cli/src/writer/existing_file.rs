//! What exists at a path that is to be written.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::WriteError;

/// A regular file that exists at a path that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExistingFile {
    /// The nine permission bits.
    pub mode: u32,
    pub size: u64,
}

impl ExistingFile {
    pub(super) fn find(root: &Utf8Path, path: &Utf8Path) -> Result<Option<Self>, WriteError> {
        FileLookup::new(root).find(path)
    }
}

/// Looks up files below a root. The folder of several files in a row is checked once.
pub(super) struct FileLookup<'a> {
    root: &'a Utf8Path,
    /// The folder that was checked last, and whether it exists.
    folder: Utf8PathBuf,
    exists: bool,
}

impl<'a> FileLookup<'a> {
    pub(super) fn new(root: &'a Utf8Path) -> Self {
        Self { root, folder: Utf8PathBuf::new(), exists: true }
    }

    /// Looks up `path` below the root, and checks every folder above it. `None` if the file does not exist.
    pub(super) fn find(&mut self, path: &Utf8Path) -> Result<Option<ExistingFile>, WriteError> {
        if !path.components().all(|component| matches!(component, Utf8Component::Normal(_))) {
            return Err(WriteError::Outside(path.to_owned()));
        }
        let Some(folder) = path.parent() else { return Err(WriteError::NotAFile(path.to_owned())) };
        if folder != self.folder {
            self.exists = self.check_folder(folder)?;
            self.folder = folder.to_owned();
        }
        if !self.exists {
            return Ok(None);
        }
        match fs::symlink_metadata(self.root.join(path)) {
            Ok(found) if found.is_symlink() => Err(WriteError::Symlink(path.to_owned())),
            Ok(found) if found.is_file() => Ok(Some(ExistingFile { mode: found.mode() & 0o777, size: found.len() })),
            Ok(_) => Err(WriteError::NotAFile(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(WriteError::Io { path: path.to_owned(), source }),
        }
    }

    /// Whether a folder exists; neither it nor one above it may be anything else.
    fn check_folder(&self, folder: &Utf8Path) -> Result<bool, WriteError> {
        let mut current = Utf8PathBuf::new();
        for name in folder {
            current.push(name);
            match fs::symlink_metadata(self.root.join(&current)) {
                Ok(found) if found.is_symlink() => return Err(WriteError::Symlink(current)),
                Ok(found) if found.is_dir() => {}
                Ok(found) if found.is_file() => return Err(WriteError::NotAFolder(current)),
                Ok(_) => return Err(WriteError::NotAFile(current)),
                // Nothing below it exists either.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(source) => return Err(WriteError::Io { path: current, source }),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn everything_that_can_exist_at_a_path_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir_all(root.join("devices/ryzen")).unwrap();
        fs::write(root.join("devices/ryzen/file"), "12345").unwrap();
        fs::set_permissions(root.join("devices/ryzen/file"), PermissionsExt::from_mode(0o2640)).unwrap();
        symlink("ryzen", root.join("devices/linked")).unwrap();
        symlink("nowhere", root.join("devices/dangling")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();

        let find = |path: &str| ExistingFile::find(root, path.into()).map_err(|error| error.to_string());
        assert_eq!(find("devices/ryzen/file"), Ok(Some(ExistingFile { mode: 0o640, size: 5 })));
        assert_eq!(find("devices/ryzen/new"), Ok(None));
        assert_eq!(find("devices/new/deeper/new"), Ok(None));
        let refused = |path: &str| find(path).unwrap_err();
        assert_eq!(refused("devices/linked"), "devices/linked is a symbolic link");
        assert_eq!(refused("devices/linked/file"), "devices/linked is a symbolic link");
        assert_eq!(refused("devices/dangling"), "devices/dangling is a symbolic link");
        assert_eq!(refused("devices/ryzen"), "devices/ryzen is not a file");
        assert_eq!(refused("socket"), "socket is not a file");
        assert_eq!(refused("devices/ryzen/file/new"), "devices/ryzen/file is not a folder");
        for outside in ["../file", "devices/../../file", "new/../../file", "/etc/passwd"] {
            assert_eq!(refused(outside), format!("{outside} is outside the repository"));
        }
    }
}
