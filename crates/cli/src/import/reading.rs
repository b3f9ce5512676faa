//! Reads the files in the arguments of `talosmith import`.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Diagnostic, Document, decode};

use super::aliases;
use super::source_file::{FileScope, Folder, SourceFile};
use super::talhelper::{self, Talconfig};
use crate::change::is_generated;
use crate::saved_config::saved_config;
use crate::source_cache::SourceCache;
use crate::tree::{Entry, EntryKind, ReadError, Tree};

/// The files that the arguments of `talosmith import` name, and those in the folders that they name.
#[derive(Debug, Default)]
pub(crate) struct FoundFiles {
    pub sources: Vec<SourceFile>,
    /// Files that cannot be parsed.
    pub findings: Vec<Diagnostic>,
    /// The facts in a talconfig.yaml of talhelper.
    pub talconfig: Option<Talconfig>,
    /// Files that are not imported, each with the reason.
    pub skipped: Vec<(Utf8PathBuf, &'static str)>,
    /// The devices of the files that exist already, so that their files are not imported.
    pub existing_devices: BTreeSet<String>,
    seen: BTreeSet<Utf8PathBuf>,
}

/// Reads folders and files in the order of the arguments; those in a folder, in the order of their names.
pub(crate) fn read_folders(
    tree: &dyn Tree,
    cache: &SourceCache<'_>,
    folders: &[Folder],
) -> Result<FoundFiles, ReadError> {
    let mut reader = FolderReader { tree, cache, found: FoundFiles::default() };
    for folder in folders {
        let is_file = !matches!(tree.read(&folder.path), Ok(None) | Err(_));
        let path = if is_file { folder.path.parent().unwrap_or(Utf8Path::new("")) } else { &folder.path };
        // The last name that specifies a scope decides: in `devices/node-1/manifests`, that is `node-1`.
        let mut scopes = path.components().filter_map(|part| match FileScope::of_folder(part.as_str()) {
            Some(scope) => scope,
            None => Some(FileScope::Device(part.as_str().to_owned())),
        });
        let own = path.file_name().filter(|name| FileScope::of_folder(name).is_none() && !is_file);
        let is_of_all = own.is_some() && has_several_nodes(tree, path)?;
        let scope =
            folder.scope.clone().or_else(|| scopes.next_back()).filter(|_| !is_of_all || folder.scope.is_some());
        let scoped = ScopedFolder { scope, path: path.to_owned(), is_explicit: folder.scope.is_some() };
        if is_file {
            reader.read_file(&folder.path, &scoped)?;
        } else {
            reader.read_folder(path, &scoped)?;
        }
    }
    Ok(reader.found)
}

/// Whether a folder has those of several nodes: one for all nodes or for a role, or only folders.
fn has_several_nodes(tree: &dyn Tree, folder: &Utf8Path) -> Result<bool, ReadError> {
    let entries = tree.list(folder)?;
    let folders = || entries.iter().filter(|entry| entry.kind == EntryKind::Folder && !entry.name.starts_with('.'));
    if folders().any(|entry| matches!(FileScope::of_folder(&entry.name), Some(Some(_)))) {
        return Ok(true);
    }
    let is_yaml = |entry: &Entry| entry.kind == EntryKind::File && has_extension(&entry.name);
    if folders().next().is_none() || entries.iter().any(is_yaml) {
        return Ok(false);
    }
    for entry in folders().filter(|entry| FileScope::of_folder(&entry.name).is_some()) {
        // In `node-1/manifests`, the files are those of the device `node-1`.
        if !has_several_nodes(tree, &folder.join(&entry.name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file can be imported, by its name.
fn has_extension(name: &str) -> bool {
    matches!(Utf8Path::new(name).extension(), Some("yaml" | "yml" | "json"))
}

/// The innermost folder whose name specifies the scope of a file, or has no meaning.
#[derive(Clone)]
struct ScopedFolder {
    scope: Option<FileScope>,
    path: Utf8PathBuf,
    /// Whether an argument specifies the scope, so that the names of folders have no meaning.
    is_explicit: bool,
}

impl ScopedFolder {
    /// Returns the scoped folder for the files in a folder `name` below it.
    fn enter(&self, name: &str, path: &Utf8Path) -> Self {
        let with_scope = |scope| Self { scope, path: path.to_owned(), is_explicit: false };
        match (FileScope::of_folder(name), &self.scope) {
            _ if self.is_explicit => self.clone(),
            (Some(None), scope) => with_scope(scope.clone()),
            (Some(scope), _) => with_scope(scope),
            // In `node-1/k8s`, the folder `k8s` is a part of the device `node-1`.
            (None, Some(_)) => self.clone(),
            (None, None) => with_scope(Some(FileScope::Device(name.to_owned()))),
        }
    }
}

struct FolderReader<'a, 'c> {
    tree: &'a dyn Tree,
    cache: &'a SourceCache<'c>,
    found: FoundFiles,
}

impl FoundFiles {
    /// Removes the files of devices that exist already.
    pub(crate) fn remove_devices(&mut self, exists: impl Fn(&str) -> bool) {
        self.sources.retain(|source| match &source.scope {
            FileScope::Device(name) if exists(name) => {
                self.existing_devices.insert(name.clone());
                false
            }
            _ => true,
        });
        if let Some(talconfig) = &mut self.talconfig {
            talconfig.roles.retain(|name, _| !exists(name));
            talconfig.addresses.retain(|name, _| !exists(name));
        }
    }
}

impl FolderReader<'_, '_> {
    fn read_folder(&mut self, folder: &Utf8Path, scoped: &ScopedFolder) -> Result<(), ReadError> {
        for entry in self.tree.list(folder)? {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::File => self.read_file(&path, scoped)?,
                EntryKind::Folder if entry.name.starts_with('.') => {}
                EntryKind::Folder => {
                    let mut inner = scoped.enter(&entry.name, &path);
                    let is_device = inner.scope == Some(FileScope::Device(entry.name));
                    if is_device && scoped.scope.is_none() && has_several_nodes(self.tree, &path)? {
                        inner.scope = None;
                    }
                    self.read_folder(&path, &inner)?;
                }
                EntryKind::Symlink => self.found.skipped.push((path, "a symbolic link")),
                EntryKind::Other => {}
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Utf8Path, scoped: &ScopedFolder) -> Result<(), ReadError> {
        let is_json = path.extension() == Some("json");
        if !has_extension(path.as_str()) {
            self.found.skipped.push((path.to_owned(), "not YAML"));
            return Ok(());
        }
        let name = path.file_name().unwrap_or_default();
        if matches!(name, "device.yaml" | "talosmith.yaml") || !self.found.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let Some(bytes) = self.tree.read(path)? else { return Ok(()) };
        if is_generated(&bytes) {
            self.found.skipped.push((path.to_owned(), "generated by talosmith"));
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let resource = saved_config(&text).ok().flatten();
        let bytes = resource.as_ref().map_or(bytes, |text| text.clone().into_bytes());
        let text = resource.unwrap_or(text);
        if let Some(mut talconfig) = talhelper::read(self.tree, self.cache, path, &text) {
            self.found.sources.append(&mut talconfig.sources);
            self.found.talconfig = Some(talconfig);
            return Ok(());
        }
        let id = self.cache.add(path, text.as_str());
        let documents = decode(id, &bytes).map_err(|finding| vec![finding]);
        let (documents, resolved) = match documents.and_then(|text| Document::parse_stream(id, text)) {
            Ok(documents) => (documents, None),
            Err(findings) => match aliases::resolved(id, &text) {
                Some(resolved) => (Vec::new(), Some(resolved)),
                None if is_json => {
                    self.found.skipped.push((path.to_owned(), "not YAML"));
                    return Ok(());
                }
                None => {
                    self.found.findings.extend(findings);
                    return Ok(());
                }
            },
        };
        let name = path.strip_prefix(&scoped.path).unwrap_or(path);
        let name = if is_json { name.with_extension("yaml").to_string() } else { name.to_string() };
        let scope = scoped.scope.clone().unwrap_or(FileScope::All);
        let mut source = SourceFile::new(path.to_owned(), &name, scope, id, text, documents);
        source.has_explicit_scope = scoped.is_explicit;
        self.found.sources.push(match resolved {
            Some(resolved) => source.with_resolved(resolved),
            None => source,
        });
        Ok(())
    }
}
