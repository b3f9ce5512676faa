//! The files of a revision, of which those that were not changed since are read from disk.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Entry, GitTree, ReadError, Tree, WorkTree};

/// The files of a revision. Git reads one file at a time, which takes several times as long as the work tree does; most files are the same
/// there, and git lists them.
pub(crate) struct CommittedTree<'a> {
    revision: GitTree<'a>,
    work: &'a WorkTree,
    /// The files that differ between the revision and the work tree.
    changed: BTreeSet<Utf8PathBuf>,
}

impl<'a> CommittedTree<'a> {
    pub(crate) fn new(revision: GitTree<'a>, work: &'a WorkTree, changed: BTreeSet<Utf8PathBuf>) -> Self {
        Self { revision, work, changed }
    }

    /// The tree that has a file as the revision has it.
    fn tree_of(&self, path: &Utf8Path) -> &dyn Tree {
        if self.revision.has_file(path) && !self.changed.contains(path) { self.work } else { &self.revision }
    }
}

impl Tree for CommittedTree<'_> {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        self.revision.list(folder)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        self.tree_of(path).read(path)
    }

    fn holds(&self, path: &Utf8Path, bytes: &[u8]) -> Result<bool, ReadError> {
        self.tree_of(path).holds(path, bytes)
    }

    fn start(&self, path: &Utf8Path, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        self.tree_of(path).start(path, most)
    }
}
