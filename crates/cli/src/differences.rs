//! The differences between a tree and what would be generated.

use camino::Utf8PathBuf;

use crate::change::Change;

/// The differences between a tree and what would be generated.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Every artifact that is not as it would be generated, and every orphan as removed.
    pub changes: Vec<Change>,
    /// The number of artifacts that are the same.
    pub same: usize,
    /// The folders below which folders that become empty are removed.
    pub within: Vec<Utf8PathBuf>,
}

impl Differences {
    /// The number of files that were compared.
    pub(crate) fn files(&self) -> usize {
        self.changes.len() + self.same
    }
}
