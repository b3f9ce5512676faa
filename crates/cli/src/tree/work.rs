//! The files on disk.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the module that reads the work tree")
)]

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::{PoisonError, RwLock};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use talosmith_document::MAX_BYTES;

use super::{Entry, EntryKind, ReadError, Tree, key};

/// The work tree on disk, as it is now. Symbolic links are reported and never followed.
pub struct WorkTree {
    root: Utf8PathBuf,
    /// The opened root. Files are opened relative to it, so that the system does not resolve its path for each file.
    opened: Result<OwnedFd, Errno>,
    /// Folders that were checked: they exist and are no links.
    folders: RwLock<HashSet<String>>,
}

/// Reads standard input. Of more than a file of the model may have, one byte more is read, so that decoding refuses it.
pub(crate) fn read_standard_input() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl WorkTree {
    /// `root` itself may be a symbolic link.
    pub fn new(root: impl Into<Utf8PathBuf>) -> Self {
        let root = root.into();
        let opened = open(root.as_str(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        Self { root, opened, folders: RwLock::default() }
    }

    /// Whether `folder`, a key, exists. A symbolic link in its path is an error.
    fn is_folder(&self, folder: &str) -> Result<bool, ReadError> {
        if folder.is_empty() || self.folders.read().unwrap_or_else(PoisonError::into_inner).contains(folder) {
            return Ok(true);
        }
        if !self.is_folder(above(folder))? {
            return Ok(false);
        }
        match fs::symlink_metadata(self.on_disk(folder)) {
            Ok(found) if found.is_symlink() => Err(ReadError::Symlink(folder.into())),
            Ok(found) if found.is_dir() => {
                self.folders.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ReadError::Io { path: folder.into(), source }),
        }
    }

    /// Opens a file without following a link, and without waiting for a pipe that has no writer.
    fn open(&self, key: &str) -> io::Result<File> {
        let root = self.opened.as_ref().map_err(|error| *error)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(root, key, flags, Mode::empty())?.into())
    }

    /// Reads a file, but no more than some bytes of it.
    fn read_start(&self, path: &Utf8Path, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let path = key(path)?;
        if !self.is_folder(above(&path))? {
            return Ok(None);
        }
        let error = |source| ReadError::Io { path: path.as_str().into(), source };
        let file = match self.open(&path) {
            Ok(file) => file,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(refused) => {
                return Err(match fs::symlink_metadata(self.on_disk(&path)) {
                    Ok(found) if found.is_symlink() => ReadError::Symlink(path.into()),
                    Ok(found) if !found.is_file() => ReadError::NotAFile(path.into()),
                    _ => error(refused),
                });
            }
        };
        // Of the opened file, since another one may be at the path by now.
        let found = file.metadata().map_err(error)?;
        if !found.is_file() {
            return Err(ReadError::NotAFile(path.into()));
        }
        // The size is known, so `Take` needs fewer system calls than `fs::read`, which queries it again and reads up to the end.
        let length = found.len().min(most as u64);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(length).read_to_end(&mut bytes).map_err(error)?;
        Ok(Some(bytes))
    }

    fn on_disk(&self, key: &str) -> Utf8PathBuf {
        [self.root.as_str(), "/", key].concat().into()
    }
}

impl Tree for WorkTree {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let folder = key(folder)?;
        if !self.is_folder(&folder)? {
            return Ok(Vec::new());
        }
        let error = |source| ReadError::Io { path: folder.as_str().into(), source };
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.on_disk(&folder)).map_err(error)? {
            let entry = entry.map_err(error)?;
            let kind = entry.file_type().map_err(error)?;
            let name = entry.file_name().into_string().map_err(|name| ReadError::NotUtf8 {
                folder: folder.as_str().into(),
                name: name.to_string_lossy().into_owned(),
            })?;
            let kind = if kind.is_symlink() {
                EntryKind::Symlink
            } else if kind.is_dir() {
                EntryKind::Folder
            } else if kind.is_file() {
                EntryKind::File
            } else {
                EntryKind::Other
            };
            entries.push(Entry { name, kind });
        }
        entries.sort();
        Ok(entries)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        self.read_start(path, MAX_BYTES + 1)
    }

    fn start(&self, path: &Utf8Path, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        self.read_start(path, most)
    }

    fn holds(&self, path: &Utf8Path, mut bytes: &[u8]) -> Result<bool, ReadError> {
        let path = key(path)?;
        if bytes.is_empty() || !self.is_folder(above(&path))? {
            return Ok(false);
        }
        let Ok(file) = self.open(&path) else { return Ok(false) };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        while let Ok((read, free)) = rustix::io::read(&file, &mut buffer) {
            let Some(rest) = bytes.strip_prefix(&*read) else { break };
            // Only at the end of a file, `read` returns fewer bytes than the buffer has.
            if !free.is_empty() {
                return Ok(rest.is_empty());
            }
            bytes = rest;
        }
        Ok(false)
    }
}

/// Returns the key of the folder that contains a key.
fn above(key: &str) -> &str {
    key.rfind('/').map_or("", |at| &key[..at])
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::io::Write as _;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn disk() -> (tempfile::TempDir, WorkTree) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("devices/ryzen")).unwrap();
        fs::write(folder.path().join("devices/ryzen/device.yaml"), "name: ryzen\n").unwrap();
        fs::write(folder.path().join("devices/ryzen.yaml"), "").unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, WorkTree::new(root))
    }

    #[test]
    fn files_and_folders_are_found() {
        let (_folder, tree) = disk();
        assert_eq!(tree.read("devices/ryzen/device.yaml".into()).unwrap().unwrap(), b"name: ryzen\n");
        assert_eq!(tree.read("devices/ryzen.yaml".into()).unwrap().unwrap(), b"");
        let expected = [("ryzen", EntryKind::Folder), ("ryzen.yaml", EntryKind::File)];
        let expected = expected.map(|(name, kind)| Entry { name: name.into(), kind });
        assert_eq!(tree.list("devices".into()).unwrap(), expected);
    }

    #[test]
    fn what_is_absent_is_absent_at_any_depth() {
        let (_folder, tree) = disk();
        for path in ["absent", "absent/deeper/still", "devices/ryzen.yaml/below-a-file"] {
            assert_eq!(tree.read(path.into()).unwrap(), None, "{path}");
            assert_eq!(tree.list(path.into()).unwrap(), [], "{path}");
        }
    }

    #[test]
    fn a_large_file_is_read_whole() {
        let (folder, tree) = disk();
        let text: Vec<u8> = (0..300_000u32).map(|number| (number % 251) as u8).collect();
        fs::write(folder.path().join("large"), &text).unwrap();
        assert!(tree.read("large".into()).unwrap().unwrap() == text);
    }

    #[test]
    fn a_huge_file_is_not_read_whole() {
        let (folder, tree) = disk();
        File::create(folder.path().join("huge")).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(tree.read("huge".into()).unwrap().unwrap().len(), MAX_BYTES + 1);
        assert_eq!(tree.start("huge".into(), 2).unwrap(), Some(vec![0, 0]));
    }

    #[test]
    fn a_file_holds_its_bytes_and_no_others() {
        let (folder, tree) = disk();
        for length in [1, 4095, 4096, 4097, 10_000] {
            let text: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
            fs::write(folder.path().join("file"), &text).unwrap();
            let holds = |bytes: &[u8]| tree.holds("file".into(), bytes).unwrap();
            assert!(holds(&text), "{length}");
            assert!(!holds(&text[1..]) && !holds(&text[..length - 1]), "{length}");
            assert!(!holds(&[&text[..], b"x"].concat()), "{length}");
        }
        symlink("file", folder.path().join("linked")).unwrap();
        for path in ["absent", "absent/deeper", "linked", "devices"] {
            assert!(!tree.holds(path.into(), b"name: ryzen\n").unwrap(), "{path}");
        }
    }

    #[test]
    fn a_link_is_named_and_not_followed() {
        let (folder, tree) = disk();
        symlink("ryzen", folder.path().join("devices/linked")).unwrap();
        symlink("device.yaml", folder.path().join("devices/ryzen/linked.yaml")).unwrap();
        symlink("nowhere", folder.path().join("devices/dangling")).unwrap();
        let read = |path: &str| tree.read(path.into()).unwrap_err().to_string();
        assert_eq!(read("devices/linked/device.yaml"), "devices/linked is a symbolic link");
        assert_eq!(read("devices/ryzen/linked.yaml"), "devices/ryzen/linked.yaml is a symbolic link");
        assert_eq!(read("devices/dangling"), "devices/dangling is a symbolic link");
        assert_eq!(tree.list("devices/linked".into()).unwrap_err().to_string(), "devices/linked is a symbolic link");
        assert_eq!(tree.list("devices".into()).unwrap()[1], Entry { name: "linked".into(), kind: EntryKind::Symlink });
    }

    #[test]
    fn a_folder_and_a_socket_are_no_files() {
        let (folder, tree) = disk();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        assert_eq!(tree.read("socket".into()).unwrap_err().to_string(), "socket is not a file");
        assert_eq!(tree.read("devices".into()).unwrap_err().to_string(), "devices is not a file");
    }

    #[test]
    fn a_name_that_is_not_utf8_fails_only_its_folder() {
        let (folder, tree) = disk();
        if fs::write(folder.path().join("devices").join(OsStr::from_bytes(b"b\xff")), "").is_err() {
            drop(writeln!(io::stderr(), "skipped: this file system takes UTF-8 names only"));
            return;
        }
        let error = tree.list("devices".into()).unwrap_err();
        assert_eq!(error.to_string(), "a name in devices is not UTF-8: b\u{fffd}");
        assert_eq!(tree.list("devices/ryzen".into()).unwrap().len(), 1);
    }
}
