//! What stands where we would write.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Refused, WriteError};

/// What stands at a path that may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing, or not even its folder.
    Absent,
    /// A regular file.
    File {
        /// Its permissions: nine bits.
        mode: u32,
        /// Its size in bytes.
        size: u64,
    },
}

/// Looks at `path` below `root` and at every folder on the way.
///
/// # Errors
/// [`WriteError::Refused`] if it must not be written, [`WriteError::Io`] if it cannot be looked at.
pub fn inspect(root: &Utf8Path, path: &Utf8Path) -> Result<Standing, WriteError> {
    if !path.components().all(|component| matches!(component, Utf8Component::Normal(_))) {
        return Err(Refused::Outside(path.to_owned()).into());
    }
    let mut below = Utf8PathBuf::new();
    let mut standing = None;
    for name in path {
        if standing.is_some() {
            return Err(Refused::NotAFolder(below).into());
        }
        below.push(name);
        match fs::symlink_metadata(root.join(&below)) {
            Ok(found) if found.is_symlink() => return Err(Refused::Symlink(below).into()),
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_file() => {
                standing = Some(Standing::File { mode: found.mode() & 0o777, size: found.len() });
            }
            Ok(_) => return Err(Refused::NotAFile(below).into()),
            // Nothing below it is there either.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Absent),
            Err(source) => return Err(WriteError::Io { path: below, source }),
        }
    }
    // Every name on the way was a folder, the last one too; or there was no name at all.
    standing.ok_or_else(|| Refused::NotAFile(path.to_owned()).into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_standing_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir_all(root.join("devices/ryzen")).unwrap();
        fs::write(root.join("devices/ryzen/file"), "12345").unwrap();
        fs::set_permissions(root.join("devices/ryzen/file"), PermissionsExt::from_mode(0o2640)).unwrap();
        symlink("ryzen", root.join("devices/linked")).unwrap();
        symlink("nowhere", root.join("devices/dangling")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();

        let standing = |path: &str| inspect(root, path.into()).map_err(|error| error.to_string());
        assert_eq!(standing("devices/ryzen/file"), Ok(Standing::File { mode: 0o640, size: 5 }));
        assert_eq!(standing("devices/ryzen/new"), Ok(Standing::Absent));
        assert_eq!(standing("devices/new/deeper/new"), Ok(Standing::Absent));
        let refused = |path: &str| standing(path).unwrap_err();
        assert_eq!(refused("devices/linked"), "devices/linked is a symbolic link");
        assert_eq!(refused("devices/linked/file"), "devices/linked is a symbolic link");
        assert_eq!(refused("devices/dangling"), "devices/dangling is a symbolic link");
        assert_eq!(refused("devices/ryzen"), "devices/ryzen is not a file");
        assert_eq!(refused("socket"), "socket is not a file");
        assert_eq!(refused("devices/ryzen/file/new"), "devices/ryzen/file is not a folder");
        for outside in ["../file", "devices/../../file", "new/../../file", "/etc/passwd"] {
            assert_eq!(refused(outside), format!("{outside} lies outside the repository"));
        }
    }
}
