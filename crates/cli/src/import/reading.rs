//! The search for the files that are imported.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Diagnostic, Document, decode};

use super::source::{Folder, Scope, Source};
use super::talhelper::{self, Talconfig};
use crate::change::is_generated;
use crate::saved_config::saved_config;
use crate::source_cache::SourceCache;
use crate::tree::{EntryKind, ReadError, Tree};

/// What was found below the folders.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub sources: Vec<Source>,
    /// Files that cannot be parsed.
    pub findings: Vec<Diagnostic>,
    /// What talhelper's own file says.
    pub talconfig: Option<Talconfig>,
    /// Files that are left alone, each with the reason.
    pub left: Vec<(Utf8PathBuf, &'static str)>,
    seen: BTreeSet<Utf8PathBuf>,
}

/// Reads the files of folders: in the order of the arguments, below each in that of their names.
pub(crate) fn read_folders(tree: &dyn Tree, cache: &SourceCache<'_>, folders: &[Folder]) -> Result<Found, ReadError> {
    let mut found = Found::default();
    for folder in folders {
        let is_file = !matches!(tree.read(&folder.path), Ok(None) | Err(_));
        let above = if is_file { folder.path.parent().unwrap_or(Utf8Path::new("")) } else { &folder.path };
        // `devices/node-1/manifests` says whose files it has.
        let mut named = above.components().filter_map(|part| match Scope::of_folder(part.as_str()) {
            Some(scope) => scope,
            None => Some(Scope::Device(part.as_str().to_owned())),
        });
        let scope = folder.scope.clone().or_else(|| named.next_back());
        let position = Position { scope, below: above.to_owned(), is_fixed: folder.scope.is_some() };
        if is_file {
            read_file(tree, cache, &folder.path, &position, &mut found)?;
        } else {
            read_folder(tree, cache, above, &position, &mut found)?;
        }
    }
    Ok(found)
}

/// Where the walk is.
struct Position {
    scope: Option<Scope>,
    /// The folder of the scope.
    below: Utf8PathBuf,
    /// Whether names of folders say nothing.
    is_fixed: bool,
}

fn read_folder(
    tree: &dyn Tree,
    cache: &SourceCache<'_>,
    folder: &Utf8Path,
    position: &Position,
    found: &mut Found,
) -> Result<(), ReadError> {
    for entry in tree.list(folder)? {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::File => read_file(tree, cache, &path, position, found)?,
            EntryKind::Folder if entry.name.starts_with('.') => {}
            EntryKind::Folder => read_folder(tree, cache, &path, &inner(position, &entry.name, &path), found)?,
            EntryKind::Symlink => found.left.push((path, "a symbolic link")),
            EntryKind::Other => {}
        }
    }
    Ok(())
}

fn inner(position: &Position, name: &str, path: &Utf8Path) -> Position {
    let stays = |below: &Utf8Path| Position {
        scope: position.scope.clone(),
        below: below.to_owned(),
        is_fixed: position.is_fixed,
    };
    if position.is_fixed {
        return stays(&position.below);
    }
    match (Scope::of_folder(name), &position.scope) {
        (Some(None), _) => stays(path),
        (Some(Some(scope)), _) => Position { scope: Some(scope), below: path.to_owned(), is_fixed: false },
        // `node-1/k8s` is a part of what `node-1` has.
        (None, Some(_)) => stays(&position.below),
        (None, None) => {
            Position { scope: Some(Scope::Device(name.to_owned())), below: path.to_owned(), is_fixed: false }
        }
    }
}

fn read_file(
    tree: &dyn Tree,
    cache: &SourceCache<'_>,
    path: &Utf8Path,
    position: &Position,
    found: &mut Found,
) -> Result<(), ReadError> {
    if !matches!(path.extension(), Some("yaml" | "yml")) {
        found.left.push((path.to_owned(), "no YAML"));
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default();
    if matches!(name, "device.yaml" | "talosmith.yaml") || !found.seen.insert(path.to_owned()) {
        return Ok(());
    }
    let Some(bytes) = tree.read(path)? else { return Ok(()) };
    if is_generated(&bytes) {
        found.left.push((path.to_owned(), "talosmith generated it"));
        return Ok(());
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let resource = saved_config(&text).ok().flatten();
    let bytes = resource.as_ref().map_or(bytes, |text| text.clone().into_bytes());
    let text = resource.unwrap_or(text);
    if let Some(mut talconfig) = talhelper::read(tree, cache, path, &text) {
        found.sources.append(&mut talconfig.sources);
        found.talconfig = Some(talconfig);
        return Ok(());
    }
    let id = cache.add(path, text.as_str());
    let documents = decode(id, &bytes).map_err(|finding| vec![finding]);
    match documents.and_then(|text| Document::parse_stream(id, text)) {
        Ok(documents) => {
            let name = path.strip_prefix(&position.below).unwrap_or(path).to_string();
            let scope = position.scope.clone().unwrap_or(Scope::All);
            let mut source = Source::new(path.to_owned(), &name, scope, id, text, documents);
            source.is_named = position.is_fixed;
            found.sources.push(source);
        }
        Err(findings) => found.findings.extend(findings),
    }
    Ok(())
}
