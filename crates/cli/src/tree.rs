//! Where all inputs come from: the files of the work tree, of git's index, of a revision, or of memory.

mod git;
mod memory;
mod work;

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::git::GitError;

pub use git::GitTree;
pub use memory::MemoryTree;
pub use work::WorkTree;

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Symlink,
    /// Anything else: a socket, a device, a submodule of git.
    Other,
}

/// An entry directly below a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The name, without the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// A file or folder could not be read. Paths are relative to the root.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refuses.
    #[error("cannot read {path}")]
    Io {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A symbolic link stands at the path or above it. The path is that of the link.
    #[error("{0} is a symbolic link")]
    Symlink(Utf8PathBuf),
    /// Something that is neither a file nor absent stands where a file is wanted.
    #[error("{0} is not a file")]
    NotAFile(Utf8PathBuf),
    /// The path leads out of the root.
    #[error("{0} lies outside the repository")]
    Outside(Utf8PathBuf),
    /// A folder of ours holds a name that is not UTF-8.
    #[error("a name in {folder} is not UTF-8: {name}")]
    NotUtf8 {
        /// The folder.
        folder: Utf8PathBuf,
        /// The name, with replacement characters.
        name: String,
    },
    /// The path is in conflict: the index of git holds more than one version of it.
    #[error("{0} is in conflict")]
    Unmerged(Utf8PathBuf),
    /// Git cannot give the file.
    #[error("cannot read {path}")]
    Git {
        /// The file.
        path: Utf8PathBuf,
        /// What git says.
        source: GitError,
    },
}

impl ReadError {
    /// The file or folder that could not be read.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        match self {
            Self::Io { path, .. } | Self::Git { path, .. } | Self::NotUtf8 { folder: path, .. } => path,
            Self::Symlink(path) | Self::NotAFile(path) | Self::Outside(path) | Self::Unmerged(path) => path,
        }
    }
}

/// A tree of files: one look at the repository. All paths are relative to its root, the folder of talosmith.yaml.
pub trait Tree: Sync {
    /// The entries directly below a folder, sorted by the bytes of their names. A folder that is not there has none; the root is
    /// the empty path.
    ///
    /// # Errors
    /// [`ReadError`].
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError>;

    /// The bytes of a file, `None` if it is not there.
    ///
    /// # Errors
    /// [`ReadError`]; a folder is not a file.
    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError>;

    /// Whether a file is there with just these bytes, of which there is at least one. A file that cannot be read does not hold
    /// them; [`Tree::read`] says why.
    ///
    /// # Errors
    /// [`ReadError`].
    fn holds(&self, path: &Utf8Path, bytes: &[u8]) -> Result<bool, ReadError> {
        Ok(self.read(path)?.is_some_and(|lies| lies == bytes))
    }
}

/// The path as a key of a sorted map: names with `/` between.
fn key(path: &Utf8Path) -> Result<String, ReadError> {
    // Most paths are keys as they are.
    if path.as_str().split('/').all(|name| !matches!(name, "" | "." | "..")) {
        return Ok(path.as_str().to_owned());
    }
    let mut key = String::with_capacity(path.as_str().len());
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::Normal(name) => {
                if !key.is_empty() {
                    key.push('/');
                }
                key.push_str(name);
            }
            _ => return Err(ReadError::Outside(path.to_owned())),
        }
    }
    Ok(key)
}

/// The entries directly below a folder in a map from the paths of files: what `kind` says of them, and folders.
fn children<T>(files: &BTreeMap<String, T>, folder: &str, kind: impl Fn(&T) -> EntryKind) -> Vec<Entry> {
    let above = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut entries = Vec::new();
    let mut from = Bound::Included(above.clone());
    while let Some((path, file)) = files.range::<String, _>((from, Bound::Unbounded)).next() {
        let Some(rest) = path.strip_prefix(&above) else { break };
        from = if let Some((name, _)) = rest.split_once('/') {
            entries.push(Entry { name: name.to_owned(), kind: EntryKind::Folder });
            // `0` is the byte after `/`: past everything in that folder, however much it is.
            Bound::Included(format!("{above}{name}0"))
        } else {
            entries.push(Entry { name: rest.to_owned(), kind: kind(file) });
            Bound::Excluded(path.clone())
        };
    }
    // `a.b` stands before `a/c` among paths, and behind `a` among names.
    entries.sort();
    entries
}

/// Whether the map has files below `path`.
fn is_folder<T>(files: &BTreeMap<String, T>, path: &str) -> bool {
    let below = format!("{path}/");
    files.range::<String, _>(&below..).next().is_some_and(|(first, _)| first.starts_with(&below))
}
