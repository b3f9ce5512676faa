//! A repository in a temporary folder, for the tests of this module.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::apply::{Applied, apply};
use super::{Lock, WriteError};
use crate::change::Change;
use crate::tree::{Tree, WorkTree};

/// A repository with a talosmith.yaml, which is locked.
pub(super) struct Root {
    pub folder: tempfile::TempDir,
    pub lock: Lock,
}

impl Root {
    pub(super) fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    pub(super) fn in_folder(folder: tempfile::TempDir) -> Self {
        fs::write(folder.path().join("talosmith.yaml"), "").unwrap();
        let lock = Lock::acquire(Utf8Path::from_path(folder.path()).unwrap(), || {}).unwrap();
        Self { folder, lock }
    }

    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let root = Self::new();
        for (path, text) in files {
            let path = root.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    pub(super) fn path(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(path)
    }

    pub(super) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.path(path)).unwrap().mode() & 0o7777
    }

    pub(super) fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), PermissionsExt::from_mode(mode)).unwrap();
    }

    /// Every folder, file and link below the root except talosmith.yaml: `path/`, `path=text`, `path->`.
    pub(super) fn everything(&self) -> Vec<String> {
        fn walk(folder: &Utf8Path, root: &Utf8Path, found: &mut Vec<String>) {
            for entry in folder.read_dir_utf8().unwrap() {
                let entry = entry.unwrap();
                let path = entry.path().strip_prefix(root).unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    found.push(format!("{path}/"));
                    walk(entry.path(), root, found);
                } else if kind.is_symlink() {
                    found.push(format!("{path}->"));
                } else if path != "talosmith.yaml" {
                    found.push(format!("{path}={}", fs::read_to_string(entry.path()).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.path(""), &self.path(""), &mut found);
        found.sort();
        found
    }

    pub(super) fn changes(&self, wanted: &[(&str, &str)], unwanted: &[&str]) -> Vec<Change> {
        let tree = WorkTree::new(self.path(""));
        let wanted = wanted.iter().map(|(path, text)| (*path, Some(text.as_bytes().to_vec())));
        let all = wanted.chain(unwanted.iter().map(|path| (*path, None)));
        let mut changes: Vec<Change> =
            all.map(|(path, new)| Change::new(path.into(), tree.read(path.into()).unwrap(), new)).collect();
        changes.retain(|change| change.old != change.new);
        changes.sort_by(|one, other| one.path.as_str().cmp(other.path.as_str()));
        changes
    }

    pub(super) fn apply(&self, wanted: &[(&str, &str)], unwanted: &[&str]) -> Result<Applied, WriteError> {
        let changes = self.changes(wanted, unwanted);
        let paths = wanted.iter().map(|(path, _)| path).chain(unwanted);
        let searched = paths.filter_map(|path| Utf8Path::new(path).parent()).collect();
        apply(&self.lock, &changes, &searched, &["devices".into(), "argocd/applications/local-path".into()])
    }
}

/// The folders of some changes.
pub(super) fn folders(changes: &[Change]) -> BTreeSet<&Utf8Path> {
    changes.iter().filter_map(|change| change.path.parent()).collect()
}
