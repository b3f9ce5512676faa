//! Every file that a run reads, for threads that read at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Diagnostic, MAX_BYTES, SourceId, Sources, decode, too_large};
use talosmith_model::plan::{Files, NoText};

use crate::tree::{ReadError, Tree};

/// The files of a tree that were read. The order of their IDs depends on the threads.
///
/// The text of a file that has no finding can be released; a report reads it again when it needs it after all.
pub struct SourceCache<'a> {
    tree: &'a dyn Tree,
    sources: Mutex<Sources>,
    /// Files that several devices can name.
    shared: Mutex<Files>,
    /// The built-in templates that findings point at, by name.
    templates: Mutex<BTreeMap<String, SourceId>>,
}

pub(crate) type SourceText = (SourceId, Arc<str>);

impl<'a> SourceCache<'a> {
    pub(crate) fn new(tree: &'a dyn Tree) -> Self {
        Self { tree, sources: Mutex::default(), shared: Mutex::default(), templates: Mutex::default() }
    }

    /// Reads a file. Returns none if it does not exist, and a finding if it is not UTF-8.
    pub(crate) fn read(&self, path: &Utf8Path) -> Result<Option<Result<SourceText, Diagnostic>>, ReadError> {
        let Some(bytes) = self.tree.read(path)? else { return Ok(None) };
        if bytes.len() > MAX_BYTES {
            return Ok(Some(Err(too_large(self.add(path, "")))));
        }
        // A file with invalid bytes is added too, so that the finding has a file to name.
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        let source = self.add(path, Arc::clone(&text));
        Ok(Some(decode(source, &bytes).map(|_| (source, text))))
    }

    /// Reads a file that several devices can name; only the first call reads it.
    pub(crate) fn read_shared(&self, path: &Utf8Path) -> Result<Result<SourceText, NoText>, ReadError> {
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

    /// Returns the paths of the files that several devices can name.
    pub(crate) fn shared_paths(&self) -> Vec<Utf8PathBuf> {
        lock(&self.shared).keys().cloned().collect()
    }

    /// Adds a text that was not read from the tree, or whose path cannot be read.
    pub(crate) fn add(&self, path: impl Into<Utf8PathBuf>, text: impl Into<Arc<str>>) -> SourceId {
        lock(&self.sources).add(path, text)
    }

    /// Adds a built-in template; only the first call of a name does.
    pub(crate) fn add_template(&self, name: &str, text: &str) -> SourceId {
        match lock(&self.templates).entry(name.to_owned()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => *free.insert(self.add(format!("templates/{name}"), text)),
        }
    }

    /// Drops the text of a file that was read.
    pub(crate) fn release(&self, source: SourceId) {
        lock(&self.sources).set_text(source, Arc::default());
    }

    pub(crate) fn path(&self, source: SourceId) -> Utf8PathBuf {
        lock(&self.sources).get(source).path.clone()
    }

    /// Returns all files, with the texts that `findings` point into.
    pub fn load(&mut self, findings: &[Diagnostic]) -> &Sources {
        let sources = self.sources.get_mut().unwrap_or_else(PoisonError::into_inner);
        for finding in findings {
            for label in std::iter::once(&finding.at).chain(&finding.also) {
                load(self.tree, sources, label.location.source);
            }
        }
        sources
    }

    /// Returns all files, with the text of one of them.
    pub(crate) fn load_one(&mut self, source: SourceId) -> &Sources {
        let sources = self.sources.get_mut().unwrap_or_else(PoisonError::into_inner);
        load(self.tree, sources, source);
        sources
    }
}

/// Reads a released text again. A file that is gone by now, or has no text to begin with, keeps none.
fn load(tree: &dyn Tree, sources: &mut Sources, source: SourceId) {
    let known = sources.get(source);
    if known.text.is_empty()
        && let Ok(Some(bytes)) = tree.read(&known.path)
    {
        sources.set_text(source, String::from_utf8_lossy(&bytes));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
