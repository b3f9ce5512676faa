//! The files that are imported, and whose they are.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Diagnostic, Document, Node, SourceId, TalosVersion, decode, line_column};
use talosmith_machinery::Role;

use super::value::{at, json};
use crate::change::is_generated;
use crate::source_cache::SourceCache;
use crate::tree::{EntryKind, ReadError, Tree};

/// The devices that a file is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Role(Role),
    Device(String),
}

/// A folder or file that the user names.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// Whose files it has; none if the names of folders say so.
    pub scope: Option<Scope>,
    /// From the root of the new repository.
    pub path: Utf8PathBuf,
}

/// A file that is imported.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the new repository.
    pub path: Utf8PathBuf,
    /// The path below the folder of its device or role, which the generated file keeps.
    pub name: String,
    pub scope: Scope,
    pub id: SourceId,
    pub text: String,
    pub documents: Vec<Node>,
}

impl Source {
    /// The path and the line of a byte.
    pub(crate) fn place(&self, byte: u32) -> String {
        format!("{}:{}", self.path, line_column(&self.text, byte as usize).0)
    }
}

impl Scope {
    /// The nearer a scope is to a device, the later its files are applied.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Role(_) => 1,
            Self::Device(_) => 2,
        }
    }

    /// Parses what stands before `=` in an argument.
    pub(crate) fn named(name: &str) -> Self {
        Self::of_folder(name).flatten().unwrap_or_else(|| Self::Device(name.to_owned()))
    }

    /// The scope of a folder by its name: the inner `None` for one that says nothing; the outer one for the name of a device.
    fn of_folder(name: &str) -> Option<Option<Self>> {
        let scope = match name {
            "all" | "common" | "global" | "shared" | "base" | "cluster" | "defaults" | "general" => Some(Self::All),
            "controlplane" | "controlplanes" | "control-plane" | "control-planes" | "controller" | "controllers"
            | "cp" | "master" | "masters" => Some(Self::Role(Role::ControlPlane)),
            "worker" | "workers" => Some(Self::Role(Role::Worker)),
            "" | "." | ".." | "patches" | "patch" | "manifests" | "devices" | "nodes" | "machines" | "hosts"
            | "talos" | "talconfig" | "clusterconfig" | "config" | "configs" => None,
            _ => return None,
        };
        Some(scope)
    }
}

/// What was found below the folders.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub sources: Vec<Source>,
    /// Files that cannot be parsed.
    pub findings: Vec<Diagnostic>,
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
        let named = above.components().filter_map(|part| match Scope::of_folder(part.as_str()) {
            Some(scope) => scope,
            None => Some(Scope::Device(part.as_str().to_owned())),
        });
        let scope = folder.scope.clone().or_else(|| named.last());
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
    let id = cache.add(path, text.as_str());
    let documents = decode(id, &bytes).map_err(|finding| vec![finding]);
    match documents.and_then(|text| Document::parse_stream(id, text)) {
        Ok(documents) => {
            let name = path.strip_prefix(&position.below).unwrap_or(path).to_string();
            let scope = position.scope.clone().unwrap_or(Scope::All);
            found.sources.push(Source { path: path.to_owned(), name, scope, id, text, documents });
        }
        Err(findings) => found.findings.extend(findings),
    }
    Ok(())
}

/// The version of the newest installer image among the files.
pub(crate) fn installed_version(sources: &[Source]) -> Option<TalosVersion> {
    let documents = sources.iter().flat_map(|source| &source.documents).map(json);
    let images = documents.filter_map(|document| {
        let image = at(&document, "machine.install.image").or_else(|| at(&document, "installer.image"))?;
        image.as_str()?.rsplit(':').next()?.parse::<TalosVersion>().ok()
    });
    images.max_by_key(|version| (version.major, version.minor, version.patch))
}

/// Whether a file has a document that only base configs of Talos 1.14 and later accept.
pub(crate) fn has_documents(sources: &[Source]) -> bool {
    let mut kinds = sources.iter().flat_map(|source| &source.documents).filter_map(|node| node.get("kind")?.scalar());
    kinds.any(|(kind, _)| kind.starts_with("Kube") && kind.ends_with("Config") || kind == "UnattendedInstallConfig")
}
