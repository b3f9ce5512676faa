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
    /// Looks up `path` below `root`, and checks every folder above it; none if the file does not exist.
    pub(super) fn find(root: &Utf8Path, path: &Utf8Path) -> Result<Option<Self>, WriteError> {
        if !path.components().all(|component| matches!(component, Utf8Component::Normal(_))) {
            return Err(WriteError::Outside(path.to_owned()));
        }
        let mut current = Utf8PathBuf::new();
        let mut file = None;
        for name in path {
            if file.is_some() {
                return Err(WriteError::NotAFolder(current));
            }
            current.push(name);
            match fs::symlink_metadata(root.join(&current)) {
                Ok(found) if found.is_symlink() => return Err(WriteError::Symlink(current)),
                Ok(found) if found.is_dir() => {}
                Ok(found) if found.is_file() => {
                    file = Some(Self { mode: found.mode() & 0o777, size: found.len() });
                }
                Ok(_) => return Err(WriteError::NotAFile(current)),
                // Nothing below it exists either.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(source) => return Err(WriteError::Io { path: current, source }),
            }
        }
        // Without a file, every part of the path was a folder, or the path was empty.
        if file.is_none() { Err(WriteError::NotAFile(path.to_owned())) } else { Ok(file) }
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
