//! The differences between a tree and what would be generated.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::change::{Change, ChangeKind};

/// The differences between a tree and what would be generated.
#[derive(Debug, Default)]
pub struct Differences {
    /// Every artifact that is not as it would be generated, and every orphan as removed.
    pub changes: Vec<Change>,
    /// How many artifacts are the same.
    pub same: usize,
    /// The owner's argument of each changed path, as a user types it.
    pub arguments: BTreeMap<Utf8PathBuf, String>,
    /// The names of the owners whose artifacts changed.
    pub owners: BTreeSet<String>,
    /// The folders below which folders that become empty may go.
    pub within: Vec<Utf8PathBuf>,
}

impl Differences {
    /// The changes that are any.
    pub fn real(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.kind != ChangeKind::Same)
    }

    /// How many files were compared.
    #[must_use]
    pub fn files(&self) -> usize {
        self.changes.len() + self.same
    }
}
