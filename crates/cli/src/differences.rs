//! The differences between a tree and what would be generated.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::change::{Change, ChangeKind};

/// The differences between a tree and what would be generated.
#[derive(Debug, Default)]
pub struct Differences {
    /// Every artifact, and every orphan as removed.
    pub changes: Vec<Change>,
    /// The owner's argument of each changed path, as a user types it.
    pub arguments: BTreeMap<Utf8PathBuf, String>,
    /// The folders below which folders that become empty may go.
    pub within: Vec<Utf8PathBuf>,
}

impl Differences {
    /// The changes that are any.
    pub fn real(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.kind != ChangeKind::Same)
    }
}
