//! Reads the files in the arguments of `talosmith import`.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Diagnostic, Document, decode};
use talosmith_machinery::Role;

use super::aliases;
use super::amount::MAX_BYTES;
use super::file_kind::FileKind;
use super::source_file::{FileScope, Folder, SourceFile};
use super::talhelper::{self, Talconfig};
use crate::change::is_generated;
use crate::saved_config::saved_config;
use crate::source_cache::SourceCache;
use crate::tree::{Entry, EntryKind, ReadError, Tree};

const TEMPLATE: &str = "a template: import what it renders";

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
    /// The roles of devices whose files are in the folder of a role.
    pub roles: BTreeMap<String, Role>,
    /// The bytes of all files together.
    pub bytes: usize,
    pub(super) seen: BTreeSet<Utf8PathBuf>,
}

/// Reads folders and files in the order of the arguments; those in a folder, in the order of their names.
pub(crate) fn read_folders(
    tree: &dyn Tree,
    cache: &SourceCache<'_>,
    folders: &[Folder],
) -> Result<FoundFiles, ReadError> {
    let mut reader = FolderReader { tree, cache, found: FoundFiles::default(), talconfig_folders: Vec::new() };
    for folder in folders {
        let is_file = !matches!(tree.read(&folder.path), Ok(None) | Err(_));
        let path = if is_file { folder.path.parent().unwrap_or(Utf8Path::new("")) } else { &folder.path };
        // The last name that specifies a scope decides: in `devices/node-1/manifests`, that is `node-1`.
        let mut scopes = path.components().filter_map(|part| match FileScope::of_folder(part.as_str()) {
            Some(scope) => scope,
            None => Some(FileScope::device(part.as_str())),
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
            (None, None) => with_scope(Some(FileScope::device(name))),
        }
    }
}

struct FolderReader<'a, 'c> {
    tree: &'a dyn Tree,
    cache: &'a SourceCache<'c>,
    found: FoundFiles,
    /// The folders of the talconfig.yaml that were found.
    talconfig_folders: Vec<Utf8PathBuf>,
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
        let mut entries = self.tree.list(folder)?;
        // It decides about the other files in its folder.
        entries.sort_by_key(|entry| !matches!(entry.name.as_str(), "talconfig.yaml" | "talconfig.yml"));
        for entry in entries {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::File => self.read_file(&path, scoped)?,
                EntryKind::Folder if entry.name.starts_with('.') => {}
                EntryKind::Folder => {
                    let mut inner = scoped.enter(&entry.name, &path);
                    let is_device = inner.scope == Some(FileScope::device(&entry.name));
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

    /// Whether a file is not read, by its name.
    fn is_skipped(&mut self, path: &Utf8Path) -> bool {
        let is_known = matches!(path.file_stem(), Some("talenv")) || !has_extension(path.as_str());
        if is_known && self.is_of_talhelper(path) {
            // talconfig.yaml has their values.
            return true;
        }
        if !has_extension(path.as_str()) {
            let is_template = matches!(path.extension(), Some("j2" | "jinja2" | "tmpl" | "gotmpl" | "tpl"));
            let reason = if is_template { TEMPLATE } else { "not YAML" };
            self.found.skipped.push((path.to_owned(), reason));
            return true;
        }
        let is_model = matches!(path.file_name(), Some("device.yaml" | "talosmith.yaml"));
        is_model || !self.found.seen.insert(path.to_owned())
    }

    fn read_file(&mut self, path: &Utf8Path, scoped: &ScopedFolder) -> Result<(), ReadError> {
        let is_json = path.extension() == Some("json");
        if self.is_skipped(path) || self.found.bytes > MAX_BYTES {
            return Ok(());
        }
        let Some(bytes) = self.tree.read(path)? else { return Ok(()) };
        self.found.bytes += bytes.len();
        if is_generated(&bytes) {
            self.found.skipped.push((path.to_owned(), "generated by talosmith"));
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let resource = saved_config(&text).ok().flatten();
        let bytes = resource.as_ref().map_or(bytes, |text| text.clone().into_bytes());
        let text = resource.unwrap_or(text);
        let quoted = talhelper::with_quoted_placeholders(&text);
        let (text, bytes) = if quoted == text { (text, bytes) } else { (quoted.clone(), quoted.into_bytes()) };
        if let Some(talconfig) = talhelper::read(self.tree, self.cache, path, &text) {
            self.add_talconfig(path, talconfig);
            return Ok(());
        }
        let id = self.cache.add(path, text.as_str());
        let documents = decode(id, &bytes).map_err(|finding| vec![finding]);
        let (documents, resolved) = match documents.and_then(|text| Document::parse_stream(id, text)) {
            Ok(documents) => (documents, None),
            Err(findings) => match aliases::resolved(id, &text) {
                Some(resolved) => (Vec::new(), Some(resolved)),
                None if is_json || text.contains("{{") => {
                    let reason = if is_json { "not YAML" } else { TEMPLATE };
                    self.found.skipped.push((path.to_owned(), reason));
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
        if let Some(resolved) = resolved {
            source = source.with_resolved(resolved);
        }
        if source.kind() == FileKind::Patch && !scoped.is_explicit {
            if self.is_of_talhelper(path) {
                self.found.skipped.push((path.to_owned(), "talconfig.yaml does not refer to it"));
                return Ok(());
            }
            self.narrow_scope(&mut source);
        }
        self.found.sources.push(source);
        Ok(())
    }

    fn is_of_talhelper(&self, path: &Utf8Path) -> bool {
        self.talconfig_folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Adds the facts in a talconfig.yaml. The files that it refers to are not read again.
    fn add_talconfig(&mut self, path: &Utf8Path, mut talconfig: Talconfig) {
        self.talconfig_folders.extend(path.parent().map(Utf8Path::to_owned));
        if self.found.talconfig.is_some() {
            self.found.skipped.push((path.to_owned(), "another talconfig.yaml is imported: import each by itself"));
            return;
        }
        self.found.seen.extend(talconfig.sources.iter().map(|source| source.path.clone()));
        self.found.sources.append(&mut talconfig.sources);
        self.found.talconfig = Some(talconfig);
    }

    /// Restricts a patch to the node whose hostname it sets, or to the node or the role that its name specifies.
    fn narrow_scope(&mut self, source: &mut SourceFile) {
        let stem = source.path.file_name().unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
        let folder = source.path.parent().and_then(Utf8Path::file_name).unwrap_or_default();
        let is_of_nodes = matches!(folder, "nodes" | "machines" | "hosts" | "devices");
        let scope = match (source.hostname(), FileScope::of_folder(&stem).flatten()) {
            (Some(name), _) => FileScope::device(&name),
            (None, Some(scope)) => scope,
            (None, None) if is_of_nodes => FileScope::device(&stem),
            (None, None) => return,
        };
        match (&source.scope, &scope) {
            (FileScope::All, _) => source.scope = scope,
            (FileScope::Role(role), FileScope::Device(name)) => {
                self.found.roles.insert(name.clone(), *role);
                source.scope = scope;
            }
            _ => {}
        }
    }
}
