//! The files that all inputs are read from: those of the work tree, of git's index, of a revision, or in memory.

mod committed;
mod git;
mod memory;
mod overlay;
mod root;
mod work;

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::git::GitError;

pub(crate) use committed::CommittedTree;
pub(crate) use git::GitTree;
pub use memory::MemoryTree;
pub(crate) use overlay::Overlay;
pub(crate) use root::{Root, exists, fleet_folder_above, misnamed_fleet_file, resolve_links};
pub use work::WorkTree;
pub(crate) use work::read_standard_input;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    File,
    Folder,
    Symlink,
    /// Anything else: a socket, a device, a submodule of git.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub name: String,
    pub kind: EntryKind,
}

/// A file or folder could not be read. Paths are relative to the root.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {path}")]
    Io { path: Utf8PathBuf, source: io::Error },
    /// The path of the link, which is the path to read or a folder above it.
    #[error("{0} is a symbolic link")]
    Symlink(Utf8PathBuf),
    /// A folder, a socket or the like is at the path of a file.
    #[error("{0} is not a file")]
    NotAFile(Utf8PathBuf),
    #[error("{0} is outside the repository")]
    Outside(Utf8PathBuf),
    /// The name contains replacement characters.
    #[error("a name in {folder} is not UTF-8: {name}")]
    NotUtf8 { folder: Utf8PathBuf, name: String },
    #[error("a name in {folder} has a control character: {name}")]
    Unprintable { folder: Utf8PathBuf, name: String },
    /// The index of git contains more than one version of the file.
    #[error("{0} is in conflict")]
    Unmerged(Utf8PathBuf),
    #[error("cannot read {path}")]
    Git { path: Utf8PathBuf, source: GitError },
}

/// The files of a repository. All paths are relative to its root, the folder of talosmith.yaml.
pub trait Tree: Sync {
    /// Returns the entries directly below a folder, sorted by the bytes of their names; none if it does not exist. The root is the
    /// empty path.
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError>;

    /// Returns the bytes of a file; none if it does not exist. Of a file with more than [`MAX_BYTES`], only these and one more are
    /// read.
    ///
    /// [`MAX_BYTES`]: talosmith_document::MAX_BYTES
    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError>;

    /// Whether a file exists with exactly these bytes, of which there is at least one. False for a file that cannot be read, whose
    /// error [`Tree::read`] returns.
    fn holds(&self, path: &Utf8Path, bytes: &[u8]) -> Result<bool, ReadError> {
        Ok(self.read(path)?.is_some_and(|found| found == bytes))
    }

    /// Returns the first bytes of a file, at most `most`; none if it does not exist.
    fn start(&self, path: &Utf8Path, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let mut bytes = self.read(path)?;
        bytes.iter_mut().for_each(|bytes| bytes.truncate(most));
        Ok(bytes)
    }
}

/// Returns a path as the key of a sorted map: names separated by `/`.
fn key(path: &Utf8Path) -> Result<String, ReadError> {
    // Most paths are keys as they are.
    if path.as_str().split('/').all(|name| !matches!(name, "" | "." | "..")) {
        return Ok(path.as_str().to_owned());
    }
    let names = path.components().filter(|part| *part != Utf8Component::CurDir).map(|part| match part {
        Utf8Component::Normal(name) => Ok(name),
        _ => Err(ReadError::Outside(path.to_owned())),
    });
    Ok(names.collect::<Result<Vec<_>, _>>()?.join("/"))
}

/// Returns the entries directly below a folder in a map from the paths of files.
fn children<T>(files: &BTreeMap<String, T>, folder: &str, kind: impl Fn(&T) -> EntryKind) -> Vec<Entry> {
    let above = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut entries = Vec::new();
    let mut from = Bound::Included(above.clone());
    while let Some((path, file)) = files.range::<String, _>((from, Bound::Unbounded)).next() {
        let Some(rest) = path.strip_prefix(&above) else { break };
        from = if let Some((name, _)) = rest.split_once('/') {
            entries.push(Entry { name: name.to_owned(), kind: EntryKind::Folder });
            // `0` is the byte after `/`: it comes after everything in that folder.
            Bound::Included(format!("{above}{name}0"))
        } else {
            entries.push(Entry { name: rest.to_owned(), kind: kind(file) });
            Bound::Excluded(path.clone())
        };
    }
    // `a.b` comes before `a/c` among paths, and after `a` among names.
    entries.sort();
    entries
}

fn is_folder<T>(files: &BTreeMap<String, T>, path: &str) -> bool {
    let below = format!("{path}/");
    files.range::<String, _>(&below..).next().is_some_and(|(first, _)| first.starts_with(&below))
}
