//! Files in memory, for tests.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{Entry, EntryKind, ReadError, Tree, children, is_folder, key};

#[derive(Debug, Clone, Default)]
pub struct MemoryTree(BTreeMap<String, Vec<u8>>);

impl<Path: Into<String>, Bytes: Into<Vec<u8>>> FromIterator<(Path, Bytes)> for MemoryTree {
    /// The paths are relative, without `.` and `..`.
    fn from_iter<Files: IntoIterator<Item = (Path, Bytes)>>(files: Files) -> Self {
        Self(files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect())
    }
}

impl Tree for MemoryTree {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        Ok(children(&self.0, &key(folder)?, |_| EntryKind::File))
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        let key = key(path)?;
        if is_folder(&self.0, &key) {
            return Err(ReadError::NotAFile(path.to_owned()));
        }
        Ok(self.0.get(&key).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> MemoryTree {
        let files = [
            "talosmith.yaml",
            "devices/b/device.yaml",
            "devices/a/device.yaml",
            "devices/a.yaml",
            "devices/a0",
            "devicesx",
        ];
        files.into_iter().map(|path| (path, path)).collect()
    }

    fn names(folder: &str) -> Vec<(String, EntryKind)> {
        tree().list(folder.into()).unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect()
    }

    #[test]
    fn entries_are_sorted_by_name_and_folders_told_apart() {
        let expected =
            [("a", EntryKind::Folder), ("a.yaml", EntryKind::File), ("a0", EntryKind::File), ("b", EntryKind::Folder)];
        assert_eq!(names("devices"), expected.map(|(name, kind)| (name.to_owned(), kind)));
        let expected =
            [("devices", EntryKind::Folder), ("devicesx", EntryKind::File), ("talosmith.yaml", EntryKind::File)];
        assert_eq!(names(""), expected.map(|(name, kind)| (name.to_owned(), kind)));
        assert_eq!(names("absent"), []);
    }

    #[test]
    fn files_are_read_and_absent_files_are_not_there() {
        assert_eq!(tree().read("devices/a/device.yaml".into()).unwrap(), Some(b"devices/a/device.yaml".to_vec()));
        assert_eq!(tree().read("./devices//a.yaml".into()).unwrap(), Some(b"devices/a.yaml".to_vec()));
        assert_eq!(tree().read("devices/c/device.yaml".into()).unwrap(), None);
        assert_eq!(tree().read("devices".into()).unwrap_err().to_string(), "devices is not a file");
    }

    #[test]
    fn nothing_outside_the_root_is_read() {
        for path in ["../secret", "devices/../../secret", "/etc/passwd"] {
            let expected = format!("{path} is outside the repository");
            assert_eq!(tree().read(path.into()).unwrap_err().to_string(), expected);
            assert_eq!(tree().list(path.into()).unwrap_err().to_string(), expected);
        }
    }
}
