//! A tree with files that do not exist yet.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{Entry, MemoryTree, ReadError, Tree};

/// The files of another tree, and some in memory that hide its own.
pub(crate) struct Overlay<'a> {
    below: &'a dyn Tree,
    above: MemoryTree,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(below: &'a dyn Tree, above: MemoryTree) -> Self {
        Self { below, above }
    }
}

impl Tree for Overlay<'_> {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let entries = self.below.list(folder)?.into_iter().chain(self.above.list(folder)?);
        let by_name: BTreeMap<String, Entry> = entries.map(|entry| (entry.name.clone(), entry)).collect();
        Ok(by_name.into_values().collect())
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        match self.above.read(path)? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.below.read(path),
        }
    }
}
