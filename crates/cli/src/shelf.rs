//! Every text that a run reads, for threads that read at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;
use talosmith_document::{Diagnostic, SourceId, Sources, decode};
use talosmith_model::plan::{Files, NoText};

use crate::tree::{ReadError, Tree};

/// The texts of a tree that were read so far. Their numbers tell them apart and say nothing of an order.
pub struct Shelf<'a> {
    tree: &'a dyn Tree,
    sources: Mutex<Sources>,
    /// The texts that several devices may name.
    shared: Mutex<Files>,
}

/// A text and its number.
pub type Text = (SourceId, Arc<str>);

impl<'a> Shelf<'a> {
    /// A shelf without texts.
    #[must_use]
    pub fn new(tree: &'a dyn Tree) -> Self {
        Self { tree, sources: Mutex::default(), shared: Mutex::default() }
    }

    /// Reads a file and takes it in; none if it is not there, and a finding if it is not UTF-8.
    ///
    /// # Errors
    /// The tree's.
    pub fn read(&self, path: &Utf8Path) -> Result<Option<Result<Text, Diagnostic>>, ReadError> {
        let Some(bytes) = self.tree.read(path)? else { return Ok(None) };
        // It is taken in whatever it holds, so that a finding has a file to name.
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        let source = lock(&self.sources).add(path, Arc::clone(&text));
        Ok(Some(decode(source, &bytes).map(|_| (source, text))))
    }

    /// The text of a file that several devices may name: it is read for the first of them.
    ///
    /// # Errors
    /// The tree's, where nothing is to be said of the file itself.
    pub fn shared(&self, path: &Utf8Path) -> Result<Result<Text, NoText>, ReadError> {
        let mut shared = lock(&self.shared);
        if let Some(text) = shared.get(path) {
            return Ok(text.clone());
        }
        let text = match self.read(path) {
            Ok(Some(Ok(text))) => Ok(text),
            Ok(Some(Err(finding))) => Err(NoText::Refused(Box::new(finding))),
            Ok(None) => Err(NoText::Absent),
            Err(ReadError::Symlink(_)) => Err(NoText::Symlink),
            Err(ReadError::NotAFile(_)) => Err(NoText::NotAFile),
            Err(error) => return Err(error),
        };
        shared.insert(path.to_owned(), text.clone());
        Ok(text)
    }

    /// All of them.
    #[must_use]
    pub fn into_sources(self) -> Sources {
        self.sources.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
